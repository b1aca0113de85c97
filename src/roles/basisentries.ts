/**
 * Items that are not in the destination but may be in a --compare-dest, --copy-dest or --link-dest directory.
 * Upstream generator.c:try_dests_reg, try_dests_non; hlink.c:hard_link_check (its part on basis directories).
 *
 * A candidate matches at one of three levels: of the same kind; with the same contents, as the quick check judges;
 * with the same attributes too. The best level wins, and the first directory that reaches it.
 */
import { fileKind, type FileKind } from "../files/basis.ts";
import { type Place } from "../files/confine.ts";
import { linkPlace } from "../files/places.ts";
import { newStat, type StatRecord } from "../posix/filesystem.ts";
import { FileFlag, ItemFlag } from "../protocol/constants.ts";
import { type BasisDirs } from "./basisdirs.ts";
import { type Item, type Scene } from "./scene.ts";

const Level = { kind: 1, contents: 2, attributes: 3 } as const;

/** The quick check of a candidate, by FileEntries. */
export type Matches = (item: Item, kind: FileKind, stat: StatRecord, place: Place) => boolean;

/** Ends the wait of the hard links of an item; see LinkEntries.finish. */
export type Finish = (item: Item, stat: StatRecord | null, altDest: number) => void;

/** A candidate in a basis directory; `stat` is the reader's to keep. */
export interface Candidate {
  readonly index: number;
  readonly place: Place;
  readonly stat: StatRecord;
  readonly level: number;
}

/** What became of an item: dealt with; to be made without another word; or made as if `stat` had been there. */
export type Outcome = "done" | "silent" | Candidate | null;

/** The generator's search; its failures only mean that a file is sent after all. */
export class BasisEntries {
  private readonly scene: Scene;
  private readonly dirs: BasisDirs;
  private readonly matches: Matches;
  private readonly finish: Finish;
  /** What the last item asked of `other` was found to be like, null if nothing. */
  like: Place | null = null;

  constructor(scene: Scene, dirs: BasisDirs, matches: Matches, finish: Finish) {
    this.scene = scene;
    this.dirs = dirs;
    this.matches = matches;
    this.finish = finish;
  }

  /** A regular file. When it exists in the destination, only an exact match counts. */
  regular(item: Item): "done" | Candidate | null {
    const { scene } = this;
    if (scene.exists && this.dirs.kind === "copy") return null;
    const found = this.best(item, "regular");
    if (!found) return null;
    if (found.level === Level.attributes && this.dirs.kind !== "copy") return this.exact(item, found);
    if (scene.exists) return null;
    return found.level === Level.kind ? this.load(found) : this.copy(item, found);
  }

  /** A symlink, device, special file or directory that does not exist in the destination. */
  other(item: Item, kind: FileKind): Outcome {
    const { scene, dirs } = this;
    const found = this.best(item, kind);
    this.like = found?.place ?? null;
    if (found) this.load(found);
    if (!found || found.level < Level.attributes) return found;
    const links = dirs.kind === "link" && kind !== "directory";
    const path = scene.path(item);
    const linked = links && linkPlace(found.place, { root: scene.destination.root, path }) >= 0;
    if (linked) this.finish(item, null, -1);
    this.reportOther(item, kind, found.stat, linked);
    if (this.tellsCurrent) scene.session.log.infoLine(`${path}${kind === "directory" ? "/" : ""} is uptodate\n`);
    return dirs.kind === "copy" || (links && !linked) ? "silent" : "done";
  }

  /**
   * For a hard link that is to be made: does a basis directory show that nothing changes? `quiet`: it is not to be
   * reported at all.
   */
  linked(item: Item, leader: StatRecord | null): { stat: StatRecord; quiet: boolean } | null {
    const { scene, dirs } = this;
    const path = scene.path(item);
    const stat = newStat();
    let like: StatRecord | null = null;
    for (let index = 0; index < dirs.count; index++) {
      const place = dirs.placeOf(index, path);
      if (place.root.lstat(place.path, stat) < 0) continue;
      if (dirs.kind === "link") {
        if (!leader || !sameFile(stat, leader)) continue;
        scene.attributes.load(place, stat);
        return { stat, quiet: this.hidesCurrent(path) };
      }
      if (fileKind(item.list.mode[item.row]) !== "regular" || !this.matches(item, "regular", stat, place)) continue;
      const isExact = scene.attributes.unchanged(item.list, item.row, stat, place);
      scene.attributes.load(place, stat);
      like = { ...stat };
      if (isExact) break;
    }
    return like ? { stat: like, quiet: false } : null;
  }

  /** The first candidate of the highest level. */
  private best(item: Item, kind: FileKind): Candidate | null {
    const { dirs, scene } = this;
    const path = scene.path(item);
    const stat = newStat();
    let best: Candidate | null = null;
    for (let index = 0; index < dirs.count; index++) {
      const place = dirs.placeOf(index, path);
      if (place.root.lstat(place.path, stat) < 0 || fileKind(stat.mode) !== kind) continue;
      const level = this.levelOf(item, kind, stat, place);
      if (!best || level > best.level) best = { index, place, stat: { ...stat }, level };
      if (level === Level.attributes) break;
    }
    return best;
  }

