/**
 * Files in Blobs, for a browser's worker: what is read comes from Files that the user chose, what is written becomes
 * Blobs. So the contents stay with the browser, which keeps long ones on disk.
 */
import { type ContentStore, type FileContent, ReaderContent, TreeFiles } from "../src/binding.ts";
import { UsageError, type WriteOptions } from "../src/index.ts";

/** Bytes that gather in memory before they become part of a Blob. */
const PIECE_BYTES = 4 << 20;

/** Reads Blobs at once; workers have it, pages have not. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** Bytes of a Blob, at once. */
function readBlob(blob: Blob, offset: number, byteLength: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new FileReaderSync().readAsArrayBuffer(blob.slice(offset, offset + byteLength)));
}

/** Content that is a Blob's, to be read. */
class BlobContent extends ReaderContent {
  readonly blob: Blob;

  constructor(blob: Blob) {
    super(blob.size, (offset, byteLength) => readBlob(blob, offset, byteLength));
    this.blob = blob;
  }
}

/** The content of a Blob, to be read. */
export function blobContent(blob: Blob): FileContent {
  return new BlobContent(blob);
}

/** Content that is written from its start to its end, and becomes a Blob. */
class GrowingBlob implements FileContent {
  readonly writable = true;
  byteLength = 0;
  private whole = new Blob([]);
  private parts: Uint8Array<ArrayBuffer>[] = [];
  private partBytes = 0;

  read(offset: number, to: Uint8Array): number {
    const bytes = readBlob(this.blob(), offset, to.length);
    to.set(bytes);
    return bytes.length;
  }

  write(offset: number, from: Uint8Array): void {
    const end = offset + from.length;
    if (offset < this.byteLength) {
      const all = this.blob();
      this.whole = new Blob([all.slice(0, offset), from.slice(), all.slice(end)]);
      this.byteLength = Math.max(this.byteLength, end);
      return;
    }
    if (offset > this.byteLength) this.add(new Uint8Array(offset - this.byteLength));
    this.add(from.slice());
  }

  truncate(byteLength: number): void {
    if (byteLength > this.byteLength) return this.add(new Uint8Array(byteLength - this.byteLength));
    this.whole = this.blob().slice(0, byteLength);
    this.byteLength = byteLength;
  }

  release(): void {
    this.whole = new Blob([]);
    this.parts = [];
    this.byteLength = this.partBytes = 0;
  }

  /** All of it. */
  blob(): Blob {
    if (this.parts.length > 0) this.whole = new Blob([this.whole, ...this.parts]);
    this.parts = [];
    this.partBytes = 0;
    return this.whole;
  }

  private add(bytes: Uint8Array<ArrayBuffer>): void {
    this.parts.push(bytes);
    this.partBytes += bytes.length;
    this.byteLength += bytes.length;
    if (this.partBytes >= PIECE_BYTES) this.blob();
  }
}

/** Makes contents that grow in Blobs. */
export class BlobStore implements ContentStore {
  create(): FileContent {
    return new GrowingBlob();
  }
}

/** All of a content as one Blob; one that is in Blobs is not read. */
export function contentBlob(content: FileContent): Blob {
  if (content instanceof GrowingBlob) return content.blob();
  if (content instanceof BlobContent) return content.blob;
  const bytes = new Uint8Array(content.byteLength);
  content.read(0, bytes);
  return new Blob([bytes]);
}

/** Files in Blobs. Works in workers only. */
export class BlobFiles extends TreeFiles {
  constructor() {
    super(() => Date.now(), {}, new BlobStore());
  }

  /** Adds a file. Its time is the File's own unless told. */
  add(path: string, blob: Blob, options: WriteOptions = {}): void {
    const mtime = blob instanceof File ? blob.lastModified / 1000 : undefined;
    this.put(path, blobContent(blob), { mtime, ...options });
  }

  /** A file that was written, or added. Throws UsageError when there is none. */
  blob(path: string): Blob {
    const content = this.contentOf(path);
    if (content !== null) return contentBlob(content);
    throw new UsageError(`no such file: ${path}`);
  }
}
