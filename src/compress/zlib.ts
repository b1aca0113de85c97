/**
 * Raw deflate over the system's zlib: rsync's "zlib" and "zlibx". Upstream token.c:send_deflated_token,
 * recv_deflated_token, see_deflate_token.
 *
 * The z_stream struct is laid out by hand in linear memory (64-bit little-endian processors). Each file starts with a
 * reset stream. A flush is a sync flush whose last four bytes (0, 0, ff, ff) are not sent: the peer puts them back.
 */
import { type Ffi, type FfiFunction } from "../host.ts";
import { ExitCode, WsyncError } from "../errors.ts";
import { type LinearMemory } from "../memory.ts";
import { type Compressor, type Decompressor, MAX_PIECE_BYTES, type PieceSink } from "../protocol/tokencompressed.ts";
import { openLibrary, setWord, Stage } from "./native.ts";

const Z = { noFlush: 0, syncFlush: 2, ok: 0, bufError: -5, deflated: 8, rawWindowBits: -15, memLevel: 8 } as const;

/** Offsets in z_stream. */
const S = { nextIn: 0, availIn: 8, nextOut: 24, availOut: 32, byteLength: 112 } as const;

/** Bytes that end a sync flush and are left out on the wire. */
const TRAILER = 4;

/** Longest stored block of deflate; longer matched blocks enter the history in parts. */
const STORED_BYTES = 0xffff;

const SYMBOLS = {
  deflateInit2_: { args: ["ptr", "i32", "i32", "i32", "i32", "i32", "ptr", "i32"], result: "i32" },
  deflateReset: { args: ["ptr"], result: "i32" },
  deflate: { args: ["ptr", "i32"], result: "i32" },
  deflateEnd: { args: ["ptr"], result: "i32" },
  inflateInit2_: { args: ["ptr", "i32", "ptr", "i32"], result: "i32" },
  inflateReset: { args: ["ptr"], result: "i32" },
  inflate: { args: ["ptr", "i32"], result: "i32" },
  inflateSyncPoint: { args: ["ptr"], result: "i32" },
  inflateEnd: { args: ["ptr"], result: "i32" },
} as const;

/** zlib's functions. */
export type ZlibLibrary = Record<keyof typeof SYMBOLS, FfiFunction>;

/** Opens the system's zlib, or null. */
export function openZlib(ffi: Ffi): ZlibLibrary | null {
  return openLibrary(ffi, ["libz.so.1", "libz.so", "libz.1.dylib", "libz.dylib"], SYMBOLS);
}

/** How matched blocks are treated. */
export interface ZlibMode {
  /** "zlib": matched blocks enter the history. False for "zlibx". */
  readonly insertMatched: boolean;
  /**
   * Before protocol 31 the second and later 64 KiB of a long matched block enter the history as a repeat of its
   * start: an old mistake that both sides must make alike.
   */
  readonly repeatStart: boolean;
}

/** A z_stream with its output buffer in linear memory. */
class ZStream {
  readonly memory: LinearMemory;
  readonly strm: number;
  readonly out: number;
  readonly outBytes: number;
  readonly stage: Stage;

  constructor(memory: LinearMemory, outBytes: number) {
    this.memory = memory;
    this.outBytes = outBytes;
    this.strm = memory.alloc(S.byteLength + 16);
    memory.u8.fill(0, this.strm, this.strm + S.byteLength + 16);
    memory.writeCString(this.strm + S.byteLength, "1.2.11");
    this.out = memory.alloc(outBytes);
    this.stage = new Stage(memory);
  }

  get address(): number {
    return this.memory.base + this.strm;
  }

  /** zlib compares only the first digit of the version it was compiled for. */
  get versionAddress(): number {
    return this.address + S.byteLength;
  }

  get availIn(): number {
    return this.memory.u32[(this.strm + S.availIn) >> 2];
  }

  get availOut(): number {
    return this.memory.u32[(this.strm + S.availOut) >> 2];
  }

  setInput(address: number, byteLength: number): void {
    setWord(this.memory, this.strm + S.nextIn, address);
    this.memory.u32[(this.strm + S.availIn) >> 2] = byteLength;
  }

