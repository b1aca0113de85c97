/**
 * The receiver: turns the sender's token streams into files. Each is built under a temporary name beside its target,
 * checked against the sender's whole-file digest, given its attributes and renamed into place; so the name holds the
 * old file or the new one at every moment. Upstream receiver.c:recv_files, receive_data.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { type PatchTarget, type Patcher } from "../delta/patch.ts";
import { checksumLength } from "../checksum/registry.ts";
import { type FileList } from "../flist/filelist.ts";
import { FileFlag, FnamecmpType, ItemFlag, Ndx } from "../protocol/constants.ts";
import { type Cursor } from "../protocol/cursor.ts";
import { newStat } from "../posix/filesystem.ts";
import { type NdxReader } from "../protocol/ndx.ts";
import { readDeleteStats } from "../protocol/stats.ts";
import { newSumHead, readSumHead } from "../protocol/sumhead.ts";
import { skipLocalCopy, type TokenReader, type TokenSink, wholeLiteral } from "../protocol/token.ts";
import { type Session } from "../session/session.ts";
import { countCreated, noteDeleteStats } from "./counts.ts";
import { type HiddenTest } from "./hidden.ts";
import { type Incoming, type IncomingFile } from "./incoming.ts";
import { checkTransferRequest, ItemReader } from "./items.ts";
import { type ItemLog } from "./itemlog.ts";
import { type LocalCopy } from "./localcopy.ts";
import { type ListReader } from "./receivelist.ts";
import { type Receiving } from "./receiving.ts";
import { type SmallFile, type SmallFiles } from "./smallfiles.ts";
import { carriesXattrs, setsXattrs, type XattrReception } from "./xattritems.ts";

const INT_BYTES = 4;

/** What a receiver works with. */
export interface ReceiverParts {
  readonly receiving: Receiving;
  readonly lists: ListReader;
  readonly incoming: Incoming;
  readonly patcher: Patcher;
  readonly tokens: TokenReader;
  readonly itemLog: ItemLog;
  readonly ndxReader: NdxReader;
  /** What a daemon does not let its clients write; null for nothing. */
  readonly hidden: HiddenTest | null;
  /** Takes offered files from a sender in this process; null otherwise. */
  readonly localCopy: LocalCopy | null;
  /** Null without --xattrs. */
  readonly xattrs: XattrReception | null;
  /** Makes the short way of small files; null when this run has no use for it. */
  readonly makeSmallFiles: ((ordinary: (file: SmallFile) => void) => SmallFiles) | null;
}

export class Receiver implements TokenSink {
  private readonly session: Session;
  private readonly p: ReceiverParts;
  private readonly items: ItemReader;
  private readonly head = newSumHead();
  private readonly digestLength: number;
  private readonly digest: Uint8Array;
  private readonly decodeHead: (cursor: Cursor) => true;
  private readonly decodeDigest: (cursor: Cursor) => true;
  private readonly maxPhase: number;
  /** --debug=recv. */
  private readonly traced: boolean;
  private phase = 0;
  private file: IncomingFile | null = null;
  private readonly stat = newStat();
  /** --debug=deltasum3 tells of every token. */
  private readonly tokensTraced: boolean;
  /** The file at hand came as an open descriptor and has been copied. */
  private copied = false;
  /** Its sum head has been read. */
  private headArrived = false;
  /** Null when this run has no use for the short way. */
  private readonly smallFiles: SmallFiles | null;

  constructor(parts: ReceiverParts) {
    const { session } = parts.receiving;
    const { context } = session;
    this.session = session;
    this.p = parts;
    this.smallFiles = parts.makeSmallFiles?.((file) => this.receiveSmall(file)) ?? null;
    this.items = new ItemReader(session.input, parts.ndxReader, context.version);
    this.digestLength = checksumLength(context.transferChecksum);
    this.tokensTraced = session.log.debug("DELTASUM", 3);
    this.traced = session.log.debug("RECV", 1);
    this.digest = new Uint8Array(this.digestLength);
    this.maxPhase = context.version >= 29 ? 2 : 1;
    this.decodeHead = (cursor) => {
      readSumHead(cursor, this.head, context.version, this.digestLength);
      return true;
    };
    this.decodeDigest = (cursor) => {
      this.digest.set(cursor.take(this.digestLength));
      return true;
    };
  }

