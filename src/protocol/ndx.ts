/**
 * File indexes on the wire (label `ndx`). Upstream io.c:read_ndx, write_ndx.
 *
 * Before protocol 30 an ndx is an int. From 30 on it is a difference to the last one of its sign and direction, so
 * each direction of a conversation has one reader or writer for its whole life. An ndx is an item of its own: the
 * reader commits its state when the last byte was there, so the pump sets its mark behind it.
 */
import { ProtocolError } from "../errors.ts";
import { Ndx } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";

const MOST = 0x7fffffff;

/** Reads the indexes of one direction. */
export class NdxReader {
  private readonly version: number;
  private lastPositive = -1;
  private lastNegative = 1;

  constructor(version: number) {
    this.version = version;
  }

  /** The next index or Ndx value. Throws ProtocolError 2 (label `ndx`) for one past 2^31 - 1. */
  read(cursor: Cursor): number {
    if (this.version < 30) return cursor.i32le();
    const first = cursor.u8();
    if (first === 0) return Ndx.done;
    if (first === 0xff) {
      const value = this.magnitude(cursor, cursor.u8(), this.lastNegative);
      this.lastNegative = value;
      return 0 - value;
    }
    return (this.lastPositive = this.magnitude(cursor, first, this.lastPositive));
  }

  /** One byte is a difference of up to 253; 0xFE leads two bytes of difference, or four of absolute value. */
  private magnitude(cursor: Cursor, first: number, last: number): number {
    if (first !== 0xfe) return this.checked(cursor, first + last);
    const high = cursor.u8();
    const low = cursor.u8();
    if ((high & 0x80) === 0) return this.checked(cursor, (high << 8) + low + last);
    const middle = cursor.u16le();
    return ((high & 0x7f) << 24) | (middle << 8) | low;
  }

  private checked(cursor: Cursor, value: number): number {
    if (value >= 0 && value <= MOST) return value;
    throw new ProtocolError("ndx", `Invalid file index: ${value >>> 0}`, 2, cursor.offset);
  }
}

/** Writes the indexes of one direction. */
export class NdxWriter {
  private readonly plain: boolean;
  private lastPositive = -1;
  private lastNegative = 1;

  /** `plain`: always four bytes, as when a batch file is replayed. */
  constructor(version: number, plain = false) {
    this.plain = plain || version < 30;
  }

  write(out: Writer, ndx: number): void {
    if (this.plain) {
      out.i32le(ndx);
    } else if (ndx === Ndx.done) {
      out.u8(0);
    } else if (ndx >= 0) {
      this.magnitude(out, ndx, ndx - this.lastPositive);
      this.lastPositive = ndx;
    } else {
      out.u8(0xff);
      this.magnitude(out, -ndx, -ndx - this.lastNegative);
      this.lastNegative = -ndx;
    }
  }

  private magnitude(out: Writer, value: number, difference: number): void {
    if (difference > 0 && difference < 0xfe) {
      out.u8(difference);
      return;
    }
    out.u8(0xfe);
    if (difference < 0 || difference > 0x7fff) {
      out.u8((value >> 24) | 0x80);
      out.u8(value);
      out.u8(value >> 8);
      out.u8(value >> 16);
    } else {
      out.u8(difference >> 8);
      out.u8(difference);
    }
  }
}
