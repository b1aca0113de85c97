/**
 * A file on its way in: its basis, its temporary file, and what becomes of it. Upstream receiver.c:recv_files around
 * receive_data.
 */
import { ProtocolError } from "../errors.ts";
import { type Attributes, type XattrBasis } from "../files/attrs.ts";
import { type Committer } from "../files/commit.ts";
import { joinPath, type Place } from "../files/confine.ts";
import { type PartialDir } from "../files/partial.ts";
import {
  destMode, isDevice as isDeviceMode, isDirectory, isRegular, S_IRUSR, S_IRWXU, S_IWUSR,
} from "../files/perms.ts";
import { preallocate } from "../files/preallocate.ts";
import { type FileReporter } from "../files/report.ts";
import { openTemp, pooledRandom, type RandomBytes } from "../files/tempname.ts";
import { type CopySettings, fillCopy } from "../files/copyfile.ts";
import { type DefaultPerms } from "../files/defaultperms.ts";
import { type Backups } from "../files/backup.ts";
import { type FileList } from "../flist/filelist.ts";
import { newStat } from "../posix/filesystem.ts";
import { FileFlag, FnamecmpType } from "../protocol/constants.ts";
import { type Session } from "../session/session.ts";
import { type BasisDirs } from "./basisdirs.ts";
import { type Destination } from "./destination.ts";
import { type HiddenTest } from "./hidden.ts";
import { openInPlace } from "./inplacefile.ts";
import { checkPartialBasis } from "./operatorpaths.ts";
import { type Receiving } from "./receiving.ts";

/** One file being received. */
export interface IncomingFile {
  readonly list: FileList;
  readonly row: number;
  readonly ndx: number;
  readonly destination: Destination;
  /** Path below the destination. */
  readonly path: string;
  readonly redo: boolean;
  /** Open old data, or -1. */
  readonly basisFd: number;
  readonly basisLength: number;
  /** The old data is the file's own place. */
  readonly basisIsTarget: boolean;
  /** Where the data goes, or -1 when it has to be discarded. */
  readonly outputFd: number;
  /** The temporary file; null when the data is written in place. */
  readonly temp: Place | null;
  /** Where a partial file of this name is kept; null without a partial directory. */
  readonly partial: Place | null;
  /** Basis and output are the same file. */
  readonly updatesBasis: boolean;
  /** The output may be longer than the new data. */
  readonly truncate: boolean;
}

/** What incoming files need. */
export interface IncomingParts {
  readonly session: Session;
  readonly receiving: Receiving;
  readonly destination: Destination;
  readonly committer: Committer;
  readonly backups: Backups | null;
  readonly partialDir: PartialDir | null;
  readonly tempDir: Place | null;
  readonly dirPerms: DefaultPerms;
  /** Sets attributes on behalf of the receiver. */
  readonly attributes: Attributes;
  readonly copying: CopySettings;
  readonly reporter: FileReporter;
  readonly generatorReporter: FileReporter;
  readonly basisDirs: BasisDirs | null;
  /** What a daemon keeps from its clients; null for nothing. */
  readonly hidden: HiddenTest | null;
}

interface Basis {
  fd: number;
  isTarget: boolean;
  type: number;
}

/** A name from the peer that cannot lead upwards. Upstream util1.c:sanitize_path. */
function withoutClimbing(name: string): string {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/") || ".";
}

/** Is the file built in the partial directory, on what an earlier run left there? It stays there when that fails. */
function isOwnPartial({ temp, partial }: IncomingFile): boolean {
  return temp !== null && temp === partial;
}

/** The output of a file that cannot be written. */
const NO_OUTPUT: { fd: number; temp: Place | null } = { fd: -1, temp: null };

export class Incoming {
  private readonly p: IncomingParts;
  private readonly stat = newStat();
  private readonly random: RandomBytes;
  private readonly delayed: { list: FileList; row: number; ndx: number; path: string; partial: Place }[] = [];
  /** The file whose temporary name exists, for clean-up when the run is cut off. */
  private current: IncomingFile | null = null;
  /** The last file whose basis was closed. */
  private closed: IncomingFile | null = null;

  constructor(parts: IncomingParts) {
    this.p = parts;
    this.random = pooledRandom((bytes) => parts.session.host.random(bytes));
  }

