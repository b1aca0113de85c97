/**
 * LZ4 over the system's liblz4: every piece is an independent raw block. Upstream token.c:send_compressed_token,
 * recv_compressed_token.
 */
import { type Ffi, type FfiFunction } from "../host.ts";
import { ExitCode, WsyncError } from "../errors.ts";
import { type LinearMemory } from "../memory.ts";
import { type Compressor, type Decompressor, MAX_PIECE_BYTES, type PieceSink } from "../protocol/tokencompressed.ts";
import { openLibrary, Stage } from "./native.ts";

/** LZ4_compressBound(32 KiB): what a peer's block may hold at most, and room for any of ours. */
const BLOCK_BYTES = 32768 + Math.floor(32768 / 255) + 16;

const SYMBOLS = {
  LZ4_compress_default: { args: ["ptr", "ptr", "i32", "i32"], result: "i32" },
  LZ4_decompress_safe: { args: ["ptr", "ptr", "i32", "i32"], result: "i32" },
} as const;

/** liblz4's functions. */
export type Lz4Library = Record<keyof typeof SYMBOLS, FfiFunction>;

/** Opens the system's liblz4, or null. */
export function openLz4(ffi: Ffi): Lz4Library | null {
  return openLibrary(ffi, ["liblz4.so.1", "liblz4.so", "liblz4.1.dylib", "liblz4.dylib"], SYMBOLS);
}

/** Compresses token data. */
export class Lz4Compressor implements Compressor {
  readonly wantsMatched = false;
  private readonly lz4: Lz4Library;
  private readonly memory: LinearMemory;
  private readonly stage: Stage;
  private readonly out: number;

  constructor(lz4: Lz4Library, memory: LinearMemory) {
    this.lz4 = lz4;
    this.memory = memory;
    this.stage = new Stage(memory);
    this.out = memory.alloc(BLOCK_BYTES);
  }

  begin(): void {}

  compress(bytes: Uint8Array, sink: PieceSink): void {
    const { stage } = this;
    for (let at = 0; at < bytes.length; at += stage.byteLength) {
      stage.load(bytes, at);
      this.compressSpan(stage.address, stage.byteLength, sink);
    }
  }

  flush(_sink: PieceSink): void {}

  insert(_bytes: Uint8Array): void {}

  release(): void {
    this.stage.release();
    this.memory.release(this.out);
  }

  /** Data that does not shrink can pass what a piece can hold: then half of it is tried. */
  private compressSpan(address: number, byteLength: number, sink: PieceSink): void {
    const { memory, out } = this;
    let at = 0;
    let take = Math.min(byteLength, MAX_PIECE_BYTES);
    while (at < byteLength) {
      const produced = this.lz4.LZ4_compress_default(address + at, memory.base + out, take, BLOCK_BYTES);
      if (produced <= 0) throw new WsyncError(`compress returned ${produced}`, ExitCode.streamIo);
      if (produced > MAX_PIECE_BYTES) {
        take >>= 1;
        continue;
      }
      sink.piece(memory.bytes(out, produced));
      at += take;
      take = Math.min(byteLength - at, MAX_PIECE_BYTES);
    }
  }
}

/** Decompresses token data. */
export class Lz4Decompressor implements Decompressor {
  readonly wantsMatched = false;
  private readonly lz4: Lz4Library;
  private readonly memory: LinearMemory;
  private readonly stage: Stage;
  private readonly out: number;

  constructor(lz4: Lz4Library, memory: LinearMemory) {
    this.lz4 = lz4;
    this.memory = memory;
    this.stage = new Stage(memory);
    this.out = memory.alloc(BLOCK_BYTES);
  }

  begin(): void {}

  decompress(piece: Uint8Array, sink: { literal(bytes: Uint8Array): void }): string | null {
    const { memory, out, stage } = this;
    stage.load(piece, 0);
    const produced = this.lz4.LZ4_decompress_safe(stage.address, memory.base + out, piece.length, BLOCK_BYTES);
    if (produced < 0) return `uncompress failed: ${produced}`;
    if (produced > 0) sink.literal(memory.bytes(out, produced));
    return null;
  }

  finishPieces(): null {
    return null;
  }

  insert(_bytes: Uint8Array): null {
    return null;
  }

  release(): void {
    this.stage.release();
    this.memory.release(this.out);
  }
}
