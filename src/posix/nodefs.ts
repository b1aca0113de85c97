/**
 * The FileSystem over node:fs, for runtimes and systems where libc cannot be called.
 *
 * node:fs knows paths only, so a descriptor remembers the path it was opened by, and a call relative to it joins the
 * two. That is not proof against directories renamed or replaced meanwhile: `capabilities.atCalls` is false, and who
 * needs the guarantee refuses. Times are set with a precision of about a microsecond. What node:fs lacks returns
 * -ENOSYS.
 */
import { type Host } from "../host.ts";
import { bytesOf, latin1, type LinearMemory } from "../memory.ts";
import { constantsFor, strerrorFor } from "./constants.ts";
import {
  type DirentVisitor, type FileSystem, type FsCapabilities, type PosixConstants, type StatRecord,
} from "./filesystem.ts";
import { NameSlots } from "./names.ts";
import { majorOf, minorOf } from "./structs.ts";

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const WRITE_BYTES = 4 << 20;
/** Room for the longest name of any file system, and a terminator. */
const NAME_BYTES = 1024;

interface BigStats {
  readonly dev: bigint; readonly ino: bigint; readonly mode: bigint; readonly nlink: bigint; readonly uid: bigint;
  readonly gid: bigint; readonly rdev: bigint; readonly size: bigint; readonly blocks: bigint;
  readonly atimeNs: bigint; readonly mtimeNs: bigint; readonly ctimeNs: bigint;
}

/** A path as the runtime's node:fs takes it: bytes, or text where it knows nothing else. */
type NodePath = Uint8Array;

/** The functions of node:fs that serve here. */
export interface NodeFs {
  openSync(path: NodePath, flags: number, mode: number): number;
  closeSync(fd: number): void;
  lstatSync(path: NodePath, o: { bigint: true }): BigStats;
  statSync(path: NodePath, o: { bigint: true }): BigStats;
  fstatSync(fd: number, o: { bigint: true }): BigStats;
  accessSync(path: NodePath, mode: number): void;
  readdirSync(path: NodePath, o: { encoding: "buffer" }): Uint8Array[];
  readSync(fd: number, view: Uint8Array, at: number, byteLength: number, position: number | null): number;
  writeSync(fd: number, view: Uint8Array, at: number, byteLength: number, position: number | null): number;
  ftruncateSync(fd: number, byteLength: number): void;
  fsyncSync(fd: number): void;
  mkdirSync(path: NodePath, mode: number): void;
  unlinkSync(path: NodePath): void;
  rmdirSync(path: NodePath): void;
  renameSync(from: NodePath, to: NodePath): void;
  linkSync(from: NodePath, to: NodePath): void;
  symlinkSync(target: NodePath, path: NodePath): void;
  readlinkSync(path: NodePath, o: { encoding: "buffer" }): Uint8Array;
  fchmodSync(fd: number, mode: number): void;
  chmodSync(path: NodePath, mode: number): void;
  fchownSync(fd: number, uid: number, gid: number): void;
  lchownSync(path: NodePath, uid: number, gid: number): void;
  lutimesSync(path: NodePath, atime: number | Date, mtime: number | Date): void;
  futimesSync(fd: number, atime: number | Date, mtime: number | Date): void;
}

/** What is remembered of an open descriptor. `pos` is -1 for pipes and devices, which have no position. */
interface OpenFile {
  readonly path: string;
  readonly append: boolean;
  pos: number;
  /** Where the kernel believes it is: only reads without a position of their own move it. */
  kernelPos: number;
}

/** See FileSystem. */
export class NodeFileSystem implements FileSystem {
  readonly memory: LinearMemory;
  readonly constants: PosixConstants;
  readonly strerror: (errno: number) => string;
  readonly euid: number;
  readonly egid: number;
  readonly capabilities: FsCapabilities = {
    atCalls: false, openat2: false, nanoseconds: false, chown: true, mknod: false, hardLinks: true,
    symlinkTimes: true, xattrs: false, copyFileRange: false, reflink: false, fallocate: false,
  };
  private readonly host: Host;
  private readonly fs: NodeFs;
  private readonly E: Readonly<Record<string, number>>;
  private readonly names: NameSlots;
  private readonly files = new Map<number, OpenFile>();

  constructor(host: Host, fs: NodeFs, memory: LinearMemory) {
    this.host = host;
    this.fs = fs;
    this.memory = memory;
    this.constants = constantsFor(host.os, host.arch);
    this.E = this.constants.E;
    this.strerror = strerrorFor(host.os);
    this.names = new NameSlots(memory);
    this.euid = host.files.ids?.().euid ?? 0;
    this.egid = host.files.ids?.().egid ?? 0;
  }

