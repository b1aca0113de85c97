/**
 * Setting and comparing attributes: owner, group, times, permissions, in rsync's order and with its messages.
 *
 * A regular file gets them through its descriptor before it is renamed into place; everything else by a held directory
 * and a name, never through a symlink. Upstream rsync.c:set_file_attrs, generator.c:unchanged_attrs and itemize.
 */
import { FileFlag, ItemFlag } from "../protocol/constants.ts";
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";
import { AttrTarget } from "./attrtarget.ts";
import { sameTime } from "./basis.ts";
import { type Confined, type Place } from "./confine.ts";
import { type Extras, type WantedExtras } from "./extras.ts";
import { type FakeStat, type FakeSuperFs } from "./fakesuper.ts";
import { CHMOD_BITS, isDevice, isDirectory, isRegular, isSymlink, S_ISGID, S_ISUID, S_IWUSR } from "./perms.ts";
import { type FileReporter } from "./report.ts";
import { type FileRows } from "./rows.ts";
import { type XattrFiles, type XattrPlace } from "./xattrs.ts";

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
export const Updated = { owner: 1, group: 2, mtime: 4, atime: 8, mode: 16, acls: 32 } as const;

/**
 * Where the old version of a file is whose xattrs are set: values that did not travel are taken from it. "self": the
 * file is its own old version; "none": there is no old version; null: xattrs are left alone. Upstream fnamecmp.
 */
export type XattrBasis = XattrPlace | "self" | "none" | null;

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

/** What attributes need beyond the plain calls. */
export interface AttrParts {
  /** Null without --acls and --xattrs. */
  readonly extras: Extras | null;
  /** The session's file system under --fake-super, else null. */
  readonly fake: FakeSuperFs | null;
  /** The name that the only file of a transfer goes by, else null. */
  readonly soloName: string | null;
}

const NO_PARTS: AttrParts = { extras: null, fake: null, soloName: null };

/** The attributes a file is to have. `inherit` keeps a new directory's setgid bit. */
export interface WantedAttrs extends WantedExtras, FakeStat {
  mode: number;
  mtime: number;
  mtimeNsec: number;
  atime: number;
  uid: number;
  gid: number;
  rdevMajor: number;
  rdevMinor: number;
  /** FileFlag bits of the row; 0 for attributes copied from a stat. */
  flags: number;
}

/** Attributes with every field zero, to be filled. */
function newWanted(): WantedAttrs {
  return {
    mode: 0, mtime: 0, mtimeNsec: 0, atime: 0, uid: 0, gid: 0, rdevMajor: 0, rdevMinor: 0, flags: 0, accessAcl: null,
    defaultAcl: null, xattrs: null,
  };
}

/** Takes the wanted attributes from a list row. */
function wantRow(wanted: WantedAttrs, rows: FileRows, row: number): WantedAttrs {
  const { extra } = rows;
  wanted.mode = rows.mode[row];
  wanted.mtime = rows.mtime[row];
  wanted.mtimeNsec = rows.mtimeNsec[row];
  wanted.atime = extra.atime ? extra.atime[row] : 0;
  wanted.uid = rows.uid[row];
  wanted.gid = rows.gid[row];
  wanted.rdevMajor = extra.rdevMajor ? extra.rdevMajor[row] : 0;
  wanted.rdevMinor = extra.rdevMinor ? extra.rdevMinor[row] : 0;
  wanted.flags = rows.flags[row];
  return wanted;
}

/** Takes the wanted attributes from a file that is there, as a backup copy does. */
function wantStat(wanted: WantedAttrs, stat: StatRecord): WantedAttrs {
  wanted.mode = stat.mode;
  wanted.mtime = stat.mtime;
  wanted.mtimeNsec = stat.mtimeNsec;
  wanted.atime = stat.atime;
  wanted.uid = stat.uid;
  wanted.gid = stat.gid;
  wanted.rdevMajor = stat.rdevMajor;
  wanted.rdevMinor = stat.rdevMinor;
  wanted.flags = 0;
  return wanted;
}

const UTIME_OMIT = -2;
const NO_ID = 0xffffffff;
/** Beside AttrFlag: the modification time is set even if it looks right. */
const SET_MTIME = 1 << 8;
const NO_DEVICE = { rdevMajor: 0, rdevMinor: 0 };

