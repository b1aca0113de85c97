/**
 * The order of file lists and the cleaning of duplicates (upstream flist.c: f_name_cmp, fsort, flist_sort_and_clean,
 * flist_find_name).
 *
 * Since protocol 29 a directory compares with a trailing slash, after every non-directory of its parent, and "." comes
 * first; before, names compare as plain strings. Both ends must agree to the byte, since rows are addressed by number.
 * The modern order is built as a tree: rows grouped by directory, each group merge-sorted over numeric prefix keys,
 * so 100,000 names are ordered without making a string for any of them.
 */
import { FileFlag } from "../protocol/constants.ts";
import { type FileList } from "./filelist.ts";
import { RowScratch } from "./rowscratch.ts";

/** First protocol with the directory-aware order. */
const DIR_ORDER_VERSION = 29;
const DOT = 0x2e;
const SLASH = 0x2f;

/** Length in bytes of the prefix packed into one exact double beside the directory bit. */
const PREFIX_BYTES = 6;
const DIR_BIT = 2 ** 48;

/**
 * Sorts the list's rows into wire order for a protocol version. Stable, so duplicates keep their order. `inPlace`: rows
 * keep their numbers, and the order is noted beside them.
 */
export function sortList(list: FileList, version: number, inPlace = false): void {
  if (list.used < 2 && !inPlace) return;
  const scratch = new RowScratch(list.memory);
  const order = identity(scratch, list.used);
  const moves = version >= DIR_ORDER_VERSION ? modernOrder(list, order, scratch) : plainOrder(list, order);
  if (inPlace) list.order = order.slice();
  else if (moves) list.permute(order, scratch);
  scratch.release();
}

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

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Order before protocol 29: whole paths as byte strings. Always true. */
function plainOrder(list: FileList, order: Uint32Array): boolean {
  const paths: string[] = [];
  for (let row = 0; row < list.used; row++) paths.push(list.path(row));
  order.sort((i, j) => compareBytes(paths[i], paths[j]) || i - j);
  return true;
}

function identity(scratch: RowScratch, count: number): Uint32Array {
  const order = scratch.uint32(count);
  for (let i = 0; i < count; i++) order[i] = i;
  return order;
}

/** Modern order, into `order`, which counts the rows; false when they already stand in it. */
function modernOrder(list: FileList, order: Uint32Array, scratch: RowScratch): boolean {
  const sorter = new GroupSorter(list, scratch);
  if (sameDirectory(list)) sorter.sort(order, 0, order.length);
  else new TreeOrder(list, sorter, scratch).fill(order);
  for (let i = 0; i < order.length; i++) if (order[i] !== i) return true;
  return false;
}

function sameDirectory(list: FileList): boolean {
  const { dir, used } = list;
  for (let row = 1; row < used; row++) if (dir[row] !== dir[0]) return false;
  return true;
}

/** Groups up to this size are sorted by insertion. */
const SMALL_GROUP = 16;

/**
 * Sorts rows of one directory by number. A row's key holds the directory bit and the six bytes of its name behind the
 * prefix that all names of the group share, a directory's closing slash among them; only equal keys need the bytes.
 */
class GroupSorter {
  private readonly list: FileList;
  private readonly u8: Uint8Array;
  private readonly keys: Float64Array;
  private readonly scratch: RowScratch;
  private merged: Uint32Array | null = null;
  /** Length of the prefix shared by the group being sorted. */
  private skip = 0;

  constructor(list: FileList, scratch: RowScratch) {
    this.list = list;
    this.u8 = list.memory.u8;
    this.scratch = scratch;
    this.keys = scratch.float64(list.used);
  }

  /** True for a row that was sorted as a directory other than ".". */
  isDirKey(row: number): boolean {
    return this.keys[row] >= DIR_BIT;
  }

  /** Sorts order[from, to), rows of one directory, stably. */
  sort(order: Uint32Array, from: number, to: number): void {
    this.skip = this.sharedPrefix(order, from, to);
    for (let i = from; i < to; i++) this.keys[order[i]] = this.keyOf(order[i]);
    if (to - from <= SMALL_GROUP) this.insertionSort(order, from, to);
    else if (this.isBackwards(order, from, to)) order.subarray(from, to).reverse();
    else this.mergeSort(order, from, to);
  }

  /** Does each row belong before the one in front of it? Some file systems list their newest names first. */
  private isBackwards(order: Uint32Array, from: number, to: number): boolean {
    for (let i = from + 1; i < to; i++) if (this.inOrder(order[i - 1], order[i])) return false;
    return true;
  }

