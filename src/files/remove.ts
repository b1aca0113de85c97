/**
 * Deleting: single items, whole directories, and making way for an item of another type. Upstream delete.c.
 *
 * What a filter protects stays, and so does the directory that holds it. Items go in the reverse of list order, as
 * rsync reports them.
 */
import { newStat, type StatRecord } from "../posix/filesystem.ts";
import { type Confined } from "./confine.ts";
import {
  isDevice, isDirectory, isRegular, isSpecial, isSymlink, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG,
  S_IFSOCK, S_IWUSR,
} from "./perms.ts";
import { type FileReporter } from "./report.ts";

/** Upstream DEL_*. The `for...` flags say that room is made for an item of that type. */
export const DelFlag = {
  noUidWrite: 1 << 0,
  recurse: 1 << 1,
  dirIsEmpty: 1 << 2,
  forFile: 1 << 3,
  forDir: 1 << 4,
  forSymlink: 1 << 5,
  forDevice: 1 << 6,
  forSpecial: 1 << 7,
  forBackup: 1 << 8,
  makeRoom: (1 << 3) | (1 << 4) | (1 << 5) | (1 << 6) | (1 << 7),
} as const;

/** Upstream enum delret. */
export type DelResult = "success" | "failure" | "at-limit" | "not-empty";

/** What protects files from deletion, with merge files read on the way down. */
export interface DeleteFilter {
  /** Enters a directory about to be emptied (upstream push_local_filters); the result goes to `leave`. */
  enter(dir: string): unknown;
  leave(saved: unknown): void;
  /** True when a rule that is not perishable keeps the item. */
  isProtected(path: string, isDir: boolean): boolean;
}

/** Keeps a copy of what is deleted; backup.ts implements it. */
export interface BackupMaker {
  /** 0 failed, 1 moved away, 2 copied or linked (the original is still there), 3 nothing to keep. */
  make(path: string, preferRename: boolean): number;
  /** Why the last one failed. */
  readonly errno: number;
  /** Whether deleted items are kept at all: not those that are themselves backups. */
  keeps(path: string): boolean;
}

/** The options that deleting depends on. */
export interface RemoveSettings {
  /** Upstream am_root. */
  readonly amRoot: -1 | 0 | 1;
  /** --max-delete; -1 for no limit. */
  readonly maxDelete: number;
  readonly oneFileSystem: boolean;
  /** Protocol 29 on sorts a directory's files before its subdirectories. */
  readonly filesFirst: boolean;
  /** Permissions of what is deleted are told, so that they have to be looked up. */
  readonly wholeModes?: boolean;
}

/** Deletions so far, for --stats and --max-delete. `files` counts every kind. Upstream stats.deleted_*. */
export interface DeleteCounts {
  files: number;
  dirs: number;
  symlinks: number;
  devices: number;
  specials: number;
  /** Refused because of --max-delete. */
  skipped: number;
}

interface Entry {
  readonly name: string;
  /** File type, and permissions where they were looked up. */
  mode: number;
  mount: boolean;
  mine: boolean;
}

const MODE_OF_DT: Readonly<Record<number, number>> = {
  1: S_IFIFO, 2: S_IFCHR, 4: S_IFDIR, 6: S_IFBLK, 8: S_IFREG, 10: S_IFLNK, 12: S_IFSOCK,
};
const MAX_BUSY_NAMES = 1000;

/** The flag that says for what room is made. Upstream get_del_for_flag. */
export function delForFlag(mode: number): number {
  if (isRegular(mode)) return DelFlag.forFile;
  if (isDirectory(mode)) return DelFlag.forDir;
  if (isSymlink(mode)) return DelFlag.forSymlink;
  return isDevice(mode) ? DelFlag.forDevice : DelFlag.forSpecial;
}

/** Deletes under one destination. */
export class Remover {
  readonly counts: DeleteCounts = { files: 0, dirs: 0, symlinks: 0, devices: 0, specials: 0, skipped: 0 };
  /** Something in a directory could not be looked at; its errors are the sender's io_error for what is deleted next. */
  sawError = false;
  /** Set when --backup is on. */
  backups: BackupMaker | null = null;
  /** Hears of each deletion that counts (not of making room). Upstream log_delete. */
  onDeleted: (path: string, mode: number) => void = () => {};
  private readonly root: Confined;
  private readonly settings: RemoveSettings;
  private readonly filter: DeleteFilter;
  private readonly reporter: FileReporter;
  private busyCounter = 1;

  constructor(root: Confined, settings: RemoveSettings, filter: DeleteFilter, reporter: FileReporter) {
    this.root = root;
    this.settings = settings;
    this.filter = filter;
    this.reporter = reporter;
  }

