/**
 * Carrying renames over to a destination on this machine: the old name there becomes the new one, under the same
 * confinement as every other change, so that no byte is copied. What the options make of a deletion or a replacement
 * must be what a rename makes of it, else the round does it in its own way.
 */
import { type Options } from "../options/options.ts";
import { type Confined } from "../files/confine.ts";
import { openRoot, operatorPaths } from "../files/operator.ts";
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";
import { type Rename } from "./dirtytrie.ts";
import { isDirectory } from "./sources.ts";

/** May a rename stand for a deletion and a new file under these options? */
export function mayCarryRenames(options: Options): boolean {
  const plain = options.filters.every(({ kind }) => kind === "exclude" || kind === "include");
  return options.deleteMode && !options.backup && options.maxDelete === null && plain && !options.existing
    && !options.ignoreExisting && options.basisDirs.length === 0 && !options.keepDirlinks;
}

/** Renames below one destination, in order. */
export class Renamer {
  private readonly root: Confined | number;
  private readonly stat: StatRecord = newStat();
  private broken = false;

  /** Opens the destination; when it cannot be opened nothing is carried. */
  constructor(fs: FileSystem, destination: string, cwd: string) {
    const operator = operatorPaths(fs, cwd);
    this.root = typeof operator === "number" ? operator : openRoot(operator, destination, { links: "beneath" });
    if (typeof operator !== "number") operator.close();
  }

  /**
   * Carries one rename over; true when it is done. After one that could not be, later ones are left alone: they may
   * stand on it.
   */
  carry({ from, to, isDir }: Rename): boolean {
    const { root, stat } = this;
    if (typeof root === "number" || this.broken) return false;
    const isThere = root.lstat(from, stat) >= 0 && isDirectory(stat) === isDir;
    const blocked = isThere && root.lstat(to, stat) >= 0 && isDirectory(stat) !== isDir;
    if (!isThere || blocked || root.rename(from, to) < 0) {
      this.broken = true;
      return false;
    }
    return true;
  }

  close(): void {
    if (typeof this.root !== "number") this.root.close();
  }
}