/** Sets attributes under one destination. */
export class Attributes {
  readonly settings: AttrSettings;
  private readonly root: Confined;
  private readonly fs: FileSystem;
  private readonly reporter: FileReporter;
  private readonly target: AttrTarget;
  private spare: AttrTarget | null = null;
  private readonly wanted = newWanted();
  private readonly scratch: StatRecord = newStat();
  /** Null without --acls and --xattrs. */
  private readonly extras: Extras | null;
  /** The session's file system under --fake-super, else null. */
  private readonly fake: FakeSuperFs | null;
  /** Rows stand at this path instead of their own. */
  private readonly soloName: string | null;

  constructor(root: Confined, settings: AttrSettings, reporter: FileReporter, parts: AttrParts = NO_PARTS) {
    this.root = root;
    this.fs = root.fs;
    this.settings = settings;
    this.reporter = reporter;
    this.target = new AttrTarget(root);
    this.extras = parts.extras;
    this.fake = parts.fake;
    this.soloName = parts.soloName;
  }

  /** How xattrs are copied with a file's contents; null without --xattrs. */
  get xattrFiles(): XattrFiles | null {
    return this.extras?.parts.xattrs ?? null;
  }

  /**
   * Gives the row's file, at the row's own path, the row's attributes. `stat`: its current lstat, updated in place when
   * a call changed it, or null to have it looked up (a file just made). Returns Updated bits; failures are reported.
   */
  setRow(rows: FileRows, row: number, stat: StatRecord | null, flags: number, basis: XattrBasis = null): number {
    if (stat === null && this.root.policy.dryRun) return 1;
    const target = this.rowTarget(rows, row);
    if (!this.aimAtRow(target)) return 0;
    return this.run(this.wantRow(rows, row), stat, flags, basis);
  }

  /** As `setRow`, for a file at another place than its row's path: a single-file destination, a partial file. */
  setPlace(
    place: Place, rows: FileRows, row: number, stat: StatRecord | null, flags: number, basis: XattrBasis = null,
  ): number {
    if (stat === null && place.root.policy.dryRun) return 1;
    const target = this.rowTarget(rows, row);
    if (!this.aim(target, place)) return 0;
    return this.run(this.wantRow(rows, row), stat, flags, basis);
  }

  /** As `setRow`, through an open descriptor: the temporary file before its rename. `place` is for messages. */
  setFd(
    fd: number, place: Place, rows: FileRows, row: number, stat: StatRecord | null, flags: number,
    basis: XattrBasis = null,
  ): number {
    const target = this.rowTarget(rows, row);
    target.root = place.root;
    target.path = place.path;
    target.fd = fd;
    return this.run(this.wantRow(rows, row), stat, flags, basis);
  }

  /** Gives the file at `place` the attributes of the one at `from`, which `stat` describes: as backups have them. */
  setLike(place: Place, from: Place, stat: StatRecord, flags: number): number {
    // No backup has been made.
    if (place.root.policy.dryRun) return 1;
    const { target, wanted } = this;
    target.rows = null;
    if (this.extras) this.load(from, stat);
    wantStat(wanted, stat);
    this.extras?.wantStat(wanted, stat);
    if (!this.aim(target, place)) return 0;
    return this.run(wanted, null, flags, null);
  }

  /**
   * Whether `setRow` would find nothing to do or to say for a regular file with `stat`, which has the row's size, and
   * `itemFlags` nothing to report. A quick no does no harm.
   */
  isAsWanted(rows: FileRows, row: number, stat: StatRecord, flags: number): boolean {
    const { settings } = this;
    if (this.extras || this.fake || this.soloName !== null) return false;
    if (settings.tweakMode || settings.preserveAtimes) return false;
    if (((stat.mode ^ rows.mode[row]) & CHMOD_BITS) !== 0 || this.ownershipDiffers(rows, row, stat)) return false;
    if (flags & AttrFlag.accurateTime || (flags & AttrFlag.report && settings.nameItems)) return false;
    return !settings.preserveMtimes || !this.mtimeDiffers(rows, row, stat);
  }

  private wantRow(rows: FileRows, row: number): WantedAttrs {
    wantRow(this.wanted, rows, row);
    this.extras?.want(this.wanted, rows, row);
    return this.wanted;
  }

  /** Gives the file at `to` the xattrs of the one at `from`, in whose likeness it was made. */
  copyXattrs(from: Place, to: Place): void {
    const files = this.extras?.parts.xattrs;
    if (!files || to.root.policy.dryRun) return;
    const source = (this.spare ??= new AttrTarget(from.root));
    source.rows = this.target.rows = null;
    if (!this.aim(source, from) || !this.aim(this.target, to)) return;
    const { fs, target } = this;
    files.copy(source.locate(fs, 0), target.locate(fs, 0), source.toLabel, target.toLabel);
  }

