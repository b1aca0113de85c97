/**
 * Transfer checksums as numbers and lengths (upstream checksum.c, lib/md-defines.h). Their names in order of
 * preference, and the choice among them, are protocol/negotiate's.
 */
import type { ChecksumName } from "../protocol/context.ts";

/** The kernels' algorithm numbers (assembly/memory.ts), which are upstream's CSUM_*. */
export const ChecksumNumber: Readonly<Record<ChecksumName, number>> = {
  none: 0,
  "md4-archaic": 1,
  "md4-busted": 2,
  "md4-old": 3,
  md4: 4,
  md5: 5,
  xxh64: 6,
  xxh3: 7,
  xxh128: 8,
  sha1: 9,
};

/**
 * The numbers of librsync's block sums (assembly/memory.ts): the kind of weak sum stands in the bits above the strong
 * sum's algorithm. rsync's own have kind 0.
 */
export const LibrsyncSum = { blake2: 10, md4: 4, rollsum: 1 << 8, rabinkarp: 2 << 8 } as const;

const DIGEST_BYTES: Readonly<Record<ChecksumName, number>> = {
  none: 1,
  "md4-archaic": 16,
  "md4-busted": 16,
  "md4-old": 16,
  md4: 16,
  md5: 16,
  xxh64: 8,
  xxh3: 8,
  xxh128: 16,
  sha1: 20,
};

/** Bytes of a digest in transfers (upstream csum_len_for_type with flist_csum false). */
export function checksumLength(name: ChecksumName): number {
  return DIGEST_BYTES[name];
}

/** Bytes of a --checksum digest in a file list: the oldest MD4 sends only two. */
export function flistChecksumLength(name: ChecksumName): number {
  return name === "md4-archaic" ? 2 : DIGEST_BYTES[name];
}

/**
 * A digest as people write it, or null for one that only rsync has. The XXH family travels with its last byte first.
 * Upstream util2.c:sum_as_hex, checksum.c:canonical_checksum.
 */
export function digestHex(name: ChecksumName, digest: Uint8Array): string | null {
  if (name === "none" || name.startsWith("md4-")) return null;
  const digits = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0"));
  return (name.startsWith("xxh") ? digits.reverse() : digits).join("");
}
