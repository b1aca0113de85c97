/**
 * The file formats of librsync, which its program rdiff reads and writes: signatures (label `rdiff-signature`) and
 * deltas (label `rdiff-delta`). All integers are big endian. librsync doc/formats.md, sumset.c, prototab.c.
 *
 * A signature is a head and, block after block, four bytes of weak sum and `sumLength` bytes of strong sum up to the
 * end of the file. A delta is a magic number and commands: literal bytes, copies from the basis, an end.
 */
import { ProtocolError } from "../errors.ts";
import type { Cursor, Writer } from "./cursor.ts";

/** The strong sum of a signature. */
export type RdiffHash = "blake2" | "md4";
/** The weak sum of a signature. */
export type RdiffRollsum = "rabinkarp" | "rollsum";

/** What a signature says about its sums. */
export interface RdiffHead {
  readonly hash: RdiffHash;
  readonly rollsum: RdiffRollsum;
  /** Bytes of a block; the last one may be shorter, which the signature does not tell. */
  readonly blockLength: number;
  /** Bytes of each strong sum. */
  readonly sumLength: number;
}

interface Kind {
  readonly magic: number;
  readonly hash: RdiffHash;
  readonly rollsum: RdiffRollsum;
}

const KINDS: readonly Kind[] = [
  { magic: 0x72730136, hash: "md4", rollsum: "rollsum" },
  { magic: 0x72730137, hash: "blake2", rollsum: "rollsum" },
  { magic: 0x72730146, hash: "md4", rollsum: "rabinkarp" },
  { magic: 0x72730147, hash: "blake2", rollsum: "rabinkarp" },
];

const DELTA_MAGIC = 0x72730236;

/** Bytes of a strong sum, at most. */
export const RDIFF_SUM_BYTES: Readonly<Record<RdiffHash, number>> = { blake2: 32, md4: 16 };
/** Block length for a basis whose length is not known. */
const USUAL_BLOCK_LENGTH = 2048;
const LEAST_BLOCK_LENGTH = 256;
const LONGEST = 0x7fffffff;

/** Whether four bytes begin a signature of librsync's. */
export function isRdiffSignature(magic: number): boolean {
  return KINDS.some((kind) => kind.magic === magic);
}

/** Whether four bytes begin a delta of librsync's. */
export function isRdiffDelta(magic: number): boolean {
  return magic === DELTA_MAGIC;
}

/** The block length rdiff chooses for a basis: about its square root, in steps of 128. `null`: length not known. */
export function rdiffBlockLength(byteLength: number | null): number {
  if (byteLength === null) return USUAL_BLOCK_LENGTH;
  if (byteLength <= LEAST_BLOCK_LENGTH * LEAST_BLOCK_LENGTH) return LEAST_BLOCK_LENGTH;
  const root = Math.floor(Math.sqrt(byteLength));
  return Math.min(root - (root % 128), 1 << 30);
}

/** The shortest strong sum that rdiff recommends (its option -S -1). `null`: length not known. */
export function rdiffLeastSumLength(byteLength: number | null, blockLength: number): number {
  if (byteLength === null) return 12;
  const bits = log2(byteLength + (1 << 24)) + log2(Math.floor(byteLength / blockLength) + 1);
  return 2 + Math.floor((bits + 7) / 8);
}

/** Position of the highest set bit of an integer up to 2^53. */
function log2(value: number): number {
  const high = Math.floor(value / 0x100000000);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value);
}

/** Writes the head of a signature. */
export function writeRdiffHead(out: Writer, head: RdiffHead): void {
  const kind = KINDS.find(({ hash, rollsum }) => hash === head.hash && rollsum === head.rollsum)!;
  putNumber(out, kind.magic, 4);
  putNumber(out, head.blockLength, 4);
  putNumber(out, head.sumLength, 4);
}

/** Reads the head of a signature. Throws ProtocolError, label `rdiff-signature`. */
export function readRdiffHead(cursor: Cursor): RdiffHead {
  cursor.need(12);
  const at = cursor.offset;
  const magic = takeNumber(cursor, 4);
  const kind = KINDS.find((one) => one.magic === magic);
  if (kind === undefined) throw new ProtocolError("rdiff-signature", "not a signature of librsync", 2, at);
  const { hash, rollsum } = kind;
  const blockLength = takeNumber(cursor, 4);
  const sumLength = takeNumber(cursor, 4);
  if (blockLength < 1 || blockLength > LONGEST) {
    throw new ProtocolError("rdiff-signature", `invalid block length ${blockLength}`, 2, at + 4);
  }
  if (sumLength < 1 || sumLength > RDIFF_SUM_BYTES[hash]) {
    throw new ProtocolError("rdiff-signature", `invalid sum length ${sumLength}`, 2, at + 8);
  }
  return { hash, rollsum, blockLength, sumLength };
}

