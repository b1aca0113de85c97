/**
 * Directories: made before their contents, their times and permissions put right afterwards. Upstream
 * generator.c:recv_generator (the is_dir part), touch_up_dirs.
 */
import { type Attributes } from "../files/attrs.ts";
import { type Place } from "../files/confine.ts";
import { destMode, isDirectory, S_IRWXU, S_IWUSR } from "../files/perms.ts";
import { makeParents } from "../files/mkdirs.ts";
import { rowDepth } from "../flist/nameorder.ts";
import { type FileList } from "../flist/filelist.ts";
import { newStat } from "../posix/filesystem.ts";
import { FileFlag, ItemFlag } from "../protocol/constants.ts";
import { DelFlag } from "../files/remove.ts";
import { type BasisEntries } from "./basisentries.ts";
import { type Item, type Scene } from "./scene.ts";


export class DirectoryEntries {
  private readonly scene: Scene;
  private readonly attributes: Attributes;
  private readonly tweaks: boolean;
  private readonly retouchTimes: boolean;
  private readonly basis: BasisEntries | null;
  /** With --fake-super a directory keeps its true permissions elsewhere and must stay usable here. */
  private readonly addedPerms: number;
  /** The last directory whose contents come next, if this run has made it: there is nothing in it. */
  newest: string | null = null;
  private retouchPerms = false;
  /** The directory of a basis directory that the one at hand is made like, or null. */
  private like: Place | null = null;
  private readonly stat = newStat();

  constructor(scene: Scene, tweaks: boolean, basis: BasisEntries | null) {
    const { options } = scene.session;
    this.scene = scene;
    this.attributes = scene.attributes;
    this.tweaks = tweaks;
    this.basis = basis;
    this.retouchTimes = options.preserveMtimes && !options.omitDirTimes;
    this.addedPerms = scene.session.amRoot < 0 ? S_IRWXU : 0;
  }

  /** Directories were changed by what went into them and want their times or permissions back. */
  get needsTouchUp(): boolean {
    return this.retouchPerms || this.retouchTimes;
  }

  /** The mode for a row without --perms. */
  plainMode(mode: number, exists: boolean): number {
    const { session, stat, defaultPerms } = this.scene;
    return destMode(mode, stat.mode, defaultPerms, exists, session.options.preserveExecutability);
  }

  /**
   * Makes a missing directory early, while its parent is being worked on, so that the parent's time can be set before
   * the contents come. Its attributes follow later.
   */
  prepare(item: Item): void {
    const { scene } = this;
    const { session, destination, deletion } = scene;
    const { options } = session;
    if (!options.preserveMtimes || options.omitDirTimes) return;
    if (!options.impliedDirs && item.list.flags[item.row] & FileFlag.impliedDir) return;
    if (scene.exists) {
      if (isDirectory(scene.stat.mode)) return;
      if (!deletion.makeWay(scene.path(item), scene.stat, DelFlag.forDir)) return;
    }
    if (session.dryRun > 0) return;
    const mode = (item.list.mode[item.row] | this.addedPerms) & S_IRWXU;
    if (destination.root.mkdir(scene.path(item), mode) >= 0) this.flag(item, FileFlag.dirCreated);
  }

  /** Makes the directory if need be and sets its attributes. False when its contents have to be skipped. */
  complete(item: Item, phase: number): boolean {
    const { scene } = this;
    const { session, deletion } = scene;
    const { list, row } = item;
    if (!session.options.impliedDirs && list.flags[row] & FileFlag.impliedDir) return true;
    const path = scene.path(item);
    if (scene.exists && !isDirectory(scene.stat.mode)) {
      if (!deletion.makeWay(path, scene.stat, DelFlag.forDir)) return this.skipContents(item);
      scene.exists = false;
    }
    if (session.dryRun > 0 && !scene.exists) {
      scene.dryMissingDir ??= { depth: rowDepth(list, row), path: list.path(row) };
      this.flag(item, FileFlag.missingDir);
    }
    const isNew = !scene.exists || (list.flags[row] & FileFlag.dirCreated) !== 0;
    if (!session.options.preservePerms) this.settleMode(list, row, !isNew);
    const named = this.report(item, isNew);
    const { like } = this;
    this.newest = list.flags[row] & FileFlag.dirCreated && session.dryRun === 0 ? path : null;
    if (!scene.exists && !this.make(item, path)) return this.skipContents(item);
    if (like) this.attributes.copyXattrs(like, { root: scene.destination.root, path });
    this.setAttributes(item, path, named);
    this.openUp(item, path);
    if (!session.context.incRecurse && deletion.during && phase === 0 && !(list.flags[row] & FileFlag.missingDir)) {
      deletion.enter(list, list, row);
    }
    return true;
  }

