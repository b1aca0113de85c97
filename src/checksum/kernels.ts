/**
 * Loads the WebAssembly kernels (assembly/) over a linear memory of their own.
 *
 * Compilation is synchronous in every runtime and happens once a thread. The exports are called raw: numbers in,
 * numbers out, no glue. Addresses are byte offsets into `memory`; results of type u32 arrive signed, so callers that
 * need them unsigned write `>>> 0`. Counterparts of the exports are documented in assembly/.
 */
import { LinearMemory } from "../memory.ts";

/** Most pages (64 KiB each) of a kernel memory: one short of 4 GiB, so that the end of a region never wraps to 0. */
const MAX_PAGES = 65535;
/**
 * Pages of a memory that is not shared. Growing would detach every view of it, so it has all its pages from the start;
 * the system gives it only those that are used.
 */
const FIXED_PAGES = 8192;
/**
 * Room for tables and for the buffers that a small run takes; the memory grows from here. Bun collects garbage whenever
 * a memory grows, for some 3 ms; pages that nobody uses cost nothing anywhere.
 */
const INITIAL_PAGES = 128;

/** The raw exports of build/wsync.wasm. */
export interface KernelExports {
  /** First byte after the kernels' static tables. */
  heapStart(): number;
  slotBytes(): number;
  scratchBytes(): number;
  /** Weak rolling sum of a span (signed in JavaScript; `>>> 0`). */
  weakSum(ptr: number, byteLength: number): number;
  /** Starts a digest on a slot. XXH64 and XXH3 use the 64-bit seed, given in halves; the others ignore it. */
  digestInit(slot: number, algorithm: number, seedLow: number, seedHigh: number): void;
  digestUpdate(slot: number, ptr: number, byteLength: number): void;
  /** Writes the digest to `out` (room for 20 bytes), returns its length, uses the slot up. */
  digestFinal(slot: number, out: number): number;
  /** One block's strong sum with rsync's seed rules; `out` has room for 32 bytes. Returns the digest's length. */
  strongSum(
    algorithm: number, seed: number, seedFirst: number, ptr: number, byteLength: number, out: number, scratch: number,
  ): number;
  /** Sums of consecutive blocks as they travel (u32le weak, s2length bytes of strong); returns the bytes written. */
  signature(
    algorithm: number, seed: number, seedFirst: number, ptr: number, byteLength: number, blockLength: number,
    s2length: number, out: number, scratch: number,
  ): number;
  /** Indexes the block sums of a search table (assembly/search.ts; src/delta/blocktable.ts lays it out). */
  searchBuild(table: number): void;
  /** Marks the buckets of upstream's hash table that `count` weak sums fall into (assembly/buckets.ts). */
  bucketsFill(bitmap: number, buckets: number, sums: number, count: number, stride: number): void;
  /** At how many addresses [from, to) of the data up to `end` does a weak sum fall into a marked bucket? */
  bucketsHits(
    bitmap: number, buckets: number, from: number, to: number, end: number, blockLength: number,
  ): number;
  /** Where in [window + from, window + end), the file's end, a short last block begins that is equal; else `end`. */
  searchSuffix(table: number, window: number, from: number, end: number): number;
  /** Moves bytes within the memory; the ranges may overlap. */
  moveBytes(to: number, from: number, byteLength: number): void;
  /** Searches [window + from, window + end), which begins at file offset `base`; returns the position to go on from. */
  searchWindow(table: number, window: number, from: number, end: number, base: number, last: number): number;
}

/** Of a module's binary form: where sections begin, the section of imports, an imported memory, a shared one's flag. */
const Wasm = { header: 8, imports: 2, memory: 2, sharedFlag: 2 } as const;

/**
 * The same kernels for a memory that is not shared: they differ in one bit, the flag of the memory they import. Throws
 * RangeError for bytes that are not our kernels.
 */
export function withPlainMemory(wasmBytes: Uint8Array): Uint8Array {
  // A copy: the slice of a Buffer would be none.
  const bytes = new Uint8Array(wasmBytes);
  let at: number = Wasm.header;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const end = number() + at;
    if (section === Wasm.imports && number() === 1) {
      for (let part = 0; part < 2; part++) {
        const nameBytes = number();
        at += nameBytes;
      }
      if (bytes[at++] === Wasm.memory) {
        bytes[at] &= ~Wasm.sharedFlag;
        return bytes;
      }
    }
    at = end;
  }
  throw new RangeError("the module imports no memory");
}

/** The kernels of one thread. */
export interface Kernels {
  readonly memory: LinearMemory;
  readonly wasm: KernelExports;
  /** Working space that kernels use during a call; one a thread. */
  readonly scratch: number;
}

/**
 * Compiles the kernels and gives them a fresh memory of at most `maxPages` pages of 64 KiB. `shared`: the module asks
 * for a shared memory; else it gets half a GiB at most. Throws the runtime's CompileError or LinkError for bytes that
 * are not our kernels.
 */
export function loadKernels(wasmBytes: Uint8Array, maxPages: number = MAX_PAGES, shared = true): Kernels {
  const module = new WebAssembly.Module(wasmBytes as Uint8Array<ArrayBuffer>);
  const maximum = shared ? maxPages : Math.min(maxPages, FIXED_PAGES);
  const initial = shared ? Math.min(INITIAL_PAGES, maxPages) : maximum;
  const wasmMemory = new WebAssembly.Memory({ initial, maximum, shared });
  const instance = new WebAssembly.Instance(module, { env: { memory: wasmMemory } });
  const wasm = instance.exports as unknown as KernelExports;
  const memory = new LinearMemory(wasmMemory, wasm.heapStart(), maximum);
  memory.move = wasm.moveBytes;
  return { memory, wasm, scratch: memory.alloc(wasm.scratchBytes()) };
}
