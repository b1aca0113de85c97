/**
 * Where the files go: the destination directory as a confined root, and the name of each list row in it. A transfer
 * of one file onto a given name has a `soloName` instead. Upstream main.c:get_local_name, its local_name.
 */
import { type Confined } from "../files/confine.ts";
import { type FileList } from "../flist/filelist.ts";
import { type StatRecord } from "../posix/filesystem.ts";
import { FileFlag } from "../protocol/constants.ts";

export class Destination {
  readonly root: Confined;
  readonly soloName: string | null;
  /** The directory's path, also when a dry run did not make it and `root` is another. */
  readonly directory: string;

  constructor(root: Confined, soloName: string | null, directory: string = root.rootPath) {
    this.root = root;
    this.soloName = soloName;
    this.directory = directory;
  }

  /** The row's path below the root. */
  path(list: FileList, row: number): string {
    return this.soloName ?? list.path(row);
  }

  /** The path as error messages show it, in quotes; upstream util1.c:full_fname. */
  fullName(path: string): string {
    return this.root.quoted(path);
  }

  /** lstat of the row's place, by address where it has one. */
  lstat(list: FileList, row: number, stat: StatRecord): number {
    if (this.soloName !== null) return this.root.lstat(this.soloName, stat);
    return this.root.lstatRow(list, row, stat);
  }

  isHardLinked(list: FileList, row: number): boolean {
    return row >= 0 && (list.flags[row] & FileFlag.hlinked) !== 0;
  }
}
