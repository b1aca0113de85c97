/**
 * Zstandard over the system's libzstd. Upstream token.c:send_zstd_token, recv_zstd_token.
 *
 * One stream serves the whole conversation: files are separated by flushes only, so `begin` has nothing to do and
 * later files profit from earlier ones.
 */
import { type Ffi, type FfiFunction } from "../host.ts";
import { ExitCode, WsyncError } from "../errors.ts";
import { type LinearMemory } from "../memory.ts";
import { type Compressor, type Decompressor, MAX_PIECE_BYTES, type PieceSink } from "../protocol/tokencompressed.ts";
import { getWord, openLibrary, setWord, Stage } from "./native.ts";

/** ZSTD_cParameter and ZSTD_EndDirective values. */
const ZSTD = { compressionLevel: 100, nbWorkers: 400, continue: 0, flush: 1 } as const;

/** ZSTD_inBuffer and ZSTD_outBuffer: address, size, position. */
const B = { address: 0, size: 8, pos: 16, byteLength: 24 } as const;

/** Twice ZSTD_DStreamOutSize(): room for two decompressed blocks. */
const OUT_BYTES = 2 * 128 * 1024;

// size_t results are declared signed: zstd's errors are small negative numbers then.
const SYMBOLS = {
  ZSTD_createCCtx: { args: [], result: "ptr" },
  ZSTD_freeCCtx: { args: ["ptr"], result: "i64" },
  ZSTD_CCtx_setParameter: { args: ["ptr", "i32", "i32"], result: "i64" },
  ZSTD_compressStream2: { args: ["ptr", "ptr", "ptr", "i32"], result: "i64" },
  ZSTD_createDCtx: { args: [], result: "ptr" },
  ZSTD_freeDCtx: { args: ["ptr"], result: "i64" },
  ZSTD_decompressStream: { args: ["ptr", "ptr", "ptr"], result: "i64" },
} as const;

/** libzstd's functions. */
export type ZstdLibrary = Record<keyof typeof SYMBOLS, FfiFunction>;

/** Opens the system's libzstd (1.4 or newer), or null. */
export function openZstd(ffi: Ffi): ZstdLibrary | null {
  return openLibrary(ffi, ["libzstd.so.1", "libzstd.so", "libzstd.1.dylib", "libzstd.dylib"], SYMBOLS);
}

/** Both buffer structs and the output bytes, in linear memory. */
class Buffers {
  readonly memory: LinearMemory;
  readonly stage: Stage;
  readonly input: number;
  readonly output: number;
  readonly bytes: number;
  private readonly outBytes: number;

  constructor(memory: LinearMemory, outBytes: number) {
    this.memory = memory;
    this.outBytes = outBytes;
    this.stage = new Stage(memory);
    this.input = memory.alloc(2 * B.byteLength);
    this.output = this.input + B.byteLength;
    this.bytes = memory.alloc(outBytes);
    this.setInput(0, 0);
  }

  setInput(address: number, byteLength: number): void {
    setWord(this.memory, this.input + B.address, address);
    setWord(this.memory, this.input + B.size, byteLength);
    setWord(this.memory, this.input + B.pos, 0);
  }

  clearOutput(): void {
    setWord(this.memory, this.output + B.address, this.memory.base + this.bytes);
    setWord(this.memory, this.output + B.size, this.outBytes);
    setWord(this.memory, this.output + B.pos, 0);
  }

  get inputUsed(): boolean {
    return getWord(this.memory, this.input + B.pos) === getWord(this.memory, this.input + B.size);
  }

  get produced(): number {
    return getWord(this.memory, this.output + B.pos);
  }

  release(): void {
    this.stage.release();
    this.memory.release(this.input);
    this.memory.release(this.bytes);
  }
}

/** Compresses token data. */
export class ZstdCompressor implements Compressor {
  readonly wantsMatched = false;
  private readonly zstd: ZstdLibrary;
  private readonly context: number;
  private readonly buffers: Buffers;

  /** `threads`: --compress-threads, 0 for none. */
  constructor(zstd: ZstdLibrary, memory: LinearMemory, level: number, threads: number) {
    this.zstd = zstd;
    this.context = zstd.ZSTD_createCCtx();
    if (this.context === 0) throw new WsyncError("compression init failed", ExitCode.protocol);
    zstd.ZSTD_CCtx_setParameter(this.context, ZSTD.compressionLevel, level);
    // A library without threads refuses this one, and goes on without.
    if (threads > 0) zstd.ZSTD_CCtx_setParameter(this.context, ZSTD.nbWorkers, threads);
    this.buffers = new Buffers(memory, MAX_PIECE_BYTES);
  }

  begin(): void {}

  compress(bytes: Uint8Array, sink: PieceSink): void {
    const { buffers } = this;
    const { stage } = buffers;
    for (let at = 0; at < bytes.length; at += stage.byteLength) {
      stage.load(bytes, at);
      buffers.setInput(stage.address, stage.byteLength);
      do {
        this.step(ZSTD.continue, sink);
      } while (!buffers.inputUsed);
    }
  }

  flush(sink: PieceSink): void {
    this.buffers.setInput(0, 0);
    while (this.step(ZSTD.flush, sink) !== 0);
  }

  insert(_bytes: Uint8Array): void {}

  release(): void {
    this.zstd.ZSTD_freeCCtx(this.context);
    this.buffers.release();
  }

  private step(directive: number, sink: PieceSink): number {
    const { buffers } = this;
    const { base } = buffers.memory;
    buffers.clearOutput();
    const left = this.zstd.ZSTD_compressStream2(
      this.context, base + buffers.output, base + buffers.input, directive,
    );
    if (left < 0) throw new WsyncError(`ZSTD_compressStream returned ${left}`, ExitCode.streamIo);
    if (buffers.produced > 0) sink.piece(buffers.memory.bytes(buffers.bytes, buffers.produced));
    return left;
  }
}

/** Decompresses token data. */
export class ZstdDecompressor implements Decompressor {
  readonly wantsMatched = false;
  private readonly zstd: ZstdLibrary;
  private readonly context: number;
  private readonly buffers: Buffers;

  constructor(zstd: ZstdLibrary, memory: LinearMemory) {
    this.zstd = zstd;
    this.context = zstd.ZSTD_createDCtx();
    if (this.context === 0) throw new WsyncError("ZSTD_createDStream failed", ExitCode.protocol);
    this.buffers = new Buffers(memory, OUT_BYTES);
  }

  begin(): void {}

  decompress(piece: Uint8Array, sink: { literal(bytes: Uint8Array): void }): string | null {
    const { buffers } = this;
    const { base } = buffers.memory;
    buffers.stage.load(piece, 0);
    buffers.setInput(buffers.stage.address, piece.length);
    let produced: number;
    do {
      buffers.clearOutput();
      const code = this.zstd.ZSTD_decompressStream(this.context, base + buffers.output, base + buffers.input);
      produced = buffers.produced;
      if (code < 0) return `ZSTD decomp returned ${code} (${produced} bytes)`;
      if (produced > 0) sink.literal(buffers.memory.bytes(buffers.bytes, produced));
    } while (!buffers.inputUsed || produced === OUT_BYTES);
    return null;
  }

  finishPieces(): null {
    return null;
  }

  insert(_bytes: Uint8Array): null {
    return null;
  }

  release(): void {
    this.zstd.ZSTD_freeDCtx(this.context);
    this.buffers.release();
  }
}
