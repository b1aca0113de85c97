/**
 * Where a walk of the source finds its directories, and the roots that a walk has met. roles/sourceroots.ts is what a
 * run uses for the directories: it decides which symlinks may be followed on the way.
 */
import { ExitCode, UsageError } from "../errors.ts";
import { cleanName } from "../filter/paths.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { WireLimit } from "../protocol/constants.ts";

/** A directory that arguments are relative to: what upstream changes into (F_PATHNAME). */
export interface TransferRoot {
  /** Absolute path. */
  readonly path: string;
  /** The path as the user gave it, cleaned. */
  readonly given: string;
  /** Descriptor for at-calls, possibly without the right to read. */
  readonly fd: number;
}

/** Directories by root and path. Descriptors are -errno when a directory cannot be reached. */
export interface WalkRoots {
  /** Opens a root by its absolute path; the descriptor lives as long as the roots do. */
  open(path: string): number;
  /**
   * `path` below a root is an argument, which may lead through symlinks. `entered`: to its contents, so that it may be
   * a symlink itself.
   */
  name(root: TransferRoot, path: string, entered: boolean): void;
  /** The descriptor of directory `dir` ("" for the root), held here. */
  dirFd(root: TransferRoot, dir: string): number;
  /** A readable descriptor of directory `dir`, for the caller to close. */
  list(root: TransferRoot, dir: string): number;
  /**
   * Where symlinks may not be followed everywhere: a path's directory, for the caller to close, and its name, both
   * behind the path's last symlinks; -errno when those lead where they may not, which is told unless `silent`.
   */
  readonly pin:
    | ((root: TransferRoot, path: string, silent: boolean) => { readonly fd: number; readonly name: string } | number)
    | null;
  close(): void;
}

/** The roots of one walk, and the names of files below the present one for calls by directory and name. */
export class RootSet {
  /** Column `pathRoot` of a row is an index here. Root 0 is the working directory. */
  readonly all: TransferRoot[] = [];
  /** Index of the present root. */
  index = 0;
  /** Address of the last element of the path that `locate` was given last. */
  namePtr = 0;
  private readonly fs: FileSystem;
  private readonly dirs: WalkRoots;
  private readonly cwd: string;
  private readonly ids = new Map<string, number>();
  private readonly pathPtr: number;

  /** `cwd`: absolute. */
  constructor(fs: FileSystem, dirs: WalkRoots, cwd: string) {
    this.fs = fs;
    this.dirs = dirs;
    this.cwd = cwd;
    this.pathPtr = fs.memory.alloc(WireLimit.path + 1);
  }

  get present(): TransferRoot {
    return this.all[this.index];
  }

  /** Makes `dir` (null: the working directory) the present root: its index, or -errno. */
  use(dir: string | null): number {
    const path = dir === null ? this.cwd : cleanName(dir.startsWith("/") ? dir : `${this.cwd}/${dir}`)!;
    let index = this.ids.get(path);
    if (index === undefined) {
      const fd = this.dirs.open(path);
      if (fd < 0) return fd;
      index = this.all.push({ path, given: dir === null ? path : cleanName(dir)!, fd }) - 1;
      this.ids.set(path, index);
    }
    this.index = index;
    return index;
  }

  /** The descriptor of the directory of a path below the present root, or -errno. */
  locate(path: string): number {
    if (path.length > WireLimit.path) throw new UsageError("a path longer than 4096 bytes", ExitCode.malloc);
    const slash = path.lastIndexOf("/");
    const dirFd = this.dirs.dirFd(this.present, slash < 0 ? "" : slash === 0 ? "/" : path.slice(0, slash));
    this.fs.memory.writeCString(this.pathPtr, path);
    this.namePtr = this.pathPtr + slash + 1;
    return dirFd;
  }

  close(): void {
    this.dirs.close();
    this.fs.memory.release(this.pathPtr);
  }
}
