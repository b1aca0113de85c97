/**
 * `delta`: what turns a basis, of which only the signature is at hand, into new data: rsync's sender for one file.
 */
import { type BlockRules, type Digest, fileDigest } from "../checksum/digest.ts";
import { type Kernels } from "../checksum/kernels.ts";
import { checksumLength } from "../checksum/registry.ts";
import { BlockTable, Matcher } from "../delta/match.ts";
import { sumBytes, WEAK_SUM_BYTES } from "../delta/signature.ts";
import { type FileSource, type MatchStats, type TokenSink } from "../delta/tokens.ts";
import { ProtocolError } from "../errors.ts";
import { Cursor, NEED_MORE, Writer } from "../protocol/cursor.ts";
import {
  deltaFileKind, type FileChecksum, readSignatureFileHead, writeDeltaFileHead,
} from "../protocol/deltafile.ts";
import {
  isRdiffSignature, readRdiffHead, swapWeakSums, writeRdiffCopy, writeRdiffDeltaHead, writeRdiffEnd, writeRdiffLiteral,
} from "../protocol/rdiff.ts";
import { newSumHead, readSumHead, type SumHead, writeSumHead } from "../protocol/sumhead.ts";
import { PlainTokenWriter } from "../protocol/token.ts";
import { type KernelPool } from "./kernelpool.ts";
import { rdiffRules, rsyncRules } from "./signature.ts";
import { type ByteSource, collect, openSource, type OpenSource } from "./sources.ts";
import { streamOf, type WorkOptions } from "./streams.ts";

/** Bytes that the matcher may ask for in one step; it never reads more at once. */
const STEP_BYTES = 512 * 1024;

/** A piece of the new data and where it comes from. */
export interface DeltaRange {
  readonly kind: "match" | "literal";
  /** Where it is in the new data, bytes. */
  readonly offset: number;
  readonly byteLength: number;
  /** Where it is in the basis; -1 for a literal. */
  readonly basisOffset: number;
}

/** What came out. */
export interface DeltaStats {
  /** Bytes of the new data that the delta carries, and that the basis has. */
  readonly literalBytes: number;
  readonly matchedBytes: number;
  /** Blocks found. */
  readonly matches: number;
  /** Offsets whose weak sum is that of a block, and blocks that the strong sum then ruled out. */
  readonly hashHits: number;
  readonly falseAlarms: number;
  /** Bytes of the signature and of the delta: what would cross the wire in either direction. */
  readonly signatureBytes: number;
  readonly deltaBytes: number;
}

/** How a delta is made. Its format is the signature's. */
export interface DeltaOptions extends WorkOptions {
  /** Length in bytes of new data that comes as a stream, for `onProgress`. */
  readonly byteLength?: number;
  /** Called with each piece of the new data, in order; adjacent pieces of one kind may come as several. */
  readonly onRange?: (range: DeltaRange) => void;
  /** Called once, at the end. */
  readonly onStats?: (stats: DeltaStats) => void;
}

/** A signature taken apart. */
interface Blocks {
  readonly format: "rsync" | "rdiff";
  readonly head: SumHead;
  readonly rules: BlockRules;
  /** Of the whole file; only rsync's format has one. */
  readonly checksum: FileChecksum | null;
  readonly seed: number;
  /** The sums, as the block table takes them. */
  readonly sums: Uint8Array;
}

/** See the public function of this name in api.ts. The stream fails with ProtocolError when it is no signature. */
export function makeDelta(
  pool: KernelPool, signature: ByteSource, data: ByteSource, options: DeltaOptions = {},
): ReadableStream<Uint8Array> {
  const sums = openSource(signature);
  const source = openSource(data, options.byteLength);
  return streamOf(search(pool, sums, source, options), options.signal);
}

async function* search(
  pool: KernelPool, sums: OpenSource, source: OpenSource, options: DeltaOptions,
): AsyncGenerator<Uint8Array> {
  const signature = await collect(sums.chunks());
  const blocks = readSignature(signature);
  const kernels = pool.take();
  const work = new Search(kernels, blocks, source, options);
  try {
    let deltaBytes = 0;
    for (let more = true; more; ) {
      more = await work.step();
      options.signal?.throwIfAborted();
      const bytes = work.takeOutput();
      deltaBytes += bytes.length;
      if (bytes.length > 0) yield bytes;
    }
    options.onStats?.({ ...work.stats(), signatureBytes: signature.length, deltaBytes });
  } finally {
    await work.release();
    pool.give(kernels);
  }
}

