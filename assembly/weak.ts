/**
 * The weak rolling sum (sum1) of a block: upstream checksum.c:get_checksum1 with CHAR_OFFSET 0.
 *
 *   s1 = sum of b[i], s2 = sum of (length - i) * b[i], bytes signed, both mod 2^16; the sum is s1 | s2 << 16.
 *
 * Everything is mod 2^16, so i16 lanes never overflow wrongly. The block is laid out in rows of 32 bytes, a row being
 * four vectors of eight lanes (columns A, B, C, D). Down each column run two vertical prefix sums: p += x, then
 * q += p. With n rows, q holds the sum of (n - row) * x, so
 *
 *   s2 = 32 * sum(q) - sum((8 * vector + lane) * p)
 *
 * A short first row is filled up with zeros in front, which changes neither sum: weights count from the block's end.
 *
 * librsync's rollsum is the same with unsigned bytes and 31 added to each: the lanes run over the bytes alone, and what
 * 31 adds, 31 * length and 31 * length * (length + 1) / 2, comes at the end. `T` tells the two apart: i8 or u8.
 */
import { RABIN_KARP, READ_BEFORE, WEAK_SHIFT } from "./memory";
import { rabinKarp } from "./rabinkarp";

/** What librsync's rollsum adds to each byte. */
export const ROLLSUM_OFFSET: u32 = 31;

/** 32 zero bytes, then 32 ones: a window into it masks off the leading bytes of a row. */
const MASKS = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
], 16);

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): i32 {
  const pairs = i32x4.extadd_pairwise_i16x8_s(v);
  const two = i32x4.add(pairs, v128.shuffle<u32>(pairs, pairs, 2, 3, 0, 1));
  return i32x4.extract_lane(two, 0) + i32x4.extract_lane(two, 1);
}

/** rsync's weak sum of [ptr, ptr + byteLength) as u32. */
export function weakSum(ptr: usize, byteLength: u32): u32 {
  return rowSum<i8>(ptr, byteLength);
}

/** The weak sum of the kind that stands above the algorithm's number in `rules` (memory.ts). */
// @ts-ignore: decorator
@inline
export function weakSumOf(rules: i32, ptr: usize, byteLength: u32): u32 {
  return rules >> WEAK_SHIFT ? librsyncSum(rules >> WEAK_SHIFT, ptr, byteLength) : weakSum(ptr, byteLength);
}

function librsyncSum(kind: i32, ptr: usize, byteLength: u32): u32 {
  if (kind == RABIN_KARP) return rabinKarp(ptr, byteLength);
  const sum = rowSum<u8>(ptr, byteLength);
  // Half of length * (length + 1) is wanted mod 2^16, so the product must be exact mod 2^17: u32 is.
  const s1 = sum + ROLLSUM_OFFSET * byteLength;
  const s2 = (sum >>> 16) + ROLLSUM_OFFSET * (byteLength * (byteLength + 1) >>> 1);
  return (s1 & 0xffff) | (s2 << 16);
}

// @ts-ignore: decorator
@inline
function widen<T>(bytes: v128, high: bool): v128 {
  if (isSigned<T>()) return high ? i16x8.extend_high_i8x16_s(bytes) : i16x8.extend_low_i8x16_s(bytes);
  return high ? i16x8.extend_high_i8x16_u(bytes) : i16x8.extend_low_i8x16_u(bytes);
}

function rowSum<T>(ptr: usize, byteLength: u32): u32 {
  const short = byteLength & 31;
  const end = ptr + byteLength;
  let pA: v128 = i16x8.splat(0), pB: v128 = i16x8.splat(0), pC: v128 = i16x8.splat(0), pD: v128 = i16x8.splat(0);
  if (short) {
    const mask = MASKS + short;
    const row = ptr + short - READ_BEFORE;
    const low = v128.and(v128.load(row), v128.load(mask));
    const high = v128.and(v128.load(row, 16), v128.load(mask, 16));
    pA = widen<T>(low, false);
    pB = widen<T>(low, true);
    pC = widen<T>(high, false);
    pD = widen<T>(high, true);
    ptr += short;
  }
  let qA: v128 = pA, qB: v128 = pB, qC: v128 = pC, qD: v128 = pD;
  while (ptr < end) {
    pA = i16x8.add(pA, v128.load_ext<T>(ptr));
    pB = i16x8.add(pB, v128.load_ext<T>(ptr, 8));
    pC = i16x8.add(pC, v128.load_ext<T>(ptr, 16));
    pD = i16x8.add(pD, v128.load_ext<T>(ptr, 24));
    qA = i16x8.add(qA, pA);
    qB = i16x8.add(qB, pB);
    qC = i16x8.add(qC, pC);
    qD = i16x8.add(qD, pD);
    ptr += 32;
  }
  const p = i16x8.add(i16x8.add(pA, pB), i16x8.add(pC, pD));
  const q = i16x8.add(i16x8.add(qA, qB), i16x8.add(qC, qD));
  // Weight of lane l in vector v: 8 * v + l. The vectors' share is 8 * (B + 2 C + 3 D).
  const vectors = i16x8.add(pB, i16x8.add(i16x8.shl(pC, 1), i16x8.add(pD, i16x8.shl(pD, 1))));
  const inner = i16x8.add(i16x8.shl(vectors, 3), i16x8.mul(p, i16x8(0, 1, 2, 3, 4, 5, 6, 7)));
  const s2 = sumLanes(i16x8.sub(i16x8.shl(q, 5), inner));
  return (sumLanes(p) & 0xffff) | (s2 << 16);
}