  /** Receives until the last phase has ended. */
  async run(): Promise<void> {
    this.trace(() => `recv_files(${this.p.receiving.receiverView.current?.used ?? 0}) starting`);
    for (;;) {
      const polled = this.items.poll();
      const ndx = polled !== undefined && isItem(polled) ? polled : await this.nextNdx(polled);
      if (ndx === Ndx.done) {
        if (await this.atDone()) return;
      } else {
        const taking = this.take(ndx);
        if (taking) await taking;
      }
    }
  }

  /** The run ends before its time: what there is of the file under construction is kept (--partial) or dropped. */
  cutOff(): void {
    const { patcher, incoming, localCopy } = this.p;
    const gotData = this.file !== null && (this.copied ? localCopy!.copiedBytes : patcher.literalBytes) > 0;
    if (gotData && !this.copied) patcher.finish(false);
    incoming.cutOff(gotData);
  }

  /**
   * The next item, with file-list segments and delete statistics dealt with on the way. `polled`: what has been read
   * of it already.
   */
  async nextNdx(polled?: number): Promise<number> {
    for (let first = polled; ; first = undefined) {
      const ndx = first ?? this.items.poll() ?? (await this.items.next());
      if (isItem(ndx)) return ndx;
      if (ndx === Ndx.delStats) await this.readDeleteStats();
      else {
        const { lists, receiving } = this.p;
        await lists.special(ndx, receiving.receiverView.first === null);
        receiving.events.notify();
      }
    }
  }

  private async readDeleteStats(): Promise<void> {
    const { session } = this;
    const stats = session.input.poll(readDeleteStats) ?? (await session.input.next(readDeleteStats));
    noteDeleteStats(session.stats, stats);
  }

  /** The sender has no more of this segment or phase; true at the very end. */
  private async atDone(): Promise<boolean> {
    const { receiving, itemLog, incoming } = this.p;
    const view = receiving.receiverView;
    const segment = this.session.context.incRecurse ? view.first : null;
    if (segment === null || segment.next === null) this.smallFiles?.drain();
    else this.smallFiles?.drain(segment);
    itemLog.endOfList();
    const { batchRequests } = receiving;
    if (batchRequests && view.first) await batchRequests.wants(view.first.ndxStart + view.first.used, view.first);
    if (this.session.context.incRecurse && view.first) {
      view.freeFirst();
      if (view.first) return false;
    }
    const last = ++this.phase > this.maxPhase;
    if (!last) this.trace(() => `recv_files phase=${this.phase}`);
    if (this.phase === 2) incoming.renameDelayed();
    if (last) {
      this.trace(() => "recv_files finished");
      return true;
    }
    receiving.phaseDone();
    return false;
  }

  /** Undefined when the item is dealt with already, as small files mostly are. */
  private take(ndx: number): Promise<void> | undefined {
    const { session, items } = this;
    const { receiving, xattrs } = this.p;
    const { iflags } = items.attrs;
    if (this.isKeepAlive(ndx, iflags)) return undefined;
    const segment = receiving.receiverView.select(ndx, "read_ndx_and_attrs");
    checkTransferRequest(segment, ndx - segment.ndxStart, ndx, iflags, session.who);
    const { list, row } = this.entryOf(segment, ndx);
    this.checkHidden(list, row);
    if (xattrs && carriesXattrs(session, iflags)) return this.takeXattrs(xattrs, ndx, list, row);
    return this.takeRow(ndx, list, row);
  }

  private async takeXattrs(xattrs: XattrReception, ndx: number, list: FileList, row: number): Promise<void> {
    await xattrs.read(list, row);
    await this.takeRow(ndx, list, row);
  }