  /** Bytes that all names of order[from, to) begin with. */
  private sharedPrefix(order: Uint32Array, from: number, to: number): number {
    const { u8 } = this;
    const { namePtr, nameLength } = this.list;
    const first = namePtr[order[from]];
    let shared = to > from ? nameLength[order[from]] : 0;
    for (let i = from + 1; i < to && shared > 0; i++) {
      const ptr = namePtr[order[i]];
      const most = Math.min(shared, nameLength[order[i]]);
      let at = 0;
      while (at < most && u8[ptr + at] === u8[first + at]) at++;
      shared = at;
    }
    return shared;
  }

  private keyOf(row: number): number {
    const { list, skip, u8 } = this;
    const ptr = list.namePtr[row];
    const length = list.nameLength[row];
    const isDir = list.isDir(row);
    if (isDir && length === 1 && u8[ptr] === DOT) return -1;
    let key = 0;
    for (let k = skip; k < skip + PREFIX_BYTES; k++) {
      key = key * 256 + (k < length ? u8[ptr + k] : isDir && k === length ? SLASH : 0);
    }
    return isDir ? key + DIR_BIT : key;
  }

  /** True when row `a` belongs before or beside row `b`. */
  private inOrder(a: number, b: number): boolean {
    const difference = this.keys[a] - this.keys[b];
    return difference !== 0 ? difference < 0 : this.bytesInOrder(a, b);
  }

  /** As `inOrder` for equal keys. */
  private bytesInOrder(a: number, b: number): boolean {
    const { list, u8 } = this;
    const ptrA = list.namePtr[a];
    const ptrB = list.namePtr[b];
    const lengthA = list.nameLength[a];
    const lengthB = list.nameLength[b];
    const shared = Math.min(lengthA, lengthB);
    for (let k = this.skip; k < shared; k++) {
      const difference = u8[ptrA + k] - u8[ptrB + k];
      if (difference !== 0) return difference < 0;
    }
    if (lengthA === lengthB) return true;
    const end = list.isDir(a) ? SLASH : 0;
    return lengthA < lengthB ? end <= u8[ptrB + shared] : u8[ptrA + shared] <= end;
  }

  private insertionSort(order: Uint32Array, from: number, to: number): void {
    for (let i = from + 1; i < to; i++) {
      const row = order[i];
      let j = i;
      while (j > from && !this.inOrder(order[j - 1], row)) order[j] = order[--j];
      order[j] = row;
    }
  }

  /** Bottom-up merge sort. */
  private mergeSort(order: Uint32Array, from: number, to: number): void {
    this.merged ??= this.scratch.uint32(this.list.used);
    let source = order;
    let target = this.merged;
    for (let width = 1; width < to - from; width *= 2) {
      for (let left = from; left < to; left += 2 * width) {
        const middle = Math.min(left + width, to);
        this.mergeRuns(source, target, left, middle, Math.min(middle + width, to));
      }
      [source, target] = [target, source];
    }
    if (source !== order) for (let i = from; i < to; i++) order[i] = source[i];
  }

  /** Merges the runs [left, middle) and [middle, right) of `source` into `target`. */
  private mergeRuns(source: Uint32Array, target: Uint32Array, left: number, middle: number, right: number): void {
    let i = left;
    let j = middle;
    let at = left;
    while (i < middle && j < right) target[at++] = this.inOrder(source[i], source[j]) ? source[i++] : source[j++];
    while (i < middle) target[at++] = source[i++];
    while (j < right) target[at++] = source[j++];
  }
}

/** A directory path that rows live in or below, with the place of its rows in the grouped order. */
interface TreeNode {
  readonly path: string;
  from: number;
  to: number;
  /** Child nodes by component name. */
  readonly children: Map<string, TreeNode>;
}

/** Orders rows of many directories: each directory's rows, every subdirectory's contents right behind its row. */
class TreeOrder {
  private readonly list: FileList;
  private readonly sorter: GroupSorter;
  private readonly root: TreeNode = newNode("");
  private readonly nodes = new Map<number, TreeNode>();
  private readonly grouped: Uint32Array;
  private at = 0;

  constructor(list: FileList, sorter: GroupSorter, scratch: RowScratch) {
    this.list = list;
    this.sorter = sorter;
    this.grouped = scratch.uint32(list.used);
    this.group();
  }

  fill(order: Uint32Array): void {
    this.at = 0;
    this.emit(this.root, order);
  }

  /** Puts rows of one directory side by side and sorts each group. */
  private group(): void {
    const { dir, used } = this.list;
    for (let row = 0; row < used; row++) this.nodeOf(dir[row]).to++;
    let at = 0;
    for (const node of this.nodes.values()) {
      node.from = at;
      at += node.to;
      node.to = node.from;
    }
    for (let row = 0; row < used; row++) this.grouped[this.nodes.get(dir[row])!.to++] = row;
    for (const node of this.nodes.values()) this.sorter.sort(this.grouped, node.from, node.to);
  }

