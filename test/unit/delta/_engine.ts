/** What the delta tests share: kernels, seeded data, a source, a sink that counts calls, and files in memory. */
import { readFileSync } from "node:fs";
import { blockRules, transferDigest } from "../../../src/checksum/digest.ts";
import { loadKernels, type Kernels } from "../../../src/checksum/kernels.ts";
import { checksumLength } from "../../../src/checksum/registry.ts";
import { sumSizes } from "../../../src/delta/blocksize.ts";
import { BlockTable, Matcher, type FileSource, type TokenSink } from "../../../src/delta/match.ts";
import { CHUNK_SIZE, type Pieces } from "../../../src/delta/tokens.ts";
import { Signer } from "../../../src/delta/signature.ts";
import type { LinearMemory } from "../../../src/memory.ts";
import type { FileSystem } from "../../../src/posix/filesystem.ts";
import type { ChecksumName, ProtocolContext } from "../../../src/protocol/context.ts";
import type { SumHead } from "../../../src/protocol/sumhead.ts";

const wasm = readFileSync(new URL("../../../build/wsync.wasm", import.meta.url));

/** Kernels over a memory of their own. */
export function newKernels(maxPages = 4096): Kernels {
  return loadKernels(wasm, maxPages);
}

export function contextOf(checksum: ChecksumName = "xxh128", seed = 0x1234567): ProtocolContext {
  return {
    version: 32, compatFlags: 0, incRecurse: true, varintFlistFlags: true, safeFlist: true, id0Names: true,
    properSeedOrder: true, inplacePartialDir: true, xattrOptim: false, receiverSymlinkTimes: true,
    checksumSeed: seed, transferChecksum: checksum, fileChecksum: checksum, compress: "none", compressLevel: 0,
  };
}

/** Numbers of an xorshift generator, the same for the same seed. */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = (seed * 2654435761) >>> 0 || 1;
  }
  /** An integer from 0 to below - 1. */
  next(below: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state % below;
  }
  /** Bytes below `values`. */
  bytes(byteLength: number, values = 256): Uint8Array {
    return Uint8Array.from({ length: byteLength }, () => this.next(values));
  }
}

