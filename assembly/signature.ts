/**
 * Block sums: weak and strong sums of a whole span of consecutive blocks in one call (upstream generator.c's loop
 * over get_checksum1 and checksum.c:get_checksum2).
 *
 * Where the checksum seed goes (a seed of 0 is left out of the hashed bytes):
 *   XXH64, XXH3     the hash's own seed, sign-extended from 32 bits
 *   MD5             4 bytes little endian before the block, or after it when the peer lacks the seed-order fix
 *   SHA1            4 bytes before the block
 *   MD4, variants   4 bytes after the block
 *
 * librsync's signatures use MD4 or BLAKE2b without a seed, and a weak sum of their own.
 *
 * Blocks of MD4 and MD5 are independent messages of one length, so they run in lanes; a short last block runs alone.
 */
import { blake2b } from "./blake2b";
import { copyShort, zeroVectors } from "./copy";
import { digestBytes, digestFinal, digestInit, isBusted, mdUpdate, storeBitCount } from "./digest";
import { laneDigest, lanesInit, LANES_MAX, lanesPoint } from "./lanes";
import { md4Lanes12, md4Lanes4 } from "./md4lanes";
import { md5Lanes12, md5Lanes4 } from "./md5lanes";
import {
  BLAKE2B, MD4, MD5, SCRATCH_DIGEST, SCRATCH_TAILS, SHA1, TAIL_BYTES, WEAK_SHIFT, XXH3_128, XXH3_64, XXH3_SECRET, XXH64,
} from "./memory";
import { weakSumOf } from "./weak";
import { xxh3, xxh3DeriveSecret } from "./xxh3";
import { xxh64 } from "./xxh64";

/** Fewer messages than this run faster in one group of four lanes than in three. */
const WIDE_MIN: u32 = 5;

// @ts-ignore: decorator
@inline
function isXxh3(algorithm: i32): boolean {
  return algorithm == XXH3_64 || algorithm == XXH3_128;
}

// @ts-ignore: decorator
@inline
function hasLanes(algorithm: i32): boolean {
  return algorithm == MD5 || algorithm <= MD4;
}

// @ts-ignore: decorator
@inline
function seedsFirst(algorithm: i32, seedFirst: boolean): boolean {
  return algorithm == SHA1 || (algorithm == MD5 && seedFirst);
}

/** Strong sum of one block to scratch's digest place. For XXH3 the seed's secret is in scratch's slot already. */
function strong(algorithm: i32, seed: i32, seedFirst: boolean, ptr: usize, length: u32, scratch: usize): void {
  const out = scratch + SCRATCH_DIGEST;
  if (algorithm == XXH64) return store<u64>(out, xxh64(scratch, ptr, length, <u64>(<i64>seed)));
  if (isXxh3(algorithm)) return xxh3(scratch, ptr, length, <u64>(<i64>seed), algorithm == XXH3_128, out);
  if (algorithm == BLAKE2B) return blake2b(scratch, ptr, length, out);
  digestInit(scratch, algorithm, 0, 0);
  const first = seedsFirst(algorithm, seedFirst);
  if (seed && first) addSeed(algorithm, seed, scratch);
  mdUpdate(algorithm, scratch, ptr, length);
  if (seed && !first) addSeed(algorithm, seed, scratch);
  digestFinal(scratch, out);
}

function addSeed(algorithm: i32, seed: i32, scratch: usize): void {
  store<i32>(scratch, seed, SCRATCH_DIGEST);
  mdUpdate(algorithm, scratch, scratch + SCRATCH_DIGEST, 4);
}

/** Strong sum (sum2) of one block to `out` (room for 32 bytes); returns its length. */
export function strongSum(
  algorithm: i32, seed: i32, seedFirst: boolean, ptr: usize, length: u32, out: usize, scratch: usize,
): u32 {
  if (isXxh3(algorithm)) xxh3DeriveSecret(scratch + XXH3_SECRET, <u64>(<i64>seed));
  strong(algorithm, seed, seedFirst, ptr, length, scratch);
  const bytes = digestBytes(algorithm);
  copyShort(out, scratch + SCRATCH_DIGEST, bytes);
  return bytes;
}

/** Writes one block's sums as they travel: u32 weak sum, then the first `s2length` bytes of the strong one. */
// @ts-ignore: decorator
@inline
function emit(out: usize, weak: u32, scratch: usize, s2length: u32): void {
  store<u32>(out, weak);
  copyShort(out + 4, scratch + SCRATCH_DIGEST, s2length);
}

