/**
 * The listing of one destination directory, for finding what to delete (upstream flist.c: get_dirlist).
 */
import { FileFlag, IoError } from "../protocol/constants.ts";
import type { FileSystem } from "../posix/filesystem.ts";
import { FileList, type DirNames } from "./filelist.ts";
import { RowMaker, type FilterLevel, type WalkFilters, type WalkReport } from "./makefile.ts";
import { sortAndClean } from "./clean.ts";

/** What a lister works with. */
export interface DirListerParts {
  readonly fs: FileSystem;
  /** The session's directory names, so that rows compare with those of the file list. */
  readonly dirs: DirNames;
  readonly filters: WalkFilters;
  readonly report: WalkReport;
  readonly version: number;
  readonly oneFileSystem: number;
  /** Absolute path of the destination, for messages. */
  readonly rootPath: string;
}

/** Lists directories of the destination. */
export class DirLister {
  private readonly p: DirListerParts;
  private readonly maker: RowMaker;

  constructor(parts: DirListerParts) {
    this.p = parts;
    const options = {
      dirs: true, oneFileSystem: parts.oneFileSystem, copyLinks: false, copyUnsafeLinks: false, copyDirlinks: false,
      mungeLinks: false, preserveAtimes: false,
    };
    this.maker = new RowMaker(parts.fs, options, parts.filters, parts.report);
    this.maker.rootPath = parts.rootPath;
  }

  /** io_error bits so far. */
  get ioError(): number {
    return this.maker.ioError;
  }

  /** The device that -x stays on. */
  setDevice(lo: number, hi: number): void {
    this.maker.deviceLo = lo;
    this.maker.deviceHi = hi;
  }

  /**
   * The entries of the open directory `dirFd`, whose path below the destination is `path` ("" or "." at the top),
   * sorted. `level` "server" leaves out only what the daemon hides. The caller releases the list.
   */
  list(dirFd: number, path: string, level: FilterLevel): FileList {
    const { dirs, fs, report, version } = this.p;
    const list = new FileList(fs.memory, dirs);
    const dirId = dirs.intern(path === "." ? "" : path);
    const result = fs.readDir(dirFd, (name, length) => {
      const row = this.maker.make(list, dirFd, name, name, length, dirId, FileFlag.contentDir, level, false);
      if (row >= 0 && this.maker.stat.uid === fs.euid) list.flags[row] |= FileFlag.ownedByUs;
    });
    if (result < 0) {
      this.maker.ioError |= IoError.general;
      report.sysError(`readdir(${this.maker.show(path)})`, -result);
    }
    sortAndClean(list, { version, amSender: false, incRecurse: false, stripRoot: false, pruneEmptyDirs: false });
    return list;
  }

  /** A directory could not be opened. One that is gone, or a symlink that is not followed, has nothing to list. */
  unopened(path: string, errno: number): void {
    const { fs, report } = this.p;
    const { ENOENT, ELOOP } = fs.constants.E;
    if (errno === ENOENT || errno === ELOOP) return;
    this.maker.ioError |= IoError.general;
    report.sysError(`opendir ${this.maker.show(path)} failed`, errno);
  }

  /** Frees the lister's memory. */
  close(): void {
    this.maker.release();
  }
}
