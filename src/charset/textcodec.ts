/**
 * Conversion by the runtime's TextDecoder, where the C library cannot be called. One side of a conversion is UTF-8, as
 * it always is in rsync. Charsets of one or two bytes a character can be written too: their tables are made by
 * decoding every code there is.
 */
import { type ConversionEngine, type Fault } from "./converter.ts";

/** Longest sequence of bytes that stands for one character. */
const MAX_SEQUENCE = 6;
/** What the web calls Latin-1 and ASCII is Windows-1252; these are the ones that iconv means. */
const PLAIN: Readonly<Record<string, number>> = {
  "iso-8859-1": 0x100, "iso8859-1": 0x100, "iso_8859-1": 0x100, "latin1": 0x100, "l1": 0x100,
  "us-ascii": 0x80, "ascii": 0x80, "ansi_x3.4-1968": 0x80, "c": 0x80,
};

/** One character of a charset: what it is, and how many bytes it takes; null when the bytes are none. */
type DecodeOne = (bytes: Uint8Array, start: number, end: number) => { text: string; width: number } | Fault;

/** Opens a conversion; null when the runtime does not know a charset, or cannot write it. */
export function openTextCodec(from: string, to: string): ConversionEngine | null {
  const decode = decoderOf(from);
  if (decode === null) return null;
  if (isUtf8(to)) return new TextCodec(decode, (text) => new TextEncoder().encode(text));
  const target = decoderOf(to);
  const table = target === null ? null : tableOf(target);
  return table === null ? null : new TextCodec(decode, (text) => table.get(text) ?? null);
}

function isUtf8(name: string): boolean {
  return /^utf-?8$/i.test(name);
}

function decoderOf(name: string): DecodeOne | null {
  const size = PLAIN[name.toLowerCase()];
  if (size !== undefined) {
    return (bytes, start) => (bytes[start] < size ? { text: String.fromCharCode(bytes[start]), width: 1 } : "EILSEQ");
  }
  try {
    const decoder = new TextDecoder(name, { fatal: true, ignoreBOM: true });
    return (bytes, start, end) => decodeOne(decoder, bytes, start, end);
  } catch {
    return null;
  }
}

function decodeOne(decoder: TextDecoder, bytes: Uint8Array, start: number, end: number): ReturnType<DecodeOne> {
  for (let width = 1; width <= MAX_SEQUENCE && start + width <= end; width++) {
    try {
      const text = decoder.decode(bytes.slice(start, start + width));
      if (text !== "") return { text, width };
    } catch {
      // Too few bytes, or none of this charset: the next width tells.
    }
  }
  return end - start < MAX_SEQUENCE && bytes[start] >= 0x80 && isLead(bytes, start, end) ? "EINVAL" : "EILSEQ";
}

/** Could the bytes up to the end be the beginning of a UTF-8 sequence? */
function isLead(bytes: Uint8Array, start: number, end: number): boolean {
  const length = Math.clz32(~(bytes[start] << 24));
  if (length < 2 || length > MAX_SEQUENCE || end - start >= length) return false;
  for (let i = start + 1; i < end; i++) if ((bytes[i] & 0xc0) !== 0x80) return false;
  return true;
}

/** The bytes of every character of a charset with up to two bytes a character. */
function tableOf(decode: DecodeOne): Map<string, Uint8Array> {
  const table = new Map<string, Uint8Array>();
  const note = (...codes: number[]): boolean => {
    const bytes = Uint8Array.from(codes);
    const found = decode(bytes, 0, bytes.length);
    if (typeof found === "string" || found.width !== bytes.length) return false;
    if (!table.has(found.text)) table.set(found.text, bytes);
    return true;
  };
  for (let first = 0; first < 0x100; first++) {
    if (note(first)) continue;
    for (let second = 0x40; second < 0x100; second++) note(first, second);
  }
  return table;
}

class TextCodec implements ConversionEngine {
  output: Uint8Array = new Uint8Array(0);
  consumed = 0;
  private readonly decode: DecodeOne;
  private readonly encode: (text: string) => Uint8Array | null;

  constructor(decode: DecodeOne, encode: (text: string) => Uint8Array | null) {
    this.decode = decode;
    this.encode = encode;
  }

  reset(): void {}

  convert(bytes: Uint8Array, start: number, end: number): Fault {
    const out: number[] = [];
    let fault: Fault = "";
    let at = start;
    while (at < end && fault === "") {
      const found = this.decode(bytes, at, end);
      const encoded = typeof found === "string" ? null : this.encode(found.text);
      if (encoded === null) {
        fault = typeof found === "string" ? found : "EILSEQ";
      } else {
        out.push(...encoded);
        at += (found as { width: number }).width;
      }
    }
    this.consumed = at - start;
    this.output = Uint8Array.from(out);
    return fault;
  }
}
