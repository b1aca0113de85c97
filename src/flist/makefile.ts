/**
 * One file of the disk as a row: stat, symlink policy, filters (upstream flist.c: make_file, readlink_stat, link_stat).
 *
 * The sender makes its list with it, the generator the listings it compares for deletion. A file is named by a held
 * directory and the address of a NUL-terminated name, so that nothing here makes a string while there are no filters
 * and nothing goes wrong.
 */
import { FileFlag, IoError, WireLimit } from "../protocol/constants.ts";
import { Sys } from "../posix/constants.ts";
import { newStat, type FileSystem, type StatRecord } from "../posix/filesystem.ts";
import type { DirNames, FileList } from "./filelist.ts";
import { MUNGE_PREFIX } from "./munge.ts";

/** File type bits of a mode. */
export const FileType = {
  mask: 0o170000,
  socket: 0o140000,
  symlink: 0o120000,
  regular: 0o100000,
  block: 0o060000,
  directory: 0o040000,
  character: 0o020000,
  fifo: 0o010000,
} as const;

/** Which filters a name has to pass: none, the daemon's, or all. */
export type FilterLevel = "none" | "server" | "all";

/** The part of src/filter that a walk needs; see filter/mergefiles.ts. */
export interface WalkFilters {
  /** True when no name can be excluded: names need not be made. */
  readonly isEmpty: boolean;
  isExcluded(path: string, isDir: boolean, level: "server" | "all"): boolean;
  /** Enters a directory's merge files; the token goes back to `pop`. */
  push(dir: string): unknown;
  pop(token: unknown): void;
  /** Enters a directory at a depth, leaving deeper ones; null leaves all. */
  changeDir(dir: string | null, depth: number): void;
  /** Sets the absolute path that directories are relative to. */
  setRoot(path: string): void;
  /** Perishable rules do not count (while a directory is being deleted). */
  readonly ignorePerishable: boolean;
  /** Counts a name that stays although perishable rules are ignored. */
  notePerishable(): void;
}

/** Where a walk's messages go; the texts are rsync's. */
export interface WalkReport {
  /** An error line that ends in an errno's text and number ("rsync: [sender] TEXT: STRERROR (ERRNO)"). */
  sysError(text: string, errno: number): void;
  /** An error line (FERROR_XFER). */
  error(text: string): void;
  warning(text: string): void;
  /** FINFO. */
  info(text: string): void;
  /** An info line of --info=mount or --info=symsafe, level 1. */
  detail(word: "mount" | "symsafe", text: string): void;
  /** Told of the steps, for --debug; absent when nobody asks. */
  readonly trace?: WalkTrace;
  /** Tells the receiver of new io_error bits at once (MSG_IO_ERROR). */
  ioError(bits: number): void;
}

/** What --debug=flist, chdir and hlink tell of a walk. */
export interface WalkTrace {
  /** A row is made. */
  made(path: string, level: FilterLevel): void;
  /** Names are relative to this directory from now on. */
  entered(path: string): void;
  /** Row `ndx` is a hard link to row `first`; `here`: of the same list. */
  linked(ndx: number, first: number, here: boolean): void;
  /** A hard link is on a device that none was on before. */
  device(devLo: number, devHi: number): void;
  /** Row `ndx` is the first with this inode. */
  inode(ndx: number, stat: StatRecord): void;
}

/** Settings of a walk, named as in options/options.ts. */
export interface MakeOptions {
  /** xfer_dirs: directories are listed. */
  dirs: boolean;
  readonly oneFileSystem: number;
  copyLinks: boolean;
  readonly copyUnsafeLinks: boolean;
  readonly copyDirlinks: boolean;
  readonly mungeLinks: boolean;
  /** Leave out what this user may not read. */
  readonly ignoreNonreadable?: boolean;
  /** For --atimes and --crtimes columns. */
  readonly preserveAtimes: boolean;
  /** --copy-devices: makes a device's stat record that of a file with its contents. */
  readonly deviceAsFile?: (dirFd: number, name: number, stat: StatRecord, path: string) => void;
}

/** Where a path leads, as WalkRoots.pin tells it. */
export type PinTarget = (path: string, silent: boolean) => { readonly fd: number; readonly name: string } | number;

