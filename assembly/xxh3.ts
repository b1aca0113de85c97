/**
 * XXH3-64 and XXH3-128 for inputs over 240 bytes, one-shot and streaming (xxHash specification, XXH3 algorithm).
 *
 * Eight 64-bit accumulators, two to a v128, take stripes of 64 bytes; after 16 stripes they are scrambled. The last
 * 64 bytes of the input form a stripe of their own, which may overlap the one before. A stripe step is
 *
 *   key = data ^ secret;  acc[i ^ 1] += data[i];  acc[i] += low32(key[i]) * high32(key[i])
 *
 * For two vectors of keys the low and the high halves are unzipped into one u32x4 each, and extmul_low/high form the
 * four products: i64x2.mul, which would need no unzip, is three multiplications on x64. Inputs of up to 240 bytes
 * are xxh3short.ts.
 */
import { copyShort } from "./copy";
import { mulFold, xxh3Avalanche } from "./xxh3short";
import {
  SLOT_BUFFERED, SLOT_TOTAL, XXH3_ACC, XXH3_BUFFER, XXH3_SECRET, XXH3_SEED, XXH3_STRIPES,
} from "./memory";
import { DEFAULT_SECRET, shortHigh, shortLow } from "./xxh3short";
import { P1, P2, P3, P4, P5 } from "./xxh64";

const P32_1: u64 = 0x9e3779b1;
const P32_2: u64 = 0x85ebca77;
const P32_3: u64 = 0xc2b2ae3d;

/** Longest input of the short paths. */
const SHORT_MAX: u32 = 240;
const SECRET_BYTES: usize = 192;
const STRIPES_PER_BLOCK: u32 = 16;
const BUFFER_BYTES: u32 = 256;

// @ts-ignore: decorator
@inline
function products(low: boolean, k0: v128, k1: v128): v128 {
  const lo = v128.shuffle<u32>(k0, k1, 0, 2, 4, 6);
  const hi = v128.shuffle<u32>(k0, k1, 1, 3, 5, 7);
  return low ? i64x2.extmul_low_i32x4_u(lo, hi) : i64x2.extmul_high_i32x4_u(lo, hi);
}

// @ts-ignore: decorator
@inline
function scramble(acc: v128, secret: usize): v128 {
  const x = v128.xor(v128.xor(acc, i64x2.shr_u(acc, 47)), v128.load(secret));
  return i64x2.mul(x, i64x2.splat(P32_1));
}

/** Adds the plain data sums of a run, halves swapped, to a vector of accumulators. */
// @ts-ignore: decorator
@inline
function addSwapped(acc: v128, data: v128): v128 {
  return i64x2.add(acc, v128.shuffle<u64>(data, data, 1, 0));
}

/**
 * Takes one half (32 bytes: accumulators at `acc`, data at `ptr`, secret at `s`) of each of `run` stripes.
 *
 * By halves, because four accumulators, four data sums and the temporaries of a whole stripe are more than the 16
 * registers of x64. Data is summed apart (b) and its lanes swapped once per run: shuffles are the scarce resource.
 */
// @ts-ignore: decorator
@inline
function accumulateHalf(acc: usize, ptr: usize, s: usize, run: u32): void {
  let a0 = v128.load(acc), a1 = v128.load(acc, 16);
  let b0 = i64x2.splat(0), b1 = i64x2.splat(0);
  for (const end = ptr + (run << 6); ptr < end; ptr += 64, s += 8) {
    const d0 = v128.load(ptr), d1 = v128.load(ptr, 16);
    const k0 = v128.xor(d0, v128.load(s)), k1 = v128.xor(d1, v128.load(s, 16));
    a0 = i64x2.add(a0, products(true, k0, k1));
    a1 = i64x2.add(a1, products(false, k0, k1));
    b0 = i64x2.add(b0, d0);
    b1 = i64x2.add(b1, d1);
  }
  v128.store(acc, addSwapped(a0, b0));
  v128.store(acc, addSwapped(a1, b1), 16);
}

/**
 * Takes `stripes` stripes at `ptr` into the accumulators of `slot`, scrambling after every sixteenth counted from
 * `since`; returns the count since the last scramble.
 */
function accumulate(slot: usize, ptr: usize, stripes: u32, secret: usize, since: u32): u32 {
  const acc = slot + XXH3_ACC;
  while (stripes) {
    const run = min<u32>(stripes, STRIPES_PER_BLOCK - since);
    const s = secret + (since << 3);
    accumulateHalf(acc, ptr, s, run);
    accumulateHalf(acc + 32, ptr + 32, s + 32, run);
    ptr += run << 6;
    stripes -= run;
    since += run;
    if (since == STRIPES_PER_BLOCK) {
      since = 0;
      for (let at: usize = 0; at < 64; at += 16) v128.store(acc + at, scramble(v128.load(acc + at), secret + 128 + at));
    }
  }
  return since;
}

/** Whole vectors are stored, because a vector load right after two 64-bit stores would wait for both to retire. */
function resetAccumulators(slot: usize): void {
  const acc = slot + XXH3_ACC;
  v128.store(acc, i64x2(P32_3, P1));
  v128.store(acc, i64x2(P2, P3), 16);
  v128.store(acc, i64x2(P4, P32_2), 32);
  v128.store(acc, i64x2(P5, P32_1), 48);
}

