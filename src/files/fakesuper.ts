/**
 * --fake-super: what only root may give a file (owner, group, set-id bits, the types device, fifo and socket) is kept
 * in the attribute user.rsync.%stat of a plain file instead, and shows in every stat. A symlink is a plain file that
 * holds its target, since Linux gives symlinks no user attributes. Upstream xattrs.c: get_stat_xattr, set_stat_xattr;
 * syscall.c: do_mknod, do_symlink, do_readlink.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";
import { WireLimit } from "../protocol/constants.ts";
import { CHMOD_BITS, isDevice, isDirectory, isSpecial, isSymlink, S_IFMT } from "./perms.ts";
import { type FileReporter } from "./report.ts";
import { RSYNC_PREFIX, type XattrPlace } from "./xattrs.ts";

const ATTRIBUTE = `${RSYNC_PREFIX}%stat`;
const VALUE_BYTES = 256;
const ACCESS_BITS = 0o777;
const OWNER_MAY_READ_AND_WRITE = 0o600;
const OWNER_MAY_ALL = 0o700;

/** What is kept of a file. */
export interface FakeStat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
}

/** A file system that pretends. */
export interface FakeSuperFs extends FileSystem {
  /** Puts what is kept of an open file into its stat. */
  fold(fd: number, stat: StatRecord): void;
  /**
   * Keeps `wanted` for the file at `place`: in the attribute, or in the file's own stat if that will do. `chmod` sets
   * the file's own permissions; `label` is its path in quotes. False after a reported failure.
   */
  store(place: XattrPlace, wanted: FakeStat, chmod: (mode: number) => number, label: () => string): boolean;
}

/**
 * Wraps the file system of a session. The result inherits all of `real` that is not replaced here. Messages have whole
 * paths if `tellsPaths`, which a daemon's client is not to learn.
 */
export function fakeSuperFs(
  real: FileSystem, amSender: boolean, reporter: FileReporter, tellsPaths: boolean,
): FakeSuperFs {
  const files = new FakeFiles(real, amSender, reporter, tellsPaths);
  const replaced: Pick<FakeSuperFs, "fstatat" | "readlinkat" | "symlinkat" | "mknodat" | "fold" | "store"> = {
    fstatat: (dirFd, name, stat, follow) => files.fstatat(dirFd, name, stat, follow),
    readlinkat: (dirFd, name, ptr, byteLength) => files.readlinkat(dirFd, name, ptr, byteLength),
    symlinkat: (target, dirFd, name) => files.makePlain(dirFd, name, target),
    mknodat: (dirFd, name) => files.makePlain(dirFd, name, 0),
    fold: (fd, stat) => files.foldFd(fd, stat),
    store: (place, wanted, chmod, label) => files.store(place, wanted, chmod, label),
  };
  return Object.assign(Object.create(real) as FileSystem, replaced);
}

/** The replaced calls. */
class FakeFiles {
  private readonly real: FileSystem;
  private readonly amSender: boolean;
  private readonly reporter: FileReporter;
  private readonly tellsPaths: boolean;
  private readonly value: number;
  private readonly attribute: number;
  private readonly own = newStat();
  private readonly kept = newStat();

  constructor(real: FileSystem, amSender: boolean, reporter: FileReporter, tellsPaths: boolean) {
    this.real = real;
    this.amSender = amSender;
    this.reporter = reporter;
    this.tellsPaths = tellsPaths;
    this.value = real.memory.alloc(VALUE_BYTES);
    this.attribute = real.memory.alloc(ATTRIBUTE.length + 1);
    real.memory.writeCString(this.attribute, ATTRIBUTE);
  }

  fstatat(dirFd: number, name: number, stat: StatRecord, follow: boolean): number {
    const result = this.real.fstatat(dirFd, name, stat, follow);
    if (result >= 0) this.fold(dirFd, name, stat);
    return result;
  }

  foldFd(fd: number, stat: StatRecord): void {
    this.fold(fd, 0, stat);
  }

  /** The target in a plain file. A real symlink's shows on the sender; on the receiver it has to become a fake one. */
  readlinkat(dirFd: number, name: number, ptr: number, byteLength: number): number {
    const { real } = this;
    const { E, O } = real.constants;
    // An open symlink itself is asked for its target by those who resolve paths.
    if (real.memory.u8[name] === 0) return real.readlinkat(dirFd, name, ptr, byteLength);
    const fd = real.openat(dirFd, name, O.RDONLY | O.NOFOLLOW | O.CLOEXEC, 0);
    if (fd === -E.ELOOP) return this.amSender ? real.readlinkat(dirFd, name, ptr, byteLength) : 0;
    if (fd < 0) return fd;
    const count = real.read(fd, ptr, byteLength);
    real.close(fd);
    return count;
  }

  /** Makes a plain file that stands for something else; `text`: address of its contents, 0 for none. */
  makePlain(dirFd: number, name: number, text: number): number {
    const { real } = this;
    const { O } = real.constants;
    const flags = O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW | O.CLOEXEC;
    const fd = real.openat(dirFd, name, flags, OWNER_MAY_READ_AND_WRITE);
    if (fd < 0) return fd;
    const written = text === 0 ? 0 : real.write(fd, text, real.memory.u8.indexOf(0, text) - text);
    const closed = real.close(fd);
    return written < 0 ? written : closed;
  }