/** Makes rows. After `make`, `stat` and `linkLength` describe the file the row was made of. */
export class RowMaker {
  readonly fs: FileSystem;
  readonly options: MakeOptions;
  readonly filters: WalkFilters;
  readonly report: WalkReport;
  readonly stat: StatRecord = newStat();
  /** Address of the last symlink's target, `linkLength` bytes. */
  readonly linkPtr: number;
  linkLength = 0;
  /** io_error bits so far. */
  ioError = 0;
  /** Device of the argument being walked, for -x. */
  deviceLo = 0;
  deviceHi = 0;
  /** Absolute path of the directory that paths are relative to, for messages. */
  rootPath = "/";
  /** How a path is shown in messages (util1.c:full_fname). */
  readonly fullName: (rootPath: string, path: string) => string;
  /** Where the last file was looked up: behind the symlink that it is, where those are pinned. */
  placeFd = -1;
  placeName = 0;
  /** The path of the file at hand, made when something asks for it: a closure a file would be dear. */
  private readonly path = (): string => this.pathAtHand();
  private dirs: DirNames | null = null;
  private dirId = 0;
  private base = 0;
  private baseLength = 0;
  private readonly other: StatRecord = newStat();
  private readonly pin: PinTarget | null;
  /** The directory that was pinned last, and the name in it. */
  private pinnedFd = -1;
  private readonly pinnedName: number;

  /** `pin`: where a path below the present root leads; null when the system may follow symlinks by itself. */
  constructor(
    fs: FileSystem, options: MakeOptions, filters: WalkFilters, report: WalkReport,
    fullName: (rootPath: string, path: string) => string = quotedPath, pin: PinTarget | null = null,
  ) {
    this.pin = pin;
    this.pinnedName = pin === null ? 0 : fs.memory.alloc(WireLimit.path);
    this.fs = fs;
    this.options = options;
    this.filters = filters;
    this.report = report;
    this.fullName = fullName;
    this.linkPtr = fs.memory.alloc(WireLimit.path + MUNGE_PREFIX.length);
  }

  release(): void {
    this.fs.memory.release(this.linkPtr);
    if (this.pin === null) return;
    this.fs.memory.release(this.pinnedName);
    if (this.pinnedFd >= 0) this.fs.close(this.pinnedFd);
  }

  /** A path in quotes for a message. */
  show(path: string): string {
    return this.fullName(this.rootPath, path);
  }

  /**
   * Stats a name into `stat`, following it when the options say so; a symlink that stays one has its target at
   * `linkPtr`. Returns 0 or -errno.
   */
  readlinkStat(dirFd: number, name: number, path: () => string): number {
    const { fs, options, stat } = this;
    this.linkLength = 0;
    const result = this.linkStat(dirFd, name, stat, options.copyDirlinks, path);
    if (result < 0) return result;
    if ((stat.mode & FileType.mask) !== FileType.symlink) return 0;
    const length = fs.readlinkat(dirFd, name, this.linkPtr, WireLimit.path - 1);
    if (length < 0) return length;
    this.linkLength = length;
    if (options.copyUnsafeLinks && isUnsafeSymlink(this.linkText(), path())) {
      this.report.detail("symsafe", `copying unsafe symlink "${path()}" -> "${this.linkText()}"`);
      this.linkLength = 0;
      return this.statTarget(dirFd, name, stat, path);
    }
    if (options.mungeLinks && this.linkText().startsWith(MUNGE_PREFIX) && length > MUNGE_PREFIX.length) {
      fs.memory.u8.copyWithin(this.linkPtr, this.linkPtr + MUNGE_PREFIX.length, this.linkPtr + length);
      this.linkLength = length - MUNGE_PREFIX.length;
    }
    return 0;
  }

  /** stat or lstat as the options ask; `followDirLinks`: a symlink to a directory counts as the directory. */
  linkStat(dirFd: number, name: number, stat: StatRecord, followDirLinks: boolean, path: () => string): number {
    const { fs, other } = this;
    this.placeFd = dirFd;
    this.placeName = name;
    if (this.options.copyLinks) return this.statTarget(dirFd, name, stat, path);
    const result = fs.fstatat(dirFd, name, stat, false);
    if (result < 0 || !followDirLinks || (stat.mode & FileType.mask) !== FileType.symlink) return result;
    const target = this.statTarget(dirFd, name, other, path, true);
    if (target >= 0 && (other.mode & FileType.mask) === FileType.directory) {
      Object.assign(stat, other);
      return 0;
    }
    this.placeFd = dirFd;
    this.placeName = name;
    return target < 0 && this.isRefusedDirectory(dirFd, name) ? this.statTarget(dirFd, name, other, path) : 0;
  }

