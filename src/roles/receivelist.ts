/**
 * Reading file-list segments from a live connection. Upstream flist.c:recv_file_list, recv_additional_file_list,
 * and the part of rsync.c:read_ndx_and_attrs that meets a segment between items.
 */
import { ProtocolError } from "../errors.ts";
import { type FileList } from "../flist/filelist.ts";
import { type FlistReceiver } from "../flist/receive.ts";
import { type Segments } from "../flist/segments.ts";
import { Ndx } from "../protocol/constants.ts";
import { type NdxReader } from "../protocol/ndx.ts";
import { ListProgress } from "../session/listprogress.ts";
import { type Session } from "../session/session.ts";

export class ListReader {
  private readonly session: Session;
  private readonly receiver: FlistReceiver;
  private readonly segments: Segments;

  constructor(session: Session, receiver: FlistReceiver, segments: Segments) {
    this.session = session;
    this.receiver = receiver;
    this.segments = segments;
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
   * any other.
   */
  async special(ndx: number): Promise<FileList | null> {
    const { session, segments } = this;
    if (ndx === Ndx.flistEof && session.context.incRecurse) {
      segments.eof = true;
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
    return this.readSegment(dirNdx);
  }

  private async readSegment(dirNdx: number, progress?: ListProgress): Promise<FileList> {
    const { session, receiver } = this;
    const { input } = session;
    const started = session.host.monotonic();
    const offset = input.cursor.offset;
    receiver.begin(dirNdx);
    let list = this.feed();
    while (list === null) {
      await input.more();
      list = this.feed();
      progress?.count(receiver.counts.numFiles);
    }
    session.stats.flistSize += input.cursor.offset - offset;
    session.stats.flistTransferTime += Math.round(session.host.monotonic() - started);
    session.ioError |= receiver.ioError;
    this.count();
    return list;
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