  // Comparisons, as the generator and itemizing need them.

  /**
   * Whether nothing but contents would have to change if the file at `place`, which `stat` describes, were the row's.
   * Upstream unchanged_attrs.
   */
  unchanged(rows: FileRows, row: number, stat: StatRecord, place: Place): boolean {
    const { settings } = this;
    const onLink = isSymlink(rows.mode[row]);
    const keepsTime = settings.preserveMtimes && !(onLink && settings.omitLinkTimes);
    if (keepsTime && this.mtimeDiffers(rows, row, stat)) return false;
    if (this.permsDiffer(rows, row, stat)) return false;
    if (this.ownershipDiffers(rows, row, stat)) return false;
    const { extras, fs, target } = this;
    if (!extras) return true;
    if (!this.aim(target, place)) return false;
    const at = target.locate(fs, stat.mode);
    extras.loadAcls(at, stat, target.toPath);
    if (!onLink && extras.aclsDiffer(rows, row, stat)) return false;
    extras.loadXattrs(at, stat, target.toLabel);
    return !extras.xattrsDiffer(rows, row, stat);
  }

  /** Reads ACLs and xattrs of the file at `place` into its stat, for later comparisons. */
  load(place: Place, stat: StatRecord): void {
    const { extras, target } = this;
    if (extras && this.aim(target, place)) this.loadExtras(extras, stat);
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
    const { extras } = this;
    if (stat === null) {
      const differs = extras?.xattrsDiffer(rows, row, null) ? ItemFlag.reportXattr : 0;
      return (iflags | ItemFlag.isNew | differs) & 0xffff;
    }
    const mode = rows.mode[row];
    let flags = iflags;
    if (isRegular(mode) && rows.size[row] !== stat.size) flags |= ItemFlag.reportSize;
    flags |= this.timeFlags(rows, row, stat, iflags, xname);
    if (this.settings.preserveAtimes && !isDirectory(mode) && !isSymlink(mode) && this.atimeDiffers(rows, row, stat)) {
      flags |= ItemFlag.reportAtime;
    }
    if (this.permsDiffer(rows, row, stat)) flags |= ItemFlag.reportPerms;
    if (this.ownerDiffers(rows, row, stat)) flags |= ItemFlag.reportOwner;
    if (this.groupDiffers(rows, row, stat)) flags |= ItemFlag.reportGroup;
    if (extras) flags |= this.extraFlags(extras, rows, row, stat);
    return flags & 0xffff;
  }

  private extraFlags(extras: Extras, rows: FileRows, row: number, stat: StatRecord): number {
    const { acls, xattrs } = extras.parts;
    const known = (stat.accessAcl !== null || acls === null) && (stat.xattrs !== null || xattrs === null);
    if (!known && this.aimAtRow(this.rowTarget(rows, row))) this.loadExtras(extras, stat);
    const acl = !isSymlink(rows.mode[row]) && extras.aclsDiffer(rows, row, stat) ? ItemFlag.reportAcl : 0;
    return extras.xattrsDiffer(rows, row, stat) ? acl | ItemFlag.reportXattr : acl;
  }

