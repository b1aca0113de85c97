/**
 * The sender (Host-A): answers the generator's requests with token streams.
 *
 * For each requested file it reads the block sums of the receiver's old data, searches the source for them and sends
 * literals and block references, then the whole-file digest. With incremental recursion it also keeps the file list
 * ahead of the requests. Upstream sender.c:send_files; the phases and the closing of segments are in `atDone`.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { BlockTable, Matcher, type MatchOptions } from "../delta/match.ts";
import { CHUNK_SIZE, type FileSource, type Pieces } from "../delta/tokens.ts";
import { blockRules, transferDigest } from "../checksum/digest.ts";
import { checksumLength } from "../checksum/registry.ts";
import { isDevice } from "../files/perms.ts";
import { type FileList } from "../flist/filelist.ts";
import { FileFlag, IoError, ItemFlag, MessageTag, Ndx, FnamecmpType } from "../protocol/constants.ts";
import { type Cursor } from "../protocol/cursor.ts";
import { NdxReader, NdxWriter } from "../protocol/ndx.ts";
import { isKeepAliveItem, writeNdxAttrs } from "../protocol/ndxattrs.ts";
import { readDeleteStats, writeDeleteStats } from "../protocol/stats.ts";
import { newSumHead, readSumHead, writeSumHead } from "../protocol/sumhead.ts";
import { newStat } from "../posix/filesystem.ts";
import { type Session } from "../session/session.ts";
import { countCreated, noteDeleteStats } from "./counts.ts";
import { deviceLength } from "./devices.ts";
import { checkTransferRequest, ItemReader } from "./items.ts";
import { ItemLog } from "./itemlog.ts";
import { type SourceTree } from "./sourcetree.ts";
import { type TokenOutput } from "./tokenoutput.ts";
import { carriesXattrs, type XattrAnswers } from "./xattritems.ts";

/** Rows the list is kept ahead of the requests; upstream MIN_FILECNT_LOOKAHEAD. */
const LOOKAHEAD = 1000;
/** A whole file at least this long is copied by the kernel when the receiver is in this process. */
const LOCAL_COPY_LEAST = 1;
/** From here on a copy takes long enough that --progress should show it move: the kernel's does not tell. */
const LIVE_LEAST = 16 * 1024 * 1024;
const SUM1_BYTES = 4;

export class Sender {
  readonly items: ItemReader;
  readonly ndxWriter: NdxWriter;
  private readonly session: Session;
  private readonly tree: SourceTree;
  private readonly itemLog: ItemLog;
  private readonly head = newSumHead();
  private readonly stat = newStat();
  private readonly digestLength: number;
  private readonly matcher: Matcher;
  private readonly tokens: TokenOutput;
  private readonly answers: XattrAnswers | null;
  private readonly source: FdSource;
  private readonly decodeHead: (cursor: Cursor) => true;
  private readonly maxPhase: number;
  /** --debug=send. */
  private readonly traced: boolean;
  private phase = 0;
  /** The file at hand was sent before and arrived damaged. */
  private redo = false;

  /** `answers`: null without --xattrs. */
  constructor(
    session: Session, tree: SourceTree, itemLog: ItemLog, ndxWriter: NdxWriter, tokens: TokenOutput,
    answers: XattrAnswers | null,
  ) {
    const { context, kernels } = session;
    this.answers = answers;
    this.session = session;
    this.tree = tree;
    this.itemLog = itemLog;
    this.ndxWriter = ndxWriter;
    this.items = new ItemReader(session.input, new NdxReader(context.version), context.version);
    this.digestLength = checksumLength(context.transferChecksum);
    this.matcher = new Matcher(kernels, transferDigest(kernels, context));
    if (session.log.debug("DELTASUM", 1)) {
      const level = session.log.levels.debug.DELTASUM;
      this.matcher.traceLines = { level, line: (text) => session.log.infoLine(`${text}\n`) };
    }
    this.tokens = tokens;
    this.source = new FdSource(session);
    this.maxPhase = context.version >= 29 ? 2 : 1;
    this.traced = session.log.debug("SEND", 1);
    this.decodeHead = (cursor) => {
      readSumHead(cursor, this.head, context.version, this.digestLength);
      return true;
    };
  }

