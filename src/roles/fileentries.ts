/**
 * Regular files on the receiving side, as the generator sees them: is the file current, and if not, what may serve as
 * basis. Upstream generator.c:recv_generator from the size limits on.
 *
 * The request for a file is an ndx with item flags and a sum head; block sums follow when there is a basis and the
 * delta algorithm is on.
 */
import { AttrFlag } from "../files/attrs.ts";
import {
  fileKind, quickCheck, regularMatches, type FileKind, type QuickCheckOptions, type QuickCheckProbe,
} from "../files/basis.ts";
import { copyFile } from "../files/copyfile.ts";
import { isDevice, isRegular } from "../files/perms.ts";
import { DelFlag } from "../files/remove.ts";
import { type Place } from "../files/confine.ts";
import { type FileList } from "../flist/filelist.ts";
import { newStat, type StatRecord } from "../posix/filesystem.ts";
import { FileFlag, FnamecmpType, ItemFlag } from "../protocol/constants.ts";
import { deviceLength } from "./devices.ts";
import { BasisEntries, type Candidate } from "./basisentries.ts";
import { type SimilarFile } from "./fuzzybasis.ts";
import { FileSummer } from "./filesummer.ts";
import { type LinkEntries } from "./linkentries.ts";
import { checkPartialBasis } from "./operatorpaths.ts";
import { type Item, type Scene } from "./scene.ts";
import { SumSender } from "./sums.ts";

/** A file whose block sums are to be sent now. */
export interface SumRequest {
  /** The basis, open for reading; closed when the sums are sent. */
  readonly fd: number;
  readonly byteLength: number;
  readonly fullSums: boolean;
  /** Where the basis is copied on the way (--backup with --inplace), or null. */
  readonly backup: BackupCopy | null;
}

interface BackupCopy {
  readonly fd: number;
  readonly path: string;
  readonly place: Place;
  readonly shown: string;
  readonly stat: StatRecord;
}

export class FileEntries {
  readonly wholeFile: boolean;
  /** The redo phase: checks that skip files are off, sums are full length. */
  redoing = false;
  private readonly scene: Scene;
  private readonly links: LinkEntries;
  private readonly sums: SumSender;
  private readonly check: QuickCheckOptions;
  private readonly summer: FileSummer;
  private readonly probe: QuickCheckProbe;
  private readonly partialStat = newStat();
  /** Null without --compare-dest and its kin. */
  readonly basis: BasisEntries | null;
  /** What a check of contents opens. */
  private checked: Place | null = null;

  constructor(scene: Scene, links: LinkEntries) {
    const { session } = scene;
    const { options } = session;
    this.scene = scene;
    this.links = links;
    this.sums = new SumSender(session);
    const noSums = session.context.transferChecksum === "none";
    this.wholeFile = options.append === 0 && (options.wholeFile > 0 || noSums);
    this.check = {
      modifyWindow: options.modifyWindow, sizeOnly: options.sizeOnly, ignoreTimes: options.ignoreTimes,
      checksum: options.checksum,
    };
    this.summer = new FileSummer(session.kernels, session.fs, session.context.fileChecksum);
    this.probe = {
      sameChecksum: (rows, row) => this.sameChecksum(rows as FileList, row),
      linkTarget: () => null,
    };
    const matches = this.matches.bind(this);
    const finish = links.finish.bind(links);
    this.basis = scene.basisDirs ? new BasisEntries(scene, scene.basisDirs, matches, finish) : null;
  }

  begin(): void {
    this.redoing = false;
  }

  /** The quick check of any kind of row against what stands at its place. */
  isCurrent(item: Item, kind: FileKind): boolean {
    const { scene } = this;
    const { list, row } = item;
    // Most rows of most runs: nothing but numbers is looked at, so no path is made.
    if (kind === "regular" && !this.redoing && !this.check.checksum) {
      return regularMatches(list, row, scene.stat, this.check, this.probe);
    }
    return this.matches(item, kind, scene.stat, { root: scene.destination.root, path: scene.path(item) });
  }

  /** The quick check against the file at `place`, which `stat` describes. */
  private matches(item: Item, kind: FileKind, stat: StatRecord, place: Place): boolean {
    this.checked = place;
    const target = (): string | null => {
      const found = place.root.readlink(place.path);
      return typeof found === "string" ? found : null;
    };
    const probe = kind === "symlink" ? { ...this.probe, linkTarget: target } : this.probe;
    const check = this.redoing ? { ...this.check, ignoreTimes: true, checksum: false, sizeOnly: false } : this.check;
    return quickCheck(kind, item.list, item.row, stat, check, probe, this.scene.session.memory);
  }

