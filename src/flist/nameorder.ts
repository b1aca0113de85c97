/**
 * The order of names in file lists, and names found by it (upstream flist.c: f_name_cmp, flist_find_name).
 *
 * Since protocol 29 a directory compares with a trailing slash, after every non-directory of its parent, and "." comes
 * first; before, names compare as plain strings. Both ends must agree to the byte, since rows are addressed by number.
 */
import { type FileList } from "./filelist.ts";

/** First protocol with the directory-aware order. */
export const DIR_ORDER_VERSION = 29;
const DOT = 0x2e;
const SLASH = 0x2f;

/** Compares two rows in wire order (f_name_cmp): negative, 0 or positive. Cleared rows come first, as upstream's. */
export function compareRows(a: FileList, i: number, b: FileList, j: number, version: number): number {
  const activeA = a.isActive(i);
  if (!activeA || !b.isActive(j)) return activeA === b.isActive(j) ? 0 : activeA ? 1 : -1;
  return compareToRow(targetOf(a.dirname(i), a.basename(i), a.isDir(i)), b, j, version);
}

/** A name to be compared with rows. */
interface Target {
  readonly dir: string;
  readonly base: string;
  readonly isDir: boolean;
  readonly path: string;
  /** The path as the modern order sees it. */
  readonly tree: string;
}

function targetOf(dir: string, base: string, isDir: boolean): Target {
  const path = joined(dir, base);
  return { dir, base, isDir, path, tree: treeForm(path, isDir) };
}

/** Compares a name with a row. Most rows of a large list are in another directory, and no string is made for them. */
function compareToRow(target: Target, list: FileList, row: number, version: number): number {
  const rowDir = list.dirname(row);
  if (version < DIR_ORDER_VERSION) return compareBytes(target.path, joined(rowDir, list.basename(row)));
  if (rowDir === target.dir) return compareBase(target.base, target.isDir, list, row);
  const byDir = comparePaths(target.tree, rowDir, true);
  return byDir !== 0 ? byDir : comparePaths(target.tree, treeForm(joined(rowDir, list.basename(row)), list.isDir(row)));
}

/** Modern order of two names in the same directory. */
function compareBase(base: string, isDir: boolean, list: FileList, row: number): number {
  const u8 = list.memory.u8;
  const ptr = list.namePtr[row];
  const length = list.nameLength[row];
  const rowIsDir = list.isDir(row);
  const dotA = isDir && base === ".";
  const dotB = rowIsDir && length === 1 && u8[ptr] === DOT;
  if (dotA || dotB) return dotA === dotB ? 0 : dotA ? -1 : 1;
  if (isDir !== rowIsDir) return isDir ? 1 : -1;
  const shared = Math.min(base.length, length);
  for (let k = 0; k < shared; k++) {
    const difference = base.charCodeAt(k) - u8[ptr + k];
    if (difference !== 0) return difference;
  }
  if (base.length === length) return 0;
  const end = isDir ? SLASH : 0;
  return base.length < length ? end - u8[ptr + shared] : base.charCodeAt(shared) - end;
}

function joined(dir: string, base: string): string {
  return dir === "" ? base : dir === "/" ? "/" + base : dir + "/" + base;
}

/** A path as the modern order sees it: directories end in a slash, a "." directory is just its parent's slash. */
function treeForm(path: string, isDir: boolean): string {
  if (!isDir) return path;
  if (path === ".") return "";
  return path.endsWith("/.") ? path.slice(0, -1) : path + "/";
}

/**
 * Compares two tree forms: at the first component that differs, non-directories come first, then bytes decide. `below`:
 * `b` is a directory, and stands for anything in it; 0 when that does not decide.
 */
function comparePaths(a: string, b: string, below = false): number {
  let start = 0;
  let at = 0;
  const shared = Math.min(a.length, b.length);
  while (at < shared && a.charCodeAt(at) === b.charCodeAt(at)) {
    if (a.charCodeAt(at++) === SLASH) start = at;
  }
  if (at === b.length && (below || at === a.length)) return 0;
  const dirA = a.indexOf("/", start) >= 0;
  const dirB = below || b.indexOf("/", start) >= 0;
  if (dirA !== dirB) return dirA ? 1 : -1;
  return (at < a.length ? a.charCodeAt(at) : 0) - (at < b.length ? b.charCodeAt(at) : 0);
}

/** Order of two names before protocol 29, and within a component. */
export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Finds a name in a sorted, cleaned list (flist_find_name). `want`: 1 a directory, 0 a non-directory, -1 either, with
 * a directory preferred last. Returns the row or -1.
 */
export function findRow(list: FileList, path: string, want: -1 | 0 | 1, version: number): number {
  const slash = path.lastIndexOf("/");
  const dir = slash < 0 ? "" : slash === 0 ? "/" : path.slice(0, slash);
  const base = path.slice(slash + 1);
  const row = search(list, list.active, list.low, list.high, dir, base, want === 1, version);
  if (row >= 0 || want !== -1) return row;
  return search(list, list.active, list.low, list.high, dir, base, true, version);
}

/** Binary search over rows low..high, or over the active ones among them when `active` lists them. */
export function search(
  list: FileList, active: Uint32Array | null, low: number, high: number, dir: string, base: string, isDir: boolean,
  version: number,
): number {
  const target = targetOf(dir, base, isDir);
  let from = active === null ? low : 0;
  let to = active === null ? high : active.length - 1;
  while (from <= to) {
    const middle = (from + to) >> 1;
    const row = active === null ? middle : active[middle];
    const difference = compareToRow(target, list, row, version);
    if (difference === 0) return version < DIR_ORDER_VERSION && list.isDir(row) !== isDir ? -1 : row;
    if (difference > 0) from = middle + 1;
    else to = middle - 1;
  }
  return -1;
}

/** True when row i's path lies below, or is, the directory `dirRow` of the same list (f_name_has_prefix). */
export function hasPrefix(list: FileList, i: number, dirRow: number): boolean {
  const dir = list.path(dirRow);
  const path = list.path(i);
  return path === dir || path.startsWith(dir + "/");
}

/** Is the row's name the one that a directory has in itself? */
export function isDot(list: FileList, row: number): boolean {
  return list.nameLength[row] === 1 && list.memory.u8[list.namePtr[row]] === DOT;
}

/** Depth of a row: 1 at the top, 0 for a "." at the top (upstream F_DEPTH). */
export function rowDepth(list: FileList, row: number): number {
  const dir = list.dirname(row);
  let depth = 1;
  if (dir !== "") {
    depth = 2;
    for (let i = 0; i < dir.length; i++) if (dir.charCodeAt(i) === SLASH) depth++;
    if (dir.charCodeAt(0) === SLASH) depth--;
  }
  return isDot(list, row) && list.isDir(row) ? depth - 1 : depth;
}
