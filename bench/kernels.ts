/**
 * Throughput of the kernels beside the runtime's own crypto and the system's tools: `bench/kernels.ts [--quick]`.
 *
 * Runs under Bun and Deno as it is, under Node bundled by esbuild. Rounds of all rows are interleaved, warm-up is
 * dropped, and the median of a row's rounds is printed with its best. Controls: node:crypto everywhere; on Node the
 * libxxhash that rsync links, called through koffi; `openssl speed` and `xxhsum -b` where installed. Data fits into
 * the second-level cache, so the figures are of computing, not of memory.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { join } from "node:path";
import { loadKernels, type Kernels } from "../src/checksum/kernels.ts";
import { ChecksumNumber } from "../src/checksum/registry.ts";

const SPAN_BYTES = 1 << 18;
const BLOCK_BYTES = [700, 8192, 131072];
const quick = process.argv.includes("--quick");
const ROUND_MS = quick ? 2 : 10;
const ROUNDS = quick ? 5 : 25;
const WARM_UP_MS = quick ? 30 : 150;

interface Row {
  readonly name: string;
  /** Bytes a call of `run` works on. */
  readonly byteLength: number;
  readonly run: () => void;
  readonly gbPerSecond: number[];
}

function row(name: string, byteLength: number, run: () => void): Row {
  return { name, byteLength, run, gbPerSecond: [] };
}

/** Span of whole blocks of one length. */
function wholeBlocks(blockBytes: number): number {
  return Math.floor(SPAN_BYTES / blockBytes) * blockBytes;
}

function kernelRows(kernels: Kernels): Row[] {
  const { memory, wasm, scratch } = kernels;
  const src = memory.alloc(SPAN_BYTES);
  const out = memory.alloc(SPAN_BYTES);
  const slot = memory.alloc(wasm.slotBytes() + 64);
  fill(memory.bytes(src, SPAN_BYTES));
  const rows: Row[] = [];
  for (const size of BLOCK_BYTES) {
    const span = wholeBlocks(size);
    rows.push(row(`weak sum, blocks of ${size}`, span, () => {
      for (let at = 0; at < span; at += size) wasm.weakSum(src + at, size);
    }));
  }
  for (const name of ["md4", "md5", "sha1", "xxh64", "xxh3", "xxh128"] as const) {
    const algorithm = ChecksumNumber[name];
    rows.push(row(`${name}, one stream`, SPAN_BYTES, () => {
      wasm.digestInit(slot, algorithm, 0, 0);
      wasm.digestUpdate(slot, src, SPAN_BYTES);
      wasm.digestFinal(slot, out);
    }));
    for (const size of BLOCK_BYTES) {
      const span = wholeBlocks(size);
      rows.push(row(`${name} + weak sum, signature of blocks of ${size}`, span, () => {
        wasm.signature(algorithm, 12345, 1, src, span, size, 8, out, scratch);
      }));
    }
  }
  return rows;
}

function controlRows(): Row[] {
  const bytes = new Uint8Array(SPAN_BYTES);
  fill(bytes);
  const rows = ["md5", "sha1"].map((name) =>
    row(`control: node:crypto ${name}`, SPAN_BYTES, () => void createHash(name).update(bytes).digest()));
  const library = systemXxhash();
  for (const [name, hash] of Object.entries(library)) {
    rows.push(row(`control: libxxhash ${name}`, SPAN_BYTES, () => hash(bytes, SPAN_BYTES, 0)));
  }
  return rows;
}

type NativeHash = (bytes: Uint8Array, byteLength: number, seed: number) => unknown;

/** The system's libxxhash through koffi; nothing where either is missing or the runtime has no native add-ons. */
function systemXxhash(): Record<string, NativeHash> {
  try {
    const koffi = createRequire(join(process.cwd(), "package.json"))("koffi");
    const library = koffi.load("libxxhash.so.0");
    const pair = koffi.struct({ low: "uint64_t", high: "uint64_t" });
    const args = ["const uint8_t *", "size_t", "uint64_t"];
    return {
      xxh64: library.func("XXH64", "uint64_t", args),
      xxh3: library.func("XXH3_64bits_withSeed", "uint64_t", args),
      xxh128: library.func("XXH3_128bits_withSeed", pair, args),
    };
  } catch {
    return {};
  }
}

function fill(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i, 2654435761) >>> 13;
}

function measure(rows: readonly Row[]): void {
  for (const { run } of rows) {
    for (const end = performance.now() + WARM_UP_MS; performance.now() < end;) run();
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { run, byteLength, gbPerSecond } of rows) {
      const start = performance.now();
      let calls = 0;
      for (; performance.now() - start < ROUND_MS; calls++) run();
      gbPerSecond.push((byteLength * calls) / (performance.now() - start) / 1e6);
    }
  }
  for (const { gbPerSecond } of rows) gbPerSecond.sort((a, b) => a - b);
}

const median = (of: Row): number => of.gbPerSecond[of.gbPerSecond.length >> 1];

/** GB/s of `openssl speed md5`, or 0. */
function opensslMd5(): number {
  const { stdout } = spawnSync("openssl", ["speed", "-seconds", "1", "-bytes", "8192", "md5"], { encoding: "utf8" });
  return Number(/^md5\s+([\d.]+)k/im.exec(stdout ?? "")?.[1] ?? 0) / 1e6;
}

/** Lines of `xxhsum -b` for XXH64 and XXH3, or none. Its binary picks vector code by itself, unlike the library. */
function xxhsumLines(): string[] {
  const { stdout, stderr, error } = spawnSync("xxhsum", ["-b3,5,11", "-i1"], { encoding: "utf8" });
  if (error) return [];
  return `${stdout}${stderr}`.split(/[\r\n]/).filter((line) => /\d#XXH/.test(line)).map((line) => line.trim());
}

function ratio(rows: readonly Row[], kernel: string, control: string): void {
  const [ours, theirs] = [kernel, control].map((name) => rows.find((one) => one.name === name));
  if (!ours || !theirs) return;
  print(`${kernel} / ${control.slice("control: ".length)}`, (median(ours) / median(theirs)).toFixed(2));
}

function print(label: string, value: string): void {
  console.log(`${label.padEnd(52)} ${value}`);
}

const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : `node ${process.version}`;
const kernels = loadKernels(readFileSync(join(process.cwd(), "build/wsync.wasm")));
const rows = [...kernelRows(kernels), ...controlRows()];
measure(rows);
console.log(`${runtime}, ${cpus()[0]?.model ?? "unknown CPU"}; GB/s, median (best) of ${ROUNDS} rounds`);
for (const one of rows) print(one.name, `${median(one).toFixed(2)} (${one.gbPerSecond.at(-1)!.toFixed(2)})`);
for (const name of ["xxh64", "xxh3", "xxh128"]) ratio(rows, `${name}, one stream`, `control: libxxhash ${name}`);
ratio(rows, "md5 + weak sum, signature of blocks of 8192", "control: node:crypto md5");
if (!quick) {
  const single = opensslMd5();
  if (single > 0) print("openssl speed md5, 8192", single.toFixed(2));
  for (const line of xxhsumLines()) console.log(line);
}
