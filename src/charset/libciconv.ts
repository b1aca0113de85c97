/** Conversion by the C library's iconv, which knows the same charsets by the same names as rsync does. */
import { type Ffi, type FfiFunction, type FfiSignature } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { type ConversionEngine, type Fault } from "./converter.ts";

const ICONV_TABLE: Readonly<Record<"iconv_open" | "iconv" | "iconv_close", FfiSignature>> = {
  iconv_open: { args: ["ptr", "ptr"], result: "i64" },
  iconv: { args: ["i64", "ptr", "ptr", "ptr", "ptr"], result: "i64" },
  iconv_close: { args: ["i64"], result: "i32" },
};

const TWO_32 = 4294967296;
/** Two addresses and two lengths. */
const WORDS_BYTES = 32;
/** Room for a name, and for what it may become: the widest charsets take four bytes a character. */
const INPUT_BYTES = 8192;
const OUTPUT_BYTES = 4 * INPUT_BYTES + 16;

/** errno values of the systems that src/posix calls. */
const E2BIG = 7;
const EINVAL = 22;

/** Opens a conversion: null when the library does not know it, undefined when there is no iconv to ask. */
export function openLibcIconv(
  ffi: Ffi, memory: LinearMemory, from: string, to: string,
): ConversionEngine | null | undefined {
  const iconv = ffi.dlopen(null, ICONV_TABLE);
  if (!iconv?.iconv_open || !iconv.iconv || !iconv.iconv_close) return undefined;
  const names = memory.alloc(from.length + to.length + 2);
  const fromPtr = names + memory.writeCString(names, to) + 1;
  memory.writeCString(fromPtr, from);
  const handle = iconv.iconv_open(memory.base + names, memory.base + fromPtr);
  memory.release(names);
  return handle === -1 ? null : new LibcIconv(ffi, memory, iconv.iconv, handle);
}

/** Lives as long as the process. */
class LibcIconv implements ConversionEngine {
  consumed = 0;
  private readonly ffi: Ffi;
  private readonly memory: LinearMemory;
  private readonly iconv: FfiFunction;
  private readonly handle: number;
  private readonly words: number;
  private readonly input: number;
  private readonly out: number;
  private outBytes = 0;

  constructor(ffi: Ffi, memory: LinearMemory, iconv: FfiFunction, handle: number) {
    this.ffi = ffi;
    this.memory = memory;
    this.iconv = iconv;
    this.handle = handle;
    this.words = memory.alloc(WORDS_BYTES);
    this.input = memory.alloc(INPUT_BYTES);
    this.out = memory.alloc(OUTPUT_BYTES);
  }

  get output(): Uint8Array {
    return this.memory.bytes(this.out, this.outBytes);
  }

  reset(): void {
    this.iconv(this.handle, 0, 0, 0, 0);
  }

  convert(bytes: Uint8Array, start: number, end: number): Fault {
    const { memory, words, input, out, iconv } = this;
    const { base } = memory;
    const byteLength = Math.min(end - start, INPUT_BYTES);
    for (let i = 0; i < byteLength; i++) memory.u8[input + i] = bytes[start + i];
    this.setWord(0, base + input);
    this.setWord(1, byteLength);
    this.setWord(2, base + out);
    this.setWord(3, OUTPUT_BYTES);
    const at = base + words;
    const result = iconv(this.handle, at, at + 8, at + 16, at + 24);
    const errno = result === -1 ? this.ffi.errno() : 0;
    this.consumed = byteLength - this.word(1);
    this.outBytes = OUTPUT_BYTES - this.word(3);
    // Out of room is as good as a sequence that does not fit a name.
    if (byteLength < end - start || errno === E2BIG) return "EILSEQ";
    return errno === 0 ? "" : errno === EINVAL ? "EINVAL" : "EILSEQ";
  }

  private setWord(at: number, value: number): void {
    const index = (this.words >> 2) + 2 * at;
    this.memory.u32[index] = value >>> 0;
    this.memory.u32[index + 1] = Math.floor(value / TWO_32);
  }

  private word(at: number): number {
    const index = (this.words >> 2) + 2 * at;
    return this.memory.u32[index + 1] * TWO_32 + this.memory.u32[index];
  }
}
