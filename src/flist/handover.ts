/**
 * Segments that need not be decoded. In a local copy both sides are in this process, so that the receiver can copy the
 * rows of the sender's list where any other would take bytes apart, and sort them again. The bytes are sent all the
 * same, since they are what statistics count and what keeps the two sides in step; the receiver skips them.
 */
import { FileFlag } from "../protocol/constants.ts";
import type { FlistFields } from "../protocol/context.ts";
import type { FileList } from "./filelist.ts";
import { FileType } from "./makefile.ts";

const { topDir, contentDir, impliedDir, modNsec } = FileFlag;

/** A segment as its sender has it, sorted and not yet freed. */
export interface HandedSegment {
  readonly list: FileList;
  /** Length of its encoded form, the end included. */
  readonly byteLength: number;
  /** io_error bits that the end of the list carries. */
  readonly ioError: number;
}

/** Segments on their way, oldest first. */
export class ListHandover {
  /**
   * Every segment of this conversation is handed over: what its sender can do, said before the first byte of a list is
   * sent, and its receiver wants, said with the first.
   */
  isOpen = false;
  private readonly segments: HandedSegment[] = [];

  give(segment: HandedSegment): void {
    if (this.isOpen) this.segments.push(segment);
  }

  /** The oldest segment that has not been taken, null while it is not complete. */
  get next(): HandedSegment | null {
    return this.segments[0] ?? null;
  }

  /** Removes the oldest one. */
  taken(): void {
    this.segments.shift();
  }
}

/** What becomes of the ids of rows. */
export interface RowIds {
  user(id: number): number;
  group(id: number): number;
  /** Flags of rows of a group as `group` gives it. */
  groupFlags(to: number): number;
}

/** Appends the rows of a sender's list as a receiver would have them from its bytes, from protocol 30 on. */
export function copyRows(from: FileList, to: FileList, fields: FlistFields, ids: RowIds): void {
  const copied = { dir: -1, dirTo: 0, uid: -1, uidTo: 0, gid: -1, gidTo: 0, groupFlags: 0 };
  for (let row = 0; row < from.used; row++) {
    const at = to.addRow();
    const name = from.namePtr[row];
    to.setName(at, from.memory.u8, name, name + from.nameLength[row]);
    if (from.dir[row] !== copied.dir) {
      copied.dir = from.dir[row];
      copied.dirTo = to.dirs.intern(from.dirs.names[copied.dir]);
    }
    if (fields.preserveUid && from.uid[row] !== copied.uid) {
      copied.uid = from.uid[row];
      copied.uidTo = ids.user(copied.uid);
    }
    if (fields.preserveGid && from.gid[row] !== copied.gid) {
      copied.gid = from.gid[row];
      copied.gidTo = ids.group(copied.gid);
      copied.groupFlags = ids.groupFlags(copied.gidTo);
    }
    to.dir[at] = copied.dirTo;
    to.uid[at] = copied.uidTo;
    to.gid[at] = copied.gidTo;
    to.mode[at] = from.mode[row];
    to.size[at] = from.size[row];
    to.mtime[at] = from.mtime[row];
    to.mtimeNsec[at] = from.mtimeNsec[row];
    to.flags[at] = (from.flags[row] & modNsec) | copied.groupFlags;
    if ((from.mode[row] & FileType.mask) !== FileType.regular) copyOddRow(from, row, to, at, fields);
    else if (fields.preserveAtimes) to.want("atime")[at] = from.extra.atime![row];
  }
}

/** The rest of a row that is no regular file. */
function copyOddRow(from: FileList, row: number, to: FileList, at: number, fields: FlistFields): void {
  const type = from.mode[row] & FileType.mask;
  const { linkTarget, linkLength, rdevMajor, rdevMinor, atime } = from.extra;
  if (type === FileType.directory) {
    to.flags[at] |= receivedDirFlags(from.flags[row]);
    return;
  }
  if (fields.preserveAtimes) to.want("atime")[at] = atime![row];
  if (type === FileType.symlink && fields.preserveLinks && linkTarget![row] !== 0) {
    to.setLinkTarget(at, from.memory.u8, linkTarget![row], linkLength![row]);
  }
  if (type !== FileType.character && type !== FileType.block) return;
  to.want("rdevMajor")[at] = fields.preserveDevices ? rdevMajor![row] : 0;
  to.want("rdevMinor")[at] = fields.preserveDevices ? rdevMinor![row] : 0;
}

/** What the two bits of a directory's entry can say. */
function receivedDirFlags(flags: number): number {
  return flags & contentDir ? flags & (topDir | contentDir) : flags & impliedDir;
}