  /** Does the file that stands at a regular row's place need nothing, under options that only ask for that? */
  isAsWanted(list: FileList, row: number): boolean {
    const { stat, attributes, reportFlag } = this.scene;
    return isRegular(stat.mode) && regularMatches(list, row, stat, this.check, this.probe)
      && attributes.isAsWanted(list, row, stat, reportFlag);
  }

  /** Deals with one row; a request comes back when block sums must follow. */
  process(item: Item): SumRequest | null {
    const { scene } = this;
    const { session } = scene;
    if (!this.redoing && (this.isOutsideSizes(item) || this.isNewerHere(item))) return null;
    if (scene.exists && !this.isWritable(scene.stat.mode)) {
      if (!scene.deletion.makeWay(scene.path(item), scene.stat, DelFlag.forFile)) return this.leaveOut(item);
      scene.exists = false;
      scene.statErrno = session.fs.constants.E.ENOENT;
    }
    const alternate = this.basis ? this.basis.regular(item) : null;
    if (alternate === "done") {
      const { options, dryRun } = session;
      if (options.removeSourceFiles === 1 && dryRun === 0) scene.receiving.succeeded(item.ndx);
      return null;
    }
    const partial = this.findPartial(item);
    const similar = scene.exists || partial || alternate ? null : this.findSimilar(item);
    if (!scene.exists && !partial && !alternate && !similar) return this.missing(item);
    if (scene.exists && isDevice(scene.stat.mode) && scene.stat.size === 0) this.measureDevice(item);
    if (scene.exists && this.isCurrent(item, "regular")) {
      this.unchanged(item, partial);
      return null;
    }
    const append = this.redoing ? 0 : session.options.append;
    const there = alternate ? alternate.stat.size : scene.exists ? scene.stat.size : similar ? similar.byteLength : -1;
    if (append > 0 && there >= item.list.size[item.row]) {
      this.links.skip(item);
      return null;
    }
    return this.openBasis(item, partial, alternate, similar);
  }

  private findSimilar(item: Item): SimilarFile | null {
    return this.scene.fuzzy?.find(item.list, item.row) ?? null;
  }

  /** The file stays as it is after a reported failure; hard links that wait for it must not. */
  private leaveOut(item: Item): null {
    this.links.skip(item);
    return null;
  }

  private isWritable(mode: number): boolean {
    return isRegular(mode) || (this.scene.session.options.writeDevices && isDevice(mode));
  }

  /** --write-devices: how much the device holds. */
  private measureDevice(item: Item): void {
    const { session, destination, stat } = this.scene;
    const path = this.scene.path(item);
    const fd = destination.root.open(path, session.fs.constants.O.RDONLY, 0);
    if (fd < 0) return;
    stat.size = deviceLength(session, fd, path);
    session.fs.close(fd);
  }

  /** Sends the block sums of an open basis. */
  async sendSums(request: SumRequest): Promise<void> {
    const { session } = this.scene;
    const { backup } = request;
    const failed = await this.sums.send(request.fd, request.byteLength, request.fullSums, backup ? backup.fd : -1);
    session.fs.close(request.fd);
    if (backup && failed !== 0) this.scene.failed(`write ${backup.place.root.quoted(backup.place.path)}`, failed);
    if (backup) this.finishBackup(backup);
  }

  /** The copy has its bytes: it gets the attributes, and is told of. */
  private finishBackup({ fd, path, place, shown, stat }: BackupCopy): void {
    const { session, deletion } = this.scene;
    if (fd >= 0) session.fs.close(fd);
    deletion.finishCopy(place, path, stat, fd >= 0);
    if (session.log.info("BACKUP", 1)) session.log.infoLine(`backed up ${path} to ${shown}\n`);
  }

  private sameChecksum(list: FileList, row: number): boolean {
    const { fs } = this.scene.session;
    const { root, path } = this.checked!;
    const fd = root.open(path, fs.constants.O.RDONLY, 0);
    const same = this.summer.matches(fd, list.size[row], list.extra.checksum?.[row] ?? 0);
    if (fd >= 0) fs.close(fd);
    return same;
  }

  private isOutsideSizes(item: Item): boolean {
    const { session, destination } = this.scene;
    const { maxSize, minSize } = session.options;
    const size = item.list.size[item.row];
    const over = maxSize >= 0 && size > maxSize;
    if (!over && !(minSize >= 0 && size < minSize)) return false;
    if (session.log.info("SKIP", 1)) {
      const path = destination.soloName === null ? this.scene.path(item) : item.list.path(item.row);
      session.log.infoLine(`${path} is ${over ? "over max-size" : "under min-size"}\n`);
    }
    return true;
  }