  private takeRow(ndx: number, list: FileList, row: number): Promise<void> | undefined {
    const { session, items } = this;
    const { incoming, itemLog, xattrs } = this.p;
    const { iflags, xname } = items.attrs;
    if (this.traced) this.traceRow(list, row);
    if ((iflags & ItemFlag.transfer) === 0) {
      itemLog.maybeLog(list, row, iflags, xname ?? "");
      if (xattrs && setsXattrs(session, iflags)) incoming.setAttributes(list, row);
      if (iflags & ItemFlag.isNew) countCreated(session.stats, list.mode[row]);
      return undefined;
    }
    if (this.phase === 2) throw new ProtocolError("iflags", `got transfer request in phase 2 [${session.who}]`);
    return this.receiveFile(list, row, ndx, iflags);
  }

  private traceRow(list: FileList, row: number): void {
    this.trace(() => `recv_files(${this.p.receiving.destination.path(list, row)})`);
  }

  /** A line of --debug=recv. */
  private trace(text: () => string): void {
    const { log } = this.session;
    if (log.debug("RECV", 1)) log.infoLine(`${text()}\n`);
  }

  /** The generator has refused the file; a sender who sends it all the same is up to something. */
  private checkHidden(list: FileList, row: number): void {
    const { hidden, receiving } = this.p;
    if (hidden === null) return;
    const path = receiving.destination.path(list, row);
    if (!hidden(path, list.isDir(row))) return;
    throw new ProtocolError("iflags", `ERROR: rejecting file transfer request for daemon excluded file: ${path}`);
  }

  private isKeepAlive(ndx: number, iflags: number): boolean {
    const used = this.p.receiving.receiverView.current?.used ?? -1;
    return this.session.context.version < 30 && ndx === used && iflags === ItemFlag.isNew;
  }

  private entryOf(segment: FileList, ndx: number): { list: FileList; row: number } {
    const { dirList } = this.p.receiving.segments;
    const at = ndx - segment.ndxStart;
    const found = at >= 0 ? { list: segment, row: at } : { list: dirList, row: segment.parentNdx };
    if (found.row < 0 || found.row >= found.list.used || !found.list.isActive(found.row)) {
      throw new ProtocolError("ndx", `refusing transfer of cleared file index ${ndx}`);
    }
    return found;
  }

  private receiveFile(list: FileList, row: number, ndx: number, iflags: number): Promise<void> | undefined {
    const { session } = this;
    const { stats } = session;
    const redo = (list.flags[row] & FileFlag.damaged) !== 0;
    if (!redo && iflags & ItemFlag.isNew) stats.createdFiles++;
    this.p.itemLog.beginCount();
    stats.transferredFiles++;
    stats.totalTransferredSize += list.size[row];
    const plain = this.p.receiving.batchRequests === null && session.doTransfers && !session.options.onlyWriteBatch;
    return plain ? this.receiveInto(list, row, ndx, iflags, redo) : this.receiveOddly(list, row, ndx, iflags, redo);
  }

  /** Batches and dry runs. */
  private async receiveOddly(
    list: FileList, row: number, ndx: number, iflags: number, redo: boolean,
  ): Promise<void> {
    const { session } = this;
    const { itemLog, receiving } = this.p;
    const { batchRequests } = receiving;
    if (batchRequests && !(redo ? batchRequests.wantsAgain(ndx) : await batchRequests.wants(ndx, list))) {
      const path = receiving.destination.path(list, row);
      session.log.infoLine(`(Skipping batched update for${redo ? " resend of" : ""} "${path}")\n`);
      list.flags[row] |= FileFlag.damaged;
      return this.discard();
    }
    if (!session.doTransfers) {
      itemLog.logTransfer(list, row, iflags);
      if (batchRequests) await this.discard();
      return;
    }
    if (session.options.onlyWriteBatch) {
      itemLog.logTransfer(list, row, iflags);
      if (!session.amServer) await this.discard();
      if (session.context.incRecurse) receiving.success(ndx);
      return;
    }
    await this.receiveInto(list, row, ndx, iflags, redo);
  }

