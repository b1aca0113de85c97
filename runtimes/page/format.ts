/** Numbers as people read them. */

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** "1.42 MB": three significant digits, decimal units. */
export function size(byteLength: number): string {
  let unit = 0;
  let value = byteLength;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  if (unit === 0) return `${byteLength.toLocaleString("en")} ${byteLength === 1 ? "byte" : "bytes"}`;
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ${UNITS[unit]}`;
}

/** "1,234,567". */
export function exact(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** "1.3 %". */
export function percent(part: number, whole: number): string {
  if (whole === 0) return "–";
  const value = (100 * part) / whole;
  if (value > 0 && value < 0.1) return "< 0.1 %";
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} %`;
}

/** "640 MB/s". */
export function rate(byteLength: number, ms: number): string {
  return ms <= 0 || byteLength === 0 ? "–" : `${size((byteLength * 1000) / ms)}/s`;
}

/** "1.2 s" or "35 ms". */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