  private loadExtras(extras: Extras, stat: StatRecord): void {
    const { fs, target } = this;
    const place = target.locate(fs, stat.mode);
    extras.loadAcls(place, stat, target.toPath);
    extras.loadXattrs(place, stat, target.toLabel);
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

  private rowTarget(rows: FileRows, row: number): AttrTarget {
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

  /** Aims at the row's own place; false, reported, when its directory is not there. */
  private aimAtRow(target: AttrTarget): boolean {
    const rows = target.rows!;
    if (this.soloName !== null) return this.aim(target, { root: this.root, path: this.soloName });
    target.dirFd = this.root.rowDirFd(rows, target.row);
    if (target.dirFd < 0) {
      this.lost(-target.dirFd);
      return false;
    }
    target.namePtr = rows.namePtr[target.row];
    return true;
  }

  private aim(target: AttrTarget, place: Place): boolean {
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

  private run(wanted: WantedAttrs, known: StatRecord | null, flags: number, basis: XattrBasis): number {
    const { settings, target, extras } = this;
    const stat = known ?? this.scratch;
    if (known === null) {
      if (target.root.policy.dryRun) return 1;
      const result = this.restat(stat, false);
      if (result < 0) return this.lost(-result);
    }
    const inherit = !settings.preservePerms && (known === null || (wanted.flags & FileFlag.dirCreated) !== 0);
    let mode = wanted.mode;
    if (inherit && isDirectory(mode) && stat.mode & S_ISGID) mode |= S_ISGID;
    if (settings.tweakMode && !isSymlink(mode)) mode = settings.tweakMode(mode);
    if (extras && !isSymlink(wanted.mode)) extras.loadAcls(target.locate(this.fs, stat.mode), stat, target.toPath);
    const owner = this.setOwner(wanted, stat);
    if (owner < 0) return 0;
    if (this.fake) this.storeFake(this.fake, wanted, stat, mode);
    if (basis !== null && wanted.xattrs !== null && this.setXattrs(wanted, stat, basis)) flags |= SET_MTIME;
    const times = this.setTimes(wanted, stat, flags);
    if (times < 0) return owner;
    const acls = extras && !isSymlink(mode) ? this.setAcls(extras, wanted, stat, mode) : 0;
    const permissions = this.setMode(mode, stat);
    const updated = owner | times | acls | Math.max(permissions, 0);
    if (permissions >= 0 && flags & AttrFlag.report && settings.nameItems) this.nameItem(updated);
    return updated;
  }

  private setAcls(extras: Extras, wanted: WantedAttrs, stat: StatRecord, mode: number): number {
    const { fs, target } = this;
    return extras.setAcls(target.locate(fs, stat.mode), wanted, stat, mode, target) > 0 ? Updated.acls : 0;
  }

  /** True when something was set, which changes the file's time on some systems. */
  private setXattrs(wanted: WantedAttrs, stat: StatRecord, basis: Exclude<XattrBasis, null>): boolean {
    const { fs, settings, target, extras } = this;
    const files = extras?.parts.xattrs;
    if (!files || target.root.policy.dryRun) return false;
    const place = target.locate(fs, stat.mode);
    // User attributes of a file can only be set by who may write it.
    const opens = settings.amRoot === 0 && fs.euid !== 0 && stat.uid === fs.euid && !(stat.mode & S_IWUSR)
      && !isSymlink(stat.mode) && this.chmod(stat.mode | S_IWUSR) >= 0;
    const from = basis === "self" ? place : basis === "none" ? null : basis;
    const changed = files.apply(place, wanted.xattrs!, from, target.toLabel);
    if (opens) this.chmod(stat.mode);
    return changed;
  }

  /** --fake-super: keeps the row's owner, mode and device in an attribute; owners that are not preserved stay. */
  private storeFake(fake: FakeSuperFs, wanted: WantedAttrs, stat: StatRecord, mode: number): void {
    const { fs, settings, target } = this;
    if (target.root.policy.dryRun) return;
    const uid = settings.preserveUid ? wanted.uid : stat.uid;
    const gid = settings.preserveGid ? wanted.gid : stat.gid;
    const { rdevMajor, rdevMinor } = isDevice(mode) ? wanted : NO_DEVICE;
    const place = target.locate(fs, stat.mode);
    fake.store(place, { mode, uid, gid, rdevMajor, rdevMinor }, (bits) => this.chmod(bits), target.toLabel);
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
    if (this.reporter.wants?.("OWN", 1)) {
      const path = target.shortLabel();
      if (changeUid) this.reporter.print("info", `set uid of ${path} from ${stat.uid} to ${wanted.uid}`);
      if (changeGid) this.reporter.print("info", `set gid of ${path} from ${stat.gid} to ${wanted.gid}`);
    }
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
      // chown clears these bits behind our back, but what else is known of the file stays true.
      if (stat.mode & (S_ISUID | S_ISGID)) {
        const { accessAcl, defaultAcl, xattrs } = stat;
        this.restat(stat, settings.keepDirlinks);
        Object.assign(stat, { accessAcl, defaultAcl, xattrs });
      }
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
    const setM = settings.preserveMtimes && !(flags & AttrFlag.skipMtime) && ((flags & SET_MTIME) !== 0
      || !sameTime(wanted.mtime, wanted.mtimeNsec, stat.mtime, stat.mtimeNsec, window));
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
    if (target.fd >= 0) {
      const result = fs.fstat(target.fd, stat);
      if (this.fake && result >= 0) this.fake.fold(target.fd, stat);
      return result;
    }
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