  private receiveInto(
    list: FileList, row: number, ndx: number, iflags: number, redo: boolean,
  ): Promise<void> | undefined {
    const { incoming, itemLog } = this.p;
    const { attrs } = this.items;
    const isNew = (iflags & ItemFlag.isNew) !== 0;
    this.headArrived = false;
    const { smallFiles } = this;
    if (smallFiles && isNew && !redo && this.takeSmall(smallFiles, list, row, ndx)) return undefined;
    const file = incoming.open(list, row, ndx, redo, this.basisType(redo), attrs.xname, isNew);
    if (file.outputFd >= 0) itemLog.beforeTransfer(list, row, iflags);
    const waiting = this.receiveData(file);
    if (waiting) return this.endLater(waiting, file, iflags);
    this.endFile(file, iflags);
    return undefined;
  }

  /** A new file that goes the short way; false when it does not, with the sum head perhaps taken. */
  private takeSmall(smallFiles: SmallFiles, list: FileList, row: number, ndx: number): boolean {
    const { input, localLink } = this.session;
    if (this.items.attrs.fnamecmpType !== FnamecmpType.fname || !smallFiles.suits(list, row)) return false;
    if (input.poll(this.decodeHead) === undefined) return false;
    this.headArrived = true;
    if (this.head.count !== 0) return false;
    if (localLink === null) return this.takeWhole(smallFiles, list, row, ndx);
    if (!skipLocalCopy(input.cursor, this.digestLength)) return false;
    const offer = localLink.take();
    if (!offer) throw new ProtocolError("token", "got a block match with no basis file");
    this.p.itemLog.arrived(list, row, this.items.attrs.iflags, offer.byteLength);
    smallFiles.make({ list, row, ndx, offer, ptr: 0, byteLength: offer.byteLength });
    return true;
  }

  /** One whose contents have arrived, all of them and as announced. Otherwise nothing is taken. */
  private takeWhole(smallFiles: SmallFiles, list: FileList, row: number, ndx: number): boolean {
    const { input: { cursor }, memory } = this.session;
    const byteLength = wholeLiteral(cursor, this.digestLength);
    if (byteLength !== list.size[row]) return false;
    const content = cursor.pos + INT_BYTES;
    const digest = byteLength === 0 ? content : content + byteLength + INT_BYTES;
    if (!this.p.patcher.isWhole(content, byteLength, digest)) return false;
    const ptr = smallFiles.room(byteLength);
    memory.move(ptr, content, byteLength);
    cursor.pos = digest + this.digestLength;
    this.p.itemLog.arrived(list, row, this.items.attrs.iflags, byteLength);
    smallFiles.make({ list, row, ndx, offer: null, ptr, byteLength });
    return true;
  }

  /** A small file that could not be made the short way. */
  private receiveSmall({ list, row, ndx, offer, ptr, byteLength }: SmallFile): void {
    const { incoming, localCopy } = this.p;
    incoming.aside(() => {
      const file = incoming.open(list, row, ndx, false, FnamecmpType.fname, null, true);
      if (offer) localCopy!.put(file, offer);
      else this.putWhole(file, ptr, byteLength);
      if (file.outputFd < 0) incoming.abandon(file);
      else incoming.finish(file, true);
    });
  }

  private putWhole(file: IncomingFile, ptr: number, byteLength: number): void {
    const { fs, stats } = this.session;
    stats.literalData += byteLength;
    for (let done = 0; file.outputFd >= 0 && done < byteLength; ) {
      const count = fs.write(file.outputFd, ptr + done, byteLength - done);
      if (count <= 0) this.endWriting(file, count < 0 ? -count : (fs.constants.E.EIO ?? 5));
      done += count;
    }
  }

  private async endLater(waiting: Promise<void>, file: IncomingFile, iflags: number): Promise<void> {
    await waiting;
    this.endFile(file, iflags);
  }

