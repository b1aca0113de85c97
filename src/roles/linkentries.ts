/**
 * Symlinks and hard links on the receiving side. Upstream generator.c:recv_generator (the FT_SYMLINK part),
 * atomic_create; hlink.c:hard_link_check, maybe_hard_link, finish_hard_link.
 *
 * What replaces an existing item is made under a temporary name and renamed over it, so the name never goes missing.
 */
import { AttrFlag } from "../files/attrs.ts";
import { fileKind } from "../files/basis.ts";
import { isUnsafeSymlink } from "../files/symlinks.ts";
import { type Place } from "../files/confine.ts";
import { isDirectory } from "../files/perms.ts";
import { DelFlag } from "../files/remove.ts";
import { uniqueName } from "../files/tempname.ts";
import { type LinkRow } from "../flist/hardlink.ts";
import { newStat, type StatRecord } from "../posix/filesystem.ts";
import { FileFlag, ItemFlag } from "../protocol/constants.ts";
import { type BasisEntries, type Outcome } from "./basisentries.ts";
import { type Item, type Scene } from "./scene.ts";

export class LinkEntries {
  private readonly scene: Scene;
  private readonly other = newStat();
  /** Set once, by Entries; null without --compare-dest and its kin. */
  basis: BasisEntries | null = null;

  constructor(scene: Scene) {
    this.scene = scene;
  }

  /** Is the row a hard link that follows another one, and has been dealt with as such? */
  follows(item: Item): boolean {
    const { hardLinks } = this.scene;
    const flags = item.list.flags[item.row];
    if (!hardLinks || !(flags & FileFlag.hlinked) || flags & FileFlag.hlinkFirst) return false;
    const decision = hardLinks.check(item.list, item.row);
    if (decision.kind === "process") return false;
    if (decision.kind === "wait") return true;
    const { scene } = this;
    const at = this.leaderPlace(decision.path, decision.altDest);
    const found = at.root.lstat(at.path, this.other);
    if (found < 0 && scene.session.dryRun === 0) {
      scene.failed(`stat ${scene.destination.fullName(decision.path)} failed`, -found);
      return false;
    }
    const leader = found >= 0 ? this.other : null;
    const alternate = scene.exists || !this.basis ? null : this.basis.linked(item, leader);
    this.link(item, decision.path, leader, scene.exists ? scene.stat : null, alternate);
    return true;
  }

  /** In a dry run a leader that would be linked from a basis directory stands only there. */
  private leaderPlace(path: string, altDest: number): Place {
    const { basisDirs, destination, session } = this.scene;
    if (basisDirs && session.dryRun > 0) {
      if (altDest >= 0) return basisDirs.placeOf(altDest, path);
      if (path.startsWith("/")) return { root: basisDirs.operator, path };
    }
    return { root: destination.root, path };
  }

  /**
   * The row is complete: those that waited for it become links to it. `stat`: its state when known. `altDest`: index
   * of the basis directory that it was linked from, or -1.
   */
  finish(item: Item, stat: StatRecord | null, altDest = -1): void {
    const { scene } = this;
    if (!scene.hardLinks || !(item.list.flags[item.row] & FileFlag.hlinked)) return;
    const { root } = scene.destination;
    const path = scene.path(item);
    const { basisDirs, session } = scene;
    const recorded = altDest >= 0 && basisDirs && session.dryRun > 0 ? basisDirs.pathOf(altDest, path) : path;
    const waiting = scene.hardLinks.finish(item.list, item.row, item.ndx, path, altDest, recorded);
    if (waiting.length === 0) return;
    let leader = stat;
    if (!leader && root.lstat(path, this.other) >= 0) leader = this.other;
    const leaderCopy = leader ? { ...leader } : null;
    const there = newStat();
    for (const follower of waiting) {
      const name = scene.destination.path(follower.list, follower.row);
      const found = root.lstat(name, there);
      this.link(follower, path, leaderCopy, found >= 0 ? there : null);
      follower.list.inProgress--;
    }
  }

  /**
   * A row is left out: the rest of its group must not wait for it. A row that has to take over was looked at long ago;
   * the generator handles it like any other, next.
   */
  skip(item: Item): void {
    const { hardLinks, receiving } = this.scene;
    if (!hardLinks || !(item.list.flags[item.row] & FileFlag.hlinked)) return;
    const next = hardLinks.skip(item.list, item.row);
    if (!next) return;
    next.list.inProgress--;
    receiving.takeOvers.push(next);
  }

  symlink(item: Item): void {
    const { scene } = this;
    const { session, destination } = scene;
    const { list, row } = item;
    const path = scene.path(item);
    const target = list.linkTarget(row);
    if (session.options.safeLinks && isUnsafeSymlink(target, list.path(row))) {
      const shown = destination.soloName === null ? path : list.path(row);
      if (session.log.info("NAME", 1)) session.log.infoLine(`ignoring unsafe symlink "${shown}" -> "${target}"\n`);
      return;
    }
    const isLink = scene.exists && fileKind(scene.stat.mode) === "symlink";
    if (isLink && destination.root.readlink(path) === target) return this.unchanged(item, scene.stat);
    const alternate = scene.exists || !this.basis ? null : this.basis.other(item, "symlink");
    if (alternate === "done") return;
    const make = (name: string): boolean => this.makeSymlink(name, target);
    if (!this.create(path, scene.exists ? scene.stat : null, DelFlag.forSymlink, make)) return;
    this.made(item, path, isLink ? scene.stat : null, alternate, `${path} -> ${target}\n`);
    this.finish(item, null);
    if (session.options.removeSourceFiles && session.dryRun === 0) scene.receiving.succeeded(item.ndx);
  }

