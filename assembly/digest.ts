/**
 * Running digests on slots: one interface over all algorithms, any number live at once.
 *
 * MD4, MD5 and SHA1 share one buffer discipline here; XXH64 and XXH3 bring their own. The historical MD4 variants
 * (upstream checksum.c with lib/mdfour.c, protocols before 27) differ in the end only: nothing is padded when the
 * length is a multiple of 64, and of the bit count only 32 bits are written.
 */
import { copyShort, zeroVectors } from "./copy";
import { md4Compress } from "./md4";
import { md5Compress } from "./md5";
import {
  BLAKE2B, MD4, MD4_ARCHAIC, MD4_BUSTED, MD4_OLD, MD5, MD_BUFFER, NONE, SHA1, SLOT_ALGORITHM, SLOT_BUFFERED,
  SLOT_STATE, SLOT_TOTAL, XXH3_128, XXH3_64, XXH64,
} from "./memory";
import { sha1Compress } from "./sha1";
import { xxh3Final, xxh3Init, xxh3Update } from "./xxh3";
import { xxh64Final, xxh64Init, xxh64Update } from "./xxh64";

/** Bytes of an algorithm's digest (upstream checksum.c:csum_len_for_type). */
export function digestBytes(algorithm: i32): u32 {
  if (algorithm == NONE) return 1;
  if (algorithm == SHA1) return 20;
  if (algorithm == BLAKE2B) return 32;
  return algorithm == XXH64 || algorithm == XXH3_64 ? 8 : 16;
}

/** Whether the algorithm ends as MD4 did before protocol 27. */
// @ts-ignore: decorator
@inline
export function isBusted(algorithm: i32): boolean {
  return algorithm == MD4_BUSTED || algorithm == MD4_ARCHAIC;
}

function mdCompress(algorithm: i32, slot: usize, ptr: usize, chunks: u32): void {
  if (algorithm == MD5) md5Compress(slot, ptr, chunks);
  else if (algorithm == SHA1) sha1Compress(slot, ptr, chunks);
  else md4Compress(slot, ptr, chunks);
}

function mdInit(slot: usize): void {
  store<i32>(slot, 0, SLOT_BUFFERED);
  store<u64>(slot, 0, SLOT_TOTAL);
  store<u32>(slot, 0x67452301, SLOT_STATE);
  store<u32>(slot, 0xefcdab89, SLOT_STATE + 4);
  store<u32>(slot, 0x98badcfe, SLOT_STATE + 8);
  store<u32>(slot, 0x10325476, SLOT_STATE + 12);
  store<u32>(slot, 0xc3d2e1f0, SLOT_STATE + 16);
}

export function mdUpdate(algorithm: i32, slot: usize, ptr: usize, length: u32): void {
  const buffer = slot + MD_BUFFER;
  let buffered = load<u32>(slot, SLOT_BUFFERED);
  store<u64>(slot, load<u64>(slot, SLOT_TOTAL) + length, SLOT_TOTAL);
  if (buffered) {
    const take = min<u32>(64 - buffered, length);
    copyShort(buffer + buffered, ptr, take);
    buffered += take;
    ptr += take;
    length -= take;
    if (buffered == 64) {
      mdCompress(algorithm, slot, buffer, 1);
      buffered = 0;
    }
  }
  if (length >= 64) {
    mdCompress(algorithm, slot, ptr, length >> 6);
    ptr += length & ~63;
    length &= 63;
  }
  if (length) copyShort(buffer + buffered, ptr, length);
  store<u32>(slot, buffered + length, SLOT_BUFFERED);
}

/** Writes the end of a message: the bit count at the end of the chunk at `at`, as the algorithm has it. */
export function storeBitCount(algorithm: i32, at: usize, total: u64): void {
  const bits = total << 3;
  if (algorithm == SHA1) store<u64>(at, bswap<u64>(bits));
  else store<u64>(at, isBusted(algorithm) ? bits & 0xffffffff : bits);
}

function mdFinal(algorithm: i32, slot: usize, out: usize): void {
  const buffer = slot + MD_BUFFER;
  const buffered = load<u32>(slot, SLOT_BUFFERED);
  if (buffered || !isBusted(algorithm)) {
    for (let at = buffered; at < 64; at++) store<u8>(buffer + at, at == buffered ? 0x80 : 0);
    if (buffered >= 56) {
      mdCompress(algorithm, slot, buffer, 1);
      zeroVectors(buffer, 4);
    }
    storeBitCount(algorithm, buffer + 56, load<u64>(slot, SLOT_TOTAL));
    mdCompress(algorithm, slot, buffer, 1);
  }
  storeState(algorithm, slot, out);
}

/** Writes the chaining state as a digest. */
function storeState(algorithm: i32, slot: usize, out: usize): void {
  if (algorithm != SHA1) {
    v128.store(out, v128.load(slot, SLOT_STATE));
    return;
  }
  for (let i: usize = 0; i < 20; i += 4) store<u32>(out + i, bswap<u32>(load<u32>(slot + i, SLOT_STATE)));
}

/** Starts a digest on `slot`. Only XXH64 and XXH3 use the seed. */
export function digestInit(slot: usize, algorithm: i32, seedLow: u32, seedHigh: u32): void {
  store<i32>(slot, algorithm, SLOT_ALGORITHM);
  const seed = <u64>seedLow | (<u64>seedHigh << 32);
  if (algorithm == XXH64) xxh64Init(slot, seed);
  else if (algorithm == XXH3_64 || algorithm == XXH3_128) xxh3Init(slot, seed);
  else mdInit(slot);
}

/** Takes bytes into the digest on `slot`. */
export function digestUpdate(slot: usize, ptr: usize, length: u32): void {
  switch (load<i32>(slot, SLOT_ALGORITHM)) {
    case NONE: return;
    case XXH64: return xxh64Update(slot, ptr, length);
    case XXH3_64:
    case XXH3_128: return xxh3Update(slot, ptr, length);
    case MD4_ARCHAIC:
    case MD4_BUSTED:
    case MD4_OLD:
    case MD4: return mdUpdate(MD4, slot, ptr, length);
    case MD5: return mdUpdate(MD5, slot, ptr, length);
    default: return mdUpdate(SHA1, slot, ptr, length);
  }
}

/** Writes the digest to `out`, which must have room for 20 bytes, and returns its length. Uses the slot up. */
export function digestFinal(slot: usize, out: usize): u32 {
  const algorithm = load<i32>(slot, SLOT_ALGORITHM);
  if (algorithm == NONE) store<u8>(out, 0);
  else if (algorithm == XXH64) store<u64>(out, xxh64Final(slot));
  else if (algorithm == XXH3_64) xxh3Final(slot, false, out);
  else if (algorithm == XXH3_128) xxh3Final(slot, true, out);
  else mdFinal(algorithm, slot, out);
  return digestBytes(algorithm);
}