  /** Serves requests until the receiver has ended the last phase. */
  async run(): Promise<void> {
    const { session, items } = this;
    const ioErrorBefore = session.ioError;
    this.trace(() => "send_files starting");
    for (;;) {
      if (this.tree.needsMore(LOOKAHEAD)) await this.tree.sendAhead(LOOKAHEAD);
      const ndx = items.poll() ?? (await items.next());
      if (ndx === Ndx.done) {
        if (this.atDone()) break;
      } else if (ndx === Ndx.delStats) {
        await this.passDeleteStats();
      } else {
        const serving = this.serve(ndx);
        if (serving) await serving;
      }
      session.output.spill();
      if (session.output.congested) await this.drain();
      const turn = session.breathe();
      if (turn) await turn;
    }
    if (session.ioError !== ioErrorBefore && session.context.version >= 30) {
      session.output.messageInt(MessageTag.ioError, session.ioError);
    }
    this.trace(() => "send files finished");
    this.reportMatches();
    this.ndxWriter.write(session.output.writer, Ndx.done);
  }

  /** Waits until there is room for output. With a timeout, a receiver that takes long is heard to be alive. */
  private drain(): Promise<void> {
    const { input, output, ioTimeout } = this.session;
    return ioTimeout > 0 ? input.during(output.drain()) : output.drain();
  }

  /** Reads a request after the last phase; used for the goodbye. */
  async nextNdx(): Promise<number> {
    for (;;) {
      const ndx = this.items.poll() ?? (await this.items.next());
      if (ndx !== Ndx.delStats) return ndx;
      await this.passDeleteStats();
    }
  }

  /** The receiver has nothing more to ask for in this segment or phase; true when that was the last. */
  private atDone(): boolean {
    const { session, tree } = this;
    this.itemLog.endOfList();
    if (session.context.incRecurse && tree.view.first) {
      tree.view.freeFirst();
      if (tree.view.first) {
        this.ndxWriter.write(session.output.writer, Ndx.done);
        return false;
      }
    }
    if (++this.phase > this.maxPhase) return true;
    this.trace(() => `send_files phase=${this.phase}`);
    this.ndxWriter.write(session.output.writer, Ndx.done);
    return false;
  }

  private async passDeleteStats(): Promise<void> {
    const { session } = this;
    const stats = session.input.poll(readDeleteStats) ?? (await session.input.next(readDeleteStats));
    noteDeleteStats(session.stats, stats);
    if (session.amServer) {
      this.ndxWriter.write(session.output.writer, Ndx.delStats);
      writeDeleteStats(session.output.writer, stats);
    }
  }

  /**
   * One request: either news about an item, which is logged and echoed, or a file to send. Undefined when that is done
   * already: a promise for each of many small files would cost more than the rest.
   */
  private serve(ndx: number): Promise<void> | undefined {
    const { session, items } = this;
    if (ndx < 0) {
      const range = `${Ndx.done} - ${this.tree.segments.lastNdx}`;
      throw new ProtocolError("ndx", `Invalid file index: ${ndx} (${range}) [${session.who}]`);
    }
    const { iflags } = items.attrs;
    if (this.isKeepAlive(ndx, iflags)) {
      session.output.keepAlive();
      return undefined;
    }
    const segment = this.tree.view.select(ndx, "read_ndx_and_attrs");
    checkTransferRequest(segment, ndx - segment.ndxStart, ndx, iflags, session.who);
    const { list, row } = this.tree.entryOf(segment, ndx);
    const { answers } = this;
    if (answers && carriesXattrs(session, iflags)) return this.serveXattrs(answers, ndx, list, row);
    return this.serveRow(ndx, list, row);
  }

  private async serveXattrs(answers: XattrAnswers, ndx: number, list: FileList, row: number): Promise<void> {
    await answers.readRequest(list, row);
    await this.serveRow(ndx, list, row);
  }

  private serveRow(ndx: number, list: FileList, row: number): Promise<void> | undefined {
    const { session, items } = this;
    const { iflags, xname } = items.attrs;
    this.tree.enter(list, row);
    if (this.traced) this.traceRow(ndx, list, row);
    if ((iflags & ItemFlag.transfer) === 0) {
      this.itemLog.maybeLog(list, row, iflags, xname ?? "");
      this.writeItem(ndx, list, row);
      if (iflags & ItemFlag.isNew) countCreated(session.stats, list.mode[row]);
      return undefined;
    }
    if (this.phase === 2) throw new ProtocolError("iflags", `got transfer request in phase 2 [${session.who}]`);
    return this.sendFile(ndx, list, row);
  }

