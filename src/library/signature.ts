/**
 * `signature`: the block sums of a basis file, as rsync's generator makes them, or as rdiff's signature file.
 */
import { type BlockRules } from "../checksum/digest.ts";
import { type Kernels } from "../checksum/kernels.ts";
import { ChecksumNumber, checksumLength, LibrsyncSum } from "../checksum/registry.ts";
import { sumSizes } from "../delta/blocksize.ts";
import { Signer, WEAK_SUM_BYTES } from "../delta/signature.ts";
import { UsageError } from "../errors.ts";
import { WireLimit } from "../protocol/constants.ts";
import { Writer } from "../protocol/cursor.ts";
import { type FileChecksum, isFileChecksum, writeDeltaFileHead } from "../protocol/deltafile.ts";
import {
  RDIFF_SUM_BYTES, rdiffBlockLength, type RdiffHash, type RdiffHead, rdiffLeastSumLength, type RdiffRollsum,
  swapWeakSums, writeRdiffHead,
} from "../protocol/rdiff.ts";
import { newSumHead, type SumHead, writeSumHead } from "../protocol/sumhead.ts";
import { type KernelPool } from "./kernelpool.ts";
import { type ByteSource, openSource, type OpenSource } from "./sources.ts";
import { streamOf, type WorkOptions } from "./streams.ts";

/** Bytes signed in one call, about. */
const SPAN_BYTES = 1 << 20;

/** How a signature is made. */
export interface SignatureOptions extends WorkOptions {
  /** "rsync" (as if left out): rsync's own sums, any of its checksums. "rdiff": what rdiff reads and writes. */
  readonly format?: "rsync" | "rdiff";
  /** Bytes of a block; left out: what rsync or rdiff choose by the length of the basis, about its square root. */
  readonly blockLength?: number;
  /**
   * Bytes of each strong sum; left out: all of them, at most 16 with format "rsync". "short": as few as rsync (in its
   * first attempt) or rdiff (with -S -1) think enough.
   */
  readonly sumLength?: number | "short";
  /** Format "rsync": the checksum of blocks and of the whole file; left out: "xxh128". */
  readonly checksum?: FileChecksum;
  /** Format "rsync": a number mixed into the block sums, so that nobody can prepare collisions; left out: 0. */
  readonly seed?: number;
  /** Format "rdiff": the strong sum; left out: "blake2". */
  readonly hash?: RdiffHash;
  /** Format "rdiff": the weak sum; left out: "rabinkarp". librsync before 2.2 knows only "rollsum". */
  readonly rollsum?: RdiffRollsum;
  /** Length in bytes of a basis that comes as a stream, where it is known. */
  readonly byteLength?: number;
}

/** A layout of blocks and what their sums are made with. */
interface Plan {
  readonly head: SumHead;
  readonly rules: BlockRules;
  /** Weak sums are stored big endian. */
  readonly bigEndian: boolean;
  /** What stands in front of the sums; `byteLength` is the length of the basis. */
  preamble(byteLength: number): Uint8Array;
  /** The preamble tells the length, so that it has to be known first. */
  readonly needsLength: boolean;
}

/** The rules of rdiff's sums. */
export function rdiffRules({ hash, rollsum }: Pick<RdiffHead, "hash" | "rollsum">): BlockRules {
  return { algorithm: LibrsyncSum[hash] | LibrsyncSum[rollsum], seed: 0, seedFirst: 0, openEnded: true };
}

/** The rules of rsync's sums in a file. */
export function rsyncRules(checksum: FileChecksum, seed: number): BlockRules {
  return { algorithm: ChecksumNumber[checksum], seed: seed | 0, seedFirst: 1 };
}

/** See the public function of this name in api.ts. Throws UsageError for options that make no sense. */
export function makeSignature(
  pool: KernelPool, basis: ByteSource, options: SignatureOptions = {},
): ReadableStream<Uint8Array> {
  const source = openSource(basis, options.byteLength);
  if (options.blockLength === 0) throw new UsageError("blockLength must be at least 1");
  const plan = options.format === "rdiff" ? rdiffPlan(source, options) : rsyncPlan(source, options);
  return streamOf(sign(pool, source, plan, options), options.signal);
}

async function* sign(
  pool: KernelPool, source: OpenSource, plan: Plan, options: WorkOptions,
): AsyncGenerator<Uint8Array> {
  const kernels = pool.take();
  const span = new Span(kernels, plan);
  try {
    const known = !plan.needsLength || source.byteLength !== null;
    const held: Uint8Array[] = [];
    if (known) yield plan.preamble(source.byteLength ?? 0);
    for await (const chunk of source.chunks()) {
      for (let at = 0; at < chunk.length; ) {
        at += span.take(chunk, at);
        if (!span.isFull) continue;
        const sums = span.sign();
        if (known) yield sums;
        else held.push(sums);
        options.signal?.throwIfAborted();
      }
      options.onProgress?.(span.offset, source.byteLength);
    }
    if (known && plan.needsLength && span.offset !== source.byteLength) {
      throw new UsageError(`the basis has ${span.offset} bytes, not ${source.byteLength} as was said`);
    }
    if (!known) yield plan.preamble(span.offset);
    yield* held;
    if (!span.isEmpty) yield span.sign();
  } finally {
    span.release();
    pool.give(kernels);
  }
}