  private settleMode(list: FileList, row: number, exists: boolean): void {
    const sent = list.mode[row];
    list.mode[row] = this.plainMode(sent, exists);
    if (list.mode[row] !== sent) list.want("sentMode")[row] ||= sent;
  }

  /** False when a basis directory has shown that there is nothing to say. */
  private report(item: Item, isNew: boolean): boolean {
    const { scene, basis } = this;
    const alternate = isNew && basis ? basis.other(item, "directory") : null;
    this.like = alternate && basis ? basis.like : null;
    if (alternate === "done" || alternate === "silent") return false;
    const before = alternate ? alternate.stat : isNew ? null : scene.stat;
    const iflags = isNew ? ItemFlag.localChange : 0;
    if (scene.itemizing) scene.itemizer.report(item.list, item.row, item.ndx, before, iflags);
    return true;
  }

  /** Gives a directory back what working in it has changed. */
  touchUp(list: FileList, row: number): void {
    const { scene } = this;
    const { session, destination } = scene;
    const flags = list.flags[row];
    if (!list.isActive(row) || !list.isDir(row)) return;
    if (!session.options.impliedDirs && flags & FileFlag.impliedDir) return;
    if (session.log.debug("TIME", 2)) session.log.infoLine(`touch_up_dirs: ${list.path(row)} (${row})\n`);
    if (flags & FileFlag.missingDir) return;
    const path = destination.path(list, row);
    if (!session.amRoot && this.wasOpened(list, row)) destination.root.chmod(path, list.mode[row]);
    list.flags[row] |= FileFlag.touchedUp;
    if (!this.retouchTimes || destination.root.lstat(path, this.stat) < 0) return;
    if (!this.attributes.mtimeDiffers(list, row, this.stat)) return;
    destination.root.utimens(path, 0, -2, list.mtime[row], list.mtimeNsec[row]);
  }

  /**
   * Upstream gives back what it took for writing only. Where its receiver sets a directory's xattrs, the mode is exact
   * from then on; ours has opened such a directory again.
   */
  private wasOpened(list: FileList, row: number): boolean {
    const missing = S_IRWXU & ~list.mode[row];
    return (list.flags[row] & FileFlag.reopened ? missing : missing & S_IWUSR) !== 0;
  }

  private make(item: Item, path: string): boolean {
    const { scene } = this;
    const { session, destination } = scene;
    if (session.dryRun > 0) return true;
    const { E } = session.fs.constants;
    const mode = (item.list.mode[item.row] | this.addedPerms) & 0o7777;
    let result = destination.root.mkdir(path, mode);
    if (result === -E.ENOENT && session.options.relative > 0) {
      if (makeParents(destination.root, path) >= 0) result = destination.root.mkdir(path, mode);
    }
    if (result >= 0) this.newest = path;
    if (result >= 0 || result === -E.EEXIST) return true;
    scene.failed(`recv_generator: mkdir ${destination.fullName(path)} failed`, -result);
    return false;
  }

  private setAttributes(item: Item, path: string, named: boolean): void {
    const { scene } = this;
    const { list, row } = item;
    const stat = scene.exists ? scene.stat : null;
    const updated = scene.destination.soloName === null
      ? this.attributes.setRow(list, row, stat, 0)
      : this.attributes.setPlace({ root: scene.destination.root, path }, list, row, stat, 0);
    if (updated && named) scene.printName(`${path}/\n`);
  }

  /** Files can only be put into a directory that its owner may write and enter; touchUp takes this back. */
  private openUp(item: Item, path: string): void {
    const { scene } = this;
    const mode = item.list.mode[item.row];
    if (scene.session.amRoot || (mode & S_IRWXU) === S_IRWXU || !this.tweaks) return;
    const result = scene.destination.root.chmod(path, mode | S_IRWXU);
    if (result < 0) scene.failed(`failed to modify permissions on ${scene.destination.fullName(path)}`, -result);
    this.retouchPerms = true;
  }

  private skipContents(item: Item): false {
    const { scene } = this;
    scene.session.log.error("*** Skipping any contents from this failed directory ***\n");
    scene.skipDir = { depth: rowDepth(item.list, item.row), path: item.list.path(item.row) };
    this.flag(item, FileFlag.missingDir);
    return false;
  }

  private flag(item: Item, bits: number): void {
    this.scene.receiving.segments.orFlags(item.list, item.row, bits);
  }
}
