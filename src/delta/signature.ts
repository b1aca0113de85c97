/**
 * The generator's side of the delta: weak and strong sums of a basis file's blocks, in wire form (label `sums`).
 * Upstream generator.c:generate_and_send_sums over checksum.c:get_checksum1 and get_checksum2.
 */
import { type BlockRules } from "../checksum/digest.ts";
import type { Kernels } from "../checksum/kernels.ts";
import type { SumHead } from "../protocol/sumhead.ts";

/** Bytes of the weak sum that stands before each strong sum on the wire. */
export const WEAK_SUM_BYTES = 4;

/** Bytes of all block sums of a file on the wire. */
export function sumBytes(head: SumHead): number {
  return head.count * (WEAK_SUM_BYTES + head.s2length);
}

/** Signs blocks with one digest, seed and seed place. */
export class Signer {
  private readonly kernels: Kernels;
  private readonly rules: BlockRules;

  constructor(kernels: Kernels, rules: BlockRules) {
    this.kernels = kernels;
    this.rules = rules;
  }

  /**
   * Writes the sums of the blocks in [ptr, ptr + byteLength) of linear memory to `out`, as they travel: 4 bytes of
   * weak sum and s2length bytes of strong sum each. The span begins at a block boundary and only the file's last
   * block may be short. Returns the bytes written. Long spans are best: MD4 and MD5 take twelve blocks at a time.
   */
  sign(head: SumHead, ptr: number, byteLength: number, out: number): number {
    const { algorithm, seed, seedFirst } = this.rules;
    const { wasm, scratch } = this.kernels;
    return wasm.signature(algorithm, seed, seedFirst, ptr, byteLength, head.blockLength, head.s2length, out, scratch);
  }
}