  /** Output goes behind the first `kept` bytes of the buffer. */
  setOutput(kept: number): void {
    setWord(this.memory, this.strm + S.nextOut, this.memory.base + this.out + kept);
    this.memory.u32[(this.strm + S.availOut) >> 2] = this.outBytes - kept;
  }

  release(): void {
    this.stage.release();
    this.memory.release(this.strm);
    this.memory.release(this.out);
  }
}

/** Deflates token data. */
export class ZlibCompressor implements Compressor {
  readonly wantsMatched: boolean;
  private readonly zlib: ZlibLibrary;
  private readonly stream: ZStream;
  private readonly repeatStart: boolean;

  constructor(zlib: ZlibLibrary, memory: LinearMemory, level: number, mode: ZlibMode) {
    this.zlib = zlib;
    this.wantsMatched = mode.insertMatched;
    this.repeatStart = mode.repeatStart;
    this.stream = new ZStream(memory, MAX_PIECE_BYTES);
    const { address, versionAddress } = this.stream;
    const code = zlib.deflateInit2_(
      address, level, Z.deflated, Z.rawWindowBits, Z.memLevel, 0, versionAddress, S.byteLength,
    );
    if (code !== Z.ok) throw new WsyncError("compression init failed", ExitCode.protocol);
  }

  begin(): void {
    this.zlib.deflateReset(this.stream.address);
    this.stream.setOutput(0);
  }

  compress(bytes: Uint8Array, sink: PieceSink): void {
    const { stream } = this;
    const { stage } = stream;
    for (let at = 0; at < bytes.length; at += stage.byteLength) {
      stage.load(bytes, at);
      stream.setInput(stage.address, stage.byteLength);
      do {
        if (stream.availOut === 0) this.emit(sink, MAX_PIECE_BYTES, 0);
        this.deflate(Z.noFlush);
      } while (stream.availIn !== 0 || stream.availOut === 0);
    }
  }

  flush(sink: PieceSink): void {
    const { stream } = this;
    stream.setInput(0, 0);
    do {
      // The last four bytes so far may turn out to be the trailer, so they wait for what comes.
      if (stream.availOut === 0) this.emit(sink, MAX_PIECE_BYTES - TRAILER, TRAILER);
      this.deflate(Z.syncFlush);
    } while (stream.availOut === 0);
    this.emit(sink, MAX_PIECE_BYTES - stream.availOut - TRAILER, 0);
  }

  /** Deflates the block and drops the output: the peer rebuilds the same history from the block itself. */
  insert(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += STORED_BYTES) {
      const byteLength = Math.min(STORED_BYTES, bytes.length - at);
      const start = this.repeatStart ? 0 : at;
      this.insertPart(bytes.subarray(start, start + byteLength));
    }
  }

  release(): void {
    this.zlib.deflateEnd(this.stream.address);
    this.stream.release();
  }

  private insertPart(bytes: Uint8Array): void {
    const { stream } = this;
    const { stage } = stream;
    for (let at = 0; at < bytes.length; at += stage.byteLength) {
      stage.load(bytes, at);
      stream.setInput(stage.address, stage.byteLength);
      do {
        stream.setOutput(0);
        this.deflate(Z.syncFlush);
      } while (stream.availIn !== 0 || stream.availOut === 0);
    }
    stream.setOutput(0);
  }

  /** Sends the first `byteLength` bytes of the buffer and moves the next `kept` to its start. */
  private emit(sink: PieceSink, byteLength: number, kept: number): void {
    const { memory, out } = this.stream;
    if (byteLength > 0) sink.piece(memory.bytes(out, byteLength));
    if (kept > 0) memory.u8.copyWithin(out, out + byteLength, out + byteLength + kept);
    this.stream.setOutput(kept);
  }

  private deflate(flush: number): void {
    const code = this.zlib.deflate(this.stream.address, flush);
    if (code !== Z.ok && code !== Z.bufError) {
      throw new WsyncError(`deflate returned ${code}`, ExitCode.streamIo);
    }
  }
}

