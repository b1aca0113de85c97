import { describe, expect, test } from "vitest";
import * as integers from "../../../src/protocol/integers.ts";
import { Cursor, Writer } from "../../../src/protocol/cursor.ts";
import { bytesOfHex, runBadCases, runCodecCases } from "./codec.ts";

// Varint and varlong vectors: output of upstream's write_varint and write_varlong (io.c, 3.5.0) compiled alone.
describe("integers", () => {
  runCodecCases("int", { reader: () => integers.readInt, writer: () => integers.writeInt }, [
    { name: "0", value: 0, hex: "00000000" },
    { name: "-1", value: -1, hex: "ffffffff" },
    { name: "most", value: 0x7fffffff, hex: "ffffff7f" },
    { name: "least", value: -0x80000000, hex: "00000080" },
  ]);
  runCodecCases("shortint", { reader: () => integers.readShortInt, writer: () => integers.writeShortInt }, [
    { name: "0x1234", value: 0x1234, hex: "3412" },
    { name: "most", value: 0xffff, hex: "ffff" },
  ]);
  runCodecCases("byte", { reader: () => integers.readByte, writer: () => integers.writeByte }, [
    { name: "255", value: 255, hex: "ff" },
  ]);
  runCodecCases("varint", { reader: () => integers.readVarint, writer: () => integers.writeVarint }, [
    { name: "0", value: 0, hex: "00" },
    { name: "127", value: 127, hex: "7f" },
    { name: "128", value: 128, hex: "80 80" },
    { name: "16383", value: 16383, hex: "bf ff" },
    { name: "16384", value: 16384, hex: "c0 00 40" },
    { name: "2^21-1", value: 2 ** 21 - 1, hex: "df ff ff" },
    { name: "2^21", value: 2 ** 21, hex: "e0 00 00 20" },
    { name: "2^28-1", value: 2 ** 28 - 1, hex: "ef ff ff ff" },
    { name: "2^28", value: 2 ** 28, hex: "f0 00 00 00 10" },
    { name: "2^31-1", value: 2 ** 31 - 1, hex: "f0 ff ff ff 7f" },
    { name: "-1", value: -1, hex: "f0 ff ff ff ff" },
    { name: "-2^31", value: -(2 ** 31), hex: "f0 00 00 00 80" },
  ]);
  runBadCases("varint", () => integers.readVarint, [
    { name: "five more bytes", hex: "f8 0000000000", label: "varint", exitCode: 12, words: /Overflow in read_varint/ },
    { name: "six more bytes", hex: "ff 000000000000", label: "varint", exitCode: 12, words: /Overflow/ },
  ]);

  const varlong = (minBytes: number): Parameters<typeof runCodecCases<number>>[1] => ({
    reader: () => (cursor) => integers.readVarlong(cursor, minBytes),
    writer: () => (out, value) => integers.writeVarlong(out, value, minBytes),
  });
  runCodecCases("varlong of 3", varlong(3), [
    { name: "0", value: 0, hex: "00 00 00" },
    { name: "2^23-1", value: 2 ** 23 - 1, hex: "7f ff ff" },
    { name: "2^23", value: 2 ** 23, hex: "80 00 00 80" },
    { name: "2^30-1", value: 2 ** 30 - 1, hex: "bf ff ff ff" },
    { name: "2^30", value: 2 ** 30, hex: "c0 00 00 00 40" },
    { name: "2^40+5", value: 2 ** 40 + 5, hex: "e1 05 00 00 00 00" },
    { name: "2^53-1", value: 2 ** 53 - 1, hex: "f8 ff ff ff ff ff ff 1f" },
    { name: "-1", value: -1, hex: "fc ff ff ff ff ff ff ff ff" },
    { name: "-(2^53)", value: -(2 ** 53), hex: "fc 00 00 00 00 00 00 e0 ff" },
  ]);
  runCodecCases("varlong of 4", varlong(4), [
    { name: "seconds of 2026", value: 1795000000, hex: "6a c0 86 fd" },
    { name: "2^31", value: 2 ** 31, hex: "80 00 00 00 80" },
    { name: "before 1970", value: -86400, hex: "f8 80 ae fe ff ff ff ff ff" },
  ]);
  runBadCases("varlong", () => (cursor) => integers.readVarlong(cursor, 4), [
    { name: "more than 64 bits", hex: "fc 00000000000000000000", label: "varlong", exitCode: 12, words: /read_varlong/ },
  ]);

  runCodecCases("longint", { reader: () => integers.readLongint, writer: () => integers.writeLongint }, [
    { name: "0", value: 0, hex: "00000000" },
    { name: "2^31-1", value: 2 ** 31 - 1, hex: "ffffff7f" },
    { name: "2^31", value: 2 ** 31, hex: "ffffffff 00000080 00000000" },
    { name: "-1", value: -1, hex: "ffffffff ffffffff ffffffff" },
    { name: "2^53-1", value: 2 ** 53 - 1, hex: "ffffffff ffffffff ffff1f00" },
  ]);

  test("a 64-bit value past 2^53 is rounded and stays positive when written again", () => {
    const most = integers.readLongint(new Cursor(bytesOfHex("ffffffff ffffffff ffffff7f")));
    expect(most).toBe(2 ** 63);
    const out = new Writer();
    integers.writeLongint(out, most);
    integers.writeVarlong(out, most, 3);
    const cursor = new Cursor(out.view());
    expect(integers.readLongint(cursor)).toBe(2 ** 63 - 1024);
    expect(integers.readVarlong(cursor, 3)).toBe(2 ** 63 - 1024);
  });

  test("the *30 forms choose by version", () => {
    const sizes = [29, 30].map((version) => {
      const out = new Writer();
      integers.writeVarint30(out, 5, version);
      integers.writeVarlong30(out, 2 ** 33, 3, version);
      const cursor = new Cursor(out.view());
      expect(integers.readVarint30(cursor, version)).toBe(5);
      expect(integers.readVarlong30(cursor, 3, version)).toBe(2 ** 33);
      return out.length;
    });
    expect(sizes).toEqual([4 + 12, 1 + 5]);
  });

  test("an unsigned int has no sign", () => {
    expect(integers.readUint(new Cursor(bytesOfHex("ffffffff")))).toBe(0xffffffff);
  });

  runBadCases("bounded int", () => (c) => integers.readIntBounded(c, 0, 9, "x", "thing"), [
    { name: "10", hex: "0a000000", label: "x", exitCode: 2, words: /thing out of range: 10 not in \[0,9\]/ },
    { name: "-1", hex: "ffffffff", label: "x", exitCode: 2, words: /-1 not in/ },
  ]);
  runBadCases("size", () => (c) => integers.readVarintSize(c, 9, "x", "thing"), [
    { name: "a negative one", hex: "f0ffffffff", label: "x", exitCode: 2, words: /wire size thing out of range: -1 > 9/ },
    { name: "10", hex: "0a", label: "x", exitCode: 2, words: /10 > 9/ },
  ]);

  const vstring = {
    reader: () => (cursor: Cursor) => integers.readVstring(cursor, 4096, "s"),
    writer: () => integers.writeVstring,
  };
  runCodecCases("vstring", vstring, [
    { name: "empty", value: "", hex: "00" },
    { name: "bytes", value: "a\xff", hex: "02 61 ff" },
    { name: "127 bytes", value: "x".repeat(127), hex: "7f" + "78".repeat(127) },
    { name: "128 bytes", value: "x".repeat(128), hex: "80 80" + "78".repeat(128) },
    { name: "300 bytes", value: "x".repeat(300), hex: "81 2c" + "78".repeat(300) },
  ]);
  runBadCases("vstring", () => (cursor) => integers.readVstring(cursor, 4096, "s"), [
    { name: "4096 bytes", hex: "90 00", label: "s", exitCode: 2, words: /over-long vstring received \(4096 > 4095\)/ },
  ]);
  test("a vstring that its length cannot express is not sent", () => {
    expect(() => integers.writeVstring(new Writer(), "x".repeat(0x8000))).toThrow(/over-long vstring \(32768 > 32767\)/);
  });
});