  /**
   * Opens basis and output. When that fails, which is reported, `outputFd` is -1 and the data is to be discarded.
   * `isNew`: the generator found nothing at the file's place, so there is no basis to look for.
   */
  open(
    list: FileList, row: number, ndx: number, redo: boolean, type: number, xname: string | null, isNew: boolean,
  ): IncomingFile {
    const { session, destination, partialDir } = this.p;
    const { options, context } = session;
    const path = destination.path(list, row);
    const partial = partialDir ? partialDir.placeOf(path) : null;
    const missing = isNew && type === FnamecmpType.fname;
    const basis = missing ? { fd: -1, isTarget: true, type } : this.openBasis(path, partial, type, xname);
    const usable = this.checkBasis(basis, path);
    const isDevice = this.intoDevice(basis);
    const basisLength = basis.fd >= 0 ? this.stat.size : 0;
    if (!options.preservePerms) {
      const exists = basis.fd >= 0;
      const mode = exists ? this.stat.mode : 0;
      const perms = this.p.dirPerms.of(list.dirs, destination.soloName === null ? list.dir[row] : 0);
      // The generator has worked out a mode too, perhaps from another file.
      const sent = list.extra.sentMode?.[row] || list.mode[row];
      list.mode[row] = destMode(sent, mode, perms, exists, options.preserveExecutability);
    }
    const inPartial = context.inplacePartialDir && basis.type === FnamecmpType.partialDir && basis.fd >= 0;
    const place = inPartial ? partial : null;
    const output = usable ? this.openOutput(path, list.mode[row], place, this.p.reporter) : NO_OUTPUT;
    this.current = {
      list, row, ndx, destination, path, redo, basisFd: basis.fd, basisLength, basisIsTarget: basis.isTarget, partial,
      updatesBasis: inPartial || (options.inplace && (basis.isTarget || basis.type === FnamecmpType.backup)),
      truncate: (options.inplace && !isDevice) || inPartial,
      outputFd: output.fd, temp: output.temp,
    };
    return this.current;
  }

  /** --preallocate and --sparse get the output ready. Returns how far it has blocks that --preallocate made. */
  reserve({ list, row, path, outputFd, basisLength, truncate }: IncomingFile): number {
    const { session, destination, reporter } = this.p;
    const { options, fs } = session;
    const byteLength = list.size[row];
    if (outputFd < 0) return 0;
    if (options.preallocate && byteLength > 0) {
      const inPlace = options.inplace || truncate;
      if (inPlace && byteLength <= basisLength) return 0;
      const reserved = preallocate(fs, outputFd, byteLength, options.sparse);
      if (reserved < 0) reporter.failed("warning", -reserved, `do_fallocate ${destination.fullName(path)}`);
      return Math.max(0, reserved);
    }
    // A whole file that is written over an old one has its holes where the new data has them.
    if (options.sparse && truncate && options.wholeFile > 0) fs.ftruncate(outputFd, 0);
    return 0;
  }

  /** Has `action` receive another file while one may be under construction. If it throws, that other one is dropped. */
  aside(action: () => void): void {
    const { current } = this;
    this.current = null;
    try {
      action();
    } finally {
      this.cutOff(false);
      this.current = current;
    }
  }

  /** Gives up on a file whose data was discarded. */
  abandon(file: IncomingFile): void {
    this.closeBasis(file);
    this.current = null;
    this.p.receiving.noSend(file.ndx);
  }

  /** Puts a complete file in place, or keeps or drops one that arrived damaged. */
  finish(file: IncomingFile, verified: boolean): void {
    const { session } = this.p;
    const { options } = session;
    this.current = null;
    if ((verified && !(options.delayUpdates && file.partial)) || options.inplace) {
      this.commit(file, verified);
    } else if (options.delayUpdates && verified) {
      this.delay(file);
    } else {
      this.keepDamaged(file);
    }
    this.closeBasis(file);
  }

  /** Keeps or drops what has the wrong digest. Of what is kept rsync says that it was discarded, too. */
  private keepDamaged(file: IncomingFile): void {
    const { options, fs } = this.p.session;
    if (isOwnPartial(file) && !options.delayUpdates) {
      fs.close(file.outputFd);
      this.damaged(file, "put into partial-dir");
    } else if (!this.mayKeep(file)) {
      this.drop(file);
      this.damaged(file, "discarded");
    } else if (this.keep(file)) {
      this.damaged(file, "discarded");
    } else {
      this.p.receiving.noSend(file.ndx);
    }
  }