  private nodeOf(dirId: number): TreeNode {
    let node = this.nodes.get(dirId);
    if (node === undefined) {
      node = this.makeNode(this.list.dirs.names[dirId]);
      this.nodes.set(dirId, node);
    }
    return node;
  }

  private makeNode(path: string): TreeNode {
    if (path === "") return this.root;
    let node = this.root;
    for (const name of path === "/" ? [""] : path.split("/")) {
      let child = node.children.get(name);
      if (child === undefined) {
        child = newNode(node === this.root ? name : node.path + "/" + name);
        node.children.set(name, child);
      }
      node = child;
    }
    return node;
  }

  /** Appends a node's non-directories, then its subdirectories, each followed by its contents. */
  private emit(node: TreeNode, order: Uint32Array): void {
    const { list, grouped, sorter } = this;
    let i = node.from;
    while (i < node.to && !sorter.isDirKey(grouped[i])) order[this.at++] = grouped[i++];
    if (node.children.size === 0) {
      while (i < node.to) order[this.at++] = grouped[i++];
      return;
    }
    const names = [...node.children.keys()].map((name) => ({ name, key: name + "/" }));
    names.sort((a, b) => compareBytes(a.key, b.key));
    for (const { name, key } of names) {
      while (i < node.to && list.basename(grouped[i]) + "/" <= key) order[this.at++] = grouped[i++];
      this.emit(node.children.get(name)!, order);
    }
    while (i < node.to) order[this.at++] = grouped[i++];
  }
}

