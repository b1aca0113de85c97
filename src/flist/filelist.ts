/**
 * The flat file list: one FileList is one segment (the whole list without incremental recursion, else the contents of
 * one directory). A row is a file entry; there is no object per file.
 *
 * Numbers live in typed arrays (columns), basenames as NUL-terminated bytes in a linear-memory arena so that libc can
 * take them by address. Directory names are interned in a DirNames table shared by the segments of a session. Columns
 * that only some options need are null until `want` makes them. Rows are permuted in place by sorting, so row i is
 * also the i-th entry in order afterwards: ndx = ndxStart + i. With --iconv the two ends have other names and so an
 * order of their own: rows keep the numbers they travelled with, and `order` says in which order they stand.
 */
import { type LinearMemory } from "../memory.ts";
import { type Columns, columnsOf, dropColumns, growColumns, makeColumns, type SpareColumns } from "./columns.ts";
import { type RowScratch } from "./rowscratch.ts";

const FIRST_ROWS = 32;
/** From here on a list doubles; below, it grows faster. */
const MANY_ROWS = 1024;
/** What upstream takes at once for each row (flist.c:flist_expand), which is what --max-alloc is compared with. */
const UPSTREAM_BYTES = 8;
const FIRST_CHUNK = 4096;
const MAX_CHUNK = 1 << 20;

/** Interned directory paths ("" for the transfer root). Index 0 is "". */
export class DirNames {
  /** Path of each index. */
  readonly names: string[] = [""];
  private readonly index = new Map<string, number>([["", 0]]);

  /** The index of a path, added when new. */
  intern(path: string): number {
    let id = this.index.get(path);
    if (id === undefined) {
      id = this.names.push(path) - 1;
      this.index.set(path, id);
    }
    return id;
  }

  /** The index of a known path, or -1. */
  find(path: string): number {
    return this.index.get(path) ?? -1;
  }
}

/** Columns that exist only when an option asks for them. */
export type ExtraColumn =
  | "atime" | "atimeNsec" | "crtime" | "rdevMajor" | "rdevMinor" | "linkTarget" | "linkLength" | "checksum"
  | "hlink" | "devLo" | "devHi" | "inoLo" | "inoHi" | "aclNdx" | "defAclNdx" | "xattrNdx" | "dirNdx" | "pathRoot"
  | "unsortNdx"
  | "hlinkPrev" | "relNames" | "sentMode";

/** A segment's rows, its arena and its place in the chain of segments. */
export class FileList {
  readonly memory: LinearMemory;
  readonly dirs: DirNames;
  /** Number of rows. */
  used = 0;
  /** ndx of row 0, upstream flist->ndx_start. */
  ndxStart = 0;
  /** ndx of the directory whose contents this segment holds, in the dir flist; -1 for the first. */
  parentNdx = -1;
  /** Rows in order, where sorting left them in place; null: they stand in order. Upstream flist->sorted. */
  order: Uint32Array | null = null;
  /** First and last place that holds an active row (duplicates and emptied rows outside), upstream low/high. */
  low = 0;
  high = -1;
  /** Position in the chain of segments, upstream flist_num. */
  flistNum = 0;
  /** The segment received or built after this one; null while there is none. */
  next: FileList | null = null;
  /** Generator's counts of rows under way and of rows to redo (upstream in_progress, to_redo). */
  inProgress = 0;
  toRedo = 0;
  /** The active rows in order when they are not simply low..high. */
  active: Uint32Array | null = null;

  /** Address and length of the NUL-terminated basename; length 0 marks a cleared (duplicate) row. */
  namePtr!: Uint32Array;
  nameLength!: Uint16Array;
  /** Index in `dirs`. */
  dir!: Int32Array;
  mode!: Uint32Array;
  /** Bytes; exact up to 2^53. */
  size!: Float64Array;
  /** Seconds since the epoch, signed. */
  mtime!: Float64Array;
  mtimeNsec!: Uint32Array;
  uid!: Uint32Array;
  gid!: Uint32Array;
  /** FLAG_* bits, upstream rsync.h. */
  flags!: Uint32Array;
  /** Optional columns; see ExtraColumn. `checksum` and `linkTarget` hold addresses in the arena. */
  extra: Partial<Record<ExtraColumn, Float64Array | Uint32Array | Int32Array>> = {};

