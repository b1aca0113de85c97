/**
 * SHA1 (RFC 3174): the compression of consecutive 64-byte chunks of one stream.
 *
 * The message schedule of 80 words is written to the slot first, then four rounds of 20 steps read it.
 */
import { SHA1_SCHEDULE, SLOT_STATE } from "./memory";

// @ts-ignore: decorator
@inline
function rotate(v: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(v, bits), i32x4.shr_u(v, 32 - bits));
}

/**
 * Writes the 80 schedule words of the chunk at `ptr` to `w`, four at a time: 16 big-endian words, then the
 * recurrence. W[t + 3] needs W[t] of its own vector, which is mended afterwards; from t = 32 on the recurrence is
 * applied twice over, which reaches back 6 words at least. All loads are whole stored vectors.
 */
function expand(w: usize, ptr: usize): void {
  const zero = i32x4.splat(0);
  for (let at: usize = 0; at < 64; at += 16) {
    const v = v128.load(ptr + at);
    v128.store(w + at, v128.shuffle<u8>(v, v, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
  }
  for (const end = w + 64; w < end; w += 16) {
    const back16 = v128.load(w), back14 = v128.shuffle<u32>(back16, v128.load(w, 16), 2, 3, 4, 5);
    const back3 = v128.shuffle<u32>(v128.load(w, 48), zero, 1, 2, 3, 4);
    const v = rotate(v128.xor(v128.xor(back16, back14), v128.xor(v128.load(w, 32), back3)), 1);
    v128.store(w, v128.xor(v, rotate(v128.shuffle<u32>(zero, v, 0, 1, 2, 4), 1)), 64);
  }
  for (const end = w + 192; w < end; w += 16) {
    const back6 = v128.shuffle<u32>(v128.load(w, 32), v128.load(w, 48), 2, 3, 4, 5);
    const older = v128.xor(v128.load(w - 64), v128.load(w - 48));
    v128.store(w, rotate(v128.xor(v128.xor(older, v128.load(w)), back6), 2), 64);
  }
}

// @ts-ignore: decorator
@inline
function choose(b: u32, c: u32, d: u32): u32 {
  return d ^ (b & (c ^ d));
}

// @ts-ignore: decorator
@inline
function parity(b: u32, c: u32, d: u32): u32 {
  return b ^ c ^ d;
}

// @ts-ignore: decorator
@inline
function majority(b: u32, c: u32, d: u32): u32 {
  return (b & c) | (d & (b | c));
}

// @ts-ignore: decorator
@inline
function step(a: u32, e: u32, mix: u32, word: u32): u32 {
  return rotl<u32>(a, 5) + (mix + (e + word));
}

/**
 * Runs the chaining state of `slot` over `chunks` chunks of 64 bytes at `ptr`. Five steps a turn, with the roles of
 * the five words moved on by naming, so that no word is copied.
 */
export function sha1Compress(slot: usize, ptr: usize, chunks: u32): void {
  const w = slot + SHA1_SCHEDULE;
  let a = load<u32>(slot, SLOT_STATE), b = load<u32>(slot, SLOT_STATE + 4), c = load<u32>(slot, SLOT_STATE + 8);
  let d = load<u32>(slot, SLOT_STATE + 12), e = load<u32>(slot, SLOT_STATE + 16);
  for (; chunks; chunks--, ptr += 64) {
    expand(w, ptr);
    const a0 = a, b0 = b, c0 = c, d0 = d, e0 = e;
    for (let t = w; t < w + 80; t += 20) {
      e = step(a, e, choose(b, c, d) + 0x5a827999, load<u32>(t));
      b = rotl<u32>(b, 30);
      d = step(e, d, choose(a, b, c) + 0x5a827999, load<u32>(t, 4));
      a = rotl<u32>(a, 30);
      c = step(d, c, choose(e, a, b) + 0x5a827999, load<u32>(t, 8));
      e = rotl<u32>(e, 30);
      b = step(c, b, choose(d, e, a) + 0x5a827999, load<u32>(t, 12));
      d = rotl<u32>(d, 30);
      a = step(b, a, choose(c, d, e) + 0x5a827999, load<u32>(t, 16));
      c = rotl<u32>(c, 30);
    }
    for (let t = w + 80; t < w + 160; t += 20) {
      e = step(a, e, parity(b, c, d) + 0x6ed9eba1, load<u32>(t));
      b = rotl<u32>(b, 30);
      d = step(e, d, parity(a, b, c) + 0x6ed9eba1, load<u32>(t, 4));
      a = rotl<u32>(a, 30);
      c = step(d, c, parity(e, a, b) + 0x6ed9eba1, load<u32>(t, 8));
      e = rotl<u32>(e, 30);
      b = step(c, b, parity(d, e, a) + 0x6ed9eba1, load<u32>(t, 12));
      d = rotl<u32>(d, 30);
      a = step(b, a, parity(c, d, e) + 0x6ed9eba1, load<u32>(t, 16));
      c = rotl<u32>(c, 30);
    }
    for (let t = w + 160; t < w + 240; t += 20) {
      e = step(a, e, majority(b, c, d) + 0x8f1bbcdc, load<u32>(t));
      b = rotl<u32>(b, 30);
      d = step(e, d, majority(a, b, c) + 0x8f1bbcdc, load<u32>(t, 4));
      a = rotl<u32>(a, 30);
      c = step(d, c, majority(e, a, b) + 0x8f1bbcdc, load<u32>(t, 8));
      e = rotl<u32>(e, 30);
      b = step(c, b, majority(d, e, a) + 0x8f1bbcdc, load<u32>(t, 12));
      d = rotl<u32>(d, 30);
      a = step(b, a, majority(c, d, e) + 0x8f1bbcdc, load<u32>(t, 16));
      c = rotl<u32>(c, 30);
    }
    for (let t = w + 240; t < w + 320; t += 20) {
      e = step(a, e, parity(b, c, d) + 0xca62c1d6, load<u32>(t));
      b = rotl<u32>(b, 30);
      d = step(e, d, parity(a, b, c) + 0xca62c1d6, load<u32>(t, 4));
      a = rotl<u32>(a, 30);
      c = step(d, c, parity(e, a, b) + 0xca62c1d6, load<u32>(t, 8));
      e = rotl<u32>(e, 30);
      b = step(c, b, parity(d, e, a) + 0xca62c1d6, load<u32>(t, 12));
      d = rotl<u32>(d, 30);
      a = step(b, a, parity(c, d, e) + 0xca62c1d6, load<u32>(t, 16));
      c = rotl<u32>(c, 30);
    }
    a += a0;
    b += b0;
    c += c0;
    d += d0;
    e += e0;
  }
  store<u32>(slot, a, SLOT_STATE);
  store<u32>(slot, b, SLOT_STATE + 4);
  store<u32>(slot, c, SLOT_STATE + 8);
  store<u32>(slot, d, SLOT_STATE + 12);
  store<u32>(slot, e, SLOT_STATE + 16);
}
