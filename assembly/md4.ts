/**
 * MD4 (RFC 1320): the compression of consecutive 64-byte chunks of one stream. Laid out as md5.ts.
 *
 * Where rsync's historical variants differ from the RFC (tail and length field) is digest.ts's matter.
 */
import { SLOT_STATE } from "./memory";

const SQRT2: u32 = 0x5a827999;
const SQRT3: u32 = 0x6ed9eba1;

// @ts-ignore: decorator
@inline
function f(a: u32, b: u32, c: u32, d: u32, m: u32, s: u32): u32 {
  return rotl<u32>(a + m + (d ^ (b & (c ^ d))), s);
}

// @ts-ignore: decorator
@inline
function g(a: u32, b: u32, c: u32, d: u32, m: u32, s: u32): u32 {
  return rotl<u32>(a + m + SQRT2 + ((b & c) | (d & (b | c))), s);
}

// @ts-ignore: decorator
@inline
function h(a: u32, b: u32, c: u32, d: u32, m: u32, s: u32): u32 {
  return rotl<u32>(a + m + SQRT3 + (b ^ c ^ d), s);
}

/** Offset of the first word of turn `n` in round 3: words 0, 2, 1, 3. */
// @ts-ignore: decorator
@inline
function swapped(n: u32): u32 {
  return ((n & 1) << 3) | ((n & 2) << 1);
}

/** Runs the chaining state of `slot` over `chunks` chunks of 64 bytes at `ptr`. */
export function md4Compress(slot: usize, ptr: usize, chunks: u32): void {
  let a = load<u32>(slot, SLOT_STATE), b = load<u32>(slot, SLOT_STATE + 4);
  let c = load<u32>(slot, SLOT_STATE + 8), d = load<u32>(slot, SLOT_STATE + 12);
  for (; chunks; chunks--, ptr += 64) {
    const a0 = a, b0 = b, c0 = c, d0 = d;
    for (let n: u32 = 0; n < 4; n++) {
      const m = ptr + (n << 4);
      a = f(a, b, c, d, load<u32>(m), 3);
      d = f(d, a, b, c, load<u32>(m, 4), 7);
      c = f(c, d, a, b, load<u32>(m, 8), 11);
      b = f(b, c, d, a, load<u32>(m, 12), 19);
    }
    for (let n: u32 = 0; n < 4; n++) {
      const m = ptr + (n << 2);
      a = g(a, b, c, d, load<u32>(m), 3);
      d = g(d, a, b, c, load<u32>(m, 16), 5);
      c = g(c, d, a, b, load<u32>(m, 32), 9);
      b = g(b, c, d, a, load<u32>(m, 48), 13);
    }
    for (let n: u32 = 0; n < 4; n++) {
      const m = ptr + swapped(n);
      a = h(a, b, c, d, load<u32>(m), 3);
      d = h(d, a, b, c, load<u32>(m, 32), 9);
      c = h(c, d, a, b, load<u32>(m, 16), 11);
      b = h(b, c, d, a, load<u32>(m, 48), 15);
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