  /**
   * Deletes an item whose lstat mode is `mode`; a directory with its contents if `flags` has DelFlag.recurse. Failures
   * are reported. `root` is another one for things outside the destination. Upstream delete_item.
   */
  deleteItem(path: string, mode: number, flags: number, root: Confined = this.root): DelResult {
    if (this.reporter.wants?.("DEL", 2)) {
      this.reporter.print("info", `delete_item(${path}) mode=${mode.toString(8)} flags=${flags}`);
    }
    if (flags & DelFlag.noUidWrite) root.chmod(path, mode | S_IWUSR);
    let result: DelResult = "success";
    if (isDirectory(mode) && !(flags & DelFlag.dirIsEmpty)) result = this.emptyDir(path, flags, root);
    if (result === "success") {
      if (!(flags & DelFlag.makeRoom) && this.atLimit()) return "at-limit";
      result = this.removeOne(path, mode, flags, root);
    }
    if (result !== "success" && flags & DelFlag.makeRoom) this.noRoom(path, flags);
    return result;
  }

  private atLimit(): boolean {
    if (this.settings.maxDelete < 0 || this.counts.files < this.settings.maxDelete) return false;
    this.counts.skipped++;
    return true;
  }

  /** Removes one name that is not, or no longer, a directory with contents. */
  private removeOne(path: string, mode: number, flags: number, root: Confined): DelResult {
    const { E } = root.fs.constants;
    let what = isDirectory(mode) ? "rmdir" : "unlink";
    let result: number;
    if (isDirectory(mode)) result = root.rmdir(path);
    else if (this.backups && !(flags & DelFlag.forBackup) && this.backups.keeps(path)) {
      const kept = this.backups.make(path, true);
      what = kept === 2 ? "unlink" : "make_backup";
      result = kept === 0 ? -this.backups.errno : kept === 2 ? this.unlinkBusy(path, root) : 0;
    } else result = this.unlinkBusy(path, root);
    if (result >= 0) {
      if (!(flags & DelFlag.makeRoom)) this.count(path, mode);
      return "success";
    }
    if (isDirectory(mode) && (result === -E.ENOTEMPTY || result === -E.EEXIST)) {
      this.reporter.print("info", `cannot delete non-empty directory: ${path}`);
      return "not-empty";
    }
    if (result === -E.ENOENT) return "success";
    this.reporter.failed("errorXfer", -result, `delete_file: ${what}(${path}) failed`);
    return "failure";
  }

  private count(path: string, mode: number): void {
    const { counts } = this;
    counts.files++;
    if (isDirectory(mode)) counts.dirs++;
    else if (isSymlink(mode)) counts.symlinks++;
    else if (isDevice(mode)) counts.devices++;
    else if (isSpecial(mode)) counts.specials++;
    this.onDeleted(path, mode);
  }

  private noRoom(path: string, flags: number): void {
    const kind = flags & DelFlag.forFile ? "regular file"
      : flags & DelFlag.forDir ? "directory"
      : flags & DelFlag.forSymlink ? "symlink"
      : flags & DelFlag.forDevice ? "device file" : "special file";
    const age = flags & DelFlag.forBackup ? "backup" : "new";
    this.reporter.print("errorXfer", `could not make way for ${age} ${kind}: ${path}`);
  }

  /** Empties a directory, or without DelFlag.recurse only looks whether it is empty. Upstream delete_dir_contents. */
  private emptyDir(path: string, flags: number, root: Confined): DelResult {
    if (this.reporter.wants?.("DEL", 3)) this.reporter.print("info", `delete_dir_contents(${path}) flags=${flags}`);
    const saved = this.filter.enter(path);
    const { entries, keptSome } = this.list(path, root);
    let notEmpty = keptSome || (entries.length > 0 && !(flags & DelFlag.recurse));
    if (flags & DelFlag.recurse) {
      const inner = (flags & ~(DelFlag.recurse | DelFlag.makeRoom | DelFlag.noUidWrite)) | DelFlag.dirIsEmpty;
      for (let i = entries.length - 1; i >= 0; i--) {
        if (!this.deleteEntry(path, entries[i], inner, root)) notEmpty = true;
      }
    }
    this.filter.leave(saved);
    if (!notEmpty) return "success";
    this.reporter.print("info", `cannot delete non-empty directory: ${path}`);
    return "not-empty";
  }

  private deleteEntry(dir: string, entry: Entry, flags: number, root: Confined): boolean {
    const path = dir === "/" ? `/${entry.name}` : `${dir}/${entry.name}`;
    if (entry.mount) {
      if (this.reporter.wants?.("DEL", 1)) {
        this.reporter.print("info", `mount point, ${path}, pins parent directory`);
      }
      return false;
    }
    if (entry.mine && !(entry.mode & S_IWUSR) && this.settings.amRoot === 0) root.chmod(path, entry.mode | S_IWUSR);
    let gone = true;
    if (isDirectory(entry.mode)) gone = this.emptyDir(path, flags | DelFlag.recurse, root) === "success";
    return this.deleteItem(path, entry.mode, flags, root) === "success" && gone;
  }

