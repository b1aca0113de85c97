/**
 * Token streams behind -z (labels `token-flag`, `deflated-data`, `token-run`): the same framing for every compressor.
 * Upstream token.c:send_deflated_token, recv_deflated_token, send_zstd_token, send_compressed_token (lz4),
 * recv_compressed_token_num.
 *
 * A flag byte says what follows. 0x40 + high 6 bits, then the low 8: a compressed piece of up to 16383 bytes. 0x80 or
 * 0xC0 + r: block number, r past the last one; 0x20 or 0x21: block number as an int. 0xC0 and 0x21 also carry a
 * 16-bit count of blocks that follow that one in order. 0: end of file.
 *
 * Compressors come from src/compress behind the two interfaces here. What differs between them stays there: deflate
 * starts afresh with each file and leaves out the four bytes that end a sync flush; zstd is one stream for the whole
 * conversation; each lz4 piece stands alone. With old "zlib" both sides also add matched blocks to their history.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import type { Cursor, Writer } from "./cursor.ts";
import type { TokenReader, TokenSink, TokenWriter } from "./token.ts";

/** Flag bytes of the compressed form. */
const TokenFlag = {
  end: 0x00,
  long: 0x20,
  runLong: 0x21,
  data: 0x40,
  relative: 0x80,
  runRelative: 0xc0,
} as const;

/** Longest compressed piece: what 14 bits can count. Upstream MAX_DATA_COUNT. */
export const MAX_PIECE_BYTES = 16383;

/** Highest block number. Upstream MAX_TOKEN_INDEX. */
const MAX_TOKEN_INDEX = 0x7ffffffe;

/** Longest run a flag can count. */
const MAX_RUN = 65536;

/** Takes finished compressed pieces of 1 to MAX_PIECE_BYTES bytes; the view is valid during the call. */
export interface PieceSink {
  piece(bytes: Uint8Array): void;
}

/** One direction's compressor. */
export interface Compressor {
  /** A file starts. */
  begin(): void;
  /** Takes literal bytes; pieces may come now or at `flush`. */
  compress(bytes: Uint8Array, sink: PieceSink): void;
  /** Makes all bytes taken so far decodable by the peer. */
  flush(sink: PieceSink): void;
  /** True if matched blocks belong to the history. */
  readonly wantsMatched: boolean;
  /** Adds a matched block to the history; called only in a flushed state. */
  insert(bytes: Uint8Array): void;
  /** Frees what it holds. It must not be used afterwards. */
  release(): void;
}

/** One direction's decompressor. A method returns a reason in upstream's words when the data is bad, else null. */
export interface Decompressor {
  /** A file starts. */
  begin(): void;
  /** Decodes one piece, giving the bytes to `sink.literal` in views that are valid during the call. */
  decompress(piece: Uint8Array, sink: { literal(bytes: Uint8Array): void }): string | null;
  /** Pieces are over for now: a block reference or the end follows. */
  finishPieces(): string | null;
  readonly wantsMatched: boolean;
  insert(bytes: Uint8Array): string | null;
  release(): void;
}

/** Reads compressed token streams. */
export class CompressedTokenReader implements TokenReader {
  readonly wantsSeen: boolean;
  private readonly codec: Decompressor;
  private started = false;
  private inPieces = false;
  private token = 0;
  private runLeft = 0;

  constructor(codec: Decompressor) {
    this.codec = codec;
    this.wantsSeen = codec.wantsMatched;
  }

  read(cursor: Cursor, sink: TokenSink): boolean {
    for (;;) {
      if (!this.started) this.start();
      if (this.runLeft > 0) {
        this.runStep(cursor);
        sink.match(this.token);
        continue;
      }
      if (cursor.available === 0) return false;
      const flag = cursor.bytes[cursor.pos];
      if ((flag & 0xc0) === TokenFlag.data) {
        if (!this.readPiece(cursor, flag, sink)) return false;
        continue;
      }
      if (cursor.available < itemBytes(flag)) return false;
      if (this.inPieces) this.finishPieces(cursor);
      if (flag === TokenFlag.end) {
        cursor.pos++;
        this.started = false;
        sink.end();
        return true;
      }
      this.readNumber(cursor);
      sink.match(this.token);
    }
  }

  seen(bytes: Uint8Array): void {
    const fault = this.codec.insert(bytes);
    if (fault !== null) throw new ProtocolError("deflated-data", fault, ExitCode.streamIo);
  }

  private start(): void {
    this.codec.begin();
    this.started = true;
    this.inPieces = false;
    this.token = 0;
  }

