/**
 * Counting upstream's hash hits, for --debug=deltasum: at how many offsets does the weak sum fall into a bucket of
 * upstream's table that holds any block (match.c:hash_search, its hash_hits)? The search itself uses other tables.
 */
import { weakSum } from "./weak";

/** Upstream's smallest table, whose buckets are numbered by the sum of the two halves rather than by a remainder. */
const TRADITIONAL: u32 = 1 << 16;

// @ts-ignore: decorator
@inline
function bucketOf(sum: u32, buckets: u32): u32 {
  return buckets == TRADITIONAL ? ((sum & 0xffff) + (sum >>> 16)) & 0xffff : sum % buckets;
}

/** Sets the bits of the buckets of `count` weak sums, `stride` bytes apart, in a bitmap of `buckets` bits. */
export function bucketsFill(bitmap: usize, buckets: u32, sums: usize, count: u32, stride: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    const bucket = bucketOf(load<u32>(sums + <usize>index * stride), buckets);
    const at = bitmap + (bucket >>> 3);
    const bits: u32 = <u32>load<u8>(at) | (<u32>1 << (bucket & 7));
    store<u8>(at, bits);
  }
}

/**
 * Hits among offsets [from, to) of the data that ends at `end` (addresses). A block's sum covers `blockLength` bytes,
 * or what is left of the data.
 */
export function bucketsHits(
  bitmap: usize, buckets: u32, from: usize, to: usize, end: usize, blockLength: u32,
): u32 {
  let hits: u32 = 0;
  if (from >= to) return 0;
  let covered = min(blockLength, <u32>(end - from));
  let sum = weakSum(from, covered);
  let s1 = sum & 0xffff;
  let s2 = sum >>> 16;
  for (let at = from; at < to; at++) {
    const bucket = bucketOf((s1 & 0xffff) | (s2 << 16), buckets);
    hits += (<u32>load<u8>(bitmap + (bucket >>> 3)) >>> (bucket & 7)) & 1;
    const oldest = <u32><i32>load<i8>(at);
    s1 -= oldest;
    s2 -= covered * oldest;
    if (at + covered < end) {
      s1 += <u32><i32>load<i8>(at + covered);
      s2 += s1;
    } else {
      covered--;
    }
  }
  return hits;
}