  /** A directory's unprotected entries in list order. */
  private list(path: string, root: Confined): { entries: Entry[]; keptSome: boolean } {
    const { fs } = root;
    const found: Entry[] = [];
    const fd = root.openDirectory(path);
    if (fd < 0) {
      if (fd !== -fs.constants.E.ENOENT) this.unreadable(path, -fd, root);
      return { entries: found, keptSome: false };
    }
    const parent = newStat();
    if (this.settings.oneFileSystem) fs.fstat(fd, parent);
    const count = fs.readDir(fd, (ptr, length, type) => {
      found.push({ name: fs.memory.readLatin1(ptr, length), mode: MODE_OF_DT[type] ?? 0, mount: false, mine: false });
    });
    if (count < 0) this.unreadable(path, -count, root);
    const seen = found.filter((entry) => this.lookAt(fd, path, entry, parent, root));
    fs.close(fd);
    return this.protect(path, seen);
  }

  private unreadable(path: string, errno: number, root: Confined): void {
    this.reporter.failed("errorXfer", errno, `opendir ${root.quoted(path)} failed`);
  }

  /** Fills in what the directory listing does not tell and deleting needs. False for what cannot be reached. */
  private lookAt(dirFd: number, dir: string, entry: Entry, parent: StatRecord, root: Confined): boolean {
    const { amRoot, wholeModes, oneFileSystem } = this.settings;
    // An ordinary user gives itself write permission first, also to a file: a backup keeps it.
    const isRoot = amRoot !== 0 && root.fs.euid === 0;
    const known = entry.mode !== 0 && isRoot && !(isDirectory(entry.mode) && oneFileSystem);
    if (known && !wholeModes) return true;
    const { fs } = root;
    const stat = newStat();
    const result = fs.fstatat(dirFd, fs.cstr(entry.name), stat, false);
    if (result < 0) {
      if (result === -fs.constants.E.ENOENT) return true;
      this.sawError = true;
      const name = root.quoted(dir === "" ? entry.name : `${dir}/${entry.name}`);
      this.reporter.failed("errorXfer", -result, `readlink_stat(${name}) failed`);
      return false;
    }
    entry.mode = stat.mode;
    entry.mine = stat.uid === fs.euid;
    entry.mount = this.settings.oneFileSystem && isDirectory(stat.mode)
      && (stat.devLo !== parent.devLo || stat.devHi !== parent.devHi);
    return true;
  }

  private protect(path: string, found: Entry[]): { entries: Entry[]; keptSome: boolean } {
    const prefix = path === "." || path === "" ? "" : path === "/" ? "/" : `${path}/`;
    const entries = found.filter((entry) => !this.filter.isProtected(prefix + entry.name, isDirectory(entry.mode)));
    entries.sort((a, b) => compareEntries(a, b, this.settings.filesFirst));
    if (this.reporter.wants?.("FLIST", 2)) {
      for (const { name } of entries) this.reporter.print("info", `[generator] make_file(${prefix}${name},*,2)`);
    }
    return { entries, keptSome: entries.length < found.length };
  }

  /** Unlinks; a program that is being executed where that is forbidden is renamed away. Upstream robust_unlink. */
  unlinkBusy(path: string, root: Confined = this.root): number {
    const { E } = root.fs.constants;
    const result = root.unlink(path);
    if (result !== -E.ETXTBSY) return result;
    const dir = path.slice(0, path.lastIndexOf("/") + 1);
    const stat = newStat();
    const start = this.busyCounter;
    let name: string;
    do {
      name = `${dir}.rsync${String(this.busyCounter).padStart(3, "0")}`;
      this.busyCounter = this.busyCounter + 1 >= MAX_BUSY_NAMES ? 1 : this.busyCounter + 1;
    } while (root.lstat(name, stat) >= 0 && this.busyCounter !== start);
    this.reporter.print("warning", `renaming ${path} to ${name} because of text busy`);
    return root.rename(path, name) < 0 ? result : 0;
  }
}

/** List order of a directory's entries: bytewise, directories as if their names ended in a slash. */
function compareEntries(a: Entry, b: Entry, filesFirst: boolean): number {
  const aDir = isDirectory(a.mode);
  const bDir = isDirectory(b.mode);
  if (filesFirst && aDir !== bDir) return aDir ? 1 : -1;
  const aName = filesFirst && aDir ? `${a.name}/` : a.name;
  const bName = filesFirst && bDir ? `${b.name}/` : b.name;
  return aName < bName ? -1 : aName > bName ? 1 : 0;
}