  /** Where symlinks are pinned: does one that was refused lead to a directory? Then it cannot pass for a symlink. */
  private isRefusedDirectory(dirFd: number, name: number): boolean {
    const { fs, other, pin } = this;
    return pin !== null && fs.fstatat(dirFd, name, other, true) >= 0
      && (other.mode & FileType.mask) === FileType.directory;
  }

  /** stat of what a name leads to. */
  private statTarget(dirFd: number, name: number, stat: StatRecord, path: () => string, silent = false): number {
    const { fs } = this;
    if (this.pin === null) return fs.fstatat(dirFd, name, stat, true);
    const result = fs.fstatat(dirFd, name, stat, false);
    if (result < 0 || (stat.mode & FileType.mask) !== FileType.symlink) return result;
    const pinned = this.pin(path(), silent);
    if (typeof pinned === "number") return pinned;
    if (this.pinnedFd >= 0) fs.close(this.pinnedFd);
    this.pinnedFd = this.placeFd = pinned.fd;
    this.placeName = this.pinnedName;
    fs.memory.writeCString(this.pinnedName, pinned.name);
    return fs.fstatat(pinned.fd, this.pinnedName, stat, false);
  }

  /**
   * Adds a row for the file `statName` of `dirFd`, or reports why not. `base` and `baseLength`: its last element;
   * `dirId`: its directory in the list. `given`: `stat` is filled already and no symlink. Returns the row or -1.
   */
  make(
    list: FileList, dirFd: number, statName: number, base: number, baseLength: number, dirId: number, flags: number,
    level: FilterLevel, given: boolean,
  ): number {
    const { stat, path } = this;
    this.dirs = list.dirs;
    this.dirId = dirId;
    this.base = base;
    this.baseLength = baseLength;
    if (given) {
      this.linkLength = 0;
      this.placeFd = dirFd;
      this.placeName = statName;
    } else {
      const result = this.readlinkStat(dirFd, statName, path);
      if (result < 0) return this.refuse(-result, dirFd, statName, path(), level);
      if (stat.mode === 0) return this.bogus(path());
    }
    let rowFlags = flags & 0xffff;
    if (level !== "none") {
      rowFlags = this.admit(path, rowFlags, level);
      if (rowFlags < 0 || !this.isReadable(this.placeFd, this.placeName)) return -1;
    }
    if (this.report.trace) this.report.trace.made(path(), level);
    if (this.options.deviceAsFile && isDevice(stat.mode)) {
      this.options.deviceAsFile(this.placeFd, this.placeName, stat, path());
    }
    const row = list.addRow();
    list.setName(row, this.fs.memory.u8, base, base + baseLength);
    list.dir[row] = dirId;
    this.fill(list, row, rowFlags);
    return row;
  }

  private pathAtHand(): string {
    const dir = this.dirs!.names[this.dirId];
    const name = this.fs.memory.readLatin1(this.base, this.baseLength);
    return dir === "" ? name : dir === "/" ? "/" + name : dir + "/" + name;
  }

  /** Directory options and filters; the row's flags, or -1 when the file is left out. */
  private admit(path: () => string, flags: number, level: "server" | "all"): number {
    const { filters, stat } = this;
    const isDir = (stat.mode & FileType.mask) === FileType.directory;
    if (!isDir) {
      flags &= ~FileFlag.contentDir;
    } else if (!this.options.dirs) {
      this.report.info(`skipping directory ${path()}`);
      return -1;
    } else if (this.options.oneFileSystem > 0 && this.crossesMount(flags)) {
      if (this.options.oneFileSystem > 1) {
        this.report.detail("mount", `skipping mount-point dir ${path()}`);
        return -1;
      }
      flags = (flags | FileFlag.mountDir) & ~FileFlag.contentDir;
    }
    if (filters.isEmpty || !filters.isExcluded(path(), isDir, level)) return flags;
    if (filters.ignorePerishable) filters.notePerishable();
    return -1;
  }

  private isReadable(dirFd: number, name: number): boolean {
    const isLink = (this.stat.mode & FileType.mask) === FileType.symlink;
    return !this.options.ignoreNonreadable || isLink || this.fs.access(dirFd, name, Sys.R_OK);
  }

  /** -x: a directory of another device below a root of the transfer. */
  private crossesMount(flags: number): boolean {
    const other = this.stat.devLo !== this.deviceLo || this.stat.devHi !== this.deviceHi;
    return other && (flags & (FileFlag.contentDir | FileFlag.topDir)) === FileFlag.contentDir;
  }