  private endFile(file: IncomingFile, iflags: number): void {
    const { incoming, itemLog, receiving } = this.p;
    if (file.outputFd < 0) return incoming.abandon(file);
    itemLog.afterTransfer(file.list, file.row, iflags, file.list.size[file.row]);
    incoming.finish(file, this.copied || this.p.patcher.verify(this.digest));
    if (receiving.batchRequests) file.list.flags[file.row] |= FileFlag.damaged;
  }

  /** Reads one file's data without a use for it. */
  private async discard(): Promise<void> {
    const { input } = this.session;
    const { patcher, tokens } = this.p;
    if (input.poll(this.decodeHead) === undefined) await input.next(this.decodeHead);
    patcher.start({
      head: this.head, outputFd: -1, basisFd: -1, inplace: false, sparse: false, skipBytes: 0, digestSkipped: false,
    });
    while (!tokens.read(input.cursor, this)) await input.more();
    patcher.finish(false);
    if (input.poll(this.decodeDigest) === undefined) await input.next(this.decodeDigest);
    this.countData();
  }

  private countData(): void {
    const { stats } = this.session;
    stats.literalData += this.p.patcher.literalBytes;
    stats.matchedData += this.p.patcher.matchedBytes;
  }

  /** Which file serves as basis; before protocol 29 it is not sent. */
  private basisType(redo: boolean): number {
    const { options, context } = this.session;
    const { fnamecmpType } = this.items.attrs;
    if (context.version >= 29) return fnamecmpType;
    if (options.partialDir !== null) return FnamecmpType.partialDir;
    return options.inplace && options.backup && !redo ? FnamecmpType.backup : FnamecmpType.fname;
  }

  /**
   * Reads one file's tokens and digest; what cannot be written is read all the same. Undefined when everything had
   * arrived.
   */
  private receiveData(file: IncomingFile): Promise<void> | undefined {
    const { input } = this.session;
    if (!this.headArrived && input.poll(this.decodeHead) === undefined) return this.awaitData(file, false);
    this.beginData(file);
    if (!this.p.tokens.read(input.cursor, this)) return this.awaitData(file, true);
    const copying = this.copied ? this.p.localCopy!.take(file) : undefined;
    return copying ? this.awaitCopy(copying, file) : this.takeDigest(file);
  }

  /** The rest of `receiveData` from where the bytes ran out, which was behind the sum head if `begun`. */
  private async awaitData(file: IncomingFile, begun: boolean): Promise<void> {
    const { input } = this.session;
    if (begun) await input.more();
    else {
      await input.next(this.decodeHead);
      this.beginData(file);
    }
    while (!this.p.tokens.read(input.cursor, this)) {
      if (this.p.patcher.writeError !== 0) this.endWriting(file, this.p.patcher.writeError);
      await input.more();
    }
    if (this.copied) await this.p.localCopy!.take(file);
    await this.takeDigest(file);
  }

  private async awaitCopy(copying: Promise<void>, file: IncomingFile): Promise<void> {
    await copying;
    await this.takeDigest(file);
  }

  /** The data is written: what is left is its digest. */
  private takeDigest(file: IncomingFile): Promise<void> | undefined {
    const failed = this.endTokens(file);
    if (this.session.input.poll(this.decodeDigest) === undefined) return this.awaitDigest(file, failed);
    this.endData(file, failed);
    return undefined;
  }

  private async awaitDigest(file: IncomingFile, failed: number): Promise<void> {
    await this.session.input.next(this.decodeDigest);
    this.endData(file, failed);
  }

  private beginData(file: IncomingFile): void {
    const { patcher, incoming } = this.p;
    const reserved = incoming.reserve(file);
    if (file.basisFd >= 0 && this.session.log.debug("DELTASUM", 2)) this.showBasis(file);
    patcher.start(this.targetOf(file, reserved));
    this.file = file;
    this.copied = false;
  }

  /** The tokens are all there: 0, or -errno of a write. */
  private endTokens(file: IncomingFile): number {
    const failed = this.copied ? 0 : this.p.patcher.finish(file.truncate);
    if (failed >= 0) this.sync(file);
    return failed;
  }

