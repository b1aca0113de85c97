/**
 * The FileSystem over libc: one method a system call, names and buffers by address in linear memory.
 *
 * Invariants: no method throws; a failed call returns -errno; EINTR is retried. The native address of a linear-memory
 * offset is `base + ptr`, and `base` never changes because a shared memory grows in place. Functions are looked up in
 * the program's global scope, so that preloaded libraries see the calls. Upstream counterpart: syscall.c.
 */
import { type Ffi, type FfiFunction, type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { constantsFor, strerrorFor, Sys } from "./constants.ts";
import {
  type DirentVisitor, type FailedCall, type FileSystem, type FsCapabilities, newStat, type PosixConstants,
  type StatRecord,
} from "./filesystem.ts";
import { JobQueue } from "./jobqueue.ts";
import { type ListedDirectory, ListAhead } from "./listahead.ts";
import { LIBC_TABLE, type LibcName, MAX_IO } from "./libctable.ts";
import { NameSlots } from "./names.ts";
import {
  decodeStat, Dirent, IOVEC_BYTES, isDots, makeDevice, OPEN_HOW_BYTES, PASSWD_BYTES, PASSWD_GROUP, PASSWD_ID,
  readUint64, STAT_BYTES, type StatLayout, statLayout, TIMES_BYTES, writeInt64,
} from "./structs.ts";
import { openXattrs, type XattrCalls } from "./xattrcalls.ts";

const DIRENT_BYTES = 65536;
const DATABASE_BYTES = 4096;
const MAX_DATABASE_BYTES = 1 << 20;

/** Most pieces of one readv; the kernel takes 1024. */
const MAX_PIECES = 32;

type Libc = Record<LibcName, FfiFunction>;

/** Functions without which the libc file system is of no use; openFileSystem then takes node:fs. */
const REQUIRED: readonly LibcName[] = [
  "openat", "close", "fstatat", "fstat", "faccessat", "getdents64", "read", "pread", "write", "pwrite", "lseek",
  "ftruncate", "mkdirat", "unlinkat", "renameat", "linkat", "symlinkat", "readlinkat", "fchmod", "fchmodat", "fchown",
  "fchownat", "utimensat", "futimens", "umask", "chdir",
];

/** Makes the libc file system, or says which function is missing. Sets `memory.base`. */
export function openLibc(host: Host, memory: LinearMemory): LibcFileSystem | string {
  const ffi = host.ffi!;
  const functions = ffi.dlopen(null, LIBC_TABLE) ?? ffi.dlopen("libc.so.6", LIBC_TABLE);
  if (functions === null) return "the C library cannot be opened";
  const missing = REQUIRED.find((name) => functions[name] === undefined);
  if (missing !== undefined) return `the C library has no ${missing}`;
  memory.base = ffi.addressOf(memory.u8);
  return new LibcFileSystem(host, ffi, functions as Libc, memory);
}

/** See FileSystem. Owns a few small regions of linear memory for the life of the process. */
class LibcFileSystem implements FileSystem {
  readonly memory: LinearMemory;
  readonly capabilities: FsCapabilities;
  readonly constants: PosixConstants;
  readonly strerror: (errno: number) => string;
  euid: number;
  egid: number;
  private readonly host: Host;
  private readonly c: Libc;
  private readonly ffi: Ffi;
  private readonly base: number;
  private readonly layout: StatLayout;
  private readonly names: NameSlots;
  private readonly statPtr: number;
  private readonly timesPtr: number;
  private readonly howPtr: number;
  private readonly iovPtr: number;
  private readonly xattrs: XattrCalls | null;
  /** Where buffers that outlive a caller lie, whatever `memory` a wrapper of this object shows. */
  private readonly home: LinearMemory;
  private readonly direntPtrs: number[] = [];
  private readDirDepth = 0;
  listsAhead: ListAhead | null = null;
  /** The entry at hand of a directory that was listed ahead: its directory, name and struct stat. */
  private aheadFd = -1;
  private aheadName = 0;
  private aheadStat = 0;
  private readonly E: Readonly<Record<string, number>>;

  constructor(host: Host, ffi: Ffi, functions: Libc, memory: LinearMemory) {
    this.memory = this.home = memory;
    this.host = host;
    this.ffi = ffi;
    this.c = functions;
    this.base = memory.base;
    this.layout = statLayout(host.arch);
    this.constants = constantsFor(host.os, host.arch);
    this.E = this.constants.E;
    this.strerror = strerrorFor(host.os);
    this.names = new NameSlots(memory);
    this.statPtr = memory.alloc(STAT_BYTES);
    this.timesPtr = memory.alloc(TIMES_BYTES);
    this.howPtr = memory.alloc(OPEN_HOW_BYTES);
    this.iovPtr = memory.alloc(MAX_PIECES * IOVEC_BYTES);
    this.xattrs = openXattrs(functions, {
      memory, constants: this.constants,
      errno: () => ffi.errno(),
      openPlain: (fd, name) => this.openPlain(fd, name),
      close: (fd) => void this.close(fd),
      hasProc: () => this.fstatat(this.constants.AT.FDCWD, this.cstr("/proc/self/fd"), newStat(), true) >= 0,
    });
    this.euid = functions.geteuid() >>> 0;
    this.egid = functions.getegid() >>> 0;
    this.capabilities = {
      atCalls: true, openat2: functions.syscall !== undefined, nanoseconds: true, chown: true,
      mknod: functions.mknodat !== undefined, hardLinks: true, symlinkTimes: true, xattrs: this.xattrs !== null,
      copyFileRange: functions.copy_file_range !== undefined, reflink: functions.ioctl !== undefined,
      fallocate: functions.fallocate !== undefined,
    };
  }

  jobQueue(): JobQueue {
    return new JobQueue(this.host, this.home, this.c);
  }

  listAhead(): ListAhead | null {
    if (this.listsAhead !== null) return null;
    this.listsAhead = new ListAhead(this.host, this.home, () => (this.listsAhead = null));
    return this.listsAhead;
  }

  groups(): readonly number[] {
    const count = this.c.getgroups(0, 0);
    if (count <= 0) return [];
    const ptr = this.memory.alloc(count * 4);
    const got = this.c.getgroups(count, this.base + ptr);
    const ids = Array.from(this.memory.u32.subarray(ptr >>> 2, (ptr >>> 2) + Math.max(0, got)));
    this.memory.release(ptr);
    return ids;
  }

  cstr(name: string): number {
    return this.names.put(name);
  }

  openat(dirfd: number, name: number, flags: number, mode: number): number {
    let fd: number;
    do fd = this.result(this.c.openat(dirfd, this.base + name, flags, mode)); while (fd === -this.E.EINTR);
    return fd;
  }

  openat2(dirfd: number, name: number, flags: number, mode: number, resolve: number): number {
    if (!this.capabilities.openat2) return -this.E.ENOSYS;
    const how = this.howPtr;
    writeInt64(this.memory, how, flags);
    writeInt64(this.memory, how + 8, mode);
    writeInt64(this.memory, how + 16, resolve);
    let fd: number;
    do {
      const at = this.base + name;
      fd = this.result(this.c.syscall(Sys.SYS_openat2, dirfd, at, this.base + how, OPEN_HOW_BYTES, 0, 0));
    } while (fd === -this.E.EINTR);
    return fd;
  }

  close(fd: number): number {
    return this.result(this.c.close(fd));
  }

  fstatat(dirfd: number, name: number, stat: StatRecord, follow: boolean): number {
    if (name === this.aheadName && dirfd === this.aheadFd && !follow) {
      decodeStat(this.memory, this.layout, this.aheadStat, stat);
      return 0;
    }
    const flags = follow ? 0 : this.constants.AT.SYMLINK_NOFOLLOW;
    if (this.c.fstatat(dirfd, this.base + name, this.base + this.statPtr, flags) !== 0) return -this.ffi.errno();
    decodeStat(this.memory, this.layout, this.statPtr, stat);
    return 0;
  }

  fstat(fd: number, stat: StatRecord): number {
    if (this.c.fstat(fd, this.base + this.statPtr) !== 0) return -this.ffi.errno();
    decodeStat(this.memory, this.layout, this.statPtr, stat);
    return 0;
  }

  access(dirfd: number, name: number, mode: number): boolean {
    return this.c.faccessat(dirfd, this.base + name, mode, 0) === 0;
  }

  readDir(dirfd: number, visit: DirentVisitor): number {
    const listed = this.listsAhead?.take(dirfd) ?? null;
    if (listed === null && this.c.lseek(dirfd, 0, 0) < 0) return -this.ffi.errno();
    // A visitor may list another directory, so each level of nesting has its own buffer.
    const depth = this.readDirDepth++;
    const ptr = (this.direntPtrs[depth] ??= this.home.alloc(DIRENT_BYTES));
    try {
      const count = listed === null ? 0 : this.visitListed(dirfd, listed, visit);
      return listed?.complete ? count : this.visitEntries(dirfd, ptr, visit, count);
    } finally {
      this.readDirDepth--;
    }
  }

  /** Entries that a helper has listed; `fstatat` of the one at hand takes what it has found. */
  private visitListed(dirfd: number, listed: ListedDirectory, visit: DirentVisitor): number {
    const { entries, byteLength, slot } = listed;
    let at = 0;
    try {
      return this.visitBlock(entries, byteLength, (name, length, type) => {
        this.aheadFd = dirfd;
        this.aheadStat = this.listsAhead!.statOf(slot, at++);
        this.aheadName = this.aheadStat > 0 ? name : 0;
        visit(name, length, type);
      });
    } finally {
      this.aheadName = 0;
      this.listsAhead!.release(slot);
    }
  }

  private visitEntries(dirfd: number, ptr: number, visit: DirentVisitor, before: number): number {
    let count = before;
    for (;;) {
      const got = this.result(this.c.getdents64(dirfd, this.base + ptr, DIRENT_BYTES));
      if (got <= 0) return got < 0 ? got : count;
      count += this.visitBlock(ptr, got, visit);
    }
  }

  private visitBlock(ptr: number, byteLength: number, visit: DirentVisitor): number {
    const end = ptr + byteLength;
    let count = 0;
    for (let at = ptr; at < end; ) {
      const u8 = this.memory.u8;
      const recordLength = u8[at + Dirent.recordLength] | (u8[at + Dirent.recordLength + 1] << 8);
      const name = at + Dirent.name;
      // Records are padded to 8 bytes, so the terminator is among the last eight.
      let nul = Math.max(name, at + recordLength - 8);
      while (u8[nul] !== 0) nul++;
      if (!isDots(u8, name)) {
        count++;
        visit(name, nul - name, u8[at + Dirent.type]);
      }
      at += recordLength;
    }
    return count;
  }

  read(fd: number, ptr: number, byteLength: number): number {
    const most = Math.min(byteLength, MAX_IO);
    let count: number;
    do count = this.result(this.c.read(fd, this.base + ptr, most)); while (count === -this.E.EINTR);
    return count;
  }

  readv(fd: number, ptr: number, byteLength: number, pieceBytes: number, stride: number): number {
    const { memory, base, iovPtr } = this;
    const pieces = Math.min(MAX_PIECES, Math.ceil(byteLength / pieceBytes));
    for (let n = 0; n < pieces; n++) {
      const at = iovPtr + n * IOVEC_BYTES;
      writeInt64(memory, at, base + ptr + n * stride);
      writeInt64(memory, at + 8, Math.min(pieceBytes, byteLength - n * pieceBytes));
    }
    let count: number;
    do count = this.result(this.c.readv(fd, base + iovPtr, pieces)); while (count === -this.E.EINTR);
    return count;
  }

  pread(fd: number, ptr: number, byteLength: number, offset: number): number {
    const most = Math.min(byteLength, MAX_IO);
    let count: number;
    do count = this.result(this.c.pread(fd, this.base + ptr, most, offset)); while (count === -this.E.EINTR);
    return count;
  }

  write(fd: number, ptr: number, byteLength: number): number {
    let done = 0;
    while (done < byteLength) {
      const count = this.result(this.c.write(fd, this.base + ptr + done, Math.min(byteLength - done, MAX_IO)));
      if (count > 0) done += count;
      else if (count !== -this.E.EINTR) return count;
    }
    return done;
  }

  pwrite(fd: number, ptr: number, byteLength: number, offset: number): number {
    let done = 0;
    while (done < byteLength) {
      const most = Math.min(byteLength - done, MAX_IO);
      const count = this.result(this.c.pwrite(fd, this.base + ptr + done, most, offset + done));
      if (count > 0) done += count;
      else if (count !== -this.E.EINTR) return count;
    }
    return done;
  }

  lseek(fd: number, offset: number, whence: number): number {
    return this.result(this.c.lseek(fd, offset, whence));
  }

  ftruncate(fd: number, byteLength: number): number {
    return this.result(this.c.ftruncate(fd, byteLength));
  }

  fsync(fd: number): number {
    return this.result(this.c.fsync(fd));
  }

  copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, byteLength: number): number {
    if (!this.capabilities.copyFileRange) return -this.E.ENOSYS;
    const offsets = this.timesPtr;
    writeInt64(this.memory, offsets, fromOffset);
    writeInt64(this.memory, offsets + 8, toOffset);
    const at = this.base + offsets;
    return this.result(this.c.copy_file_range(from, at, to, at + 8, Math.min(byteLength, MAX_IO), 0));
  }

  reflink(from: number, to: number): number {
    if (!this.capabilities.reflink) return -this.E.ENOSYS;
    return this.result(this.c.ioctl(to, Sys.FICLONE, from));
  }

  fallocate(fd: number, mode: number, offset: number, byteLength: number): number {
    if (!this.capabilities.fallocate) return -this.E.ENOSYS;
    return this.result(this.c.fallocate(fd, mode, offset, byteLength));
  }

  mkdirat(dirfd: number, name: number, mode: number): number {
    return this.result(this.c.mkdirat(dirfd, this.base + name, mode));
  }

  unlinkat(dirfd: number, name: number, flags: number): number {
    return this.result(this.c.unlinkat(dirfd, this.base + name, flags));
  }

  renameat(fromDir: number, from: number, toDir: number, to: number): number {
    return this.result(this.c.renameat(fromDir, this.base + from, toDir, this.base + to));
  }

  linkat(fromDir: number, from: number, toDir: number, to: number, flags: number): number {
    return this.result(this.c.linkat(fromDir, this.base + from, toDir, this.base + to, flags));
  }

  symlinkat(target: number, dirfd: number, name: number): number {
    return this.result(this.c.symlinkat(this.base + target, dirfd, this.base + name));
  }

  readlinkat(dirfd: number, name: number, ptr: number, byteLength: number): number {
    return this.result(this.c.readlinkat(dirfd, this.base + name, this.base + ptr, byteLength));
  }

  mknodat(dirfd: number, name: number, mode: number, major: number, minor: number): number {
    if (!this.capabilities.mknod) return -this.E.ENOSYS;
    return this.result(this.c.mknodat(dirfd, this.base + name, mode, makeDevice(major, minor)));
  }

  fchmod(fd: number, mode: number): number {
    return this.result(this.c.fchmod(fd, mode));
  }

  fchmodat(dirfd: number, name: number, mode: number): number {
    return this.result(this.c.fchmodat(dirfd, this.base + name, mode, this.constants.AT.SYMLINK_NOFOLLOW));
  }

  fchown(fd: number, uid: number, gid: number): number {
    return this.result(this.c.fchown(fd, uid >>> 0, gid >>> 0));
  }

  lchownat(dirfd: number, name: number, uid: number, gid: number): number {
    const flags = this.constants.AT.SYMLINK_NOFOLLOW;
    return this.result(this.c.fchownat(dirfd, this.base + name, uid >>> 0, gid >>> 0, flags));
  }

  utimensat(dirfd: number, name: number, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    const times = this.base + this.putTimes(atime, atimeNsec, mtime, mtimeNsec);
    return this.result(this.c.utimensat(dirfd, this.base + name, times, this.constants.AT.SYMLINK_NOFOLLOW));
  }

  futimens(fd: number, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    return this.result(this.c.futimens(fd, this.base + this.putTimes(atime, atimeNsec, mtime, mtimeNsec)));
  }

  listXattr(fd: number, name: number, ptr: number, byteLength: number): number {
    return this.xattrs === null ? -this.E.ENOSYS : this.xattrs.list(fd, name, ptr, byteLength);
  }

  /** Opening a device may do something to it, so only what is safe to open is. */
  private openPlain(fd: number, name: number): number {
    const { O } = this.constants;
    const stat = newStat();
    const looked = this.fstatat(fd, name, stat, false);
    if (looked < 0) return looked;
    const type = stat.mode & 0o170000;
    if (type !== 0o100000 && type !== 0o040000 && type !== 0o010000) return -this.E.EOPNOTSUPP;
    return this.openat(fd, name, O.RDONLY | O.NOFOLLOW | O.NONBLOCK | O.CLOEXEC, 0);
  }

  getXattr(fd: number, name: number, attribute: number, ptr: number, byteLength: number, follow = false): number {
    return this.xattrs === null ? -this.E.ENOSYS : this.xattrs.get(fd, name, attribute, ptr, byteLength, follow);
  }

  setXattr(fd: number, name: number, attribute: number, ptr: number, byteLength: number): number {
    return this.xattrs === null ? -this.E.ENOSYS : this.xattrs.set(fd, name, attribute, ptr, byteLength);
  }

  removeXattr(fd: number, name: number, attribute: number): number {
    return this.xattrs === null ? -this.E.ENOSYS : this.xattrs.remove(fd, name, attribute);
  }

  umask(mask: number): number {
    return this.c.umask(mask);
  }

  chdir(name: number): number {
    return this.result(this.c.chdir(this.base + name));
  }

  userName(uid: number): string | null {
    return this.lookUp(this.c.getpwuid_r, uid, (struct) => this.stringAt(struct));
  }

  groupName(gid: number): string | null {
    return this.lookUp(this.c.getgrgid_r, gid, (struct) => this.stringAt(struct));
  }

  userId(name: string): number {
    return this.lookUp(this.c.getpwnam_r, this.base + this.cstr(name), (struct) => this.idAt(struct)) ?? -1;
  }

  groupId(name: string): number {
    return this.lookUp(this.c.getgrnam_r, this.base + this.cstr(name), (struct) => this.idAt(struct)) ?? -1;
  }

  groupOfUser(uid: number): number {
    return this.lookUp(this.c.getpwuid_r, uid, (struct) => this.memory.u32[(struct + PASSWD_GROUP) >>> 2]) ?? -1;
  }

  becomeUser(uid: number, gid: number, groupsOf: string | null): FailedCall | null {
    const { c, memory } = this;
    const groups = memory.alloc(4);
    memory.u32[groups >>> 2] = gid;
    const steps: [call: LibcName, ...args: number[]][] = [
      ["setgid", gid], ["setgroups", 1, this.base + groups],
      ...(groupsOf === null ? [] : [["initgroups", this.base + this.cstr(groupsOf), gid] as [LibcName, ...number[]]]),
      ["setuid", uid], ["seteuid", uid],
    ];
    let failed: FailedCall | null = null;
    for (const [call, ...args] of steps) {
      if (c[call] === undefined) failed = { call, errno: this.E.ENOSYS };
      else if (c[call](...args) < 0) failed = { call: call === "seteuid" ? "setuid" : call, errno: this.ffi.errno() };
      if (failed) break;
    }
    memory.release(groups);
    this.euid = c.geteuid() >>> 0;
    this.egid = c.getegid() >>> 0;
    return failed;
  }

  /** Runs a get*_r function on a user or group; null when there is no such entry or the database fails. */
  private lookUp<T>(call: FfiFunction | undefined, key: number, take: (struct: number) => T): T | null {
    if (call === undefined) return null;
    for (let room = DATABASE_BYTES; room <= MAX_DATABASE_BYTES; room *= 4) {
      const struct = this.memory.alloc(PASSWD_BYTES + 8 + room);
      const found = struct + PASSWD_BYTES;
      writeInt64(this.memory, found, 0);
      const errno = call(key, this.base + struct, this.base + found + 8, room, this.base + found);
      const value = errno === 0 && readUint64(this.memory, found) !== 0 ? take(struct) : null;
      this.memory.release(struct);
      if (errno !== this.E.ERANGE) return value;
    }
    return null;
  }

  /** The C string that the first field of a struct passwd or group points to; it lies in linear memory too. */
  private stringAt(struct: number): string {
    const start = readUint64(this.memory, struct) - this.base;
    return this.memory.readLatin1(start, this.memory.u8.indexOf(0, start) - start);
  }

  private idAt(struct: number): number {
    return this.memory.u32[(struct + PASSWD_ID) >>> 2];
  }

  private putTimes(atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    const ptr = this.timesPtr;
    writeInt64(this.memory, ptr, atime);
    writeInt64(this.memory, ptr + 8, nanoseconds(atimeNsec));
    writeInt64(this.memory, ptr + 16, mtime);
    writeInt64(this.memory, ptr + 24, nanoseconds(mtimeNsec));
    return ptr;
  }

  private result(value: number): number {
    return value < 0 ? -this.ffi.errno() : value;
  }
}

/** The nsec argument of FileSystem as libc's: -1 is now, -2 leaves the time alone. */
function nanoseconds(nsec: number): number {
  if (nsec >= 0) return nsec;
  return nsec === -2 ? Sys.UTIME_OMIT : Sys.UTIME_NOW;
}
