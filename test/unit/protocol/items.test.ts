import { describe, expect, test } from "vitest";
import { FnamecmpType, ItemFlag, Ndx } from "../../../src/protocol/constants.ts";
import { Cursor, Writer } from "../../../src/protocol/cursor.ts";
import { NdxReader, NdxWriter } from "../../../src/protocol/ndx.ts";
import {
  isKeepAliveItem, type NdxAttrs, newNdxAttrs, readNdxAttrs, sanitizeXname, writeNdxAttrs,
} from "../../../src/protocol/ndxattrs.ts";
import {
  readDeleteStats, readEndStats, writeDeleteStats, writeEndStats,
} from "../../../src/protocol/stats.ts";
import { newSumHead, readSumHead, type SumHead, writeSumHead } from "../../../src/protocol/sumhead.ts";
import { bytesOfHex, type Codec, hexOf, poll, runBadCases, runCodecCases } from "./codec.ts";

describe("ndx", () => {
  const sequence = [0, 1, 2, 255, 508, 762, 40000, 40000, 39999, -1, -2, -3, -101, -102, 40001, 0x7fffffff, -40000];
  const wire = "010101fdfdfe00fefe80409c00";

  test("numbers of each sign are differences, special values stay apart", () => {
    const out = new Writer();
    const writer = new NdxWriter(30);
    for (const ndx of sequence) writer.write(out, ndx);
    expect(hexOf(out.view()).startsWith(wire)).toBe(true);
    const cursor = new Cursor(out.view());
    const reader = new NdxReader(30);
    expect(sequence.map(() => reader.read(cursor))).toEqual(sequence);
    expect(cursor.available).toBe(0);
  });

  test("a number that has not all arrived leaves the state alone", () => {
    const out = new Writer();
    const writer = new NdxWriter(31);
    for (const ndx of sequence) writer.write(out, ndx);
    const cursor = new Cursor(out.view(), 0, 0);
    const reader = new NdxReader(31);
    const got: number[] = [];
    for (cursor.end = 0; cursor.end <= out.length; cursor.end++) {
      const ndx = poll(cursor, (c) => reader.read(c));
      if (ndx !== undefined) got.push(ndx);
    }
    expect(got).toEqual(sequence);
  });

  test("before protocol 30, and in a replayed batch, an index is an int", () => {
    for (const [version, plain] of [[29, false], [31, true]] as const) {
      const out = new Writer();
      new NdxWriter(version, plain).write(out, Ndx.delStats);
      expect(hexOf(out.view())).toBe("fdffffff");
    }
    expect(new NdxReader(27).read(new Cursor(bytesOfHex("05000000")))).toBe(5);
  });

  test("zero behind the sign byte is plain zero", () => {
    expect(new NdxReader(30).read(new Cursor(bytesOfHex("ff fe 80 00 00 00")))).toBe(0);
  });

  runBadCases("ndx", () => (cursor) => {
    const reader = new NdxReader(30);
    for (;;) reader.read(cursor);
  }, [
    { name: "a step back below zero", hex: "fe 00 00", label: "ndx", exitCode: 2, words: /Invalid file index: 4294967295/ },
    { name: "a step past 2^31-1", hex: "fe ff ff ff ff 01", label: "ndx", exitCode: 2, words: /Invalid file index: 2147483648/ },
  ]);
});

describe("item attributes", () => {
  const codec = (version: number): Codec<NdxAttrs> => ({
    reader: () => (cursor) => {
      const attrs = newNdxAttrs();
      readNdxAttrs(cursor, attrs, version);
      return attrs;
    },
    writer: () => (out, attrs) => writeNdxAttrs(out, attrs, version),
  });
  runCodecCases("item", codec(29), [
    { name: "plain", value: { iflags: ItemFlag.transfer, fnamecmpType: FnamecmpType.fname, xname: null }, hex: "00 80" },
    {
      name: "with basis and name",
      value: { iflags: ItemFlag.basisTypeFollows | ItemFlag.xnameFollows, fnamecmpType: FnamecmpType.fuzzy, xname: "ab" },
      hex: "00 18 83 02 61 62",
    },
    {
      name: "with an empty hard-link name",
      value: { iflags: ItemFlag.xnameFollows | ItemFlag.localChange, fnamecmpType: FnamecmpType.fname, xname: "" },
      hex: "00 50 00",
    },
  ]);
  test("before protocol 29 nothing travels and a transfer is meant", () => {
    const out = new Writer();
    writeNdxAttrs(out, newNdxAttrs(), 28);
    expect(out.length).toBe(0);
    const attrs = codec(28).reader()(new Cursor());
    expect(attrs.iflags).toBe(ItemFlag.transfer | ItemFlag.missingData);
  });
  runBadCases("item", codec(32).reader, [
    { name: "a name of 4096 bytes", hex: "00 10 90 00", label: "xname", exitCode: 2, words: /over-long vstring/ },
  ]);
  test.each([
    ["../../etc/passwd", "etc/passwd"], ["/a//b/./c", "a/b/c"], ["a/../../..", "."], ["", "."], ["a/b/..", "a/"],
    ["..a/b..", "..a/b.."], ["x\0/../y", "x"], ["d/", "d/"], ["/..", "."],
  ])("a basis name %j becomes %j", (xname, clean) => {
    expect(sanitizeXname(xname)).toBe(clean);
    const out = new Writer();
    const iflags = ItemFlag.basisTypeFollows | ItemFlag.xnameFollows;
    writeNdxAttrs(out, { iflags, fnamecmpType: FnamecmpType.fuzzy + 1, xname }, 32);
    expect(codec(32).reader()(new Cursor(out.view())).xname).toBe(clean);
  });
  test("a hard-link name is for display and stays as sent", () => {
    const out = new Writer();
    writeNdxAttrs(out, { iflags: ItemFlag.xnameFollows, fnamecmpType: FnamecmpType.fname, xname: "../x" }, 32);
    expect(codec(32).reader()(new Cursor(out.view())).xname).toBe("../x");
  });
  test("protocol 29's keep-alive is an item just past the list", () => {
    expect(isKeepAliveItem(7, ItemFlag.isNew, 7, 29)).toBe(true);
    expect(isKeepAliveItem(7, ItemFlag.isNew, 7, 30)).toBe(false);
    expect(isKeepAliveItem(6, ItemFlag.isNew, 7, 29)).toBe(false);
  });
});

