/**
 * XXH64 (xxHash specification, XXH64): four 64-bit accumulators over stripes of 32 bytes.
 *
 * Scalar on purpose: i64.mul is one instruction, a 64-bit vector multiplication several.
 */
import { copyShort } from "./copy";
import { SLOT_BUFFERED, SLOT_STATE, SLOT_TOTAL, XXH64_BUFFER, XXH64_SEED } from "./memory";

export const P1: u64 = 0x9e3779b185ebca87;
export const P2: u64 = 0xc2b2ae3d27d4eb4f;
export const P3: u64 = 0x165667b19e3779f9;
export const P4: u64 = 0x85ebca77c2b2ae63;
export const P5: u64 = 0x27d4eb2f165667c5;

// @ts-ignore: decorator
@inline
function round(acc: u64, input: u64): u64 {
  return rotl<u64>(acc + input * P2, 31) * P1;
}

// @ts-ignore: decorator
@inline
function merge(h: u64, acc: u64): u64 {
  return (h ^ round(0, acc)) * P1 + P4;
}

/** The final mix of XXH64, used by XXH3 too. */
export function xxh64Avalanche(h: u64): u64 {
  h = (h ^ (h >> 33)) * P2;
  h = (h ^ (h >> 29)) * P3;
  return h ^ (h >> 32);
}

/** Runs the four accumulators of `slot` over `stripes` stripes of 32 bytes. */
function consume(slot: usize, ptr: usize, stripes: u32): void {
  let v1 = load<u64>(slot, SLOT_STATE), v2 = load<u64>(slot, SLOT_STATE + 8);
  let v3 = load<u64>(slot, SLOT_STATE + 16), v4 = load<u64>(slot, SLOT_STATE + 24);
  for (; stripes; stripes--, ptr += 32) {
    v1 = round(v1, load<u64>(ptr));
    v2 = round(v2, load<u64>(ptr, 8));
    v3 = round(v3, load<u64>(ptr, 16));
    v4 = round(v4, load<u64>(ptr, 24));
  }
  store<u64>(slot, v1, SLOT_STATE);
  store<u64>(slot, v2, SLOT_STATE + 8);
  store<u64>(slot, v3, SLOT_STATE + 16);
  store<u64>(slot, v4, SLOT_STATE + 24);
}

/** Mixes the last `length` (< 32) bytes into `h` and finishes it. */
function finish(h: u64, ptr: usize, length: u32): u64 {
  for (; length >= 8; length -= 8, ptr += 8) h = rotl<u64>(h ^ round(0, load<u64>(ptr)), 27) * P1 + P4;
  if (length >= 4) {
    h = rotl<u64>(h ^ (<u64>load<u32>(ptr) * P1), 23) * P2 + P3;
    length -= 4;
    ptr += 4;
  }
  for (; length; length--, ptr++) h = rotl<u64>(h ^ (<u64>load<u8>(ptr) * P5), 11) * P1;
  return xxh64Avalanche(h);
}

export function xxh64Init(slot: usize, seed: u64): void {
  store<u64>(slot, seed + P1 + P2, SLOT_STATE);
  store<u64>(slot, seed + P2, SLOT_STATE + 8);
  store<u64>(slot, seed, SLOT_STATE + 16);
  store<u64>(slot, seed - P1, SLOT_STATE + 24);
  store<u64>(slot, seed, XXH64_SEED);
  store<i32>(slot, 0, SLOT_BUFFERED);
  store<u64>(slot, 0, SLOT_TOTAL);
}

export function xxh64Update(slot: usize, ptr: usize, length: u32): void {
  const buffer = slot + XXH64_BUFFER;
  let buffered = load<u32>(slot, SLOT_BUFFERED);
  store<u64>(slot, load<u64>(slot, SLOT_TOTAL) + length, SLOT_TOTAL);
  if (buffered) {
    const take = min<u32>(32 - buffered, length);
    copyShort(buffer + buffered, ptr, take);
    buffered += take;
    ptr += take;
    length -= take;
    if (buffered == 32) {
      consume(slot, buffer, 1);
      buffered = 0;
    }
  }
  if (length >= 32) {
    consume(slot, ptr, length >> 5);
    ptr += length & ~31;
    length &= 31;
  }
  if (length) copyShort(buffer, ptr, length);
  store<u32>(slot, buffered + length, SLOT_BUFFERED);
}

/** The digest of what was taken so far; the slot is unchanged. */
export function xxh64Final(slot: usize): u64 {
  return conclude(slot, load<u64>(slot, SLOT_TOTAL), slot + XXH64_BUFFER);
}

/** Joins the accumulators for `total` bytes, whose last total mod 32 lie at `tail`. */
function conclude(slot: usize, total: u64, tail: usize): u64 {
  let h: u64 = load<u64>(slot, XXH64_SEED) + P5;
  if (total >= 32) {
    const v1 = load<u64>(slot, SLOT_STATE), v2 = load<u64>(slot, SLOT_STATE + 8);
    const v3 = load<u64>(slot, SLOT_STATE + 16), v4 = load<u64>(slot, SLOT_STATE + 24);
    h = rotl<u64>(v1, 1) + rotl<u64>(v2, 7) + rotl<u64>(v3, 12) + rotl<u64>(v4, 18);
    h = merge(merge(merge(merge(h, v1), v2), v3), v4);
  }
  return finish(h + total, tail, <u32>total & 31);
}

/** One-shot XXH64; `slot` is working space. */
export function xxh64(slot: usize, ptr: usize, length: u32, seed: u64): u64 {
  xxh64Init(slot, seed);
  consume(slot, ptr, length >> 5);
  return conclude(slot, length, ptr + (length & ~31));
}
