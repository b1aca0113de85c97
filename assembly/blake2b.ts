/**
 * BLAKE2b (RFC 7693) with a digest of 32 bytes and no key: the strong sum of librsync's signatures. One shot only.
 *
 * Scalar: the 64-bit rotations are one instruction each, and the sixteen working words stay in locals.
 */
import { copyShort, zeroVectors } from "./copy";
import { BLAKE2B_BUFFER, SLOT_STATE } from "./memory";

const CHUNK: u32 = 128;
const ROUNDS: usize = 12;
/** First word of the parameter block: digest length 32, no key, fanout 1, depth 1 (RFC 7693 section 2.5). */
const PARAMETERS: u64 = 0x01010020;

/** Initial values, which are SHA-512's (RFC 7693 section 2.6). */
const IV = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
]);

/** Message schedule: word numbers of each round, times 8 (RFC 7693 section 2.7). Rounds 10 and 11 repeat 0 and 1. */
const SIGMA = memory.data<u8>([
  0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120,
  112, 80, 32, 64, 72, 120, 104, 48, 8, 96, 0, 16, 88, 56, 40, 24,
  88, 64, 96, 0, 40, 16, 120, 104, 80, 112, 24, 48, 56, 8, 72, 32,
  56, 72, 24, 8, 104, 96, 88, 112, 16, 48, 40, 80, 32, 0, 120, 64,
  72, 0, 40, 56, 16, 32, 80, 120, 112, 8, 88, 96, 48, 64, 24, 104,
  16, 96, 48, 80, 0, 88, 64, 24, 32, 104, 56, 40, 120, 112, 8, 72,
  96, 40, 8, 120, 112, 104, 32, 80, 0, 56, 48, 24, 72, 16, 64, 88,
  104, 88, 56, 112, 96, 8, 24, 72, 40, 0, 120, 32, 64, 48, 16, 80,
  48, 120, 112, 72, 88, 24, 0, 64, 96, 16, 104, 56, 8, 32, 80, 40,
  80, 16, 64, 32, 56, 48, 8, 40, 120, 88, 72, 112, 24, 96, 104, 0,
  0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120,
  112, 80, 32, 64, 72, 120, 104, 48, 8, 96, 0, 16, 88, 56, 40, 24,
]);

/** A message word: the schedule's entry `at` of the round at `order`. */
// @ts-ignore: decorator
@inline
function word(chunk: usize, order: usize, at: usize): u64 {
  return load<u64>(chunk + <usize>load<u8>(order + at));
}

/**
 * Mixes one chunk into the state. `total`: bytes up to the chunk's end. Long, because the sixteen words would have to
 * live in memory to be shared with a function.
 */
