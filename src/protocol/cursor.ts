/**
 * Reading and writing positions over plain byte buffers: the base of every codec.
 *
 * A codec reads from a Cursor. When the buffer ends inside an item the cursor throws NEED_MORE, a single value that
 * only the pump (session/input) and tests catch; they rewind to the item's mark and try again with more bytes. So a
 * codec commits its own state (last name, last mode ...) only after the whole item was read. A short read is never
 * a ProtocolError.
 */
import { type CopyBytes } from "../memory.ts";

/** Thrown by a Cursor whose buffer ends inside an item. Not an Error: it carries nothing and costs nothing. */
export const NEED_MORE: unique symbol = Symbol("need more bytes");

/** A reading position over [pos, end) of a buffer. The buffer may be replaced by the owner between items. */
export class Cursor {
  bytes: Uint8Array;
  pos: number;
  end: number;
  /** Stream offset of bytes[0], for error messages. */
  origin = 0;

  constructor(bytes: Uint8Array = new Uint8Array(0), pos = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  get available(): number {
    return this.end - this.pos;
  }

  /** Stream offset of the next byte. */
  get offset(): number {
    return this.origin + this.pos;
  }

  /** Throws NEED_MORE unless `count` bytes are there. */
  need(count: number): void {
    if (this.end - this.pos < count) throw NEED_MORE;
  }

  u8(): number {
    if (this.pos >= this.end) throw NEED_MORE;
    return this.bytes[this.pos++];
  }

  u16le(): number {
    this.need(2);
    const { bytes, pos } = this;
    this.pos = pos + 2;
    return bytes[pos] | (bytes[pos + 1] << 8);
  }

  i32le(): number {
    this.need(4);
    const { bytes, pos } = this;
    this.pos = pos + 4;
    return bytes[pos] | (bytes[pos + 1] << 8) | (bytes[pos + 2] << 16) | (bytes[pos + 3] << 24);
  }

  /** A view of the next `count` bytes, valid until the owner refills the buffer. */
  take(count: number): Uint8Array {
    this.need(count);
    const start = this.pos;
    this.pos = start + count;
    return this.bytes.subarray(start, this.pos);
  }
}

/** A growing output buffer. `bytes` may be replaced when it grows; `length` counts the bytes written. */
export class Writer {
  bytes: Uint8Array;
  length = 0;
  private readonly copy: CopyBytes;

  /** `copy`: how long runs of bytes are brought in; see LinearMemory.copy. */
  constructor(capacity: number | Uint8Array = 1024, copy: CopyBytes = copyPlainly) {
    this.bytes = typeof capacity === "number" ? new Uint8Array(capacity) : capacity;
    this.copy = copy;
  }

  /** Makes room for `count` more bytes and returns the position to write at; the caller advances `length`. */
  reserve(count: number): number {
    const at = this.length;
    if (at + count > this.bytes.length) this.growTo(at + count);
    return at;
  }

  u8(value: number): void {
    const at = this.reserve(1);
    this.bytes[at] = value;
    this.length = at + 1;
  }

  u16le(value: number): void {
    const at = this.reserve(2);
    this.bytes[at] = value;
    this.bytes[at + 1] = value >> 8;
    this.length = at + 2;
  }

  i32le(value: number): void {
    const at = this.reserve(4);
    const bytes = this.bytes;
    bytes[at] = value;
    bytes[at + 1] = value >> 8;
    bytes[at + 2] = value >> 16;
    bytes[at + 3] = value >> 24;
    this.length = at + 4;
  }

  put(chunk: Uint8Array): void {
    const at = this.reserve(chunk.length);
    this.copy(this.bytes, at, chunk);
    this.length = at + chunk.length;
  }

  /** Appends a name's bytes (one code unit per byte). */
  latin1(name: string): void {
    const at = this.reserve(name.length);
    for (let i = 0; i < name.length; i++) this.bytes[at + i] = name.charCodeAt(i);
    this.length = at + name.length;
  }

  /** The bytes written so far; valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  reset(): void {
    this.length = 0;
  }

  private growTo(least: number): void {
    const bytes = new Uint8Array(Math.max(least, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }
}

/** The copy of buffers that lie anywhere. */
export function copyPlainly(to: Uint8Array, at: number, from: Uint8Array): void {
  to.set(from, at);
}
