/**
 * Extended attributes: as part of a file-list entry (labels `xattr-ndx`, `xattr-count`, `xattr-name`, `xattr-value`)
 * and as requests for long values (label `xattr-request`). Upstream xattrs.c:send_xattr, receive_xattr,
 * send_xattr_request, recv_xattr_request. Protocol 30 on.
 *
 * A set that was sent before is named by its index. A value of more than 32 bytes first travels as a digest; the
 * generator asks for those it lacks, the request rides behind the item's attributes, and the sender's answer carries
 * the values. Codecs are flat: which sets exist and what to ask for is the caller's business.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { WireLimit } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";
import { readVarint, readVarintBounded, readVarintSize, writeVarint } from "./integers.ts";

/** Longest value sent in full within the list. Upstream MAX_FULL_DATUM. */
const FULL_VALUE_BYTES = 32;

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

/** A set by index (0 is the first ever sent), or in full. */
export type WireXattrSet =
  | { readonly kind: "known"; readonly index: number }
  | { readonly kind: "new"; readonly xattrs: readonly WireXattr[] };

/**
 * Reads the xattr part of an entry. `known`: number of sets met so far; `digestBytes`: length of a long value's
 * digest. Errors: label `xattr-ndx` code 12; counts and lengths code 2; a name without its NUL code 11.
 */
export function readXattrSet(cursor: Cursor, known: number, digestBytes: number, limits: XattrLimits): WireXattrSet {
  const ndx = readVarint(cursor);
  if (ndx < 0 || ndx > known) {
    const text = `receive_xattr: xa index ${ndx} out of range`;
    throw new ProtocolError("xattr-ndx", text, ExitCode.streamIo, cursor.offset);
  }
  if (ndx > 0) return { kind: "known", index: ndx - 1 };
  const count = readVarintBounded(cursor, 0, WireLimit.xattrCount, "xattr-count", "xattr count");
  const xattrs: WireXattr[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const xattr = readXattr(cursor, digestBytes, limits);
    total += xattr.name.length + 1 + xattr.byteLength;
    if (total > limits.listBytes) {
      throw new ProtocolError("xattr-count", "xattr list exceeds per-file limit", 2, cursor.offset);
    }
    xattrs.push(xattr);
  }
  return { kind: "new", xattrs };
}

function readXattr(cursor: Cursor, digestBytes: number, limits: XattrLimits): WireXattr {
  const nameBytes = readVarintSize(cursor, WireLimit.xattrName, "xattr-name", "xattr name_len");
  const byteLength = readValueLength(cursor, "xattr-value", limits);
  const name = cursor.take(nameBytes);
  if (nameBytes < 1 || name[nameBytes - 1] !== 0) {
    const text = "Invalid xattr name received (missing trailing \\0).";
    throw new ProtocolError("xattr-name", text, ExitCode.fileIo, cursor.offset);
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

/** Upstream xattrs.c:send_xattr. */
export function writeXattrSet(out: Writer, set: WireXattrSet): void {
  if (set.kind === "known") {
    writeVarint(out, set.index + 1);
    return;
  }
  writeVarint(out, 0);
  writeVarint(out, set.xattrs.length);
  for (const { name, byteLength, data } of set.xattrs) {
    writeVarint(out, name.length + 1);
    writeVarint(out, byteLength);
    out.latin1(name);
    out.u8(0);
    out.put(data);
  }
}

/**
 * Reads the generator's request: the 1-based numbers of the attributes it wants, in the order of the sender's set.
 * Each is sent as the difference to the one before; 0 ends the list. Throws ProtocolError 2 when a number leaves 1 to
 * `count`.
 */
export function readXattrRequest(cursor: Cursor, count: number): number[] {
  const numbers: number[] = [];
  let number = 0;
  for (let step = readVarint(cursor); step !== 0; step = readVarint(cursor)) {
    number = nextNumber(cursor, number + step, count);
    if (numbers.length >= count) throw new ProtocolError("xattr-request", "too many xattr requests", 2, cursor.offset);
    numbers.push(number);
  }
  return numbers;
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

/** What leads one answered value: the attribute's number and how many bytes follow. */
export interface XattrAnswerHead {
  readonly number: number;
  readonly byteLength: number;
}

/**
 * Reads the head of one value of the sender's answer, null at the end. `last`: number of the value before, 0 at first.
 * The value is not part of this item, since it may be longer than an input buffer: the caller takes `byteLength`
 * bytes next.
 */
export function readXattrAnswer(
  cursor: Cursor, last: number, count: number, limits: XattrLimits,
): XattrAnswerHead | null {
  const step = readVarint(cursor);
  if (step === 0) return null;
  const number = nextNumber(cursor, last + step, count);
  return { number, byteLength: readValueLength(cursor, "xattr-request", limits) };
}

/** Upstream xattrs.c:send_xattr_request, sender. A value that could not be read again is sent with length 0. */
export function writeXattrAnswer(out: Writer, head: XattrAnswerHead | null, last: number): void {
  if (head === null) {
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
