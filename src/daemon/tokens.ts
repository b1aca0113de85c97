/** Lists in values of rsyncd.conf. */

/**
 * Splits at white space and commas, or, when the list begins with a comma, at commas alone, so that an item may have
 * spaces within. No item is empty. Upstream util1.c:conf_strtok.
 */
export function splitList(text: string): string[] {
  const start = text.trimStart();
  if (!start.startsWith(",")) return start.split(/[ ,\t\r\n]+/).filter((item) => item !== "");
  return start.split(",").map((item) => item.trim()).filter((item) => item !== "");
}
