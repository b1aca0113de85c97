/**
 * The token stream that carries a file's new contents (labels `token`, `literal`, `token-end`): literal bytes,
 * references to blocks of the basis, and an end. Upstream token.c:simple_send_token, simple_recv_token.
 *
 * This file has the plain form and what both forms share; tokencompressed.ts has the form behind -z. Uncompressed, a
 * token is an int: n > 0 leads n literal bytes, -1 - i means block i, and 0 ends the file.
 */
import { WireLimit } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";

/** Takes decoded tokens in order. */
export interface TokenSink {
  /** New bytes, in pieces of any length; the view is valid during the call only. */
  literal(bytes: Uint8Array): void;
  /**
   * A block of the basis, not checked against the sum head: the sink does that (ProtocolError 2, label `token`). A
   * reader of the old zlib form must be given the block's bytes (`seen`) before this returns.
   */
  match(index: number): void;
  /** The file is complete. */
  end(): void;
}

/** Reads token streams, one file after another. */
export interface TokenReader {
  /**
   * Decodes what the cursor has, up to the end of one file. True once `end` was called; false when the bytes ran
   * out, with the cursor behind all it used, so that the caller gets more and calls again. Throws ProtocolError.
   */
  read(cursor: Cursor, sink: TokenSink): boolean;
  /** True if `seen` must be called with the bytes of each matched block. */
  readonly wantsSeen: boolean;
  /** The bytes of the block last given to `match`: they belong to the decompressor's history. */
  seen(bytes: Uint8Array): void;
}

/** Writes token streams, one file after another. */
export interface TokenWriter {
  /** New bytes. They may stay inside a compressor until the next `match` or `end`. */
  literal(out: Writer, bytes: Uint8Array): void;
  /**
   * If present, writes new bytes without their contents: `byteLength` of them in pieces of `LITERAL_STRIDE` less
   * `LITERAL_HEAD` bytes. Returns where in the buffer the first piece belongs.
   */
  room?(out: Writer, byteLength: number): number;
  /** Block `index` of the basis. `bytes`: its contents, for writers with `wantsMatched`; others ignore it. */
  match(out: Writer, index: number, bytes: Uint8Array): void;
  end(out: Writer): void;
  /** True if `match` needs the block's bytes. */
  readonly wantsMatched: boolean;
}

/**
 * Takes what stands for a file that is handed over as a descriptor, between two sides of one process: a reference to
 * block 0 of no blocks, the end, an empty digest. False, with nothing taken, for anything else.
 */
export function skipLocalCopy(cursor: Cursor, digestLength: number): boolean {
  if (cursor.available < 8 + digestLength) return false;
  const { pos } = cursor;
  if (cursor.i32le() === -1 && cursor.i32le() === 0) {
    cursor.pos = pos + 8 + digestLength;
    return true;
  }
  cursor.pos = pos;
  return false;
}

/**
 * Length of a small file that has arrived whole as plain tokens, one literal or none and the end, with the
 * `digestLength` bytes behind them; -1 for anything else. Takes nothing: the contents begin 4 bytes from here, or there
 * are none.
 */
export function wholeLiteral({ bytes, pos, available }: Cursor, digestLength: number): number {
  if (available < 4) return -1;
  const first = int32(bytes, pos);
  if (first === 0) return available >= 4 + digestLength ? 0 : -1;
  if (first < 0 || first > WireLimit.literal || available < 8 + first + digestLength) return -1;
  return int32(bytes, pos + 4 + first) === 0 ? first : -1;
}

function int32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

/** Reads uncompressed tokens. Literals may have any length up to 2^31 - 1 and come as the bytes arrive. */
export class PlainTokenReader implements TokenReader {
  readonly wantsSeen = false;
  private literalLeft = 0;

  read(cursor: Cursor, sink: TokenSink): boolean {
    for (;;) {
      if (this.literalLeft > 0) {
        const count = Math.min(this.literalLeft, cursor.available);
        if (count === 0) return false;
        this.literalLeft -= count;
        sink.literal(cursor.take(count));
        continue;
      }
      if (cursor.available < 4) return false;
      const token = cursor.i32le();
      if (token === 0) {
        sink.end();
        return true;
      }
      if (token > 0) this.literalLeft = token;
      else sink.match(-1 - token);
    }
  }

  seen(_bytes: Uint8Array): void {}
}

const LITERAL_HEAD = 4;
/** Bytes from the start of one whole literal to that of the next, when nothing is between them. */
export const LITERAL_STRIDE = LITERAL_HEAD + WireLimit.literal;

/** Writes uncompressed tokens, literals cut to 32 KiB as old receivers need. */
export class PlainTokenWriter implements TokenWriter {
  readonly wantsMatched = false;

  room(out: Writer, byteLength: number): number {
    const first = out.reserve(byteLength + LITERAL_HEAD * Math.ceil(byteLength / WireLimit.literal));
    for (let at = 0; at < byteLength; at += WireLimit.literal) {
      const piece = Math.min(WireLimit.literal, byteLength - at);
      out.i32le(piece);
      out.length += piece;
    }
    return first + LITERAL_HEAD;
  }

  literal(out: Writer, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += WireLimit.literal) {
      const piece = bytes.subarray(at, Math.min(bytes.length, at + WireLimit.literal));
      out.i32le(piece.length);
      out.put(piece);
    }
  }

  match(out: Writer, index: number, _bytes: Uint8Array): void {
    out.i32le(-1 - index);
  }

  end(out: Writer): void {
    out.i32le(0);
  }
}
