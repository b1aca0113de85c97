/**
 * Setting and comparing attributes: owner, group, times, permissions, in rsync's order and with its messages.
 *
 * A regular file gets them through its descriptor before it is renamed into place; everything else by a held directory
 * and a name, never through a symlink. Upstream rsync.c:set_file_attrs, generator.c:unchanged_attrs and itemize.
 */
import { FileFlag, ItemFlag } from "../protocol/constants.ts";
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";
import { sameTime } from "./basis.ts";
import { type Confined, type Place } from "./confine.ts";
import { CHMOD_BITS, isDirectory, isRegular, isSymlink, S_ISGID, S_ISUID } from "./perms.ts";
import { type FileReporter } from "./report.ts";
import { type FileRows } from "./rows.ts";

/** How to set attributes; upstream ATTRS_*. */
export const AttrFlag = {
  /** Name the item at --info=name2, changed or not. */
  report: 1 << 0,
  skipMtime: 1 << 1,
  /** Compare times to the nanosecond whatever --modify-window says: after a transfer. */
  accurateTime: 1 << 2,
  skipAtime: 1 << 3,
} as const;

/** What was changed; upstream UPDATED_*. */
export const Updated = { owner: 1, group: 2, mtime: 4, atime: 8, mode: 16 } as const;

/** The options that attributes depend on. */
export interface AttrSettings {
  /** 1 with root's powers, 0 without, -1 with --fake-super; upstream am_root. */
  readonly amRoot: -1 | 0 | 1;
  readonly preservePerms: boolean;
  readonly preserveExecutability: boolean;
  readonly preserveUid: boolean;
  readonly preserveGid: boolean;
  readonly preserveMtimes: boolean;
  readonly preserveAtimes: boolean;
  readonly omitDirTimes: boolean;
  readonly omitLinkTimes: boolean;
  /** Seconds; see sameTime. */
  readonly modifyWindow: number;
  readonly keepDirlinks: boolean;
  /** A daemon module's "incoming chmod", or null. */
  readonly tweakMode: ((mode: number) => number) | null;
  /** --info=name2: name items under AttrFlag.report. */
  readonly nameItems: boolean;
}

/** The attributes a file is to have. `inherit` keeps a new directory's setgid bit. */
export interface WantedAttrs {
  mode: number;
  mtime: number;
  mtimeNsec: number;
  atime: number;
  uid: number;
  gid: number;
  /** FileFlag bits of the row; 0 for attributes copied from a stat. */
  flags: number;
}

/** Attributes with every field zero, to be filled by `wantRow` or `wantStat`. */
export function newWanted(): WantedAttrs {
  return { mode: 0, mtime: 0, mtimeNsec: 0, atime: 0, uid: 0, gid: 0, flags: 0 };
}

/** Takes the wanted attributes from a list row. */
function wantRow(wanted: WantedAttrs, rows: FileRows, row: number): WantedAttrs {
  wanted.mode = rows.mode[row];
  wanted.mtime = rows.mtime[row];
  wanted.mtimeNsec = rows.mtimeNsec[row];
  wanted.atime = rows.extra.atime ? rows.extra.atime[row] : 0;
  wanted.uid = rows.uid[row];
  wanted.gid = rows.gid[row];
  wanted.flags = rows.flags[row];
  return wanted;
}

/** Takes the wanted attributes from a file that is there, as a backup copy does. */
export function wantStat(wanted: WantedAttrs, stat: StatRecord): WantedAttrs {
  wanted.mode = stat.mode;
  wanted.mtime = stat.mtime;
  wanted.mtimeNsec = stat.mtimeNsec;
  wanted.atime = stat.atime;
  wanted.uid = stat.uid;
  wanted.gid = stat.gid;
  wanted.flags = 0;
  return wanted;
}

const UTIME_OMIT = -2;
const NO_ID = 0xffffffff;

/** What the calls of one file act on: a descriptor, or a held directory and a name. */
class Target {
  root: Confined;
  fd = -1;
  dirFd = -1;
  /** Address of the name, or 0 when `name` has to be written out for each call. */
  namePtr = 0;
  name = "";
  /** For messages; made from the row only when one is printed. */
  path: string | null = null;
  rows: FileRows | null = null;
  row = 0;

  constructor(root: Confined) {
    this.root = root;
  }

  label(): string {
    const path = this.path ?? this.rows!.path(this.row);
    return `"${this.root.fullName(path)}"`;
  }

  shortLabel(): string {
    return this.path ?? this.rows!.path(this.row);
  }

  ptr(fs: FileSystem): number {
    return this.namePtr !== 0 ? this.namePtr : fs.cstr(this.name);
  }
}

