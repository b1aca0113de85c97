/**
 * XXH3-64 and XXH3-128 of inputs up to 240 bytes (xxHash specification, XXH3 algorithm for small inputs).
 *
 * Five ranges of lengths, each with its own mix of input, default secret and seed: 0, 1-3, 4-8, 9-16, 17-128,
 * 129-240. WebAssembly returns one value, so the two halves of a 128-bit digest are two calls; such inputs are short
 * and rare (the last block of a file, tiny files).
 */
import { P1, P2, P4, xxh64Avalanche } from "./xxh64";

/** The default secret of 192 bytes (xxHash specification, kSecret). */
export const DEFAULT_SECRET = memory.data<u8>([
  0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
  0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
  0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
  0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
  0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
  0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
  0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
  0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
  0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
  0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
  0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
  0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
], 16);

const MIX1: u64 = 0x165667919e3779f9;
const MIX2: u64 = 0x9fb21c651e98df25;
const P32_2: u64 = 0x85ebca77;
/** Where the secret's window for the last 16 bytes of 129-240 byte inputs starts: 136 - 17. */
const MID_LAST: usize = 119;

/** High 64 bits of the 128-bit product. */
// @ts-ignore: decorator
@inline
function mulHigh(a: u64, b: u64): u64 {
  const al = a & 0xffffffff, ah = a >> 32, bl = b & 0xffffffff, bh = b >> 32;
  const hl = ah * bl;
  const cross = ((al * bl) >> 32) + (hl & 0xffffffff) + al * bh;
  return (hl >> 32) + (cross >> 32) + ah * bh;
}

/** The halves of the 128-bit product, xored. */
export function mulFold(a: u64, b: u64): u64 {
  return (a * b) ^ mulHigh(a, b);
}

export function xxh3Avalanche(h: u64): u64 {
  h = (h ^ (h >> 37)) * MIX1;
  return h ^ (h >> 32);
}

/** Xor of the two secret words at `offset`. */
// @ts-ignore: decorator
@inline
function flip(offset: usize): u64 {
  return load<u64>(DEFAULT_SECRET + offset) ^ load<u64>(DEFAULT_SECRET + offset, 8);
}

// @ts-ignore: decorator
@inline
function flip32(offset: usize): u64 {
  return <u64>(load<u32>(DEFAULT_SECRET + offset) ^ load<u32>(DEFAULT_SECRET + offset, 4));
}

// @ts-ignore: decorator
@inline
function mix16(ptr: usize, secret: usize, seed: u64): u64 {
  const s = DEFAULT_SECRET + secret;
  return mulFold(load<u64>(ptr) ^ (load<u64>(s) + seed), load<u64>(ptr, 8) ^ (load<u64>(s, 8) - seed));
}

/** What one half of the 128-bit mix takes from 16 bytes with secret, and from the 16 others plainly. */
// @ts-ignore: decorator
@inline
function mix32(acc: u64, mixed: usize, plain: usize, secret: usize, seed: u64): u64 {
  return (acc + mix16(mixed, secret, seed)) ^ (load<u64>(plain) + load<u64>(plain, 8));
}

/** The bytes of a 1-3 byte input and its length in one word. */
// @ts-ignore: decorator
@inline
function combine3(ptr: usize, length: u32): u32 {
  const middle = load<u8>(ptr + (length >> 1)), last = load<u8>(ptr + length - 1);
  return (<u32>load<u8>(ptr) << 16) | (<u32>middle << 24) | <u32>last | (length << 8);
}

// @ts-ignore: decorator
@inline
function seed48(seed: u64): u64 {
  return seed ^ (<u64>bswap<u32>(<u32>seed) << 32);
}

/** The low half of the 128-bit digest (`wide`), or the 64-bit digest, of a short input. */
export function shortLow(ptr: usize, length: u32, seed: u64, wide: boolean): u64 {
  if (!wide) return short64(ptr, length, seed);
  if (length > 16) return mid128(ptr, length, seed, false);
  if (length > 8) return nine128(ptr, length, seed, false);
  if (length > 3) return four128(ptr, length, seed, false);
  if (length) return xxh64Avalanche(<u64>combine3(ptr, length) ^ (flip32(0) + seed));
  return xxh64Avalanche(seed ^ flip(64));
}

/** The high half of the 128-bit digest of a short input. */
export function shortHigh(ptr: usize, length: u32, seed: u64): u64 {
  if (length > 16) return mid128(ptr, length, seed, true);
  if (length > 8) return nine128(ptr, length, seed, true);
  if (length > 3) return four128(ptr, length, seed, true);
  if (!length) return xxh64Avalanche(seed ^ flip(80));
  return xxh64Avalanche(<u64>rotl<u32>(bswap<u32>(combine3(ptr, length)), 13) ^ (flip32(8) - seed));
}