  /**
   * Gives an item that is not transferred its attributes, xattrs with them, whose values have now arrived. A directory
   * that is being worked in stays open to its owner until the generator's last look at it.
   */
  setAttributes(list: FileList, row: number): void {
    const { attributes, destination, receiving, session } = this.p;
    const settled = list.mode[row];
    // Without --perms this, too: rsync's receiver knows only the mode that was sent, not what its generator made of it.
    const mode = list.mode[row] = list.extra.sentMode?.[row] || settled;
    attributes.setRow(list, row, null, 0, "self");
    list.mode[row] = settled;
    if (!isDirectory(mode) || session.amRoot !== 0 || (mode & S_IRWXU) === S_IRWXU) return;
    if (session.options.listOnly !== 0 || destination.soloName !== null) return;
    if (receiving.segments.flagsOf(list, row) & FileFlag.touchedUp) return;
    destination.root.chmod(destination.path(list, row), mode | S_IRWXU);
    receiving.segments.orFlags(list, row, FileFlag.reopened);
  }

  /** --delay-updates: renames what was kept back. Upstream handle_delayed_updates. */
  renameDelayed(): void {
    const { destination, backups, committer, partialDir, receiving, reporter, session } = this.p;
    for (const { ndx, path, partial, list, row } of this.delayed) {
      if (backups && backups.make(path, false) === 0) continue;
      if (session.log.debug("RECV", 1)) session.log.infoLine(`renaming ${partial.path} to ${path}\n`);
      const renamed = committer.rename(partial, { root: destination.root, path });
      if (renamed < 0) {
        const from = partial.root.quoted(partial.path);
        reporter.failed("errorXfer", -renamed, `rename failed for ${destination.fullName(path)} (from ${from})`);
        continue;
      }
      const linked = session.options.preserveHardLinks > 0 && destination.isHardLinked(list, row);
      if (session.options.removeSourceFiles || linked) receiving.success(ndx);
      partialDir!.removeIfEmpty(partial);
    }
    this.delayed.length = 0;
  }

  /**
   * The run is cut off, or writing failed: keeps or removes the file under construction. What was written in place
   * stays as it is, with the attributes that it had. Upstream cleanup.c.
   */
  cutOff(gotData: boolean): void {
    const file = this.current;
    if (!file) return;
    this.current = null;
    this.closeBasis(file);
    if (file.outputFd < 0) return;
    if (file.temp === null || isOwnPartial(file)) {
      this.p.session.fs.close(file.outputFd);
    } else if (gotData && this.mayKeep(file)) {
      // A partial file at the target's name must not look newer than it is, or --update would pass it over.
      if (!file.partial) file.list.mtime[file.row] = 0;
      this.keep(file, file.partial === null);
    } else {
      this.drop(file);
    }
  }

  private openBasis(path: string, partial: Place | null, type: number, xname: string | null): Basis {
    const { session, destination, backups } = this.p;
    const { O } = session.fs.constants;
    if (type === FnamecmpType.partialDir && partial) {
      const fd = partial.root.open(partial.path, O.RDONLY, 0);
      if (fd >= 0) return { fd, isTarget: false, type };
      checkPartialBasis(session, path);
    }
    if (type === FnamecmpType.backup && backups) {
      const place = backups.placeOf(path);
      const fd = place ? place.root.open(place.path, O.RDONLY, 0) : -1;
      if (fd >= 0) return { fd, isTarget: false, type };
    }
    if (type <= FnamecmpType.basisDirHigh) return this.openInBasisDir(path, type);
    if (type >= FnamecmpType.fuzzy) return this.openSimilar(path, type, xname ?? "");
    const known = type === FnamecmpType.fname || type === FnamecmpType.partialDir || type === FnamecmpType.backup;
    if (!known) throw new ProtocolError("fnamecmp-type", `invalid basis_dir index: ${type}.`);
    const fd = destination.root.open(path, O.RDONLY, 0);
    // Before protocol 29 the generator cannot say that its basis is in the one basis directory.
    const elsewhere = fd < 0 && this.p.basisDirs && session.context.version < 29;
    if (elsewhere) return this.openInBasisDir(path, FnamecmpType.basisDirLow);
    return { fd: Math.max(fd, -1), isTarget: true, type: FnamecmpType.fname };
  }

