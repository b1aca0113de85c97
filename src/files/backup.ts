/**
 * --backup: keeping the old version of a file that is replaced or deleted, beside it with a suffix or in a tree of its
 * own (--backup-dir). Upstream backup.c.
 */
import { newStat, type StatRecord } from "../posix/filesystem.ts";
import { AttrFlag, type Attributes } from "./attrs.ts";
import { type Confined, type Place } from "./confine.ts";
import { copyFile, type CopySettings } from "./copyfile.ts";
import { type NamedDir } from "./operator.ts";
import { ACCESS_PERMS, isDevice, isDirectory, isRegular, isSpecial, isSymlink } from "./perms.ts";
import { linkPlace, renamePlace } from "./places.ts";
import { type BackupMaker, DelFlag, delForFlag, type Remover } from "./remove.ts";
import { type FileReporter, type LogCode } from "./report.ts";

/** The options that backups depend on. */
export interface BackupSettings {
  /** --backup-dir, or null to keep backups beside the originals. */
  readonly dir: NamedDir | null;
  /** --suffix; "~" by default beside, "" in a directory of its own. */
  readonly suffix: string;
  readonly amRoot: -1 | 0 | 1;
  readonly preserveLinks: boolean;
  readonly preserveDevices: boolean;
  readonly preserveSpecials: boolean;
  readonly copying: CopySettings;
  /** --safe-links: whether a symlink's target leads out of the tree; null without the option. */
  readonly unsafeSymlink: ((target: string, path: string) => boolean) | null;
  /** --info=backup, --info=symsafe, --info=nonreg. */
  readonly tellBackups: boolean;
  readonly tellUnsafe: boolean;
  readonly tellSkipped: boolean;
}

/** Upstream make_backup's results. */
const FAILED = 0;
const MOVED = 1;
const KEPT_COPY = 2;
const NOTHING = 3;

/** Keeps backups of one destination. */
export class Backups implements BackupMaker {
  private readonly root: Confined;
  private readonly settings: BackupSettings;
  private readonly attrs: Attributes;
  private readonly remover: Remover;
  private readonly reporter: FileReporter;
  errno: number;
  private dirMade = false;
  /** Directory of the last backup, which is there. */
  private readyDir = "";

  constructor(root: Confined, settings: BackupSettings, attrs: Attributes, remover: Remover, reporter: FileReporter) {
    this.root = root;
    this.settings = settings;
    this.attrs = attrs;
    this.remover = remover;
    this.reporter = reporter;
    this.errno = root.fs.constants.E.EIO;
  }

  /** Whether a deleted item at `path` is to be kept: not one that is a backup already. Upstream is_backup_file. */
  keeps(path: string): boolean {
    const { suffix, dir } = this.settings;
    return dir !== null || path.length <= suffix.length || !path.endsWith(suffix);
  }

  /** Keeps the item at `path`. 0 failed, 1 moved, 2 copied or linked, 3 nothing to keep. Upstream make_backup. */
  make(path: string, preferRename: boolean): number {
    const stat = newStat();
    if (this.root.lstat(path, stat) < 0) return NOTHING;
    const to = this.placeOf(path);
    if (to === null) return FAILED;
    const from: Place = { root: this.root, path };
    let result = this.skipsUnsafe(path, stat) ? KEPT_COPY : this.linkOrRename(from, to, preferRename, stat);
    if (result < 0) {
      const { E } = this.root.fs.constants;
      if (result === -E.EEXIST || result === -E.EISDIR) {
        if (!this.clear(to)) return FAILED;
        result = this.linkOrRename(from, to, preferRename, stat);
      }
      if (result < 0) result = this.copy(from, to, stat);
      if (result === FAILED || result === NOTHING) return result;
    }
    if (this.settings.tellBackups) this.reporter.print("info", `backed up ${path} to ${this.shown(path)}`);
    return result;
  }

  /** The place of the backup of `path`, as messages have it. */
  shown(path: string): string {
    const { dir, suffix } = this.settings;
    return dir ? dir.shown(path + suffix) : path + suffix;
  }

  /** Where the backup of `path` goes, its directories made; null (reported) when that is impossible. */
  placeOf(path: string): Place | null {
    const { dir, suffix } = this.settings;
    if (dir === null) return { root: this.root, path: path + suffix };
    if (!this.dirMade) {
      const made = dir.make();
      if (made < 0) {
        this.failed("errorXfer", made, `backup mkdir ${dir.path} failed`);
        return null;
      }
      this.dirMade = true;
    }
    const slash = path.lastIndexOf("/");
    if (slash > 0 && !this.prepare(dir, path.slice(0, slash))) return null;
    return dir.place(path + suffix);
  }