function compress(state: usize, chunk: usize, total: u64, last: bool): void {
  let v0 = load<u64>(state), v1 = load<u64>(state, 8), v2 = load<u64>(state, 16), v3 = load<u64>(state, 24);
  let v4 = load<u64>(state, 32), v5 = load<u64>(state, 40), v6 = load<u64>(state, 48), v7 = load<u64>(state, 56);
  let v8 = load<u64>(IV), v9 = load<u64>(IV, 8), v10 = load<u64>(IV, 16), v11 = load<u64>(IV, 24);
  let v12 = load<u64>(IV, 32) ^ total, v13 = load<u64>(IV, 40);
  let v14 = last ? ~load<u64>(IV, 48) : load<u64>(IV, 48), v15 = load<u64>(IV, 56);
  const end = SIGMA + ROUNDS * 16;
  for (let order = SIGMA; order < end; order += 16) {
    v0 += v4 + word(chunk, order, 0); v12 = rotr<u64>(v12 ^ v0, 32); v8 += v12; v4 = rotr<u64>(v4 ^ v8, 24);
    v1 += v5 + word(chunk, order, 2); v13 = rotr<u64>(v13 ^ v1, 32); v9 += v13; v5 = rotr<u64>(v5 ^ v9, 24);
    v2 += v6 + word(chunk, order, 4); v14 = rotr<u64>(v14 ^ v2, 32); v10 += v14; v6 = rotr<u64>(v6 ^ v10, 24);
    v3 += v7 + word(chunk, order, 6); v15 = rotr<u64>(v15 ^ v3, 32); v11 += v15; v7 = rotr<u64>(v7 ^ v11, 24);
    v0 += v4 + word(chunk, order, 1); v12 = rotr<u64>(v12 ^ v0, 16); v8 += v12; v4 = rotr<u64>(v4 ^ v8, 63);
    v1 += v5 + word(chunk, order, 3); v13 = rotr<u64>(v13 ^ v1, 16); v9 += v13; v5 = rotr<u64>(v5 ^ v9, 63);
    v2 += v6 + word(chunk, order, 5); v14 = rotr<u64>(v14 ^ v2, 16); v10 += v14; v6 = rotr<u64>(v6 ^ v10, 63);
    v3 += v7 + word(chunk, order, 7); v15 = rotr<u64>(v15 ^ v3, 16); v11 += v15; v7 = rotr<u64>(v7 ^ v11, 63);
    v0 += v5 + word(chunk, order, 8); v15 = rotr<u64>(v15 ^ v0, 32); v10 += v15; v5 = rotr<u64>(v5 ^ v10, 24);
    v1 += v6 + word(chunk, order, 10); v12 = rotr<u64>(v12 ^ v1, 32); v11 += v12; v6 = rotr<u64>(v6 ^ v11, 24);
    v2 += v7 + word(chunk, order, 12); v13 = rotr<u64>(v13 ^ v2, 32); v8 += v13; v7 = rotr<u64>(v7 ^ v8, 24);
    v3 += v4 + word(chunk, order, 14); v14 = rotr<u64>(v14 ^ v3, 32); v9 += v14; v4 = rotr<u64>(v4 ^ v9, 24);
    v0 += v5 + word(chunk, order, 9); v15 = rotr<u64>(v15 ^ v0, 16); v10 += v15; v5 = rotr<u64>(v5 ^ v10, 63);
    v1 += v6 + word(chunk, order, 11); v12 = rotr<u64>(v12 ^ v1, 16); v11 += v12; v6 = rotr<u64>(v6 ^ v11, 63);
    v2 += v7 + word(chunk, order, 13); v13 = rotr<u64>(v13 ^ v2, 16); v8 += v13; v7 = rotr<u64>(v7 ^ v8, 63);
    v3 += v4 + word(chunk, order, 15); v14 = rotr<u64>(v14 ^ v3, 16); v9 += v14; v4 = rotr<u64>(v4 ^ v9, 63);
  }
  store<u64>(state, load<u64>(state) ^ v0 ^ v8);
  store<u64>(state, load<u64>(state, 8) ^ v1 ^ v9, 8);
  store<u64>(state, load<u64>(state, 16) ^ v2 ^ v10, 16);
  store<u64>(state, load<u64>(state, 24) ^ v3 ^ v11, 24);
  store<u64>(state, load<u64>(state, 32) ^ v4 ^ v12, 32);
  store<u64>(state, load<u64>(state, 40) ^ v5 ^ v13, 40);
  store<u64>(state, load<u64>(state, 48) ^ v6 ^ v14, 48);
  store<u64>(state, load<u64>(state, 56) ^ v7 ^ v15, 56);
}

/** Writes the 32-byte digest of [ptr, ptr + length) to `out`; `slot` is working space. */
export function blake2b(slot: usize, ptr: usize, length: u32, out: usize): void {
  const state = slot + SLOT_STATE;
  for (let at: usize = 0; at < 64; at += 8) store<u64>(state + at, load<u64>(IV + at));
  store<u64>(state, load<u64>(state) ^ PARAMETERS);
  let total: u64 = 0;
  // The last chunk, full or not, is marked as the last; so a full one stays for the end.
  for (; length > CHUNK; length -= CHUNK, ptr += CHUNK) {
    total += CHUNK;
    compress(state, ptr, total, false);
  }
  const buffer = slot + BLAKE2B_BUFFER;
  zeroVectors(buffer, CHUNK >> 4);
  copyShort(buffer, ptr, length);
  compress(state, buffer, total + length, true);
  v128.store(out, v128.load(state));
  v128.store(out, v128.load(state, 16), 16);
}