  /** Decodes one whole piece, or leaves the cursor alone when it has not all arrived. */
  private readPiece(cursor: Cursor, flag: number, sink: TokenSink): boolean {
    const { bytes, pos } = cursor;
    if (cursor.available < 2) return false;
    const byteLength = ((flag & 0x3f) << 8) | bytes[pos + 1];
    if (cursor.available < 2 + byteLength) return false;
    cursor.pos = pos + 2 + byteLength;
    this.inPieces = true;
    const fault = this.codec.decompress(bytes.subarray(pos + 2, cursor.pos), sink);
    if (fault !== null) throw new ProtocolError("deflated-data", fault, ExitCode.streamIo, cursor.origin + pos);
    return true;
  }

  private finishPieces(cursor: Cursor): void {
    this.inPieces = false;
    const fault = this.codec.finishPieces();
    if (fault !== null) throw new ProtocolError("deflated-data", fault, ExitCode.streamIo, cursor.offset);
  }

  /** Label `token-run`. Upstream token.c:recv_compressed_token_num. */
  private readNumber(cursor: Cursor): void {
    const at = cursor.offset;
    const flag = cursor.u8();
    const relative = (flag & TokenFlag.relative) !== 0;
    this.token = relative ? this.token + (flag & 0x3f) : cursor.i32le();
    if (this.token < 0 || this.token > MAX_TOKEN_INDEX) throw invalidToken(at);
    if ((relative ? flag & 0x40 : flag & 1) === 0) return;
    this.runLeft = cursor.u16le();
    if (this.runLeft === 0 || this.token > MAX_TOKEN_INDEX - this.runLeft) throw invalidToken(at);
  }

  private runStep(cursor: Cursor): void {
    if (this.token >= MAX_TOKEN_INDEX) throw invalidToken(cursor.offset);
    this.token++;
    this.runLeft--;
  }
}

/** Bytes of the item a flag leads, pieces apart. Upstream takes any other byte for a long token number. */
function itemBytes(flag: number): number {
  if (flag === TokenFlag.end) return 1;
  if (flag & TokenFlag.relative) return flag & 0x40 ? 3 : 1;
  return flag & 1 ? 7 : 5;
}

function invalidToken(offset: number): ProtocolError {
  return new ProtocolError("token-run", "invalid token number in compressed stream", ExitCode.protocol, offset);
}

/** Writes compressed token streams. Consecutive blocks are held back and sent as one run. */
export class CompressedTokenWriter implements TokenWriter, PieceSink {
  readonly wantsMatched: boolean;
  private readonly codec: Compressor;
  private out: Writer | null = null;
  private started = false;
  private unflushed = false;
  /** Blocks runStart to runLast are held back; runLast < runStart when none is. */
  private runStart = 0;
  private runLast = -1;
  /** Last block of the run sent before. */
  private lastRunEnd = 0;

  constructor(codec: Compressor) {
    this.codec = codec;
    this.wantsMatched = codec.wantsMatched;
  }

  literal(out: Writer, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.begin();
    this.flushRun(out);
    this.out = out;
    this.codec.compress(bytes, this);
    this.unflushed = true;
  }

  match(out: Writer, index: number, bytes: Uint8Array): void {
    this.begin();
    const extends_ = index === this.runLast + 1 && this.runLast >= this.runStart && index < this.runStart + MAX_RUN;
    if (extends_) {
      this.runLast = index;
    } else {
      this.flushRun(out);
      this.runStart = index;
      this.runLast = index;
    }
    this.flushPieces(out);
    if (this.wantsMatched) this.codec.insert(bytes);
  }

  end(out: Writer): void {
    this.begin();
    this.flushRun(out);
    this.flushPieces(out);
    out.u8(TokenFlag.end);
    this.started = false;
  }

  /** Called by the codec: label `deflated-data`. */
  piece(bytes: Uint8Array): void {
    const out = this.out!;
    out.u8(TokenFlag.data + (bytes.length >> 8));
    out.u8(bytes.length);
    out.put(bytes);
  }

  private begin(): void {
    if (this.started) return;
    this.codec.begin();
    this.started = true;
    this.unflushed = false;
    this.runStart = 0;
    this.runLast = -1;
    this.lastRunEnd = 0;
  }

  private flushPieces(out: Writer): void {
    if (!this.unflushed) return;
    this.out = out;
    this.codec.flush(this);
    this.unflushed = false;
  }

  /** Label `token-run`: sends the held blocks, if any. */
  private flushRun(out: Writer): void {
    const more = this.runLast - this.runStart;
    if (more < 0) return;
    const step = this.runStart - this.lastRunEnd;
    if (step >= 0 && step <= 63) {
      out.u8((more === 0 ? TokenFlag.relative : TokenFlag.runRelative) + step);
    } else {
      out.u8(more === 0 ? TokenFlag.long : TokenFlag.runLong);
      out.i32le(this.runStart);
    }
    if (more !== 0) out.u16le(more);
    this.lastRunEnd = this.runLast;
    this.runStart = 0;
    this.runLast = -1;
  }
}
