/**
 * How alike two file names are, for --fuzzy. Upstream util1.c: find_filename_suffix, fuzzy_distance.
 *
 * Distances are unsigned 32-bit numbers in units of 65536 a change, plus the sums of the bytes changed.
 */

const UNIT = 1 << 16;
/** What stands for "too far to tell". */
const FAR = 0xffff * UNIT + 1;
/** A distance that no two names reach. */
const NO_LIMIT = 0xffff0000;
/** The suffix weighs this much more than the rest of the name. */
const SUFFIX_WEIGHT = 10;
/** Names longer than any file system has are told apart no further. */
const MAX_NAME = 4096;

/** Farther than 25 changes is no likeness. */
export const LEAST_ALIKE = 25 * UNIT;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const DOT = 0x2e;
const TILDE = 0x7e;

/**
 * The most telling suffix of a name with its dot, "" for none. Endings of backups ("~", ".bak", ".orig", ".~1~") are
 * passed over, and one of digits counts only when there is no other.
 */
export function suffixOf(name: string): string {
  let start = 0;
  let end = name.length;
  while (start < end && name.charCodeAt(start) === DOT) start++;
  const tilde = end - start > 1 && name.charCodeAt(end - 1) === TILDE;
  if (tilde) end--;
  let found = "";
  while (end - start > 1) {
    const dot = name.lastIndexOf(".", end - 1);
    if (dot <= start) break;
    const suffix = name.slice(dot, end);
    end = dot;
    if (isBackupEnding(suffix, tilde)) continue;
    found = suffix;
    if (suffix.length === 1 || !isNumber(suffix)) break;
  }
  return found;
}

function isBackupEnding(suffix: string, tilde: boolean): boolean {
  if (suffix.length === 4) return suffix === ".bak" || suffix === ".old";
  if (suffix.length === 5) return suffix === ".orig";
  return suffix.length > 2 && tilde && suffix.charCodeAt(1) === TILDE && isDigit(suffix.charCodeAt(2));
}

function isNumber(suffix: string): boolean {
  for (let i = 1; i < suffix.length; i++) if (!isDigit(suffix.charCodeAt(i))) return false;
  return true;
}

/** Measures distances with one row of scratch. */
export class Likeness {
  private readonly above = new Uint32Array(MAX_NAME);

  /** Distance of two names with their suffixes; at `limit` and beyond only roughly. */
  distance(name: string, suffix: string, other: string, otherSuffix: string, limit: number): number {
    const far = this.edits(name, other, limit);
    if (far >= NO_LIMIT) return far;
    return (far + this.edits(suffix, otherSuffix, NO_LIMIT) * SUFFIX_WEIGHT) >>> 0;
  }

  /** Levenshtein's distance, in which a change of one byte to another near it costs less. */
  private edits(a: string, b: string, limit: number): number {
    if (Math.abs(a.length - b.length) * UNIT > limit) return FAR;
    if (a.length === 0 || b.length === 0) return weightOf(a.length === 0 ? b : a);
    const { above } = this;
    for (let at = 0; at < b.length; at++) above[at] = (at + 1) * UNIT;
    let left = 0;
    for (let i = 0; i < a.length; i++) {
      const code = a.charCodeAt(i);
      let diagonal = i * UNIT;
      left = (i + 1) * UNIT;
      for (let j = 0; j < b.length; j++) {
        const other = b.charCodeAt(j);
        const up = above[j];
        const change = code === other ? diagonal : diagonal + UNIT + Math.abs(code - other);
        const insert = up < left ? up + UNIT + code : left + UNIT + other;
        diagonal = up;
        above[j] = left = Math.min(change, insert);
      }
    }
    return left;
  }
}

/** The distance of a name from no name at all. Bytes count as signed characters there. */
function weightOf(name: string): number {
  let weight = name.length * UNIT;
  for (let i = 0; i < name.length; i++) weight += (name.charCodeAt(i) << 24) >> 24;
  return weight >>> 0;
}
