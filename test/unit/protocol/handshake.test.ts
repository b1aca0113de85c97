import { describe, expect, test } from "vitest";
import { ProtocolError, UsageError } from "../../../src/errors.ts";
import { CompatFlag } from "../../../src/protocol/context.ts";
import { Cursor, Writer } from "../../../src/protocol/cursor.ts";
import * as handshake from "../../../src/protocol/handshake.ts";
import { hexOf, runCodecCases } from "./codec.ts";

const CLIENT_INFO = ".iLsfxCIvu";
const ABLE = { allowIncRecurse: true, canSetSymlinkTimes: true, iconv: true };
const UNABLE = { allowIncRecurse: false, canSetSymlinkTimes: false, iconv: false };

describe("versions", () => {
  runCodecCases("version", { reader: () => handshake.readVersion, writer: () => handshake.writeVersion }, [
    { name: "32", value: 32, hex: "20000000" },
  ]);
  test.each([[32, 32, 32], [32, 40, 32], [32, 27, 27], [30, 31, 30]])("ours %i, theirs %i: %i", (ours, theirs, both) => {
    expect(handshake.agreeVersion(ours, theirs, false)).toBe(both);
  });
  test.each([
    [32, 19, /is your shell clean\?$/], [32, 41, /shell clean/], [32, 0x6c6c6548, /shell clean/],
    [32, 26, /--protocol must be at least 27 on the Client\./], [40, 33, /no more than 32 on the Client\./],
  ])("ours %i, theirs %i is refused", (ours, theirs, words) => {
    expect(() => handshake.agreeVersion(ours, theirs, false)).toThrow(words);
    expect(() => handshake.agreeVersion(ours, theirs, false)).toThrow(ProtocolError);
  });
  test.each([["", 32], [CLIENT_INFO, 32], ["33.5LsfxCIvu", 32], ["32.7fxC", 31], ["31.2fxC", 30], ["31.0fxC", 32]])(
    "a server offers a client with info %j version %i", (info, version) => {
      expect(handshake.offerableVersion(32, info)).toBe(version);
    });
});

describe("compat flags", () => {
  test("a server answers the letters of its client", () => {
    expect(handshake.serverCompatFlags(CLIENT_INFO, ABLE)).toBe(0x1ff);
    expect(handshake.serverCompatFlags(".", UNABLE)).toBe(0);
    const known = CompatFlag.safeFlist | CompatFlag.checksumSeedFix;
    expect(handshake.serverCompatFlags(".fC", UNABLE)).toBe(known);
    expect(handshake.serverCompatFlags(".V", UNABLE)).toBe(CompatFlag.varintFlistFlags);
    expect(handshake.serverCompatFlags(".V", UNABLE, true)).toBe(0);
  });
  test("a client tells its letters, and none before protocol 30", () => {
    expect(handshake.clientInfoText(32, ABLE)).toBe(CLIENT_INFO);
    expect(handshake.clientInfoText(30, UNABLE)).toBe(".fxCIvu");
    expect(handshake.clientInfoText(29, ABLE)).toBe("");
    expect(handshake.clientTakesIncRecurse(CLIENT_INFO)).toBe(true);
    expect(handshake.clientTakesIncRecurse(".LsfxCIvu")).toBe(false);
  });
  test("they travel as a varint, for pre-releases as a byte", () => {
    for (const [info, hex] of [[CLIENT_INFO, "81ff"], [".V", "ff"]] as const) {
      const out = new Writer();
      handshake.writeCompatFlags(out, 0x1ff, info);
      expect(hexOf(out.view())).toBe(hex);
    }
    expect(handshake.readCompatFlags(new Cursor(new Uint8Array([0x81, 0xff])))).toBe(0x1ff);
  });
  test("names are negotiated when both sides can", () => {
    const base = { amServer: true, version: 31, clientInfo: CLIENT_INFO, compatFlags: 0, readBatch: false };
    const flags = CompatFlag.varintFlistFlags;
    expect(handshake.negotiatesNames(base)).toBe(true);
    expect(handshake.negotiatesNames({ ...base, clientInfo: ".fxC" })).toBe(false);
    expect(handshake.negotiatesNames({ ...base, amServer: false })).toBe(false);
    expect(handshake.negotiatesNames({ ...base, amServer: false, compatFlags: flags })).toBe(true);
    expect(handshake.negotiatesNames({ ...base, readBatch: true })).toBe(false);
    expect(handshake.negotiatesNames({ ...base, version: 29 })).toBe(false);
  });
});