/** Sets attributes under one destination. */
export class Attributes {
  readonly settings: AttrSettings;
  private readonly root: Confined;
  private readonly fs: FileSystem;
  private readonly reporter: FileReporter;
  private readonly target: Target;
  private readonly wanted = newWanted();
  private readonly scratch: StatRecord = newStat();

  constructor(root: Confined, settings: AttrSettings, reporter: FileReporter) {
    this.root = root;
    this.fs = root.fs;
    this.settings = settings;
    this.reporter = reporter;
    this.target = new Target(root);
  }

  /**
   * Gives the row's file, at the row's own path, the row's attributes. `stat`: its current lstat, updated in place when
   * a call changed it, or null to have it looked up (a file just made). Returns Updated bits; failures are reported.
   */
  setRow(rows: FileRows, row: number, stat: StatRecord | null, flags: number): number {
    if (stat === null && this.root.policy.dryRun) return 1;
    const target = this.rowTarget(rows, row);
    target.dirFd = this.root.rowDirFd(rows, row);
    if (target.dirFd < 0) return this.lost(-target.dirFd);
    target.namePtr = rows.namePtr[row];
    return this.run(wantRow(this.wanted, rows, row), stat, flags);
  }

  /** As `setRow`, for a file at another place than its row's path: a single-file destination, a partial file. */
  setPlace(place: Place, rows: FileRows, row: number, stat: StatRecord | null, flags: number): number {
    if (stat === null && place.root.policy.dryRun) return 1;
    const target = this.rowTarget(rows, row);
    if (!this.aim(target, place)) return 0;
    return this.run(wantRow(this.wanted, rows, row), stat, flags);
  }

  /** As `setRow`, through an open descriptor: the temporary file before its rename. `place` is for messages. */
  setFd(fd: number, place: Place, rows: FileRows, row: number, stat: StatRecord | null, flags: number): number {
    const target = this.rowTarget(rows, row);
    target.root = place.root;
    target.path = place.path;
    target.fd = fd;
    return this.run(wantRow(this.wanted, rows, row), stat, flags);
  }

  /** Gives the file at `place` the attributes in `wanted`: backups take them from the file they copy. */
  setWanted(place: Place, wanted: WantedAttrs, stat: StatRecord | null, flags: number): number {
    const target = this.target;
    target.rows = null;
    if (!this.aim(target, place)) return 0;
    return this.run(wanted, stat, flags);
  }

  // Comparisons, as the generator and itemizing need them.

  /** Whether anything but contents would have to change. Upstream unchanged_attrs. */
  unchanged(rows: FileRows, row: number, stat: StatRecord): boolean {
    const { settings } = this;
    if (isSymlink(rows.mode[row])) {
      if (settings.preserveMtimes && !settings.omitLinkTimes && this.mtimeDiffers(rows, row, stat)) return false;
      return !this.ownershipDiffers(rows, row, stat);
    }
    if (settings.preserveMtimes && this.mtimeDiffers(rows, row, stat)) return false;
    return !this.permsDiffer(rows, row, stat) && !this.ownershipDiffers(rows, row, stat);
  }

  mtimeDiffers(rows: FileRows, row: number, stat: StatRecord): boolean {
    return !sameTime(stat.mtime, stat.mtimeNsec, rows.mtime[row], rows.mtimeNsec[row], this.settings.modifyWindow);
  }

  permsDiffer(rows: FileRows, row: number, stat: StatRecord): boolean {
    if (this.settings.preservePerms) return ((stat.mode ^ rows.mode[row]) & CHMOD_BITS) !== 0;
    return this.settings.preserveExecutability && ((stat.mode & 0o111) === 0) !== ((rows.mode[row] & 0o111) === 0);
  }

  ownershipDiffers(rows: FileRows, row: number, stat: StatRecord): boolean {
    return this.ownerDiffers(rows, row, stat) || this.groupDiffers(rows, row, stat);
  }

  ownerDiffers(rows: FileRows, row: number, stat: StatRecord): boolean {
    return this.settings.preserveUid && this.settings.amRoot !== 0 && stat.uid !== rows.uid[row];
  }

  groupDiffers(rows: FileRows, row: number, stat: StatRecord): boolean {
    return this.settings.preserveGid && (rows.flags[row] & FileFlag.skipGroup) === 0 && stat.gid !== rows.gid[row];
  }