  /** A basis for which the name came along: --fuzzy. */
  private openSimilar(path: string, type: number, xname: string): Basis {
    const { basisDirs, session, destination } = this.p;
    const name = withoutClimbing(xname);
    if (type === FnamecmpType.fuzzy && session.options.fuzzy === 0) {
      session.log.errorXfer(`rsync: refusing malicious fuzzy operation for ${name}\n`);
      throw new ProtocolError("fnamecmp-type", "");
    }
    const index = type - FnamecmpType.fuzzy - 1;
    if (index >= (basisDirs?.count ?? 0)) {
      throw new ProtocolError("fnamecmp-type", `invalid basis_dir index: ${type}.`);
    }
    const below = joinPath(path.slice(0, Math.max(0, path.lastIndexOf("/"))), name);
    if (this.p.hidden?.(below, false)) {
      const own = destination.root.open(path, session.fs.constants.O.RDONLY, 0);
      return { fd: Math.max(own, -1), isTarget: true, type: FnamecmpType.fname };
    }
    const place = index < 0 ? { root: destination.root, path: below } : basisDirs!.placeOf(index, below);
    const fd = place.root.open(place.path, session.fs.constants.O.RDONLY, 0);
    return { fd: Math.max(fd, -1), isTarget: false, type };
  }

  private openInBasisDir(path: string, index: number): Basis {
    const { basisDirs, session } = this.p;
    if (!basisDirs || index >= basisDirs.count) {
      throw new ProtocolError("fnamecmp-type", `invalid basis_dir index: ${index}.`);
    }
    const place = basisDirs.placeOf(index, path);
    const fd = place.root.open(place.path, session.fs.constants.O.RDONLY, 0);
    return { fd: Math.max(fd, -1), isTarget: false, type: index };
  }

  /** Makes the row's file a copy of `from`. False after a failure. Upstream generator.c:copy_altdest_file. */
  copyIn(from: Place, list: FileList, row: number): boolean {
    const { session, destination, committer, partialDir } = this.p;
    const { fs } = session;
    const path = destination.path(list, row);
    const output = this.openOutput(path, list.mode[row], null, this.p.generatorReporter);
    if (output.fd < 0) return false;
    const to = output.temp ?? { root: destination.root, path };
    const result = this.copyData(from, to, output.fd);
    if (result < 0) {
      fs.close(output.fd);
      to.root.unlink(to.path);
      if (!session.log.info("COPY", 1)) return false;
      const reason = `${fs.strerror(-result)} (${-result})`;
      const name = from.root.quoted(from.path);
      session.log.infoLine(`rsync: [generator] copy_file ${name} => ${to.path}: ${reason}\n`);
      return false;
    }
    const partial = partialDir ? partialDir.placeOf(path) : null;
    const ended = committer.finish({
      rows: list, row, path, temp: output.temp, fd: output.fd, partial, okToSetTime: true, overwritingBasis: false,
      basis: null,
    });
    return ended === "ok";
  }

  private copyData(from: Place, to: Place, target: number): number {
    const { session, generatorReporter, copying } = this.p;
    const { fs } = session;
    const source = from.root.open(from.path, fs.constants.O.RDONLY, 0);
    if (source < 0) {
      generatorReporter.failed("errorXfer", -source, `open ${from.root.quoted(from.path)}`);
      return source;
    }
    const result = fillCopy(from, to, source, target, copying, generatorReporter);
    fs.close(source);
    return result;
  }

  /** Only a regular file serves as basis. False when the target cannot be replaced at all. */
  private checkBasis(basis: Basis, path: string): boolean {
    const { session, destination } = this.p;
    const { fs } = session;
    if (basis.fd < 0) return true;
    const failed = fs.fstat(basis.fd, this.stat);
    if (failed < 0) {
      this.p.reporter.failed("errorXfer", -failed, `fstat ${destination.fullName(path)} failed`);
      return false;
    }
    if (isDirectory(this.stat.mode) && basis.isTarget) {
      session.log.errorXfer(`recv_files: ${destination.fullName(path)} is a directory\n`);
      return false;
    }
    if (!isRegular(this.stat.mode) && !this.intoDevice(basis)) {
      fs.close(basis.fd);
      basis.fd = -1;
    }
    return true;
  }

  /** --write-devices: the old data is a device's, which is written into and has no length to set. */
  private intoDevice(basis: Basis): boolean {
    return this.p.session.options.writeDevices && basis.fd >= 0 && isDeviceMode(this.stat.mode);
  }

