/**
 * A basis file's block sums, laid out in linear memory for the search kernel (assembly/search.ts, class Table).
 *
 * One region holds the wire sums, filled by the caller; a second one the kernel's table and its working space. Both
 * are given back by `release`. Upstream match.c:build_hash_table and struct sum_struct.
 */
import { type BlockRules } from "../checksum/digest.ts";
import type { Kernels } from "../checksum/kernels.ts";
import type { SumHead } from "../protocol/sumhead.ts";
import { sumBytes, WEAK_SUM_BYTES } from "./signature.ts";

/** 32-bit words of the kernel's Table, in its order. */
const Field = {
  sums: 0, stride: 1, fullCount: 2, blockLength: 3, lastLength: 4, map: 5, mapShift: 6, bitmap: 7, bitmapShift: 8,
  slots: 9, slotShift: 10, links: 11, same: 12, algorithm: 13, seed: 14, seedFirst: 15, scratch: 16, batch: 17, run: 18,
  runCapacity: 19, events: 20, eventCapacity: 21, eventCount: 22, want: 23, runGuess: 24, hit: 25, skip: 26,
  hashHits: 27, falseAlarms: 28, tagHits: 29,
} as const;

const TABLE_BYTES = 128;
const BATCH_BYTES = 256 * (4 + 4 + 1) + 8;
const RUN_BLOCKS = 1024;
const EVENTS = 1024;
const EVENT_WORDS = 3;
/** Bytes of the small bitmap per block: one offset in ten passes, and it fits into a first-level cache. */
const MAP_BYTES_PER_BLOCK = 1;
const MIN_MAP_BITS = 10;
const MAX_MAP_BITS = 21;
/** Bits of the large bitmap per block, which sees only those candidates. */
const BITMAP_BITS_PER_BLOCK = 64;
const MIN_BITMAP_BITS = 12;
const MAX_BITMAP_BITS = 25;

/** The blocks of one basis file, ready to be searched for. */
export class BlockTable {
  readonly head: Readonly<SumHead>;
  /** Where the caller puts count * (4 + s2length) bytes of sums as they come from the wire, before `build`. */
  readonly sumsPtr: number;
  /** Address of the kernel's table; 0 before `build`. */
  tablePtr = 0;
  /** Length of the last block in bytes. */
  readonly lastLength: number;
  /** Blocks of full length. */
  readonly fullCount: number;
  /** Whether `build` prepared for an update in place. */
  inplace = false;
  private readonly kernels: Kernels;
  private readonly rules: BlockRules;

  /** Throws LimitError (22) when the sums do not fit into memory. `head` must have at least one block. */
  constructor(kernels: Kernels, rules: BlockRules, head: SumHead) {
    this.kernels = kernels;
    this.rules = rules;
    this.head = { ...head };
    this.lastLength = head.remainder || head.blockLength;
    this.fullCount = this.lastLength < head.blockLength ? head.count - 1 : head.count;
    this.sumsPtr = kernels.memory.alloc(sumBytes(head));
  }

  /** Indexes the sums. `inplace`: the receiver overwrites the basis while the tokens are read. */
  build(inplace = false): void {
    if (this.tablePtr !== 0) this.kernels.memory.release(this.tablePtr);
    this.inplace = inplace;
    this.layOut(inplace);
    this.kernels.wasm.searchBuild(this.tablePtr);
  }

  /** Gives all memory back; the table must not be used any more. */
  release(): void {
    const { memory } = this.kernels;
    memory.release(this.sumsPtr);
    if (this.tablePtr !== 0) memory.release(this.tablePtr);
    this.tablePtr = 0;
  }

  /** Starts a search from the file's beginning. */
  rewind(): void {
    this.set("want", 0);
    this.set("runGuess", 1);
    this.set("hashHits", 0);
    this.set("falseAlarms", 0);
    this.set("tagHits", 0);
    this.set("eventCount", 0);
  }

  /**
   * Searches window [ptr + from, ptr + end) that begins at file offset `base`; returns the position to go on from.
   * The found runs are read with eventCount and event, until the next call.
   */
  search(ptr: number, from: number, end: number, base: number, last: boolean): number {
    this.set("eventCount", 0);
    return this.kernels.wasm.searchWindow(this.tablePtr, ptr, from, end, base, last ? 1 : 0) >>> 0;
  }