  private columns!: Columns;
  /** Rows that the list may have before it grows. Optional columns, which lie in the heap, have room for no more. */
  private room = 0;
  private readonly spares: SpareColumns;
  private chunks: number[] = [];
  private chunkPos = 0;
  private chunkEnd = 0;
  private nextChunk = FIRST_CHUNK;

  constructor(memory: LinearMemory, dirs: DirNames, spares: SpareColumns = []) {
    this.memory = memory;
    this.dirs = dirs;
    this.spares = spares;
    this.useColumns(spares.pop() ?? makeColumns(FIRST_ROWS));
    this.room = this.columns.capacity;
  }

  /** Reserves arena bytes that live as long as the segment. */
  arena(byteLength: number): number {
    if (this.chunkPos + byteLength > this.chunkEnd) this.addChunk(byteLength);
    const ptr = this.chunkPos;
    this.chunkPos += byteLength;
    return ptr;
  }

  /** Frees the arena; the list must not be used afterwards. */
  release(): void {
    for (const chunk of this.chunks) this.memory.release(chunk);
    this.chunks = [];
    dropColumns(this.memory, this.columns, this.spares);
    this.useColumns(NO_COLUMNS);
    this.room = 0;
    this.used = 0;
  }

  /** Adds an empty row and returns its number. */
  addRow(): number {
    if (this.used === this.room) this.growRows();
    return this.used++;
  }

  /** The row in a place of the order. */
  rowAt(place: number): number {
    return this.order === null ? place : this.order[place];
  }

  /** A row's place in the order. */
  placeOf(row: number): number {
    return this.order === null ? row : this.order.indexOf(row);
  }

  /** The first active row in order. */
  get firstRow(): number {
    return this.rowAt(this.low);
  }

  /** The row's basename as a name string. */
  basename(row: number): string {
    return this.memory.readLatin1(this.namePtr[row], this.nameLength[row]);
  }

  /** The row's directory as a name string, "" at the root. */
  dirname(row: number): string {
    return this.dirs.names[this.dir[row]];
  }

  /** The row's path relative to the transfer root, upstream f_name. */
  path(row: number): string {
    const dir = this.dirs.names[this.dir[row]];
    const name = this.basename(row);
    return dir === "" ? name : dir === "/" ? "/" + name : dir + "/" + name;
  }

  /** False for a row that was cleared as a duplicate or pruned. */
  isActive(row: number): boolean {
    return this.nameLength[row] !== 0;
  }

  isDir(row: number): boolean {
    return (this.mode[row] & 0o170000) === 0o040000;
  }

  /** The row's symlink target as a name string; "" without one. */
  linkTarget(row: number): string {
    const ptr = this.extra.linkTarget?.[row] ?? 0;
    return ptr === 0 ? "" : this.memory.readLatin1(ptr, this.extra.linkLength![row]);
  }

  /** Empties a row, upstream clear_file: it keeps its ndx and counts for nothing else. */
  clear(row: number): void {
    this.nameLength[row] = 0;
    this.mode[row] = 0;
    this.size[row] = 0;
    this.mtime[row] = 0;
    this.flags[row] = 0;
  }

  /** Stores `byteLength` bytes at `at` of `bytes` as the row's symlink target. */
  setLinkTarget(row: number, bytes: Uint8Array, at: number, byteLength: number): void {
    const targets = this.want("linkTarget");
    const lengths = this.want("linkLength");
    const ptr = this.arena(byteLength + 1);
    const u8 = this.memory.u8;
    for (let i = 0; i < byteLength; i++) u8[ptr + i] = bytes[at + i];
    u8[ptr + byteLength] = 0;
    targets[row] = ptr;
    lengths[row] = byteLength;
  }

