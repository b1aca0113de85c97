/**
 * Hard links in the file list (upstream hlink.c).
 *
 * The sender names a group by the ndx of its first file (protocol 30 on) or by device and inode (before). The
 * generator chains the rows of a group inside each segment from last to first, remembers finished groups by path once
 * their segment may be gone, and lets followers wait for a leader that is being transferred. This file keeps those
 * books; the generator makes the links.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { FileFlag } from "../protocol/constants.ts";
import type { FileList } from "./filelist.ts";
import type { SegmentView } from "./segments.ts";

const { hlinked, hlinkFirst: FIRST, hlinkLast: LAST, hlinkDone: DONE, skipHlink, fileSent } = FileFlag;

/** Numbers by device and inode (hlink.c:idev_find). */
export class IdevTable {
  private readonly devices = new Map<number | string, Map<number | string, number>>();
  /** Told of a device that is new here. */
  private readonly onDevice: ((devLo: number, devHi: number) => void) | null;

  constructor(onDevice: ((devLo: number, devHi: number) => void) | null = null) {
    this.onDevice = onDevice;
  }

  /** The number stored for an inode, or -1 after storing `whenNew` for it. */
  findOrAdd(devLo: number, devHi: number, inoLo: number, inoHi: number, whenNew: number): number {
    const dev = idKey(devLo, devHi);
    let inodes = this.devices.get(dev);
    if (inodes === undefined) {
      this.devices.set(dev, (inodes = new Map()));
      this.onDevice?.(devLo, devHi);
    }
    const ino = idKey(inoLo, inoHi);
    const known = inodes.get(ino);
    if (known !== undefined) return known;
    inodes.set(ino, whenNew);
    return -1;
  }

  clear(): void {
    this.devices.clear();
  }
}

/** A 64-bit number as a map key: a number where it is exact, else text. */
function idKey(lo: number, hi: number): number | string {
  return hi < 0x200000 ? hi * 4294967296 + lo : `${hi}:${lo}`;
}

/** A row together with its segment and ndx. */
export interface LinkRow {
  readonly list: FileList;
  readonly row: number;
  readonly ndx: number;
}

/** What the generator does with a follower. */
export type LinkDecision =
  /** Treat it as the first of its group. */
  | { readonly kind: "process" }
  /** Its leader is being transferred: leave it, `finish` will return it. */
  | { readonly kind: "wait" }
  /** Link it to a finished file: `path` is relative to the destination; `leader` is null when its row is gone. */
  | { readonly kind: "link"; readonly path: string; readonly leader: LinkRow | null; readonly altDest: number };

/** What is known of a group across segments: the path of a finished file, or the last ndx seen. */
interface Prior {
  path: string | null;
  lastNdx: number;
}

/** The generator's books on hard links. */
export class HardLinks {
  private readonly view: SegmentView;
  private readonly incRecurse: boolean;
  /** Told of decisions, for --debug=hlink2; null when nobody asks. */
  trace: ((text: string) => void) | null = null;
  /** Groups by number (upstream prior_hlinks). Only with incremental recursion. */
  private readonly priors = new Map<number, Prior>();

  constructor(view: SegmentView, incRecurse: boolean) {
    this.view = view;
    this.incRecurse = incRecurse;
  }

  /** Chains the groups of a sorted segment (hlink.c:match_hard_links). */
  match(list: FileList): void {
    const gnums = list.extra.hlink;
    if (gnums === undefined) return;
    const rows: number[] = [];
    for (let place = 0; place < list.used; place++) {
      const row = list.rowAt(place);
      if ((list.flags[row] & hlinked) !== 0) rows.push(row);
    }
    rows.sort((a, b) => gnums[a] - gnums[b]);
    list.want("hlinkPrev");
    for (let from = 0; from < rows.length;) {
      let to = from + 1;
      while (to < rows.length && gnums[rows[to]] === gnums[rows[from]]) to++;
      this.matchGroup(list, rows.slice(from, to), gnums[rows[from]]);
      from = to;
    }
  }

  /** Chains one group's rows of this segment onto what came before (hlink.c:match_gnums). */
  private matchGroup(list: FileList, rows: readonly number[], gnum: number): void {
    const { flags } = list;
    const prior = this.incRecurse ? this.priorOf(list, gnum) : null;
    let previous = prior === null || prior.path !== null ? -1 : this.continueChain(prior);
    if (prior === null || (prior.path === null && previous < 0)) flags[rows[0]] |= FIRST;
    for (const row of rows.slice(0, -1)) {
      this.setPrevious(list, row, previous);
      previous = row + list.ndxStart;
    }
    const last = rows[rows.length - 1];
    if (previous < 0 && !this.incRecurse) {
      // A group of one: not a link at all, and DONE so that nothing waits for it.
      flags[last] = (flags[last] & ~(hlinked | FIRST)) | DONE;
      return;
    }
    flags[last] |= LAST;
    this.setPrevious(list, last, previous);
    if (prior !== null && prior.path === null) prior.lastNdx = last + list.ndxStart;
  }

  /** The record of a group, made when the group starts here. */
  private priorOf(list: FileList, gnum: number): Prior {
    let prior = this.priors.get(gnum);
    if (prior === undefined) {
      if (gnum < list.ndxStart) {
        const text = `hard-link gnum ${gnum} precedes flist start ${list.ndxStart}`;
        throw new ProtocolError("flist-hlink-ndx", text, ExitCode.protocol);
      }
      prior = { path: null, lastNdx: -1 };
      this.priors.set(gnum, prior);
    }
    return prior;
  }

  /** The last row of the group so far, no longer the last; -1 when its segment is gone. */
  private continueChain(prior: Prior): number {
    const list = prior.lastNdx < 0 ? null : this.view.find(prior.lastNdx);
    if (list === null) return -1;
    list.flags[prior.lastNdx - list.ndxStart] &= ~LAST;
    return prior.lastNdx;
  }

