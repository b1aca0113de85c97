/**
 * The one home of bytes: a WebAssembly memory, its typed views and an allocator for large regions.
 *
 * File contents, file-list names, block tables and I/O buffers live here, so that kernels, libc calls and codecs
 * share them without copies. The memory is shared (SharedArrayBuffer): growing it never detaches a view, so a view of
 * an allocated region stays valid until that region is freed. Only views made before a growth cannot reach the new
 * pages, which is why code takes `memory.u8` anew after anything that may allocate.
 *
 * Addresses ("ptr") are byte offsets into the memory. `base` is the native address of offset 0; a libc call takes
 * `memory.base + ptr`. It is 0 until a host with FFI sets it.
 */
import { ExitCode, LimitError } from "./errors.ts";

const PAGE = 65536;
const ALIGN = 64;
const SHORT_NAME = 64;

/** Copies `from` into `to` at an index; the two may overlap. */
export type CopyBytes = (to: Uint8Array, at: number, from: Uint8Array) => void;

interface FreeRange {
  ptr: number;
  byteLength: number;
}

/** A growable linear memory with a first-fit allocator meant for few, large regions (buffers, arenas, tables). */
export class LinearMemory {
  readonly wasm: WebAssembly.Memory;
  u8!: Uint8Array;
  i32!: Int32Array;
  u32!: Uint32Array;
  view!: DataView;
  base = 0;
  /** Bytes that nothing may take at once (--max-alloc). */
  maxAlloc = Infinity;
  /** Moves bytes within the memory: the kernels' own way, which is what JavaScript's is not on shared memory: fast. */
  move: (to: number, from: number, byteLength: number) => void = (to, from, byteLength) => {
    this.u8.copyWithin(to, from, from + byteLength);
  };
  private readonly maxPages: number;
  private readonly sizes = new Map<number, number>();
  private free: FreeRange[] = [];
  /** Growing gives a shared memory a new buffer object over the same bytes, so there is one for each size it had. */
  private readonly buffers = new Set<ArrayBufferLike>();

  /** `heapStart`: first byte not used by the kernels' static data. `maxPages`: the memory's declared maximum. */
  constructor(wasm: WebAssembly.Memory, heapStart: number, maxPages: number) {
    this.wasm = wasm;
    this.maxPages = maxPages;
    this.refresh();
    const start = roundUp(heapStart);
    this.free.push({ ptr: start, byteLength: this.u8.length - start });
  }

  /**
   * Asked by whoever is about to take as much as a peer or a file may want, here or in a buffer of its own. Throws
   * LimitError (22) when that is more than --max-alloc allows. Upstream util2.c:my_alloc.
   */
  checkAlloc(byteLength: number): void {
    if (byteLength < this.maxAlloc) return;
    throw new LimitError(`exceeded --max-alloc=${this.maxAlloc} setting`, ExitCode.malloc);
  }

  /** Reserves a 64-byte aligned region. Throws LimitError (22) for too much at once, or when memory cannot grow. */
  alloc(byteLength: number): number {
    this.checkAlloc(byteLength);
    const need = Math.max(ALIGN, roundUp(byteLength));
    let at = this.free.findIndex((range) => range.byteLength >= need);
    if (at < 0) at = this.grow(need);
    const range = this.free[at];
    const ptr = range.ptr;
    range.ptr += need;
    range.byteLength -= need;
    if (range.byteLength === 0) this.free.splice(at, 1);
    this.sizes.set(ptr, need);
    return ptr;
  }

  /**
   * A region of which perhaps only some will be used: pages of a shared memory take room when they are first touched.
   * Returns 0 where that is not so, and where so much is not to be had.
   */
  reserve(byteLength: number): number {
    if (this.wasm.buffer instanceof ArrayBuffer) return 0;
    if (this.u8.length + byteLength > (this.maxPages * PAGE) / 2 || byteLength >= this.maxAlloc) return 0;
    try {
      return this.alloc(byteLength);
    } catch {
      return 0;
    }
  }

  /** Gives a region back. Views of it must no longer be used. */
  release(ptr: number): void {
    const byteLength = this.sizes.get(ptr);
    if (byteLength === undefined) throw new RangeError(`release of ${ptr}, which was not allocated`);
    this.sizes.delete(ptr);
    this.giveBack(ptr, byteLength);
  }

  /** A view of `byteLength` bytes at `ptr`, valid until the region is released. */
  bytes(ptr: number, byteLength: number): Uint8Array {
    return this.u8.subarray(ptr, ptr + byteLength);
  }

