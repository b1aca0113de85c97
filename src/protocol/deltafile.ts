/**
 * Signatures and deltas as files: what rsync's generator and sender say about one file, with what they agreed on in
 * front (labels `signature-file`, `delta-file`).
 *
 * The head is a magic number, the checksum, the seed and its place; then follow the wire's own bytes. In a signature:
 * sum head and block sums. In a delta: sum head, tokens, whole-file digest.
 */
import { ProtocolError } from "../errors.ts";
import type { ChecksumName } from "./context.ts";
import type { Cursor, Writer } from "./cursor.ts";
import { readInt, writeInt } from "./integers.ts";

/** Checksums that a file may name, by their number in it. Numbers are for ever. */
const CHECKSUM_NUMBERS = { md4: 4, md5: 5, xxh64: 6, xxh3: 7, xxh128: 8, sha1: 9 } as const;
/** A checksum of blocks and files. */
export type FileChecksum = keyof typeof CHECKSUM_NUMBERS;

const MAGIC = { signature: 0x77735301, delta: 0x77734401 } as const;
const HEAD_BYTES = 12;

/** What the two sides of a transfer would have agreed on. */
export interface DeltaFileHead {
  readonly checksum: FileChecksum;
  /** The checksum seed of the block sums. */
  readonly seed: number;
}

/** Which of the two formats four bytes, read as a big-endian number, begin; null for neither. */
export function deltaFileKind(magic: number): "signature" | "delta" | null {
  if (magic === MAGIC.signature) return "signature";
  return magic === MAGIC.delta ? "delta" : null;
}

/** Whether a checksum may stand in a file. */
export function isFileChecksum(name: ChecksumName): name is FileChecksum {
  return name in CHECKSUM_NUMBERS;
}

/** Writes the head of either file. */
export function writeDeltaFileHead(out: Writer, kind: "signature" | "delta", head: DeltaFileHead): void {
  for (let shift = 24; shift >= 0; shift -= 8) out.u8((MAGIC[kind] >>> shift) & 0xff);
  writeInt(out, CHECKSUM_NUMBERS[head.checksum]);
  writeInt(out, head.seed);
}

/** Reads the head of a signature. Throws ProtocolError, label `signature-file`. */
export function readSignatureFileHead(cursor: Cursor): DeltaFileHead {
  return readHead(cursor, MAGIC.signature, (what) => new ProtocolError("signature-file", what, 2, cursor.offset));
}

/** Reads the head of a delta. Throws ProtocolError, label `delta-file`. */
export function readDeltaFileHead(cursor: Cursor): DeltaFileHead {
  return readHead(cursor, MAGIC.delta, (what) => new ProtocolError("delta-file", what, 2, cursor.offset));
}

function readHead(cursor: Cursor, magic: number, fail: (what: string) => ProtocolError): DeltaFileHead {
  cursor.need(HEAD_BYTES);
  if (((cursor.u8() << 24) | (cursor.u8() << 16) | (cursor.u8() << 8) | cursor.u8()) !== magic) {
    throw fail("unknown format");
  }
  const number = readInt(cursor);
  const seed = readInt(cursor);
  const name = Object.keys(CHECKSUM_NUMBERS).find((key) => CHECKSUM_NUMBERS[key as FileChecksum] === number);
  if (name === undefined) throw fail(`unknown checksum ${number}`);
  return { checksum: name as FileChecksum, seed };
}