  /**
   * Completes the item flags of a row whose file had `stat` (null: it is new). `xname` is the alternate name sent with
   * the item, "" for none. Upstream generator.c:itemize up to the sending.
   */
  itemFlags(rows: FileRows, row: number, stat: StatRecord | null, iflags: number, xname: string): number {
    if (stat === null) return (iflags | ItemFlag.isNew) & 0xffff;
    const mode = rows.mode[row];
    let flags = iflags;
    if (isRegular(mode) && rows.size[row] !== stat.size) flags |= ItemFlag.reportSize;
    flags |= this.timeFlags(rows, row, stat, iflags, xname);
    if (this.settings.preserveAtimes && !isDirectory(mode) && !isSymlink(mode) && this.atimeDiffers(rows, row, stat)) {
      flags |= ItemFlag.reportAtime;
    }
    if (!isSymlink(mode) && this.permsDiffer(rows, row, stat)) flags |= ItemFlag.reportPerms;
    if (this.ownerDiffers(rows, row, stat)) flags |= ItemFlag.reportOwner;
    if (this.groupDiffers(rows, row, stat)) flags |= ItemFlag.reportGroup;
    return flags & 0xffff;
  }

  private timeFlags(rows: FileRows, row: number, stat: StatRecord, iflags: number, xname: string): number {
    const { settings } = this;
    const mode = rows.mode[row];
    if (rows.flags[row] & FileFlag.timeFailed) {
      return iflags & ItemFlag.localChange ? ItemFlag.reportTimeFail | ItemFlag.reportTime : 0;
    }
    const omitted = isDirectory(mode) ? settings.omitDirTimes : isSymlink(mode) ? settings.omitLinkTimes : false;
    if (settings.preserveMtimes && !omitted) return this.mtimeDiffers(rows, row, stat) ? ItemFlag.reportTime : 0;
    // The time is not kept, so a file that is written anew gets another one.
    const written = (iflags & (ItemFlag.transfer | ItemFlag.localChange)) !== 0 && (iflags & ItemFlag.matched) === 0;
    const named = (iflags & ItemFlag.xnameFollows) !== 0 && xname === "";
    return written && !named ? ItemFlag.reportTime : 0;
  }

  private atimeDiffers(rows: FileRows, row: number, stat: StatRecord): boolean {
    return !sameTime(rows.extra.atime ? rows.extra.atime[row] : 0, 0, stat.atime, 0, this.settings.modifyWindow);
  }

  // The setting itself.

  private rowTarget(rows: FileRows, row: number): Target {
    const { target } = this;
    target.root = this.root;
    target.rows = rows;
    target.row = row;
    target.path = null;
    target.fd = -1;
    target.dirFd = -1;
    target.namePtr = 0;
    return target;
  }

  private aim(target: Target, place: Place): boolean {
    target.root = place.root;
    target.path = place.path;
    target.fd = -1;
    target.namePtr = 0;
    target.dirFd = place.root.locate(place.path);
    target.name = place.root.located;
    if (target.dirFd >= 0) return true;
    this.lost(-target.dirFd);
    return false;
  }

  private lost(errno: number): number {
    this.reporter.failed("errorXfer", errno, `stat ${this.target.label()} failed`);
    return 0;
  }

  private run(wanted: WantedAttrs, known: StatRecord | null, flags: number): number {
    const { settings } = this;
    const stat = known ?? this.scratch;
    if (known === null) {
      if (this.target.root.policy.dryRun) return 1;
      const result = this.restat(stat, false);
      if (result < 0) return this.lost(-result);
    }
    const inherit = !settings.preservePerms && (known === null || (wanted.flags & FileFlag.dirCreated) !== 0);
    let mode = wanted.mode;
    if (inherit && isDirectory(mode) && stat.mode & S_ISGID) mode |= S_ISGID;
    if (settings.tweakMode && !isSymlink(mode)) mode = settings.tweakMode(mode);
    const owner = this.setOwner(wanted, stat);
    if (owner < 0) return 0;
    const times = this.setTimes(wanted, stat, flags);
    if (times < 0) return owner;
    const permissions = this.setMode(mode, stat);
    const updated = owner | times | Math.max(permissions, 0);
    if (permissions >= 0 && flags & AttrFlag.report && settings.nameItems) this.nameItem(updated);
    return updated;
  }

  private nameItem(updated: number): void {
    const path = this.target.shortLabel();
    this.reporter.print("client", updated ? path : `${path} is uptodate`);
  }

