import { describe, expect, test } from "vitest";
import { type Acl, AclReader, EMPTY_ACL, writeAcl, writeAclIndex } from "../../../src/protocol/acl.ts";
import { Cursor, Writer } from "../../../src/protocol/cursor.ts";
import {
  readXattrAnswer, readXattrRequest, type WireXattr, writeXattrAnswer, writeXattrRequest, writeXattrSet,
  writeXattrSetIndex, type XattrAnswerHead, type XattrLimits, XATTR_LIMITS, XattrSetReader,
} from "../../../src/protocol/xattr.ts";
import { bytesOfHex, type Codec, hexOf, runBadCases, runCodecCases } from "./codec.ts";

const DIGEST = 16;

/** Something that is known by its index, or new. */
type Known<T> = number | T;

/** A reader in pieces as a function over the cursor. A piece that was read stays read. */
function inPieces<T>(step: (cursor: Cursor) => boolean, value: () => T): (cursor: Cursor) => T {
  return (cursor) => {
    for (;;) {
      const mark = cursor.pos;
      try {
        if (step(cursor)) return value();
      } catch (error) {
        cursor.pos = mark;
        throw error;
      }
    }
  };
}

describe("xattrs", () => {
  const codec = (limits: XattrLimits = XATTR_LIMITS): Codec<Known<WireXattr[]>> => ({
    inPieces: true,
    reader: () => {
      const reader = new XattrSetReader(DIGEST, limits);
      reader.begin(3);
      return inPieces((cursor) => reader.step(cursor), () => (reader.index >= 0 ? reader.index : reader.xattrs));
    },
    writer: () => (out, value) => {
      if (typeof value === "number") writeXattrSetIndex(out, value);
      else writeXattrSet(out, value);
    },
  });
  const long = new Uint8Array(DIGEST).fill(7);
  runCodecCases("xattr set", codec(), [
    { name: "known", value: 2, hex: "03" },
    { name: "empty", value: [], hex: "00 00" },
    {
      name: "a short and a long value",
      value: [
        { name: "user.a", byteLength: 2, data: bytesOfHex("6869") },
        { name: "user.b", byteLength: 1000, data: long },
      ],
      hex: "00 02 07 02 757365722e6100 6869 07 83e8 757365722e6200" + hexOf(long),
    },
  ]);
  runBadCases("xattr set", codec().reader, [
    { name: "an unknown set", hex: "04", label: "xattr-ndx", exitCode: 12, words: /xa index 4 out of range/ },
    { name: "a negative set", hex: "f0ffffffff", label: "xattr-ndx", exitCode: 12, words: /xa index -1/ },
    { name: "too many", hex: "00 c10100", label: "xattr-count", exitCode: 2, words: /xattr count out of range: 65537/ },
    { name: "fewer than none", hex: "00 f0ffffffff", label: "xattr-count", exitCode: 2, words: /out of range: -1/ },
    { name: "a long name", hex: "00 01 9001 00", label: "xattr-name", exitCode: 2, words: /name_len out of range/ },
    { name: "a name without NUL", hex: "00 01 02 00 6161", label: "xattr-name", exitCode: 11, words: /trailing/ },
    { name: "a name with NUL", hex: "00 01 03 00 610000", label: "xattr-name", exitCode: 2, words: /NUL byte inside/ },
    { name: "no name", hex: "00 01 00 00", label: "xattr-name", exitCode: 11, words: /missing trailing/ },
    { name: "a negative value", hex: "00 01 02 f0ffffffff", label: "xattr-value", exitCode: 2, words: /datum_len/ },
    { name: "a huge value", hex: "00 01 02 f001000008", label: "xattr-value", exitCode: 2, words: /per-value limit/ },
  ]);
  runBadCases("xattr set with a limit", codec({ valueBytes: 100, listBytes: 10 }).reader, [
    {
      name: "11 bytes", hex: "00 01 02 09 6100 000000000000000000", label: "xattr-count", exitCode: 2,
      words: /per-file limit/,
    },
  ]);

  /** The numbers of a request, to its end. */
  const requests: Codec<number[]> = {
    reader: () => (cursor) => {
      const numbers: number[] = [];
      for (let last = 0; ;) {
        last = readXattrRequest(cursor, last, 9);
        if (last === 0) return numbers;
        numbers.push(last);
      }
    },
    writer: () => writeXattrRequest,
  };
  runCodecCases("xattr request", requests, [
    { name: "none", value: [], hex: "00" },
    { name: "in any order", value: [2, 9, 1], hex: "02 07 f0f8ffffff 00" },
  ]);
  runBadCases("xattr request", requests.reader, [
    { name: "a number past the set", hex: "0a 00", label: "xattr-request", exitCode: 2, words: /xattr #10/ },
    { name: "a number below 1", hex: "01 f0feffffff 00", label: "xattr-request", exitCode: 2, words: /xattr #-1/ },
    { name: "a sum past any number", hex: "01 e0ffffff7f", label: "xattr-request", exitCode: 2, words: /xattr #/ },
  ]);

  const heads: Codec<XattrAnswerHead> = {
    reader: () => (cursor) => readXattrAnswer(cursor, 4, 9, XATTR_LIMITS),
    writer: () => (out, head) => writeXattrAnswer(out, head, 4),
  };
  runCodecCases("xattr answer", heads, [
    { name: "a value", value: { number: 6, byteLength: 1000 }, hex: "02 83e8" },
    { name: "a value that is gone", value: { number: 1, byteLength: 0 }, hex: "f0fdffffff 00" },
    { name: "the end", value: { number: 0, byteLength: 0 }, hex: "00" },
  ]);
  runBadCases("xattr answer", heads.reader, [
    { name: "a number past the set", hex: "06 00", label: "xattr-request", exitCode: 2, words: /xattr #10/ },
    { name: "a huge value", hex: "01 f001000008", label: "xattr-request", exitCode: 2, words: /per-value limit/ },
    { name: "a negative length", hex: "01 f0ffffffff", label: "xattr-request", exitCode: 2, words: /datum_len/ },
  ]);
});

describe("ACLs", () => {
  const codec = (anyBits = false): Codec<Known<Acl>> => ({
    inPieces: true,
    reader: () => {
      const reader = new AclReader(anyBits);
      reader.begin(1, "access");
      return inPieces((cursor) => reader.step(cursor), () => (reader.index >= 0 ? reader.index : reader.acl));
    },
    writer: () => (out, value) => {
      if (typeof value === "number") writeAclIndex(out, value);
      else writeAcl(out, value);
    },
  });
  runCodecCases("acl", codec(), [
    { name: "known", value: 0, hex: "01" },
    { name: "empty", value: EMPTY_ACL, hex: "00 00" },
    { name: "objects", value: { ...EMPTY_ACL, userObj: 7, otherObj: 0 }, hex: "00 09 07 00" },
    {
      name: "names",
      value: {
        ...EMPTY_ACL, groupObj: 5, maskObj: 6,
        names: [
          { id: 1000, isUser: true, access: 7, name: "ann" },
          { id: 0xfffffffe, isUser: false, access: 4, name: null },
        ],
      },
      hex: "00 16 05 06 02 83e8 1f 03616e6e f0feffffff 10",
    },
  ]);
  runCodecCases("acl of another system", codec(true), [
    {
      name: "permissions past rwx",
      value: { ...EMPTY_ACL, userObj: 15, names: [{ id: 1, isUser: true, access: 0xfff, name: null }] },
      hex: "00 11 0f 01 01 bffe",
    },
  ]);
  runBadCases("acl", codec().reader, [
    { name: "an unknown ACL", hex: "02", label: "acl-ndx", exitCode: 12, words: /access ACL index 2 > 1/ },
    { name: "a negative ACL", hex: "f0ffffffff", label: "acl-ndx", exitCode: 12, words: /access ACL index -1 > 1/ },
    { name: "permissions past rwx", hex: "00 01 08", label: "acl-access", exitCode: 12, words: /value out of range: 8/ },
    { name: "a name's permissions", hex: "00 10 01 01 20", label: "acl-access", exitCode: 12, words: /range: 8/ },
    { name: "too many names", hex: "00 10 c10100", label: "acl-count", exitCode: 2, words: /ACL count out of range/ },
    { name: "fewer than none", hex: "00 10 f0ffffffff", label: "acl-count", exitCode: 2, words: /out of range: -1/ },
  ]);
  test("a name that its length byte cannot express is left out", () => {
    const out = new Writer();
    const names = [{ id: 1, isUser: true, access: 1, name: "x".repeat(256) }];
    writeAcl(out, { ...EMPTY_ACL, names });
    expect(hexOf(out.view())).toBe("0010010106");
  });
});
