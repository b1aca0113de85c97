/** Removes or marks the names that a list has twice (upstream flist.c: flist_sort_and_clean). */
import { FileFlag } from "../protocol/constants.ts";
import { type FileList } from "./filelist.ts";
import { compareRows, DIR_ORDER_VERSION, isDot, rowDepth, search } from "./nameorder.ts";
import { RowScratch } from "./rowscratch.ts";
import { sortList } from "./sort.ts";

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
  if (!o.amSender || o.incRecurse) resolveTwins(list, o);
  if (o.stripRoot) stripRoot(list);
  if (o.pruneEmptyDirs && !o.amSender) pruneEmptyDirs(list, o.isExcludedDir ?? (() => false));
  noteActive(list);
}

function resolveTwins(list: FileList, o: CleanOptions): void {
  const scratch = new RowScratch(list.memory);
  try {
    new Cleaner(list, o, scratch.uint32(list.used)).run();
  } finally {
    scratch.release();
  }
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