  private isKeepAlive(ndx: number, iflags: number): boolean {
    return isKeepAliveItem(ndx, iflags, this.tree.view.current?.used ?? -1, this.session.context.version);
  }

  /** Echoes the request, so that the receiver knows what follows. */
  private writeItem(ndx: number, list: FileList, row: number): void {
    const { session, answers } = this;
    const { attrs } = this.items;
    const { writer } = session.output;
    this.ndxWriter.write(writer, ndx);
    writeNdxAttrs(writer, attrs, session.context.version);
    if (answers && carriesXattrs(session, attrs.iflags)) answers.write(list, row);
  }

  private sendFile(ndx: number, list: FileList, row: number): Promise<void> | undefined {
    const { session, items } = this;
    const { iflags } = items.attrs;
    this.redo = (list.flags[row] & FileFlag.fileSent) !== 0;
    if (!this.redo && iflags & ItemFlag.isNew) session.stats.createdFiles++;
    this.itemLog.beginCount();
    session.stats.transferredFiles++;
    session.stats.totalTransferredSize += list.size[row];
    if (!session.doTransfers) {
      this.itemLog.logTransfer(list, row, iflags);
      this.writeItem(ndx, list, row);
      return undefined;
    }
    const arrived = session.input.poll(this.decodeHead) !== undefined;
    if (!arrived || this.head.count > 0) return this.sendByTable(ndx, list, row, arrived);
    if (session.log.debug("DELTASUM", 3)) this.showHead();
    const fd = this.openSource(ndx, list, row);
    return fd < 0 ? undefined : this.sendOpened(ndx, list, row, fd, null);
  }

  /** The rest of `sendFile` when its sum head (unless `arrived`) or block sums are still on their way. */
  private async sendByTable(ndx: number, list: FileList, row: number, arrived: boolean): Promise<void> {
    if (!arrived) await this.session.input.next(this.decodeHead);
    const table = await this.receiveSums();
    try {
      const fd = this.openSource(ndx, list, row);
      if (fd >= 0) await this.sendOpened(ndx, list, row, fd, table);
    } finally {
      table?.release();
    }
  }

  private showHead(): void {
    const { count, blockLength, remainder } = this.head;
    this.session.log.infoLine(`count=${count} n=${blockLength} rem=${remainder}\n`);
  }

  /** Reads the block sums that the sum head announces, if any, straight into a block table. */
  private async receiveSums(): Promise<BlockTable | null> {
    const { session, head } = this;
    const { input } = session;
    if (session.log.debug("DELTASUM", 3)) this.showHead();
    if (head.count === 0 || (session.options.append > 0 && !this.redo)) return null;
    if (session.context.transferChecksum === "none") {
      throw new ProtocolError("sum-head", "got block sums without a checksum for them", ExitCode.unsupported);
    }
    const byteLength = head.count * (SUM1_BYTES + head.s2length);
    const table = new BlockTable(session.kernels, blockRules(session.context), head);
    await input.readTo(table.sumsPtr, byteLength);
    if (session.log.debug("DELTASUM", 3)) this.showSums(table);
    table.build();
    return table;
  }

  /** --debug=deltasum3: the block sums that have come. */
  private showSums(table: BlockTable): void {
    const { log, memory } = this.session;
    const { count, blockLength, s2length } = table.head;
    for (let index = 0; index < count; index++) {
      const byteLength = index === count - 1 ? table.lastLength : blockLength;
      const sum1 = memory.view.getUint32(table.sumsPtr + index * (SUM1_BYTES + s2length), true);
      const shown = sum1.toString(16).padStart(8, "0");
      log.infoLine(`chunk[${index}] len=${byteLength} offset=${index * blockLength} sum1=${shown}\n`);
    }
  }

  private traceRow(ndx: number, list: FileList, row: number): void {
    this.trace(() => `send_files(${ndx}, ${this.tree.shownPath(list, row)})`);
  }

  private traceSent(list: FileList, row: number): void {
    this.trace(() => `sender finished ${this.tree.shownPath(list, row)}`);
  }

  /** A line of --debug=send. */
  private trace(text: () => string): void {
    const { log } = this.session;
    if (log.debug("SEND", 1)) log.infoLine(`${text()}\n`);
  }

