import { describe, expect, test } from "vitest";
import { Cursor, Writer } from "../../../src/protocol/cursor.ts";
import {
  AUTH_DIGESTS, authDigestChoice, CHECKSUMS, checksumChoice, compressChoice, compressLevel, compressTable, lookUp,
  makeOffer, oldStyleList, readNameList, settle, writeNameList,
} from "../../../src/protocol/negotiate.ts";
import { bytesOfHex } from "./codec.ts";

const COMPRESS = compressTable(["zlib", "zlibx", "lz4", "zstd"]);
const client = { amServer: false, environment: undefined, writeBatch: false, version: 32 };
const server = { ...client, amServer: true };

describe("offers", () => {
  test("a client leaves out none, a server does not", () => {
    expect(makeOffer(CHECKSUMS, client).text).toBe("xxh128 xxh3 xxh64 md5 md4 sha1");
    expect(makeOffer(CHECKSUMS, server).text).toBe("xxh128 xxh3 xxh64 md5 md4 sha1 none");
    expect(makeOffer(COMPRESS, client).text).toBe("zstd lz4 zlibx zlib");
    expect(makeOffer(compressTable(["zlib"]), server).text).toBe("zlib none");
  });
  test.each([
    [" md5  sha1 ", client, "md5 sha1", ["md5", "sha1"]],
    ["xxhash md5 xxh64 nosuch md5", client, "xxh64 md5", ["xxh64", "md5"]],
    ["MD5 & sha1", client, "MD5", ["md5"]],
    ["MD5 & sha1", server, "sha1", ["sha1"]],
    ["nosuch", client, "INVALID", []],
    ["   ", client, "xxh128 xxh3 xxh64 md5 md4 sha1", ["xxh128", "xxh3", "xxh64", "md5", "md4", "sha1"]],
  ])("environment list %j", (environment, side, text, order) => {
    const offer = makeOffer(CHECKSUMS, { ...side, environment });
    expect(offer.text).toBe(text);
    expect(offer.order).toEqual(order);
  });
  test("a batch that is written takes old-style names only", () => {
    expect(makeOffer(CHECKSUMS, { ...client, writeBatch: true }).text).toBe("md5");
    expect(makeOffer(CHECKSUMS, { ...client, writeBatch: true, version: 29 }).text).toBe("md4");
    expect(makeOffer(COMPRESS, { ...client, writeBatch: true, environment: "zstd" }).text).toBe("zlib");
  });
  test("a list travels as a vstring of less than 256 bytes", () => {
    const out = new Writer();
    const offer = makeOffer(CHECKSUMS, client);
    writeNameList(out, offer);
    expect(readNameList(new Cursor(out.view()), CHECKSUMS)).toBe(offer.text);
    expect(() => readNameList(new Cursor(bytesOfHex("8100")), CHECKSUMS)).toThrow(/over-long vstring received \(256 > 255\)/);
  });
});

describe("settling", () => {
  test("each side takes the name it wants most of those the peer lists", () => {
    const offer = makeOffer(CHECKSUMS, client);
    expect(settle(offer, "md4 sha1 xxh3", { amServer: false, negotiated: true })).toBe("xxh3");
    expect(settle(offer, "XXHASH none", { amServer: false, negotiated: true })).toBe("xxh64");
    const picky = makeOffer(CHECKSUMS, { ...server, environment: "md4 xxh3" });
    expect(settle(picky, "xxh3 md4", { amServer: true, negotiated: true })).toBe("md4");
  });
  test("peers without lists are taken to want the old names", () => {
    expect(oldStyleList(CHECKSUMS, 30)).toBe("md5");
    expect(oldStyleList(CHECKSUMS, 29)).toBe("md4");
    expect(oldStyleList(COMPRESS, 32)).toBe("zlib");
  });
  test("nothing in common ends the run with code 4 and both lists", () => {
    const offer = makeOffer(CHECKSUMS, { ...client, environment: "md5 sha1" });
    const text = "Failed to negotiate a checksum choice.\nServer list: xxh3 foo\nClient list: md5 sha1";
    expect(() => settle(offer, "xxh3 foo", { amServer: false, negotiated: true })).toThrow(text);
    expect(() => settle(offer, "xxh3", { amServer: false, negotiated: true })).toThrow(
      expect.objectContaining({ exitCode: 4, label: "checksum-list" }));
    expect(() => settle(offer, "xxh3", { amServer: true, negotiated: true })).toThrow(/^$/);
    expect(() => settle({ ...offer, order: [] }, "md5", { amServer: true, negotiated: false })).toThrow(
      "Client list: md5\nServer list: INVALID");
  });
});

