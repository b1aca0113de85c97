/**
 * The lines about items: what is printed for each, before or after its transfer, and the progress line between.
 * Upstream log.c:log_item, maybe_log_item, log_delete; progress.c.
 */
import { type FileList } from "../flist/filelist.ts";
import { fileKind } from "../files/basis.ts";
import { itemAction, itemKind, itemReasons, type Observer } from "../output/events.ts";
import { LogFormat, type LogItem, type LogRun } from "../output/format.ts";
import { itemize } from "../output/itemize.ts";
import { Numbers } from "../output/numbers.ts";
import { Progress } from "../output/progress.ts";
import { bytesOf } from "../memory.ts";
import { ItemFlag, MessageTag, SIGNIFICANT_ITEM_FLAGS, FileFlag } from "../protocol/constants.ts";
import { checksumLength, digestHex, flistChecksumLength } from "../checksum/registry.ts";
import { formatHas } from "../options/formathas.ts";
import { insideModule, type ModuleScope } from "../session/module.ts";
import { type Session } from "../session/session.ts";
import { LogCode } from "../session/log.ts";

/** The part of a SegmentView that tells how much of the list is behind. */
interface Position {
  readonly current: FileList | null;
}

/** Where the current file stands in the list. */
export interface ListPlace {
  readonly view: Position;
  listComplete(): boolean;
  /** The sender's directory that a row's name starts from. */
  rootOf?(list: FileList, row: number): string | null;
  /** Absolute directory that other names start from. */
  readonly directory: string;
}

const DELETING = "deleting %n";

/** An observer hears of progress at most this often, milliseconds. */
const TELL_MS = 500;

export class ItemLog {
  private readonly session: Session;
  private readonly place: ListPlace;
  private readonly outFormat: LogFormat | null;
  private readonly logFormat: LogFormat | null;
  private readonly deleteFormat: LogFormat;
  private readonly logDeleteFormat: LogFormat;
  private readonly run: LogRun;
  private readonly progressLine: Progress | null;
  private readonly showsNames: boolean;
  private readonly itemizing: boolean;
  private readonly observer: Observer | null;
  /** A format tells the digest of a file's contents: it has to be there when its line is made. */
  readonly wantsDigests: boolean;
  /** Digest of the transfer of the file at hand, if `wantsDigests`. */
  private readonly digest: Uint8Array;
  /** The item lines are printed: nobody takes them as events instead. */
  private readonly prints: boolean;
  /** Path of the file under way, and when its progress may be told again. */
  private current = "";
  private tellAt = 0;
  private writtenBefore = 0;
  private readBefore = 0;

  constructor(session: Session, place: ListPlace) {
    const { options, log, context } = session;
    this.session = session;
    this.place = place;
    this.observer = session.observer;
    this.prints = !session.amServer && (session.observer === null || session.observer.mutes === "nothing");
    this.outFormat = options.outFormat === null ? null : new LogFormat(options.outFormat);
    this.logFormat = options.logFormat && log.logFile ? new LogFormat(options.logFormat) : null;
    this.logDeleteFormat = options.logFormatHasOperation && this.logFormat ? this.logFormat : new LogFormat(DELETING);
    this.wantsDigests = [this.outFormat && options.outFormat, this.logFormat && options.logFormat]
      .some((format) => formatHas(format, "C"));
    this.digest = new Uint8Array(checksumLength(context.transferChecksum));
    const named = options.outFormatHasItemize > 0 || options.outFormatHasOperation;
    this.deleteFormat = named && this.outFormat ? this.outFormat : new LogFormat(DELETING);
    this.itemizing = session.amServer ? options.logFormatHasItemize : options.outFormatHasItemize > 0;
    const level = log.levels.info.PROGRESS;
    this.showsNames = this.prints && log.info("NAME", 1) && level === 1;
    this.progressLine = !this.prints || level === 0
      ? null
      : new Progress(new Numbers(options.humanReadable), session.stats, level >= 2);
    this.run = {
      itemize: {
        local: session.localLink !== null, preserveMtimes: options.preserveMtimes,
        receiverSymlinkTimes: context.receiverSymlinkTimes,
      },
      sender: session.amSender,
      pid: session.host.pid,
      daemon: daemonFacts(session.module, place.directory),
      checksumWidth: 2 * (options.checksum
        ? flistChecksumLength(context.fileChecksum)
        : checksumLength(context.transferChecksum)),
      now: () => session.host.now() / 1000,
      itemBytes: () => ({
        written: session.output.dataBytes - this.writtenBefore,
        read: session.input.cursor.offset - this.readBefore,
      }),
    };
  }

