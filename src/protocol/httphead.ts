/** The head of an HTTP/1.1 request or response: as much of HTTP as it takes to leave it for something else. */
import { ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { type Cursor, NEED_MORE } from "./cursor.ts";

/** The largest head that is read, bytes. */
export const MAX_HEAD = 16 * 1024;
const CR = 13;
const LF = 10;

/** First line and headers. */
export interface HttpHead {
  readonly first: string;
  /** A header's value by its name in any case; several of one name are joined by commas, "" when there is none. */
  header(name: string): string;
}

/** Reads a head up to its empty line. Throws ProtocolError for one that is too long or none. */
export function readHttpHead(cursor: Cursor): HttpHead {
  const end = endOf(cursor);
  const text = latin1(cursor.bytes, cursor.pos, end);
  cursor.pos = end;
  const [first, ...lines] = text.split("\r\n").slice(0, -2);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const found = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\0\r\n]*?)[ \t]*$/.exec(line);
    if (found === null) throw new ProtocolError("http-head", "invalid header in an HTTP request");
    const name = found[1].toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? found[2] : `${before},${found[2]}`);
  }
  return { first, header: (name) => headers.get(name.toLowerCase()) ?? "" };
}

/** The place behind the empty line. */
function endOf({ bytes, pos, end }: Cursor): number {
  const limit = Math.min(end, pos + MAX_HEAD);
  for (let i = pos + 3; i < limit; i++) {
    if (bytes[i] === LF && bytes[i - 1] === CR && bytes[i - 2] === LF && bytes[i - 3] === CR) return i + 1;
  }
  if (end - pos >= MAX_HEAD) throw new ProtocolError("http-head", "HTTP request too long");
  throw NEED_MORE;
}

/** The words of a header that lists some, in lower case. */
export function listedWords(value: string): string[] {
  return value.toLowerCase().split(",").map((word) => word.trim()).filter((word) => word !== "");
}

/** A whole head, from its lines. */
export function httpHead(first: string, headers: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${first}\r\n${lines.join("")}\r\n`;
}