  private endData(file: IncomingFile, failed: number): void {
    const { session } = this;
    if (session.log.debug("DELTASUM", 2)) session.log.infoLine("got file_sum\n");
    this.p.itemLog.noteDigest(this.digest, 0);
    this.countData();
    if (failed < 0) this.endWriting(file, -failed);
    this.file = null;
  }

  /** Writing has failed, and with it the run; what has been written is dealt with as when a run is cut off. */
  private endWriting(file: IncomingFile, errno: number): never {
    const { session } = this;
    const name = this.p.receiving.destination.fullName(file.path);
    session.log.errorXfer(`rsync: [receiver] write failed on ${name}: ${session.fs.strerror(errno)} (${errno})\n`);
    throw new ProtocolError("file", "", ExitCode.fileIo);
  }

  /** --debug=deltasum2: the old data that blocks refer to. */
  private showBasis(file: IncomingFile): void {
    const { fs, log } = this.session;
    if (fs.fstat(file.basisFd, this.stat) < 0 || this.stat.size === 0) return;
    const path = !file.basisIsTarget && file.partial ? file.partial.path : file.path;
    log.infoLine(`recv mapped ${path} of size ${this.stat.size}\n`);
  }

  /** --fsync: a failure ends the run. */
  private sync(file: IncomingFile): void {
    const { session } = this;
    if (!session.options.fsync || file.outputFd < 0) return;
    const failed = session.fs.fsync(file.outputFd);
    if (failed >= 0) return;
    const name = this.p.receiving.destination.fullName(file.path);
    session.log.error(`rsync: [receiver] fsync failed on ${name}: ${session.fs.strerror(-failed)} (${-failed})\n`);
    throw new ProtocolError("file", "", ExitCode.fileIo);
  }

  private showProgress(): void {
    const { itemLog, patcher } = this.p;
    if (itemLog.followsProgress && this.file) itemLog.progress(patcher.offset, this.file.list.size[this.file.row]);
  }

  private targetOf(file: IncomingFile, preallocated: number): PatchTarget {
    const { append, sparse } = this.session.options;
    const appending = append > 0 && !file.redo;
    const { tokens } = this.p;
    const { memory } = this.session;
    return {
      head: this.head,
      outputFd: file.outputFd,
      basisFd: file.basisFd,
      inplace: file.updatesBasis,
      // The second try of --append is a plain one.
      sparse: sparse && !(append > 0 && file.redo),
      preallocated,
      skipBytes: appending ? this.head.fileLength : 0,
      digestSkipped: append === 2,
      seen: tokens.wantsSeen ? (ptr, byteLength) => tokens.seen(memory.bytes(ptr, byteLength)) : undefined,
    };
  }

  // TokenSink.

  literal(bytes: Uint8Array): void {
    this.showProgress();
    if (this.tokensTraced) {
      this.session.log.infoLine(`data recv ${bytes.length} at ${this.p.patcher.offset}\n`);
    }
    this.p.patcher.literal(bytes);
  }

  match(index: number): void {
    this.showProgress();
    const { localCopy } = this.p;
    if (localCopy && this.head.count === 0 && index === 0 && this.file) {
      this.copied = true;
      return;
    }
    if (this.tokensTraced) this.showMatch(index);
    this.p.patcher.match(index);
  }

  private showMatch(index: number): void {
    const { count, remainder, blockLength } = this.head;
    const { offset } = this.p.patcher;
    const byteLength = index === count - 1 && remainder > 0 ? remainder : blockLength;
    const at = index * blockLength;
    const stays = this.file?.updatesBasis && offset === at ? " (seek)" : "";
    this.session.log.infoLine(`chunk[${index}] of size ${byteLength} at ${at} offset=${offset}${stays}\n`);
  }

  /** The end shows in what the token reader returns. */
  end(): void {}
}

/** An ndx that is no file-list segment and no delete statistics. */
function isItem(ndx: number): boolean {
  return ndx >= 0 || ndx === Ndx.done;
}
