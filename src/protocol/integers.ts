/**
 * Integers and short strings of the wire, both directions. Upstream io.c: read_int, read_varint, read_varlong,
 * read_longint, read_vstring, their write_ halves, and the *30 forms which choose by protocol version.
 *
 * 64-bit values are numbers: exact within ±2^53, rounded to the nearest double beyond, which no file reaches.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import type { Cursor, Writer } from "./cursor.ts";
import { WireLimit } from "./constants.ts";

const TWO_32 = 4294967296;
/** Largest double below 2^63, so that a rounded maximum does not turn negative when written again. */
const MOST_INT64 = 2 ** 63 - 1024;

/** An unsigned byte. Upstream io.c:read_byte. */
export function readByte(cursor: Cursor): number {
  return cursor.u8();
}

/** Upstream io.c:write_byte. */
export function writeByte(out: Writer, value: number): void {
  out.u8(value);
}

/** Two bytes, little-endian, unsigned. Upstream io.c:read_shortint. */
export function readShortInt(cursor: Cursor): number {
  return cursor.u16le();
}

/** Upstream io.c:write_shortint. */
export function writeShortInt(out: Writer, value: number): void {
  out.u16le(value);
}

/** Four bytes, little-endian, signed. Upstream io.c:read_int. */
export function readInt(cursor: Cursor): number {
  return cursor.i32le();
}

/** Upstream io.c:write_int. */
export function writeInt(out: Writer, value: number): void {
  out.i32le(value);
}

/** Four bytes, little-endian, unsigned. Upstream io.c:read_uint. */
export function readUint(cursor: Cursor): number {
  return cursor.i32le() >>> 0;
}

/** Bytes that follow a varint's first byte: one for each leading 1 bit, except that 111111xx stands for 5 or 6. */
function extraBytes(first: number): number {
  if (first < 0x80) return 0;
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  if (first < 0xf8) return 4;
  return first < 0xfc ? 5 : 6;
}

/**
 * A signed 32-bit value of 1 to 5 bytes: the first byte's leading ones count the bytes that follow, its other bits
 * are the most significant. Upstream io.c:read_varint. A longer form throws ProtocolError 12, label `varint`.
 */
export function readVarint(cursor: Cursor): number {
  const first = cursor.u8();
  const extra = extraBytes(first);
  if (extra === 0) return first;
  if (extra > 4) throw new ProtocolError("varint", "Overflow in read_varint()", ExitCode.streamIo, cursor.offset - 1);
  cursor.need(extra);
  const { bytes, pos } = cursor;
  let value = 0;
  for (let i = 0; i < extra; i++) value |= bytes[pos + i] << (8 * i);
  cursor.pos = pos + extra;
  const high = first & ((1 << (8 - extra)) - 1);
  return extra < 4 ? value | (high << (8 * extra)) : value;
}

/** Upstream io.c:write_varint. Takes a signed or unsigned 32-bit value. */
export function writeVarint(out: Writer, value: number): void {
  let count = 4;
  while (count > 1 && ((value >>> (8 * (count - 1))) & 0xff) === 0) count--;
  const top = (value >>> (8 * (count - 1))) & 0xff;
  const bit = 1 << (8 - count);
  let inner = count - 1;
  if (top >= bit) {
    out.u8(~(bit - 1));
    inner = count;
  } else {
    out.u8(count > 1 ? top | ~(bit * 2 - 1) : top);
  }
  for (let i = 0; i < inner; i++) out.u8(value >>> (8 * i));
}

/**
 * A signed 64-bit value of `minBytes` to 9 bytes (minBytes 3 to 8): as a varint, with minBytes - 1 bytes that are
 * always there. Upstream io.c:read_varlong. A form past 64 bits throws ProtocolError 12, label `varlong`.
 */
export function readVarlong(cursor: Cursor, minBytes: number): number {
  cursor.need(minBytes);
  const { bytes, pos } = cursor;
  const first = bytes[pos];
  const extra = extraBytes(first);
  if (minBytes + extra > 9) {
    throw new ProtocolError("varlong", "Overflow in read_varlong()", ExitCode.streamIo, cursor.offset);
  }
  cursor.need(minBytes + extra);
  const inner = minBytes + extra - 1;
  let low = 0;
  let high = 0;
  for (let i = 0; i < inner; i++) {
    const byte = bytes[pos + 1 + i];
    if (i < 4) low |= byte << (8 * i);
    else high |= byte << (8 * (i - 4));
  }
  const top = extra === 0 ? first : first & ((1 << (8 - extra)) - 1);
  if (inner < 4) low |= top << (8 * inner);
  else if (inner < 8) high |= top << (8 * (inner - 4));
  cursor.pos = pos + 1 + inner;
  return high * TWO_32 + (low >>> 0);
}

