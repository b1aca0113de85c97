/**
 * The synchronous file system every role works on: libc's calls by descriptor, over linear memory.
 *
 * Conventions: names are addresses of NUL-terminated bytes in `memory`; buffers are addresses in `memory`; a call
 * returns a value >= 0 or -errno (never throws). `AT_FDCWD` is the directory of relative names without a held
 * directory. posix/libc.ts implements it over FFI, posix/nodefs.ts over node:fs where libc cannot be called; what the
 * latter cannot do returns -ENOSYS and is missing from `capabilities`.
 */
import { type LinearMemory } from "../memory.ts";
import { type Acl } from "../protocol/acl.ts";
import type { JobQueue } from "./jobqueue.ts";
import type { ListAhead } from "./listahead.ts";
import { type WireXattr } from "../protocol/xattr.ts";

/** What the file system behind the interface can do; options/ refuses what needs a missing one. */
export interface FsCapabilities {
  /** Real descriptors-at calls: openat, fstatat, renameat ... */
  readonly atCalls: boolean;
  readonly openat2: boolean;
  readonly nanoseconds: boolean;
  readonly chown: boolean;
  readonly mknod: boolean;
  readonly hardLinks: boolean;
  readonly symlinkTimes: boolean;
  readonly xattrs: boolean;
  readonly copyFileRange: boolean;
  readonly reflink: boolean;
  readonly fallocate: boolean;
}

/** Flags, modes and errno values of this operating system and processor (posix/constants.ts). */
export interface PosixConstants {
  readonly O: Readonly<Record<"RDONLY" | "WRONLY" | "RDWR" | "CREAT" | "EXCL" | "TRUNC" | "APPEND" | "NOFOLLOW"
    | "DIRECTORY" | "CLOEXEC" | "NONBLOCK" | "PATH" | "NOATIME" | "TMPFILE", number>>;
  readonly AT: Readonly<Record<"FDCWD" | "SYMLINK_NOFOLLOW" | "REMOVEDIR" | "SYMLINK_FOLLOW" | "EMPTY_PATH", number>>;
  readonly E: Readonly<Record<string, number>>;
}

/** A decoded stat record, overwritten by each call that fills it. Times in seconds and nanoseconds. */
export interface StatRecord {
  mode: number;
  size: number;
  mtime: number;
  mtimeNsec: number;
  atime: number;
  atimeNsec: number;
  ctime: number;
  ctimeNsec: number;
  uid: number;
  gid: number;
  nlink: number;
  rdevMajor: number;
  rdevMinor: number;
  /** Device and inode as low and high 32-bit halves. */
  devLo: number;
  devHi: number;
  inoLo: number;
  inoHi: number;
  /** 512-byte blocks allocated. */
  blocks: number;
  /**
   * What a higher layer has read about the same file: ACLs and extended attributes. A call that fills the record sets
   * them to null.
   */
  accessAcl: Acl | null;
  defaultAcl: Acl | null;
  xattrs: readonly WireXattr[] | null;
}

/** A call that failed, by name, and why. */
export interface FailedCall {
  readonly call: string;
  readonly errno: number;
}

/** Called once per directory entry: name bytes [ptr, ptr+length), NUL after them; type is a DT_* value or 0. */
export type DirentVisitor = (ptr: number, length: number, type: number) => void;

export interface FileSystem {
  /** Makes a queue for small files; absent where libc cannot be called. */
  readonly jobQueue?: () => JobQueue;
  /**
   * Lets a helper list directories that `readDir` will be asked for; absent where libc cannot be called. Null while
   * somebody else does so: there is one at a time.
   */
  readonly listAhead?: () => ListAhead | null;
  /** The helper that `listAhead` has given to somebody, who may share it; null without one. */
  readonly listsAhead?: ListAhead | null;
  readonly memory: LinearMemory;
  readonly capabilities: FsCapabilities;
  readonly constants: PosixConstants;
  /** Effective ids and supplementary groups of this process; `becomeUser` changes them. */
  readonly euid: number;
  readonly egid: number;
  groups(): readonly number[];

  /** Writes `name` NUL-terminated into one of a few rotating scratch slots and returns its address. */
  cstr(name: string): number;

  openat(dirfd: number, name: number, flags: number, mode: number): number;
  /** -ENOSYS without openat2. `resolve`: RESOLVE_* bits. */
  openat2(dirfd: number, name: number, flags: number, mode: number, resolve: number): number;
  close(fd: number): number;
  /** `follow` false: lstat. */
  fstatat(dirfd: number, name: number, stat: StatRecord, follow: boolean): number;
  fstat(fd: number, stat: StatRecord): number;
  /** May this user do so? `mode`: Sys.R_OK or W_OK. Follows a symlink. */
  access(dirfd: number, name: number, mode: number): boolean;
  /** Lists an open directory from its start, without "." and ".."; returns the entry count or -errno. */
  readDir(dirfd: number, visit: DirentVisitor): number;

