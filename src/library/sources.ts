/**
 * What the library's functions read: bytes in memory, a Blob or File, an object with random access, or a stream. Large
 * things are read in pieces and never held whole.
 */
import { UsageError } from "../errors.ts";

/** Bytes read at once from what has random access. */
const PIECE_BYTES = 1 << 20;

/** Something long with random access: an open file, a range of a server's, ... */
export interface RandomAccess {
  /** Length in bytes. */
  readonly byteLength: number;
  /**
   * Reads up to `byteLength` bytes at `offset`; fewer only at the end. The result is not kept beyond the next call.
   */
  read(offset: number, byteLength: number): Uint8Array | Promise<Uint8Array>;
}

/** What can be read at any place: needed of a basis that a delta is applied to. */
export type Basis = Uint8Array | ArrayBuffer | Blob | RandomAccess;

/** What is read once, from start to end. Node's Readable is an AsyncIterable, `response.body` a ReadableStream. */
export type ByteSource = Basis | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** A source as the library reads it. */
export interface OpenSource {
  /** Length in bytes, null where only the end will tell. */
  readonly byteLength: number | null;
  /** Pieces in order; the consumer's `return` ends the source's own work. */
  chunks(): AsyncGenerator<Uint8Array>;
}

/** The random access of a basis. Throws UsageError for a stream. */
export function openBasis(basis: Basis): RandomAccess {
  const access = randomAccess(basis);
  if (access === null) {
    throw new UsageError("a basis is read at any place: give a Uint8Array, a Blob, or an object with read");
  }
  return access;
}

/** Opens any source. `byteLength`: what the caller knows of a stream's length. Throws UsageError for anything else. */
export function openSource(source: ByteSource, byteLength?: number): OpenSource {
  const access = randomAccess(source);
  if (access !== null) return { byteLength: access.byteLength, chunks: () => piecesOf(access) };
  const known = byteLength ?? null;
  if (typeof (source as ReadableStream).getReader === "function") {
    return { byteLength: known, chunks: () => checked(streamChunks(source as ReadableStream<Uint8Array>)) };
  }
  if (isIterable(source)) return { byteLength: known, chunks: () => checked(source) };
  throw new UsageError("not a source of bytes: give a Uint8Array, a Blob, a stream or an iterable of Uint8Arrays");
}

/** All bytes of a source in one array. */
export async function collect(source: ByteSource): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  for await (const chunk of openSource(source).chunks()) {
    // A copy, which the slice of a Buffer would not be.
    parts.push(new Uint8Array(chunk));
    byteLength += chunk.length;
  }
  const all = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function randomAccess(source: ByteSource): RandomAccess | null {
  if (source instanceof Uint8Array) return ofBytes(source);
  if (source instanceof ArrayBuffer) return ofBytes(new Uint8Array(source));
  if (typeof Blob === "function" && source instanceof Blob) return ofBlob(source);
  const { byteLength, read } = source as Partial<RandomAccess>;
  return typeof byteLength === "number" && typeof read === "function" ? (source as RandomAccess) : null;
}

function ofBytes(bytes: Uint8Array): RandomAccess {
  return {
    byteLength: bytes.length,
    read: (offset, byteLength) => bytes.subarray(offset, offset + byteLength),
  };
}

function ofBlob(blob: Blob): RandomAccess {
  return {
    byteLength: blob.size,
    read: async (offset, byteLength) => new Uint8Array(await blob.slice(offset, offset + byteLength).arrayBuffer()),
  };
}

function isIterable(source: unknown): source is AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (typeof source !== "object" || source === null) return false;
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}

async function* piecesOf(access: RandomAccess): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < access.byteLength; ) {
    const piece = await access.read(offset, Math.min(PIECE_BYTES, access.byteLength - offset));
    if (piece.length === 0) throw new RangeError(`the source ended at ${offset} of ${access.byteLength} bytes`);
    yield piece;
    offset += piece.length;
  }
}

/** Not every browser's stream is an iterable of its own. */
async function* streamChunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      ended = done;
      if (done) return;
      yield value;
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

async function* checked(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array)) throw new UsageError("a source of bytes gave something else than a Uint8Array");
    if (chunk.length > 0) yield chunk;
  }
}