  groups(): readonly number[] {
    return this.host.files.ids?.().groups ?? [];
  }

  cstr(name: string): number {
    return this.names.put(name);
  }

  openat(dirfd: number, name: number, flags: number, mode: number): number {
    const { O } = this.constants;
    const path = this.join(dirfd, this.text(name));
    return this.attempt(() => {
      const fd = this.fs.openSync(this.path(path), flags & ~O.PATH, mode);
      this.files.set(fd, { path, append: (flags & O.APPEND) !== 0, pos: this.isSeekable(fd) ? 0 : -1, kernelPos: 0 });
      return fd;
    });
  }

  openat2(): number {
    return -this.E.ENOSYS;
  }

  close(fd: number): number {
    this.files.delete(fd);
    return this.attempt(() => this.fs.closeSync(fd));
  }

  fstatat(dirfd: number, name: number, stat: StatRecord, follow: boolean): number {
    return this.at(dirfd, name, (path) => {
      fill(stat, follow ? this.fs.statSync(path, { bigint: true }) : this.fs.lstatSync(path, { bigint: true }));
    });
  }

  fstat(fd: number, stat: StatRecord): number {
    return this.attempt(() => fill(stat, this.fs.fstatSync(fd, { bigint: true })));
  }

  access(dirfd: number, name: number, mode: number): boolean {
    return this.at(dirfd, name, (path) => this.fs.accessSync(path, mode)) >= 0;
  }

  readDir(dirfd: number, visit: DirentVisitor): number {
    const path = this.pathOf(dirfd);
    if (path === null) return -this.E.EBADF;
    let names: Uint8Array[] = [];
    const failed = this.attempt(() => {
      names = this.fs.readdirSync(this.path(path), { encoding: "buffer" });
    });
    if (failed < 0) return failed;
    const ptr = this.memory.alloc(NAME_BYTES);
    for (const name of names) {
      this.memory.u8.set(name, ptr);
      this.memory.u8[ptr + name.length] = 0;
      visit(ptr, name.length, 0);
    }
    this.memory.release(ptr);
    return names.length;
  }

  read(fd: number, ptr: number, byteLength: number): number {
    const file = this.files.get(fd);
    const seekable = file !== undefined && file.pos >= 0;
    // Where the two agree the kernel's own position will do, and the call is read rather than pread.
    const own = !seekable || file.pos === file.kernelPos;
    const count = this.attempt(() => this.fs.readSync(fd, this.memory.u8, ptr, byteLength, own ? null : file.pos));
    if (!seekable || count <= 0) return count;
    file.pos += count;
    if (own) file.kernelPos = file.pos;
    return count;
  }

  pread(fd: number, ptr: number, byteLength: number, offset: number): number {
    return this.attempt(() => this.fs.readSync(fd, this.memory.u8, ptr, byteLength, offset));
  }

  write(fd: number, ptr: number, byteLength: number): number {
    const file = this.files.get(fd);
    if (file === undefined || file.pos < 0 || file.append) return this.writeAll(fd, ptr, byteLength, -1);
    const count = this.writeAll(fd, ptr, byteLength, file.pos);
    if (count > 0) file.pos += count;
    return count;
  }

  pwrite(fd: number, ptr: number, byteLength: number, offset: number): number {
    return this.writeAll(fd, ptr, byteLength, offset);
  }

  lseek(fd: number, offset: number, whence: number): number {
    const file = this.files.get(fd);
    if (file === undefined) return -this.E.EBADF;
    if (file.pos < 0) return -this.E.ESPIPE;
    return this.attempt(() => {
      const from = whence === 0 ? 0 : whence === 1 ? file.pos : Number(this.fs.fstatSync(fd, { bigint: true }).size);
      if (whence > 2 || from + offset < 0) throw this.error("EINVAL");
      return (file.pos = from + offset);
    });
  }

  ftruncate(fd: number, byteLength: number): number {
    return this.attempt(() => this.fs.ftruncateSync(fd, byteLength));
  }

  fsync(fd: number): number {
    return this.attempt(() => this.fs.fsyncSync(fd));
  }

  copyFileRange(): number {
    return -this.E.ENOSYS;
  }

  reflink(): number {
    return -this.E.ENOSYS;
  }

  fallocate(): number {
    return -this.E.ENOSYS;
  }

