/**
 * MD5 of independent messages in lanes (layout in lanes.ts): four messages, or twelve as three groups of four.
 *
 * One stream is bound by the chain of dependent steps; other messages fill the waiting time. The chunks of all lanes
 * are transposed to scratch first, so step n of a group loads one vector: the same word of four messages.
 *
 * The barrier stores after each step write values nobody reads. Without them V8's scheduler, free to move pure
 * arithmetic, pulls the three chains apart again: 2.2 GB/s in place of 2.8, and 2.4 with a barrier every fourth step.
 */
import { add3, rotate, transpose } from "./lanes";
import { MD5_T } from "./md5";
import { SCRATCH_SINK, SCRATCH_STATES, SCRATCH_WORDS } from "./memory";

// @ts-ignore: decorator
@inline
function f(a: v128, b: v128, c: v128, d: v128, m: v128, k: v128, s: i32): v128 {
  return i32x4.add(b, rotate(i32x4.add(add3(a, m, k), v128.xor(d, v128.and(b, v128.xor(c, d)))), s));
}

// @ts-ignore: decorator
@inline
function g(a: v128, b: v128, c: v128, d: v128, m: v128, k: v128, s: i32): v128 {
  return i32x4.add(b, rotate(i32x4.add(add3(a, m, k), v128.xor(c, v128.and(d, v128.xor(b, c)))), s));
}

// @ts-ignore: decorator
@inline
function h(a: v128, b: v128, c: v128, d: v128, m: v128, k: v128, s: i32): v128 {
  return i32x4.add(b, rotate(i32x4.add(add3(a, m, k), v128.xor(b, v128.xor(c, d))), s));
}

// @ts-ignore: decorator
@inline
function i(a: v128, b: v128, c: v128, d: v128, m: v128, k: v128, s: i32): v128 {
  return i32x4.add(b, rotate(i32x4.add(add3(a, m, k), v128.xor(c, v128.or(b, v128.not(d)))), s));
}

/** Address of word `index` mod 16 of group 0. */
// @ts-ignore: decorator
@inline
function at(words: usize, index: usize): usize {
  return words + ((index & 15) << 4);
}

// @ts-ignore: decorator
@inline
function barrier(scratch: usize, x: v128, y: v128, z: v128): void {
  v128.store(scratch, x, SCRATCH_SINK);
  v128.store(scratch, y, SCRATCH_SINK);
  v128.store(scratch, z, SCRATCH_SINK);
}