function newNode(path: string): TreeNode {
  return { path, from: 0, to: 0, children: new Map() };
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
function search(
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

/** What cleaning has to know about the session. */
export interface CleanOptions {
  readonly version: number;
  readonly amSender: boolean;
  readonly incRecurse: boolean;
  /** --relative on the receiver: leading slashes go after sorting. */
  readonly stripRoot: boolean;
  readonly pruneEmptyDirs: boolean;
  /** Rows keep their numbers (--iconv). */
  readonly inPlace?: boolean;
  /** For --prune-empty-dirs: is this directory hidden by a filter (and therefore kept)? */
  readonly isExcludedDir?: (path: string) => boolean;
  /** Told of each name that was there twice and of the ndx that goes, for --debug=dup; null when nobody asks. */
  readonly dropped?: ((path: string, ndx: number) => void) | null;
}

/**
 * Sorts a list, then removes (receiver) or marks (incremental sender) duplicate names and sets `low`, `high` and
 * `active` (flist_sort_and_clean). A cleared row keeps its number.
 */
export function sortAndClean(list: FileList, o: CleanOptions): void {
  sortList(list, o.version, o.inPlace);
  cleanList(list, o);
}

/** The cleaning half of `sortAndClean`, for a list in order. */
export function cleanList(list: FileList, o: CleanOptions): void {
  list.low = 0;
  list.high = list.used - 1;
  list.active = null;
  if (list.used === 0) return;
  if (!o.amSender || o.incRecurse) {
    const scratch = new RowScratch(list.memory);
    new Cleaner(list, o, scratch.uint32(list.used)).run();
    scratch.release();
  }
  if (o.stripRoot) stripRoot(list);
  if (o.pruneEmptyDirs && !o.amSender) pruneEmptyDirs(list, o.isExcludedDir ?? (() => false));
  noteActive(list);
}

/** Walks a sorted list once and resolves duplicates; `kept` lists the rows that stay, in order. */
class Cleaner {
  private readonly list: FileList;
  private readonly o: CleanOptions;
  private readonly kept: Uint32Array;
  private keptCount = 0;

  constructor(list: FileList, o: CleanOptions, kept: Uint32Array) {
    this.list = list;
    this.o = o;
    this.kept = kept;
  }

  run(): void {
    const { list } = this;
    let previous = -1;
    let high = 0;
    for (let place = 0; place < list.used; place++) {
      const row = list.rowAt(place);
      if (!list.isActive(row)) continue;
      const twin = previous < 0 ? -1 : this.twinOf(row, previous);
      if (twin < 0 || this.resolve(twin, row)) {
        this.kept[this.keptCount++] = row;
        previous = row;
        high = place;
      }
    }
    this.setBounds(high);
  }

  /** The earlier row with this row's name, or -1. */
  private twinOf(row: number, previous: number): number {
    const { list, o } = this;
    if (sameName(list, row, previous, o.version)) return previous;
    if (o.version < DIR_ORDER_VERSION || !list.isDir(row)) return -1;
    // A directory sorts away from a non-directory of the same name, so that one has to be looked up.
    const dir = list.dirname(row);
    const rows = this.kept.subarray(0, this.keptCount);
    return search(list, rows, 0, 0, dir, list.basename(row), false, o.version);
  }

  /** Settles a pair; true when the later row stays as a row of its own. */
  private resolve(earlier: number, later: number): boolean {
    const { list, o } = this;
    const laterStays = list.isDir(later) && !list.isDir(earlier);
    if (list.isDir(later) && list.isDir(earlier)) this.mergeDirs(earlier, later);
    if (o.amSender) return laterStays;
    const gone = laterStays ? earlier : later;
    o.dropped?.(list.path(later), gone + list.ndxStart);
    list.clear(gone);
    return laterStays;
  }

  private mergeDirs(earlier: number, later: number): void {
    const { flags } = this.list;
    if (this.o.amSender) {
      flags[later] |= FileFlag.duplicate;
      return;
    }
    flags[earlier] |= flags[later] & (FileFlag.topDir | FileFlag.contentDir);
    if ((flags[later] & FileFlag.impliedDir) === 0) flags[earlier] &= ~FileFlag.impliedDir;
  }

  private setBounds(high: number): void {
    const { list } = this;
    let low = 0;
    while (low < list.used && !list.isActive(list.rowAt(low))) low++;
    list.low = low < list.used ? low : 0;
    list.high = high;
  }
}

/** True when two rows have the same wire order, i.e. the same name and, since protocol 29, the same kind. */
function sameName(list: FileList, a: number, b: number, version: number): boolean {
  // In two directories, only a directory's "." is the same as the directory among its siblings.
  const mayBe = version < DIR_ORDER_VERSION || isDot(list, a) || isDot(list, b);
  if (version < DIR_ORDER_VERSION || list.dir[a] !== list.dir[b]) {
    return mayBe && compareRows(list, a, list, b, version) === 0;
  }
  const length = list.nameLength[a];
  if (length !== list.nameLength[b] || list.isDir(a) !== list.isDir(b)) return false;
  const u8 = list.memory.u8;
  const ptrA = list.namePtr[a];
  const ptrB = list.namePtr[b];
  for (let k = 0; k < length; k++) if (u8[ptrA + k] !== u8[ptrB + k]) return false;
  return true;
}

function isDot(list: FileList, row: number): boolean {
  return list.nameLength[row] === 1 && list.memory.u8[list.namePtr[row]] === DOT;
}

/** Drops leading slashes of directory names, which --relative sends and only the order needs. */
function stripRoot(list: FileList): void {
  let last = -1;
  let stripped = 0;
  for (let place = list.low; place <= list.high; place++) {
    const row = list.rowAt(place);
    const id = list.dir[row];
    if (id !== last) {
      last = id;
      stripped = list.dirs.intern(list.dirs.names[id].replace(/^\/+/, ""));
    }
    list.dir[row] = stripped;
  }
}

/**
 * --prune-empty-dirs: clears directories that hold nothing but cleared directories, unless a filter hides them. The
 * root (depth 0) is never pruned. A chain of directories waits for the first entry inside it.
 */
function pruneEmptyDirs(list: FileList, isExcludedDir: (path: string) => boolean): void {
  const waiting: { row: number; depth: number }[] = [];
  for (let place = list.low; place <= list.high; place++) {
    const row = list.rowAt(place);
    const depth = list.isActive(row) ? rowDepth(list, row) : 1;
    if (!list.isActive(row) || !list.isDir(row) || depth === 0) {
      // A cleared row counts as content, as it does upstream.
      waiting.length = 0;
      continue;
    }
    while (waiting.length > 0 && waiting[waiting.length - 1].depth >= depth) list.clear(waiting.pop()!.row);
    if (isExcludedDir(list.path(row))) waiting.length = 0;
    else waiting.push({ row, depth });
  }
  for (const { row } of waiting) list.clear(row);
  while (list.low <= list.high && !list.isActive(list.rowAt(list.low))) list.low++;
  while (list.high >= list.low && !list.isActive(list.rowAt(list.high))) list.high--;
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

/** Lists the active rows when there are gaps or they stand elsewhere, so that loops and searches find them. */
function noteActive(list: FileList): void {
  let count = 0;
  for (let place = list.low; place <= list.high; place++) if (list.isActive(list.rowAt(place))) count++;
  if (count === list.high - list.low + 1 && list.order === null) return;
  const active = new Uint32Array(count);
  count = 0;
  for (let place = list.low; place <= list.high; place++) {
    const row = list.rowAt(place);
    if (list.isActive(row)) active[count++] = row;
  }
  list.active = active;
}
