/**
 * Which compressors this run has, and token readers and writers made with them.
 *
 * The system's libraries come first; without foreign functions the runtime's own zlib serves "zlib" and "zlibx". What
 * is neither here nor there is not offered in the negotiation.
 */
import { ExitCode, UsageError } from "../errors.ts";
import { type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { type CompressName, type ProtocolContext } from "../protocol/context.ts";
import { PlainTokenReader, PlainTokenWriter, type TokenReader, type TokenWriter } from "../protocol/token.ts";
import {
  type Compressor, CompressedTokenReader, CompressedTokenWriter, type Decompressor,
} from "../protocol/tokencompressed.ts";
import { type Lz4Library, Lz4Compressor, Lz4Decompressor, openLz4 } from "./lz4.ts";
import {
  openRuntimeZlib, type RuntimeZlib, RuntimeZlibCompressor, RuntimeZlibDecompressor,
} from "./runtimezlib.ts";
import { openZlib, ZlibCompressor, ZlibDecompressor, type ZlibLibrary, type ZlibMode } from "./zlib.ts";
import { openZstd, ZstdCompressor, ZstdDecompressor, type ZstdLibrary } from "./zstd.ts";

/** The part of the Host that compression needs. */
export type CompressHost = Pick<Host, "ffi" | "zlib" | "arch">;

/** What decides a codec, once negotiated. */
export type CompressContext = Pick<ProtocolContext, "compress" | "compressLevel" | "version">;

/** A token stream's codec, with what must be given back when the conversation ends. */
export interface TokenCodec<T> {
  readonly tokens: T;
  release(): void;
}

/** The libraries found. Opened on first need, since most runs do not compress. */
export class Compressors {
  private readonly host: CompressHost;
  private readonly memory: LinearMemory;
  private readonly opened = new Map<string, unknown>();

  constructor(host: CompressHost, memory: LinearMemory) {
    this.host = host;
    this.memory = memory;
  }

  /** Names to offer, in rsync's order of preference; "none" is always last. */
  available(): CompressName[] {
    const names: CompressName[] = [];
    if (this.zstd() !== null) names.push("zstd");
    if (this.lz4() !== null) names.push("lz4");
    if (this.zlib() !== null || this.runtimeZlib() !== null) names.push("zlibx", "zlib");
    names.push("none");
    return names;
  }

  /** A writer for one conversation. Throws UsageError 4 when the compressor is missing. */
  tokenWriter(context: CompressContext, threads = 0): TokenCodec<TokenWriter> {
    if (context.compress === "none") return { tokens: new PlainTokenWriter(), release() {} };
    const codec = this.compressor(context, threads);
    return { tokens: new CompressedTokenWriter(codec), release: () => codec.release() };
  }

  /** A reader for one conversation. Throws UsageError 4 when the compressor is missing. */
  tokenReader(context: CompressContext): TokenCodec<TokenReader> {
    if (context.compress === "none") return { tokens: new PlainTokenReader(), release() {} };
    const codec = this.decompressor(context);
    return { tokens: new CompressedTokenReader(codec), release: () => codec.release() };
  }

  private compressor(context: CompressContext, threads: number): Compressor {
    const { memory } = this;
    const level = context.compressLevel;
    const zstd = context.compress === "zstd" ? this.zstd() : null;
    if (zstd !== null) return new ZstdCompressor(zstd, memory, level, threads);
    const lz4 = context.compress === "lz4" ? this.lz4() : null;
    if (lz4 !== null) return new Lz4Compressor(lz4, memory);
    const mode = zlibMode(context);
    const zlib = mode === null ? null : this.zlib();
    if (zlib !== null) return new ZlibCompressor(zlib, memory, level, mode!);
    const runtime = mode === null ? null : this.runtimeZlib();
    if (runtime !== null) return new RuntimeZlibCompressor(runtime, level, mode!);
    throw missing(context.compress);
  }

  private decompressor(context: CompressContext): Decompressor {
    const { memory } = this;
    const zstd = context.compress === "zstd" ? this.zstd() : null;
    if (zstd !== null) return new ZstdDecompressor(zstd, memory);
    const lz4 = context.compress === "lz4" ? this.lz4() : null;
    if (lz4 !== null) return new Lz4Decompressor(lz4, memory);
    const mode = zlibMode(context);
    const zlib = mode === null ? null : this.zlib();
    if (zlib !== null) return new ZlibDecompressor(zlib, memory, mode!);
    const runtime = mode === null ? null : this.runtimeZlib();
    if (runtime !== null) return new RuntimeZlibDecompressor(runtime, mode!);
    throw missing(context.compress);
  }

  private zlib(): ZlibLibrary | null {
    return this.open("zlib", () => this.native(openZlib));
  }

  private zstd(): ZstdLibrary | null {
    return this.open("zstd", () => this.native(openZstd));
  }

  private lz4(): Lz4Library | null {
    return this.open("lz4", () => this.native(openLz4));
  }

  private runtimeZlib(): RuntimeZlib | null {
    return this.open("runtime", () => openRuntimeZlib(this.host.zlib));
  }

  /** The structs of zlib and zstd are laid out for 64-bit processors, and need the memory's native address. */
  private native<T>(open: (ffi: NonNullable<Host["ffi"]>) => T | null): T | null {
    const { ffi, arch } = this.host;
    return ffi === null || arch === "other" || this.memory.base === 0 ? null : open(ffi);
  }

  private open<T>(key: string, make: () => T | null): T | null {
    if (!this.opened.has(key)) this.opened.set(key, make());
    return this.opened.get(key) as T | null;
  }
}

/** How "zlib" and "zlibx" treat matched blocks; null for another compressor. */
function zlibMode(context: CompressContext): ZlibMode | null {
  if (context.compress !== "zlib" && context.compress !== "zlibx") return null;
  return { insertMatched: context.compress === "zlib", repeatStart: context.version < 31 };
}

function missing(name: CompressName): UsageError {
  return new UsageError(`compression "${name}" is not available on this host`, ExitCode.unsupported);
}