  store(place: XattrPlace, wanted: FakeStat, chmod: (mode: number) => number, label: () => string): boolean {
    const { kept, own, real } = this;
    const looked = place.name === 0 ? real.fstat(place.fd, own) : real.fstatat(place.fd, place.name, own, false);
    if (looked < 0) {
      this.reporter.failed("errorXfer", -looked, `failed to re-stat ${label()}`);
      return false;
    }
    Object.assign(kept, own);
    const isKept = this.fold(place.fd, place.name, kept);
    const mode = wanted.mode & (S_IFMT | CHMOD_BITS);
    const rights = isDirectory(own.mode) ? OWNER_MAY_ALL : OWNER_MAY_READ_AND_WRITE;
    const ownMode = (own.mode & S_IFMT) | (mode & ACCESS_BITS) | rights;
    if ((own.mode & (S_IFMT | CHMOD_BITS)) !== ownMode && !isSymlink(own.mode)) chmod(ownMode);
    const target = { ...wanted, mode, rdevMajor: 0, rdevMinor: 0 };
    if (isDevice(mode)) Object.assign(target, { rdevMajor: wanted.rdevMajor, rdevMinor: wanted.rdevMinor });
    if (!isDevice(own.mode)) own.rdevMajor = own.rdevMinor = 0;
    own.mode = ownMode;
    if (isSameStat(own, target)) return !isKept || this.removeKept(place, label);
    return (isKept && isSameStat(kept, target)) || this.writeKept(place, target, isSymlink(own.mode), label);
  }

  private removeKept(place: XattrPlace, label: () => string): boolean {
    const result = this.real.removeXattr(place.fd, place.name, this.attribute);
    if (result >= 0) return true;
    this.reporter.failed("errorXfer", -result, `delete of stat xattr failed for ${label()}`);
    return false;
  }

  private writeKept(place: XattrPlace, stat: FakeStat, onSymlink: boolean, label: () => string): boolean {
    const { real } = this;
    const { mode, rdevMajor, rdevMinor, uid, gid } = stat;
    const text = `${mode.toString(8)} ${rdevMajor},${rdevMinor} ${uid}:${gid}`;
    const length = real.memory.writeLatin1(this.value, text);
    const result = real.setXattr(place.fd, place.name, this.attribute, this.value, length);
    if (result >= 0 || (onSymlink && result === -real.constants.E.EPERM)) return true;
    this.reporter.failed("errorXfer", -result, `failed to write xattr ${ATTRIBUTE} for ${label()}`);
    return false;
  }

  /** Replaces in `stat` what the attribute keeps; false without one. Throws WsyncError (11) when it makes no sense. */
  private fold(fd: number, name: number, stat: StatRecord): boolean {
    const { real } = this;
    const { E } = real.constants;
    if (isDevice(stat.mode) || isSpecial(stat.mode) || isSymlink(stat.mode)) return false;
    const length = real.getXattr(fd, name, this.attribute, this.value, VALUE_BYTES - 1);
    if (length < 0) {
      const isPlain = length === -E.ENODATA || length === -E.EOPNOTSUPP || length === -E.EBADF;
      const text = `failed to read xattr ${ATTRIBUTE} for ${this.show(fd, name)}`;
      if (!isPlain) this.reporter.failed("errorXfer", -length, text);
      return false;
    }
    const text = real.memory.readLatin1(this.value, length);
    const found = /^\s*([0-7]+)\s+(-?\d+),\s*(-?\d+)\s+(-?\d+):\s*(-?\d+)/.exec(text);
    if (found === null) {
      throw new WsyncError(`Corrupt ${ATTRIBUTE} xattr attached to ${this.show(fd, name)}: "${text}"`, ExitCode.fileIo);
    }
    stat.mode = parseInt(found[1], 8) >>> 0;
    [stat.rdevMajor, stat.rdevMinor, stat.uid, stat.gid] = found.slice(2).map((word) => Number(word) >>> 0);
    return true;
  }

  private show(fd: number, name: number): string {
    const { memory } = this.real;
    const own = name === 0 ? "fd" : memory.readLatin1(name, memory.u8.indexOf(0, name) - name);
    const dir = this.tellsPaths ? this.pathOf(fd) : "";
    if (dir === "") return `"${own}"`;
    return name === 0 ? `"${dir}"` : `"${dir}/${own}"`;
  }

  /** Where an open file is; "" where the system does not tell. */
  private pathOf(fd: number): string {
    const { real } = this;
    const ptr = real.memory.alloc(WireLimit.path);
    const length = real.readlinkat(real.constants.AT.FDCWD, real.cstr(`/proc/self/fd/${fd}`), ptr, WireLimit.path);
    const path = length > 0 ? real.memory.readLatin1(ptr, length) : "";
    real.memory.release(ptr);
    return path;
  }
}

function isSameStat(a: FakeStat, b: FakeStat): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && a.rdevMajor === b.rdevMajor
    && a.rdevMinor === b.rdevMinor;
}
