/**
 * Escaping of what reaches a terminal or file: control characters, and bytes that are no text in the user's charset,
 * are printed as \#ooo (three octal digits). Upstream: log.c:rwrite and filtered_fwrite.
 */

/** How bytes above 127 are judged: as UTF-8, never text (the C locale), or always text (single-byte charsets). */
export type Charset = "utf-8" | "ascii" | "single-byte";

function localeOf(env: (name: string) => string | undefined): string {
  return env("LC_ALL") || env("LC_CTYPE") || env("LANG") || "C";
}

/** The charset's name, as nl_langinfo(3) gives it on Linux. */
export function charsetName(env: (name: string) => string | undefined): string {
  const [, name = ""] = /\.([^@]+)/.exec(localeOf(env)) ?? [];
  if (charsetOf(env) === "utf-8") return "UTF-8";
  return name === "" ? "ANSI_X3.4-1968" : name.toUpperCase();
}

/** The charset that the locale variables name, in the order of setlocale(3). */
export function charsetOf(env: (name: string) => string | undefined): Charset {
  const locale = localeOf(env);
  if (/utf-?8/i.test(locale)) return "utf-8";
  return /^(?:C|POSIX)$/.test(locale) ? "ascii" : "single-byte";
}

/**
 * A message ready for the terminal. A carriage return at its start and the line end at its end pass through; tabs do
 * too. `raw` (-8) leaves bytes above 127 alone.
 */
export function escapeLine(text: string, raw: boolean, charset: Charset = "utf-8"): string {
  const start = text.startsWith("\r") && text.length > 1 ? 1 : 0;
  const end = /[\n\r]$/.test(text) ? text.length - 1 : text.length;
  const body = text.slice(start, end);
  if (!/[^\t\x20-\x5b\x5d-\x7f]/.test(body)) return text;
  const lenient = raw || charset === "single-byte";
  let out = "";
  for (let at = 0; at < body.length; ) {
    const width = lenient ? 1 : charset === "utf-8" ? sequenceLength(body, at) : Number(body.charCodeAt(at) < 0x80);
    const isText = width > 0 && !isControl(body, at);
    out += isText ? body.slice(at, at + width) : octal(body.charCodeAt(at));
    at += isText ? width : 1;
  }
  return text.slice(0, start) + out + text.slice(end);
}

/**
 * A message ready for a log file, which is read with who knows what: control characters of both ranges are escaped,
 * a backslash that would read as an escape too; the line end at the end stays.
 */
export function escapeLog(text: string): string {
  const end = /[\n\r]$/.test(text) ? text.length - 1 : text.length;
  const body = text.slice(0, end);
  if (!/[^\t\x20-\x5b\x5d-\x7f\xa0-\xff]/.test(body)) return text;
  let out = "";
  for (let at = 0; at < body.length; at++) {
    const code = body.charCodeAt(at);
    out += isControl(body, at) || (code >= 0x80 && code <= 0x9f) ? octal(code) : body[at];
  }
  return out + text.slice(end);
}

function octal(byte: number): string {
  return `\\#${byte.toString(8).padStart(3, "0")}`;
}

/** Control characters but the tab, and a backslash that would read as an escape. */
function isControl(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0x20) return code !== 9;
  return code === 0x5c && /^\\#\d{3}/.test(text.slice(at, at + 5));
}

/** Least second byte behind the lead bytes whose sequences could otherwise be overlong. */
const LEAST_SECOND: Readonly<Record<number, number>> = { 0xe0: 0xa0, 0xf0: 0x90, 0xf8: 0x88, 0xfc: 0x84 };

/**
 * Bytes of the well-formed UTF-8 sequence at `at`, 0 when there is none. As in glibc's iconv a sequence may be up to
 * six bytes long, and surrogates are no text.
 */
function sequenceLength(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xfd) return 0;
  const length = Math.clz32(~(first << 24));
  if (at + length > text.length) return 0;
  for (let i = 1; i < length; i++) if ((text.charCodeAt(at + i) & 0xc0) !== 0x80) return 0;
  const second = text.charCodeAt(at + 1);
  const surrogate = first === 0xed && second > 0x9f;
  return second < (LEAST_SECOND[first] ?? 0) || surrogate ? 0 : length;
}