  /** Logs an item that is not transferred, if it is worth a line here. `xname` "" for none. */
  maybeLog(list: FileList, row: number, iflags: number, xname: string): void {
    const { session } = this;
    const { options, log } = session;
    const significant = (iflags & SIGNIFICANT_ITEM_FLAGS) !== 0;
    const all = options.outFormatHasItemize > 1 || (log.info("NAME", 2) && options.outFormatHasItemize > 0);
    const see = this.itemizing && (significant || xname !== "" || all);
    const local = (iflags & ItemFlag.localChange) !== 0 && significant;
    if (this.observer && (significant || xname !== "" || all)) this.tell(this.observer, list, row, iflags, xname);
    if (session.amServer) {
      const logged = log.logFile && !options.dryRun && see && (significant || options.logFormatHasItemize);
      if (logged) this.log(LogCode.log, list, row, iflags, xname);
      return;
    }
    const isDir = fileKind(list.mode[row]) === "directory";
    if (!see && !local && xname === "" && !(isDir && significant)) return;
    const code = significant || options.logFormatHasItemize ? LogCode.info : LogCode.client;
    this.log(code, list, row, iflags, xname);
  }

  /** Logs an item here and now: protocols before 29 report none to the sender. */
  logNow(list: FileList, row: number, iflags: number, xname: string): void {
    if (this.observer) this.tell(this.observer, list, row, iflags, xname);
    this.log(this.session.options.logFormatHasItemize ? LogCode.info : LogCode.client, list, row, iflags, xname);
  }

  /** Logs a transfer that only a dry run reports. */
  logTransfer(list: FileList, row: number, iflags: number): void {
    if (this.observer) this.tell(this.observer, list, row, iflags, "");
    this.log(LogCode.client, list, row, iflags, "");
  }

  /** The bytes of a file's transfer are counted from here on; upstream remember_initial_stats. */
  beginCount(): void {
    const { input, output } = this.session;
    this.writtenBefore = output.dataBytes;
    this.readBefore = input.cursor.offset;
  }

  /** The transfer of a file begins. */
  beforeTransfer(list: FileList, row: number, iflags: number): void {
    const { session } = this;
    if (this.observer) {
      this.current = list.path(row);
      this.tellAt = session.host.monotonic() + TELL_MS;
    }
    if (session.options.logBeforeTransfer) this.log(LogCode.client, list, row, iflags, "");
    else if (this.showsNames) session.log.write(LogCode.client, `${list.path(row)}\n`, true);
  }

  /** The digest of the file at hand, as it travels. */
  noteDigest(bytes: Uint8Array, at: number): void {
    if (this.wantsDigests) this.digest.set(bytes.subarray(at, at + this.digest.length));
  }

  /** The transfer of a file has ended. `size` is its length as transferred. */
  afterTransfer(list: FileList, row: number, iflags: number, size: number): void {
    const { session } = this;
    this.endProgress(list, row, size);
    if (this.observer) {
      if (session.log.info("PROGRESS", 1)) this.tellProgress(this.observer, size, size);
      this.tell(this.observer, list, row, iflags, "");
    }
    this.log(session.options.logBeforeTransfer ? LogCode.log : LogCode.info, list, row, iflags, "");
  }

  private endProgress(list: FileList, row: number, size: number): void {
    if (!this.progressLine) return;
    const checked = list.ndxStart - list.flistNum + list.placeOf(row) + 1;
    const at = { checked, listComplete: this.place.listComplete() };
    this.draw(this.progressLine.end(size, this.session.host.monotonic(), at), true);
  }

  /**
   * A file has come at once; it may still have to be put in its place. Tells what `beforeTransfer`, `progress` and
   * `afterTransfer` would, where `tellsAtOnce`.
   */
  arrived(list: FileList, row: number, iflags: number, size: number): void {
    this.beforeTransfer(list, row, iflags);
    if (size > 0) this.progress(0, size);
    this.endProgress(list, row, size);
  }

  /** Progress was asked for, so that a file is to be seen moving. */
  get showsProgress(): boolean {
    return !this.session.amServer && this.session.log.info("PROGRESS", 1);
  }

  /** Nobody is told of transferred files on this side. */
  get isSilent(): boolean {
    const prints = this.prints && (this.outFormat !== null || this.showsNames);
    return !this.followsProgress && !prints && this.logFormat === null && !this.session.options.logBeforeTransfer;
  }

  /** Nothing that this side tells of a transferred file has to wait for it to be in its place. */
  get tellsAtOnce(): boolean {
    const before = !this.prints || this.outFormat === null || this.session.options.logBeforeTransfer;
    return before && this.observer === null && this.logFormat === null;
  }

  /** Somebody wants to know how far files have come. */
  get followsProgress(): boolean {
    return this.progressLine !== null || this.observer !== null;
  }

  /** How far the current file has come, in bytes. */
  progress(offset: number, size: number): void {
    if (!this.followsProgress) return;
    const now = this.session.host.monotonic();
    if (this.progressLine) this.draw(this.progressLine.show(offset, size, now), false);
    if (!this.observer || now < this.tellAt) return;
    this.tellAt = now + TELL_MS;
    this.tellProgress(this.observer, offset, size);
  }

  /** A segment or phase has ended. */
  endOfList(): void {
    const { session } = this;
    const list = this.place.view.current;
    if (!this.progressLine || session.log.levels.info.PROGRESS < 2 || list === null) return;
    const at = { checked: list.ndxStart - list.flistNum + list.used, listComplete: this.place.listComplete() };
    this.draw(this.progressLine.end(0, session.host.monotonic(), at), true);
  }