  /** --update: what stands here is newer. */
  private isNewerHere(item: Item): boolean {
    const { scene } = this;
    const { session } = scene;
    const { options } = session;
    if (!options.update || !scene.exists || fileKind(scene.stat.mode) !== "regular") return false;
    if (item.list.mtime[item.row] - scene.stat.mtime >= Math.max(options.modifyWindow, 0)) return false;
    if (session.log.info("SKIP", 1)) session.log.infoLine(`${scene.path(item)} is newer\n`);
    this.links.skip(item);
    return true;
  }

  /** A kept piece of an earlier transfer in the partial directory, or null. */
  private findPartial(item: Item): Place | null {
    const { partialDir } = this.scene.deletion.partials;
    const place = partialDir?.placeOf(this.scene.path(item)) ?? null;
    if (place === null) return null;
    if (place.root.lstat(place.path, this.partialStat) < 0) {
      if (place.root.refusal !== null) checkPartialBasis(this.scene.session, this.scene.path(item));
      return null;
    }
    return fileKind(this.partialStat.mode) === "regular" ? place : null;
  }

  private unchanged(item: Item, partial: Place | null): void {
    const { scene } = this;
    const { session, stat } = scene;
    if (partial) {
      partial.root.unlink(partial.path);
      scene.deletion.partials.partialDir!.removeIfEmpty(partial);
    }
    const accurate = session.options.checksum ? AttrFlag.accurateTime : 0;
    const flags = scene.reportFlag | accurate;
    const asWanted = scene.attributes.isAsWanted(item.list, item.row, stat, flags);
    if (scene.destination.soloName === null) {
      if (!asWanted) scene.attributes.setRow(item.list, item.row, stat, flags);
    } else {
      const place = { root: scene.destination.root, path: scene.destination.soloName };
      scene.attributes.setPlace(place, item.list, item.row, stat, flags);
    }
    const silent = !scene.itemizing || (asWanted && scene.itemizer.skipsUnchanged);
    if (!silent) scene.itemizer.report(item.list, item.row, item.ndx, stat, 0);
    this.links.finish(item, stat);
    if (session.options.removeSourceFiles === 1 && session.dryRun === 0) scene.receiving.succeeded(item.ndx);
  }

  /** Nothing to compare with: the file is wanted whole. */
  private missing(item: Item): null {
    const { scene } = this;
    if (this.waitsForLink(item)) return null;
    if (scene.statErrno !== scene.session.fs.constants.E.ENOENT) {
      const name = scene.destination.fullName(scene.path(item));
      scene.failed(`recv_generator: failed to stat ${name}`, scene.statErrno);
      return this.leaveOut(item);
    }
    this.ask(item, null, FnamecmpType.fname);
    if (!scene.session.doTransfers) this.links.finish(item, newStat());
    this.wantWhole();
    return null;
  }

  /** Of a group of hard links the last row without a basis is the one to be transferred. */
  private waitsForLink(item: Item): boolean {
    const flags = item.list.flags[item.row];
    if (!this.scene.hardLinks || !(flags & FileFlag.hlinked) || flags & FileFlag.hlinkLast) return false;
    this.scene.receiving.generatorView.current!.inProgress++;
    return true;
  }

  private openBasis(
    item: Item, partial: Place | null, alternate: Candidate | null, similar: SimilarFile | null,
  ): SumRequest | null {
    const { scene } = this;
    const { session } = scene;
    const stat = alternate ? alternate.stat : scene.stat;
    const before = scene.exists || alternate ? stat : null;
    // What is said of ACLs and xattrs, and which values are asked for, goes by the file that the data comes from.
    if (partial && before === scene.stat) scene.attributes.load(partial, before);
    const type = partial ? FnamecmpType.partialDir : alternate?.index ?? similar?.type ?? FnamecmpType.fname;
    const xname = similar?.name ?? null;
    if (!session.doTransfers) {
      this.ask(item, before, type, xname);
      this.links.finish(item, stat);
      return null;
    }
    if (this.wholeFile || session.options.readBatch !== null) {
      const backup = this.copyAside(item, type);
      if (backup === "failed") return this.leaveOut(item);
      this.ask(item, before, type, xname);
      this.wantWhole();
      if (backup) this.finishBackup(backup);
      return null;
    }
    scene.fuzzy?.noteChange(item.list, item.row);
    const basis = {
      place: partial ?? alternate?.place ?? similar?.place ?? { root: scene.destination.root, path: scene.path(item) },
      byteLength: partial ? this.partialStat.size : similar?.byteLength ?? stat.size,
    };
    return this.askWithSums(item, basis, before, type, xname);
  }

