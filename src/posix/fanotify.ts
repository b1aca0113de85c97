/**
 * fanotify(7) with names: one group, its marks and the reading of its events, for a super-user.
 *
 * An event names a directory by its file handle and an entry in it; the handle is opened to learn where that directory
 * is now. Invariants: no method throws, a failed call returns -errno, reading never blocks. Sources: Linux
 * include/uapi/linux/fanotify.h.
 */
import { type Ffi, type FfiFunction, type Host, type ReadWaiter } from "../host.ts";
import { latin1 } from "../memory.ts";
import { type FileSystem } from "./filesystem.ts";
import { bindNotify } from "./notifytable.ts";

/** Bits of an event mask beyond those it shares with inotify (posix/inotify.ts). */
export const FAN = {
  Q_OVERFLOW: 0x4000, EVENT_ON_CHILD: 0x08000000, RENAME: 0x10000000, ONDIR: 0x40000000,
} as const;

/** How a mark is set, added up. */
export const FanMark = { dontFollow: 0x04, filesystem: 0x100 } as const;

/** An entry of a directory that an event is about; `name` "" or "." is the directory itself. */
export interface FanEntry {
  /** The directory's path at this moment, or null when it is gone. */
  readonly dir: string | null;
  readonly name: string;
}

/** Called once an event. A rename has two entries, old and new; an overflow none. */
export type FanVisitor = (mask: number, pid: number, entries: readonly FanEntry[]) => void;

const CALLS = ["fanotify_init", "fanotify_mark", "open_by_handle_at"] as const;

const CLOEXEC_NONBLOCK = 0x3;
const UNLIMITED_QUEUE = 0x10;
const UNLIMITED_MARKS = 0x20;
const REPORT_DFID_NAME = 0xc00;
const MARK_ADD = 1;
const MARK_FLUSH = 0x80;

/** struct fanotify_event_metadata. */
const Meta = { bytes: 24, length: 0, mask: 8, pid: 20 } as const;
/** struct fanotify_event_info_fid: type, pad, length; then the file system's id; then the handle. */
const Info = { type: 0, length: 2, handle: 12 } as const;
/** struct file_handle before its bytes: their count and the kind. */
const HANDLE_HEAD = 8;
/** Kinds of information that name a directory: DFID_NAME, DFID, and the old and new place of a rename. */
const NAMED: readonly number[] = [2, 3, 10, 12];

const BUFFER_BYTES = 256 * 1024;
const PATH_BYTES = 8192;
/** Most entries that one event has. */
const WORD = 4;

/** One fanotify group. */
export class Fanotify {
  private readonly calls: Record<(typeof CALLS)[number], FfiFunction>;
  private readonly ffi: Ffi;
  private readonly fs: FileSystem;
  private readonly fd: number;
  private readonly buffer: number;
  private readonly pathPtr: number;
  private readonly waiter: ReadWaiter | null;
  /** A directory on each marked file system, below which handles are opened. */
  private readonly mounts: number[] = [];
  private closed = false;

  /** Makes a group without limits on queue and marks, or returns -errno: -EPERM without the right to. */
  static open(host: Host, fs: FileSystem): Fanotify | number {
    const { O, E } = fs.constants;
    const calls = host.os === "linux" && fs.memory.base !== 0 ? bindNotify(host.ffi, CALLS) : null;
    if (calls === null) return -E.ENOSYS;
    const flags = REPORT_DFID_NAME | CLOEXEC_NONBLOCK | UNLIMITED_QUEUE | UNLIMITED_MARKS;
    const fd = calls.fanotify_init(flags, O.RDONLY | O.CLOEXEC);
    return fd < 0 ? -host.ffi!.errno() : new Fanotify(host, fs, calls, fd);
  }

  private constructor(host: Host, fs: FileSystem, calls: Record<(typeof CALLS)[number], FfiFunction>, fd: number) {
    this.calls = calls;
    this.ffi = host.ffi!;
    this.fs = fs;
    this.fd = fd;
    this.buffer = fs.memory.alloc(BUFFER_BYTES);
    this.pathPtr = fs.memory.alloc(PATH_BYTES);
    this.waiter = host.readWaiter?.(fd) ?? null;
  }

