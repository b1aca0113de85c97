/**
 * Extended attributes through libc: of an open file, or of a name in a held directory without following a symlink.
 *
 * Linux has had at-calls for the latter since 6.13. Before, and where a sandbox hides them, the name is reached as
 * /proc/self/fd/DIRECTORY/NAME by the l-calls: the kernel resolves the descriptor itself, so that nobody can lead the
 * path elsewhere. In a chroot without /proc the file is opened, if it is one that opening does not disturb.
 * Upstream counterpart: lib/acl.c:do_getxattr and its kin.
 */
import { type FfiFunction } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { Sys } from "./constants.ts";
import { type PosixConstants } from "./filesystem.ts";
import { type LibcName } from "./libctable.ts";
import { writeInt64 } from "./structs.ts";

/** Functions that extended attributes take, all or none. */
const NEEDED: readonly LibcName[] = [
  "fgetxattr", "lgetxattr", "getxattr", "flistxattr", "llistxattr", "fsetxattr", "lsetxattr", "fremovexattr",
  "lremovexattr",
];

/** struct xattr_args: value's address, its length, flags. */
const ARGS_BYTES = 16;
const PATH_BYTES = 8192;

/** What the calls need of the file system they belong to. */
export interface XattrHost {
  readonly memory: LinearMemory;
  readonly constants: PosixConstants;
  errno(): number;
  /** Opens a name in a directory for reading if it is a plain file, a directory or a fifo; else -EOPNOTSUPP. */
  openPlain(fd: number, name: number): number;
  close(fd: number): void;
  /** Whether /proc/self/fd leads anywhere. */
  hasProc(): boolean;
}

/** The calls over `functions`, or null when libc lacks some. */
export function openXattrs(functions: Partial<Record<LibcName, FfiFunction>>, host: XattrHost): XattrCalls | null {
  const whole = NEEDED.every((name) => functions[name] !== undefined);
  return whole ? new XattrCalls(functions as Record<LibcName, FfiFunction>, host) : null;
}

/** See the head of this file; arguments as FileSystem has them. */
export class XattrCalls {
  private readonly c: Record<LibcName, FfiFunction>;
  private readonly host: XattrHost;
  private readonly memory: LinearMemory;
  private readonly base: number;
  private readonly noFollow: number;
  private readonly args: number;
  private readonly path: number;
  /** How names are reached; "untried" until an at-call has said something that only it can say. */
  private way: "untried" | "at" | "proc" | "open";

  constructor(functions: Record<LibcName, FfiFunction>, host: XattrHost) {
    this.c = functions;
    this.host = host;
    this.memory = host.memory;
    this.base = host.memory.base;
    this.noFollow = host.constants.AT.SYMLINK_NOFOLLOW;
    this.args = host.memory.alloc(ARGS_BYTES);
    this.path = host.memory.alloc(PATH_BYTES);
    this.way = functions.syscall !== undefined ? "untried" : this.otherWay();
  }

  list(fd: number, name: number, ptr: number, byteLength: number): number {
    const { base, c } = this;
    if (name === 0) return this.result(c.flistxattr(fd, base + ptr, byteLength));
    if (this.mayTry) {
      const at = base + name;
      const got = this.result(c.syscall(Sys.SYS_listxattrat, fd, at, this.noFollow, base + ptr, byteLength, 0));
      if (this.settles(got)) return got;
    }
    if (this.way === "open") return this.opened(fd, name, (file) => this.list(file, 0, ptr, byteLength));
    return this.result(c.llistxattr(this.pathOf(fd, name), base + ptr, byteLength));
  }

  get(fd: number, name: number, attribute: number, ptr: number, byteLength: number, follow: boolean): number {
    const { base, c } = this;
    if (name === 0) return this.result(c.fgetxattr(fd, base + attribute, base + ptr, byteLength));
    if (this.mayTry) {
      const flags = follow ? 0 : this.noFollow;
      const got = this.at(Sys.SYS_getxattrat, fd, name, flags, attribute, ptr, byteLength);
      if (this.settles(got)) return got;
    }
    if (this.way === "open") {
      return this.opened(fd, name, (file) => this.get(file, 0, attribute, ptr, byteLength, false));
    }
    const call = follow ? c.getxattr : c.lgetxattr;
    return this.result(call(this.pathOf(fd, name), base + attribute, base + ptr, byteLength));
  }

  set(fd: number, name: number, attribute: number, ptr: number, byteLength: number): number {
    const { base, c } = this;
    if (name === 0) return this.result(c.fsetxattr(fd, base + attribute, base + ptr, byteLength, 0));
    if (this.mayTry) {
      const got = this.at(Sys.SYS_setxattrat, fd, name, this.noFollow, attribute, ptr, byteLength);
      if (this.settles(got)) return got;
    }
    if (this.way === "open") return this.opened(fd, name, (file) => this.set(file, 0, attribute, ptr, byteLength));
    return this.result(c.lsetxattr(this.pathOf(fd, name), base + attribute, base + ptr, byteLength, 0));
  }

  remove(fd: number, name: number, attribute: number): number {
    const { base, c } = this;
    if (name === 0) return this.result(c.fremovexattr(fd, base + attribute));
    if (this.mayTry) {
      const at = base + name;
      const got = this.result(c.syscall(Sys.SYS_removexattrat, fd, at, this.noFollow, base + attribute, 0, 0));
      if (this.settles(got)) return got;
    }
    if (this.way === "open") return this.opened(fd, name, (file) => this.remove(file, 0, attribute));
    return this.result(c.lremovexattr(this.pathOf(fd, name), base + attribute));
  }

  private get mayTry(): boolean {
    return this.way === "at" || this.way === "untried";
  }

  private at(
    call: number, fd: number, name: number, flags: number, attribute: number, ptr: number, byteLength: number,
  ): number {
    const { args, base, memory } = this;
    writeInt64(memory, args, base + ptr);
    memory.u32[(args >>> 2) + 2] = byteLength;
    memory.u32[(args >>> 2) + 3] = 0;
    return this.result(this.c.syscall(call, fd, base + name, flags, base + attribute, base + args, ARGS_BYTES));
  }

  /**
   * Whether the answer of an at-call counts. An old kernel says ENOSYS; a sandbox may say EPERM, as a file may too: as
   * long as nothing else was heard, such an answer is looked for in the other way as well.
   */
  private settles(result: number): boolean {
    if (this.way === "at") return true;
    const { E } = this.host.constants;
    if (result === -E.ENOSYS || result === -E.EPERM) {
      this.way = this.otherWay();
      return false;
    }
    this.way = "at";
    return true;
  }

  private otherWay(): "proc" | "open" {
    return this.host.hasProc() ? "proc" : "open";
  }

  private opened(fd: number, name: number, act: (file: number) => number): number {
    const file = this.host.openPlain(fd, name);
    if (file < 0) return file;
    const result = act(file);
    this.host.close(file);
    return result;
  }

  /** Native address of a path that leads through the held directory. */
  private pathOf(fd: number, name: number): number {
    const { base, memory, path } = this;
    const { u8 } = memory;
    if (fd === this.host.constants.AT.FDCWD || u8[name] === 0x2f) return base + name;
    let at = path + memory.writeLatin1(path, `/proc/self/fd/${fd}/`);
    const end = path + PATH_BYTES - 1;
    for (let from = name; u8[from] !== 0 && at < end; from++) u8[at++] = u8[from];
    u8[at] = 0;
    return base + path;
  }

  private result(value: number): number {
    return value < 0 ? -this.host.errno() : value;
  }
}