/** Runs the states of the first four lanes over `chunks` chunks each. */
export function md5Lanes4(scratch: usize, chunks: u32): void {
  const states = scratch + SCRATCH_STATES, words = scratch + SCRATCH_WORDS;
  let a0 = v128.load(states), b0 = v128.load(states, 16);
  let c0 = v128.load(states, 32), d0 = v128.load(states, 48);
  for (let offset: usize = 0; chunks; chunks--, offset += 64) {
    transpose(scratch, 0, offset);
    const A0 = a0, B0 = b0, C0 = c0, D0 = d0;
    for (let n: usize = 0, w: usize = 0; n < 64; n += 16, w += 4) {
      const t = MD5_T + n;
      a0 = f(a0, b0, c0, d0, v128.load(at(words, w)), v128.load32_splat(t), 7);
      d0 = f(d0, a0, b0, c0, v128.load(at(words, w + 1)), v128.load32_splat(t, 4), 12);
      c0 = f(c0, d0, a0, b0, v128.load(at(words, w + 2)), v128.load32_splat(t, 8), 17);
      b0 = f(b0, c0, d0, a0, v128.load(at(words, w + 3)), v128.load32_splat(t, 12), 22);
    }
    for (let n: usize = 64, w: usize = 1; n < 128; n += 16, w += 20) {
      const t = MD5_T + n;
      a0 = g(a0, b0, c0, d0, v128.load(at(words, w)), v128.load32_splat(t), 5);
      d0 = g(d0, a0, b0, c0, v128.load(at(words, w + 5)), v128.load32_splat(t, 4), 9);
      c0 = g(c0, d0, a0, b0, v128.load(at(words, w + 10)), v128.load32_splat(t, 8), 14);
      b0 = g(b0, c0, d0, a0, v128.load(at(words, w + 15)), v128.load32_splat(t, 12), 20);
    }
    for (let n: usize = 128, w: usize = 5; n < 192; n += 16, w += 12) {
      const t = MD5_T + n;
      a0 = h(a0, b0, c0, d0, v128.load(at(words, w)), v128.load32_splat(t), 4);
      d0 = h(d0, a0, b0, c0, v128.load(at(words, w + 3)), v128.load32_splat(t, 4), 11);
      c0 = h(c0, d0, a0, b0, v128.load(at(words, w + 6)), v128.load32_splat(t, 8), 16);
      b0 = h(b0, c0, d0, a0, v128.load(at(words, w + 9)), v128.load32_splat(t, 12), 23);
    }
    for (let n: usize = 192, w: usize = 0; n < 256; n += 16, w += 28) {
      const t = MD5_T + n;
      a0 = i(a0, b0, c0, d0, v128.load(at(words, w)), v128.load32_splat(t), 6);
      d0 = i(d0, a0, b0, c0, v128.load(at(words, w + 7)), v128.load32_splat(t, 4), 10);
      c0 = i(c0, d0, a0, b0, v128.load(at(words, w + 14)), v128.load32_splat(t, 8), 15);
      b0 = i(b0, c0, d0, a0, v128.load(at(words, w + 21)), v128.load32_splat(t, 12), 21);
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
export function md5Lanes12(scratch: usize, chunks: u32): void {
  const states = scratch + SCRATCH_STATES, words = scratch + SCRATCH_WORDS;
  let k: v128, m: usize;
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
    for (let n: usize = 0, w: usize = 0; n < 64; n += 16, w += 4) {
      const t = MD5_T + n;
      k = v128.load32_splat(t);
      m = at(words, w);
      a0 = f(a0, b0, c0, d0, v128.load(m), k, 7);
      a1 = f(a1, b1, c1, d1, v128.load(m, 256), k, 7);
      a2 = f(a2, b2, c2, d2, v128.load(m, 512), k, 7);
      barrier(scratch, a0, a1, a2);
      k = v128.load32_splat(t, 4);
      m = at(words, w + 1);
      d0 = f(d0, a0, b0, c0, v128.load(m), k, 12);
      d1 = f(d1, a1, b1, c1, v128.load(m, 256), k, 12);
      d2 = f(d2, a2, b2, c2, v128.load(m, 512), k, 12);
      barrier(scratch, d0, d1, d2);
      k = v128.load32_splat(t, 8);
      m = at(words, w + 2);
      c0 = f(c0, d0, a0, b0, v128.load(m), k, 17);
      c1 = f(c1, d1, a1, b1, v128.load(m, 256), k, 17);
      c2 = f(c2, d2, a2, b2, v128.load(m, 512), k, 17);
      barrier(scratch, c0, c1, c2);
      k = v128.load32_splat(t, 12);
      m = at(words, w + 3);
      b0 = f(b0, c0, d0, a0, v128.load(m), k, 22);
      b1 = f(b1, c1, d1, a1, v128.load(m, 256), k, 22);
      b2 = f(b2, c2, d2, a2, v128.load(m, 512), k, 22);
      barrier(scratch, b0, b1, b2);
    }
    for (let n: usize = 64, w: usize = 1; n < 128; n += 16, w += 20) {
      const t = MD5_T + n;
      k = v128.load32_splat(t);
      m = at(words, w);
      a0 = g(a0, b0, c0, d0, v128.load(m), k, 5);
      a1 = g(a1, b1, c1, d1, v128.load(m, 256), k, 5);
      a2 = g(a2, b2, c2, d2, v128.load(m, 512), k, 5);
      barrier(scratch, a0, a1, a2);
      k = v128.load32_splat(t, 4);
      m = at(words, w + 5);
      d0 = g(d0, a0, b0, c0, v128.load(m), k, 9);
      d1 = g(d1, a1, b1, c1, v128.load(m, 256), k, 9);
      d2 = g(d2, a2, b2, c2, v128.load(m, 512), k, 9);
      barrier(scratch, d0, d1, d2);
      k = v128.load32_splat(t, 8);
      m = at(words, w + 10);
      c0 = g(c0, d0, a0, b0, v128.load(m), k, 14);
      c1 = g(c1, d1, a1, b1, v128.load(m, 256), k, 14);
      c2 = g(c2, d2, a2, b2, v128.load(m, 512), k, 14);
      barrier(scratch, c0, c1, c2);
      k = v128.load32_splat(t, 12);
      m = at(words, w + 15);
      b0 = g(b0, c0, d0, a0, v128.load(m), k, 20);
      b1 = g(b1, c1, d1, a1, v128.load(m, 256), k, 20);
      b2 = g(b2, c2, d2, a2, v128.load(m, 512), k, 20);
      barrier(scratch, b0, b1, b2);
    }
    for (let n: usize = 128, w: usize = 5; n < 192; n += 16, w += 12) {
      const t = MD5_T + n;
      k = v128.load32_splat(t);
      m = at(words, w);
      a0 = h(a0, b0, c0, d0, v128.load(m), k, 4);
      a1 = h(a1, b1, c1, d1, v128.load(m, 256), k, 4);
      a2 = h(a2, b2, c2, d2, v128.load(m, 512), k, 4);
      barrier(scratch, a0, a1, a2);
      k = v128.load32_splat(t, 4);
      m = at(words, w + 3);
      d0 = h(d0, a0, b0, c0, v128.load(m), k, 11);
      d1 = h(d1, a1, b1, c1, v128.load(m, 256), k, 11);
      d2 = h(d2, a2, b2, c2, v128.load(m, 512), k, 11);
      barrier(scratch, d0, d1, d2);
      k = v128.load32_splat(t, 8);
      m = at(words, w + 6);
      c0 = h(c0, d0, a0, b0, v128.load(m), k, 16);
      c1 = h(c1, d1, a1, b1, v128.load(m, 256), k, 16);
      c2 = h(c2, d2, a2, b2, v128.load(m, 512), k, 16);
      barrier(scratch, c0, c1, c2);
      k = v128.load32_splat(t, 12);
      m = at(words, w + 9);
      b0 = h(b0, c0, d0, a0, v128.load(m), k, 23);
      b1 = h(b1, c1, d1, a1, v128.load(m, 256), k, 23);
      b2 = h(b2, c2, d2, a2, v128.load(m, 512), k, 23);
      barrier(scratch, b0, b1, b2);
    }
    for (let n: usize = 192, w: usize = 0; n < 256; n += 16, w += 28) {
      const t = MD5_T + n;
      k = v128.load32_splat(t);
      m = at(words, w);
      a0 = i(a0, b0, c0, d0, v128.load(m), k, 6);
      a1 = i(a1, b1, c1, d1, v128.load(m, 256), k, 6);
      a2 = i(a2, b2, c2, d2, v128.load(m, 512), k, 6);
      barrier(scratch, a0, a1, a2);
      k = v128.load32_splat(t, 4);
      m = at(words, w + 7);
      d0 = i(d0, a0, b0, c0, v128.load(m), k, 10);
      d1 = i(d1, a1, b1, c1, v128.load(m, 256), k, 10);
      d2 = i(d2, a2, b2, c2, v128.load(m, 512), k, 10);
      barrier(scratch, d0, d1, d2);
      k = v128.load32_splat(t, 8);
      m = at(words, w + 14);
      c0 = i(c0, d0, a0, b0, v128.load(m), k, 15);
      c1 = i(c1, d1, a1, b1, v128.load(m, 256), k, 15);
      c2 = i(c2, d2, a2, b2, v128.load(m, 512), k, 15);
      barrier(scratch, c0, c1, c2);
      k = v128.load32_splat(t, 12);
      m = at(words, w + 21);
      b0 = i(b0, c0, d0, a0, v128.load(m), k, 21);
      b1 = i(b1, c1, d1, a1, v128.load(m, 256), k, 21);
      b2 = i(b2, c2, d2, a2, v128.load(m, 512), k, 21);
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