/** Bytes of the basis on their way to be signed, in linear memory. */
class Span {
  /** Bytes taken in so far. */
  offset = 0;
  private readonly kernels: Kernels;
  private readonly plan: Plan;
  private readonly signer: Signer;
  private readonly capacity: number;
  private readonly ptr: number;
  private readonly out: number;
  private filled = 0;

  constructor(kernels: Kernels, plan: Plan) {
    const { blockLength, s2length } = plan.head;
    const blocks = Math.max(1, Math.floor(SPAN_BYTES / blockLength));
    this.kernels = kernels;
    this.plan = plan;
    this.signer = new Signer(kernels, plan.rules);
    this.capacity = blocks * blockLength;
    this.ptr = kernels.memory.alloc(this.capacity);
    this.out = kernels.memory.alloc(blocks * (WEAK_SUM_BYTES + s2length));
  }

  get isFull(): boolean {
    return this.filled === this.capacity;
  }

  get isEmpty(): boolean {
    return this.filled === 0;
  }

  /** Takes bytes of `chunk` from `at` on, as many as there is room for; returns their number. */
  take(chunk: Uint8Array, at: number): number {
    const count = Math.min(chunk.length - at, this.capacity - this.filled);
    this.kernels.memory.u8.set(chunk.subarray(at, at + count), this.ptr + this.filled);
    this.filled += count;
    this.offset += count;
    return count;
  }

  /** The sums of what is there. */
  sign(): Uint8Array {
    const { head, bigEndian } = this.plan;
    const byteLength = this.signer.sign(head, this.ptr, this.filled, this.out);
    this.filled = 0;
    const sums = this.kernels.memory.u8.slice(this.out, this.out + byteLength);
    if (bigEndian) swapWeakSums(sums, WEAK_SUM_BYTES + head.s2length);
    return sums;
  }

  release(): void {
    this.kernels.memory.release(this.ptr);
    this.kernels.memory.release(this.out);
  }
}

function rsyncPlan(source: OpenSource, options: SignatureOptions): Plan {
  const { checksum = "xxh128", seed = 0 } = options;
  if (!isFileChecksum(checksum)) throw new UsageError(`unknown checksum ${String(checksum)}`);
  const digestLength = Math.min(16, checksumLength(checksum));
  // A stream of unknown length gets the layout of a long one.
  const guess = source.byteLength ?? 64 << 20;
  const fullSums = options.sumLength !== "short" || source.byteLength === null;
  const head = sumSizes(guess, { blockSize: options.blockLength ?? 0, version: 32, digestLength, fullSums });
  if (typeof options.sumLength === "number") head.s2length = options.sumLength;
  checkLengths(head.blockLength, WireLimit.blockLength, head.s2length, digestLength);
  const preamble = (byteLength: number): Uint8Array => {
    const out = new Writer(64);
    const real = sumSizes(byteLength, { blockSize: head.blockLength, version: 32, digestLength, fullSums });
    if (real.count < 0) throw new UsageError(`too many blocks: choose a longer block than ${head.blockLength} bytes`);
    writeDeltaFileHead(out, "signature", { checksum, seed: seed | 0 });
    writeSumHead(out, { ...real, s2length: head.s2length });
    return out.view();
  };
  return { head, rules: rsyncRules(checksum, seed), bigEndian: false, needsLength: true, preamble };
}

function rdiffPlan(source: OpenSource, options: SignatureOptions): Plan {
  const { hash = "blake2", rollsum = "rabinkarp" } = options;
  if (!(hash in RDIFF_SUM_BYTES)) throw new UsageError(`unknown hash ${String(hash)}`);
  if (rollsum !== "rabinkarp" && rollsum !== "rollsum") throw new UsageError(`unknown rollsum ${String(rollsum)}`);
  const blockLength = options.blockLength ?? rdiffBlockLength(source.byteLength);
  const most = RDIFF_SUM_BYTES[hash];
  const asked = options.sumLength ?? most;
  const least = Math.min(most, rdiffLeastSumLength(source.byteLength, blockLength));
  const sumLength = asked === "short" ? least : asked;
  checkLengths(blockLength, 0x7fffffff, sumLength, most);
  const rdiffHead: RdiffHead = { hash, rollsum, blockLength, sumLength };
  const preamble = (): Uint8Array => {
    const out = new Writer(16);
    writeRdiffHead(out, rdiffHead);
    return out.view();
  };
  const head = { ...newSumHead(), blockLength, s2length: sumLength };
  return { head, rules: rdiffRules(rdiffHead), bigEndian: true, needsLength: false, preamble };
}

function checkLengths(blockLength: number, mostBlock: number, sumLength: number, mostSum: number): void {
  if (!Number.isInteger(blockLength) || blockLength < 1 || blockLength > mostBlock) {
    throw new UsageError(`blockLength must be a whole number from 1 to ${mostBlock}, not ${blockLength}`);
  }
  if (!Number.isInteger(sumLength) || sumLength < 1 || sumLength > mostSum) {
    throw new UsageError(`sumLength must be a whole number from 1 to ${mostSum}, not ${sumLength}`);
  }
}

