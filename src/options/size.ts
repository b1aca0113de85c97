/**
 * Numbers as text: sizes on the command line, and rsync's way of printing counts.
 *
 * Upstream: options.c:parse_size_arg, lib/compat.c:do_big_num and do_big_dnum.
 */
import { UsageError } from "../errors.ts";

/** Limits of one size argument, in bytes. */
export interface SizeLimits {
  /** Unit when none is written: "b", "K". */
  readonly defaultUnit: string;
  readonly least: number;
  /** -1: none but what a file size can be. */
  readonly most: number;
  /** 0 is taken below `least` and means unlimited. */
  readonly zeroUnlimited?: boolean;
}

const UNITS = "bkmgtp";
const SIZE = /^([0-9]*(?:\.[0-9]*)?)([a-z]?)(b|ib)?(?:([+-])1)?$/i;

/** SSIZE_MAX of the 64-bit rsync: the bound where an option gives none. */
const LARGEST = 2 ** 63;

/**
 * Parses "700", "1.5K", "2KiB", "3MB", "1K+1" into bytes. Throws UsageError with upstream's words when the text is no
 * size or is out of bounds.
 */
export function parseSize(text: string, option: string, limits: SizeLimits): number {
  const size = measure(text, limits.defaultUnit);
  const { least, most } = limits;
  const fail = (what: string): never => {
    throw new UsageError(`rsync: --${option}=${text} is ${what}`);
  };
  if (Number.isNaN(size)) return fail("invalid");
  // A negative size counts as too large: upstream tests it as an overflow.
  if (size < 0 || (most >= 0 ? size > most : size >= LARGEST)) {
    return fail(most >= 0 ? `too large (max: ${formatNumber(most, 3)})` : "too large");
  }
  if (size < least && !(limits.zeroUnlimited && size === 0)) {
    return fail(`too small (min: ${formatNumber(least, 3)}${limits.zeroUnlimited ? " or 0 for unlimited" : ""})`);
  }
  return size;
}

/** Bytes, or NaN when the text is no size. "K" and "KiB" count in 1024, "KB" in 1000. */
function measure(text: string, defaultUnit: string): number {
  if (/^-0*\.?0*[1-9]/.test(text)) return -1;
  const match = SIZE.exec(text);
  if (match === null) return NaN;
  const [, digits, unit, suffix, step] = match;
  if (digits === "" && unit === "" && step !== undefined) return NaN;
  if (unit === "" && suffix !== undefined) return NaN;
  const power = UNITS.indexOf((unit || defaultUnit).toLowerCase());
  if (power < 0) return NaN;
  const base = suffix?.toLowerCase() === "b" ? 1000 : 1024;
  const whole = Math.trunc((Number.parseFloat(digits) || 0) * base ** power);
  return step === undefined ? whole : whole + (step === "+" ? 1 : -1);
}

/**
 * A whole number in rsync's forms. `human`: 0 plain digits, 1 with thousands separators, 2 units of 1000, 3 units of
 * 1024. `fraction` (".50") is put behind the plain forms.
 */
export function formatNumber(value: number, human: number, fraction = ""): string {
  if (human > 1) {
    const scaled = withUnit(value, human === 2 ? 1000 : 1024);
    if (scaled !== null) return scaled;
  }
  const digits = BigInt(Math.trunc(value)).toString();
  return (human > 0 ? digits.replace(/\B(?=(\d{3})+$)/g, ",") : digits) + fraction;
}

/** A number with decimals; above 999 it takes the separators or units that `human` asks for. */
export function formatDecimal(value: number, human: number, decimals: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "-nan" : value < 0 ? "-inf" : "inf";
  const plain = fixed(value, decimals);
  if (human === 0 || Math.abs(value) < 1000) return plain;
  return formatNumber(Math.trunc(value), human, plain.slice(plain.search(/\D|$/)));
}

function withUnit(value: number, base: number): string | null {
  let size = Math.abs(value);
  if (size < base) return null;
  size /= base;
  let unit = 0;
  while (unit < 4 && size >= base) {
    size /= base;
    unit++;
  }
  return (value < 0 ? "-" : "") + fixed(size, 2) + "KMGTP"[unit];
}

/** C's "%.Nf": as toFixed, but an exact tie goes to the even digit. */
function fixed(value: number, decimals: number): string {
  const size = Math.abs(value);
  const isTie = (size * 2 ** (decimals + 1)) % 2 === 1;
  const below = Math.floor(size * 10 ** decimals);
  if (!isTie || below % 2 === 1) return value.toFixed(decimals);
  return (value < 0 ? "-" : "") + (below / 10 ** decimals).toFixed(decimals);
}