/** One search: chunks go in, tokens or commands come out. */
class Search {
  private readonly table: BlockTable | null;
  private readonly digest: Digest;
  private readonly matcher: Matcher;
  private readonly queue: ChunkQueue;
  private readonly encoder: DeltaEncoder;
  private readonly options: DeltaOptions;
  private readonly source: OpenSource;

  constructor(kernels: Kernels, blocks: Blocks, source: OpenSource, options: DeltaOptions) {
    this.options = options;
    this.source = source;
    this.table = tableOf(kernels, blocks);
    this.digest = fileDigest(kernels, blocks.checksum ?? "none");
    this.matcher = new Matcher(kernels, this.digest);
    this.queue = new ChunkQueue(kernels, source.chunks());
    this.encoder = new DeltaEncoder(kernels, blocks, options.onRange);
    this.matcher.start(this.table, this.queue, this.encoder);
  }

  /** Takes in and searches about half a MiB; false when the delta is complete. */
  async step(): Promise<boolean> {
    await this.queue.fill(STEP_BYTES);
    const more = this.matcher.step();
    this.options.onProgress?.(this.queue.taken, this.source.byteLength);
    if (more) return true;
    const sum = new Uint8Array(this.digest.byteLength);
    this.matcher.finish(sum, 0);
    this.encoder.end(sum);
    return false;
  }

  takeOutput(): Uint8Array {
    return this.encoder.take();
  }

  stats(): MatchStats {
    return { ...this.matcher.stats };
  }

  async release(): Promise<void> {
    this.matcher.release();
    this.digest.release();
    this.table?.release();
    await this.queue.close();
  }
}

/** Takes a signature of either format apart. Throws ProtocolError. */
function readSignature(bytes: Uint8Array): Blocks {
  const cursor = new Cursor(bytes);
  const magic = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  try {
    if (isRdiffSignature(magic)) return readRdiff(cursor);
    if (deltaFileKind(magic) === "signature") return readRsync(cursor);
  } catch (error) {
    if (error !== NEED_MORE) throw error;
    throw new ProtocolError("signature-file", "the signature ends too early", 2, bytes.length);
  }
  throw new ProtocolError("signature-file", "not a signature, neither rsync's nor rdiff's", 2, 0);
}

function readRdiff(cursor: Cursor): Blocks {
  const rdiff = readRdiffHead(cursor);
  const stride = WEAK_SUM_BYTES + rdiff.sumLength;
  const sums = cursor.take(cursor.available);
  if (sums.length % stride !== 0) {
    throw new ProtocolError("rdiff-signature", "the signature ends within a block's sums", 2, cursor.offset);
  }
  swapWeakSums(sums, stride);
  const count = sums.length / stride;
  const { blockLength, sumLength } = rdiff;
  const head = { count, blockLength, s2length: sumLength, remainder: 0, fileLength: count * blockLength };
  return { format: "rdiff", head, rules: rdiffRules(rdiff), checksum: null, seed: 0, sums };
}

function readRsync(cursor: Cursor): Blocks {
  const { checksum, seed } = readSignatureFileHead(cursor);
  const head = newSumHead();
  readSumHead(cursor, head, 32, Math.min(16, checksumLength(checksum)));
  const sums = cursor.take(sumBytes(head));
  if (cursor.available > 0) {
    throw new ProtocolError("signature-file", "there is more behind the last block's sums", 2, cursor.offset);
  }
  return { format: "rsync", head, rules: rsyncRules(checksum, seed), checksum, seed, sums };
}

function tableOf(kernels: Kernels, { head, rules, sums }: Blocks): BlockTable | null {
  if (head.count === 0) return null;
  const table = new BlockTable(kernels, rules, head);
  kernels.memory.u8.set(sums, table.sumsPtr);
  table.build();
  return table;
}

/** New data on its way to the matcher, which reads without waiting and so must find all it may ask for. */
class ChunkQueue implements FileSource {
  /** Bytes handed to the matcher. */
  taken = 0;
  /** Infinite until the end is known. */
  byteLength = Infinity;
  private readonly kernels: Kernels;
  private readonly chunks: AsyncGenerator<Uint8Array>;
  private queue: Uint8Array[] = [];
  private queued = 0;