describe("context", () => {
  const result: handshake.HandshakeResult = {
    version: 32, compatFlags: 0x1ff, amServer: false, amSender: true, clientInfo: "", canSetSymlinkTimes: false,
    checksumSeed: 5, transferChecksum: "xxh128", fileChecksum: "md5", compress: "none", compressLevel: 0,
  };
  test("every flag lands in its field", () => {
    expect(handshake.contextFrom(result)).toMatchObject({
      incRecurse: true, varintFlistFlags: true, safeFlist: true, id0Names: true, properSeedOrder: true,
      inplacePartialDir: true, xattrOptim: false, receiverSymlinkTimes: true, checksumSeed: 5,
      transferChecksum: "xxh128", fileChecksum: "md5",
    });
    expect(handshake.contextFrom({ ...result, compatFlags: 0 })).toMatchObject({
      incRecurse: false, varintFlistFlags: false, safeFlist: true, id0Names: false, properSeedOrder: false,
      inplacePartialDir: false, xattrOptim: true, receiverSymlinkTimes: false,
    });
    expect(handshake.contextFrom({ ...result, version: 30, compatFlags: 0 })).toMatchObject({
      safeFlist: false, xattrOptim: false,
    });
    expect(Object.isFrozen(handshake.contextFrom(result))).toBe(true);
  });
  test.each([
    [{ amSender: false, canSetSymlinkTimes: true, version: 29 }, true],
    [{ amSender: false, canSetSymlinkTimes: true, version: 28 }, false],
    [{ amSender: true, amServer: true, clientInfo: ".L" }, true],
    [{ amSender: true, amServer: true, clientInfo: ".fx" }, false],
    [{ amSender: true, version: 29 }, false],
  ])("symlink times with %j: %s", (part, able) => {
    expect(handshake.contextFrom({ ...result, ...part }).receiverSymlinkTimes).toBe(able);
  });
});

describe("options bound to versions", () => {
  const none: handshake.VersionBoundOptions = {
    acls: false, xattrs: false, crtimes: false, fuzzy: false, inplace: false, pruneEmptyDirs: false, basisDirCount: 0,
    basisDirOption: "--link-dest", localServer: false, allowIncRecurse: true, readBatch: false,
  };
  test.each([
    [29, { acls: true }, "--acls requires protocol 30 or higher (negotiated 29)."],
    [29, { xattrs: true }, "--xattrs requires protocol 30 or higher (negotiated 29)."],
    [28, { fuzzy: true }, "--fuzzy requires protocol 29 or higher (negotiated 28)."],
    [28, { basisDirCount: 1, inplace: true }, "--link-dest with --inplace requires protocol 29 or higher (negotiated 28)."],
    [28, { basisDirCount: 2 }, "Using more than one --link-dest option requires protocol 29 or higher (negotiated 28)."],
    [28, { pruneEmptyDirs: true }, "--prune-empty-dirs requires protocol 29 or higher (negotiated 28)."],
    [31, { crtimes: true }, "Both rsync versions must be at least 3.2.0 for --crtimes."],
  ])("protocol %i refuses %j", (version, part, words) => {
    expect(() => handshake.checkVersionBounds(version, 0, { ...none, ...part })).toThrow(words);
  });
  test("newer protocols and local copies carry them", () => {
    const all = { ...none, acls: true, xattrs: true, fuzzy: true, inplace: true, pruneEmptyDirs: true, basisDirCount: 2 };
    expect(() => handshake.checkVersionBounds(30, 0x1ff, { ...all, crtimes: true })).not.toThrow();
    expect(() => handshake.checkVersionBounds(29, 0, { ...none, acls: true, xattrs: true, localServer: true })).not.toThrow();
  });
  test("a segmented list that the options exclude is refused", () => {
    const o = { ...none, allowIncRecurse: false };
    expect(() => handshake.checkVersionBounds(31, CompatFlag.incRecurse, o)).toThrow(UsageError);
    expect(() => handshake.checkVersionBounds(31, CompatFlag.incRecurse, { ...o, readBatch: true })).toThrow(/batch file/);
  });
});
