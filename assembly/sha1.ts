/**
 * SHA1 (RFC 3174): the compression of consecutive 64-byte chunks of one stream.
 *
 * The message schedule of 80 words is written to the slot first, then four rounds of 20 steps read it.
 */
import { SHA1_SCHEDULE, SLOT_STATE } from "./memory";

/** Writes the 80 schedule words of the chunk at `ptr` to `w`: 16 big-endian words, then the recurrence. */
function expand(w: usize, ptr: usize): void {
  for (let at: usize = 0; at < 64; at += 16) {
    const v = v128.load(ptr + at);
    v128.store(w + at, v128.shuffle<u8>(v, v, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
  }
  for (const end = w + 256; w < end; w += 4) {
    store<u32>(w, rotl<u32>(load<u32>(w, 52) ^ load<u32>(w, 32) ^ load<u32>(w, 8) ^ load<u32>(w), 1), 64);
  }
}

/** Runs the chaining state of `slot` over `chunks` chunks of 64 bytes at `ptr`. */
export function sha1Compress(slot: usize, ptr: usize, chunks: u32): void {
  const w = slot + SHA1_SCHEDULE;
  let a = load<u32>(slot, SLOT_STATE), b = load<u32>(slot, SLOT_STATE + 4), c = load<u32>(slot, SLOT_STATE + 8);
  let d = load<u32>(slot, SLOT_STATE + 12), e = load<u32>(slot, SLOT_STATE + 16);
  for (; chunks; chunks--, ptr += 64) {
    expand(w, ptr);
    const a0 = a, b0 = b, c0 = c, d0 = d, e0 = e;
    for (let t: usize = 0; t < 80; t++) {
      let x: u32;
      if (t < 20) x = (d ^ (b & (c ^ d))) + 0x5a827999;
      else if (t < 40) x = (b ^ c ^ d) + 0x6ed9eba1;
      else if (t < 60) x = ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
      else x = (b ^ c ^ d) + 0xca62c1d6;
      x += rotl<u32>(a, 5) + e + load<u32>(w + (t << 2));
      e = d;
      d = c;
      c = rotl<u32>(b, 30);
      b = a;
      a = x;
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