  private tellDeleted(path: string, isDir: boolean): void {
    const { session } = this;
    const name = session.charset?.send.lenient(path) ?? path;
    session.output.message(MessageTag.deleted, bytesOf(isDir ? `${name}\0` : name));
  }

  /** An item was deleted at the destination. A server tells its client, which prints it. */
  deleted(path: string, mode: number): void {
    const { session } = this;
    const isDir = fileKind(mode) === "directory";
    const tellsClient = session.amServer && session.context.version >= 29;
    if (tellsClient) this.tellDeleted(path, isDir);
    this.observer?.event({ type: "delete", path, kind: isDir ? "directory" : "file" });
    // An old client is not told of deletions otherwise.
    const prints = this.prints || (session.amServer && !tellsClient);
    if (prints && (session.log.info("DEL", 1) || this.outFormat)) {
      session.log.write(LogCode.client, this.deleteFormat.line(this.deletedItem(path, mode), this.run), true);
    }
    if (session.log.logFile && session.options.logFormat !== null && !session.options.dryRun) {
      session.log.write(LogCode.log, this.logDeleteFormat.line(this.deletedItem(path, mode), this.run));
    }
  }

  private draw(line: string, ended: boolean): void {
    const { session } = this;
    if (line === "") return;
    session.log.needsNewline = false;
    session.log.write(LogCode.client, line, true);
    session.log.needsNewline = this.progressLine!.leavesCursor(ended);
  }

  private log(code: LogCode, list: FileList, row: number, iflags: number, xname: string): void {
    const { session } = this;
    const toOut = code !== LogCode.log && this.outFormat !== null && this.prints;
    const toLog = code !== LogCode.client && this.logFormat !== null;
    if (!toOut && !toLog) return;
    const item = this.itemOf(list, row, iflags, xname);
    if (toOut) session.log.write(LogCode.client, this.outFormat!.line(item, this.run), true);
    if (toLog) session.log.write(LogCode.log, this.logFormat!.line(item, this.run));
  }

  /** Tells the observer of an item. */
  private tell(observer: Observer, list: FileList, row: number, iflags: number, xname: string): void {
    const mode = list.mode[row];
    observer.event({
      type: "file", path: list.path(row), kind: itemKind(mode), action: itemAction(iflags, mode, xname),
      reasons: itemReasons(iflags, mode), itemize: itemize(iflags, mode, this.session.amSender, this.run.itemize),
      size: list.size[row], mtime: list.mtime[row], mode,
      target: xname !== "" ? xname : fileKind(mode) === "symlink" ? list.linkTarget(row) : null,
    });
  }

  private tellProgress(observer: Observer, offset: number, size: number): void {
    const { stats } = this.session;
    observer.event({
      type: "progress", path: this.current, offset, size,
      transferredFiles: stats.transferredFiles, transferredBytes: stats.totalTransferredSize - size + offset,
      totalFiles: stats.numFiles, totalBytes: stats.totalSize, listComplete: this.place.listComplete(),
    });
  }

  private itemOf(list: FileList, row: number, iflags: number, xname: string): LogItem {
    const { session } = this;
    const isLink = fileKind(list.mode[row]) === "symlink";
    return {
      operation: session.amSender ? "send" : "recv",
      name: list.path(row),
      mode: list.mode[row],
      size: list.size[row],
      mtime: list.mtime[row],
      uid: session.options.preserveUid ? list.uid[row] : 0,
      gid: session.options.preserveGid && !(list.flags[row] & FileFlag.skipGroup) ? list.gid[row] : null,
      linkTarget: isLink ? list.linkTarget(row) : null,
      xname,
      root: this.place.rootOf?.(list, row) ?? null,
      iflags,
      checksum: this.checksumOf(list, row, iflags),
    };
  }

  private deletedItem(path: string, mode: number): LogItem {
    return {
      operation: "del.", name: path, mode, size: 0, mtime: 0, uid: 0,
      gid: this.session.options.preserveGid ? 0 : null,
      linkTarget: null, xname: "", root: null, iflags: ItemFlag.deleted, checksum: null,
    };
  }

  private checksumOf(list: FileList, row: number, iflags: number): string | null {
    if (!this.wantsDigests || fileKind(list.mode[row]) !== "regular") return null;
    const { options, context, memory } = this.session;
    if (!options.checksum) return iflags & ItemFlag.transfer ? digestHex(context.transferChecksum, this.digest) : null;
    const ptr = list.extra.checksum?.[row] ?? 0;
    if (ptr === 0) return null;
    return digestHex(context.fileChecksum, memory.bytes(ptr, flistChecksumLength(context.fileChecksum)));
  }
}

/** What a daemon's log lines may tell of client and module. */
function daemonFacts(module: ModuleScope | null, directory: string): LogRun["daemon"] {
  if (module === null) return undefined;
  const { host, address, name, path, user } = module;
  const below = insideModule(module, directory);
  return { host, address, module: name, path, user, directory: below === "." ? "" : below };
}
