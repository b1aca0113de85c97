/**
 * Telling the sender what happens to an item: the item flags of a row and what travels with them.
 * Upstream generator.c:itemize.
 */
import { type Attributes } from "../files/attrs.ts";
import { type FileList } from "../flist/filelist.ts";
import { type StatRecord } from "../posix/filesystem.ts";
import { FnamecmpType, ItemFlag, SIGNIFICANT_ITEM_FLAGS } from "../protocol/constants.ts";
import { newNdxAttrs, writeNdxAttrs } from "../protocol/ndxattrs.ts";
import { type NdxWriter } from "../protocol/ndx.ts";
import { writeXattrRequest } from "../protocol/xattr.ts";
import { EMPTY_XATTRS, type ReceivedXattrs } from "../protocol/xattrstore.ts";
import { type Session } from "../session/session.ts";
import { type ItemLog } from "./itemlog.ts";
import { carriesXattrs } from "./xattritems.ts";

export class Itemizer {
  private readonly session: Session;
  private readonly attributes: Attributes;
  private readonly ndxWriter: NdxWriter;
  private readonly itemLog: ItemLog;
  private readonly attrs = newNdxAttrs();
  /** Unchanged items are reported too. */
  private readonly all: boolean;
  private readonly xattrs: ReceivedXattrs | null;

  /** `xattrs`: null without --xattrs. */
  constructor(
    session: Session, attributes: Attributes, ndxWriter: NdxWriter, itemLog: ItemLog, xattrs: ReceivedXattrs | null,
  ) {
    this.session = session;
    this.xattrs = xattrs;
    this.attributes = attributes;
    this.ndxWriter = ndxWriter;
    this.itemLog = itemLog;
    this.all = session.log.info("NAME", 2) || session.options.outFormatHasItemize > 1;
  }

  /** Nobody is told of items that are as they should be. */
  get skipsUnchanged(): boolean {
    return !this.all && this.session.explainer === null;
  }

  /**
   * Reports an item whose place had `stat` (null: nothing was there). `ndx` -1: the ndx has been written already, as
   * for a request. `xname`: the name of a fuzzy basis or of a hard link's leader, null for none.
   */
  report(
    list: FileList, row: number, ndx: number, stat: StatRecord | null, iflags: number,
    fnamecmpType: number = FnamecmpType.fname, xname: string | null = null,
  ): void {
    const { session, attrs } = this;
    session.explainer?.compared(list, row, stat);
    const flags = this.attributes.itemFlags(list, row, stat, iflags, xname ?? "");
    const worth = (flags & (SIGNIFICANT_ITEM_FLAGS | ItemFlag.reportXattr)) !== 0 || this.all || Boolean(xname);
    if (!worth || session.options.readBatch !== null) return;
    if (session.context.version < 29) {
      if (ndx >= 0) this.itemLog.logNow(list, row, flags, xname ?? "");
      return;
    }
    const { writer } = session.output;
    if (ndx >= 0) this.ndxWriter.write(writer, ndx);
    attrs.iflags = flags;
    attrs.fnamecmpType = fnamecmpType;
    attrs.xname = xname;
    writeNdxAttrs(writer, attrs, session.context.version);
    if (this.xattrs) this.askForXattrs(list, row, flags, stat);
  }

  /** Requests the long values that neither travelled before nor are in the file that is there. */
  private askForXattrs(list: FileList, row: number, iflags: number, stat: StatRecord | null): void {
    const { session, xattrs } = this;
    if (!session.doTransfers || (iflags & (ItemFlag.reportXattr | ItemFlag.transfer)) === 0) return;
    const carries = carriesXattrs(session, iflags);
    if (!carries && iflags & ItemFlag.reportXattr) return;
    const numbers = xattrs!.lacking(list.extra.xattrNdx?.[row] ?? -1, stat?.xattrs ?? EMPTY_XATTRS);
    if (carries) writeXattrRequest(session.output.writer, numbers);
  }
}
