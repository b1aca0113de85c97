/**
 * Where the bytes of a file in a tree of our own (treefs.ts) are: in memory, or behind a function that reads them from
 * somewhere else, such as an archive or a browser's File. All calls are synchronous.
 */

/** The bytes of one file. A failure is thrown; the file system reports it as an input/output error. */
export interface FileContent {
  readonly byteLength: number;
  /** False: `write` and `truncate` must not be called; the file system copies the content first. */
  readonly writable: boolean;
  /** Copies bytes from `offset` on into `to`; returns how many there were. */
  read(offset: number, to: Uint8Array): number;
  /** Takes all of `from`; a gap before `offset` becomes zeros. */
  write(offset: number, from: Uint8Array): void;
  truncate(byteLength: number): void;
  /** Nobody needs the bytes any more. */
  release(): void;
}

/** Makes the content of new files. */
export interface ContentStore {
  create(): FileContent;
}

const PAGE = 1 << 16;
const LEAST_PAGE = 256;

/** Content in memory, in pages; what was never written takes no room. */
class MemoryContent implements FileContent {
  readonly writable = true;
  byteLength = 0;
  private pages: (Uint8Array | undefined)[] = [];

  read(offset: number, to: Uint8Array): number {
    const count = Math.max(0, Math.min(to.length, this.byteLength - offset));
    for (let done = 0; done < count; ) {
      const at = (offset + done) % PAGE;
      const part = Math.min(PAGE - at, count - done);
      const page = this.pages[Math.floor((offset + done) / PAGE)];
      const there = Math.min(part, Math.max(0, (page?.length ?? 0) - at));
      if (there > 0) to.set(page!.subarray(at, at + there), done);
      if (there < part) to.fill(0, done + there, done + part);
      done += part;
    }
    return count;
  }

  write(offset: number, from: Uint8Array): void {
    for (let done = 0; done < from.length; ) {
      const at = (offset + done) % PAGE;
      const part = Math.min(PAGE - at, from.length - done);
      const page = this.page(Math.floor((offset + done) / PAGE), at + part);
      page.set(from.subarray(done, done + part), at);
      done += part;
    }
    this.byteLength = Math.max(this.byteLength, offset + from.length);
  }

  truncate(byteLength: number): void {
    if (byteLength < this.byteLength) {
      this.pages.length = Math.ceil(byteLength / PAGE);
      if (byteLength % PAGE !== 0) this.pages[this.pages.length - 1]?.fill(0, byteLength % PAGE);
    }
    this.byteLength = byteLength;
  }

  release(): void {
    this.pages = [];
    this.byteLength = 0;
  }

  /** A page with room for its first `byteLength` bytes. */
  private page(index: number, byteLength: number): Uint8Array {
    const old = this.pages[index];
    if (old !== undefined && old.length >= byteLength) return old;
    let size = Math.max(LEAST_PAGE, old?.length ?? 0);
    while (size < byteLength) size *= 2;
    const page = new Uint8Array(size);
    if (old !== undefined) page.set(old);
    return (this.pages[index] = page);
  }
}

/** The store of files that live in memory. */
export const MEMORY_STORE: ContentStore = { create: () => new MemoryContent() };

/** Content that can only be read: `byteLength` bytes, fetched by `read`, which may give fewer. */
export class ReaderContent implements FileContent {
  readonly writable = false;
  readonly byteLength: number;
  private readonly fetch: (offset: number, byteLength: number) => Uint8Array;

  constructor(byteLength: number, fetch: (offset: number, byteLength: number) => Uint8Array) {
    this.byteLength = byteLength;
    this.fetch = fetch;
  }

  read(offset: number, to: Uint8Array): number {
    const count = Math.max(0, Math.min(to.length, this.byteLength - offset));
    if (count === 0) return 0;
    const bytes = this.fetch(offset, count);
    to.set(bytes);
    return bytes.length;
  }

  write(): void {
    throw new Error("this content can only be read");
  }

  truncate(): void {
    throw new Error("this content can only be read");
  }

  release(): void {}
}
