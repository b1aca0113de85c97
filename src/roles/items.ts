/**
 * Reading one item request or reply: an ndx and, for a file, its attributes. Upstream rsync.c:read_ndx_and_attrs.
 */
import { ProtocolError } from "../errors.ts";
import { type Input } from "../session/input.ts";
import { type Cursor } from "../protocol/cursor.ts";
import { ItemFlag } from "../protocol/constants.ts";
import { NdxReader } from "../protocol/ndx.ts";
import { newNdxAttrs, readNdxAttrs, type NdxAttrs } from "../protocol/ndxattrs.ts";
import { type FileList } from "../flist/filelist.ts";

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** Decodes the items of one direction. `attrs` belongs to the item last returned. */
export class ItemReader {
  readonly attrs: NdxAttrs = newNdxAttrs();
  readonly ndxReader: NdxReader;
  private readonly input: Input;
  private readonly decodeNdx: (cursor: Cursor) => number;
  private readonly decodeAttrs: (cursor: Cursor) => true;
  private pending: number | undefined = undefined;

  constructor(input: Input, ndxReader: NdxReader, version: number) {
    this.input = input;
    this.ndxReader = ndxReader;
    this.decodeNdx = (cursor) => ndxReader.read(cursor);
    this.decodeAttrs = (cursor) => {
      readNdxAttrs(cursor, this.attrs, version);
      return true;
    };
  }

  /** The next ndx, its attributes in `attrs` when it is 0 or more; undefined when it has not arrived. */
  poll(): number | undefined {
    const ndx = this.pending ?? this.input.poll(this.decodeNdx);
    if (ndx === undefined) return undefined;
    this.pending = ndx;
    if (ndx >= 0 && this.input.poll(this.decodeAttrs) === undefined) return undefined;
    this.pending = undefined;
    return ndx;
  }

  /** As `poll`, waiting for it. */
  async next(): Promise<number> {
    for (;;) {
      await this.input.more();
      const ndx = this.poll();
      if (ndx !== undefined) return ndx;
    }
  }
}

/** A file may be asked for only when it is a regular file of the list. Throws ProtocolError (2, label `iflags`). */
export function checkTransferRequest(list: FileList, row: number, ndx: number, iflags: number, who: string): void {
  if ((iflags & ItemFlag.transfer) === 0) return;
  if (row < 0 || (list.mode[row] & S_IFMT) !== S_IFREG) {
    throw new ProtocolError("iflags", `received request to transfer non-regular file: ${ndx} [${who}]`);
  }
}
