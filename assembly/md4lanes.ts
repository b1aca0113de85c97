/**
 * MD4 of independent messages in lanes (layout in lanes.ts): four messages, or twelve as three groups of four.
 * Built as md5lanes.ts, which tells why there are barrier stores.
 */
import { add3, rotate, transpose } from "./lanes";
import { SCRATCH_SINK, SCRATCH_STATES, SCRATCH_WORDS } from "./memory";

// @ts-ignore: decorator
@inline
function f(a: v128, b: v128, c: v128, d: v128, m: v128, s: i32): v128 {
  return rotate(add3(a, m, v128.xor(d, v128.and(b, v128.xor(c, d)))), s);
}

// @ts-ignore: decorator
@inline
function g(a: v128, b: v128, c: v128, d: v128, m: v128, s: i32): v128 {
  const majority = v128.or(v128.and(b, c), v128.and(d, v128.or(b, c)));
  return rotate(add3(i32x4.add(a, m), i32x4.splat(0x5a827999), majority), s);
}

// @ts-ignore: decorator
@inline
function h(a: v128, b: v128, c: v128, d: v128, m: v128, s: i32): v128 {
  return rotate(add3(i32x4.add(a, m), i32x4.splat(0x6ed9eba1), v128.xor(b, v128.xor(c, d))), s);
}

// @ts-ignore: decorator
@inline
function barrier(scratch: usize, x: v128, y: v128, z: v128): void {
  v128.store(scratch, x, SCRATCH_SINK);
  v128.store(scratch, y, SCRATCH_SINK);
  v128.store(scratch, z, SCRATCH_SINK);
}

/** Runs the states of the first four lanes over `chunks` chunks each. */
export function md4Lanes4(scratch: usize, chunks: u32): void {
  const states = scratch + SCRATCH_STATES, words = scratch + SCRATCH_WORDS;
  let a0 = v128.load(states), b0 = v128.load(states, 16);
  let c0 = v128.load(states, 32), d0 = v128.load(states, 48);
  for (let offset: usize = 0; chunks; chunks--, offset += 64) {
    transpose(scratch, 0, offset);
    const A0 = a0, B0 = b0, C0 = c0, D0 = d0;
    for (let n: usize = 0; n < 4; n++) {
      const m = words + (n << 6);
      a0 = f(a0, b0, c0, d0, v128.load(m), 3);
      d0 = f(d0, a0, b0, c0, v128.load(m, 16), 7);
      c0 = f(c0, d0, a0, b0, v128.load(m, 32), 11);
      b0 = f(b0, c0, d0, a0, v128.load(m, 48), 19);
    }
    for (let n: usize = 0; n < 4; n++) {
      const m = words + (n << 4);
      a0 = g(a0, b0, c0, d0, v128.load(m), 3);
      d0 = g(d0, a0, b0, c0, v128.load(m, 64), 5);
      c0 = g(c0, d0, a0, b0, v128.load(m, 128), 9);
      b0 = g(b0, c0, d0, a0, v128.load(m, 192), 13);
    }
    for (let n: usize = 0; n < 4; n++) {
      const m = words + ((n & 1) << 5) + ((n & 2) << 3);
      a0 = h(a0, b0, c0, d0, v128.load(m), 3);
      d0 = h(d0, a0, b0, c0, v128.load(m, 128), 9);
      c0 = h(c0, d0, a0, b0, v128.load(m, 64), 11);
      b0 = h(b0, c0, d0, a0, v128.load(m, 192), 15);
    }
    a0 = i32x4.add(a0, A0);
    b0 = i32x4.add(b0, B0);
    c0 = i32x4.add(c0, C0);
    d0 = i32x4.add(d0, D0);
  }
  v128.store(states, a0);
  v128.store(states, b0, 16);
  v128.store(states, c0, 32);
  v128.store(states, d0, 48);
}

/**
 * Runs the states of twelve lanes over `chunks` chunks each. Long, because the three chains must stand side by side
 * in one loop.
 */
