/**
 * MD5 (RFC 1321): the compression of consecutive 64-byte chunks of one stream.
 *
 * A round is four turns of one loop of four steps, whose shift amounts repeat. The chain of steps bounds the speed,
 * so fetching constants and words by index costs nothing. Rounds 1 and 2 add the two disjoint halves of their bit
 * function apart, because the half without b is ready a step early.
 */
import { SLOT_STATE } from "./memory";

/** The 64 sine constants T[i] = floor(2^32 * abs(sin(i + 1))), RFC 1321 section 3.4. */
export const MD5_T = memory.data<u32>([
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
  0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
  0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
  0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
  0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
  0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
  0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
  0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
], 16);

// @ts-ignore: decorator
@inline
function f(a: u32, b: u32, c: u32, d: u32, m: u32, t: u32, s: u32): u32 {
  return b + rotl<u32>(a + m + t + (d ^ (b & (c ^ d))), s);
}

// @ts-ignore: decorator
@inline
function g(a: u32, b: u32, c: u32, d: u32, m: u32, t: u32, s: u32): u32 {
  return b + rotl<u32>(a + m + t + (c & ~d) + (b & d), s);
}

// @ts-ignore: decorator
@inline
function h(a: u32, b: u32, c: u32, d: u32, m: u32, t: u32, s: u32): u32 {
  return b + rotl<u32>(a + m + t + (b ^ (c ^ d)), s);
}

// @ts-ignore: decorator
@inline
function i(a: u32, b: u32, c: u32, d: u32, m: u32, t: u32, s: u32): u32 {
  return b + rotl<u32>(a + m + t + (c ^ (b | ~d)), s);
}

/** Message word of step `n` in a round that starts at word `first` and strides by `stride`. */
// @ts-ignore: decorator
@inline
function word(ptr: usize, index: u32): u32 {
  return load<u32>(ptr + ((index & 15) << 2));
}

/** Runs the chaining state of `slot` over `chunks` chunks of 64 bytes at `ptr`. */
export function md5Compress(slot: usize, ptr: usize, chunks: u32): void {
  let a = load<u32>(slot, SLOT_STATE), b = load<u32>(slot, SLOT_STATE + 4);
  let c = load<u32>(slot, SLOT_STATE + 8), d = load<u32>(slot, SLOT_STATE + 12);
  for (; chunks; chunks--, ptr += 64) {
    const a0 = a, b0 = b, c0 = c, d0 = d;
    for (let n: u32 = 0; n < 16; n += 4) {
      const t = MD5_T + (n << 2), m = ptr + (n << 2);
      a = f(a, b, c, d, load<u32>(m), load<u32>(t), 7);
      d = f(d, a, b, c, load<u32>(m, 4), load<u32>(t, 4), 12);
      c = f(c, d, a, b, load<u32>(m, 8), load<u32>(t, 8), 17);
      b = f(b, c, d, a, load<u32>(m, 12), load<u32>(t, 12), 22);
    }
    for (let n: u32 = 16, w: u32 = 1; n < 32; n += 4, w += 20) {
      const t = MD5_T + (n << 2);
      a = g(a, b, c, d, word(ptr, w), load<u32>(t), 5);
      d = g(d, a, b, c, word(ptr, w + 5), load<u32>(t, 4), 9);
      c = g(c, d, a, b, word(ptr, w + 10), load<u32>(t, 8), 14);
      b = g(b, c, d, a, word(ptr, w + 15), load<u32>(t, 12), 20);
    }
    for (let n: u32 = 32, w: u32 = 5; n < 48; n += 4, w += 12) {
      const t = MD5_T + (n << 2);
      a = h(a, b, c, d, word(ptr, w), load<u32>(t), 4);
      d = h(d, a, b, c, word(ptr, w + 3), load<u32>(t, 4), 11);
      c = h(c, d, a, b, word(ptr, w + 6), load<u32>(t, 8), 16);
      b = h(b, c, d, a, word(ptr, w + 9), load<u32>(t, 12), 23);
    }
    for (let n: u32 = 48, w: u32 = 0; n < 64; n += 4, w += 28) {
      const t = MD5_T + (n << 2);
      a = i(a, b, c, d, word(ptr, w), load<u32>(t), 6);
      d = i(d, a, b, c, word(ptr, w + 7), load<u32>(t, 4), 10);
      c = i(c, d, a, b, word(ptr, w + 14), load<u32>(t, 8), 15);
      b = i(b, c, d, a, word(ptr, w + 21), load<u32>(t, 12), 21);
    }
    a += a0;
    b += b0;
    c += c0;
    d += d0;
  }
  store<u32>(slot, a, SLOT_STATE);
  store<u32>(slot, b, SLOT_STATE + 4);
  store<u32>(slot, c, SLOT_STATE + 8);
  store<u32>(slot, d, SLOT_STATE + 12);
}