  /** Opens the source; a failure is reported to the user and to the receiver, and -1 returned. */
  private openSource(ndx: number, list: FileList, row: number): number {
    const { session } = this;
    const fd = this.tree.open(list, row);
    if (fd >= 0) return fd;
    if (-fd === session.fs.constants.E.ENOENT) {
      session.ioError |= IoError.vanished;
      session.log.warning(`file has vanished: ${this.tree.fullName(list, row)}\n`);
    } else {
      session.ioError |= IoError.general;
      const reason = `${session.fs.strerror(-fd)} (${-fd})`;
      session.log.errorXfer(`rsync: [sender] send_files failed to open ${this.tree.fullName(list, row)}: ${reason}\n`);
    }
    if (session.context.version >= 30) session.output.messageInt(MessageTag.noSend, ndx);
    return -1;
  }

  private sendOpened(
    ndx: number, list: FileList, row: number, fd: number, table: BlockTable | null,
  ): Promise<void> | undefined {
    const { session, head, items } = this;
    const { iflags } = items.attrs;
    const failed = session.fs.fstat(fd, this.stat);
    if (failed < 0) {
      session.fs.close(fd);
      throw new ProtocolError("file", `fstat failed: ${session.fs.strerror(-failed)} (${-failed})`, ExitCode.fileIo);
    }
    if (isDevice(this.stat.mode)) this.measureDevice(fd, list.path(row));
    if (session.options.append > 0 && !this.redo && this.stat.size < list.size[row]) {
      session.log.warning(`skipped diminished file: ${this.tree.fullName(list, row)}\n`);
      session.fs.close(fd);
      if (session.context.version >= 30) session.output.messageInt(MessageTag.noSend, ndx);
      return undefined;
    }
    this.writeItem(ndx, list, row);
    const batchOnly = session.batch !== null && session.options.onlyWriteBatch;
    if (batchOnly) session.output.divert(true);
    writeSumHead(session.output.writer, head);
    if (session.log.debug("DELTASUM", 2)) {
      const path = this.tree.shownPath(list, row);
      session.log.infoLine(`send_files mapped ${path} of size ${this.stat.size}\n`);
      session.log.infoLine(`calling match_sums ${path}\n`);
    }
    this.itemLog.beforeTransfer(list, row, iflags);
    if (this.canHandOver(table)) {
      this.handOver(fd, this.stat.size);
      this.itemLog.progress(Math.min(CHUNK_SIZE, this.stat.size), this.stat.size);
      this.sent(list, row, iflags);
      return undefined;
    }
    return this.sendContents(fd, list, row, table, batchOnly);
  }

  private async sendContents(
    fd: number, list: FileList, row: number, table: BlockTable | null, batchOnly: boolean,
  ): Promise<void> {
    const { iflags } = this.items.attrs;
    await this.sendTokens(fd, list, row, table);
    if (batchOnly) this.session.output.divert(false);
    this.sent(list, row, iflags);
  }

  private sent(list: FileList, row: number, iflags: number): void {
    this.itemLog.afterTransfer(list, row, iflags, this.stat.size);
    if (this.traced) this.traceSent(list, row);
    list.flags[row] |= FileFlag.fileSent;
  }

  private measureDevice(fd: number, path: string): void {
    const { session, stat } = this;
    if (!session.options.copyDevices) {
      throw new ProtocolError("iflags", "attempt to copy device contents without --copy-devices");
    }
    if (stat.size === 0) stat.size = deviceLength(session, fd, path);
  }

  /** A whole file to a receiver in this process goes as an open descriptor, unless a delta was asked for. */
  private canHandOver(table: BlockTable | null): boolean {
    const { session } = this;
    if (this.itemLog.wantsDigests || session.log.debug("DELTASUM", 2)) return false;
    if (this.itemLog.showsProgress && this.stat.size >= LIVE_LEAST) return false;
    const sameFiles = session.localLink !== null && session.localLink.clientFiles === null;
    const { wholeFile, sparse, preallocate } = session.options;
    const plain = !sparse && !preallocate && !isDevice(this.stat.mode);
    const wanted = sameFiles && wholeFile > 0 && plain;
    return wanted && table === null && this.stat.size >= LOCAL_COPY_LEAST && this.head.count === 0
      && session.context.compress === "none" && !session.output.isRecorded && session.options.bwlimit === 0;
  }

