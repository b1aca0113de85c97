/**
 * Raw deflate over the runtime's own zlib, for hosts that may not call system libraries.
 *
 * Streams of node:zlib carry a handle with a synchronous `writeSync`, on Node, Deno and Bun alike. It is not
 * documented, so `openRuntimeZlib` tries it once and the compressor is not offered where it is missing.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { type Compressor, type Decompressor, MAX_PIECE_BYTES, type PieceSink } from "../protocol/tokencompressed.ts";
import { type ZlibMode } from "./zlib.ts";

const FLUSH = { none: 0, sync: 2 } as const;
const TRAILER = 4;
const STORED_BYTES = 0xffff;
const OUT_BYTES = 64 * 1024;

interface ZlibHandle {
  writeSync(flush: number, input: Uint8Array | null, inAt: number, inLength: number, out: Uint8Array, outAt: number,
    outLength: number): void;
  reset(): void;
  close(): void;
}

interface ZlibStream {
  _handle: ZlibHandle;
  /** Set by writeSync: output room left, input left. */
  _writeState: Uint32Array;
}

/** The two factories of node:zlib that are used. */
export interface RuntimeZlib {
  createDeflateRaw(options: { level: number; windowBits: number; memLevel: number }): ZlibStream;
  createInflateRaw(options: { windowBits: number }): ZlibStream;
}

/** The runtime's zlib if its streams can be driven synchronously, else null. `module`: Host.zlib. */
export function openRuntimeZlib(module: unknown): RuntimeZlib | null {
  const zlib = module as Partial<RuntimeZlib> | null | undefined;
  if (typeof zlib?.createDeflateRaw !== "function" || typeof zlib.createInflateRaw !== "function") return null;
  const runtime = zlib as RuntimeZlib;
  try {
    const pipe = new SyncStream(runtime.createDeflateRaw({ level: 6, windowBits: 15, memLevel: 8 }), 64);
    pipe.setInput(new Uint8Array([1, 2, 3]));
    pipe.run(FLUSH.sync);
    pipe.close();
    return pipe.fault === null && pipe.filled > TRAILER ? runtime : null;
  } catch {
    return null;
  }
}

/** A zlib stream with input and output positions, driven step by step. */
class SyncStream {
  readonly out: Uint8Array;
  filled = 0;
  inLeft = 0;
  fault: string | null = null;
  private readonly stream: ZlibStream;
  private input: Uint8Array = new Uint8Array(0);

  constructor(stream: ZlibStream, outBytes: number) {
    this.stream = stream;
    this.out = new Uint8Array(outBytes);
    const onerror = (message: string, errno: number): void => {
      this.fault = `${errno} (${message})`;
    };
    Object.assign(stream._handle, { onerror });
  }

  get full(): boolean {
    return this.filled === this.out.length;
  }

  /** Copies: zlib bindings refuse views of shared memory. */
  setInput(bytes: Uint8Array): void {
    this.input = bytes.slice();
    this.inLeft = bytes.length;
  }

  run(flush: number): void {
    const room = this.out.length - this.filled;
    const at = this.input.length - this.inLeft;
    this.stream._handle.writeSync(flush, this.input, at, this.inLeft, this.out, this.filled, room);
    if (this.fault !== null) return;
    this.filled += room - this.stream._writeState[0];
    this.inLeft = this.stream._writeState[1];
  }

  reset(): void {
    this.stream._handle.reset();
    this.filled = 0;
    this.fault = null;
  }

  close(): void {
    this.stream._handle.close();
  }
}

/** Deflates token data. */
export class RuntimeZlibCompressor implements Compressor {
  readonly wantsMatched: boolean;
  private readonly stream: SyncStream;
  private readonly repeatStart: boolean;

  constructor(zlib: RuntimeZlib, level: number, mode: ZlibMode) {
    this.wantsMatched = mode.insertMatched;
    this.repeatStart = mode.repeatStart;
    this.stream = new SyncStream(zlib.createDeflateRaw({ level, windowBits: 15, memLevel: 8 }), MAX_PIECE_BYTES);
  }