  constructor(kernels: Kernels, chunks: AsyncGenerator<Uint8Array>) {
    this.kernels = kernels;
    this.chunks = chunks;
  }

  /** Waits until `byteLength` bytes are there, or all that will come. */
  async fill(byteLength: number): Promise<void> {
    while (this.queued < byteLength && this.byteLength === Infinity) {
      const { done, value } = await this.chunks.next();
      if (done) {
        this.byteLength = this.taken + this.queued;
        return;
      }
      // A chunk is the source's own only until the next is asked for.
      this.queue.push(this.queued + value.length < byteLength ? new Uint8Array(value) : value);
      this.queued += value.length;
    }
  }

  read(_offset: number, ptr: number, byteLength: number): number {
    const { u8 } = this.kernels.memory;
    let done = 0;
    while (done < byteLength && this.queue.length > 0) {
      const first = this.queue[0];
      const count = Math.min(first.length, byteLength - done);
      u8.set(count === first.length ? first : first.subarray(0, count), ptr + done);
      if (count === first.length) this.queue.shift();
      else this.queue[0] = first.subarray(count);
      done += count;
    }
    this.taken += done;
    this.queued -= done;
    return done;
  }

  async close(): Promise<void> {
    await this.chunks.return(undefined);
  }
}

/** Writes the matcher's tokens in the signature's format. */
class DeltaEncoder implements TokenSink {
  private readonly kernels: Kernels;
  private readonly blocks: Blocks;
  private readonly onRange: DeltaOptions["onRange"];
  private readonly out = new Writer(1 << 16);
  private readonly tokens = new PlainTokenWriter();
  private offset = 0;
  /** Copy not yet written, since the next match may continue it. */
  private copyOffset = 0;
  private copyBytes = 0;

  constructor(kernels: Kernels, blocks: Blocks, onRange: DeltaOptions["onRange"]) {
    this.kernels = kernels;
    this.blocks = blocks;
    this.onRange = onRange;
    if (blocks.format === "rdiff") {
      writeRdiffDeltaHead(this.out);
      return;
    }
    writeDeltaFileHead(this.out, "delta", { checksum: blocks.checksum!, seed: blocks.seed });
    writeSumHead(this.out, blocks.head);
  }

  literal(ptr: number, byteLength: number): void {
    const bytes = this.kernels.memory.bytes(ptr, byteLength);
    if (this.blocks.format === "rdiff") {
      this.flushCopy();
      writeRdiffLiteral(this.out, byteLength);
      this.out.put(bytes);
    } else {
      this.tokens.literal(this.out, bytes);
    }
    this.tell("literal", byteLength, -1);
  }

  match(index: number, ptr: number, byteLength: number): void {
    this.matchRun(index, 1, ptr, byteLength);
  }

  matchRun(index: number, count: number, _ptr: number, byteLength: number): void {
    const basisOffset = index * this.blocks.head.blockLength;
    if (this.blocks.format === "rdiff") {
      this.copy(basisOffset, byteLength);
    } else {
      for (let n = 0; n < count; n++) this.tokens.match(this.out, index + n, NO_BYTES);
    }
    this.tell("match", byteLength, basisOffset);
  }

  /** The new data is over; `sum` is its digest. */
  end(sum: Uint8Array): void {
    if (this.blocks.format === "rdiff") {
      this.flushCopy();
      writeRdiffEnd(this.out);
    } else {
      this.tokens.end(this.out);
      this.out.put(sum);
    }
  }

  /** What was written since the last call. */
  take(): Uint8Array {
    const bytes = this.out.view().slice();
    this.out.reset();
    return bytes;
  }

  private copy(basisOffset: number, byteLength: number): void {
    if (this.copyBytes > 0 && this.copyOffset + this.copyBytes !== basisOffset) this.flushCopy();
    if (this.copyBytes === 0) this.copyOffset = basisOffset;
    this.copyBytes += byteLength;
  }

  private flushCopy(): void {
    if (this.copyBytes > 0) writeRdiffCopy(this.out, this.copyOffset, this.copyBytes);
    this.copyBytes = 0;
  }

  private tell(kind: DeltaRange["kind"], byteLength: number, basisOffset: number): void {
    this.onRange?.({ kind, offset: this.offset, byteLength, basisOffset });
    this.offset += byteLength;
  }
}

const NO_BYTES = new Uint8Array(0);
