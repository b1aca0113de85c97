/**
 * Running digests over linear memory, with rsync's rules for whole files (upstream checksum.c: sum_init, sum_update,
 * sum_end, file_checksum).
 *
 * Seeds: only the historical MD4 variants hash the checksum seed into a whole-file sum (four bytes little endian,
 * first, even when it is 0). MD4, MD5, SHA1 and the XXH family leave it out. Block sums have rules of their own, which
 * assembly/signature.ts tells; blockRules gives their arguments.
 */
import { InternalError } from "../errors.ts";
import type { ChecksumName, ProtocolContext } from "../protocol/context.ts";
import type { Kernels } from "./kernels.ts";
import { ChecksumNumber, checksumLength } from "./registry.ts";

/** Most bytes of a block's strong sum that travel (upstream rsync.h SUM_LENGTH). */
const SUM_LENGTH_MAX = 16;
/** Bytes given to the kernels at once from JavaScript memory. */
const STAGE_BYTES = 65536;

/** One running digest. Any number may be live; each owns a slot of linear memory until `release`. */
export interface Digest {
  readonly name: ChecksumName;
  readonly byteLength: number;
  /** Starts again. */
  init(): void;
  /** Takes bytes of linear memory. */
  update(ptr: number, byteLength: number): void;
  /** Takes bytes of any array: copies them to linear memory first. */
  updateBytes(bytes: Uint8Array): void;
  /** Writes the digest to `out` at `at` and returns its length. Call `init` before reuse. */
  final(out: Uint8Array, at: number): number;
  /** Gives the slot back. The digest must not be used afterwards. */
  release(): void;
}

/** Which algorithm, seed and seed place block sums use: the kernels' first three arguments. */
export interface BlockRules {
  /** Its number, and above it the kind of weak sum (registry.ts, LibrsyncSum). */
  readonly algorithm: number;
  readonly seed: number;
  /** 1: the seed goes before the block where the algorithm lets the version decide (MD5). */
  readonly seedFirst: 0 | 1;
  /** The length of the last block is not told: any shorter end of the new data may be it (librsync). */
  readonly openEnded?: boolean;
}

/** The whole-file digest of a transfer. */
export function transferDigest(kernels: Kernels, context: ProtocolContext): Digest {
  return new SlotDigest(kernels, context.transferChecksum, context.checksumSeed);
}

/** The digest of --checksum: never seeded. "none" cannot be one (upstream exits with 4). */
export function fileDigest(kernels: Kernels, name: ChecksumName): Digest {
  return new SlotDigest(kernels, name, null);
}

/** The digest that stands for a long xattr value (upstream compat.c:xattr_sum_nni). */
export function xattrDigest(kernels: Kernels, context: ProtocolContext): Digest {
  return new SlotDigest(kernels, context.version >= 30 ? "md5" : "md4-old", context.checksumSeed);
}

/** The digest of a few bytes at once, seeded as a transfer's with seed 0: for daemon authentication. */
export function digestBytes(kernels: Kernels, name: ChecksumName, bytes: Uint8Array): Uint8Array {
  const digest = new SlotDigest(kernels, name, 0);
  digest.updateBytes(bytes);
  const out = new Uint8Array(digest.byteLength);
  digest.final(out, 0);
  digest.release();
  return out;
}

/** Bytes of a block's strong sum that may travel (upstream generator.c:sum_sizes_sqroot, max_s2length). */
export function blockDigestLength(context: ProtocolContext): number {
  return Math.min(SUM_LENGTH_MAX, checksumLength(context.transferChecksum));
}

/** The block-sum arguments for `signature` and `strongSum`. Throws InternalError for "none", which has no blocks. */
export function blockRules(context: ProtocolContext): BlockRules {
  const name = context.transferChecksum;
  if (name === "none") throw new InternalError("block sums were asked for without a checksum");
  const seedFirst = context.properSeedOrder ? 1 : 0;
  return { algorithm: ChecksumNumber[name], seed: context.checksumSeed | 0, seedFirst };
}

/** The seed of a historical MD4 sum travels inside the hashed bytes. */
function isSeededMd4(name: ChecksumName): boolean {
  return name === "md4-old" || name === "md4-busted" || name === "md4-archaic";
}

class SlotDigest implements Digest {
  readonly name: ChecksumName;
  readonly byteLength: number;
  private readonly kernels: Kernels;
  private readonly seed: number | null;
  private readonly algorithm: number;
  private readonly slot: number;
  private readonly out: number;
  private stage = 0;

  constructor(kernels: Kernels, name: ChecksumName, seed: number | null) {
    this.kernels = kernels;
    this.name = name;
    this.byteLength = checksumLength(name);
    this.seed = isSeededMd4(name) ? seed : null;
    this.algorithm = ChecksumNumber[name];
    const slotBytes = kernels.wasm.slotBytes();
    // The finished digest goes right behind the slot; 20 bytes at most, and regions are multiples of 64.
    this.slot = kernels.memory.alloc(slotBytes + 64);
    this.out = this.slot + slotBytes;
    this.init();
  }

  init(): void {
    const { wasm, memory } = this.kernels;
    wasm.digestInit(this.slot, this.algorithm, 0, 0);
    if (this.seed === null) return;
    memory.view.setInt32(this.out, this.seed | 0, true);
    wasm.digestUpdate(this.slot, this.out, 4);
  }

  update(ptr: number, byteLength: number): void {
    this.kernels.wasm.digestUpdate(this.slot, ptr, byteLength);
  }

  updateBytes(bytes: Uint8Array): void {
    const { wasm, memory } = this.kernels;
    if (this.stage === 0) this.stage = memory.alloc(STAGE_BYTES);
    for (let at = 0; at < bytes.length; at += STAGE_BYTES) {
      const chunk = bytes.subarray(at, at + STAGE_BYTES);
      memory.u8.set(chunk, this.stage);
      wasm.digestUpdate(this.slot, this.stage, chunk.length);
    }
  }

  final(out: Uint8Array, at: number): number {
    const { wasm, memory } = this.kernels;
    const byteLength = wasm.digestFinal(this.slot, this.out);
    out.set(memory.u8.subarray(this.out, this.out + byteLength), at);
    return byteLength;
  }

  release(): void {
    const { memory } = this.kernels;
    memory.release(this.slot);
    if (this.stage !== 0) memory.release(this.stage);
  }
}
