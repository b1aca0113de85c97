/**
 * WebSocket frames (RFC 6455, version 13, no extensions): the head in front of each run of payload bytes.
 *
 * The payload is not gathered: a frame may be of any length, and its bytes go on as they come.
 */
import { ProtocolError } from "../errors.ts";
import { type Cursor } from "./cursor.ts";

/** What frames carry. */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** Why a connection is closed (RFC 6455, 7.4.1). */
export const CloseCode = { normal: 1000, protocolError: 1002, unsupportedData: 1003 } as const;

/** The name of the protocol within, as Sec-WebSocket-Protocol has it. */
export const SUBPROTOCOL = "rsync";
/** What the key of a request is joined with before it is digested. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const MASK_BYTES = 4;
const FIN = 0x80;
const MASKED = 0x80;
const RESERVED = 0x70;
/** Lengths in the second byte that stand for one in the next two or eight bytes. */
const TWO_BYTES = 126;
const EIGHT_BYTES = 127;
const MAX_CONTROL = 125;

/** A frame's head. */
export interface FrameHead {
  readonly last: boolean;
  readonly opcode: number;
  readonly length: number;
  /** Four bytes, or null for an unmasked frame. */
  readonly mask: Uint8Array | null;
}

/** Is it a frame of the connection's own? */
export function isControl({ opcode }: FrameHead): boolean {
  return opcode >= Opcode.close;
}

/** Reads a head. A client's frames are masked, a server's are not: `masked` says whose are expected. */
export function readFrameHead(cursor: Cursor, masked: boolean): FrameHead {
  const first = cursor.u8();
  const second = cursor.u8();
  const short = second & ~MASKED;
  const head = { last: (first & FIN) !== 0, opcode: first & 0x0f, length: lengthOf(cursor, short) };
  if ((first & RESERVED) !== 0) throw fault("a reserved bit is set");
  if (((second & MASKED) !== 0) !== masked) throw fault(masked ? "a client's frame is not masked" : "a masked frame");
  if (head.opcode > Opcode.binary && !(head.opcode >= Opcode.close && head.opcode <= Opcode.pong)) {
    throw fault(`opcode ${head.opcode}`);
  }
  if (head.opcode >= Opcode.close && (!head.last || head.length > MAX_CONTROL)) throw fault("a long control frame");
  return { ...head, mask: masked ? cursor.take(MASK_BYTES).slice() : null };
}

function lengthOf(cursor: Cursor, short: number): number {
  if (short < TWO_BYTES) return short;
  const count = short === EIGHT_BYTES ? 8 : 2;
  let length = 0;
  for (const byte of cursor.take(count)) length = length * 256 + byte;
  if (length > Number.MAX_SAFE_INTEGER) throw fault("a frame without end");
  return length;
}

function fault(text: string): ProtocolError {
  return new ProtocolError("websocket-frame", `invalid WebSocket frame: ${text}`);
}

/** A whole frame. `mask`: four bytes, or null. */
export function frameOf(opcode: number, payload: Uint8Array, mask: Uint8Array | null): Uint8Array {
  const { length } = payload;
  const lengthBytes = length < TWO_BYTES ? 0 : length < 0x10000 ? 2 : 8;
  const start = 2 + lengthBytes + (mask === null ? 0 : MASK_BYTES);
  const bytes = new Uint8Array(start + length);
  bytes[0] = FIN | opcode;
  bytes[1] = (lengthBytes === 0 ? length : lengthBytes === 2 ? TWO_BYTES : EIGHT_BYTES) | (mask === null ? 0 : MASKED);
  for (let i = 0, rest = length; i < lengthBytes; i++, rest = Math.floor(rest / 256)) {
    bytes[1 + lengthBytes - i] = rest % 256;
  }
  if (mask !== null) bytes.set(mask, start - MASK_BYTES);
  bytes.set(payload, start);
  if (mask !== null) applyMask(bytes.subarray(start), mask, 0);
  return bytes;
}

/** Masks or unmasks bytes in place; `offset` is the place of the first one in its frame. */
export function applyMask(bytes: Uint8Array, mask: Uint8Array, offset: number): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] ^= mask[(offset + i) % MASK_BYTES];
}

/** The text whose SHA-1 in base64 answers a request's key. */
export function acceptText(key: string): string {
  return key + ACCEPT_SUFFIX;
}
