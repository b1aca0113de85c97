import { describe, expect, test } from "vitest";
import { readAcl, type WireAclRef, writeAcl } from "../../../src/protocol/acl.ts";
import { Cursor, Writer } from "../../../src/protocol/cursor.ts";
import {
  readXattrAnswer, readXattrRequest, readXattrSet, type WireXattrSet, writeXattrAnswer, writeXattrRequest,
  writeXattrSet, XATTR_LIMITS,
} from "../../../src/protocol/xattr.ts";
import { bytesOfHex, type Codec, hexOf, runBadCases, runCodecCases } from "./codec.ts";

const DIGEST = 16;

describe("xattrs", () => {
  const codec = (limits = XATTR_LIMITS): Codec<WireXattrSet> => ({
    reader: () => (cursor) => readXattrSet(cursor, 3, DIGEST, limits),
    writer: () => writeXattrSet,
  });
  const long = new Uint8Array(DIGEST).fill(7);
  runCodecCases("xattr set", codec(), [
    { name: "known", value: { kind: "known", index: 2 }, hex: "03" },
    { name: "empty", value: { kind: "new", xattrs: [] }, hex: "00 00" },
    {
      name: "a short and a long value",
      value: {
        kind: "new",
        xattrs: [
          { name: "user.a", byteLength: 2, data: bytesOfHex("6869") },
          { name: "user.b", byteLength: 1000, data: long },
        ],
      },
      hex: "00 02 07 02 757365722e6100 6869 07 83e8 757365722e6200" + hexOf(long),
    },
  ]);
  runBadCases("xattr set", codec().reader, [
    { name: "an unknown set", hex: "04", label: "xattr-ndx", exitCode: 12, words: /xa index 4 out of range/ },
    { name: "a negative set", hex: "f0ffffffff", label: "xattr-ndx", exitCode: 12, words: /xa index -1/ },
    { name: "too many", hex: "00 c10100", label: "xattr-count", exitCode: 2, words: /xattr count out of range: 65537/ },
    { name: "a long name", hex: "00 01 9001 00", label: "xattr-name", exitCode: 2, words: /name_len out of range/ },
    { name: "a name without NUL", hex: "00 01 02 00 6161", label: "xattr-name", exitCode: 11, words: /missing trailing/ },
    { name: "no name", hex: "00 01 00 00", label: "xattr-name", exitCode: 11, words: /missing trailing/ },
    { name: "a negative value", hex: "00 01 02 f0ffffffff", label: "xattr-value", exitCode: 2, words: /datum_len/ },
    { name: "a huge value", hex: "00 01 02 f001000008", label: "xattr-value", exitCode: 2, words: /per-value limit/ },
  ]);
  runBadCases("xattr set with a limit", codec({ valueBytes: 100, listBytes: 10 }).reader, [
    { name: "11 bytes", hex: "00 01 02 09 6100 000000000000000000", label: "xattr-count", exitCode: 2, words: /per-file/ },
  ]);

  const requests: Codec<number[]> = { reader: () => (cursor) => readXattrRequest(cursor, 9), writer: () => writeXattrRequest };
  runCodecCases("xattr request", requests, [
    { name: "none", value: [], hex: "00" },
    { name: "in any order", value: [2, 9, 1], hex: "02 07 f0f8ffffff 00" },
  ]);
  runBadCases("xattr request", requests.reader, [
    { name: "a number past the set", hex: "0a 00", label: "xattr-request", exitCode: 2, words: /xattr #10/ },
    { name: "a number below 1", hex: "01 f0feffffff 00", label: "xattr-request", exitCode: 2, words: /xattr #-1/ },
    { name: "more than there are", hex: "01" + "01f0ffffffff".repeat(5), label: "xattr-request", exitCode: 2, words: /too many/ },
  ]);
  test("an answer is a head before each value, and an end", () => {
    const out = new Writer();
    writeXattrAnswer(out, { number: 4, byteLength: 3 }, 0);
    out.put(bytesOfHex("010203"));
    writeXattrAnswer(out, { number: 6, byteLength: 0 }, 4);
    writeXattrAnswer(out, null, 6);
    expect(hexOf(out.view())).toBe("0403010203020000");
    const cursor = new Cursor(out.view());
    expect(readXattrAnswer(cursor, 0, 9, XATTR_LIMITS)).toEqual({ number: 4, byteLength: 3 });
    cursor.take(3);
    expect(readXattrAnswer(cursor, 4, 9, XATTR_LIMITS)).toEqual({ number: 6, byteLength: 0 });
    expect(readXattrAnswer(cursor, 6, 9, XATTR_LIMITS)).toBeNull();
  });
});

describe("ACLs", () => {
  const codec: Codec<WireAclRef> = { reader: () => (cursor) => readAcl(cursor, 1, "access"), writer: () => writeAcl };
  const none = { userObj: null, groupObj: null, maskObj: null, otherObj: null, names: [] };
  runCodecCases("acl", codec, [
    { name: "known", value: { kind: "known", index: 0 }, hex: "01" },
    { name: "empty", value: { kind: "new", acl: none }, hex: "00 00" },
    { name: "objects", value: { kind: "new", acl: { ...none, userObj: 7, otherObj: 0 } }, hex: "00 09 07 00" },
    {
      name: "names",
      value: {
        kind: "new",
        acl: {
          ...none, groupObj: 5, maskObj: 6,
          names: [
            { id: 1000, isUser: true, access: 7, name: "ann" },
            { id: 0xfffffffe, isUser: false, access: 4, name: null },
          ],
        },
      },
      hex: "00 16 05 06 02 83e8 1f 03616e6e f0feffffff 10",
    },
  ]);
  runBadCases("acl", codec.reader, [
    { name: "an unknown ACL", hex: "02", label: "acl-ndx", exitCode: 12, words: /access ACL index 2 > 1/ },
    { name: "permissions past rwx", hex: "00 01 08", label: "acl-access", exitCode: 12, words: /value out of range: 8/ },
    { name: "named permissions past rwx", hex: "00 10 01 01 20", label: "acl-access", exitCode: 12, words: /range: 8/ },
    { name: "too many names", hex: "00 10 c10100", label: "acl-count", exitCode: 2, words: /ACL count out of range/ },
  ]);
  test("a name that its length byte cannot express is left out", () => {
    const out = new Writer();
    const names = [{ id: 1, isUser: true, access: 1, name: "x".repeat(256) }];
    writeAcl(out, { kind: "new", acl: { ...none, names } });
    expect(hexOf(out.view())).toBe("0010010106");
  });
});
