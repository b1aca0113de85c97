/**
 * What multi-buffer MD4 and MD5 share: up to twelve messages in lanes, four to a group, one group to an i32x4.
 *
 * A lane is the address of a message's next chunk, kept in scratch. Chaining states are lane-wise: vector w of group
 * g holds word w of the states of messages 4g .. 4g + 3.
 */
import { SCRATCH_LANES, SCRATCH_STATES, SCRATCH_WORDS } from "./memory";

export const LANES_MAX: u32 = 12;

/** Sets every lane to the initial state of MD4 and MD5 (RFC 1321 section 3.3). */
export function lanesInit(scratch: usize): void {
  for (let at = scratch + SCRATCH_STATES; at < scratch + SCRATCH_STATES + 192; at += 64) {
    v128.store(at, i32x4.splat(0x67452301));
    v128.store(at, i32x4.splat(0xefcdab89), 16);
    v128.store(at, i32x4.splat(0x98badcfe), 32);
    v128.store(at, i32x4.splat(0x10325476), 48);
  }
}

/** Points `count` lanes at `first`, `first + stride`, ...; lanes to spare repeat the last one. */
export function lanesPoint(scratch: usize, first: usize, stride: usize, count: u32): void {
  for (let lane: u32 = 0; lane < LANES_MAX; lane++) {
    store<u32>(scratch + (lane << 2), first + min<u32>(lane, count - 1) * stride, SCRATCH_LANES);
  }
}

/** Writes the 16-byte digest of a lane. */
export function laneDigest(scratch: usize, lane: u32, out: usize): void {
  const at = scratch + SCRATCH_STATES + ((lane >> 2) << 6) + ((lane & 3) << 2);
  store<u32>(out, load<u32>(at));
  store<u32>(out, load<u32>(at, 16), 4);
  store<u32>(out, load<u32>(at, 32), 8);
  store<u32>(out, load<u32>(at, 48), 12);
}

/** Transposes the chunks at `offset` of group `group`'s four lanes into sixteen vectors of words. */
// @ts-ignore: decorator
@inline
export function transpose(scratch: usize, group: usize, offset: usize): void {
  const lanes = scratch + (group << 4), words = scratch + SCRATCH_WORDS + (group << 8);
  const p0 = load<u32>(lanes, SCRATCH_LANES) + offset, p1 = load<u32>(lanes, SCRATCH_LANES + 4) + offset;
  const p2 = load<u32>(lanes, SCRATCH_LANES + 8) + offset, p3 = load<u32>(lanes, SCRATCH_LANES + 12) + offset;
  for (let at: usize = 0; at < 64; at += 16) {
    const a = v128.load(p0 + at), b = v128.load(p1 + at), c = v128.load(p2 + at), d = v128.load(p3 + at);
    const abLow = v128.shuffle<u32>(a, b, 0, 4, 1, 5), abHigh = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
    const cdLow = v128.shuffle<u32>(c, d, 0, 4, 1, 5), cdHigh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
    const to = words + (at << 2);
    v128.store(to, v128.shuffle<u64>(abLow, cdLow, 0, 2));
    v128.store(to, v128.shuffle<u64>(abLow, cdLow, 1, 3), 16);
    v128.store(to, v128.shuffle<u64>(abHigh, cdHigh, 0, 2), 32);
    v128.store(to, v128.shuffle<u64>(abHigh, cdHigh, 1, 3), 48);
  }
}

// @ts-ignore: decorator
@inline
export function rotate(v: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(v, bits), i32x4.shr_u(v, 32 - bits));
}

// @ts-ignore: decorator
@inline
export function add3(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(i32x4.add(a, b), c);
}