  private skipsUnsafe(path: string, stat: StatRecord): boolean {
    const { preserveLinks, unsafeSymlink, tellUnsafe } = this.settings;
    if (!preserveLinks || !unsafeSymlink || !isSymlink(stat.mode)) return false;
    const target = this.root.readlink(path);
    if (typeof target === "number" || target === "") {
      if (tellUnsafe) this.reporter.print("info", `not backing up symlink with unreadable target "${path}"`);
      return true;
    }
    if (!unsafeSymlink(target, path)) return false;
    if (tellUnsafe) this.reporter.print("info", `not backing up unsafe symlink "${path}" -> "${target}"`);
    return true;
  }

  /** MOVED, KEPT_COPY, or -errno when a copy has to be made. */
  private linkOrRename(from: Place, to: Place, preferRename: boolean, stat: StatRecord): number {
    const { E } = from.root.fs.constants;
    if (!preferRename) {
      const linked = linkPlace(from, to);
      if (linked >= 0) {
        this.trace("HLINK", from);
        return KEPT_COPY;
      }
      if (!isRegular(stat.mode) || linked === -E.EEXIST || linked === -E.EISDIR) return linked;
    }
    const renamed = renamePlace(from, to);
    if (renamed < 0) return renamed;
    this.trace("RENAME", from);
    // Renaming onto another link of the same file does nothing and says it succeeded.
    if (stat.nlink > 1 && !isDirectory(stat.mode)) this.remover.unlinkBusy(from.path, from.root);
    return MOVED;
  }

  /** Reports `result`, -errno, as what kept a backup from being made. */
  private failed(code: LogCode, result: number, what: string): void {
    this.errno = -result;
    this.reporter.failed(code, this.errno, what);
  }

  /** A line of --debug=backup. */
  private trace(how: string, from: Place): void {
    if (this.reporter.wants?.("BACKUP", 1)) this.reporter.print("info", `make_backup: ${how} ${from.path} successful.`);
  }

  /** Removes what stands where a backup has to go. */
  private clear(place: Place): boolean {
    const stat = newStat();
    if (place.root.lstat(place.path, stat) < 0) return true;
    const flags = delForFlag(stat.mode) | DelFlag.forBackup | DelFlag.recurse;
    return this.remover.deleteItem(place.path, stat.mode, flags, place.root) === "success";
  }

  private copy(from: Place, to: Place, stat: StatRecord): number {
    const { settings, reporter } = this;
    const toName = to.root.quoted(to.path);
    if ((settings.amRoot !== 0 && settings.preserveDevices && isDevice(stat.mode))
      || (settings.preserveSpecials && isSpecial(stat.mode))) {
      const made = to.root.mknod(to.path, stat.mode, stat.rdevMajor, stat.rdevMinor);
      if (made < 0) reporter.failed("error", -made, `mknod ${toName} failed`);
      else this.trace("DEVICE", from);
    } else if (settings.preserveLinks && isSymlink(stat.mode)) {
      const target = from.root.readlink(from.path);
      const made = typeof target === "number" ? target : to.root.symlink(target, to.path);
      if (made < 0) reporter.failed("error", -made, `link ${toName} -> "${target}"`);
      else this.trace("SYMLINK", from);
    } else if (!isRegular(stat.mode)) {
      if (settings.tellSkipped) reporter.print("info", `make_bak: skipping non-regular file ${from.path}`);
      return NOTHING;
    } else {
      const copied = copyFile(from, to, stat.mode, settings.copying, reporter);
      if (copied < 0) {
        const names = `${from.root.quoted(from.path)} -> "${this.shown(from.path)}"`;
        this.failed("error", copied, `keep_backup failed: ${names}`);
        return FAILED;
      }
      this.trace("COPY", from);
    }
    this.attrs.setLike(to, from, stat, AttrFlag.accurateTime);
    return KEPT_COPY;
  }

  /** Makes the directories of `rel` under the backup directory, each like the one its files come from. */
  private prepare(dir: NamedDir, rel: string): boolean {
    if (rel === this.readyDir) return true;
    let at = 0;
    while (at >= 0) {
      at = rel.indexOf("/", at + 1);
      if (!this.prepareOne(dir, at < 0 ? rel : rel.slice(0, at))) return false;
    }
    this.readyDir = rel;
    return true;
  }

  private prepareOne(dir: NamedDir, rel: string): boolean {
    const place = dir.place(rel);
    const stat = newStat();
    const found = place.root.lstat(place.path, stat);
    if (found >= 0 && isDirectory(stat.mode)) return true;
    if (found < 0 && found !== -this.root.fs.constants.E.ENOENT) {
      this.failed("error", found, `backup lstat ${dir.shown(rel)} failed`);
      return false;
    }
    if (found >= 0 && !this.clear(place)) return false;
    const made = place.root.mkdir(place.path, ACCESS_PERMS);
    if (made < 0) {
      this.failed("error", made, `backup mkdir ${dir.shown(rel)} failed`);
      return false;
    }
    const looked = this.root.stat(rel, stat);
    if (looked < 0) this.reporter.failed("error", -looked, `backup stat ${this.root.quoted(rel)} failed`);
    else this.attrs.setLike(place, { root: this.root, path: rel }, stat, 0);
    return true;
  }
}
