/**
 * Kernels for whoever works with them: compiled once, their memories used again. One piece of work holds one set.
 */
import { type Kernels, loadKernels } from "../checksum/kernels.ts";

/** Sets kept for later, and the largest memory that is worth keeping, in bytes. */
const KEPT = 2;
const KEPT_BYTES = 64 << 20;

/** Where the kernels come from and which memory they want. */
export interface KernelSource {
  /** The module's bytes. */
  bytes(): Uint8Array;
  /** The module imports a shared memory (false in browsers, where that needs special headers). */
  readonly shared: boolean;
}

/** Lends kernels out. */
export class KernelPool {
  private readonly source: KernelSource;
  private readonly idle: Kernels[] = [];

  constructor(source: KernelSource) {
    this.source = source;
  }

  /** A set of kernels for one piece of work. */
  take(): Kernels {
    return this.idle.pop() ?? loadKernels(this.source.bytes(), undefined, this.source.shared);
  }

  /** Takes a set back, all of whose memory has been released. */
  give(kernels: Kernels): void {
    if (this.idle.length < KEPT && this.isWorthIt(kernels)) this.idle.push(kernels);
  }

  /** A memory that is not shared has its full length from the start. */
  private isWorthIt({ memory }: Kernels): boolean {
    return !this.source.shared || memory.u8.length <= KEPT_BYTES;
  }
}
