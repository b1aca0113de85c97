/**
 * inotify(7): one instance, its watches and the reading of its events.
 *
 * Invariants: no method throws; a failed call returns -errno. Reading never blocks; `wait` waits off the event loop and
 * costs nothing while nothing happens. Names are strings with one code unit per byte. Sources: Linux
 * include/uapi/linux/inotify.h.
 */
import { type Ffi, type FfiFunction, type Host, type ReadWaiter } from "../host.ts";
import { type FileSystem } from "./filesystem.ts";
import { bindNotify } from "./notifytable.ts";

/** Bits of an event or watch mask. */
export const IN = {
  ACCESS: 0x1, MODIFY: 0x2, ATTRIB: 0x4, CLOSE_WRITE: 0x8, CLOSE_NOWRITE: 0x10, OPEN: 0x20, MOVED_FROM: 0x40,
  MOVED_TO: 0x80, CREATE: 0x100, DELETE: 0x200, DELETE_SELF: 0x400, MOVE_SELF: 0x800, UNMOUNT: 0x2000,
  Q_OVERFLOW: 0x4000, IGNORED: 0x8000, ONLYDIR: 0x1000000, DONT_FOLLOW: 0x2000000, EXCL_UNLINK: 0x4000000,
  MASK_CREATE: 0x10000000, MASK_ADD: 0x20000000, ISDIR: 0x40000000, ONESHOT: 0x80000000,
  CLOSE: 0x18, MOVE: 0xc0, ALL_EVENTS: 0xfff,
} as const;

/** Called once an event. `wd` is -1 for an overflow; the name is "" for the watched thing itself. */
export type InotifyVisitor = (wd: number, mask: number, cookie: number, name: string) => void;

const CALLS = ["inotify_init1", "inotify_add_watch", "inotify_rm_watch"] as const;

/** struct inotify_event before its name: wd, mask, cookie, name length, 32 bits each. */
const HEAD_BYTES = 16;
/** Thousands of events a call, so that a storm is read faster than it can be made. */
const BUFFER_BYTES = 256 * 1024;
const WORD = 4;

/** One inotify instance. */
export class Inotify {
  private readonly calls: Record<(typeof CALLS)[number], FfiFunction>;
  private readonly ffi: Ffi;
  private readonly fs: FileSystem;
  private readonly fd: number;
  private readonly buffer: number;
  private readonly waiter: ReadWaiter | null;
  private closed = false;

  /** Makes an instance, or returns -errno (-ENOSYS where inotify cannot be called). */
  static open(host: Host, fs: FileSystem): Inotify | number {
    const { O, E } = fs.constants;
    const calls = host.os === "linux" && fs.memory.base !== 0 ? bindNotify(host.ffi, CALLS) : null;
    if (calls === null) return -E.ENOSYS;
    const fd = calls.inotify_init1(O.NONBLOCK | O.CLOEXEC);
    return fd < 0 ? -host.ffi!.errno() : new Inotify(host, fs, calls, fd);
  }

  private constructor(host: Host, fs: FileSystem, calls: Record<(typeof CALLS)[number], FfiFunction>, fd: number) {
    this.calls = calls;
    this.ffi = host.ffi!;
    this.fs = fs;
    this.fd = fd;
    this.buffer = fs.memory.alloc(BUFFER_BYTES);
    this.waiter = host.readWaiter?.(fd) ?? null;
  }

  /** Watches a path; returns the watch descriptor. A path that is watched already keeps its descriptor. */
  add(path: string, mask: number): number {
    const { fs } = this;
    const wd = this.calls.inotify_add_watch(this.fd, fs.memory.base + fs.cstr(path), mask >>> 0);
    return wd < 0 ? -this.ffi.errno() : wd;
  }

  /** Ends a watch; its IGNORED event follows. */
  remove(wd: number): number {
    return this.calls.inotify_rm_watch(this.fd, wd) < 0 ? -this.ffi.errno() : 0;
  }

  /** Reads what is queued, up to one buffer full. Returns the number of events; 0: none; below 0: -errno. */
  read(visit: InotifyVisitor): number {
    const { fs, buffer } = this;
    const { memory } = fs;
    const got = fs.read(this.fd, buffer, BUFFER_BYTES);
    if (got <= 0) return got === -fs.constants.E.EAGAIN ? 0 : got;
    let count = 0;
    for (let at = buffer; at < buffer + got; count++) {
      const word = at / WORD;
      const room = memory.u32[word + 3];
      const wd = memory.i32[word];
      const mask = memory.u32[word + 1];
      const cookie = memory.u32[word + 2];
      const name = at + HEAD_BYTES;
      at = name + room;
      visit(wd, mask, cookie, room === 0 ? "" : memory.readLatin1(name, lengthOf(memory.u8, name, room)));
    }
    return count;
  }

  /** Resolves true once there is something to read, false when the instance was closed. */
  async wait(): Promise<boolean> {
    if (this.closed || this.waiter === null) return false;
    return this.waiter.wait();
  }

  /** Ends all watches and the wait. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.waiter?.stop();
    this.fs.close(this.fd);
    this.fs.memory.release(this.buffer);
  }
}

/** The name's length; zeros fill the room behind it. */
function lengthOf(u8: Uint8Array, name: number, room: number): number {
  let length = 0;
  while (length < room && u8[name + length] !== 0) length++;
  return length;
}
