/**
 * --fuzzy: a basis for a new file among the files beside it, here and with -yy in the basis directories too: one of
 * the same size and time, or else the one with the most similar name. Upstream generator.c:find_fuzzy.
 */
import { sameTime } from "../files/basis.ts";
import { isRegular } from "../files/perms.ts";
import { type Confined, joinPath, type Place } from "../files/confine.ts";
import { LEAST_ALIKE, Likeness, suffixOf } from "../files/similar.ts";
import { type DirLister } from "../flist/dirlist.ts";
import { type FileList } from "../flist/filelist.ts";
import { FnamecmpType } from "../protocol/constants.ts";
import { type Session } from "../session/session.ts";
import { type BasisDirs } from "./basisdirs.ts";
import { type Destination } from "./destination.ts";

/** A file to build on. */
export interface SimilarFile {
  /** FnamecmpType.fuzzy, plus one and the index of the basis directory it is in. */
  readonly type: number;
  /** Its name, which travels with the request. */
  readonly name: string;
  readonly place: Place;
  readonly byteLength: number;
}

/** A listed file that may serve. */
interface Neighbour {
  readonly name: string;
  readonly suffix: string;
  /** As messages have it. */
  readonly shown: string;
  readonly size: number;
  readonly mtime: number;
  /** It is about to change itself. */
  changing: boolean;
}

interface Listing {
  /** Index of the basis directory, -1 for the destination. */
  readonly index: number;
  readonly dir: Place;
  readonly neighbours: readonly Neighbour[];
}

/** Finds bases for the files of one directory after another. */
export class FuzzyBasis {
  private readonly session: Session;
  private readonly destination: Destination;
  private readonly basisDirs: BasisDirs | null;
  private readonly lister: DirLister;
  private readonly likeness = new Likeness();
  private listings: Listing[] | null = null;

  constructor(session: Session, destination: Destination, basisDirs: BasisDirs | null, lister: DirLister) {
    this.session = session;
    this.destination = destination;
    this.basisDirs = basisDirs;
    this.lister = lister;
  }

  /** The files that follow are in another directory. */
  leave(): void {
    this.listings = null;
  }

  /** The best basis for a row that has none, or null. */
  find(list: FileList, row: number): SimilarFile | null {
    this.listings ??= this.look(list.dirname(row));
    const found = this.sameFile(list, row) ?? this.mostAlike(list, row);
    if (found === null) return null;
    const { listing, neighbour } = found;
    const { log } = this.session;
    if (log.debug("FUZZY", 1)) {
      log.infoLine(`fuzzy basis selected for ${this.destination.path(list, row)}: ${neighbour.shown}\n`);
    }
    const { dir, index } = listing;
    return {
      type: FnamecmpType.fuzzy + 1 + index, name: neighbour.name, byteLength: neighbour.size,
      place: { root: dir.root, path: joinPath(dir.path, neighbour.name) },
    };
  }

  /** The row's own file is about to change and can be no basis for others. */
  noteChange(list: FileList, row: number): void {
    const here = this.listings?.find(({ index }) => index === -1);
    if (!here) return;
    const name = list.basename(row);
    for (const neighbour of here.neighbours) if (neighbour.name === name) neighbour.changing = true;
  }

  private look(path: string): Listing[] {
    const plain = path.replace(/\/+$/, "");
    const listings: Listing[] = [];
    const count = this.session.options.fuzzy > 1 ? this.session.options.fuzzy : 1;
    for (let index = -1; index < count - 1; index++) {
      const here = index < 0;
      const dir = here ? { root: this.destination.root, path: plain } : this.basisDirs!.placeOf(index, plain);
      const neighbours = this.list(dir, here ? plain : this.basisDirs!.pathOf(index, plain));
      if (neighbours.length > 0) listings.push({ index, dir, neighbours });
    }
    return listings;
  }

  private list({ root, path }: Place, shown: string): Neighbour[] {
    const { fs } = this.session;
    const fd = root.openDirectory(path);
    if (fd < 0) {
      this.unreadable(root, path, -fd);
      return [];
    }
    const found = this.lister.list(fd, shown, "server");
    fs.close(fd);
    const neighbours: Neighbour[] = [];
    for (let row = 0; row < found.used; row++) {
      if (!found.isActive(row) || !isRegular(found.mode[row]) || found.size[row] === 0) continue;
      const name = found.basename(row);
      neighbours.push({
        name, suffix: suffixOf(name), shown: joinPath(shown, name), size: found.size[row],
        mtime: found.mtime[row], changing: false,
      });
    }
    found.release();
    return neighbours;
  }

  private unreadable(root: Confined, path: string, errno: number): void {
    const { session } = this;
    const { E } = session.fs.constants;
    if (errno === E.ENOENT || errno === E.ENOTDIR) return;
    const reason = `${session.fs.strerror(errno)} (${errno})`;
    session.log.errorXfer(`rsync: [generator] opendir ${root.quoted(path)} failed: ${reason}\n`);
  }

  private sameFile(list: FileList, row: number): { listing: Listing; neighbour: Neighbour } | null {
    const { log, options } = this.session;
    for (const listing of this.listings!) {
      for (const neighbour of listing.neighbours) {
        if (neighbour.changing || neighbour.size !== list.size[row]) continue;
        if (!sameTime(neighbour.mtime, 0, list.mtime[row], 0, options.modifyWindow)) continue;
        if (log.debug("FUZZY", 2)) log.infoLine(`fuzzy size/modtime match for ${neighbour.shown}\n`);
        return { listing, neighbour };
      }
    }
    return null;
  }

  private mostAlike(list: FileList, row: number): { listing: Listing; neighbour: Neighbour } | null {
    const name = list.basename(row);
    const suffix = suffixOf(name);
    let best: { listing: Listing; neighbour: Neighbour } | null = null;
    let least = LEAST_ALIKE;
    for (const listing of this.listings!) {
      for (const neighbour of listing.neighbours) {
        if (neighbour.changing) continue;
        const distance = this.likeness.distance(neighbour.name, neighbour.suffix, name, suffix, least);
        this.tell(neighbour.shown, distance);
        if (distance > least) continue;
        least = distance;
        best = { listing, neighbour };
      }
    }
    return best;
  }

  private tell(shown: string, distance: number): void {
    const { log } = this.session;
    if (!log.debug("FUZZY", 2)) return;
    const fraction = String(distance & 0xffff).padStart(5, "0");
    log.infoLine(`fuzzy distance for ${shown} = ${distance >>> 16}.${fraction}\n`);
  }
}
