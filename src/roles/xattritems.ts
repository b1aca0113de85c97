/**
 * Values of extended attributes that travel with items: the generator's request to the sender, and the sender's
 * answer to the receiver. Upstream xattrs.c:send_xattr_request, recv_xattr_request and their callers.
 */
import { ProtocolError } from "../errors.ts";
import { type FileList } from "../flist/filelist.ts";
import { ItemFlag, WireLimit } from "../protocol/constants.ts";
import { type Cursor } from "../protocol/cursor.ts";
import {
  readXattrAnswer, readXattrRequest, type WireXattr, writeXattrAnswer, type XattrAnswerHead, XATTR_LIMITS,
} from "../protocol/xattr.ts";
import { type ReceivedXattrs } from "../protocol/xattrstore.ts";
import { type Session } from "../session/session.ts";
import { type SendingExtras } from "./extras.ts";
import { type SourceTree } from "./sourcetree.ts";

/** A local copy under another name: a hard link, which has its leader's attributes. */
const LINKED = ItemFlag.xnameFollows | ItemFlag.localChange;
const END: XattrAnswerHead = { number: 0, byteLength: 0 };

/** Whether a request or an answer goes with an item. */
export function carriesXattrs(session: Session, iflags: number): boolean {
  return concerns(session, iflags) && !(session.context.xattrOptim && (iflags & LINKED) === LINKED);
}

/** Whether the receiver gives an item that is not transferred its attributes. */
export function setsXattrs(session: Session, iflags: number): boolean {
  return concerns(session, iflags) && (iflags & LINKED) !== LINKED;
}

function concerns({ doTransfers, options }: Session, iflags: number): boolean {
  return doTransfers && options.preserveXattrs > 0 && (iflags & ItemFlag.reportXattr) !== 0;
}

/** The sender's part. */
export class XattrAnswers {
  private readonly session: Session;
  private readonly tree: SourceTree;
  private readonly parts: NonNullable<SendingExtras["xattrs"]>;
  private wanted: { readonly number: number; readonly xattr: WireXattr }[] = [];
  private last = 0;
  private count = 0;
  private readonly decode = (cursor: Cursor): number => readXattrRequest(cursor, this.last, this.count);

  constructor(session: Session, tree: SourceTree, parts: NonNullable<SendingExtras["xattrs"]>) {
    this.session = session;
    this.tree = tree;
    this.parts = parts;
  }

  /** Reads the request that goes with an item. Throws ProtocolError 2 for numbers that were not offered. */
  async readRequest(list: FileList, row: number): Promise<void> {
    const { input, who } = this.session;
    const { sets } = this.parts;
    const index = list.extra.xattrNdx?.[row] ?? -1;
    this.wanted = [];
    this.last = 0;
    this.count = sets.count(index);
    for (;;) {
      const number = input.poll(this.decode) ?? (await input.next(this.decode));
      if (number === 0) return;
      this.wanted.push({ number, xattr: sets.ask(index, number, who) });
      this.last = number;
    }
  }

  /** Writes the answer to the last request. A value that can no longer be read is told as empty. */
  write(list: FileList, row: number): void {
    const { session, tree } = this;
    const { output, log } = session;
    const { writer } = output;
    let last = 0;
    for (const { number, xattr } of this.wanted) {
      const place = tree.pinned(list, row);
      const label = (): string => tree.fullName(list, row);
      const value = place.fd < 0 && place.fd !== session.fs.constants.AT.FDCWD
        ? null : this.parts.files.readValue(place, xattr.name, label);
      if (value === null) log.errorXfer(`failed to re-read xattr ${xattr.name} for ${list.path(row)}\n`);
      writeXattrAnswer(writer, { number, byteLength: value?.length ?? 0 }, last);
      if (value !== null) writer.put(value);
      output.spill();
      last = number;
    }
    writeXattrAnswer(writer, END, last);
  }
}

/** The receiver's part: takes the values of an answer into the sets. */
export class XattrReception {
  private readonly session: Session;
  private readonly sets: ReceivedXattrs;
  private last = 0;
  private readonly decode = (cursor: Cursor): XattrAnswerHead =>
    readXattrAnswer(cursor, this.last, WireLimit.xattrCount, XATTR_LIMITS);

  constructor(session: Session, sets: ReceivedXattrs) {
    this.session = session;
    this.sets = sets;
  }

  /** Reads the answer that goes with an item. Throws ProtocolError 2 for what was not asked for or is too much. */
  async read(list: FileList, row: number): Promise<void> {
    const { input, who } = this.session;
    const index = list.extra.xattrNdx?.[row] ?? -1;
    let total = 0;
    this.last = 0;
    for (;;) {
      const { number, byteLength } = input.poll(this.decode) ?? (await input.next(this.decode));
      if (number === 0) return;
      const xattr = this.sets.answered(index, number, who);
      total += byteLength;
      if (total > XATTR_LIMITS.listBytes) {
        throw new ProtocolError("xattr-request", `xattr values exceed per-file limit [${who}]`);
      }
      xattr.value = await input.readBytes(byteLength);
      this.last = number;
    }
  }
}
