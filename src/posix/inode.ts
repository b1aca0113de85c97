/** The nodes of a tree of our own: files, directories, symlinks and the rest, with all that stat tells of them. */
import { type FileContent } from "./content.ts";
import { type StatRecord } from "./filesystem.ts";

/** File types, as the upper bits of a mode. */
export const S_IF = {
  mask: 0o170000, regular: 0o100000, directory: 0o040000, symlink: 0o120000, character: 0o020000, block: 0o060000,
  fifo: 0o010000, socket: 0o140000,
} as const;

const BLOCK = 512;

/** A time in seconds and nanoseconds. */
export interface Time {
  readonly seconds: number;
  readonly nsec: number;
}

/** One inode. Hard links are several names of one. */
export class Inode {
  readonly ino: number;
  mode: number;
  uid = 0;
  gid = 0;
  nlink = 0;
  major = 0;
  minor = 0;
  atime: Time;
  mtime: Time;
  ctime: Time;
  /** Of a regular file; null for anything else. */
  content: FileContent | null = null;
  /** Of a directory; null for anything else. */
  readonly entries: Map<string, Inode> | null;
  /** Of a directory: the one above it; the root is its own. */
  parent: Inode | null = null;
  /** Of a symlink. */
  target = "";
  /** Descriptors that are open on it: its content stays while there are any. */
  openCount = 0;

  constructor(ino: number, mode: number, now: Time) {
    this.ino = ino;
    this.mode = mode;
    this.atime = this.mtime = this.ctime = now;
    this.entries = (mode & S_IF.mask) === S_IF.directory ? new Map() : null;
  }

  get type(): number {
    return this.mode & S_IF.mask;
  }

  get isDirectory(): boolean {
    return this.entries !== null;
  }

  get isSymlink(): boolean {
    return this.type === S_IF.symlink;
  }

  get byteLength(): number {
    if (this.content !== null) return this.content.byteLength;
    return this.isSymlink ? this.target.length : 0;
  }

  /** The last name and the last descriptor are gone. */
  forgotten(): void {
    if (this.nlink > 0 || this.openCount > 0) return;
    this.content?.release();
    this.content = null;
  }

  /** Fills `stat`. */
  fill(stat: StatRecord): void {
    stat.mode = this.mode;
    stat.size = this.byteLength;
    stat.mtime = this.mtime.seconds;
    stat.mtimeNsec = this.mtime.nsec;
    stat.atime = this.atime.seconds;
    stat.atimeNsec = this.atime.nsec;
    stat.ctime = this.ctime.seconds;
    stat.ctimeNsec = this.ctime.nsec;
    stat.uid = this.uid;
    stat.gid = this.gid;
    stat.nlink = this.nlink;
    stat.rdevMajor = this.major;
    stat.rdevMinor = this.minor;
    stat.devLo = 1;
    stat.devHi = 0;
    stat.inoLo = this.ino;
    stat.inoHi = 0;
    stat.blocks = Math.ceil(stat.size / BLOCK);
  }
}
