/**
 * One small new file, whole: made under a temporary name, filled from an open source or from memory, given its
 * attributes, renamed into place and closed. A record of plain numbers in linear memory says what is wanted, so that
 * any thread that can call libc over that memory can do it.
 *
 * Nothing is reported from here. A file that cannot be made leaves nothing behind and keeps its source: the caller goes
 * the ordinary way with it, which finds out why. Upstream receiver.c:open_tmpfile, rsync.c:finish_transfer.
 */
import { type FfiFunction } from "../host.ts";
import { type StatLayout, STAT_BYTES } from "./structs.ts";

/** Bytes of a record, a multiple of 64. */
export const RECORD_BYTES = 320;
/** Byte offset in a record of two struct timespec. */
export const RECORD_TIMES = 64;
/** Byte offset in a record of the temporary name with its NUL. */
export const RECORD_TEMP = 96;
/** Room for that name. */
export const TEMP_BYTES = RECORD_BYTES - RECORD_TEMP;
/** What one read may bring: a longer file is not small. */
export const SMALL_BYTES = 64 * 1024;
/** Scratch of a maker: a small file's contents and a struct stat. */
export const SCRATCH_BYTES = SMALL_BYTES + Math.ceil(STAT_BYTES / 64) * 64;

/** The record's 32-bit words. */
export const Word = {
  /** 1: the file is in place and its source closed. 0: nothing has been done. */
  result: 0,
  /** Descriptors: the source, or NO_SOURCE, and the directory of both names. */
  source: 1,
  dir: 2,
  /** Address of the NUL-terminated final name, which must stay there until the record is done. */
  name: 3,
  /** open(2)'s flags and mode for the temporary file. */
  openFlags: 4,
  createMode: 5,
  /** Final permissions. */
  mode: 6,
  uid: 7,
  gid: 8,
  /** Wanted bits. */
  wants: 9,
  /** 1 once the result is there. */
  done: 10,
  /** Without a source: address and length of the contents, which must stay there until the record is done. */
  content: 11,
  byteLength: 12,
  /** A number that stands for the directory: new files get the same owner and permissions as long as it is the same. */
  place: 13,
} as const;

/** In place of a source's descriptor: the contents lie in memory. */
export const NO_SOURCE = 0xffffffff;

/** What is to be set beside the mode. */
export const Wanted = { uid: 1, gid: 2, times: 4 } as const;

/** The C functions that a maker calls. */
export const SMALL_FILE_CALLS = [
  "openat", "pread", "write", "fstat", "fchown", "fchmod", "futimens", "close", "renameat", "unlinkat",
] as const;

/** Those functions, bound for the calling thread. */
export type SmallFileCalls = Record<(typeof SMALL_FILE_CALLS)[number], FfiFunction>;

const CHMOD_BITS = 0o7777;
const ACCESS_BITS = 0o777;

/** Makes files by records. Each thread has its own, with its own scratch memory. */
export class SmallFileMaker {
  private readonly c: SmallFileCalls;
  private readonly base: number;
  private readonly layout: StatLayout;
  private readonly scratch: number;
  private readonly u32: Uint32Array;
  /** What a new file of the last place has, and the mode that it was created with. */
  private place = -1;
  private createMode = -1;
  private mode = 0;
  private uid = 0;
  private gid = 0;

  /** `base`: native address of the memory's first byte. `scratch`: address of SCRATCH_BYTES. */
  constructor(buffer: ArrayBufferLike, base: number, scratch: number, c: SmallFileCalls, layout: StatLayout) {
    this.u32 = new Uint32Array(buffer);
    this.base = base;
    this.scratch = scratch;
    this.c = c;
    this.layout = layout;
  }

  /** Does what the record at `ptr` wants and notes the result in it. */
  make(ptr: number): void {
    const at = ptr >>> 2;
    this.u32[at + Word.result] = this.tryMake(ptr, at) ? 1 : 0;
    Atomics.store(this.u32, at + Word.done, 1);
  }

  private tryMake(ptr: number, at: number): boolean {
    const { c, u32 } = this;
    const dir = u32[at + Word.dir];
    const temp = this.base + ptr + RECORD_TEMP;
    const createMode = this.ownsNewFiles(at) ? u32[at + Word.mode] & ACCESS_BITS : u32[at + Word.createMode];
    const fd = c.openat(dir, temp, u32[at + Word.openFlags], createMode);
    if (fd < 0) return false;
    const filled = this.fill(fd, at) && this.look(fd, at, createMode)
      && this.dress(fd, at, this.base + ptr + RECORD_TIMES);
    const closed = c.close(fd) === 0;
    if (filled && closed && c.renameat(dir, temp, dir, this.base + u32[at + Word.name]) === 0) {
      if (u32[at + Word.source] !== NO_SOURCE) c.close(u32[at + Word.source]);
      return true;
    }
    c.unlinkat(dir, temp, 0);
    return false;
  }

  private fill(fd: number, at: number): boolean {
    const source = this.u32[at + Word.source];
    if (source === NO_SOURCE) {
      const byteLength = this.u32[at + Word.byteLength];
      return byteLength === 0 || this.c.write(fd, this.base + this.u32[at + Word.content], byteLength) === byteLength;
    }
    const buffer = this.base + this.scratch;
    const count = this.c.pread(source, buffer, SMALL_BYTES, 0);
    if (count < 0 || count === SMALL_BYTES) return false;
    return count === 0 || this.c.write(fd, buffer, count) === count;
  }

  /** Nobody else may see a file before it has its owner; one that has it from the start may have its mode as well. */
  private ownsNewFiles(at: number): boolean {
    const { u32 } = this;
    return u32[at + Word.place] === this.place && this.wantedUid(at) === this.uid && this.wantedGid(at) === this.gid;
  }

  private wantedUid(at: number): number {
    return this.u32[at + Word.wants] & Wanted.uid ? this.u32[at + Word.uid] : this.uid;
  }

  private wantedGid(at: number): number {
    return this.u32[at + Word.wants] & Wanted.gid ? this.u32[at + Word.gid] : this.gid;
  }

  /** Finds out what a new file has, unless one like it has told. */
  private look(fd: number, at: number, createMode: number): boolean {
    const { u32, layout } = this;
    const place = u32[at + Word.place];
    if (place === this.place && createMode === this.createMode) return true;
    const stat = this.scratch + SMALL_BYTES;
    if (this.c.fstat(fd, this.base + stat) !== 0) return false;
    const word = stat >>> 2;
    this.place = place;
    this.createMode = createMode;
    this.mode = u32[word + layout.mode];
    this.uid = u32[word + layout.uid];
    this.gid = u32[word + layout.gid];
    return true;
  }

  /** Owner, times, mode: files/attrs.ts, for a file that was just made. */
  private dress(fd: number, at: number, times: number): boolean {
    const { c, u32 } = this;
    const uid = this.wantedUid(at);
    const gid = this.wantedGid(at);
    if ((uid !== this.uid || gid !== this.gid) && c.fchown(fd, uid, gid) !== 0) return false;
    if (u32[at + Word.wants] & Wanted.times && c.futimens(fd, times) !== 0) return false;
    const mode = u32[at + Word.mode];
    return ((this.mode ^ mode) & CHMOD_BITS) === 0 || c.fchmod(fd, mode & CHMOD_BITS) === 0;
  }
}