  /** Reports that the directory of a path cannot be reached, as a failed stat. Always -1. */
  unreachable(errno: number, path: string, level: FilterLevel): number {
    return this.refuse(errno, -1, 0, path, level);
  }

  /** Reports a failed stat, unless filters hide the name anyway. `dirFd` is -1 without a directory. Always -1. */
  private refuse(errno: number, dirFd: number, name: number, path: string, level: FilterLevel): number {
    const { filters, report, options } = this;
    const ENOENT = this.fs.constants.E.ENOENT;
    if (level !== "none" && !filters.isEmpty
      && (filters.isExcluded(path, false, level) || filters.isExcluded(path, true, level))) {
      if (filters.ignorePerishable && errno !== ENOENT) filters.notePerishable();
      return -1;
    }
    if (errno !== ENOENT) {
      this.ioError |= IoError.general;
      report.sysError(`readlink_stat(${this.show(path)}) failed`, errno);
      return -1;
    }
    const follows = options.copyLinks || options.copyUnsafeLinks || options.copyDirlinks;
    if (follows && dirFd >= 0 && this.fs.fstatat(dirFd, name, this.other, false) >= 0
      && (this.other.mode & FileType.mask) === FileType.symlink) {
      this.ioError |= IoError.general;
      report.error(`symlink has no referent: ${this.show(path)}`);
      return -1;
    }
    this.ioError |= IoError.vanished;
    report.warning(`file has vanished: ${this.show(path)}`);
    return -1;
  }

  private bogus(path: string): number {
    this.ioError |= IoError.general;
    this.report.info(`skipping file with bogus (zero) st_mode: ${this.show(path)}`);
    return -1;
  }

  /** Copies the stat record into the row. Devices and specials have no size. */
  private fill(list: FileList, row: number, flags: number): void {
    const { stat } = this;
    const type = stat.mode & FileType.mask;
    if (type !== FileType.regular && type !== FileType.directory && type !== FileType.symlink) stat.size = 0;
    if (stat.mtimeNsec > WireLimit.nsec) stat.mtimeNsec = 0;
    list.mode[row] = stat.mode;
    list.size[row] = stat.size;
    list.mtime[row] = stat.mtime;
    list.mtimeNsec[row] = stat.mtimeNsec;
    list.uid[row] = stat.uid;
    list.gid[row] = stat.gid;
    list.flags[row] = flags | (stat.mtimeNsec !== 0 ? FileFlag.modNsec : 0);
    if (this.options.preserveAtimes && type !== FileType.directory) list.want("atime")[row] = stat.atime;
    if (isDevice(type)) {
      list.want("rdevMajor")[row] = stat.rdevMajor;
      list.want("rdevMinor")[row] = stat.rdevMinor;
    }
    if (type === FileType.symlink) list.setLinkTarget(row, this.fs.memory.u8, this.linkPtr, this.linkLength);
  }

  private linkText(): string {
    return this.fs.memory.readLatin1(this.linkPtr, this.linkLength);
  }
}

function isDevice(mode: number): boolean {
  const type = mode & FileType.mask;
  return type === FileType.character || type === FileType.block;
}

/** A path in double quotes, absolute (util1.c:full_fname outside a daemon). */
export function quotedPath(rootPath: string, path: string): string {
  if (path.startsWith("/")) return `"${path}"`;
  return rootPath === "/" ? `"/${path}"` : `"${rootPath}/${path}"`;
}

/**
 * Does a symlink at `source` (relative to the transfer root) point outside it? Absolute and empty targets do, as do
 * targets that climb too high at any point or hold ".." behind a name (util1.c:unsafe_symlink).
 */
export function isUnsafeSymlink(target: string, source: string): boolean {
  if (target === "" || target.startsWith("/")) return true;
  if (target.replace(/^(?:\.\.\/+)+/, "").includes("/../")) return true;
  if (target.length > 3 && target.endsWith("/..")) return true;
  let depth = sourceDepth(source);
  const elements = target.split("/");
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i];
    const isLast = i === elements.length - 1;
    if (element === "..") depth--;
    else if (!isLast && element !== "." && element !== "") depth++;
    if (depth < 0) return true;
  }
  return false;
}

/** Directories above a path; a ".." starts the count over. */
function sourceDepth(source: string): number {
  const elements = source.split("/");
  let depth = 0;
  for (const element of elements.slice(0, -1)) {
    if (element === "..") depth = 0;
    else if (element !== "." && element !== "") depth++;
  }
  return elements[elements.length - 1] === ".." ? 0 : depth;
}
