/**
 * The sum head: how the generator cut the basis file into blocks (label `sum-head`), sent before the block sums and
 * echoed by the sender before the tokens. Upstream io.c:read_sum_head, write_sum_head.
 */
import { ProtocolError } from "../errors.ts";
import { WireLimit } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";

/** Block layout of a basis file. All lengths in bytes. */
export interface SumHead {
  /** Number of blocks; 0 without a basis. */
  count: number;
  blockLength: number;
  /** Bytes of each strong sum on the wire. */
  s2length: number;
  /** Length of the last block when it is short, else 0. */
  remainder: number;
  /** Length of the basis that the other fields describe; not sent. */
  fileLength: number;
}

/** Bytes of a sum head on the wire, every protocol version from 27 on. */
const SUM_HEAD_BYTES = 16;

/** A head with every field zero: no basis, send the file whole. */
export function newSumHead(): SumHead {
  return { count: 0, blockLength: 0, s2length: 0, remainder: 0, fileLength: 0 };
}

/**
 * Reads into `head` (reused from file to file). `digestLength`: length of the transfer digest, the most a strong sum
 * can have. Throws ProtocolError 2, label `sum-head`, with upstream's words for each bad field.
 */
export function readSumHead(cursor: Cursor, head: SumHead, version: number, digestLength: number): void {
  cursor.need(SUM_HEAD_BYTES);
  const at = cursor.offset;
  const count = cursor.i32le();
  const blockLength = cursor.i32le();
  const s2length = cursor.i32le();
  const remainder = cursor.i32le();
  const mostBlock = version < 30 ? WireLimit.oldBlockLength : WireLimit.blockLength;
  if (count < 0) throw bad(`Invalid checksum count ${count}`, at);
  if (blockLength < 0 || blockLength > mostBlock) throw bad(`Invalid block length ${blockLength}`, at);
  if (count > 0 && blockLength === 0) throw bad("Invalid zero block length", at);
  if (s2length < 0 || s2length > digestLength) throw bad(`Invalid checksum length ${s2length}`, at);
  if (remainder < 0 || remainder > blockLength) throw bad(`Invalid remainder length ${remainder}`, at);
  head.count = count;
  head.blockLength = blockLength;
  head.s2length = s2length;
  head.remainder = remainder;
  head.fileLength = count * blockLength - (remainder > 0 && count > 0 ? blockLength - remainder : 0);
}

/** Upstream io.c:write_sum_head. */
export function writeSumHead(out: Writer, head: SumHead): void {
  out.i32le(head.count);
  out.i32le(head.blockLength);
  out.i32le(head.s2length);
  out.i32le(head.remainder);
}

function bad(message: string, offset: number): ProtocolError {
  return new ProtocolError("sum-head", message, 2, offset);
}
