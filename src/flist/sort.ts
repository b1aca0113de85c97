/**
 * Sorts file lists (upstream flist.c: fsort). The modern order is built as a tree: rows grouped by directory, each
 * group merge-sorted over numeric prefix keys, so 100,000 names are ordered without making a string for any of them.
 */
import { type FileList } from "./filelist.ts";
import { compareBytes, DIR_ORDER_VERSION } from "./nameorder.ts";
import { RowScratch } from "./rowscratch.ts";

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
  try {
    const order = identity(scratch, list.used);
    const moves = version >= DIR_ORDER_VERSION ? modernOrder(list, order, scratch) : plainOrder(list, order);
    if (inPlace) list.order = order.slice();
    else if (moves) list.permute(order, scratch);
  } finally {
    scratch.release();
  }
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
