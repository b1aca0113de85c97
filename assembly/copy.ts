/**
 * Copies of a few bytes. memory.copy is a call out of the compiled code, 15 to 30 ns: more than all else that is done
 * for a block's sums.
 */

/** Copies `length` bytes; the regions must not overlap. Pieces at both ends may cover bytes twice. */
export function copyShort(to: usize, from: usize, length: u32): void {
  if (length >= 16) {
    const last = length - 16;
    for (let at: u32 = 0; at < last; at += 16) v128.store(to + at, v128.load(from + at));
    v128.store(to + last, v128.load(from + last));
  } else if (length >= 8) {
    store<u64>(to, load<u64>(from));
    store<u64>(to + length - 8, load<u64>(from + length - 8));
  } else if (length >= 4) {
    store<u32>(to, load<u32>(from));
    store<u32>(to + length - 4, load<u32>(from + length - 4));
  } else {
    for (let at: u32 = 0; at < length; at++) store<u8>(to + at, load<u8>(from + at));
  }
}

/** Fills `vectors` times 16 bytes with zeros. */
export function zeroVectors(to: usize, vectors: u32): void {
  for (const end = to + (vectors << 4); to < end; to += 16) v128.store(to, i32x4.splat(0));
}
