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
import { type Session } from "../session/session.ts";
import { type ItemLog } from "./itemlog.ts";

export class Itemizer {
  private readonly session: Session;
  private readonly attributes: Attributes;
  private readonly ndxWriter: NdxWriter;
  private readonly itemLog: ItemLog;
  private readonly attrs = newNdxAttrs();
  /** Unchanged items are reported too. */
  private readonly all: boolean;

  constructor(session: Session, attributes: Attributes, ndxWriter: NdxWriter, itemLog: ItemLog) {
    this.session = session;
    this.attributes = attributes;
    this.ndxWriter = ndxWriter;
    this.itemLog = itemLog;
    this.all = session.log.info("NAME", 2) || session.options.outFormatHasItemize > 1;
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
  }
}
