/**
 * Block search: finds a basis file's blocks anywhere in new data (upstream match.c:build_hash_table, hash_search).
 *
 * A Table holds where everything is: the wire sums of the basis (4 bytes of weak sum, then s2length bytes of strong
 * sum, block after block), a small and a large bitmap over weak sums hashed in two ways, an exact open-addressed table
 * weak sum -> newest block, and per block a link to the next older block with the same weak sum. No address is known
 * here but those the Table gives.
 *
 * Searching alternates two ways of working. While blocks match one after the other, a run of blocks is signed in one
 * call and compared with the expected sums as one span of bytes. Otherwise the window is rolled over in batches of 256
 * offsets: weak sums of 8 offsets at a time by prefix sums in i16x8 lanes (all arithmetic is mod 2^16), then probes of
 * both bitmaps that collect candidates without branching, then exact look-ups of the few left. The small bitmap, the
 * only one that every offset meets, stays in the first-level cache; the large one leaves so few candidates that their
 * mispredicted branches and cache misses do not count.
 *
 * Which block wins follows upstream: among equal blocks the newest one, unless the block after the last match
 * (`want`) fits as well; when updating in place, the block already at this offset comes first of all, and blocks
 * before the offset are out unless they are known to be identical to what is written there.
 */
import { RABIN_KARP, ROLLSUM, WEAK_SHIFT } from "./memory";
import { rabinKarpBatch, rabinKarpDrop, rabinKarpPower, rabinKarpRoll, rabinKarpShorter } from "./rabinkarp";
import { signature } from "./signature";
import { ROLLSUM_OFFSET, weakSumOf } from "./weak";

/** Most blocks with one weak sum that are looked at per offset; upstream match.c has the same bound. */
const MAX_CHAIN: u32 = 1024;
/** Most slots looked at for one weak sum: bounds the work when a peer invents weak sums that all hash alike. */
const MAX_PROBES: u32 = 512;
/** Offsets rolled over per batch: their numbers fit into a byte. */
const BATCH: usize = 256;
/** A link is EMPTY, the END of a chain, or FIRST + a block's index. */
const EMPTY: u32 = 0;
const END: u32 = 1;
const FIRST: u32 = 2;
/** An event: position in the window, first block, number of blocks; 32 bits each. */
const EVENT_BYTES: usize = 12;
/** Odd factors that spread weak sums by their top bits: over small bitmap and slots, and over the large bitmap. */
const SPREAD: u32 = 0x9e3779b1;
const SPREAD_BITS: u32 = 0x85ebca6b;

/** The search's parameters and state, laid out for src/delta/match.ts, which writes and reads it as 32-bit words. */
@unmanaged
class Table {
  /** Wire sums: count * stride bytes. */
  sums: usize;
  /** 4 + s2length. */
  stride: u32;
  /** Blocks of full length; a short last block is not among them. */
  fullCount: u32;
  blockLength: u32;
  /** Length of a short last block, which has index fullCount, or 0. */
  lastLength: u32;
  /**
   * Small bitmap of 2^(32 - mapShift) bytes and 4 behind them. A weak sum hashes to a byte address; its bit is number
   * (sum mod 32) of the 32-bit word there, which a shift by the sum itself picks out.
   */
  map: usize;
  mapShift: u32;
  /** Large bitmap of 2^(32 - bitmapShift) bits. */
  bitmap: usize;
  bitmapShift: u32;
  /** 2^(32 - slotShift) slots of 8 bytes: weak sum, link to the newest block with it (EMPTY: slot never used). */
  slots: usize;
  slotShift: u32;
  /** Per block a link to the next older one with the same weak sum. */
  links: usize;
  /** Per block 1 when it is known to be identical at its own offset; 0 unless updating in place. */
  same: usize;
  /** Algorithm and kind of weak sum (memory.ts), seed and seed order, and the scratch region to make sums in. */
  algorithm: i32;
  seed: i32;
  seedFirst: u32;
  scratch: usize;
  /** BATCH weak sums, BATCH addresses in the small bitmap, BATCH + 8 bytes of candidates. */
  batch: usize;
  /** Room for the sums of runCapacity blocks as on the wire. */
  run: usize;
  runCapacity: u32;
  /** Found runs of blocks. */
  events: usize;
  eventCapacity: u32;
  eventCount: u32;
  /** The block expected next. */
  want: u32;
  /** Blocks to sign in the next attempt at a run. */
  runGuess: u32;
  /** The block that `roll` found, or -1. */
  hit: i32;
  /** Bytes between the offset where it was found and the offset where it is to be used. */
  skip: u32;
  hashHits: u32;
  falseAlarms: u32;
  tagHits: u32;
}