  mkdirat(dirfd: number, name: number, mode: number): number {
    return this.at(dirfd, name, (path) => this.fs.mkdirSync(path, mode));
  }

  unlinkat(dirfd: number, name: number, flags: number): number {
    const isDirectory = (flags & this.constants.AT.REMOVEDIR) !== 0;
    return this.at(dirfd, name, (path) => (isDirectory ? this.fs.rmdirSync(path) : this.fs.unlinkSync(path)));
  }

  renameat(fromDir: number, from: number, toDir: number, to: number): number {
    const target = this.join(toDir, this.text(to));
    return this.at(fromDir, from, (path) => this.fs.renameSync(path, this.path(target)));
  }

  linkat(fromDir: number, from: number, toDir: number, to: number): number {
    const target = this.join(toDir, this.text(to));
    return this.at(fromDir, from, (path) => this.fs.linkSync(path, this.path(target)));
  }

  symlinkat(target: number, dirfd: number, name: number): number {
    return this.at(dirfd, name, (path) => this.fs.symlinkSync(this.path(this.text(target)), path));
  }

  readlinkat(dirfd: number, name: number, ptr: number, byteLength: number): number {
    return this.at(dirfd, name, (path) => {
      const target = this.fs.readlinkSync(path, { encoding: "buffer" }).subarray(0, byteLength);
      this.memory.u8.set(target, ptr);
      return target.length;
    });
  }

  mknodat(): number {
    return -this.E.ENOSYS;
  }

  listXattr(): number {
    return -this.E.ENOSYS;
  }

  getXattr(): number {
    return -this.E.ENOSYS;
  }

  setXattr(): number {
    return -this.E.ENOSYS;
  }

  removeXattr(): number {
    return -this.E.ENOSYS;
  }

  fchmod(fd: number, mode: number): number {
    return this.attempt(() => this.fs.fchmodSync(fd, mode));
  }

  fchmodat(dirfd: number, name: number, mode: number): number {
    return this.at(dirfd, name, (path) => {
      const { mode: old } = this.fs.lstatSync(path, { bigint: true });
      if ((Number(old) & S_IFMT) === S_IFLNK) throw this.error("EOPNOTSUPP");
      this.fs.chmodSync(path, mode);
    });
  }

  fchown(fd: number, uid: number, gid: number): number {
    return this.attempt(() => {
      const old = uid < 0 || gid < 0 ? this.fs.fstatSync(fd, { bigint: true }) : null;
      this.fs.fchownSync(fd, uid < 0 ? Number(old!.uid) : uid, gid < 0 ? Number(old!.gid) : gid);
    });
  }

  lchownat(dirfd: number, name: number, uid: number, gid: number): number {
    return this.at(dirfd, name, (path) => {
      const old = uid < 0 || gid < 0 ? this.fs.lstatSync(path, { bigint: true }) : null;
      this.fs.lchownSync(path, uid < 0 ? Number(old!.uid) : uid, gid < 0 ? Number(old!.gid) : gid);
    });
  }

  utimensat(dirfd: number, name: number, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    return this.at(dirfd, name, (path) => {
      const old = atimeNsec === -2 || mtimeNsec === -2 ? this.fs.lstatSync(path, { bigint: true }) : null;
      const access = this.seconds(atime, atimeNsec, old?.atimeNs);
      this.fs.lutimesSync(path, access, this.seconds(mtime, mtimeNsec, old?.mtimeNs));
    });
  }

  futimens(fd: number, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    return this.attempt(() => {
      const old = atimeNsec === -2 || mtimeNsec === -2 ? this.fs.fstatSync(fd, { bigint: true }) : null;
      const access = this.seconds(atime, atimeNsec, old?.atimeNs);
      this.fs.futimesSync(fd, access, this.seconds(mtime, mtimeNsec, old?.mtimeNs));
    });
  }

  umask(mask: number): number {
    return this.host.files.umask?.(mask) ?? 0o022;
  }

  chdir(name: number): number {
    return this.attempt(() => {
      if (this.host.files.chdir === undefined) throw this.error("ENOSYS");
      this.host.files.chdir(this.text(name));
    });
  }

  userName(uid: number): string | null {
    return this.database("/etc/passwd").find((row) => Number(row[2]) === uid)?.[0] ?? null;
  }

  groupName(gid: number): string | null {
    return this.database("/etc/group").find((row) => Number(row[2]) === gid)?.[0] ?? null;
  }

  userId(name: string): number {
    return Number(this.database("/etc/passwd").find((row) => row[0] === name)?.[2] ?? -1);
  }