  read(fd: number, ptr: number, byteLength: number): number;
  /**
   * Reads up to `byteLength` bytes to pieces of `pieceBytes` that begin `stride` bytes apart, the first at `ptr`, the
   * last perhaps shorter; absent where that is no single call.
   */
  readonly readv?: (fd: number, ptr: number, byteLength: number, pieceBytes: number, stride: number) => number;
  pread(fd: number, ptr: number, byteLength: number, offset: number): number;
  /** Writes all bytes unless an error stops it. */
  write(fd: number, ptr: number, byteLength: number): number;
  pwrite(fd: number, ptr: number, byteLength: number, offset: number): number;
  lseek(fd: number, offset: number, whence: number): number;
  ftruncate(fd: number, byteLength: number): number;
  fsync(fd: number): number;
  /** Up to `byteLength` bytes from `from` to `to` inside the kernel; 0 at end of file. */
  copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, byteLength: number): number;
  /** Shares all of `from`'s extents with `to` (FICLONE). */
  reflink(from: number, to: number): number;
  fallocate(fd: number, mode: number, offset: number, byteLength: number): number;

  mkdirat(dirfd: number, name: number, mode: number): number;
  unlinkat(dirfd: number, name: number, flags: number): number;
  renameat(fromDir: number, from: number, toDir: number, to: number): number;
  linkat(fromDir: number, from: number, toDir: number, to: number, flags: number): number;
  symlinkat(target: number, dirfd: number, name: number): number;
  /** Returns the target's length written at `ptr` (not terminated). */
  readlinkat(dirfd: number, name: number, ptr: number, byteLength: number): number;
  mknodat(dirfd: number, name: number, mode: number, major: number, minor: number): number;

  fchmod(fd: number, mode: number): number;
  fchmodat(dirfd: number, name: number, mode: number): number;
  fchown(fd: number, uid: number, gid: number): number;
  /** Never follows a symlink. An id of -1 leaves it alone. */
  lchownat(dirfd: number, name: number, uid: number, gid: number): number;
  /** Times in seconds and nanoseconds; nsec -2 (UTIME_OMIT) leaves that time alone. Never follows a symlink. */
  utimensat(dirfd: number, name: number, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number;
  futimens(fd: number, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number;

  // Extended attributes of `name` in the directory `fd`, a final symlink not followed, or with `name` 0 of the open
  // file `fd` itself. `attribute`: address of the attribute's name. -ENOSYS without them. A reading call with a length
  // of 0 returns the length that is needed.

  /** Names, each with its NUL, at `ptr`; their length, or -ERANGE when there is no room. */
  listXattr(fd: number, name: number, ptr: number, byteLength: number): number;
  /** `follow`: of what a symlink points at. */
  getXattr(fd: number, name: number, attribute: number, ptr: number, byteLength: number, follow?: boolean): number;
  setXattr(fd: number, name: number, attribute: number, ptr: number, byteLength: number): number;
  removeXattr(fd: number, name: number, attribute: number): number;

  umask(mask: number): number;
  chdir(name: number): number;

  /** Names from the user and group databases as names, or null; and back, -1 when unknown. */
  userName(uid: number): string | null;
  groupName(gid: number): string | null;
  userId(name: string): number;
  groupId(name: string): number;
  /** The group that the database gives a user, -1 when it does not know the id. */
  groupOfUser(uid: number): number;
  /**
   * Gives up this process's identity for another one, for good. `groupsOf`: the user whose further groups come along;
   * null for `gid` alone. Null when that is done, else the call that failed and its errno.
   */
  becomeUser(uid: number, gid: number, groupsOf: string | null): FailedCall | null;
  /** rsync's wording of an error number ("No such file or directory"). */
  strerror(errno: number): string;
}

/** A StatRecord with every field zero. */
export function newStat(): StatRecord {
  return {
    mode: 0, size: 0, mtime: 0, mtimeNsec: 0, atime: 0, atimeNsec: 0, ctime: 0, ctimeNsec: 0, uid: 0, gid: 0,
    nlink: 0, rdevMajor: 0, rdevMinor: 0, devLo: 0, devHi: 0, inoLo: 0, inoHi: 0, blocks: 0,
    accessAcl: null, defaultAcl: null, xattrs: null,
  };
}