describe("choices", () => {
  const o = { negotiated: null, forced: null, amServer: false, environment: undefined, version: 32 };
  test.each([
    [{}, "md5", "md5"],
    [{ version: 29 }, "md4-old", "md4-old"],
    [{ negotiated: "xxh3" }, "xxh3", "xxh3"],
    [{ forced: "auto", version: 27 }, "md4-old", "md4-old"],
    [{ forced: "md4", version: 27 }, "md4", "md4"],
    [{ forced: "XXHash" }, "xxh64", "xxh64"],
    [{ forced: "none,sha1" }, "none", "sha1"],
    [{ forced: "xxh128,auto" }, "xxh128", "md5"],
    [{ forced: "md4", amServer: true, environment: "md5 md4" }, "md4", "md4"],
    [{ forced: "auto", version: 29, amServer: true, environment: "md4" }, "md4-old", "md4-old"],
    [{ forced: "md5", amServer: true, environment: "sha1 & md5" }, "md5", "md5"],
  ])("checksum with %j", (part, transfer, file) => {
    expect(checksumChoice({ ...o, ...part })).toEqual({ transfer, file });
  });
  test.each([
    [{ forced: "sha3" }, "unknown checksum name: sha3"],
    [{ forced: "md5,sha3" }, "unknown checksum name: sha3"],
    [{ forced: "md5,md4", amServer: true, environment: "md5" }, "Your --checksum-choice value (md5,md4) was refused by the server."],
  ])("checksum with %j is refused", (part, words) => {
    expect(() => checksumChoice({ ...o, ...part })).toThrow(expect.objectContaining({ message: words, exitCode: 4 }));
  });
  test("compression", () => {
    expect(compressChoice(COMPRESS, false, o)).toBe("none");
    expect(compressChoice(COMPRESS, true, o)).toBe("zlib");
    expect(compressChoice(COMPRESS, true, { ...o, negotiated: "lz4" })).toBe("lz4");
    expect(compressChoice(COMPRESS, true, { ...o, forced: "ZSTD" })).toBe("zstd");
    expect(() => compressChoice(compressTable(["zlib"]), true, { ...o, forced: "zstd" })).toThrow("unknown compress name: zstd");
    expect(() => compressChoice(COMPRESS, true, { ...o, forced: "zstd", amServer: true, environment: "zlib" })).toThrow(
      "Your --compress-choice value (zstd) was refused by the server.");
  });
  test.each([
    ["zlib", null, "zlib", 6], ["zlib", -1, "zlib", 6], ["zlib", 0, "none", 0], ["zlibx", 12, "zlibx", 9],
    ["zlib", -5, "zlib", 1], ["zstd", null, "zstd", 3], ["zstd", 0, "zstd", 3], ["zstd", -7, "zstd", -7],
    ["zstd", 99, "zstd", 22], ["lz4", 9, "lz4", 0], ["none", 5, "none", 0],
  ] as const)("%s at level %s is %s %i", (name, requested, took, level) => {
    expect(compressLevel(name, requested)).toEqual({ name: took, level });
  });
});

describe("daemon authentication", () => {
  test("the client's order decides, old peers get md5 or old md4", () => {
    expect(authDigestChoice("md4 md5 sha512", 32, false)).toBe("sha512");
    expect(authDigestChoice("md4", 32, false)).toBe("md4");
    expect(authDigestChoice(null, 31, false)).toBe("md5");
    expect(authDigestChoice(null, 29, false)).toBe("md4-old");
    expect(() => authDigestChoice("sha3", 32, false)).toThrow(/Failed to negotiate a daemon auth checksum choice/);
  });
  test("names are looked up in any case", () => {
    expect(lookUp(AUTH_DIGESTS, "SHA256")).toBe("sha256");
    expect(lookUp(AUTH_DIGESTS, "constructor")).toBeNull();
    expect(lookUp(CHECKSUMS, "toString")).toBeNull();
  });
});