  groupOfUser(): number {
    return -1;
  }

  becomeUser(): { call: string; errno: number } {
    return { call: "setgid", errno: this.E.ENOSYS };
  }

  groupId(name: string): number {
    return Number(this.database("/etc/group").find((row) => row[0] === name)?.[2] ?? -1);
  }

  /** Rows of a colon-separated database; empty where the system has none. */
  private database(path: string): string[][] {
    try {
      const bytes = this.host.files.readFile(path);
      return latin1(bytes, 0, bytes.length).split("\n").map((line) => line.split(":")).filter((row) => row.length > 2);
    } catch {
      return [];
    }
  }

  private path(name: string): NodePath {
    return (this.host.files.nodePath?.(name) ?? bytesOf(name)) as NodePath;
  }

  private text(name: number): string {
    const end = this.memory.u8.indexOf(0, name);
    return this.memory.readLatin1(name, end - name);
  }

  private pathOf(dirfd: number): string | null {
    if (dirfd === this.constants.AT.FDCWD) return ".";
    return this.files.get(dirfd)?.path ?? null;
  }

  /** The path of `name` relative to a descriptor. An unknown descriptor gives a path that cannot exist. */
  private join(dirfd: number, name: string): string {
    if (name.startsWith("/") || name === "" || dirfd === this.constants.AT.FDCWD) return name;
    return (this.pathOf(dirfd) ?? "/dev/null") + "/" + name;
  }

  private at(dirfd: number, name: number, call: (path: NodePath) => number | void): number {
    const path = this.join(dirfd, this.text(name));
    return this.attempt(() => call(this.path(path)));
  }

  private writeAll(fd: number, ptr: number, byteLength: number, offset: number): number {
    return this.attempt(() => {
      let done = 0;
      while (done < byteLength) {
        const most = Math.min(byteLength - done, WRITE_BYTES);
        done += this.fs.writeSync(fd, this.memory.u8, ptr + done, most, offset < 0 ? null : offset + done);
      }
      return done;
    });
  }

  private isSeekable(fd: number): boolean {
    return (Number(this.fs.fstatSync(fd, { bigint: true }).mode) & S_IFMT) === S_IFREG;
  }

  /** A time as node:fs takes it. Negative seconds would be read as "now", so they go as a Date, to the millisecond. */
  private seconds(seconds: number, nsec: number, old: bigint | undefined): number | Date {
    if (nsec === -1) return this.host.now() / 1000;
    const time = nsec === -2 ? Number(old) / 1e9 : seconds + nsec / 1e9;
    return time < 0 ? new Date(time * 1000) : time;
  }

  private error(code: string): Error {
    return Object.assign(new Error(code), { code });
  }

  /** Runs a call of node:fs; an error becomes -errno. */
  private attempt(call: () => number | void): number {
    try {
      return call() ?? 0;
    } catch (error) {
      const { code, errno, name } = error as { code?: string; errno?: number; name: string };
      // A runtime with permissions of its own says no without an error code.
      if (name === "NotCapable") return -this.E.EACCES;
      const known = code === undefined ? undefined : this.E[code];
      if (known !== undefined) return -known;
      return errno === undefined || errno === 0 ? -this.E.EIO : -Math.abs(errno);
    }
  }
}

function fill(stat: StatRecord, from: BigStats): void {
  stat.mode = Number(from.mode);
  stat.size = Number(from.size);
  [stat.mtime, stat.mtimeNsec] = splitTime(from.mtimeNs);
  [stat.atime, stat.atimeNsec] = splitTime(from.atimeNs);
  [stat.ctime, stat.ctimeNsec] = splitTime(from.ctimeNs);
  stat.uid = Number(from.uid);
  stat.gid = Number(from.gid);
  stat.nlink = Number(from.nlink);
  stat.blocks = Number(from.blocks);
  [stat.devLo, stat.devHi] = halves(from.dev);
  [stat.inoLo, stat.inoHi] = halves(from.ino);
  const [lo, hi] = halves(from.rdev);
  stat.rdevMajor = majorOf(lo, hi);
  stat.rdevMinor = minorOf(lo, hi);
}

function halves(value: bigint): [number, number] {
  return [Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn)];
}

/** Seconds, rounded down, and nanoseconds, never negative, as in struct timespec. */
function splitTime(total: bigint): [number, number] {
  const nsec = ((total % 1000000000n) + 1000000000n) % 1000000000n;
  return [Number((total - nsec) / 1000000000n), Number(nsec)];
}
