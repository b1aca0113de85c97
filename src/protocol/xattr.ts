/**
 * Extended attributes: as part of a file-list entry (labels `xattr-ndx`, `xattr-count`, `xattr-name`, `xattr-value`)
 * and as requests for long values (label `xattr-request`). Upstream xattrs.c:send_xattr, receive_xattr,
 * send_xattr_request, recv_xattr_request. Protocol 30 on.
 *
 * A set that was sent before is named by its index. A value of more than 32 bytes first travels as a digest; the
 * generator asks for those it lacks, the request rides behind the item's attributes, and the sender's answer carries
 * the values. Which sets exist and what to ask for is told by xattrstore.ts.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { WireLimit } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";
import { readVarint, readVarintBounded, readVarintSize, writeVarint } from "./integers.ts";

/** Longest value sent in full within the list. Upstream MAX_FULL_DATUM. */
export const FULL_VALUE_BYTES = 32;

/** Policy limits on one value and on all names and values of a file. Upstream MAX_XATTR_*_BYTES. */
export interface XattrLimits {
  readonly valueBytes: number;
  readonly listBytes: number;
}

/** Upstream's limits, which no option changes. */
export const XATTR_LIMITS: XattrLimits = { valueBytes: 128 * 1024 * 1024, listBytes: 512 * 1024 * 1024 };

/** One attribute as it travels in a set. */
export interface WireXattr {
  /** Name as on the sender, without the NUL that ends it on the wire. */
  readonly name: string;
  /** Length of the whole value. */
  readonly byteLength: number;
  /** The value, or its digest when byteLength > FULL_VALUE_BYTES. */
  readonly data: Uint8Array;
}

/**
 * Reads sets, each in several pieces, since thousands of attributes are legal: `step` takes one piece and leaves the
 * cursor behind it. One reader serves a conversation.
 */
export class XattrSetReader {
  /** After the last piece: the set's index (0 is the first ever sent), or -1 for a new one in `xattrs`. */
  index = -1;
  xattrs: WireXattr[] = [];
  private readonly digestBytes: number;
  private readonly limits: XattrLimits;
  private known = 0;
  /** Attributes to come; -1 before the head. */
  private left = -1;
  private total = 0;

  /** `digestBytes`: length of a long value's digest. */
  constructor(digestBytes: number, limits: XattrLimits) {
    this.digestBytes = digestBytes;
    this.limits = limits;
  }

  /** Starts a set. `known`: number of sets met so far. */
  begin(known: number): void {
    this.known = known;
    this.left = -1;
  }

  /**
   * Reads a piece; true when it was the last. Errors: label `xattr-ndx` code 12; counts and lengths code 2; a name
   * without its NUL code 11.
   */
  step(cursor: Cursor): boolean {
    if (this.left < 0) return this.readHead(cursor);
    const xattr = readXattr(cursor, this.digestBytes, this.limits);
    this.total += xattr.name.length + 1 + xattr.byteLength;
    if (this.total > this.limits.listBytes) {
      throw new ProtocolError("xattr-count", "xattr list exceeds per-file limit", 2, cursor.offset);
    }
    this.xattrs.push(xattr);
    return --this.left === 0;
  }

  private readHead(cursor: Cursor): boolean {
    const ndx = readVarint(cursor);
    if (ndx < 0 || ndx > this.known) {
      const text = `receive_xattr: xa index ${ndx} out of range`;
      throw new ProtocolError("xattr-ndx", text, ExitCode.streamIo, cursor.offset);
    }
    this.index = ndx - 1;
    if (ndx > 0) return true;
    const count = readVarintBounded(cursor, 0, WireLimit.xattrCount, "xattr-count", "xattr count");
    this.xattrs = [];
    this.total = 0;
    this.left = count;
    return count === 0;
  }
}