  private handOver(fd: number, byteLength: number): void {
    const { session, tokens } = this;
    session.localLink!.offer({ fd, byteLength });
    session.stats.literalData += byteLength;
    tokens.writeLocalCopy(byteLength, this.digestLength);
  }

  private async sendTokens(fd: number, list: FileList, row: number, table: BlockTable | null): Promise<void> {
    const { session, tokens, matcher, source } = this;
    const { output, stats } = session;
    source.use(fd, this.stat.size);
    matcher.start(table, source, tokens, this.matchOptions());
    for (let first = true; ; first = false) {
      const more = matcher.step();
      if (first && this.stat.size > 0) this.itemLog.progress(matcher.firstOffset, this.stat.size);
      if (this.stat.size > 0) this.itemLog.progress(matcher.offset, this.stat.size);
      if (!more) break;
      output.spill();
      if (output.congested) await this.drain();
      const turn = session.breathe();
      if (turn) await turn;
    }
    tokens.finish();
    const at = output.writer.reserve(this.digestLength);
    output.writer.length = at + matcher.finish(output.writer.bytes, at);
    this.itemLog.noteDigest(output.writer.bytes, at);
    stats.literalData += matcher.stats.literalBytes;
    stats.matchedData += matcher.stats.matchedBytes;
    if (matcher.readError !== 0) {
      session.ioError |= IoError.general;
      session.log.errorXfer(
        `rsync: [sender] read errors mapping ${this.tree.fullName(list, row)}: `
        + `${session.fs.strerror(matcher.readError)} (${matcher.readError})\n`,
      );
    }
    session.fs.close(fd);
  }

  private matchOptions(): MatchOptions {
    const { options } = this.session;
    if (options.append === 0 || this.redo) return { inplace: this.updatesBasis() };
    return { skipBytes: this.head.fileLength, digestSkipped: options.append === 2 };
  }

  /** The receiver overwrites the file it matches against, so blocks may only be used before they are overwritten. */
  private updatesBasis(): boolean {
    const { session, items } = this;
    const { options, context } = session;
    const { fnamecmpType } = items.attrs;
    if (context.inplacePartialDir && fnamecmpType === FnamecmpType.partialDir) return true;
    if (!options.inplace) return false;
    return context.version >= 29 ? fnamecmpType === FnamecmpType.fname : !options.backup || this.redo;
  }

  private reportMatches(): void {
    const { session, matcher } = this;
    if (!session.log.debug("DELTASUM", 1)) return;
    const stats = matcher.total;
    session.log.infoLine(
      `total: matches=${stats.matches}  hash_hits=${stats.hashHits}  false_alarms=${stats.falseAlarms} `
      + `data=${session.stats.literalData}\n`,
    );
  }
}

/** The open source file as the search reads it. */
class FdSource implements FileSource {
  byteLength = 0;
  private fd = -1;
  /** Where the descriptor stands: the search mostly reads on from there. */
  private pos = 0;
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  use(fd: number, byteLength: number): void {
    this.fd = fd;
    this.pos = 0;
    this.byteLength = byteLength;
  }

  read(offset: number, ptr: number, byteLength: number): number {
    const { fs } = this.session;
    if (offset !== this.pos) return fs.pread(this.fd, ptr, byteLength, offset);
    const count = fs.read(this.fd, ptr, byteLength);
    if (count > 0) this.pos += count;
    return count;
  }

  readPieces(offset: number, { ptr, stride, byteLength }: Pieces): number {
    const { fs } = this.session;
    if (byteLength <= CHUNK_SIZE) return this.read(offset, ptr, byteLength);
    // Each file begins with read(2), which is all that a library preloaded to watch reads knows of.
    const first = offset === 0 ? this.read(offset, ptr, CHUNK_SIZE) : 0;
    const begun = offset === 0 ? CHUNK_SIZE : 0;
    if (first !== begun || offset + begun !== this.pos || fs.readv === undefined) return first;
    const at = begun > 0 ? ptr + stride : ptr;
    const count = fs.readv(this.fd, at, byteLength - begun, CHUNK_SIZE, stride);
    if (count <= 0) return begun > 0 ? begun : count;
    this.pos += count;
    return begun + count;
  }
}
