/**
 * The chain of file-list segments of one side, and the numbers that address their rows (upstream flist.c: flist_new,
 * flist_free, add_dirs_to_tree; rsync.c: flist_for_ndx).
 *
 * Without incremental recursion there is one segment, numbered from 0. With it the first starts at 1, each segment
 * leaves a gap of one before the next, and the number in the gap (ndxStart - 1) stands for the directory whose contents
 * the segment holds. Directories live on in `dirList` after their segment is gone.
 *
 * Generator and receiver share one chain here, but each walks and frees it at its own pace: a role has a SegmentView,
 * and a segment's memory goes when every view has freed it.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import type { LinearMemory } from "../memory.ts";
import { type SpareColumns } from "./columns.ts";
import { DirNames, FileList } from "./filelist.ts";

/** All segments of one side of a conversation. */
export class Segments {
  readonly memory: LinearMemory;
  readonly incRecurse: boolean;
  readonly dirs = new DirNames();
  /** With incRecurse: every directory met, in order of appearance, sorted within its segment (upstream dir_flist). */
  readonly dirList: FileList;
  readonly tree = new DirTree();
  /** No segment will follow (upstream flist_eof). */
  eof = false;
  /** The newest segment, null before the first. */
  last: FileList | null = null;
  /** Called with each segment as it joins the others. */
  onPublish: (list: FileList) => void = () => {};
  private readonly views: SegmentView[] = [];
  private readonly spares: SpareColumns = [];
  /** Segments that some view still holds, with the number of views that have freed them. */
  private readonly freedBy = new Map<FileList, number>();

  constructor(memory: LinearMemory, incRecurse: boolean) {
    this.memory = memory;
    this.incRecurse = incRecurse;
    this.dirList = new FileList(memory, this.dirs);
  }

  /** A role's own position in the chain. Made before the first segment. */
  view(): SegmentView {
    const view = new SegmentView(this);
    this.views.push(view);
    return view;
  }

  /** The highest ndx there is, or -1 without a list. */
  get lastNdx(): number {
    const { last } = this;
    return last === null ? -1 : last.ndxStart + last.used - 1;
  }

  /** Starts a segment behind the last one. Its rows are counted by `publish` when it is complete. */
  create(): FileList {
    const list = new FileList(this.memory, this.dirs, this.spares);
    const { last } = this;
    list.ndxStart = last === null ? (this.incRecurse ? 1 : 0) : last.ndxStart + last.used + 1;
    list.flistNum = last === null ? list.ndxStart : last.flistNum + 1;
    return list;
  }

  /** Makes a complete segment part of the chain, visible to every view. */
  publish(list: FileList): void {
    if (this.last !== null) this.last.next = list;
    this.last = list;
    this.freedBy.set(list, 0);
    for (const view of this.views) view.added(list);
    this.onPublish(list);
  }

  /** Frees everything at the end of a session. */
  release(): void {
    for (const list of this.freedBy.keys()) list.release();
    this.freedBy.clear();
    this.dirList.release();
  }

  /** Adds bits to a row's flags, in the directory list too when the row is a directory of it. */
  orFlags(list: FileList, row: number, bits: number): void {
    list.flags[row] |= bits;
    const dirNdx = list.extra.dirNdx?.[row] ?? -1;
    if (dirNdx >= 0) this.dirList.flags[dirNdx] |= bits;
  }

  /** A row's flags, for a directory those in the directory list: there the generator has its last look at it. */
  flagsOf(list: FileList, row: number): number {
    const dirNdx = list.extra.dirNdx?.[row] ?? -1;
    return dirNdx >= 0 ? this.dirList.flags[dirNdx] : list.flags[row];
  }

  /**
   * Adds a sorted segment's directories to the directory list, and to the tree below `parent` (-1: at the top). Returns
   * the first, or -1 when there are none.
   */
  linkDirs(list: FileList, parent: number): number {
    const { dirList, tree } = this;
    const linked: number[] = [];
    for (let row = 0; row < list.used; row++) {
      if (list.isDir(row)) list.want("dirNdx")[row] = dirList.copyRow(list, row);
    }
    for (let place = 0; place < list.used; place++) {
      const row = list.rowAt(place);
      if (list.isDir(row) && list.basename(row) !== ".") linked.push(list.extra.dirNdx![row]);
    }
    return tree.link(parent, linked);
  }

  /** Called by a view that has freed a segment. */
  freed(list: FileList): void {
    const count = (this.freedBy.get(list) ?? 0) + 1;
    if (count < this.views.length) {
      this.freedBy.set(list, count);
      return;
    }
    this.freedBy.delete(list);
    list.release();
  }
}

