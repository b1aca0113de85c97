/**
 * Where the pieces of an interrupted transfer are kept: --partial-dir. A relative one lies in each file's own
 * directory, is made when needed and removed when empty; as part of a peer's path it goes by the destination's rule. An
 * absolute one is the operator's. Upstream util1.c:partial_dir_fname, handle_partial_dir.
 */
import { newStat } from "../posix/filesystem.ts";
import { type Confined, type Place } from "./confine.ts";
import { isDirectory } from "./perms.ts";

const PARTIAL_DIR_MODE = 0o700;

/** --partial-dir (or the directory of --delay-updates) for one destination. */
export class PartialDir {
  readonly dir: string;
  private readonly root: Confined;
  private readonly hidden: ((path: string, isDir: boolean) => boolean) | null;

  /**
   * `operator` resolves an absolute directory; a relative one lies below `destination`. `hidden`: what a daemon keeps
   * from its clients.
   */
  constructor(
    dir: string, operator: Confined, destination: Confined,
    hidden: ((path: string, isDir: boolean) => boolean) | null = null,
  ) {
    this.hidden = hidden;
    this.dir = dir.length > 1 ? dir.replace(/\/+$/, "") : dir;
    this.root = this.dir.startsWith("/") ? operator : destination;
  }

  /** Where the partial file of `path` lives; null where there must be none. */
  placeOf(path: string): Place | null {
    const slash = path.lastIndexOf("/");
    const prefix = this.dir.startsWith("/") ? "" : path.slice(0, slash + 1);
    const dir = prefix + this.dir;
    const file = `${dir}/${path.slice(slash + 1)}`;
    if (this.hidden?.(dir, true) || this.hidden?.(file, false)) return null;
    return { root: this.root, path: file };
  }

  /** Makes the directory of a partial file; a file in its way is removed. False when that failed. */
  make(place: Place): boolean {
    const dir = dirOf(place.path);
    const stat = newStat();
    let there = this.root.lstat(dir, stat) >= 0;
    if (there && !isDirectory(stat.mode)) {
      if (this.root.unlink(dir) < 0) return false;
      there = false;
    }
    return there || this.root.mkdir(dir, PARTIAL_DIR_MODE) >= 0;
  }

  /** Removes the directory of a partial file if it is empty. An absolute one stays. */
  removeIfEmpty(place: Place): void {
    if (!this.dir.startsWith("/")) this.root.rmdir(dirOf(place.path));
  }
}

function dirOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
