/**
 * Speed of the delta engine in memory: `npx esbuild bench/delta.ts --bundle --format=esm --platform=node
 * --outfile=build/bench-delta.mjs && node build/bench-delta.mjs`, `bun bench/delta.ts` or `deno run -A bench/delta.ts`.
 *
 * GB/s of new data through the matcher (read, digest, search and token calls), median of rounds after three to warm
 * up. The file is in linear memory, so a read is one native copy, as from the page cache.
 */
import { readFileSync } from "node:fs";
import { blockRules, transferDigest } from "../src/checksum/digest.ts";
import { loadKernels, type Kernels } from "../src/checksum/kernels.ts";
import { sumSizes } from "../src/delta/blocksize.ts";
import { BlockTable, Matcher, type FileSource, type TokenSink } from "../src/delta/match.ts";
import { Signer } from "../src/delta/signature.ts";
import type { ChecksumName, ProtocolContext } from "../src/protocol/context.ts";

const MIB = 1 << 20;
const ROUNDS = Number(process.env.ROUNDS ?? 5);

interface Case {
  readonly name: string;
  readonly basis: Uint8Array;
  readonly file: Uint8Array;
  readonly blockSize: number;
  readonly checksum: ChecksumName;
}

function contextOf(checksum: ChecksumName): ProtocolContext {
  return {
    version: 32, compatFlags: 0, incRecurse: true, varintFlistFlags: true, safeFlist: true, id0Names: true,
    properSeedOrder: true, inplacePartialDir: true, xattrOptim: false, receiverSymlinkTimes: true,
    checksumSeed: 0x5eed, transferChecksum: checksum, fileChecksum: checksum, compress: "none", compressLevel: 0,
  };
}

/** Bytes of a xorshift generator. */
function noise(byteLength: number, seed: number): Uint8Array {
  const words = new Uint32Array(byteLength / 4);
  let x = seed;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return new Uint8Array(words.buffer);
}

/** A copy with a changed byte about every `every` bytes. */
function edited(bytes: Uint8Array, every: number): Uint8Array {
  const copy = bytes.slice();
  for (let at = every >> 1; at < copy.length; at += every) copy[at] ^= 0x55;
  return copy;
}

/** The sums of a whole basis, as the receiver would send them. */
function tableOf(kernels: Kernels, one: Case): BlockTable {
  const { memory } = kernels;
  const context = contextOf(one.checksum);
  const digestLength = one.checksum === "xxh64" ? 8 : 16;
  const head = sumSizes(one.basis.length, { blockSize: one.blockSize, version: 32, digestLength, fullSums: false });
  const table = new BlockTable(kernels, blockRules(context), head);
  const signer = new Signer(kernels, blockRules(context));
  const span = head.blockLength * Math.max(1, Math.floor(MIB / head.blockLength));
  const buffer = memory.alloc(span);
  let out = table.sumsPtr;
  for (let at = 0; at < one.basis.length; at += span) {
    const part = one.basis.subarray(at, at + span);
    memory.u8.set(part, buffer);
    out += signer.sign(head, buffer, part.length, out);
  }
  memory.release(buffer);
  return table;
}

/** One pass of the file through the matcher; returns seconds. */
function pass(kernels: Kernels, matcher: Matcher, table: BlockTable, one: Case, filePtr: number): number {
  const source: FileSource = {
    byteLength: one.file.length,
    read(offset, ptr, byteLength) {
      const count = Math.min(byteLength, one.file.length - offset);
      kernels.wasm.moveBytes(ptr, filePtr + offset, count);
      return count;
    },
  };
  const sink: TokenSink = { literal() {}, match() {}, matchRun() {} };
  const start = performance.now();
  matcher.start(table, source, sink);
  while (matcher.step());
  matcher.finish(new Uint8Array(32), 0);
  return (performance.now() - start) / 1000;
}

function run(kernels: Kernels, one: Case): void {
  const table = tableOf(kernels, one);
  const digest = transferDigest(kernels, contextOf(one.checksum));
  const matcher = new Matcher(kernels, digest);
  const started = performance.now();
  table.build();
  const buildMs = performance.now() - started;
  const filePtr = kernels.memory.alloc(one.file.length);
  kernels.memory.u8.set(one.file, filePtr);
  for (let warmUp = 0; warmUp < 3; warmUp++) pass(kernels, matcher, table, one, filePtr);
  const seconds = Array.from({ length: ROUNDS }, () => pass(kernels, matcher, table, one, filePtr));
  seconds.sort((a, b) => a - b);
  const rate = one.file.length / seconds[ROUNDS >> 1] / 1e9;
  const { stats } = matcher;
  console.log(`${one.name.padEnd(44)} ${rate.toFixed(2).padStart(7)} GB/s   ${stats.matches} blocks, ` +
    `${stats.literalBytes} literal, ${stats.tagHits} tag hits, build ${buildMs.toFixed(1)} ms`);
  kernels.memory.release(filePtr);
  matcher.release();
  digest.release();
  table.release();
}

function main(): void {
  const kernels = loadKernels(readFileSync("build/wsync.wasm"));
  const size = Number(process.env.MIB ?? 64) * MIB;
  const basis = noise(size, 1);
  const other = noise(size, 2);
  const cases: Case[] = [];
  for (const blockSize of [700, 8192, 131072]) {
    for (const checksum of ["xxh128", "md5"] as const) {
      cases.push({ name: `every block matches, ${blockSize}, ${checksum}`, basis, file: basis, blockSize, checksum });
    }
  }
  for (const blockSize of [700, 2000, 8192, 131072]) {
    cases.push({ name: `nothing matches, ${blockSize}`, basis, file: other, blockSize, checksum: "xxh128" });
  }
  cases.push({ name: "nothing matches, default block size", basis, file: other, blockSize: 0, checksum: "xxh128" });
  for (const every of [1 << 16, 1 << 20]) {
    const file = edited(basis, every);
    cases.push({ name: `an edit every ${every}, default`, basis, file, blockSize: 0, checksum: "xxh128" });
  }
  for (const one of cases) if (one.name.includes(process.env.ONLY ?? "")) run(kernels, one);
}

main();
