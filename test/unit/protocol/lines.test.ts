import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/errors.ts";
import { bytesOf } from "../../../src/memory.ts";
import {
  type BatchFlags, BATCH_FLAGS, batchFlagsOf, type BatchHeader, readBatchHeader, writeBatchFlags, writeBatchStart,
} from "../../../src/protocol/batchheader.ts";
import { Cursor, Writer } from "../../../src/protocol/cursor.ts";
import { readFilterRule, writeFilterEnd, writeFilterRule } from "../../../src/protocol/filterlist.ts";
import * as greeting from "../../../src/protocol/greeting.ts";
import { bytesOfHex, hexOf, poll, runBadCases, runCodecCases } from "./codec.ts";

const line = (limit = 100) => (cursor: Cursor) => greeting.readLine(cursor, limit, "greeting");

describe("lines", () => {
  runCodecCases("line", { reader: () => line(), writer: () => greeting.writeLine }, [
    { name: "empty", value: "", hex: "0a" },
    { name: "bytes", value: "@RSYNCD: OK\xff", hex: hexOf(bytesOf("@RSYNCD: OK\xff\n")) },
  ]);
  test("carriage returns are dropped", () => {
    expect(line()(new Cursor(bytesOf("a\r\r b\r\nrest")))).toBe("a b");
  });
  test("a line that grows without end is refused, not collected", () => {
    const cursor = new Cursor(new Uint8Array(98).fill(65));
    expect(poll(cursor, line())).toBeUndefined();
    expect(() => line()(new Cursor(new Uint8Array(99).fill(65)))).toThrow(ProtocolError);
    expect(() => line()(new Cursor(new Uint8Array(300).fill(13)))).toThrow(ProtocolError);
    expect(() => line()(new Cursor(bytesOf("A".repeat(99) + "\n")))).toThrow(/too long/);
    expect(line()(new Cursor(bytesOf("A".repeat(98) + "\n")))).toHaveLength(98);
  });
  runBadCases("line", () => line(), [{ name: "a NUL", hex: "410042", label: "greeting", exitCode: 5, words: /NUL/ }]);
});

describe("greeting", () => {
  test("ours names version and digests", () => {
    const text = greeting.formatGreeting(32, ["sha512", "md5"]);
    expect(text).toBe("@RSYNCD: 32.0 sha512 md5");
    expect(greeting.parseGreeting(text)).toEqual({ version: 32, sub: 0, digests: "sha512 md5" });
  });
  test.each([
    ["@RSYNCD: 29", { version: 29, sub: -1, digests: null }, null],
    ["@RSYNCD: 31.0", { version: 31, sub: 0, digests: null }, null],
    ["@RSYNCD: 30.14 md5", { version: 30, sub: 14, digests: "md5" }, null],
    ["@RSYNCD: 31", { version: 31, sub: -1, digests: null }, "the server omitted the subprotocol value: @RSYNCD: 31"],
    ["@RSYNCD: 32.0", { version: 32, sub: 0, digests: null }, "the server omitted the digest name list: @RSYNCD: 32.0"],
    ["HTTP/1.1 400", null, 'server sent "HTTP/1.1 400" rather than greeting'],
    ["@RSYNCD: x", null, 'server sent "@RSYNCD: x" rather than greeting'],
  ])("%j", (text, parsed, fault) => {
    expect(greeting.parseGreeting(text)).toEqual(parsed);
    expect(greeting.greetingFault(text, false)).toBe(fault);
  });
  test("a daemon has words of its own", () => {
    expect(greeting.greetingFault("EHLO", true)).toBe("protocol startup error");
    expect(greeting.greetingFault("@RSYNCD: 32.0", true)).toBe("your client omitted the digest name list: @RSYNCD: 32.0");
  });
  test.each([[32, 31, 0, 31], [32, 31, 5, 30], [32, 32, 0, 32], [32, 32, 3, 31], [30, 32, 0, 30], [32, 29, -1, 29]])(
    "ours %i, theirs %i.%i: %i", (ours, version, sub, both) => {
      expect(greeting.greetingVersion(ours, { version, sub, digests: null })).toBe(both);
    });
});

describe("daemon replies and requests", () => {
  test.each([
    [{ kind: "auth", challenge: "abc" }, "@RSYNCD: AUTHREQD abc"],
    [{ kind: "ok" }, "@RSYNCD: OK"],
    [{ kind: "exit" }, "@RSYNCD: EXIT"],
    [{ kind: "error", line: "@ERROR: Unknown module 'x'" }, "@ERROR: Unknown module 'x'"],
    [{ kind: "text", line: "@RSYNCD: OK " }, "@RSYNCD: OK "],
    [{ kind: "text", line: "welcome" }, "welcome"],
  ] as const)("%j", (reply, text) => {
    expect(greeting.formatDaemonReply(reply)).toBe(text);
    expect(greeting.parseDaemonReply(text)).toEqual(reply);
  });
  test.each([
    [{ kind: "list" }, "#list"],
    [{ kind: "module", name: "data" }, "data"],
    [{ kind: "early-input", byteLength: 5120 }, "#early_input=5120"],
    [{ kind: "command", line: "#other" }, "#other"],
  ] as const)("%j", (request, text) => {
    expect(greeting.formatModuleRequest(request)).toBe(text);
    expect(greeting.parseModuleRequest(text)).toEqual(request);
  });
  test("an empty line lists, a bad early input ends the conversation", () => {
    expect(greeting.parseModuleRequest("")).toEqual({ kind: "list" });
    for (const text of ["#early_input=0", "#early_input=5121", "#early_input=", "#early_input=-4"]) {
      expect(() => greeting.parseModuleRequest(text)).toThrow(/invalid early_input length/);
    }
  });
  test("an answer to a challenge is user and response", () => {
    expect(greeting.parseAuthReply("me  secret")).toEqual({ user: "me", response: "secret" });
    expect(greeting.parseAuthReply("me")).toBeNull();
  });
});