// @ts-ignore: decorator
@inline
function weakOf(table: Table, index: u32): u32 {
  return load<u32>(table.sums + <usize>index * table.stride);
}

// @ts-ignore: decorator
@inline
function linkOf(table: Table, index: u32): usize {
  return table.links + (<usize>index << 2);
}

/** Fills both bitmaps and the slots, which the caller has cleared, and links from the wire sums. */
export function searchBuild(at: usize): void {
  const table = changetype<Table>(at);
  const count = table.fullCount;
  for (let index: u32 = 0; index < count; index++) {
    const sum = weakOf(table, index);
    const slot = slotFor(table, sum);
    if (slot == 0) continue;
    const word = table.map + ((sum * SPREAD) >>> table.mapShift);
    store<u32>(word, load<u32>(word) | ((<u32>1) << (sum & 31)));
    const bit = (sum * SPREAD_BITS) >>> table.bitmapShift;
    const byte = table.bitmap + (bit >>> 3);
    store<u8>(byte, <u8>(<u32>load<u8>(byte) | ((<u32>1) << (bit & 7))));
    let older = max(load<u32>(slot, 4), END);
    store<u32>(slot, sum);
    // A newer block hides an identical older one, except in place, where the older may be the one known as identical.
    if (older != END && table.same == 0 && sameStrong(table, index, older - FIRST)) {
      older = load<u32>(linkOf(table, older - FIRST));
    }
    store<u32>(linkOf(table, index), older);
    store<u32>(slot, FIRST + index, 4);
  }
}

/** The slot that holds `sum` or is free for it, or 0 when too many others are in the way. */
function slotFor(table: Table, sum: u32): usize {
  const mask: u32 = <u32>((<u64>1 << (32 - table.slotShift)) - 1);
  let at = (sum * SPREAD) >>> table.slotShift;
  for (let probe: u32 = 0; probe < MAX_PROBES; probe++) {
    const slot = table.slots + (<usize>at << 3);
    if (load<u32>(slot, 4) == EMPTY || load<u32>(slot) == sum) return slot;
    at = (at + 1) & mask;
  }
  return 0;
}

/** Whether two blocks have the same strong sum. */
function sameStrong(table: Table, one: u32, other: u32): bool {
  const stride = table.stride;
  return equal(table.sums + <usize>one * stride + 4, table.sums + <usize>other * stride + 4, stride - 4);
}

function equal(left: usize, right: usize, byteLength: u32): bool {
  while (byteLength >= 8) {
    if (load<u64>(left) != load<u64>(right)) return false;
    left += 8;
    right += 8;
    byteLength -= 8;
  }
  for (; byteLength > 0; byteLength--) {
    if (load<u8>(left++) != load<u8>(right++)) return false;
  }
  return true;
}

/**
 * Searches window [window + from, window + end), which begins at file offset `base`; `last` says that the file ends
 * at `end`. Appends what it finds to the events. Returns the position to go on from; the search stopped there because
 * the events are full (eventCount == eventCapacity), or because it needs more data, or, if `last`, because it is done.
 */
export function searchWindow(at: usize, window: usize, from: usize, end: usize, base: f64, last: bool): usize {
  const table = changetype<Table>(at);
  const blockLength: usize = table.blockLength;
  // In place, zeros may be matched up to a block ahead of the offset, so that much more data has to be there.
  const ahead = table.same != 0 && !last ? blockLength : 0;
  const limit = end > ahead ? end - ahead : 0;
  let position = from;
  while (position + blockLength <= limit) {
    if (table.eventCount == table.eventCapacity) return position;
    const sum = weakSumOf(table.algorithm, window + position, <u32>blockLength);
    if (expected(table, <i64>base + position, sum)) {
      const blocks = signRun(table, window + position, limit - position);
      if (blocks > 0) {
        found(table, position, table.want, blocks);
        position += <usize>blocks * blockLength;
        continue;
      }
    }
    position = roll(table, window, position, end, limit, <i64>base, last, sum);
    if (table.hit < 0) break;
    found(table, position, table.hit, 1);
    position += blockLength;
  }
  if (!last || position + blockLength <= limit) return position;
  if (table.eventCount == table.eventCapacity) return position;
  searchTail(table, window, position, end, <i64>base);
  return end;
}

