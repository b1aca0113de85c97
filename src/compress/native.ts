/**
 * What the three system-library codecs share: addresses of bytes in linear memory, and a stage for bytes elsewhere.
 *
 * A C library takes native addresses. Views of linear memory have one (memory.base + offset) and pass without a copy;
 * any other bytes, and views made before the memory last grew, go through a stage of 32 KiB.
 */
import { type Ffi, type FfiFunction, type FfiSignature } from "../host.ts";
import { type LinearMemory } from "../memory.ts";

const STAGE_BYTES = 32 * 1024;
const TWO_32 = 4294967296;

/** Hands bytes to C span by span. */
export class Stage {
  /** Native address and length of the span the last `load` made ready. */
  address = 0;
  byteLength = 0;
  private readonly memory: LinearMemory;
  private ptr = 0;

  constructor(memory: LinearMemory) {
    this.memory = memory;
  }

  /** Makes bytes from index `at` on addressable, as many as fit; `byteLength` says how many. */
  load(bytes: Uint8Array, at: number): void {
    const { memory } = this;
    if (bytes.buffer === memory.u8.buffer) {
      this.address = memory.base + bytes.byteOffset + at;
      this.byteLength = bytes.length - at;
      return;
    }
    if (this.ptr === 0) this.ptr = memory.alloc(STAGE_BYTES);
    this.byteLength = Math.min(STAGE_BYTES, bytes.length - at);
    memory.u8.set(bytes.subarray(at, at + this.byteLength), this.ptr);
    this.address = memory.base + this.ptr;
  }

  release(): void {
    if (this.ptr !== 0) this.memory.release(this.ptr);
    this.ptr = 0;
  }
}

/** Stores a 64-bit value below 2^53 (an address, a size_t) at an 8-byte aligned place. */
export function setWord(memory: LinearMemory, ptr: number, value: number): void {
  memory.u32[ptr >> 2] = value >>> 0;
  memory.u32[(ptr >> 2) + 1] = Math.floor(value / TWO_32);
}

/** Reads a size_t that is below 2^53. */
export function getWord(memory: LinearMemory, ptr: number): number {
  return memory.u32[(ptr >> 2) + 1] * TWO_32 + memory.u32[ptr >> 2];
}

/** The library's functions, all of them, or null: from the first of the file names that opens. */
export function openLibrary<Name extends string>(
  ffi: Ffi, files: readonly string[], symbols: Readonly<Record<Name, FfiSignature>>,
): Record<Name, FfiFunction> | null {
  for (const file of files) {
    const library = tryOpen(ffi, file, symbols);
    if (library !== null && Object.keys(symbols).every((name) => name in library)) {
      return library as Record<Name, FfiFunction>;
    }
  }
  return null;
}

/** Some runtimes throw where a library is absent; for us it is simply not offered. */
function tryOpen(ffi: Ffi, file: string, symbols: Readonly<Record<string, FfiSignature>>):
  Record<string, FfiFunction> | null {
  try {
    return ffi.dlopen(file, symbols);
  } catch {
    return null;
  }
}
