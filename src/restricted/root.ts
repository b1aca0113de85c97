/**
 * The restricted directory, and paths below it that are held open.
 *
 * A path that was found to end inside may lead elsewhere a moment later, when somebody exchanges one of its directories
 * for a symlink. So what was checked is opened, what was opened is checked again by its real path, and the server is
 * given /proc/self/fd/N, which stays with the opened file whatever happens to its names. Linux only.
 */
import { UsageError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";

const LINK_ROOM = 4097;
const MAX_LINKS = 40;

/** See the file's head. */
export class Root {
  readonly fs: FileSystem;
  /** Its real absolute path. */
  readonly path: string;
  /** Descriptors that the server needs. */
  readonly held: number[] = [];
  private readonly directories = new Map<string, number>();
  private readonly linkPtr: number;

  /** Throws UsageError when there is no such directory. */
  constructor(fs: FileSystem, dir: string) {
    this.fs = fs;
    this.linkPtr = fs.memory.alloc(LINK_ROOM);
    const fd = this.open(dir, fs.constants.O.PATH | fs.constants.O.DIRECTORY);
    if (fd < 0) throw new UsageError("Restricted directory does not exist!");
    this.path = this.pathOf(fd, dir);
    fs.close(fd);
  }

  /** Is there a restriction at all? */
  get isWhole(): boolean {
    return this.path === "/";
  }

  /** Is a real path the directory itself or below it? */
  contains(path: string): boolean {
    return this.isWhole || path === this.path || path.startsWith(`${this.path}/`);
  }

  /** Opens relative to the working directory, or to a held one; -errno on failure. */
  open(path: string, flags: number, at = this.fs.constants.AT.FDCWD): number {
    return this.fs.openat(at, this.fs.cstr(path === "" ? "." : path), flags | this.fs.constants.O.CLOEXEC, 0);
  }

  /** The real path of an open file. `named`: what to call it in an error. */
  pathOf(fd: number, named: string): string {
    const path = this.readLink(`/proc/self/fd/${fd}`);
    if (path === null) throw new UsageError(`post-pin readlink failed (race?): ${named}`);
    return path;
  }

  /** What a path leads to, symlinks resolved; of what does not exist, as far as it does, with the rest behind. */
  realPath(path: string, links = 0): string {
    if (links > MAX_LINKS) throw new UsageError(`too many levels of symbolic links: ${path}`);
    const fd = this.open(path, this.fs.constants.O.PATH);
    if (fd >= 0) {
      const real = this.pathOf(fd, path);
      this.fs.close(fd);
      return real;
    }
    if (path === "" || path === "/") throw new UsageError(`${path}: ${this.fs.strerror(-fd)}`);
    const { dir, leaf } = splitPath(path);
    const parent = this.realPath(dir, links);
    const below = parent === "/" ? `/${leaf}` : `${parent}/${leaf}`;
    const target = this.readLink(below);
    if (target === null) return below;
    return this.realPath(target.startsWith("/") ? target : `${parent}/${target}`, links + 1);
  }

  /** Holds an open descriptor for the server, having checked that it is inside; the name that stands for it. */
  hold(fd: number, named: string): string {
    this.check(fd, named);
    this.held.push(fd);
    return `/proc/self/fd/${fd}`;
  }

  /** Throws when an open file lies outside. Closes it then. */
  check(fd: number, named: string): void {
    const path = this.pathOf(fd, named);
    if (this.contains(path)) return;
    this.fs.close(fd);
    throw new UsageError(`post-pin path escaped tree (race?): ${named} ${path}`);
  }

  /** Holds a directory, once whatever its names; its descriptor. Search permission is enough. */
  holdDirectory(path: string, named: string): number {
    const { O } = this.fs.constants;
    const fd = this.open(path, O.PATH | O.DIRECTORY);
    if (fd < 0) throw new UsageError(`unable to pin sender path: ${named} ${this.fs.strerror(-fd)}`);
    const key = identity(this.stat(fd));
    const known = this.directories.get(key);
    if (known !== undefined) {
      this.fs.close(fd);
      return known;
    }
    this.hold(fd, named);
    this.directories.set(key, fd);
    return fd;
  }

  stat(fd: number): StatRecord {
    const stat = newStat();
    this.fs.fstat(fd, stat);
    return stat;
  }

  /** A symlink's target; null when it is none. */
  private readLink(path: string): string | null {
    const { fs, linkPtr } = this;
    const length = fs.readlinkat(fs.constants.AT.FDCWD, fs.cstr(path), linkPtr, LINK_ROOM);
    return length < 0 ? null : latin1(fs.memory.u8, linkPtr, linkPtr + length);
  }
}

/** What tells two open files apart. */
export function identity(stat: StatRecord): string {
  return [stat.devLo, stat.devHi, stat.inoLo, stat.inoHi].join(":");
}

/** A path's last name, and the directory before it ("" for the working directory). */
export function splitPath(path: string): { readonly dir: string; readonly leaf: string } {
  const bare = path.replace(/(?<=[^/])\/+$/, "");
  const slash = bare.lastIndexOf("/");
  if (slash < 0) return { dir: "", leaf: bare };
  return { dir: slash === 0 ? "/" : bare.slice(0, slash), leaf: bare.slice(slash + 1) };
}