/** Whether the block after the last match may stand at file offset `offset`, going by its weak sum and its place. */
function expected(table: Table, offset: i64, sum: u32): bool {
  const want = table.want;
  if (want >= table.fullCount || weakOf(table, want) != sum) return false;
  // In place, only where it is also the block that upstream prefers to all others: the one at this very offset.
  return table.same == 0 || <i64>want * table.blockLength == offset;
}

/** How many blocks from `want` on match at `data`, trying as many as the last tries make likely. */
function signRun(table: Table, data: usize, byteLength: usize): u32 {
  let blocks = min(min(table.runGuess, table.runCapacity), table.fullCount - table.want);
  blocks = min(blocks, <u32>(byteLength / table.blockLength));
  sign(table, data, blocks);
  const stride = table.stride;
  const sums = table.sums + <usize>table.want * stride;
  const equalBlocks = <u32>(equalBytes(table.run, sums, <usize>blocks * stride) / stride);
  table.runGuess = equalBlocks == blocks ? blocks << 1 : 1;
  if (table.same != 0) memory.fill(table.same + table.want, 1, equalBlocks);
  return equalBlocks;
}

// @ts-ignore: decorator
@inline
function sign(table: Table, data: usize, blocks: u32): void {
  signSpan(table, data, blocks * table.blockLength);
}

/** Writes the sums of the blocks in [data, data + byteLength) to table.run. */
function signSpan(table: Table, data: usize, byteLength: u32): void {
  signature(table.algorithm, table.seed, table.seedFirst != 0, data, byteLength, table.blockLength, table.stride - 4,
    table.run, table.scratch);
}

/** Length of the common beginning of two regions. */
function equalBytes(left: usize, right: usize, byteLength: usize): usize {
  let at: usize = 0;
  while (at + 16 <= byteLength && i8x16.all_true(i8x16.eq(v128.load(left + at), v128.load(right + at)))) at += 16;
  while (at < byteLength && load<u8>(left + at) == load<u8>(right + at)) at++;
  return at;
}

/** Notes `blocks` blocks from `index` on at `position`, joined with the run before if they continue it. */
function found(table: Table, position: usize, index: u32, blocks: u32): void {
  table.want = index + blocks;
  table.hashHits += blocks;
  const count = table.eventCount;
  if (count > 0) {
    const event = table.events + <usize>(count - 1) * EVENT_BYTES;
    const run = load<u32>(event, 8);
    if (load<u32>(event, 4) + run == index && load<u32>(event) + run * table.blockLength == <u32>position) {
      store<u32>(event, run + blocks, 8);
      return;
    }
  }
  const event = table.events + <usize>count * EVENT_BYTES;
  store<u32>(event, <u32>position);
  store<u32>(event, index, 4);
  store<u32>(event, blocks, 8);
  table.eventCount = count + 1;
}

/**
 * Rolls from `position`, whose weak sum is `sum`, to the first offset where a block matches: sets table.hit to the
 * block and returns its position. Without one, sets -1 and returns the first position that was not tried.
 */
function roll(table: Table, window: usize, position: usize, end: usize, limit: usize, base: i64, last: bool,
  sum: u32): usize {
  const blockLength = table.blockLength;
  const kind = table.algorithm >> WEAK_SHIFT;
  if (probe(table, sum)) {
    table.tagHits++;
    if (lookUp(table, window, position, end, base, sum)) return position + table.skip;
  }
  const sums = table.batch;
  const places = sums + (BATCH << 2);
  const candidates = places + (BATCH << 2);
  while (position + blockLength + BATCH <= limit) {
    if (kind == 0) rollBatch<i8>(window + position, blockLength, sum, sums, places, table.map, table.mapShift);
    else rollLibrsync(table, kind, window + position, sum);
    const count = probeBitmap(table, sums, candidates, probeMap(sums, places, candidates));
    table.tagHits += <u32>count;
    for (let at: usize = 0; at < count; at++) {
      const step = <usize>load<u8>(candidates + at);
      const candidate = load<u32>(sums + (step << 2));
      if (lookUp(table, window, position + step + 1, end, base, candidate)) return position + step + 1 + table.skip;
    }
    sum = load<u32>(sums, (BATCH - 1) << 2);
    position += BATCH;
  }
  if (last) {
    while (position + blockLength < limit) {
      sum = rollOne(kind, window + position, blockLength, sum);
      position++;
      if (!probe(table, sum)) continue;
      table.tagHits++;
      if (lookUp(table, window, position, end, base, sum)) return position + table.skip;
    }
  }
  table.hit = -1;
  return position + 1;
}