  private previousOf(list: FileList, row: number): number {
    return list.extra.hlinkPrev?.[row] ?? -1;
  }

  private setPrevious(list: FileList, row: number, ndx: number): void {
    list.want("hlinkPrev")[row] = ndx;
  }

  private rowAt(ndx: number): LinkRow | null {
    const list = ndx < 0 ? null : this.view.find(ndx);
    return list === null || ndx < list.ndxStart ? null : { list, row: ndx - list.ndxStart, ndx };
  }

  /** The nearest earlier row of the group that was not skipped, a finished path, or null (hlink.c:check_prior). */
  private prior(list: FileList, row: number): LinkRow | string | null {
    for (let at = this.rowAt(this.previousOf(list, row)); at !== null; at = this.rowAt(this.previousOf(list, row))) {
      if ((at.list.flags[at.row] & skipHlink) === 0) return at;
      this.setPrevious(list, row, this.previousOf(at.list, at.row));
    }
    if (!this.incRecurse) return null;
    const prior = this.priors.get(list.extra.hlink![row]);
    if (prior === undefined) return null;
    if (prior.path !== null) return prior.path;
    this.setPrevious(list, row, -1);
    return null;
  }

  /**
   * Decides about a follower, a row with FileFlag.hlinked and without hlinkFirst (first half of hlink.c:
   * hard_link_check). A "wait" has been entered into the books when this returns.
   */
  check(list: FileList, row: number): LinkDecision {
    const found = this.prior(list, row);
    if (found === null) return this.decide(list, row, "virtual first", { kind: "process" });
    if (typeof found === "string") return this.linkToPath(list, row, found);
    const flags = found.list.flags[found.row];
    if ((flags & DONE) === 0) return this.awaitLeader(list, row, found, flags);
    if ((flags & FIRST) !== 0) return this.linkTo(list, row, found);
    // The one before is itself linked to the first that got done.
    const leader = this.prior(found.list, found.row);
    if (leader === null) return { kind: "process" };
    if (typeof leader === "string") return this.linkToPath(list, row, leader);
    this.setPrevious(list, row, leader.ndx);
    return this.linkTo(list, row, leader);
  }

  /** Tells of a decision and returns it. */
  private decide(list: FileList, row: number, text: string, decision: LinkDecision): LinkDecision {
    const gnum = this.incRecurse ? list.extra.hlink![row] : -1;
    this.trace?.(`hlink for ${row + list.ndxStart} (${list.path(row)},${gnum}): ${text}`);
    return decision;
  }

  private linkToPath(list: FileList, row: number, path: string): LinkDecision {
    return this.decide(list, row, `leader is -1 (${path})`, { kind: "link", path, leader: null, altDest: -1 });
  }

  private linkTo(list: FileList, row: number, leader: LinkRow): LinkDecision {
    const path = leader.list.path(leader.row);
    const altDest = this.previousOf(leader.list, leader.row);
    const decision: LinkDecision = { kind: "link", path, leader, altDest };
    this.decide(list, row, `found flist match (alt ${altDest})`, decision);
    return this.decide(list, row, `leader is ${leader.ndx} (${path})`, decision);
  }

  /** Puts a follower into the chain behind a leader under way; without one it becomes a leader itself. */
  private awaitLeader(list: FileList, row: number, leader: LinkRow, leaderFlags: number): LinkDecision {
    if ((leaderFlags & fileSent) === 0) return this.decide(list, row, "looking for a leader", { kind: "process" });
    this.setPrevious(list, row, this.previousOf(leader.list, leader.row));
    this.setPrevious(leader.list, leader.row, row + list.ndxStart);
    list.flags[row] |= fileSent;
    (this.view.current ?? list).inProgress++;
    return this.decide(list, row, `waiting for ${this.previousOf(list, row)}`, { kind: "wait" });
  }

  /**
   * Notes that a row of a group is complete under `path` and returns the rows that waited for it (hlink.c:
   * finish_hard_link); the caller links each to `path` and lowers its list's inProgress. `altDest`: index of the
   * basis directory the file was found in, or -1. `recorded`: the path later segments link to, when not `path`.
   */
  finish(list: FileList, row: number, ndx: number, path: string, altDest: number, recorded: string = path): LinkRow[] {
    let next = this.previousOf(list, row);
    list.flags[row] |= FIRST | DONE;
    this.setPrevious(list, row, altDest);
    const waiting: LinkRow[] = [];
    while (next >= 0) {
      const follower = this.rowAt(next);
      if (follower === null) throw new ProtocolError("ndx", `File-list index ${next} is gone (finish_hard_link)`);
      const { list: other, row: otherRow } = follower;
      other.flags[otherRow] = (other.flags[otherRow] & ~FIRST) | DONE;
      next = this.previousOf(other, otherRow);
      this.setPrevious(other, otherRow, ndx);
      waiting.push(follower);
    }
    const prior = this.incRecurse ? this.priors.get(list.extra.hlink![row]) : undefined;
    if (prior !== undefined) prior.path = recorded;
    return waiting;
  }

  /**
   * Notes that a row of a group is left out (hlink.c:skip_hard_link). Returns the row that now has to be handled as
   * the group's last, or null.
   */
  skip(list: FileList, row: number): LinkRow | null {
    list.flags[row] |= skipHlink;
    if ((list.flags[row] & LAST) === 0) return null;
    const found = this.prior(list, row);
    if (found === null || typeof found === "string") return null;
    if ((found.list.flags[found.row] & (DONE | fileSent)) !== 0) return null;
    found.list.flags[found.row] |= LAST;
    return found;
  }
}