/** Upstream io.c:write_varlong. */
export function writeVarlong(out: Writer, value: number, minBytes: number): void {
  const clamped = Math.min(value, MOST_INT64);
  const low = clamped >>> 0;
  const high = Math.floor(clamped / TWO_32) >>> 0;
  let count = 8;
  while (count > minBytes && byteAt(low, high, count - 1) === 0) count--;
  const top = byteAt(low, high, count - 1);
  const bit = 1 << (7 - count + minBytes);
  let inner = count - 1;
  if (top >= bit) {
    out.u8(~(bit - 1));
    inner = count;
  } else {
    out.u8(count > minBytes ? top | ~(bit * 2 - 1) : top);
  }
  for (let i = 0; i < inner; i++) out.u8(byteAt(low, high, i));
}

function byteAt(low: number, high: number, index: number): number {
  return (index < 4 ? low >>> (8 * index) : high >>> (8 * (index - 4))) & 0xff;
}

/** Four bytes, or -1 and eight bytes: 64-bit values before protocol 30. Upstream io.c:read_longint. */
export function readLongint(cursor: Cursor): number {
  const short = cursor.i32le();
  if (short !== -1) return short;
  const low = cursor.i32le() >>> 0;
  return cursor.i32le() * TWO_32 + low;
}

/** Upstream io.c:write_longint. */
export function writeLongint(out: Writer, value: number): void {
  if (value >= 0 && value <= 0x7fffffff) {
    out.i32le(value);
    return;
  }
  const clamped = Math.min(value, MOST_INT64);
  out.i32le(-1);
  out.i32le(clamped >>> 0);
  out.i32le(Math.floor(clamped / TWO_32) | 0);
}

/** varint from protocol 30, int before. Upstream io.h:read_varint30. */
export function readVarint30(cursor: Cursor, version: number): number {
  return version < 30 ? cursor.i32le() : readVarint(cursor);
}

/** Upstream io.h:write_varint30. */
export function writeVarint30(out: Writer, value: number, version: number): void {
  if (version < 30) out.i32le(value);
  else writeVarint(out, value);
}

/** varlong from protocol 30, longint before. Upstream io.h:read_varlong30. */
export function readVarlong30(cursor: Cursor, minBytes: number, version: number): number {
  return version < 30 ? readLongint(cursor) : readVarlong(cursor, minBytes);
}

/** Upstream io.h:write_varlong30. */
export function writeVarlong30(out: Writer, value: number, minBytes: number, version: number): void {
  if (version < 30) writeLongint(out, value);
  else writeVarlong(out, value, minBytes);
}

/** An int within [least, most], else ProtocolError 2 naming `what` under `label`. Upstream io.c:read_int_bounded. */
export function readIntBounded(cursor: Cursor, least: number, most: number, label: string, what: string): number {
  return bounded(cursor, cursor.i32le(), least, most, label, what);
}

/** A varint within [least, most]. Upstream io.c:read_varint_bounded. */
export function readVarintBounded(cursor: Cursor, least: number, most: number, label: string, what: string): number {
  return bounded(cursor, readVarint(cursor), least, most, label, what);
}

/** A varint used as a byte count: 0 to `most`. Upstream io.c:read_varint_size. */
export function readVarintSize(cursor: Cursor, most: number, label: string, what: string): number {
  const value = readVarint(cursor);
  if (value < 0 || value > most) {
    throw new ProtocolError(label, `wire size ${what} out of range: ${value} > ${most}`, 2, cursor.offset);
  }
  return value;
}

function bounded(cursor: Cursor, value: number, least: number, most: number, label: string, what: string): number {
  if (value < least || value > most) {
    const text = `wire value ${what} out of range: ${value} not in [${least},${most}]`;
    throw new ProtocolError(label, text, ExitCode.protocol, cursor.offset);
  }
  return value;
}

/**
 * A string of up to `limit` - 1 bytes behind a length of one byte (below 128) or two (high byte first, with 0x80), as
 * a view valid until the cursor's buffer is refilled. Upstream io.c:read_vstring, whose callers end with code 2.
 */
export function readVstringBytes(cursor: Cursor, limit: number, label: string): Uint8Array {
  let byteLength = cursor.u8();
  if (byteLength & 0x80) byteLength = ((byteLength & 0x7f) << 8) | cursor.u8();
  if (byteLength >= limit) {
    const text = `over-long vstring received (${byteLength} > ${limit - 1})`;
    throw new ProtocolError(label, text, ExitCode.protocol, cursor.offset);
  }
  return cursor.take(byteLength);
}

/** As readVstringBytes, as a name (one code unit per byte). */
export function readVstring(cursor: Cursor, limit: number, label: string): string {
  const bytes = readVstringBytes(cursor, limit, label);
  return latin1(bytes, 0, bytes.length);
}

/** Upstream io.c:write_vstring. Throws ProtocolError 2 past 32767 bytes. */
export function writeVstring(out: Writer, text: string): void {
  const byteLength = text.length;
  if (byteLength > WireLimit.vstring) {
    throw new ProtocolError("vstring", `attempting to send over-long vstring (${byteLength} > ${WireLimit.vstring})`);
  }
  if (byteLength > 0x7f) out.u8((byteLength >> 8) | 0x80);
  out.u8(byteLength);
  out.latin1(text);
}