  /** A non-regular item was made: its attributes, and the word about it unless a basis directory has had it. */
  made(item: Item, path: string, before: StatRecord | null, alternate: Outcome, text: string): void {
    const { scene } = this;
    if (alternate !== null && this.basis?.like) {
      scene.attributes.copyXattrs(this.basis.like, { root: scene.destination.root, path });
    }
    this.setAttributes(item, path);
    if (alternate === "silent") return;
    if (scene.itemizing) {
      const stat = alternate === null || alternate === "done" ? before : alternate.stat;
      scene.itemizer.report(item.list, item.row, item.ndx, stat, ItemFlag.localChange | ItemFlag.reportChange);
    }
    scene.printName(text);
  }

  /** The item is as it should be but for its attributes. */
  unchanged(item: Item, stat: StatRecord): void {
    const { scene } = this;
    const { session, itemizer } = scene;
    this.setAttributes(item, scene.path(item), stat);
    if (scene.itemizing) itemizer.report(item.list, item.row, item.ndx, stat, 0);
    this.finish(item, stat);
    if (session.options.removeSourceFiles === 1 && session.dryRun === 0) scene.receiving.succeeded(item.ndx);
  }

  /** Sets a non-regular item's attributes; `stat` null when it was just made. */
  setAttributes(item: Item, path: string, stat: StatRecord | null = null): void {
    const { attributes, destination, reportFlag } = this.scene;
    const flags = stat ? reportFlag : 0;
    if (destination.soloName === null) attributes.setRow(item.list, item.row, stat, flags);
    else attributes.setPlace({ root: destination.root, path }, item.list, item.row, stat, flags);
  }

  /**
   * Makes an item at `path` with `make`, in place of what `stat` describes (null: nothing). Returns false after a
   * reported failure. A dry run goes through all of it, but for the changes. Upstream atomic_create.
   */
  create(path: string, stat: StatRecord | null, delFor: number, make: (name: string) => boolean): boolean {
    const { scene } = this;
    const { session, destination, deletion } = scene;
    const { root } = destination;
    const dirInTheWay = stat !== null && isDirectory(stat.mode);
    const direct = stat === null || dirInTheWay || session.options.tempDir !== null;
    const temp = direct ? null : uniqueName(root, path, session.host.pid);
    if (stat) {
      if (deletion.backups && !dirInTheWay) {
        if (deletion.backups.make(path, temp === null) === 0) return false;
      } else if (temp === null && !deletion.makeWay(path, { mode: stat.mode, uid: -1 }, delFor)) {
        return false;
      }
    }
    if (!make(temp ?? path)) return false;
    if (temp === null) return true;
    const renamed = root.rename(temp, path);
    if (renamed >= 0) return true;
    scene.failed(`rename ${destination.fullName(temp)} -> ${destination.fullName(path)} failed`, -renamed);
    root.unlink(temp);
    return false;
  }

  private makeSymlink(name: string, target: string): boolean {
    const { destination } = this.scene;
    const result = destination.root.symlink(target, name);
    if (result >= 0) return true;
    this.scene.failed(`symlink ${destination.fullName(name)} -> "${target}" failed`, -result);
    return false;
  }

  private makeLink(name: string, leader: string): boolean {
    const { destination } = this.scene;
    const result = destination.root.link(leader, name);
    if (result >= 0) return true;
    this.scene.failed(`link ${destination.fullName(name)} => ${leader} failed`, -result);
    return false;
  }

  /** Makes the row a link to `leader`, unless it is one already. Upstream maybe_hard_link. */
  private link(
    item: Item | LinkRow, leader: string, leaderStat: StatRecord | null, stat: StatRecord | null,
    alternate: { stat: StatRecord; quiet: boolean } | null = null,
  ): void {
    const { scene } = this;
    const { session, itemizer } = scene;
    const { list, row, ndx } = item;
    const path = scene.destination.path(list, row);
    const iflags = ItemFlag.localChange | ItemFlag.xnameFollows;
    if (stat && leaderStat && sameFile(stat, leaderStat)) {
      if (scene.itemizing) itemizer.report(list, row, ndx, stat, iflags, undefined, "");
      const named = session.log.info("NAME", 2) && (scene.reportFlag & AttrFlag.report) !== 0;
      if (named) session.log.infoLine(`${path} is uptodate\n`);
      list.flags[row] |= FileFlag.hlinkDone;
    } else {
      if (!this.create(path, stat, DelFlag.forFile, (name) => this.makeLink(name, leader))) return;
      list.flags[row] |= FileFlag.hlinkDone;
      if (!alternate?.quiet) {
        if (scene.itemizing) itemizer.report(list, row, ndx, alternate?.stat ?? stat, iflags, undefined, leader);
        scene.printName(`${path} => ${leader}\n`);
      }
    }
    if (session.options.removeSourceFiles === 1 && session.doTransfers) scene.receiving.succeeded(ndx);
  }
}

function sameFile(a: StatRecord, b: StatRecord): boolean {
  return a.inoLo === b.inoLo && a.inoHi === b.inoHi && a.devLo === b.devLo && a.devHi === b.devHi;
}