/**
 * Writes the sums of the blocks in [ptr, ptr + byteLength), the last of which may be short, to `out` as they travel
 * on the wire (labels sum-sum1, sum-sum2); returns the bytes written. `s2length` is at most the digest's length.
 * `rules` is an algorithm's number, and above it the kind of weak sum (memory.ts).
 */
export function signature(
  rules: i32, seed: i32, seedFirst: boolean, ptr: usize, byteLength: u32, blockLength: u32, s2length: u32,
  out: usize, scratch: usize,
): u32 {
  const start = out;
  const end = ptr + byteLength;
  const algorithm = rules & ((1 << WEAK_SHIFT) - 1);
  if (isXxh3(algorithm)) xxh3DeriveSecret(scratch + XXH3_SECRET, <u64>(<i64>seed));
  if (hasLanes(algorithm)) {
    for (let blocks = byteLength / blockLength; blocks > 1;) {
      const count = min<u32>(blocks, LANES_MAX);
      signLanes(algorithm, seed, seedFirst, ptr, blockLength, count, scratch);
      for (let lane: u32 = 0; lane < count; lane++, out += 4 + s2length, ptr += blockLength) {
        laneDigest(scratch, lane, scratch + SCRATCH_DIGEST);
        emit(out, weakSumOf(rules, ptr, blockLength), scratch, s2length);
      }
      blocks -= count;
    }
  }
  for (; ptr < end; ptr += blockLength, out += 4 + s2length) {
    const length = min<u32>(blockLength, end - ptr);
    const weak = weakSumOf(rules, ptr, length);
    strong(algorithm, seed, seedFirst, ptr, length, scratch);
    emit(out, weak, scratch, s2length);
  }
  return out - start;
}

/**
 * Digests `count` (1 to 12) consecutive blocks in lanes; laneDigest fetches the results.
 *
 * A message is [seed] block [seed]. A leading seed shifts it by four bytes against the block's memory, so its first
 * chunk is put together in scratch like the padded tail; the chunks between are read where they lie.
 */
function signLanes(
  algorithm: i32, seed: i32, seedFirst: boolean, ptr: usize, length: u32, count: u32, scratch: usize,
): void {
  const first = seed && seedsFirst(algorithm, seedFirst);
  const tails = scratch + SCRATCH_TAILS;
  const wide = count >= WIDE_MIN;
  let head: u32 = first ? 4 : 0;
  let done: u32 = 0;
  lanesInit(scratch);
  if (first && length >= 60) {
    for (let lane: u32 = 0; lane < count; lane++) {
      store<i32>(tails + lane * TAIL_BYTES, seed);
      copyShort(tails + lane * TAIL_BYTES + 4, ptr + lane * length, 60);
    }
    lanesPoint(scratch, tails, TAIL_BYTES, count);
    compressLanes(algorithm, wide, scratch, 1);
    head = 0;
    done = 60;
  }
  const chunks = (length - done) >> 6;
  if (chunks && !head) {
    lanesPoint(scratch, ptr + done, length, count);
    compressLanes(algorithm, wide, scratch, chunks);
    done += chunks << 6;
  }
  const total = length + (seed ? 4 : 0);
  const rest = head + length - done + (seed && !first ? 4 : 0);
  const tailChunks = isBusted(algorithm) && !(total & 63) ? rest >> 6 : (rest + 72) >> 6;
  if (!tailChunks) return;
  for (let lane: u32 = 0; lane < count; lane++) {
    const tail = tails + lane * TAIL_BYTES;
    zeroVectors(tail, <u32>TAIL_BYTES >> 4);
    if (head) store<i32>(tail, seed);
    copyShort(tail + head, ptr + lane * length + done, length - done);
    if (seed && !first) store<i32>(tail + length - done, seed);
    if (tailChunks << 6 == rest) continue;
    store<u8>(tail + rest, 0x80);
    storeBitCount(algorithm, tail + (tailChunks << 6) - 8, total);
  }
  lanesPoint(scratch, tails, TAIL_BYTES, count);
  compressLanes(algorithm, wide, scratch, tailChunks);
}

function compressLanes(algorithm: i32, wide: boolean, scratch: usize, chunks: u32): void {
  if (algorithm == MD5) {
    if (wide) md5Lanes12(scratch, chunks);
    else md5Lanes4(scratch, chunks);
  } else if (wide) md4Lanes12(scratch, chunks);
  else md4Lanes4(scratch, chunks);
}