  private askWithSums(
    item: Item, { place, byteLength }: { place: Place; byteLength: number }, before: StatRecord | null, type: number,
    xname: string | null,
  ): SumRequest | null {
    const { scene } = this;
    const { session } = scene;
    const fd = place.root.open(place.path, session.fs.constants.O.RDONLY, 0);
    if (fd < 0) {
      scene.session.log.error(
        `rsync: [generator] failed to open ${place.root.quoted(place.path)}, continuing: `
        + `${session.fs.strerror(-fd)} (${-fd})\n`,
      );
      if (this.waitsForLink(item)) return null;
      this.ask(item, null, type, xname);
      this.wantWhole();
      return null;
    }
    const backup = this.openBackup(item, type);
    if (backup === "failed") {
      session.fs.close(fd);
      return this.leaveOut(item);
    }
    this.ask(item, before, backup ? FnamecmpType.backup : type, xname);
    if (byteLength > 0) return { fd, byteLength, fullSums: this.redoing, backup };
    session.fs.close(fd);
    this.sums.sendNone();
    if (backup) this.finishBackup(backup);
    return null;
  }

  /** --inplace with --backup and no delta: the old version is copied before it is overwritten. */
  private copyAside(item: Item, type: number): BackupCopy | null | "failed" {
    const { scene } = this;
    if (!this.copiesFirst(type)) return null;
    const path = scene.path(item);
    const place = scene.deletion.backups!.placeOf(path);
    if (!place) return "failed";
    const stat = { ...scene.stat };
    const from = { root: scene.destination.root, path };
    if (copyFile(from, place, stat.mode, scene.copying, scene.reporter) < 0) return "failed";
    return { fd: -1, path, place, shown: scene.deletion.backups!.shown(path), stat };
  }

  /** Is the file itself overwritten, after a copy of it was kept? */
  private copiesFirst(type: number): boolean {
    const { session, deletion, exists } = this.scene;
    return session.options.inplace && deletion.backups !== null && exists
      && type === FnamecmpType.fname && !this.redoing;
  }

  /** --inplace with --backup: the copy is made while the sums are computed. */
  private openBackup(item: Item, type: number): BackupCopy | null | "failed" {
    const { scene } = this;
    const { session, deletion } = scene;
    if (!this.copiesFirst(type)) return null;
    const path = scene.path(item);
    const place = deletion.backups!.placeOf(path);
    if (!place) return "failed";
    const { O, E } = session.fs.constants;
    const name = place.root.quoted(place.path);
    const gone = place.root.unlink(place.path);
    if (gone < 0 && gone !== -E.ENOENT) {
      scene.failed(`unlink ${name}`, -gone);
      return "failed";
    }
    const fd = place.root.open(place.path, O.WRONLY | O.CREAT | O.EXCL, 0o600);
    if (fd >= 0) return { fd, path, place, shown: deletion.backups!.shown(path), stat: { ...scene.stat } };
    scene.failed(`open ${name}`, -fd);
    return "failed";
  }

  /** Writes the request's ndx and item flags, and notes that the file is under way. */
  private ask(item: Item, before: StatRecord | null, type: number, xname: string | null = null): void {
    const { scene } = this;
    const { session } = scene;
    const { options, context, output } = session;
    if (context.incRecurse && (session.dryRun === 0 || options.onlyWriteBatch)) item.list.inProgress++;
    if (scene.hardLinks && item.list.flags[item.row] & FileFlag.hlinked) item.list.flags[item.row] |= FileFlag.fileSent;
    scene.ndxWriter.write(output.writer, item.ndx);
    if (!scene.itemizing) return;
    let iflags: number = ItemFlag.transfer;
    if (options.checksum && !this.redoing) iflags |= ItemFlag.reportChange;
    if (type !== FnamecmpType.fname) iflags |= ItemFlag.basisTypeFollows;
    if (type >= FnamecmpType.fuzzy) iflags |= ItemFlag.xnameFollows;
    scene.itemizer.report(item.list, item.row, -1, before, iflags, type, xname);
  }

  private wantWhole(): void {
    if (this.scene.session.doTransfers && this.scene.session.options.readBatch === null) this.sums.sendNone();
  }
}