/** Folds the eight accumulators at `acc` with 64 bytes of secret. */
function mergeAccumulators(acc: usize, secret: usize, start: u64): u64 {
  let h = start;
  for (let i: usize = 0; i < 64; i += 16) {
    h += mulFold(load<u64>(acc + i) ^ load<u64>(secret + i), load<u64>(acc + i, 8) ^ load<u64>(secret + i, 8));
  }
  return xxh3Avalanche(h);
}

// @ts-ignore: decorator
@inline
function mergedLow(acc: usize, secret: usize, length: u64): u64 {
  return mergeAccumulators(acc, secret + 11, length * P1);
}

// @ts-ignore: decorator
@inline
function mergedHigh(acc: usize, secret: usize, length: u64): u64 {
  return mergeAccumulators(acc, secret + 117, ~(length * P2));
}

/** Derives the secret of a seed into `out`; seed 0 gives the default secret. */
export function xxh3DeriveSecret(out: usize, seed: u64): void {
  const vector = i64x2.replace_lane(i64x2.splat(seed), 1, 0 - seed);
  for (let i: usize = 0; i < SECRET_BYTES; i += 16) {
    v128.store(out + i, i64x2.add(v128.load(DEFAULT_SECRET + i), vector));
  }
}

/**
 * One-shot digest to `out`: 8 bytes, or 16 for `wide`, little endian, low half first. `slot` is working space whose
 * secret xxh3DeriveSecret has made from `seed`.
 */
export function xxh3(slot: usize, ptr: usize, length: u32, seed: u64, wide: boolean, out: usize): void {
  if (length <= SHORT_MAX) {
    store<u64>(out, shortLow(ptr, length, seed, wide));
    if (wide) store<u64>(out, shortHigh(ptr, length, seed), 8);
    return;
  }
  const secret = slot + XXH3_SECRET;
  resetAccumulators(slot);
  accumulate(slot, ptr, (length - 1) >> 6, secret, 0);
  conclude(slot, ptr + length - 64, length, wide, out);
}

/** Takes the last stripe and writes the digest of a long input. Uses up the accumulators. */
function conclude(slot: usize, last: usize, length: u64, wide: boolean, out: usize): void {
  const secret = slot + XXH3_SECRET;
  accumulate(slot, last, 1, secret + 121, 0);
  const acc = slot + XXH3_ACC;
  store<u64>(out, mergedLow(acc, secret, length));
  if (wide) store<u64>(out, mergedHigh(acc, secret, length), 8);
}

export function xxh3Init(slot: usize, seed: u64): void {
  store<u64>(slot, seed, XXH3_SEED);
  store<i32>(slot, 0, SLOT_BUFFERED);
  store<u64>(slot, 0, SLOT_TOTAL);
  store<u32>(slot, 0, XXH3_STRIPES);
  xxh3DeriveSecret(slot + XXH3_SECRET, seed);
  resetAccumulators(slot);
}

function consume(slot: usize, ptr: usize, stripes: u32): void {
  const since = accumulate(slot, ptr, stripes, slot + XXH3_SECRET, load<u32>(slot, XXH3_STRIPES));
  store<u32>(slot, since, XXH3_STRIPES);
}

/**
 * Takes bytes. At least one byte stays in the buffer, since a stripe is consumed only when more follows, and the 64
 * bytes before the buffered ones are kept at the buffer's end: the last stripe may reach back into them.
 */
export function xxh3Update(slot: usize, ptr: usize, length: u32): void {
  const buffer = slot + XXH3_BUFFER;
  const buffered = load<u32>(slot, SLOT_BUFFERED);
  store<u64>(slot, load<u64>(slot, SLOT_TOTAL) + length, SLOT_TOTAL);
  if (length <= BUFFER_BYTES - buffered) {
    copyShort(buffer + buffered, ptr, length);
    store<u32>(slot, buffered + length, SLOT_BUFFERED);
    return;
  }
  if (buffered) {
    const take = BUFFER_BYTES - buffered;
    copyShort(buffer + buffered, ptr, take);
    consume(slot, buffer, BUFFER_BYTES >> 6);
    ptr += take;
    length -= take;
  }
  if (length > BUFFER_BYTES) {
    const stripes = (length - 1) >> 6;
    consume(slot, ptr, stripes);
    ptr += stripes << 6;
    length -= stripes << 6;
    copyShort(buffer + BUFFER_BYTES - 64, ptr - 64, 64);
  }
  copyShort(buffer, ptr, length);
  store<u32>(slot, length, SLOT_BUFFERED);
}

/** Writes the digest of what was taken. Uses up the slot: init it again before more updates. */
export function xxh3Final(slot: usize, wide: boolean, out: usize): void {
  const total = load<u64>(slot, SLOT_TOTAL);
  const buffer = slot + XXH3_BUFFER;
  if (total <= SHORT_MAX) {
    xxh3(slot, buffer, <u32>total, load<u64>(slot, XXH3_SEED), wide, out);
    return;
  }
  const buffered = load<u32>(slot, SLOT_BUFFERED);
  if (buffered >= 64) {
    consume(slot, buffer, (buffered - 1) >> 6);
    conclude(slot, buffer + buffered - 64, total, wide, out);
    return;
  }
  // The last stripe: the end of the bytes before the buffer, then the buffered ones, joined in front of the former.
  const joined = buffer + 64;
  copyShort(joined, buffer + BUFFER_BYTES - 64 + buffered, 64 - buffered);
  copyShort(joined + 64 - buffered, buffer, buffered);
  conclude(slot, joined, total, wide, out);
}