/** Puts arrays of bytes together. */
export function join(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Whether two arrays hold the same bytes; the runner's own comparison takes seconds for a MiB. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

export type Token = { readonly literal: Uint8Array } | { readonly index: number };

const ROOM_STRIDE = CHUNK_SIZE + 4;

/** A sink that keeps tokens, joins literals, and counts the calls it gets. */
export class TokenLog implements TokenSink {
  readonly tokens: Token[] = [];
  readonly literalCalls: number[] = [];
  runCalls = 0;
  private readonly memory: LinearMemory;
  private readonly head: SumHead;
  constructor(memory: LinearMemory, head: SumHead) {
    this.memory = memory;
    this.head = head;
  }
  literal(ptr: number, byteLength: number): void {
    this.literalCalls.push(byteLength);
    const bytes = this.memory.u8.slice(ptr, ptr + byteLength);
    const last = this.tokens.at(-1);
    if (last && "literal" in last) this.tokens[this.tokens.length - 1] = { literal: join(last.literal, bytes) };
    else this.tokens.push({ literal: bytes });
  }
  match(index: number): void {
    this.tokens.push({ index });
  }
  matchRun(index: number, count: number, _ptr: number, byteLength: number): void {
    this.runCalls++;
    const { blockLength, remainder } = this.head;
    const short = index + count === this.head.count && remainder ? blockLength - remainder : 0;
    if (byteLength !== count * blockLength - short) throw new Error(`run of ${count} blocks has ${byteLength} bytes`);
    for (let n = 0; n < count; n++) this.match(index + n);
  }
}

/** A TokenLog that has room for up to 256 KiB of literals, 4 bytes between its pieces. */
export class RoomLog extends TokenLog {
  roomCalls = 0;
  private readonly place: Uint8Array;
  private lent: Pieces | null = null;
  constructor(memory: LinearMemory, head: SumHead) {
    super(memory, head);
    this.place = memory.bytes(memory.alloc(ROOM_STRIDE * 8), ROOM_STRIDE * 8);
  }
  room(byteLength: number): Pieces {
    this.take();
    this.roomCalls++;
    this.place.fill(0xee);
    this.lent = { ptr: this.place.byteOffset, stride: ROOM_STRIDE, byteLength: Math.min(byteLength, CHUNK_SIZE * 8) };
    return this.lent;
  }
  /** Counts what has been put into the room last. */
  take(): void {
    if (this.lent === null) return;
    const { ptr, stride, byteLength } = this.lent;
    this.lent = null;
    for (let at = 0, from = ptr; at < byteLength; at += CHUNK_SIZE, from += stride) {
      this.literal(from, Math.min(CHUNK_SIZE, byteLength - at));
    }
  }
}

/** A source over bytes; `mostPerRead` makes reads short. */
export function sourceOf(memory: LinearMemory, bytes: Uint8Array, mostPerRead = Infinity): FileSource {
  return {
    byteLength: bytes.length,
    read(offset, ptr, byteLength) {
      const part = bytes.subarray(offset, offset + Math.min(byteLength, mostPerRead));
      memory.u8.set(part, ptr);
      return part.length;
    },
  };
}

export interface Sizes {
  readonly blockSize?: number;
  readonly fullSums?: boolean;
  readonly checksum?: ChecksumName;
  readonly inplace?: boolean;
}

/** Cuts and signs a basis as a receiver's generator does. The caller releases the table. */
export function tableOf(kernels: Kernels, basis: Uint8Array, sizes: Sizes = {}): BlockTable {
  const context = contextOf(sizes.checksum);
  const digestLength = checksumLength(context.transferChecksum);
  const head = sumSizes(basis.length, {
    blockSize: sizes.blockSize ?? 0, version: 32, digestLength, fullSums: sizes.fullSums ?? false,
  });
  const table = new BlockTable(kernels, blockRules(context), head);
  const buffer = kernels.memory.alloc(basis.length);
  kernels.memory.u8.set(basis, buffer);
  new Signer(kernels, blockRules(context)).sign(head, buffer, basis.length, table.sumsPtr);
  kernels.memory.release(buffer);
  return table;
}

export interface Delta {
  readonly log: TokenLog;
  readonly matcher: Matcher;
  readonly head: SumHead;
  readonly steps: number;
  readonly sum: Uint8Array;
}

/** Signs `basis`, searches `file` for it and returns what came out. */
export function deltaOf(kernels: Kernels, basis: Uint8Array, file: Uint8Array, sizes: Sizes = {}): Delta {
  const table = basis.length > 0 ? tableOf(kernels, basis, sizes) : null;
  const head = table ? table.head : { count: 0, blockLength: 0, s2length: 0, remainder: 0, fileLength: 0 };
  const digest = transferDigest(kernels, contextOf(sizes.checksum));
  const matcher = new Matcher(kernels, digest);
  const log = new TokenLog(kernels.memory, head);
  matcher.start(table, sourceOf(kernels.memory, file), log, { inplace: sizes.inplace ?? false });
  let steps = 1;
  while (matcher.step()) steps++;
  const sum = new Uint8Array(digest.byteLength);
  matcher.finish(sum, 0);
  matcher.release();
  digest.release();
  table?.release();
  return { log, matcher, head, steps, sum };
}

/** What the tokens make of a basis. */
export function rebuild(basis: Uint8Array, head: SumHead, tokens: readonly Token[]): Uint8Array {
  return join(...tokens.map((token) => {
    if ("literal" in token) return token.literal;
    return basis.subarray(token.index * head.blockLength, (token.index + 1) * head.blockLength);
  }));
}

/** Tokens in short: literal lengths as numbers, blocks as "#index". */
export function brief(tokens: readonly Token[]): (string | number)[] {
  return tokens.map((token) => ("literal" in token ? token.literal.length : `#${token.index}`));
}

/** Files in memory behind the few calls that patching makes, with counters. */
export class MemoryFiles {
  readonly files = new Map<number, Uint8Array>();
  readonly calls = { pread: 0, pwrite: 0, ftruncate: 0, copyFileRange: 0 };
  /** pwrite fails with -ENOSPC past this size. */
  spaceBytes = Infinity;
  /** fallocate can punch holes. */
  punches = true;
  /** Hears of each hole. */
  onPunch: (offset: number, byteLength: number) => void = () => {};
  private readonly memory: LinearMemory;
  constructor(memory: LinearMemory) {
    this.memory = memory;
  }

  /** The file system that sees these files. Only what src/delta calls is there. */
  system(): FileSystem {
    const { memory, calls } = this;
    const system = {
      memory,
      capabilities: { copyFileRange: true },
      constants: { E: { EIO: 5, ENOSPC: 28 } },
      pread: (fd: number, ptr: number, byteLength: number, offset: number) => {
        calls.pread++;
        const part = this.get(fd).subarray(offset, offset + byteLength);
        memory.u8.set(part, ptr);
        return part.length;
      },
      pwrite: (fd: number, ptr: number, byteLength: number, offset: number) => {
        calls.pwrite++;
        if (offset + byteLength > this.spaceBytes) return -28;
        this.put(fd, offset, memory.u8.slice(ptr, ptr + byteLength));
        return byteLength;
      },
      ftruncate: (fd: number, byteLength: number) => {
        calls.ftruncate++;
        const file = new Uint8Array(byteLength);
        file.set(this.get(fd).subarray(0, byteLength));
        this.files.set(fd, file);
        return 0;
      },
      lseek: (fd: number) => this.get(fd).length,
      fallocate: (fd: number, _mode: number, offset: number, byteLength: number) => {
        if (!this.punches) return -95;
        this.onPunch(offset, byteLength);
        this.get(fd).fill(0, offset, offset + byteLength);
        return 0;
      },
      copyFileRange: (from: number, fromOffset: number, to: number, toOffset: number, byteLength: number) => {
        calls.copyFileRange++;
        const part = this.get(from).slice(fromOffset, fromOffset + byteLength);
        this.put(to, toOffset, part);
        return part.length;
      },
    };
    return system as unknown as FileSystem;
  }

  get(fd: number): Uint8Array {
    return this.files.get(fd) ?? new Uint8Array(0);
  }

  private put(fd: number, offset: number, bytes: Uint8Array): void {
    const old = this.get(fd);
    const file = new Uint8Array(Math.max(old.length, offset + bytes.length));
    file.set(old);
    file.set(bytes, offset);
    this.files.set(fd, file);
  }
}
