/**
 * Checksum algorithms by name: order of negotiation, numbers, digest lengths (upstream checksum.c).
 */
import { UsageError, ExitCode } from "../errors.ts";
import type { ChecksumName } from "../protocol/context.ts";

/** Algorithm numbers, upstream lib/md-defines.h CSUM_* and assembly/memory.ts. */
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

/** Names offered for transfers, best first (upstream valid_checksums_items). */
export const transferChecksums = ["xxh128", "xxh3", "xxh64", "md5", "md4", "sha1", "none"] as const;

/** Names that mean another one (upstream lists xxhash beside xxh64; it is accepted, and shown in help). */
export const checksumAliases: Readonly<Record<string, ChecksumName>> = { xxhash: "xxh64" };

/** Digests of a daemon's password challenge. */
export type AuthDigest = "sha512" | "sha256" | "sha1" | "md5" | "md4" | "md4-old" | "md4-busted";

/** Names offered for daemon authentication, strongest first (upstream valid_auth_checksums_items). */
export const authDigests = ["sha512", "sha256", "sha1", "md5", "md4"] as const;

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

/** Bytes of a digest in the file list: the oldest MD4 sends only two. */
export function flistChecksumLength(name: ChecksumName): number {
  return name === "md4-archaic" ? 2 : DIGEST_BYTES[name];
}

/**
 * How a digest compares with what the public tools print (upstream canonical_checksum): 0 it holds a seed, -1 its hex
 * digits stand in byte order, 1 they stand as a little-endian number's.
 */
export function canonicalOrder(name: ChecksumName): -1 | 0 | 1 {
  if (name === "md4" || name === "md5" || name === "sha1") return -1;
  return name.startsWith("xxh") ? 1 : 0;
}

/** The name an unnegotiated conversation uses (upstream parse_csum_name without a name). */
export function impliedChecksum(version: number): ChecksumName {
  if (version >= 30) return "md5";
  if (version >= 27) return "md4-old";
  return version >= 21 ? "md4-busted" : "md4-archaic";
}

/** The name a user's or peer's word stands for, case-insensitive; null when unknown. */
export function findChecksum(word: string): ChecksumName | null {
  const name = word.toLowerCase();
  if (Object.hasOwn(checksumAliases, name)) return checksumAliases[name];
  return (transferChecksums as readonly string[]).includes(name) ? (name as ChecksumName) : null;
}

/**
 * The transfer and file checksums of a --checksum-choice value ("NAME", "NAME,NAME", "auto" or null), for a
 * conversation that did not negotiate. Throws UsageError (4) for an unknown name. Upstream parse_checksum_choice.
 */
export function parseChecksumChoice(choice: string | null, version: number): readonly [ChecksumName, ChecksumName] {
  const comma = choice === null ? -1 : choice.indexOf(",");
  if (choice === null || comma < 0) {
    const name = parseOne(choice ?? "auto", version);
    return [name, name];
  }
  return [parseOne(choice.slice(0, comma), version), parseOne(choice.slice(comma + 1), version)];
}

function parseOne(word: string, version: number): ChecksumName {
  if (word.toLowerCase() === "auto") return impliedChecksum(version);
  const name = findChecksum(word);
  if (name === null) throw new UsageError(`unknown checksum name: ${word}`, ExitCode.unsupported);
  return name;
}

/** Strength rank of a daemon-auth digest, 0 strongest; -1 when unknown (upstream auth_digest_rank). */
export function authDigestRank(word: string): number {
  return (authDigests as readonly string[]).indexOf(word.toLowerCase());
}