/** One role's walk along the chain: its oldest segment, its current one, and counts of rows. */
export class SegmentView {
  /** Oldest segment not freed, null before the first and after the last. Upstream first_flist. */
  first: FileList | null = null;
  /** The segment being worked on. Upstream cur_flist. */
  current: FileList | null = null;
  /** Rows in all segments not freed. Upstream file_total. */
  total = 0;
  /** Rows in segments up to and including the current one. Upstream file_old_total. */
  oldTotal = 0;
  private readonly segments: Segments;

  constructor(segments: Segments) {
    this.segments = segments;
  }

  /** A segment joined the chain. */
  added(list: FileList): void {
    if (this.first === null) {
      this.first = this.current = list;
      this.oldTotal = list.used;
    }
    this.total += list.used;
  }

  /** The segment that holds an ndx, or whose directory it stands for; null when no live one does. */
  find(ndx: number): FileList | null {
    const { first, current } = this;
    if (first === null || !Number.isInteger(ndx)) return null;
    let list: FileList | null = current !== null && ndx >= current.ndxStart - 1 ? current : first;
    if (ndx < list.ndxStart - 1) return null;
    while (list !== null && ndx >= list.ndxStart + list.used) list = list.next;
    return list;
  }

  /** As `find`, for an ndx that must exist. Throws ProtocolError 2, label `ndx`; `where` names the asking function. */
  forNdx(ndx: number, where: string): FileList {
    const list = this.find(ndx);
    if (list !== null) return list;
    const low = this.first === null ? 0 : this.first.ndxStart - 1;
    const high = this.first === null ? -1 : this.segments.last!.ndxStart + this.segments.last!.used - 1;
    throw new ProtocolError("ndx", `File-list index ${ndx} not in ${low} - ${high} (${where})`, ExitCode.protocol);
  }

  /** As `forNdx`, and makes the segment the current one (rsync.c:read_ndx_and_attrs). */
  select(ndx: number, where: string): FileList {
    const list = this.forNdx(ndx, where);
    if (list !== this.current) {
      this.current = list;
      this.oldTotal = list.used;
      for (let at = this.first!; at !== list; at = at.next!) this.oldTotal += at.used;
    }
    return list;
  }

  /** Moves to the next segment; false when there is none (yet). */
  advance(): boolean {
    const next = this.current?.next ?? null;
    if (next === null) return false;
    this.current = next;
    this.oldTotal += next.used;
    return true;
  }

  /** Frees the oldest segment (flist.c:flist_free). */
  freeFirst(): void {
    const list = this.first;
    if (list === null) return;
    this.first = list.next;
    this.total -= list.used;
    this.oldTotal -= list.used;
    if (this.first === null) {
      this.current = null;
      this.total = this.oldTotal = 0;
    } else if (this.current === list) {
      this.current = this.first;
      this.oldTotal = this.first.used;
    }
    this.segments.freed(list);
  }
}

/** The directory tree that an incremental sender walks: links between rows of the directory list, -1 for none. */
export class DirTree {
  private parents = new Int32Array(16);
  private firstChildren = new Int32Array(16);
  private nextSiblings = new Int32Array(16);

  parent(ndx: number): number {
    return this.parents[ndx];
  }

  firstChild(ndx: number): number {
    return this.firstChildren[ndx];
  }

  nextSibling(ndx: number): number {
    return this.nextSiblings[ndx];
  }

  /**
   * Links a sorted run of sibling directories below `parent` (-1: the top) and returns the first, or -1 when the run is
   * empty. Upstream flist.c:add_dirs_to_tree.
   */
  link(parent: number, ndxs: readonly number[]): number {
    let previous = -1;
    for (const ndx of ndxs) {
      this.grow(ndx);
      this.parents[ndx] = parent;
      this.firstChildren[ndx] = -1;
      this.nextSiblings[ndx] = -1;
      if (previous >= 0) this.nextSiblings[previous] = ndx;
      else if (parent >= 0) this.firstChildren[parent] = ndx;
      previous = ndx;
    }
    return ndxs.length > 0 ? ndxs[0] : -1;
  }

  private grow(ndx: number): void {
    if (ndx < this.parents.length) return;
    const capacity = Math.max(ndx + 1, this.parents.length * 2);
    const grown = (column: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const out = new Int32Array(capacity);
      out.set(column);
      return out;
    };
    this.parents = grown(this.parents);
    this.firstChildren = grown(this.firstChildren);
    this.nextSiblings = grown(this.nextSiblings);
  }
}
