/**
 * The header with which a proxy begins each connection, to tell whom it stands for: version 1 is a line, version 2 is
 * binary. Upstream clientname.c:read_proxy_protocol_header; the format is HAProxy's.
 */
import { type Cursor } from "../protocol/cursor.ts";
import { addressText, isAddress } from "./addresses.ts";

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
/** A line may be so long, its end included. */
const MOST_LINE = 107;
/** Signature, version and command, family, length. */
const HEADER_BYTES = 16;
/** As much as two paths of local sockets need. */
const MOST_ADDRESSES = 216;
const VERSION = 2;
const Command = { local: 0, proxy: 1 } as const;
/** Family and transport → bytes of one address, and of both addresses with their ports. */
const FAMILIES: Readonly<Record<number, { readonly one: number; readonly both: number }>> = {
  0x11: { one: 4, both: 12 }, 0x21: { one: 16, both: 36 },
};

/** What a header says; `address` is null when it tells of nobody else. */
export interface ProxyHeader {
  readonly address: string | null;
}

/** Reads a header; null when there is none or it is wrong. */
export function readProxyHeader(cursor: Cursor): ProxyHeader | null {
  cursor.need(SIGNATURE.length);
  const isBinary = SIGNATURE.every((byte, i) => cursor.bytes[cursor.pos + i] === byte);
  return isBinary ? readBinary(cursor) : readLine(cursor);
}

function readBinary(cursor: Cursor): ProxyHeader | null {
  const head = cursor.take(HEADER_BYTES);
  const [versionAndCommand, family] = [head[12], head[13]];
  const byteLength = (head[14] << 8) | head[15];
  if (versionAndCommand >> 4 !== VERSION || byteLength > MOST_ADDRESSES) return null;
  const addresses = cursor.take(byteLength);
  const command = versionAndCommand & 0x0f;
  if (command === Command.local) return { address: null };
  if (command !== Command.proxy) return null;
  const sizes = FAMILIES[family];
  if (sizes === undefined) return { address: null };
  return byteLength === sizes.both ? { address: addressText(addresses.subarray(0, sizes.one)) } : null;
}

function readLine(cursor: Cursor): ProxyHeader | null {
  let line = "";
  while (!line.endsWith("\n")) {
    if (line.length >= MOST_LINE) return null;
    line += String.fromCharCode(cursor.u8());
    // Whatever else begins like this is not waited for.
    if (!line.startsWith("PROXY".slice(0, line.length)) && line.length <= 5) return null;
  }
  const told = /^PROXY (?:(UNKNOWN)[^\r]*|TCP[46] (\S+) (\S+) (\d+) (\d+))\r\n$/.exec(line);
  if (told === null) return null;
  const [, unknown, source, target, ...ports] = told;
  if (unknown !== undefined) return { address: null };
  if (!isAddress(source, false) || !isAddress(target, false)) return null;
  return ports.some((port) => Number(port) === 0) ? null : { address: source };
}