/** Inflates token data. */
export class ZlibDecompressor implements Decompressor {
  readonly wantsMatched: boolean;
  private readonly zlib: ZlibLibrary;
  private readonly stream: ZStream;
  private readonly repeatStart: boolean;
  /** Five bytes of stored-block header, or the four of the trailer. */
  private readonly header: number;

  constructor(zlib: ZlibLibrary, memory: LinearMemory, mode: ZlibMode) {
    this.zlib = zlib;
    this.wantsMatched = mode.insertMatched;
    this.repeatStart = mode.repeatStart;
    this.stream = new ZStream(memory, 64 * 1024);
    this.header = memory.alloc(8);
    const { address, versionAddress } = this.stream;
    const code = zlib.inflateInit2_(address, Z.rawWindowBits, versionAddress, S.byteLength);
    if (code !== Z.ok) throw new WsyncError("inflate init failed", ExitCode.protocol);
  }

  begin(): void {
    this.zlib.inflateReset(this.stream.address);
  }

  decompress(piece: Uint8Array, sink: { literal(bytes: Uint8Array): void }): string | null {
    const { stream } = this;
    const { stage, memory } = stream;
    if (piece.length === 0) return `inflate returned ${Z.bufError} (0 bytes)`;
    stage.load(piece, 0);
    stream.setInput(stage.address, piece.length);
    let full = false;
    do {
      stream.setOutput(0);
      const code = this.zlib.inflate(stream.address, Z.noFlush);
      const byteLength = stream.outBytes - stream.availOut;
      // After a full buffer zlib may have nothing left to give, which it reports as an error.
      const drained = full && code === Z.bufError && stream.availIn === 0;
      if (code !== Z.ok && !drained) return `inflate returned ${code} (${byteLength} bytes)`;
      full = stream.availOut === 0;
      if (byteLength > 0) sink.literal(memory.bytes(stream.out, byteLength));
    } while (stream.availIn !== 0 || full);
    return null;
  }

  finishPieces(): string | null {
    if (this.zlib.inflateSyncPoint(this.stream.address) !== 1) return "decompressor lost sync!";
    const { memory } = this.stream;
    memory.u8[this.header] = memory.u8[this.header + 1] = 0;
    memory.u8[this.header + 2] = memory.u8[this.header + 3] = 0xff;
    this.swallow(memory.base + this.header, TRAILER);
    return null;
  }

  /** Feeds the block as stored blocks, dropping the output. */
  insert(bytes: Uint8Array): string | null {
    for (let at = 0; at < bytes.length; at += STORED_BYTES) {
      const byteLength = Math.min(STORED_BYTES, bytes.length - at);
      const start = this.repeatStart ? 0 : at;
      const code = this.insertPart(bytes.subarray(start, start + byteLength));
      if (code !== Z.ok) return `inflate (token) returned ${code}`;
    }
    return null;
  }

  release(): void {
    this.zlib.inflateEnd(this.stream.address);
    this.stream.memory.release(this.header);
    this.stream.release();
  }

  private insertPart(bytes: Uint8Array): number {
    const { memory, stage } = this.stream;
    const { u8 } = memory;
    const low = bytes.length & 0xff;
    const high = bytes.length >> 8;
    u8[this.header] = 0;
    u8[this.header + 1] = low;
    u8[this.header + 2] = high;
    u8[this.header + 3] = ~low;
    u8[this.header + 4] = ~high;
    let code = this.swallow(memory.base + this.header, 5);
    for (let at = 0; at < bytes.length && code === Z.ok; at += stage.byteLength) {
      stage.load(bytes, at);
      code = this.swallow(stage.address, stage.byteLength);
    }
    return code;
  }

  /** Inflates input for the sake of the history alone; Z.ok or zlib's error. */
  private swallow(address: number, byteLength: number): number {
    const { stream } = this;
    stream.setInput(address, byteLength);
    do {
      stream.setOutput(0);
      const code = this.zlib.inflate(stream.address, Z.syncFlush);
      if (code !== Z.ok && code !== Z.bufError) return code;
      // Data that zlib will not take would keep us here for ever.
      if (code === Z.bufError && stream.availIn !== 0) return code;
    } while (stream.availIn !== 0 || stream.availOut === 0);
    return Z.ok;
  }
}