export function md4Lanes12(scratch: usize, chunks: u32): void {
  const states = scratch + SCRATCH_STATES, words = scratch + SCRATCH_WORDS;
  let a0 = v128.load(states), b0 = v128.load(states, 16);
  let c0 = v128.load(states, 32), d0 = v128.load(states, 48);
  let a1 = v128.load(states, 64), b1 = v128.load(states, 80);
  let c1 = v128.load(states, 96), d1 = v128.load(states, 112);
  let a2 = v128.load(states, 128), b2 = v128.load(states, 144);
  let c2 = v128.load(states, 160), d2 = v128.load(states, 176);
  for (let offset: usize = 0; chunks; chunks--, offset += 64) {
    transpose(scratch, 0, offset);
    transpose(scratch, 1, offset);
    transpose(scratch, 2, offset);
    const A0 = a0, B0 = b0, C0 = c0, D0 = d0;
    const A1 = a1, B1 = b1, C1 = c1, D1 = d1;
    const A2 = a2, B2 = b2, C2 = c2, D2 = d2;
    for (let n: usize = 0; n < 4; n++) {
      const m = words + (n << 6);
      a0 = f(a0, b0, c0, d0, v128.load(m), 3);
      a1 = f(a1, b1, c1, d1, v128.load(m, 256), 3);
      a2 = f(a2, b2, c2, d2, v128.load(m, 512), 3);
      d0 = f(d0, a0, b0, c0, v128.load(m, 16), 7);
      d1 = f(d1, a1, b1, c1, v128.load(m, 272), 7);
      d2 = f(d2, a2, b2, c2, v128.load(m, 528), 7);
      c0 = f(c0, d0, a0, b0, v128.load(m, 32), 11);
      c1 = f(c1, d1, a1, b1, v128.load(m, 288), 11);
      c2 = f(c2, d2, a2, b2, v128.load(m, 544), 11);
      b0 = f(b0, c0, d0, a0, v128.load(m, 48), 19);
      b1 = f(b1, c1, d1, a1, v128.load(m, 304), 19);
      b2 = f(b2, c2, d2, a2, v128.load(m, 560), 19);
      barrier(scratch, b0, b1, b2);
    }
    for (let n: usize = 0; n < 4; n++) {
      const m = words + (n << 4);
      a0 = g(a0, b0, c0, d0, v128.load(m), 3);
      a1 = g(a1, b1, c1, d1, v128.load(m, 256), 3);
      a2 = g(a2, b2, c2, d2, v128.load(m, 512), 3);
      d0 = g(d0, a0, b0, c0, v128.load(m, 64), 5);
      d1 = g(d1, a1, b1, c1, v128.load(m, 320), 5);
      d2 = g(d2, a2, b2, c2, v128.load(m, 576), 5);
      c0 = g(c0, d0, a0, b0, v128.load(m, 128), 9);
      c1 = g(c1, d1, a1, b1, v128.load(m, 384), 9);
      c2 = g(c2, d2, a2, b2, v128.load(m, 640), 9);
      b0 = g(b0, c0, d0, a0, v128.load(m, 192), 13);
      b1 = g(b1, c1, d1, a1, v128.load(m, 448), 13);
      b2 = g(b2, c2, d2, a2, v128.load(m, 704), 13);
      barrier(scratch, b0, b1, b2);
    }
    for (let n: usize = 0; n < 4; n++) {
      const m = words + ((n & 1) << 5) + ((n & 2) << 3);
      a0 = h(a0, b0, c0, d0, v128.load(m), 3);
      a1 = h(a1, b1, c1, d1, v128.load(m, 256), 3);
      a2 = h(a2, b2, c2, d2, v128.load(m, 512), 3);
      d0 = h(d0, a0, b0, c0, v128.load(m, 128), 9);
      d1 = h(d1, a1, b1, c1, v128.load(m, 384), 9);
      d2 = h(d2, a2, b2, c2, v128.load(m, 640), 9);
      c0 = h(c0, d0, a0, b0, v128.load(m, 64), 11);
      c1 = h(c1, d1, a1, b1, v128.load(m, 320), 11);
      c2 = h(c2, d2, a2, b2, v128.load(m, 576), 11);
      b0 = h(b0, c0, d0, a0, v128.load(m, 192), 15);
      b1 = h(b1, c1, d1, a1, v128.load(m, 448), 15);
      b2 = h(b2, c2, d2, a2, v128.load(m, 704), 15);
      barrier(scratch, b0, b1, b2);
    }
    a0 = i32x4.add(a0, A0);
    b0 = i32x4.add(b0, B0);
    c0 = i32x4.add(c0, C0);
    d0 = i32x4.add(d0, D0);
    a1 = i32x4.add(a1, A1);
    b1 = i32x4.add(b1, B1);
    c1 = i32x4.add(c1, C1);
    d1 = i32x4.add(d1, D1);
    a2 = i32x4.add(a2, A2);
    b2 = i32x4.add(b2, B2);
    c2 = i32x4.add(c2, C2);
    d2 = i32x4.add(d2, D2);
  }
  v128.store(states, a0);
  v128.store(states, b0, 16);
  v128.store(states, c0, 32);
  v128.store(states, d0, 48);
  v128.store(states, a1, 64);
  v128.store(states, b1, 80);
  v128.store(states, c1, 96);
  v128.store(states, d1, 112);
  v128.store(states, a2, 128);
  v128.store(states, b2, 144);
  v128.store(states, c2, 160);
  v128.store(states, d2, 176);
}
