/** Looks for an escape in an --out-format (upstream log.c:log_format_has). */

/** An escape: quotes ask for human-readable numbers, digits for a width. At most 23 characters of width count. */
export const ESCAPE = /%('*)(-?)(\d*)('*)(.?)/gs;

const WIDTH_LIMIT = 23;

/** True when the format holds %escape, with or without a width. */
export function formatHas(format: string | null, escape: string): boolean {
  if (format === null) return false;
  for (const match of format.matchAll(ESCAPE)) {
    if (match[2].length + match[3].length <= WIDTH_LIMIT && match[5] === escape) return true;
  }
  return false;
}
