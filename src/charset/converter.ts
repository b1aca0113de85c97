/**
 * Names from one charset to another, as iconv(3) converts them. Upstream rsync.c:iconvbufs.
 *
 * A name is a string or a span of bytes; the result is always a name. Whoever opens a converter gets one of two
 * engines behind it: the C library's iconv, or the runtime's TextDecoder where C cannot be called.
 */
import { latin1 } from "../memory.ts";

/** Why a conversion stopped: a sequence that is no text here or there, one that ends too early, or not at all. */
export type Fault = "EILSEQ" | "EINVAL" | "";

/** What does the work, from a state that `reset` makes the initial one. */
export interface ConversionEngine {
  /** Bytes of the last conversion; valid until the next one. */
  readonly output: Uint8Array;
  /** Bytes of input that the last conversion used up. */
  readonly consumed: number;
  reset(): void;
  /** Converts bytes [start, end) from the present state, up to the first fault. */
  convert(bytes: Uint8Array, start: number, end: number): Fault;
}

/** ASCII but its control characters of shifting charsets; what comes out of it unchanged is left out of conversions. */
const ASCII = Uint8Array.from({ length: 127 }, (_, at) => at + 1);

/** One direction of --iconv. */
export class Converter {
  /** Why the last `convert` failed. */
  fault: Fault = "";
  private readonly engine: ConversionEngine;
  /** Plain ASCII names need no conversion. */
  private readonly keepsAscii: boolean;

  constructor(engine: ConversionEngine) {
    this.engine = engine;
    engine.reset();
    const fault = engine.convert(ASCII, 0, ASCII.length);
    this.keepsAscii = fault === "" && sameBytes(engine.output, ASCII);
  }

  /** The converted bytes [start, end), valid until the next call; null, with `fault` set, when some are no text. */
  convert(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
    if (this.keepsAscii && isAscii(bytes, start, end)) return bytes.subarray(start, end);
    const { engine } = this;
    engine.reset();
    this.fault = engine.convert(bytes, start, end);
    return this.fault === "" ? engine.output : null;
  }

  /** The converted text; bytes that are no text stay as they are. */
  lenient(text: string): string {
    if (this.keepsAscii && isAsciiText(text)) return text;
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    const { engine } = this;
    let out = "";
    engine.reset();
    for (let at = 0; at < bytes.length; ) {
      const fault = engine.convert(bytes, at, bytes.length);
      out += latin1(engine.output, 0, engine.output.length);
      at += engine.consumed;
      if (fault !== "") out += String.fromCharCode(bytes[at++]);
    }
    return out;
  }
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] >= 0x80) return false;
  return true;
}

function isAsciiText(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