  /** Updated bits, or -1 after a reported failure, which ends the work on this file. */
  private setOwner(wanted: WantedAttrs, stat: StatRecord): number {
    const { settings, target } = this;
    const changeUid = settings.amRoot !== 0 && settings.preserveUid && stat.uid !== wanted.uid;
    const changeGid = settings.preserveGid && !(wanted.flags & FileFlag.skipGroup) && stat.gid !== wanted.gid;
    if (!changeUid && !changeGid) return 0;
    if (settings.amRoot >= 0) {
      const uid = changeUid ? wanted.uid : stat.uid;
      const gid = changeGid ? wanted.gid : stat.gid;
      const result = this.chown(uid, gid);
      if (result < 0) {
        this.reporter.failed("errorXfer", -result, `${changeUid ? "chown" : "chgrp"} ${target.label()} failed`);
        return -1;
      }
      if (changeUid && uid === NO_ID) this.impossible("uid");
      if (changeGid && gid === NO_ID) this.impossible("gid");
      // chown clears these bits behind our back.
      if (stat.mode & (S_ISUID | S_ISGID)) this.restat(stat, settings.keepDirlinks);
    }
    return (changeUid ? Updated.owner : 0) | (changeGid ? Updated.group : 0);
  }

  private impossible(what: "uid" | "gid"): void {
    this.reporter.print("errorXfer", `${what} 4294967295 (-1) is impossible to set on ${this.target.label()}`);
  }

  /** Updated bits, or -1 after a reported failure. */
  private setTimes(wanted: WantedAttrs, stat: StatRecord, flags: number): number {
    const { settings, target } = this;
    const isDir = isDirectory(stat.mode);
    if ((settings.omitDirTimes && isDir) || (settings.omitLinkTimes && isSymlink(stat.mode))) return 0;
    const window = flags & AttrFlag.accurateTime ? -1 : settings.modifyWindow;
    const setM = settings.preserveMtimes && !(flags & AttrFlag.skipMtime)
      && !sameTime(wanted.mtime, wanted.mtimeNsec, stat.mtime, stat.mtimeNsec, window);
    const setA = settings.preserveAtimes && !isDir && !(flags & AttrFlag.skipAtime)
      && ((flags & AttrFlag.accurateTime) !== 0 || !sameTime(stat.atime, 0, wanted.atime, 0, settings.modifyWindow));
    if (!setM && !setA) return 0;
    if (isSymlink(stat.mode) && !this.fs.capabilities.symlinkTimes) return this.noLinkTime();
    const result = this.utimens(wanted, setM, setA);
    if (result < 0) {
      this.reporter.failed("errorXfer", -result, `failed to set times on ${target.label()}`);
      return -1;
    }
    return (setM ? Updated.mtime : 0) | (setA ? Updated.atime : 0);
  }

  private noLinkTime(): number {
    const { rows, row } = this.target;
    if (rows) rows.flags[row] |= FileFlag.timeFailed;
    return 0;
  }

  /** Updated bits, or -1 after a reported failure. A symlink has no mode of its own here. */
  private setMode(mode: number, stat: StatRecord): number {
    if (((stat.mode ^ mode) & CHMOD_BITS) === 0 || isSymlink(mode)) return 0;
    const result = this.settings.amRoot < 0 ? 0 : this.chmod(mode);
    if (result >= 0) return Updated.mode;
    this.reporter.failed("errorXfer", -result, `failed to set permissions on ${this.target.label()}`);
    return -1;
  }

  // One system call each, on whatever the target is.

  private restat(stat: StatRecord, follow: boolean): number {
    const { fs, target } = this;
    if (target.fd >= 0) return fs.fstat(target.fd, stat);
    if (follow && isDirectory(stat.mode)) return target.root.stat(target.shortLabel(), stat);
    return fs.fstatat(target.dirFd, target.ptr(fs), stat, false);
  }

  private chown(uid: number, gid: number): number {
    const { fs, target } = this;
    if (target.root.policy.dryRun) return 0;
    if (target.fd >= 0) return fs.fchown(target.fd, uid, gid);
    return fs.lchownat(target.dirFd, target.ptr(fs), uid, gid);
  }

  private utimens(wanted: WantedAttrs, setM: boolean, setA: boolean): number {
    const { fs, target } = this;
    if (target.root.policy.dryRun) return 0;
    const atimeNsec = setA ? 0 : UTIME_OMIT;
    const mtimeNsec = setM ? wanted.mtimeNsec : UTIME_OMIT;
    if (target.fd >= 0) return fs.futimens(target.fd, wanted.atime, atimeNsec, wanted.mtime, mtimeNsec);
    return fs.utimensat(target.dirFd, target.ptr(fs), wanted.atime, atimeNsec, wanted.mtime, mtimeNsec);
  }

  private chmod(mode: number): number {
    const { fs, target } = this;
    if (target.root.policy.dryRun) return 0;
    if (target.fd >= 0) return fs.fchmod(target.fd, mode & CHMOD_BITS);
    return target.root.chmodAt(target.dirFd, target.ptr(fs), mode);
  }
}
