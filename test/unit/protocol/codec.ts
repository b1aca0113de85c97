/** Runs one codec over a list of cases: both directions, whole, grown byte by byte, and with bytes behind. */
import { expect, test } from "vitest";
import { ProtocolError } from "../../../src/errors.ts";
import { Cursor, NEED_MORE, Writer } from "../../../src/protocol/cursor.ts";

export interface CodecCase<T> {
  readonly name: string;
  readonly value: T;
  /** The wire form in hex, spaces free. */
  readonly hex: string;
}

export interface Codec<T> {
  /** A reader with fresh state; called again for each try. */
  reader(): (cursor: Cursor) => T;
  writer(): (out: Writer, value: T) => void;
  /** The reader keeps what it has read when bytes fall short, and leaves the cursor behind it. */
  readonly inPieces?: boolean;
}

export function bytesOfHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replace(/\s+/g, ""), "hex"));
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Reads as the pump does: undefined and a rewound cursor when the bytes fall short. */
export function poll<T>(cursor: Cursor, read: (cursor: Cursor) => T, inPieces = false): T | undefined {
  const mark = cursor.pos;
  try {
    return read(cursor);
  } catch (error) {
    if (error !== NEED_MORE) throw error;
    if (!inPieces) cursor.pos = mark;
    return undefined;
  }
}

export function runCodecCases<T>(title: string, codec: Codec<T>, cases: readonly CodecCase<T>[]): void {
  test.each(cases)(`${title}: $name`, ({ value, hex }) => {
    const bytes = bytesOfHex(hex);
    const out = new Writer(1);
    codec.writer()(out, value);
    expect(hexOf(out.view())).toBe(hexOf(bytes));

    const whole = new Cursor(bytes);
    expect(codec.reader()(whole)).toEqual(value);
    expect(whole.available).toBe(0);

    const trailing = new Cursor(new Uint8Array([...bytes, 0xff, 0x80, 0x00]));
    expect(codec.reader()(trailing)).toEqual(value);
    expect(trailing.available).toBe(3);

    const growing = new Cursor(bytes, 0, 0);
    const read = codec.reader();
    for (let end = 0; end < bytes.length; end++) {
      growing.end = end;
      expect(poll(growing, read, codec.inPieces)).toBeUndefined();
    }
    growing.end = bytes.length;
    expect(poll(growing, read, codec.inPieces)).toEqual(value);
  });
}

export interface BadCase {
  readonly name: string;
  readonly hex: string;
  readonly label: string;
  readonly exitCode: number;
  readonly words: RegExp;
}

/** Bytes that must be refused, with the label, the exit code and the words. */
export function runBadCases(title: string, reader: () => (cursor: Cursor) => unknown, cases: readonly BadCase[]): void {
  test.each(cases)(`${title} refuses $name`, ({ hex, label, exitCode, words }) => {
    let thrown: unknown;
    try {
      reader()(new Cursor(bytesOfHex(hex)));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ProtocolError);
    expect(thrown).toMatchObject({ label, exitCode, message: expect.stringMatching(words) });
  });
}