/** The weak sum one byte further on. */
function rollOne(kind: i32, data: usize, blockLength: u32, sum: u32): u32 {
  if (kind == RABIN_KARP) {
    return rabinKarpRoll(sum, rabinKarpPower(blockLength), load<u8>(data), load<u8>(data + blockLength));
  }
  const oldest: i32 = kind == ROLLSUM ? load<u8>(data) + ROLLSUM_OFFSET : load<i8>(data);
  const newest: i32 = kind == ROLLSUM ? load<u8>(data + blockLength) + ROLLSUM_OFFSET : load<i8>(data + blockLength);
  const s1: i32 = <i32>sum + newest - oldest;
  const s2: i32 = <i32>(sum >>> 16) - <i32>blockLength * oldest + s1;
  return (<u32>s1 & 0xffff) | (<u32>s2 << 16);
}

/** As rollBatch, for librsync's sums; not inlined, so that rsync's own stays small. */
function rollLibrsync(table: Table, kind: i32, data: usize, sum: u32): void {
  const sums = table.batch, places = table.batch + (BATCH << 2);
  const blockLength = table.blockLength;
  if (kind == ROLLSUM) rollBatch<u8>(data, blockLength, sum, sums, places, table.map, table.mapShift);
  else rabinKarpBatch(data, blockLength, sum, BATCH, sums, places, SPREAD, table.map, table.mapShift);
}

/**
 * Weak sums of the BATCH offsets after `data`, and their addresses in the small bitmap. With a the bytes that leave, b
 * those that enter and P the prefix sum of b - a, offset j has s1 + P[j] and s2 + j * s1 + (prefix sum of P -
 * blockLength * a)[j]: only the last lane's sums are carried from one group of eight to the next. `T` is i8 for
 * rsync's sum, u8 for librsync's rollsum, whose bytes have an offset.
 */
// @ts-ignore: decorator
@inline
function rollBatch<T>(data: usize, blockLength: u32, sum: u32, sums: usize, places: usize, map: usize,
  shift: u32): void {
  const zero = i16x8.splat(0);
  const steps = i16x8(1, 2, 3, 4, 5, 6, 7, 8);
  const weight = i16x8.splat(<i16>blockLength);
  const spreader = i32x4.splat(SPREAD);
  const origin = i32x4.splat(<i32>map);
  let s1: v128 = i16x8.splat(<i16>sum);
  let s2: v128 = i16x8.splat(<i16>(sum >>> 16));
  for (let at: usize = 0; at < BATCH; at += 8) {
    let a: v128 = v128.load_ext<T>(data + at);
    let p: v128 = i16x8.sub(v128.load_ext<T>(data + blockLength + at), a);
    if (!isSigned<T>()) a = i16x8.add(a, i16x8.splat(<i16>ROLLSUM_OFFSET));
    p = i16x8.add(p, v128.shuffle<i16>(zero, p, 7, 8, 9, 10, 11, 12, 13, 14));
    p = i16x8.add(p, v128.shuffle<i16>(zero, p, 6, 7, 8, 9, 10, 11, 12, 13));
    p = i16x8.add(p, v128.shuffle<i16>(zero, p, 4, 5, 6, 7, 8, 9, 10, 11));
    let q: v128 = i16x8.sub(p, i16x8.mul(a, weight));
    q = i16x8.add(q, v128.shuffle<i16>(zero, q, 7, 8, 9, 10, 11, 12, 13, 14));
    q = i16x8.add(q, v128.shuffle<i16>(zero, q, 6, 7, 8, 9, 10, 11, 12, 13));
    q = i16x8.add(q, v128.shuffle<i16>(zero, q, 4, 5, 6, 7, 8, 9, 10, 11));
    s2 = i16x8.add(i16x8.add(s2, q), i16x8.mul(s1, steps));
    s1 = i16x8.add(s1, p);
    const low = v128.shuffle<i16>(s1, s2, 0, 8, 1, 9, 2, 10, 3, 11);
    const high = v128.shuffle<i16>(s1, s2, 4, 12, 5, 13, 6, 14, 7, 15);
    v128.store(sums + (at << 2), low);
    v128.store(sums + (at << 2), high, 16);
    v128.store(places + (at << 2), i32x4.add(i32x4.shr_u(i32x4.mul(low, spreader), shift), origin));
    v128.store(places + (at << 2), i32x4.add(i32x4.shr_u(i32x4.mul(high, spreader), shift), origin), 16);
    s1 = v128.shuffle<i16>(s1, s1, 7, 7, 7, 7, 7, 7, 7, 7);
    s2 = v128.shuffle<i16>(s2, s2, 7, 7, 7, 7, 7, 7, 7, 7);
  }
}