describe("arguments", () => {
  const codec = (version: number) => ({
    reader: () => (cursor: Cursor) => greeting.readDaemonArgs(cursor, version),
    writer: () => (out: Writer, args: string[]) => greeting.writeDaemonArgs(out, args, version),
  });
  runCodecCases("args 30", codec(30), [
    { name: "words", value: ["--server", "a\nb", "."], hex: hexOf(bytesOf("--server\0a\nb\0.\0\0")) },
    { name: "none", value: [], hex: "00" },
  ]);
  runCodecCases("args 29", codec(29), [{ name: "words", value: ["--server", "."], hex: hexOf(bytesOf("--server\n.\n\n")) }]);
  const secluded = { reader: () => greeting.readProtectedArgs, writer: () => greeting.writeProtectedArgs };
  runCodecCases("secluded args", secluded, [
    { name: "words", value: ["--server", "."], hex: hexOf(bytesOf("rsync\0--server\0.\0\0")) },
  ]);
  test("an empty secluded word is sent as a dot, a long word is cut", () => {
    const out = new Writer();
    greeting.writeProtectedArgs(out, ["", "x".repeat(6000)]);
    expect(greeting.readProtectedArgs(new Cursor(out.view()))).toEqual([".", "x".repeat(5119)]);
  });
  test("words without end are refused", () => {
    const many = bytesOf("a\0".repeat(16000));
    expect(() => codec(30).reader()(new Cursor(many))).toThrow(/too many daemon arguments/);
    expect(poll(new Cursor(bytesOf("a\0".repeat(15999))), codec(30).reader())).toBeUndefined();
  });
});

describe("filter rules", () => {
  runCodecCases("rule", { reader: () => readFilterRule, writer: () => (out, rule: string | null) =>
    rule === null ? writeFilterEnd(out) : writeFilterRule(out, rule) }, [
    { name: "exclude", value: "- *.o", hex: "05000000" + hexOf(bytesOf("- *.o")) },
    { name: "end", value: null, hex: "00000000" },
  ]);
  runBadCases("rule", () => readFilterRule, [
    { name: "5120 bytes", hex: "00140000", label: "filter-rule", exitCode: 22, words: /overflow in recv_rules/ },
    { name: "a negative length", hex: "ffffffff", label: "filter-rule", exitCode: 22, words: /overflow/ },
  ]);
  test("an empty rule would end the list and is not sent", () => {
    const out = new Writer();
    writeFilterRule(out, "");
    expect(out.length).toBe(0);
  });
});

describe("batch header", () => {
  const flags = (names: string[]): BatchFlags =>
    Object.fromEntries(BATCH_FLAGS.map(({ name }) => [name, names.includes(name)])) as BatchFlags;
  const write = (out: Writer, header: BatchHeader): void => {
    writeBatchFlags(out, header.flags);
    writeBatchStart(out, header);
  };
  const codec = { reader: () => (cursor: Cursor) => readBatchHeader(cursor, 32), writer: () => write };
  runCodecCases("batch header", codec, [
    {
      // The first bytes of a batch of rsync 3.5.0 -rI -z --compress-choice=zstd, protocol 31.
      name: "protocol 31",
      value: { flags: flags(["recurse", "dirs", "compress"]), version: 31, compatFlags: 0x1ff, checksumSeed: 1234 },
      hex: "81010000 1f000000 81ff d2040000",
    },
    {
      name: "protocol 29",
      value: { flags: flags(["preserveUid", "dirs"]), version: 29, compatFlags: 0, checksumSeed: -1 },
      hex: "82000000 1d000000 ffffffff",
    },
  ]);
  runBadCases("batch header", codec.reader, [
    { name: "a newer version", hex: "00000000 21000000 00", label: "version", exitCode: 2, words: /too new \(33 > 32\)/ },
    { name: "an ancient version", hex: "00000000 1a000000 00", label: "version", exitCode: 2, words: /unsupported protocol 26/ },
  ]);
  test("flags younger than the version say nothing", () => {
    expect(readBatchHeader(new Cursor(bytesOfHex("ff7f0000 1c000000 00000000")), 32).flags).toMatchObject({
      checksum: true, dirs: false, compress: false, preserveAcls: false,
    });
    expect(batchFlagsOf(28).map(({ bit }) => bit)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(batchFlagsOf(29)).toHaveLength(9);
    expect(batchFlagsOf(30)).toHaveLength(15);
  });
});
