/**
 * The Rabin-Karp rolling sum of librsync 2.2 and later: a block of n bytes has
 *
 *   hash = M^n + sum of M^(n - 1 - i) * b[i]   mod 2^32, bytes unsigned
 *
 * so that one byte further on it is hash * M + in - M^n * (out + M - 1).
 */

const M: u32 = 0x08104225;
const M2: u32 = 0xa5b71959;
const M3: u32 = M2 * M;
const M4: u32 = 0xf9c080f1;
const M8: u32 = 0x7c71e2e1;
const M12: u32 = M8 * M4;
const M16: u32 = 0x0bb409c1;
/** M * INVERSE is 1. */
const INVERSE: u32 = 0x98f009ad;

/** M to the power of n. */
export function rabinKarpPower(n: u32): u32 {
  let power: u32 = 1;
  for (let square = M; n; n >>= 1, square *= square) if (n & 1) power *= square;
  return power;
}

// @ts-ignore: decorator
@inline
function widen(words: v128, high: bool): v128 {
  return high ? i32x4.extend_high_i16x8_u(words) : i32x4.extend_low_i16x8_u(words);
}

/** The sum of a block: four lanes, each over every fourth byte, after the bytes that make no row of 16. */
export function rabinKarp(ptr: usize, byteLength: u32): u32 {
  let hash: u32 = 1;
  const end = ptr + byteLength;
  for (const row = ptr + (byteLength & 15); ptr < row; ptr++) hash = hash * M + load<u8>(ptr);
  let lanes: v128 = i32x4(0, 0, 0, <i32>hash);
  for (; ptr < end; ptr += 16) {
    const low = v128.load_ext<u8>(ptr), high = v128.load_ext<u8>(ptr, 8);
    const a = i32x4.mul(widen(low, false), i32x4.splat(M12)), b = i32x4.mul(widen(low, true), i32x4.splat(M8));
    const c = i32x4.mul(widen(high, false), i32x4.splat(M4)), d = widen(high, true);
    lanes = i32x4.mul(lanes, i32x4.splat(M16));
    lanes = i32x4.add(lanes, i32x4.add(i32x4.add(a, b), i32x4.add(c, d)));
  }
  return <u32>i32x4.extract_lane(lanes, 0) * M3 + <u32>i32x4.extract_lane(lanes, 1) * M2
    + <u32>i32x4.extract_lane(lanes, 2) * M + <u32>i32x4.extract_lane(lanes, 3);
}

/** The sum one byte further on; `power` is M^n. */
export function rabinKarpRoll(hash: u32, power: u32, out: u32, entering: u32): u32 {
  return hash * M + entering - power * (out + M - 1);
}

/** The sum without the block's first byte; `power` is M^(n - 1), n with that byte. */
export function rabinKarpDrop(hash: u32, power: u32, out: u32): u32 {
  return hash - power * (out + M - 1);
}

/** M^(n - 1) from M^n. */
export function rabinKarpShorter(power: u32): u32 {
  return power * INVERSE;
}

/**
 * The sums of the `count` (a multiple of 8) offsets after `data`, from the sum at it, and `spread` times each, shifted
 * right by `shift`, plus `origin`.
 *
 * With d the change that each byte brings, four offsets are a prefix scan d, d0 * M + d1, ... of their own; what comes
 * from the offsets before is the carry times M, M^2, M^3, M^4. Only the carry, one multiplication in four bytes, is a
 * chain.
 */
export function rabinKarpBatch(data: usize, blockLength: u32, hash: u32, count: usize, sums: usize, places: usize,
  spread: u32, origin: usize, shift: u32): void {
  const power = rabinKarpPower(blockLength);
  const powers = i32x4.splat(power), adjust = i32x4.splat(power * (M - 1));
  const spreads = i32x4.splat(spread), origins = i32x4.splat(<i32>origin);
  for (let at: usize = 0; at < count; at += 8) {
    const out = v128.load_ext<u8>(data + at), entering = v128.load_ext<u8>(data + blockLength + at);
    for (let half: usize = 0; half < 2; half++) {
      const leaves = half ? widen(out, true) : widen(out, false);
      const enters = half ? widen(entering, true) : widen(entering, false);
      let scan: v128 = i32x4.sub(i32x4.sub(enters, adjust), i32x4.mul(leaves, powers));
      const zero = i32x4.splat(0);
      scan = i32x4.add(scan, i32x4.mul(v128.shuffle<i32>(zero, scan, 3, 4, 5, 6), i32x4.splat(M)));
      scan = i32x4.add(scan, i32x4.mul(v128.shuffle<i32>(zero, scan, 2, 3, 4, 5), i32x4.splat(M2)));
      const carried = i32x4.mul(i32x4.splat(hash), i32x4(<i32>M, <i32>M2, <i32>M3, <i32>M4));
      hash = hash * M4 + <u32>i32x4.extract_lane(scan, 3);
      const values = i32x4.add(carried, scan);
      const to = (at << 2) + (half << 4);
      v128.store(sums + to, values);
      v128.store(places + to, i32x4.add(i32x4.shr_u(i32x4.mul(values, spreads), shift), origins));
    }
  }
}
