/** Looks for an escape in an --out-format (upstream log.c:log_format_has). */

/**
 * An escape: quotes ask for human-readable numbers, digits for a width. No more than 23 characters make a width; a
 * digit behind them stands where the letter should.
 */
export const ESCAPE = /%('*)(-?)((?<=-)\d{0,22}|(?<!-)\d{0,23})('*)(.?)/gs;

/** True when the format holds %escape, with or without a width. */
export function formatHas(format: string | null, escape: string): boolean {
  if (format === null) return false;
  for (const match of format.matchAll(ESCAPE)) {
    if (match[5] === escape) return true;
  }
  return false;
}
