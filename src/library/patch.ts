/**
 * `patch`: a basis and a delta become the new data: rsync's receiver for one file.
 *
 * The basis is read where the delta says, in large pieces; nothing is held but the piece at hand.
 */
import { type Digest, fileDigest } from "../checksum/digest.ts";
import { checksumLength } from "../checksum/registry.ts";
import { ProtocolError } from "../errors.ts";
import { Cursor, NEED_MORE } from "../protocol/cursor.ts";
import { deltaFileKind, type FileChecksum, readDeltaFileHead } from "../protocol/deltafile.ts";
import { isRdiffDelta, RdiffDeltaReader } from "../protocol/rdiff.ts";
import { newSumHead, readSumHead } from "../protocol/sumhead.ts";
import { PlainTokenReader } from "../protocol/token.ts";
import { type KernelPool } from "./kernelpool.ts";
import { type Basis, type ByteSource, openBasis, openSource, type OpenSource, type RandomAccess } from "./sources.ts";
import { streamOf, type WorkOptions } from "./streams.ts";

/** Bytes of the basis read at once. */
const PIECE_BYTES = 1 << 20;

/** How a delta is applied. */
export interface PatchOptions extends WorkOptions {
  /** Length in bytes of a delta that comes as a stream, for `onProgress`. */
  readonly byteLength?: number;
}

/** A step of the work: new bytes, or a range of the basis. */
type Step = { readonly bytes: Uint8Array } | { readonly offset: number; readonly byteLength: number };

/** Reads a delta piece by piece into steps. */
interface DeltaReader {
  /** The steps that the bytes make. */
  read(cursor: Cursor): Step[];
  readonly ended: boolean;
  /** The whole-file digest at the end, where the format has one; else null. */
  readonly sum: Uint8Array | null;
  readonly checksum: FileChecksum | null;
}

/** See the public function of this name in api.ts. */
export function applyDelta(
  pool: KernelPool, basis: Basis, delta: ByteSource, options: PatchOptions = {},
): ReadableStream<Uint8Array> {
  return streamOf(apply(pool, openBasis(basis), openSource(delta, options.byteLength), options), options.signal);
}

async function* apply(
  pool: KernelPool, basis: RandomAccess, delta: OpenSource, options: PatchOptions,
): AsyncGenerator<Uint8Array> {
  const kernels = pool.take();
  const input = new DeltaInput();
  let digest: Digest | null = null;
  try {
    let doneBytes = 0;
    for await (const chunk of delta.chunks()) {
      for (const step of input.take(chunk)) {
        digest ??= fileDigest(kernels, input.checksum ?? "none");
        for await (const bytes of resolve(step, basis)) {
          options.signal?.throwIfAborted();
          digest.updateBytes(bytes);
          yield bytes;
        }
      }
      doneBytes += chunk.length;
      options.onProgress?.(doneBytes, delta.byteLength);
    }
    const sum = input.end();
    digest ??= fileDigest(kernels, input.checksum ?? "none");
    if (sum !== null) verify(digest, sum);
  } finally {
    digest?.release();
    pool.give(kernels);
  }
}

/** The bytes of a step. They are the reader's: a basis piece is given on as it was read. */
async function* resolve(step: Step, basis: RandomAccess): AsyncGenerator<Uint8Array> {
  if ("bytes" in step) {
    yield new Uint8Array(step.bytes);
    return;
  }
  const end = step.offset + step.byteLength;
  if (end > basis.byteLength) {
    throw new ProtocolError("delta-file", `the delta wants bytes up to ${end} of a basis of ${basis.byteLength}`);
  }
  for (let offset = step.offset; offset < end; ) {
    const piece = await basis.read(offset, Math.min(PIECE_BYTES, end - offset));
    if (piece.length === 0) throw new ProtocolError("delta-file", `the basis ended at ${offset}`);
    yield new Uint8Array(piece);
    offset += piece.length;
  }
}

function verify(digest: Digest, sum: Uint8Array): void {
  const own = new Uint8Array(digest.byteLength);
  digest.final(own, 0);
  if (own.every((byte, at) => byte === sum[at])) return;
  throw new ProtocolError("file-digest", "the result does not have the delta's checksum: was it made for this basis?");
}