  /**
   * Where in [ptr + from, ptr + end), what is left at a file's end without a match, the last block begins, if its
   * length is not known and it ends the file; else `end`.
   */
  searchSuffix(ptr: number, from: number, end: number): number {
    if (!this.rules.openEnded || from >= end) return end;
    return this.kernels.wasm.searchSuffix(this.tablePtr, ptr, from, end) >>> 0;
  }

  get eventCount(): number {
    return this.get("eventCount");
  }

  /** Whether the last search stopped because there was no room for more events. */
  get eventsFull(): boolean {
    return this.eventCount === EVENTS;
  }

  /** Index of event `n`'s first word in memory.u32: position in the window, first block, number of blocks. */
  event(n: number): number {
    return (this.get("events") >>> 2) + n * EVENT_WORDS;
  }

  get hashHits(): number {
    return this.get("hashHits");
  }

  get falseAlarms(): number {
    return this.get("falseAlarms");
  }

  get tagHits(): number {
    return this.get("tagHits");
  }

  private get(field: keyof typeof Field): number {
    return this.kernels.memory.u32[(this.tablePtr >>> 2) + Field[field]];
  }

  private set(field: keyof typeof Field, value: number): void {
    this.kernels.memory.u32[(this.tablePtr >>> 2) + Field[field]] = value;
  }

  /** Allocates one region and writes the kernel's table at its start, the arrays behind it. */
  private layOut(inplace: boolean): void {
    const { memory } = this.kernels;
    const { head, fullCount, rules } = this;
    const stride = WEAK_SUM_BYTES + head.s2length;
    const mapBits = clamp(log2Ceil(fullCount * MAP_BYTES_PER_BLOCK), MIN_MAP_BITS, MAX_MAP_BITS);
    const bitmapBits = clamp(log2Ceil(fullCount * BITMAP_BITS_PER_BLOCK), MIN_BITMAP_BITS, MAX_BITMAP_BITS);
    const slotBits = Math.max(log2Ceil(fullCount * 2), 4);
    const sizes = [
      TABLE_BYTES, 2 ** mapBits + 4, 2 ** bitmapBits / 8, 2 ** slotBits * 8, BATCH_BYTES, EVENTS * EVENT_WORDS * 4,
      RUN_BLOCKS * stride, fullCount * 4, inplace ? head.count : 0,
    ];
    const total = sizes.reduce((sum, byteLength) => sum + round16(byteLength), 0);
    const ptr = (this.tablePtr = memory.alloc(total));
    memory.u8.fill(0, ptr, ptr + sizes.slice(0, 4).reduce((sum, byteLength) => sum + round16(byteLength), 0));
    if (inplace) memory.u8.fill(0, ptr + total - round16(head.count), ptr + total);
    let at = ptr;
    const [, map, bitmap, slots, batch, events, run, links, same] = sizes.map((byteLength) => {
      at += round16(byteLength);
      return at - round16(byteLength);
    });
    this.set("sums", this.sumsPtr);
    this.set("stride", stride);
    this.set("fullCount", fullCount);
    this.set("blockLength", head.blockLength);
    this.set("lastLength", this.lastLength < head.blockLength ? this.lastLength : 0);
    this.set("map", map);
    this.set("mapShift", 32 - mapBits);
    this.set("bitmap", bitmap);
    this.set("bitmapShift", 32 - bitmapBits);
    this.set("slots", slots);
    this.set("slotShift", 32 - slotBits);
    this.set("batch", batch);
    this.set("events", events);
    this.set("eventCapacity", EVENTS);
    this.set("run", run);
    this.set("runCapacity", RUN_BLOCKS);
    this.set("links", links);
    this.set("same", inplace ? same : 0);
    this.set("algorithm", rules.algorithm);
    this.set("seed", rules.seed);
    this.set("seedFirst", rules.seedFirst);
    this.set("scratch", this.kernels.scratch);
    this.rewind();
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function round16(byteLength: number): number {
  return Math.ceil(byteLength / 16) * 16;
}

/** Least n with 2^n >= value. */
function log2Ceil(value: number): number {
  let bits = 0;
  while (2 ** bits < value) bits++;
  return bits;
}
