/**
 * A directory that an operator's paths must not leave: --confine-root, a daemon's module. It is known by its inode, and
 * a directory lies inside when climbing from it by ".." meets that inode, so neither names nor symlinks matter.
 * Upstream syscall.c:abspath_outside_confinement follows the path's text instead.
 */
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";

/** More levels than a path can name. */
const MOST_LEVELS = 4096;

/** See the head of this file. */
export class Boundary {
  /** For messages. */
  readonly path: string;
  private readonly fs: FileSystem;
  private readonly top: StatRecord = newStat();
  private readonly here: StatRecord = newStat();
  private readonly above: StatRecord = newStat();
  private readonly known: boolean;

  /** `fd`: the directory, which is not kept. Nothing lies inside one that cannot be looked at. */
  constructor(fs: FileSystem, fd: number, path: string) {
    this.fs = fs;
    this.path = path;
    this.known = this.look(fd, this.top) >= 0;
  }

  /** Is this directory the boundary or below it? AT_FDCWD stands for the working directory. */
  contains(dirFd: number): boolean {
    const { fs, here, above } = this;
    const { O } = fs.constants;
    if (!this.known || this.look(dirFd, here) < 0) return false;
    let fd = dirFd;
    let inside = sameInode(here, this.top);
    for (let level = 0; !inside && level < MOST_LEVELS; level++) {
      const parent = fs.openat(fd, fs.cstr(".."), O.PATH | O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
      if (fd !== dirFd) fs.close(fd);
      fd = parent;
      if (fd < 0 || this.look(fd, above) < 0 || sameInode(above, here)) break;
      inside = sameInode(above, this.top);
      Object.assign(here, above);
    }
    if (fd !== dirFd && fd >= 0) fs.close(fd);
    return inside;
  }

  private look(fd: number, stat: StatRecord): number {
    return this.fs.fstatat(fd, this.fs.cstr("."), stat, false);
  }
}

function sameInode(a: StatRecord, b: StatRecord): boolean {
  return a.inoLo === b.inoLo && a.inoHi === b.inoHi && a.devLo === b.devLo && a.devHi === b.devHi;
}