function short64(ptr: usize, length: u32, seed: u64): u64 {
  if (length > 128) return upTo240(ptr, length, seed);
  if (length > 16) return upTo128(ptr, length, seed);
  if (length > 8) {
    const lo = load<u64>(ptr) ^ (flip(24) + seed);
    const hi = load<u64>(ptr + length - 8) ^ (flip(40) - seed);
    return xxh3Avalanche(<u64>length + bswap<u64>(lo) + hi + mulFold(lo, hi));
  }
  if (length > 3) {
    let h = (<u64>load<u32>(ptr + length - 4) + (<u64>load<u32>(ptr) << 32)) ^ (flip(8) - seed48(seed));
    h ^= rotl<u64>(h, 49) ^ rotl<u64>(h, 24);
    h *= MIX2;
    h ^= (h >> 35) + length;
    h *= MIX2;
    return h ^ (h >> 28);
  }
  if (length) return xxh64Avalanche(<u64>combine3(ptr, length) ^ (flip32(0) + seed));
  return xxh64Avalanche(seed ^ flip(56));
}

/** 17 to 128 bytes: pairs of 16 bytes from both ends, from the middle outwards. */
function upTo128(ptr: usize, length: u32, seed: u64): u64 {
  let acc = <u64>length * P1;
  for (let i = <i32>(length - 1) >> 5; i >= 0; i--) {
    acc += mix16(ptr + (i << 4), i << 5, seed);
    acc += mix16(ptr + length - ((i + 1) << 4), (i << 5) + 16, seed);
  }
  return xxh3Avalanche(acc);
}

function upTo240(ptr: usize, length: u32, seed: u64): u64 {
  let acc = <u64>length * P1;
  for (let i: u32 = 0; i < 128; i += 16) acc += mix16(ptr + i, i, seed);
  acc = xxh3Avalanche(acc);
  for (let i: u32 = 128; i + 16 <= length; i += 16) acc += mix16(ptr + i, i - 128 + 3, seed);
  return xxh3Avalanche(acc + mix16(ptr + length - 16, MID_LAST, seed));
}

function four128(ptr: usize, length: u32, seed: u64, high: boolean): u64 {
  const input = <u64>load<u32>(ptr) + (<u64>load<u32>(ptr + length - 4) << 32);
  const keyed = input ^ (flip(16) + seed48(seed));
  const factor = P1 + (length << 2);
  let lo = keyed * factor;
  const hi = mulHigh(keyed, factor) + (lo << 1);
  if (high) return xxh3Avalanche(hi);
  lo ^= hi >> 3;
  lo = (lo ^ (lo >> 35)) * MIX2;
  return lo ^ (lo >> 28);
}

function nine128(ptr: usize, length: u32, seed: u64, high: boolean): u64 {
  const first = load<u64>(ptr), last = load<u64>(ptr + length - 8);
  const keyed = first ^ last ^ (flip(32) - seed);
  const flipped = last ^ (flip(48) + seed);
  const lo = keyed * P1 + (<u64>(length - 1) << 54);
  const hi = mulHigh(keyed, P1) + flipped + (flipped & 0xffffffff) * (P32_2 - 1);
  const mixed = lo ^ bswap<u64>(hi);
  return xxh3Avalanche(high ? mulHigh(mixed, P2) + hi * P2 : mixed * P2);
}

/** 17 to 240 bytes: two accumulators, low and high, over pairs of 16 bytes. */
function mid128(ptr: usize, length: u32, seed: u64, high: boolean): u64 {
  let lo: u64 = <u64>length * P1, hi: u64 = 0;
  if (length <= 128) {
    for (let i = <i32>(length - 1) >> 5; i >= 0; i--) {
      const front = ptr + (i << 4), back = ptr + length - ((i + 1) << 4);
      lo = mix32(lo, front, back, i << 5, seed);
      hi = mix32(hi, back, front, (i << 5) + 16, seed);
    }
  } else {
    for (let i: u32 = 0; i < 128; i += 32) {
      lo = mix32(lo, ptr + i, ptr + i + 16, i, seed);
      hi = mix32(hi, ptr + i + 16, ptr + i, i + 16, seed);
    }
    lo = xxh3Avalanche(lo);
    hi = xxh3Avalanche(hi);
    for (let i: u32 = 128; i + 32 <= length; i += 32) {
      lo = mix32(lo, ptr + i, ptr + i + 16, i - 128 + 3, seed);
      hi = mix32(hi, ptr + i + 16, ptr + i, i - 128 + 19, seed);
    }
    const end = ptr + length;
    lo = mix32(lo, end - 16, end - 32, MID_LAST - 16, 0 - seed);
    hi = mix32(hi, end - 32, end - 16, MID_LAST, 0 - seed);
  }
  if (!high) return xxh3Avalanche(lo + hi);
  return 0 - xxh3Avalanche(lo * P1 + hi * P4 + (<u64>length - seed) * P2);
}