  /** Marks what is at a path: the directory with its entries, or with `FanMark.filesystem` all of its file system. */
  mark(path: string, mask: number, how: number): number {
    const { fs } = this;
    const { AT, O } = fs.constants;
    const result = this.calls.fanotify_mark(this.fd, MARK_ADD | how, mask >>> 0, AT.FDCWD, this.address(path));
    if (result < 0) return -this.ffi.errno();
    const mount = fs.openat(AT.FDCWD, fs.cstr(path), O.RDONLY | O.NONBLOCK | O.CLOEXEC, 0);
    // One per call while there are few: handles of any marked file system must open.
    if (mount >= 0 && (this.mounts.length === 0 || (how & FanMark.filesystem) !== 0)) this.mounts.push(mount);
    else if (mount >= 0) fs.close(mount);
    return 0;
  }

  /** Drops all marks of whole file systems. */
  unmark(): void {
    this.calls.fanotify_mark(this.fd, MARK_FLUSH | FanMark.filesystem, 0, this.fs.constants.AT.FDCWD, 0);
  }

  /** Reads what is queued, up to one buffer full. Returns the number of events; 0: none; below 0: -errno. */
  read(visit: FanVisitor): number {
    const { fs, buffer } = this;
    const { memory } = fs;
    const got = fs.read(this.fd, buffer, BUFFER_BYTES);
    if (got <= 0) return got === -fs.constants.E.EAGAIN ? 0 : got;
    const paths = new Map<string, string | null>();
    let count = 0;
    for (let at = buffer; at < buffer + got; count++) {
      const length = memory.u32[(at + Meta.length) / WORD];
      const mask = memory.u32[(at + Meta.mask) / WORD];
      const pid = memory.i32[(at + Meta.pid) / WORD];
      visit(mask, pid, this.entries(at + Meta.bytes, at + length, paths));
      at += length;
    }
    return count;
  }

  /** Resolves true once there is something to read, false when the group was closed. */
  async wait(): Promise<boolean> {
    if (this.closed || this.waiter === null) return false;
    return this.waiter.wait();
  }

  /** Ends all marks and the wait. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { fs } = this;
    this.waiter?.stop();
    for (const fd of [this.fd, ...this.mounts]) fs.close(fd);
    fs.memory.release(this.buffer);
    fs.memory.release(this.pathPtr);
  }

  private entries(start: number, end: number, paths: Map<string, string | null>): FanEntry[] {
    const { u8, view } = this.fs.memory;
    const found: FanEntry[] = [];
    for (let at = start; at < end; at += view.getUint16(at + Info.length, true)) {
      if (!NAMED.includes(u8[at + Info.type])) continue;
      const handle = at + Info.handle;
      const name = handle + HANDLE_HEAD + view.getUint32(handle, true);
      const limit = at + view.getUint16(at + Info.length, true);
      let stop = name;
      while (stop < limit && u8[stop] !== 0) stop++;
      found.push({ dir: this.pathOf(handle, name - handle, paths), name: latin1(u8, name, stop) });
    }
    return found;
  }

  /** Where the directory of a handle is now. `paths` remembers the answers of one reading. */
  private pathOf(handle: number, byteLength: number, paths: Map<string, string | null>): string | null {
    const key = latin1(this.fs.memory.u8, handle, handle + byteLength);
    let path = paths.get(key);
    if (path === undefined) paths.set(key, (path = this.openHandle(handle)));
    return path;
  }

  private openHandle(handle: number): string | null {
    const { fs, calls } = this;
    const { O, AT } = fs.constants;
    for (const mount of this.mounts) {
      const fd = calls.open_by_handle_at(mount, fs.memory.base + handle, O.PATH | O.CLOEXEC);
      if (fd < 0) continue;
      const length = fs.readlinkat(AT.FDCWD, fs.cstr(`/proc/self/fd/${fd}`), this.pathPtr, PATH_BYTES);
      fs.close(fd);
      const path = length > 0 ? fs.memory.readLatin1(this.pathPtr, length) : "";
      // A directory without a name: removed, but still open somewhere.
      return path.startsWith("/") && !path.endsWith(" (deleted)") ? path : null;
    }
    return null;
  }

  private address(path: string): number {
    return this.fs.memory.base + this.fs.cstr(path);
  }
}