function readXattr(cursor: Cursor, digestBytes: number, limits: XattrLimits): WireXattr {
  const nameBytes = readVarintSize(cursor, WireLimit.xattrName, "xattr-name", "xattr name_len");
  const byteLength = readValueLength(cursor, "xattr-value", limits);
  const name = cursor.take(nameBytes);
  if (nameBytes < 1 || name[nameBytes - 1] !== 0) {
    const text = "Invalid xattr name received (missing trailing \\0).";
    throw new ProtocolError("xattr-name", text, ExitCode.fileIo, cursor.offset);
  }
  if (name.indexOf(0) < nameBytes - 1) {
    throw new ProtocolError("xattr-name", "a NUL byte inside an xattr name", ExitCode.protocol, cursor.offset);
  }
  const data = cursor.take(byteLength > FULL_VALUE_BYTES ? digestBytes : byteLength).slice();
  return { name: latin1(name, 0, nameBytes - 1), byteLength, data };
}

function readValueLength(cursor: Cursor, label: string, limits: XattrLimits): number {
  const byteLength = readVarintSize(cursor, WireLimit.xattrValue, label, "xattr datum_len");
  if (byteLength > limits.valueBytes) {
    throw new ProtocolError(label, "xattr datum_len exceeds per-value limit", 2, cursor.offset);
  }
  return byteLength;
}

/** Names a set that was sent before. */
export function writeXattrSetIndex(out: Writer, index: number): void {
  writeVarint(out, index + 1);
}

/** Upstream xattrs.c:send_xattr. */
export function writeXattrSet(out: Writer, xattrs: readonly WireXattr[]): void {
  writeVarint(out, 0);
  writeVarint(out, xattrs.length);
  for (const { name, byteLength, data } of xattrs) {
    writeVarint(out, name.length + 1);
    writeVarint(out, byteLength);
    out.latin1(name);
    out.u8(0);
    out.put(data);
  }
}

/**
 * Reads one step of the generator's request: the 1-based number of an attribute in the sender's set, 0 at the end.
 * `last`: the number before, 0 at first. Throws ProtocolError 2 when the number leaves 1 to `count`.
 */
export function readXattrRequest(cursor: Cursor, last: number, count: number): number {
  const step = readVarint(cursor);
  return step === 0 ? 0 : nextNumber(cursor, last + step, count);
}

/** Upstream xattrs.c:send_xattr_request, generator. */
export function writeXattrRequest(out: Writer, numbers: readonly number[]): void {
  let last = 0;
  for (const number of numbers) {
    writeVarint(out, number - last);
    last = number;
  }
  out.u8(0);
}

/** What leads one answered value: the attribute's number, 0 at the end, and how many bytes follow. */
export interface XattrAnswerHead {
  readonly number: number;
  readonly byteLength: number;
}

/**
 * Reads the head of one value of the sender's answer. `last`: number of the value before, 0 at first. The value is not
 * part of this item, since it may be longer than an input buffer: the caller takes `byteLength` bytes next.
 */
export function readXattrAnswer(cursor: Cursor, last: number, count: number, limits: XattrLimits): XattrAnswerHead {
  const step = readVarint(cursor);
  if (step === 0) return { number: 0, byteLength: 0 };
  const number = nextNumber(cursor, last + step, count);
  return { number, byteLength: readValueLength(cursor, "xattr-request", limits) };
}

/**
 * Upstream xattrs.c:send_xattr_request, sender; a head with the number 0 ends the answer. A value that could not be
 * read again is sent with length 0.
 */
export function writeXattrAnswer(out: Writer, head: XattrAnswerHead, last: number): void {
  if (head.number === 0) {
    out.u8(0);
    return;
  }
  writeVarint(out, head.number - last);
  writeVarint(out, head.byteLength);
}

function nextNumber(cursor: Cursor, number: number, count: number): number {
  if (number >= 1 && number <= count) return number;
  throw new ProtocolError("xattr-request", `could not find xattr #${number}`, 2, cursor.offset);
}