/** Chunks of a delta, whose format shows in the first four bytes. */
class DeltaInput {
  private reader: DeltaReader | null = null;
  private rest = new Uint8Array(0);
  private offset = 0;

  get checksum(): FileChecksum | null {
    return this.reader?.checksum ?? null;
  }

  /** The steps that are complete with this chunk; their bytes are views of it. */
  take(chunk: Uint8Array): Step[] {
    const bytes = this.rest.length === 0 ? chunk : joined(this.rest, chunk);
    const cursor = new Cursor(bytes);
    cursor.origin = this.offset;
    let steps: Step[] = [];
    try {
      this.reader ??= openDelta(cursor);
      if (this.reader !== null) steps = this.reader.read(cursor);
    } catch (error) {
      if (error !== NEED_MORE) throw error;
      cursor.pos = 0;
    }
    this.offset += cursor.pos;
    this.rest = new Uint8Array(bytes.subarray(cursor.pos));
    return steps;
  }

  /** There is no more: returns the digest that the delta ends with. Throws ProtocolError when it is not complete. */
  end(): Uint8Array | null {
    if (!this.reader?.ended) throw new ProtocolError("delta-file", "the delta ends too early", 2, this.offset);
    if (this.rest.length > 0) throw new ProtocolError("delta-file", "there is more behind the delta", 2, this.offset);
    return this.reader.sum;
  }
}

/** Null while there are fewer than four bytes. */
function openDelta(cursor: Cursor): DeltaReader | null {
  if (cursor.available < 4) return null;
  const magic = new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset).getUint32(0);
  if (isRdiffDelta(magic)) return new RdiffSteps();
  if (deltaFileKind(magic) === "delta") return new RsyncSteps(cursor);
  throw new ProtocolError("delta-file", "not a delta, neither rsync's nor rdiff's", 2, 0);
}

class RdiffSteps implements DeltaReader {
  ended = false;
  readonly sum = null;
  readonly checksum = null;
  private readonly reader = new RdiffDeltaReader();

  read(cursor: Cursor): Step[] {
    const steps: Step[] = [];
    if (this.ended) return steps;
    this.reader.read(cursor, {
      literal: (bytes) => void steps.push({ bytes }),
      copy: (offset, byteLength) => void steps.push({ offset, byteLength }),
      end: () => void (this.ended = true),
    });
    return steps;
  }
}

class RsyncSteps implements DeltaReader {
  readonly checksum: FileChecksum;
  sum: Uint8Array | null = null;
  private readonly head = newSumHead();
  private readonly reader = new PlainTokenReader();
  private tokensEnded = false;

  /** Reads the head; NEED_MORE when it is not all there yet. */
  constructor(cursor: Cursor) {
    this.checksum = readDeltaFileHead(cursor).checksum;
    readSumHead(cursor, this.head, 32, Math.min(16, checksumLength(this.checksum)));
  }

  get ended(): boolean {
    return this.sum !== null;
  }

  read(cursor: Cursor): Step[] {
    const steps: Step[] = [];
    if (!this.tokensEnded) {
      this.tokensEnded = this.reader.read(cursor, {
        literal: (bytes) => void steps.push({ bytes }),
        match: (index) => this.match(steps, index),
        end: () => {},
      });
    }
    const sumLength = checksumLength(this.checksum);
    const isThere = this.tokensEnded && this.sum === null && cursor.available >= sumLength;
    if (isThere) this.sum = new Uint8Array(cursor.take(sumLength));
    return steps;
  }

  /** Consecutive blocks are one range. */
  private match(steps: Step[], index: number): void {
    const { count, blockLength, remainder } = this.head;
    if (index < 0 || index >= count) {
      throw new ProtocolError("token", `Invalid block index ${index} (count=${count})`);
    }
    const offset = index * blockLength;
    const byteLength = index === count - 1 && remainder !== 0 ? remainder : blockLength;
    const last = steps.at(-1);
    if (last && "offset" in last && last.offset + last.byteLength === offset) {
      steps[steps.length - 1] = { offset: last.offset, byteLength: last.byteLength + byteLength };
    } else {
      steps.push({ offset, byteLength });
    }
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