  /**
   * `to.set(from, at)`, many times as fast between regions of a shared memory, where JavaScript copies word by word.
   */
  readonly copy: CopyBytes = (to, at, from) => {
    if (this.owns(from) && this.owns(to) && from.length <= to.length - at) {
      this.move(to.byteOffset + at, from.byteOffset, from.length);
    } else {
      to.set(from, at);
    }
  };

  /** Whether a view lies in this memory, however long ago it was made. */
  owns(view: Uint8Array): boolean {
    return this.buffers.has(view.buffer);
  }

  /** A region as a buffer of its own for I/O, or an ordinary buffer where growth would detach a view. Never freed. */
  ioBuffer(byteLength: number): Uint8Array {
    if (this.wasm.buffer instanceof ArrayBuffer) return new Uint8Array(byteLength);
    return this.bytes(this.alloc(byteLength), byteLength);
  }

  /** Reads bytes as a name: a string with one code unit per byte. */
  readLatin1(ptr: number, byteLength: number): string {
    return latin1(this.u8, ptr, ptr + byteLength);
  }

  /** Writes a name's bytes at `ptr` without a terminator; returns their count. */
  writeLatin1(ptr: number, name: string): number {
    const u8 = this.u8;
    for (let i = 0; i < name.length; i++) u8[ptr + i] = name.charCodeAt(i);
    return name.length;
  }

  /** Writes a NUL-terminated name at `ptr`; returns the byte count without the terminator. */
  writeCString(ptr: number, name: string): number {
    const byteLength = this.writeLatin1(ptr, name);
    this.u8[ptr + byteLength] = 0;
    return byteLength;
  }

  private refresh(): void {
    const buffer = this.wasm.buffer;
    if (buffer instanceof ArrayBuffer) this.buffers.clear();
    this.buffers.add(buffer);
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Grows by at least `need` bytes and returns the index of a free range that holds them. */
  private grow(need: number): number {
    const oldLength = this.u8.length;
    const pages = oldLength / PAGE;
    const wanted = Math.max(Math.ceil(need / PAGE), Math.min(pages >> 2, 256));
    const byPages = Math.min(wanted, this.maxPages - pages);
    if (byPages * PAGE < need) {
      const limit = this.maxPages * PAGE;
      throw new LimitError(`out of memory: ${need} bytes wanted, the limit is ${limit}`, ExitCode.malloc);
    }
    try {
      this.wasm.grow(byPages);
    } catch {
      throw new LimitError(`out of memory: the runtime refused ${byPages * PAGE} more bytes`, ExitCode.malloc);
    }
    this.refresh();
    this.giveBack(oldLength, byPages * PAGE);
    return this.free.findIndex((range) => range.byteLength >= need);
  }

  /** Inserts a range into the free list, sorted by address, joined with its neighbours. */
  private giveBack(ptr: number, byteLength: number): void {
    const free = this.free;
    let at = free.findIndex((range) => range.ptr > ptr);
    if (at < 0) at = free.length;
    const before = free[at - 1];
    const after = free[at];
    if (before && before.ptr + before.byteLength === ptr) {
      before.byteLength += byteLength;
      if (after && before.ptr + before.byteLength === after.ptr) {
        before.byteLength += after.byteLength;
        free.splice(at, 1);
      }
    } else if (after && ptr + byteLength === after.ptr) {
      after.ptr = ptr;
      after.byteLength += byteLength;
    } else {
      free.splice(at, 0, { ptr, byteLength });
    }
  }
}

function roundUp(byteLength: number): number {
  return Math.ceil(byteLength / ALIGN) * ALIGN;
}

/** Decodes bytes [start, end) to a string with one code unit per byte, which TextDecoder cannot do. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_NAME) return shortLatin1(bytes, start, end);
  let text = "";
  for (let at = start; at < end; at += 4096) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(end, at + 4096)) as unknown as number[]);
  }
  return text;
}

/** Names are mostly short, and a plain array is cheaper to make than a view. */
function shortLatin1(bytes: Uint8Array, start: number, end: number): string {
  const codes = new Array<number>(end - start);
  for (let i = start; i < end; i++) codes[i - start] = bytes[i];
  return String.fromCharCode.apply(null, codes);
}

/** The bytes of a name string (one code unit per byte). */
export function bytesOf(name: string): Uint8Array {
  const bytes = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i);
  return bytes;
}

/** Turns text into the name string (one code unit per byte) of its UTF-8 bytes. */
export function nameOfText(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return latin1(bytes, 0, bytes.length);
}