  /** Reads what is said of a candidate's ACLs and xattrs, where it has not been compared yet. */
  private load(found: Candidate): Candidate {
    this.scene.attributes.load(found.place, found.stat);
    return found;
  }

  private levelOf(item: Item, kind: FileKind, stat: StatRecord, place: Place): number {
    if (!this.matches(item, kind, stat, place)) return Level.kind;
    return this.scene.attributes.unchanged(item.list, item.row, stat, place) ? Level.attributes : Level.contents;
  }

  /** --compare-dest leaves the file out, --link-dest links it. */
  private exact(item: Item, found: Candidate): "done" | null {
    const { scene, dirs } = this;
    const { root } = scene.destination;
    const path = scene.path(item);
    if (scene.exists) {
      if (dirs.kind === "link" && sameFile(scene.stat, found.stat)) return null;
      const gone = root.unlink(path);
      if (gone < 0 && gone !== -scene.session.fs.constants.E.ENOENT) return null;
    }
    if (dirs.kind === "link") {
      const linked = linkPlace(found.place, { root, path });
      if (linked < 0) {
        this.notLinked(path, found.place, -linked);
        return this.copy(item, found);
      }
      this.keepAtime(item, path, found.stat);
      this.reportLinked(item, found);
    } else if (scene.itemizing) {
      scene.itemizer.report(item.list, item.row, item.ndx, found.stat, 0);
    }
    if (this.tellsCurrent) scene.session.log.infoLine(`${path} is uptodate\n`);
    return "done";
  }

  /** The quick check passes over access times. */
  private keepAtime(item: Item, path: string, stat: StatRecord): void {
    const { attributes, destination, session } = this.scene;
    if (session.options.preserveAtimes === 0) return;
    attributes.setPlace({ root: destination.root, path }, item.list, item.row, stat, 0);
  }

  private reportLinked(item: Item, found: Candidate): void {
    const { scene } = this;
    item.list.flags[item.row] |= FileFlag.hlinkDone;
    this.finish(item, found.stat, found.index);
    if (scene.reportFlag || !this.namesAll) return;
    const iflags = ItemFlag.localChange | ItemFlag.xnameFollows;
    scene.itemizer.report(item.list, item.row, item.ndx, found.stat, iflags, undefined, "");
  }

  private notLinked(path: string, from: Place, errno: number): void {
    const { session, destination } = this.scene;
    if (!session.log.info("NAME", 1)) return;
    const reason = `${session.fs.strerror(errno)} (${errno})`;
    const source = from.root.fullName(from.path);
    session.log.infoLine(`rsync: [generator] link ${destination.fullName(path)} => ${source} failed: ${reason}\n`);
  }

  /** The same contents, copied here rather than sent. */
  private copy(item: Item, found: Candidate): "done" | null {
    const { scene } = this;
    const { session } = scene;
    const exact = found.level === Level.attributes;
    if (session.dryRun === 0 && !scene.copyIn(found.place, item)) return null;
    this.load(found);
    if (scene.itemizing) scene.itemizer.report(item.list, item.row, item.ndx, found.stat, ItemFlag.localChange);
    const named = !scene.itemizing && session.log.info("NAME", 1) && !exact;
    if (scene.reportFlag && (named || (exact && session.log.info("NAME", 2)))) {
      session.log.infoLine(`${scene.path(item)}${exact ? " is uptodate" : ""}\n`);
    }
    this.finish(item, found.stat, -1);
    return "done";
  }

  private reportOther(item: Item, kind: FileKind, stat: StatRecord, linked: boolean): void {
    const { scene, dirs } = this;
    if (!scene.itemizing || scene.session.options.outFormatHasItemize === 0 || !this.namesAll) return;
    const compared = dirs.kind === "compare" && kind !== "directory";
    const change = compared ? 0 : ItemFlag.localChange | (linked ? ItemFlag.xnameFollows : 0);
    const iflags = change | ItemFlag.matched;
    scene.itemizer.report(item.list, item.row, item.ndx, stat, iflags, undefined, linked ? "" : null);
  }

  private hidesCurrent(path: string): boolean {
    const { scene } = this;
    const has = scene.session.options.outFormatHasItemize;
    if (has !== 0 && this.namesAll) return false;
    if (this.tellsCurrent) scene.session.log.infoLine(`${path} is uptodate\n`);
    return true;
  }

  private get namesAll(): boolean {
    const { log, options } = this.scene.session;
    return log.info("NAME", 2) || options.outFormatHasItemize > 1;
  }

  private get tellsCurrent(): boolean {
    return this.scene.reportFlag !== 0 && this.scene.session.log.info("NAME", 2);
  }
}

function sameFile(a: StatRecord, b: StatRecord): boolean {
  return a.inoLo === b.inoLo && a.inoHi === b.inoHi && a.devLo === b.devLo && a.devHi === b.devHi;
}