/** Turns round the four bytes of each weak sum: in a signature they are big endian, in a block table little. */
export function swapWeakSums(sums: Uint8Array, stride: number): void {
  for (let at = 0; at + 4 <= sums.length; at += stride) sums.subarray(at, at + 4).reverse();
}

// Commands. Op codes 1 to 64 are short literals; then come literals and copies by the widths of their numbers.
const END = 0;
const SHORT_LITERAL = 64;
const LITERAL = 65;
const COPY = 69;
const RESERVED = 85;
const WIDTHS = [1, 2, 4, 8] as const;

/** Writes what begins a delta. */
export function writeRdiffDeltaHead(out: Writer): void {
  putNumber(out, DELTA_MAGIC, 4);
}

/** Announces literal bytes, at least one; they follow. */
export function writeRdiffLiteral(out: Writer, byteLength: number): void {
  if (byteLength <= SHORT_LITERAL) return out.u8(byteLength);
  const width = widthOf(byteLength);
  out.u8(LITERAL + width);
  putNumber(out, byteLength, WIDTHS[width]);
}

/** Bytes of the basis, at least one. */
export function writeRdiffCopy(out: Writer, offset: number, byteLength: number): void {
  const offsetWidth = widthOf(offset);
  const lengthWidth = widthOf(byteLength);
  out.u8(COPY + 4 * offsetWidth + lengthWidth);
  putNumber(out, offset, WIDTHS[offsetWidth]);
  putNumber(out, byteLength, WIDTHS[lengthWidth]);
}

/** The delta is complete. */
export function writeRdiffEnd(out: Writer): void {
  out.u8(END);
}

/** Takes the commands of a delta in order. */
export interface RdiffSink {
  /** New bytes, in pieces of any length; the view is one of the cursor's buffer. */
  literal(bytes: Uint8Array): void;
  /** Bytes of the basis. Whether it has them is for the sink to find out. */
  copy(offset: number, byteLength: number): void;
  end(): void;
}

/** Reads one delta, piece by piece. */
export class RdiffDeltaReader {
  private literalLeft = 0;
  private begun = false;

  /**
   * Decodes what the cursor has. True once `end` was called; false when the bytes ran out, with the cursor behind all
   * it used. Throws ProtocolError, label `rdiff-delta`.
   */
  read(cursor: Cursor, sink: RdiffSink): boolean {
    if (!this.begun) {
      if (cursor.available < 4) return false;
      if (takeNumber(cursor, 4) !== DELTA_MAGIC) throw this.fail("not a delta of librsync", cursor);
      this.begun = true;
    }
    for (;;) {
      if (this.literalLeft > 0) {
        const count = Math.min(this.literalLeft, cursor.available);
        if (count === 0) return false;
        this.literalLeft -= count;
        sink.literal(cursor.take(count));
        continue;
      }
      if (cursor.available === 0) return false;
      const op = cursor.bytes[cursor.pos];
      if (op >= RESERVED) throw this.fail(`unknown command ${op}`, cursor);
      if (cursor.available < 1 + parametersOf(op)) return false;
      cursor.pos++;
      if (op === END) {
        sink.end();
        return true;
      }
      this.command(op, cursor, sink);
    }
  }

  private command(op: number, cursor: Cursor, sink: RdiffSink): void {
    if (op <= SHORT_LITERAL) {
      this.literalLeft = op;
    } else if (op < COPY) {
      this.literalLeft = this.length(cursor, WIDTHS[op - LITERAL]);
    } else {
      const offset = this.number(cursor, WIDTHS[(op - COPY) >> 2]);
      sink.copy(offset, this.length(cursor, WIDTHS[(op - COPY) & 3]));
    }
  }

  private length(cursor: Cursor, width: number): number {
    const value = this.number(cursor, width);
    if (value === 0) throw this.fail("a command of no bytes", cursor);
    return value;
  }

  /** librsync's own numbers end at 2^63; past 2^53 there is no such file. */
  private number(cursor: Cursor, width: number): number {
    const value = takeNumber(cursor, width);
    if (!Number.isSafeInteger(value)) throw this.fail("a number out of range", cursor);
    return value;
  }

  private fail(message: string, cursor: Cursor): ProtocolError {
    return new ProtocolError("rdiff-delta", message, 2, cursor.offset);
  }
}

/** Bytes of numbers after a command. */
function parametersOf(op: number): number {
  if (op <= SHORT_LITERAL) return 0;
  if (op < COPY) return WIDTHS[op - LITERAL];
  return WIDTHS[(op - COPY) >> 2] + WIDTHS[(op - COPY) & 3];
}

/** Index of the least width that holds a number. */
function widthOf(value: number): number {
  if (value < 0x100) return 0;
  if (value < 0x10000) return 1;
  return value < 0x100000000 ? 2 : 3;
}

function putNumber(out: Writer, value: number, width: number): void {
  for (let shift = width - 1; shift >= 0; shift--) out.u8(Math.floor(value / 2 ** (8 * shift)) % 256);
}

function takeNumber(cursor: Cursor, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + cursor.u8();
  return value;
}