/** Collects the numbers of the batch's offsets whose bit is set; returns their count. No branch depends on data. */
// @ts-ignore: decorator
@inline
function probeMap(sums: usize, places: usize, candidates: usize): usize {
  let next = candidates;
  for (let at: u32 = 0; at < <u32>BATCH; at += 4, places += 16, sums += 16) {
    store<u8>(next, at);
    next += (load<u32>(load<u32>(places)) >>> load<u32>(sums)) & 1;
    store<u8>(next, at + 1);
    next += (load<u32>(load<u32>(places, 4)) >>> load<u32>(sums, 4)) & 1;
    store<u8>(next, at + 2);
    next += (load<u32>(load<u32>(places, 8)) >>> load<u32>(sums, 8)) & 1;
    store<u8>(next, at + 3);
    next += (load<u32>(load<u32>(places, 12)) >>> load<u32>(sums, 12)) & 1;
  }
  return next - candidates;
}

/** Keeps those of `count` candidates whose bit is set too; returns their count. */
// @ts-ignore: decorator
@inline
function probeBitmap(table: Table, sums: usize, candidates: usize, count: usize): usize {
  const bitmap = table.bitmap;
  const shift = table.bitmapShift;
  let kept: usize = 0;
  for (let at: usize = 0; at < count; at++) {
    const step = load<u8>(candidates + at);
    store<u8>(candidates + kept, step);
    kept += bitOf(bitmap, shift, load<u32>(sums + (<usize>step << 2)));
  }
  return kept;
}

// @ts-ignore: decorator
@inline
function bitOf(bitmap: usize, shift: u32, sum: u32): u32 {
  const bit = (sum * SPREAD_BITS) >>> shift;
  return (<u32>load<u8>(bitmap + (bit >>> 3)) >>> (bit & 7)) & 1;
}

// @ts-ignore: decorator
@inline
function probe(table: Table, sum: u32): u32 {
  return bitOf(table.bitmap, table.bitmapShift, sum);
}

/**
 * Looks the data at `position`, whose weak sum is `sum`, up exactly. If a block matches, sets table.hit to it and
 * table.skip to the bytes to go forward first (in place only, else 0), and returns true.
 */
function lookUp(table: Table, window: usize, position: usize, end: usize, base: i64, sum: u32): bool {
  let link = headOf(table, sum);
  if (link == 0 || load<u32>(link) < FIRST) return false;
  table.hashHits++;
  const offset = base + <i64>position;
  const stride = table.stride;
  let signed = false;
  let seen: u32 = 0;
  for (let next = load<u32>(link); next >= FIRST; next = load<u32>(link)) {
    const index = next - FIRST;
    const ownLink = linkOf(table, index);
    if (!usable(table, index, offset)) {
      store<u32>(link, load<u32>(ownLink));
      continue;
    }
    link = ownLink;
    if (++seen > MAX_CHAIN) return false;
    if (!signed) sign(table, window + position, 1);
    signed = true;
    if (!equal(table.run + 4, table.sums + <usize>index * stride + 4, stride - 4)) {
      table.falseAlarms++;
      continue;
    }
    table.hashHits--; // `found` counts it
    choose(table, window, position, end, base, index);
    return true;
  }
  return false;
}

/** Address of the link to the newest block with weak sum `sum`, or 0. */
function headOf(table: Table, sum: u32): usize {
  const mask: u32 = <u32>((<u64>1 << (32 - table.slotShift)) - 1);
  let at = (sum * SPREAD) >>> table.slotShift;
  for (let probe: u32 = 0; probe < MAX_PROBES; probe++) {
    const slot = table.slots + (<usize>at << 3);
    if (load<u32>(slot) == sum) return slot + 4;
    if (load<u32>(slot, 4) == EMPTY) return 0;
    at = (at + 1) & mask;
  }
  return 0;
}