  private openOutput(
    path: string, mode: number, inPartial: Place | null, reporter: FileReporter,
  ): { fd: number; temp: Place | null } {
    const { session, destination, tempDir } = this.p;
    const place = { root: destination.root, path };
    const asItIs = inPartial ?? (session.options.inplace ? place : null);
    if (asItIs) return { fd: openInPlace(session, asItIs, this.p.reporter), temp: inPartial };
    const root = tempDir ? tempDir.root : destination.root;
    // With --fake-super a file keeps its true permissions elsewhere and must stay usable here.
    const rights = session.amRoot < 0 ? mode | S_IRUSR | S_IWUSR : mode;
    const { fd, path: tempPath } = openTemp(place, tempDir, rights, this.random);
    if (fd >= 0) return { fd, temp: { root, path: tempPath } };
    reporter.failed("errorXfer", -fd, `mkstemp ${root.quoted(tempPath)} failed`);
    return { fd: -1, temp: null };
  }

  private commit(file: IncomingFile, verified: boolean): void {
    const { committer, receiving, partialDir } = this.p;
    const result = committer.finish({
      rows: file.list, row: file.row, path: file.path, temp: file.temp, fd: file.outputFd, partial: file.partial,
      okToSetTime: verified, overwritingBasis: !this.hasBackup(file), basis: this.basisOf(file),
    });
    if (result === "backup-failed") throw new ProtocolError("file", "", 11);
    if (result === "failed") {
      receiving.noSend(file.ndx);
      return;
    }
    if (file.partial && !file.basisIsTarget && partialDir && file.basisFd >= 0) {
      file.partial.root.unlink(file.partial.path);
      partialDir.removeIfEmpty(file.partial);
    }
    if (verified) {
      this.noteLocal(file);
      receiving.success(file.ndx);
    } else {
      this.damaged(file, partialDir ? "put into partial-dir" : "retained");
    }
  }

  /** With --partial the damaged first version was put in place already, and the old one backed up then. */
  private hasBackup(file: IncomingFile): boolean {
    return file.redo && this.p.session.options.partial && file.partial === null;
  }

  /** Tells a sender in this process which inode the file now has, so that it does not remove that one. */
  private noteLocal(file: IncomingFile): void {
    const { session, destination } = this.p;
    if (!session.localLink || !session.options.removeSourceFiles) return;
    const found = destination.root.lstat(file.path, this.stat);
    const { devHi, devLo, inoHi, inoLo } = this.stat;
    session.localLink.lastDevice = found >= 0 ? `${devHi}:${devLo}:${inoHi}:${inoLo}` : "";
  }

  private delay(file: IncomingFile): void {
    if (!this.keep(file, true)) {
      this.p.receiving.noSend(file.ndx);
      return;
    }
    const { list, row, ndx, path, partial } = file;
    this.delayed.push({ list, row, ndx, path, partial: partial! });
    this.p.receiving.delayed(ndx);
  }

  /** --partial: but not where a daemon hides the partial directory's file. */
  private mayKeep({ partial }: IncomingFile): boolean {
    return this.p.session.options.partial && (this.p.partialDir === null || partial !== null);
  }

  private keep(file: IncomingFile, okToSetTime = false): boolean {
    return this.p.committer.keepPartial({
      rows: file.list, row: file.row, path: file.path, temp: file.temp, fd: file.outputFd, partial: file.partial,
      okToSetTime, overwritingBasis: file.partial === null && !this.hasBackup(file), basis: this.basisOf(file),
    });
  }

  /** The old version for values of xattrs; none once it was closed, as when a run is cut off. */
  private basisOf(file: IncomingFile): XattrBasis {
    if (this.p.copying.xattrs === null || this.closed === file) return null;
    return file.basisFd >= 0 ? { fd: file.basisFd, name: 0 } : "none";
  }

  private drop(file: IncomingFile): void {
    const { fs } = this.p.session;
    fs.close(file.outputFd);
    file.temp?.root.unlink(file.temp.path);
  }

  /** The digest was wrong: ask once more, then give up. */
  private damaged(file: IncomingFile, what: string): void {
    const { session, receiving } = this.p;
    const { log, options } = session;
    if (file.redo || log.info("NAME", 1) || options.outFormatHasItemize > 0) {
      const level = file.redo ? "ERROR" : "WARNING";
      const again = file.redo ? "" : receiving.batchRequests ? " (may try again)" : " (will try again)";
      const text = `${level}: ${file.path} failed verification -- update ${what}${again}.\n`;
      if (file.redo) log.errorXfer(text);
      else log.warning(text);
    }
    if (file.redo) {
      receiving.noSend(file.ndx);
      return;
    }
    file.list.flags[file.row] |= FileFlag.damaged;
    receiving.requestRedo(file.ndx, file.path);
  }

  private closeBasis(file: IncomingFile): void {
    this.closed = file;
    if (file.basisFd >= 0) this.p.session.fs.close(file.basisFd);
  }
}