describe("sum head", () => {
  const codec = (version: number): Codec<SumHead> => ({
    reader: () => (cursor) => {
      const head = newSumHead();
      readSumHead(cursor, head, version, 16);
      return head;
    },
    writer: () => writeSumHead,
  });
  runCodecCases("sum head", codec(32), [
    { name: "none", value: newSumHead(), hex: "00000000 00000000 00000000 00000000" },
    {
      name: "short last block",
      value: { count: 3, blockLength: 700, s2length: 2, remainder: 100, fileLength: 1500 },
      hex: "03000000 bc020000 02000000 64000000",
    },
    {
      name: "full last block",
      value: { count: 2, blockLength: 131072, s2length: 16, remainder: 0, fileLength: 262144 },
      hex: "02000000 00000200 10000000 00000000",
    },
  ]);
  const bad = (name: string, hex: string, words: RegExp) => ({ name, hex, label: "sum-head", exitCode: 2, words });
  runBadCases("sum head", codec(30).reader, [
    bad("a negative count", "ffffffff 00000000 00000000 00000000", /Invalid checksum count -1/),
    bad("a long block", "01000000 01000200 02000000 00000000", /Invalid block length 131073/),
    bad("a negative block", "01000000 ffffffff 02000000 00000000", /Invalid block length -1/),
    bad("an empty block", "01000000 00000000 02000000 00000000", /Invalid zero block length/),
    bad("a long sum", "01000000 bc020000 11000000 00000000", /Invalid checksum length 17/),
    bad("a long remainder", "01000000 bc020000 02000000 bd020000", /Invalid remainder length 701/),
    bad("a negative remainder", "01000000 bc020000 02000000 ffffffff", /Invalid remainder length -1/),
  ]);
  test("old protocols allow blocks of up to 512 MiB", () => {
    const wire = bytesOfHex("01000000 00000020 02000000 00000000");
    expect(codec(29).reader()(new Cursor(wire)).blockLength).toBe(2 ** 29);
    wire[4] = 1;
    expect(() => codec(29).reader()(new Cursor(wire))).toThrow(/Invalid block length/);
  });
});

describe("statistics", () => {
  const end = { totalRead: 1, totalWritten: 70000, totalSize: 2 ** 33, flistBuildTimeMs: 0, flistXferTimeMs: 0 };
  const endCodec = (version: number) => ({
    reader: () => (cursor: Cursor) => readEndStats(cursor, version),
    writer: () => (out: Writer, value: typeof end) => writeEndStats(out, value, version),
  });
  runCodecCases("end stats 28", endCodec(28), [
    { name: "three longints", value: end, hex: "01000000 70110100 ffffffff 00000000 02000000" },
  ]);
  runCodecCases("end stats 30", endCodec(30), [
    { name: "five varlongs", value: { ...end, flistXferTimeMs: 3 }, hex: "000100 017011 c200000000 000000 000300" },
  ]);
  runCodecCases("delete stats", { reader: () => readDeleteStats, writer: () => writeDeleteStats }, [
    { name: "five", value: { files: 1, dirs: 2, symlinks: 3, devices: 4, specials: 200 }, hex: "01020304 80c8" },
  ]);
  runBadCases("delete stats", () => readDeleteStats, [
    { name: "a negative count", hex: "01 f0ffffffff", label: "delete-stats", exitCode: 2, words: /deleted_dirs/ },
    { name: "a huge count", hex: "f001000010", label: "delete-stats", exitCode: 2, words: /deleted_files out of range/ },
  ]);
});