  /** Appends a copy of a row of another list that shares this one's DirNames, name included; returns its number. */
  copyRow(from: FileList, row: number): number {
    const to = this.addRow();
    this.setName(to, from.memory.u8, from.namePtr[row], from.namePtr[row] + from.nameLength[row]);
    this.dir[to] = from.dir[row];
    this.mode[to] = from.mode[row];
    this.size[to] = from.size[row];
    this.mtime[to] = from.mtime[row];
    this.mtimeNsec[to] = from.mtimeNsec[row];
    this.uid[to] = from.uid[row];
    this.gid[to] = from.gid[row];
    this.flags[to] = from.flags[row];
    for (const key of Object.keys(from.extra) as ExtraColumn[]) {
      if (!isArenaColumn(key)) this.want(key)[to] = from.extra[key]![row];
    }
    return to;
  }

  /** Stores bytes [start, end) of `bytes` as the row's basename. */
  setName(row: number, bytes: Uint8Array, start: number, end: number): void {
    const byteLength = end - start;
    const ptr = this.arena(byteLength + 1);
    const u8 = this.memory.u8;
    for (let i = 0; i < byteLength; i++) u8[ptr + i] = bytes[start + i];
    u8[ptr + byteLength] = 0;
    this.namePtr[row] = ptr;
    this.nameLength[row] = byteLength;
  }

  /** The optional column, made on first use. */
  want(column: ExtraColumn): Float64Array | Uint32Array | Int32Array {
    return (this.extra[column] ??= newColumn(column, this.room));
  }

  /** Reorders all rows: new row i is old row order[i]; `order` may be shorter than `used` and then drops rows. */
  permute(order: Uint32Array, scratch: RowScratch): void {
    const count = order.length;
    if (count === this.used && isReversal(order)) return this.reverse();
    // A double holds every column's values exactly, so one copy of a column at a time is all the room it takes.
    const copy = scratch.float64(this.used);
    const columns = [...columnsOf(this.columns), ...Object.values(this.extra)];
    for (const column of columns) {
      copy.set(column.subarray(0, copy.length));
      for (let i = 0; i < count; i++) column[i] = copy[order[i]];
    }
    this.used = count;
  }

  private reverse(): void {
    for (const column of columnsOf(this.columns)) column.subarray(0, this.used).reverse();
    for (const column of Object.values(this.extra)) column.subarray(0, this.used).reverse();
  }

  private growRows(): void {
    const room = this.room * (this.room < MANY_ROWS ? 4 : 2);
    this.memory.checkAlloc(room * UPSTREAM_BYTES);
    if (room > this.columns.capacity) this.useColumns(growColumns(this.memory, this.columns, room));
    this.room = room;
    for (const key of Object.keys(this.extra) as ExtraColumn[]) {
      const column = newColumn(key, room);
      column.set(this.extra[key]!);
      this.extra[key] = column;
    }
  }

  private useColumns(columns: Columns): void {
    this.columns = columns;
    this.size = columns.size;
    this.mtime = columns.mtime;
    this.namePtr = columns.namePtr;
    this.dir = columns.dir;
    this.mode = columns.mode;
    this.mtimeNsec = columns.mtimeNsec;
    this.uid = columns.uid;
    this.gid = columns.gid;
    this.flags = columns.flags;
    this.nameLength = columns.nameLength;
  }

  private addChunk(least: number): void {
    const byteLength = Math.max(least, this.nextChunk);
    this.nextChunk = Math.min(MAX_CHUNK, this.nextChunk * 2);
    const ptr = this.memory.alloc(byteLength);
    this.chunks.push(ptr);
    this.chunkPos = ptr;
    this.chunkEnd = ptr + byteLength;
  }
}

function isReversal(order: Uint32Array): boolean {
  for (let i = 0; i < order.length; i++) if (order[i] !== order.length - 1 - i) return false;
  return true;
}

/** What a released list has: nothing of what now belongs to another one. */
const NO_COLUMNS = makeColumns(0);

/** Columns whose values are addresses in the segment's own arena. */
function isArenaColumn(column: ExtraColumn): boolean {
  return column === "linkTarget" || column === "linkLength" || column === "checksum";
}

function newColumn(column: ExtraColumn, capacity: number): Float64Array | Uint32Array | Int32Array {
  if (column === "atime" || column === "crtime") return new Float64Array(capacity);
  if (column === "hlink" || column === "hlinkPrev" || column === "relNames" || column.endsWith("Ndx")) {
    return new Int32Array(capacity).fill(-1);
  }
  return new Uint32Array(capacity);
}
