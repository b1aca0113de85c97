/**
 * Reading file-list segments from a live connection. Upstream flist.c:recv_file_list, recv_additional_file_list,
 * and the part of rsync.c:read_ndx_and_attrs that meets a segment between items.
 */
import { ProtocolError } from "../errors.ts";
import { type FileList } from "../flist/filelist.ts";
import { SenderIds } from "../flist/idmap.ts";
import { type FlistReceiver } from "../flist/receive.ts";
import { type Segments } from "../flist/segments.ts";
import { Ndx } from "../protocol/constants.ts";
import { MUX_HEADER_BYTES } from "../protocol/mux.ts";
import { type NdxReader } from "../protocol/ndx.ts";
import { ListProgress } from "../session/listprogress.ts";
import { type Session } from "../session/session.ts";
import { handlesRows } from "./listhandover.ts";
import { linkText, showList, showListsEnd } from "./listtrace.ts";

export class ListReader {
  private readonly session: Session;
  private readonly receiver: FlistReceiver;
  private readonly segments: Segments;
  private readonly traced: boolean;
  /** Names of the segment at hand, if they are to be told. */
  private readonly told: string[] = [];
  /** Names of the ids of segments that are handed over. */
  private readonly names: SenderIds;
  private readonly handlesRows: boolean;

  constructor(session: Session, receiver: FlistReceiver, segments: Segments) {
    this.session = session;
    this.receiver = receiver;
    this.segments = segments;
    this.names = new SenderIds(session.fs);
    this.handlesRows = handlesRows(session);
    this.traced = session.log.debug("FLIST", 2);
    if (session.log.debug("DUP", 1)) {
      receiver.dropped = (path, ndx) => {
        const text = `removing duplicate name ${path} from file list (${ndx})\n`;
        for (const _ of this.listeners()) session.log.infoLine(text);
      };
    }
    if (session.log.debug("HLINK", 1)) {
      receiver.linked = (ndx, first, here) => {
        for (const who of this.listeners()) session.log.infoLine(`[${who}] ${linkText(ndx, first, here)}\n`);
      };
    }
    if (this.traced) receiver.named = (name) => void this.told.push(name);
  }

  /** The first list, and with incremental recursion the second segment when the first has a single entry. */
  async readFirst(ndxReader: NdxReader): Promise<FileList> {
    const { session } = this;
    const progress = new ListProgress(session);
    progress.start("receiving");
    const list = await this.readSegment(-1, progress);
    progress.finish(list.used);
    if (session.context.incRecurse && list.used === 1) {
      const decode = (cursor: Parameters<NdxReader["read"]>[0]): number => ndxReader.read(cursor);
      const ndx = session.input.poll(decode) ?? (await session.input.next(decode));
      await this.special(ndx);
    }
    return list;
  }

  /**
   * Acts on a negative ndx that announces a segment (returned) or the end of the list (null). Throws ProtocolError for
   * any other, and for a segment when the reader has done with all it had (`isOver`).
   */
  async special(ndx: number, isOver = false): Promise<FileList | null> {
    const { session, segments } = this;
    if (ndx === Ndx.flistEof && session.context.incRecurse) {
      segments.eof = true;
      for (const who of this.listeners()) showListsEnd(session, who);
      return null;
    }
    if (!session.context.incRecurse) {
      const range = `${Ndx.done} - ${segments.lastNdx}`;
      throw new ProtocolError("ndx", `Invalid file index: ${ndx} (${range}) [${session.who}]`);
    }
    const dirNdx = Ndx.flistOffset - ndx;
    if (dirNdx < 0 || dirNdx >= segments.dirList.used) {
      const low = Ndx.flistOffset - segments.dirList.used + 1;
      throw new ProtocolError("ndx", `Invalid dir index: ${ndx} (${Ndx.flistOffset} - ${low}) [${session.who}]`);
    }
    if (isOver) throw new ProtocolError("ndx", "rsync: refusing sub-flist after final flist was freed");
    return this.readSegment(dirNdx);
  }

  private async readSegment(dirNdx: number, progress?: ListProgress): Promise<FileList> {
    const { session, receiver } = this;
    const { input } = session;
    const started = session.host.monotonic();
    const { offset } = input.cursor;
    receiver.begin(dirNdx);
    const list = (await this.takeOver()) ?? (await this.decode(progress));
    // Upstream counts what it read meanwhile, with the header of the frame.
    session.stats.flistSize += input.cursor.offset - offset + (input.isMultiplexed ? MUX_HEADER_BYTES : 0);
    session.stats.flistTransferTime += Math.round(session.host.monotonic() - started);
    session.ioError |= receiver.ioError;
    this.count();
    if (this.traced) this.trace(dirNdx, list);
    if (!session.localLink) session.explainer?.sawList(list);
    return list;
  }

  private async decode(progress?: ListProgress): Promise<FileList> {
    const { receiver } = this;
    const { input } = this.session;
    let list = this.feed();
    while (list === null) {
      await input.more();
      list = this.feed();
      progress?.count(receiver.counts.numFiles);
    }
    return list;
  }

  /** A segment from a sender that hands them over: its bytes are skipped. Null for any other. */
  private async takeOver(): Promise<FileList | null> {
    const { input, localLink } = this.session;
    const { cursor } = input;
    if (localLink === null) return null;
    if (cursor.available === 0) await input.more();
    const { lists } = localLink;
    lists.isOpen &&= this.handlesRows;
    if (!lists.isOpen) return null;
    for (let skipped = 0; ; await input.more()) {
      const segment = lists.next;
      const left = segment === null ? Infinity : segment.byteLength - skipped;
      const count = Math.min(left, cursor.available);
      cursor.pos += count;
      skipped += count;
      if (segment === null || count < left) continue;
      lists.taken();
      return this.receiver.adopt(segment, this.names);
    }
  }

  /** Generator and receiver of rsync each have a list of their own, once they are two processes. */
  private listeners(): readonly string[] {
    const { who } = this.session;
    return who === "receiver" ? [who, "generator"] : [who];
  }

  private trace(dirNdx: number, list: FileList): void {
    const { session } = this;
    const { log } = session;
    for (const who of this.listeners()) {
      const announces = dirNdx >= 0 && (who !== "Receiver" || log.debug("FLIST", 3));
      if (announces) log.infoLine(`[${who}] receiving flist for dir ${dirNdx}\n`);
      for (const name of this.told) log.infoLine(`recv_file_name(${name})\n`);
      log.infoLine(`received ${list.used} names\n`);
      if (!session.context.incRecurse) showListsEnd(session, who);
      if (log.debug("FLIST", 3)) showList(session, who, list, null);
      log.infoLine("recv_file_list done\n");
    }
    this.told.length = 0;
  }

  private feed(): FileList | null {
    return this.receiver.feed(this.session.input.cursor);
  }

  private count(): void {
    const { stats } = this.session;
    const { counts } = this.receiver;
    stats.numFiles = counts.numFiles;
    stats.numDirs = counts.numDirs;
    stats.numSymlinks = counts.numLinks;
    stats.numDevices = counts.numDevices;
    stats.numSpecials = counts.numSpecials;
    stats.totalSize = counts.totalSize;
  }
}