  begin(): void {
    this.stream.reset();
  }

  compress(bytes: Uint8Array, sink: PieceSink): void {
    const { stream } = this;
    stream.setInput(bytes);
    do {
      if (stream.full) this.emit(sink, MAX_PIECE_BYTES, 0);
      this.run(FLUSH.none);
    } while (stream.inLeft > 0 || stream.full);
  }

  flush(sink: PieceSink): void {
    const { stream } = this;
    stream.setInput(new Uint8Array(0));
    do {
      if (stream.full) this.emit(sink, MAX_PIECE_BYTES - TRAILER, TRAILER);
      this.run(FLUSH.sync);
    } while (stream.full);
    this.emit(sink, stream.filled - TRAILER, 0);
  }

  insert(bytes: Uint8Array): void {
    const { stream } = this;
    for (let at = 0; at < bytes.length; at += STORED_BYTES) {
      const start = this.repeatStart ? 0 : at;
      stream.setInput(bytes.subarray(start, start + Math.min(STORED_BYTES, bytes.length - at)));
      do {
        stream.filled = 0;
        this.run(FLUSH.sync);
      } while (stream.inLeft > 0 || stream.full);
    }
    stream.filled = 0;
  }

  release(): void {
    this.stream.close();
  }

  private run(flush: number): void {
    this.stream.run(flush);
    if (this.stream.fault !== null) {
      throw new WsyncError(`deflate returned ${this.stream.fault}`, ExitCode.streamIo);
    }
  }

  private emit(sink: PieceSink, byteLength: number, kept: number): void {
    const { stream } = this;
    if (byteLength > 0) sink.piece(stream.out.subarray(0, byteLength));
    if (kept > 0) stream.out.copyWithin(0, byteLength, byteLength + kept);
    stream.filled = kept;
  }
}

/** Inflates token data. The runtime does not say whether a stream is at a sync point, so that is not checked. */
export class RuntimeZlibDecompressor implements Decompressor {
  readonly wantsMatched: boolean;
  private readonly stream: SyncStream;
  private readonly repeatStart: boolean;

  constructor(zlib: RuntimeZlib, mode: ZlibMode) {
    this.wantsMatched = mode.insertMatched;
    this.repeatStart = mode.repeatStart;
    this.stream = new SyncStream(zlib.createInflateRaw({ windowBits: 15 }), OUT_BYTES);
  }

  begin(): void {
    this.stream.reset();
  }

  decompress(piece: Uint8Array, sink: { literal(bytes: Uint8Array): void }): string | null {
    return this.feed(piece, sink);
  }

  finishPieces(): string | null {
    return this.feed(new Uint8Array([0, 0, 0xff, 0xff]), null);
  }

  insert(bytes: Uint8Array): string | null {
    for (let at = 0; at < bytes.length; at += STORED_BYTES) {
      const byteLength = Math.min(STORED_BYTES, bytes.length - at);
      const start = this.repeatStart ? 0 : at;
      const low = byteLength & 0xff;
      const high = byteLength >> 8;
      const fault = this.feed(new Uint8Array([0, low, high, ~low, ~high]), null)
        ?? this.feed(bytes.subarray(start, start + byteLength), null);
      if (fault !== null) return fault;
    }
    return null;
  }

  release(): void {
    this.stream.close();
  }

  private feed(bytes: Uint8Array, sink: { literal(bytes: Uint8Array): void } | null): string | null {
    const { stream } = this;
    stream.setInput(bytes);
    let before: number;
    do {
      before = stream.inLeft;
      stream.filled = 0;
      stream.run(FLUSH.none);
      if (stream.fault !== null) return `inflate returned ${stream.fault}`;
      if (sink !== null && stream.filled > 0) sink.literal(stream.out.subarray(0, stream.filled));
      if (stream.inLeft === before && stream.filled === 0 && before > 0) return "inflate took no input";
    } while (stream.inLeft > 0 || stream.full);
    return null;
  }
}