/** In place, a block before the offset has been overwritten unless it was found identical to what was written. */
// @ts-ignore: decorator
@inline
function usable(table: Table, index: u32, offset: i64): bool {
  const same = table.same;
  return same == 0 || <i64>index * table.blockLength >= offset || load<u8>(same + index) != 0;
}

/** Of the blocks equal to the data at `position`, of which `index` is one, takes the best: sets hit and skip. */
function choose(table: Table, window: usize, position: usize, end: usize, base: i64, index: u32): void {
  table.hit = index;
  table.skip = 0;
  if (table.same != 0 && align(table, window, position, end, base, index)) return;
  const want = table.want;
  if (want >= table.fullCount || want == <u32>table.hit) return;
  if (usable(table, want, base + <i64>position) && equalsSigned(table, want)) table.hit = want;
}

/** Whether the data signed last is block `index`. */
// @ts-ignore: decorator
@inline
function equalsSigned(table: Table, index: u32): bool {
  return equal(table.run, table.sums + <usize>index * table.stride, table.stride);
}

/**
 * In place, prefers the block that stands at this very offset in the basis, for it need not be written. Zeros may
 * also wait for the next block boundary, if there are zeros ahead too: a few literal bytes, and everything after is
 * in step with the basis again. Returns whether the choice is final.
 */
function align(table: Table, window: usize, position: usize, end: usize, base: i64, index: u32): bool {
  const blockLength = table.blockLength;
  const ahead = <u32>((base + <i64>position) % blockLength);
  const skip = ahead == 0 ? 0 : blockLength - ahead;
  const atBoundary = (base + <i64>position + skip) / blockLength;
  if (atBoundary >= <i64>table.fullCount) return false;
  const here = <u32>atBoundary;
  if (skip != 0 && (load<u32>(table.run) != 0 || position + skip + blockLength > end)) return false;
  if (here != index && !equalsSigned(table, here)) return false;
  if (skip != 0) {
    table.hit = here;
    sign(table, window + position + skip, 1);
    const zerosAhead = equalsSigned(table, here);
    sign(table, window + position, 1);
    if (!zerosAhead) return false;
  }
  table.hit = here;
  table.skip = skip;
  store<u8>(table.same + here, 1);
  return true;
}

/** The short last block matches only at the very end of the data. */
function searchTail(table: Table, window: usize, position: usize, end: usize, base: i64): void {
  const byteLength = table.lastLength;
  if (byteLength == 0 || position + byteLength > end) return;
  const index = table.fullCount;
  const start = end - byteLength;
  if (!usable(table, index, base + <i64>start)) return;
  if (weakSumOf(table.algorithm, window + start, byteLength) != weakOf(table, index)) return;
  signSpan(table, window + start, byteLength);
  if (equalsSigned(table, index)) found(table, start, index, 1);
  else table.falseAlarms++;
}

/**
 * For librsync's signatures, which do not tell how long their last block is: whether the data of [window + from,
 * window + end), less than a block and the file's last, ends with it. Returns where it begins, or `end`.
 */
export function searchSuffix(at: usize, window: usize, from: usize, end: usize): usize {
  const table = changetype<Table>(at);
  const index = table.fullCount - 1;
  const wanted = weakOf(table, index);
  const kind = table.algorithm >> WEAK_SHIFT;
  let sum = weakSumOf(table.algorithm, window + from, <u32>(end - from));
  let power = rabinKarpPower(<u32>(end - from));
  for (let position = from; position < end; position++) {
    if (sum == wanted) {
      signSpan(table, window + position, <u32>(end - position));
      if (equalsSigned(table, index)) return position;
      table.falseAlarms++;
    }
    if (kind == RABIN_KARP) {
      power = rabinKarpShorter(power);
      sum = rabinKarpDrop(sum, power, load<u8>(window + position));
    } else {
      const byte: u32 = load<u8>(window + position) + ROLLSUM_OFFSET;
      const s2 = (sum >>> 16) - <u32>(end - position) * byte;
      sum = ((sum - byte) & 0xffff) | (s2 << 16);
    }
  }
  return end;
}

/** Moves bytes; the ranges may overlap. JavaScript's copyWithin takes twice as long on a shared memory. */
export function moveBytes(to: usize, from: usize, byteLength: usize): void {
  memory.copy(to, from, byteLength);
}
