/**
 * Lying and truncated peers, as sender against our receiver (client and server) and as receiver against our sender.
 *
 * Each lie must end in a clear failure within bounded time and memory, and leave everything outside the destination
 * as it was. Stock rsync in wsync's place (WSYNC_UNDER_TEST) passes too.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ItemFlag, MessageTag, Ndx } from "../../src/protocol/constants.ts";
import { Writer } from "../../src/protocol/cursor.ts";
import { writeMessage } from "../../src/protocol/mux.ts";
import { NdxWriter } from "../../src/protocol/ndx.ts";
import { missing, wsync } from "../_programs.ts";
import { fileData, framed, honestList, type Lie, scriptVersion, senderScript } from "./_script.ts";
import { type Aftermath, clientAgainst, senderAgainst, serverAgainst } from "./_victim.ts";

const reason = missing("node");
const program = wsync("node") ?? "";

/** A connection that ends or is reset too early; which of the two is noticed first is chance. */
const cutOff = [10, 12];
const cutOffText = /closed|reset|Broken pipe/;

/** Expects rsync's exit code, a message that says what was wrong and the last line that rsync prints. */
function expectRefused(after: Aftermath, codes: readonly number[], message: RegExp, mostMib = 400): void {
  expect(after.signal).toBe(null);
  expect(after.stderr).toMatch(message);
  expect(codes).toContain(after.code);
  expect(after.stderr).not.toMatch(/\bat .*\.(js|ts):\d+:|internal error|[Uu]nhandled/);
  expect(after.stderr).toContain(`(code ${after.code}) at `);
  expect(after.outside).toEqual([]);
  expect(after.peakMib).toBeLessThan(mostMib);
  expect(after.elapsedMs).toBeLessThan(15_000);
}

const file = (name: string): Lie => ({ list: [honestList[0], { name, mode: 0o100644, size: fileData.length }] });
const directory = (name: string): Lie => ({ list: [honestList[0], { name, mode: 0o40755 }] });
const longer = Buffer.concat([fileData, Buffer.from("more than was announced")]);
const literal = (out: Writer, data: Uint8Array): void => {
  out.i32le(data.length);
  out.put(data);
};
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const frame = (tag: number, payload: Uint8Array): Uint8Array => {
  const out = new Writer();
  writeMessage(out, tag, payload);
  return out.view().slice();
};

/** Lies of a sender. Each value changes one thing of the honest script. */
const lies: Readonly<Record<string, Lie>> = {
  "a name that climbs out": file("../escape"),
  "a name that climbs out from below": file("a/../../escape"),
  "an absolute name": file("/tmp/wsync-escape"),
  "a directory that climbs out": directory("../escape"),
  "a file below a symlink of the same list": {
    list: [honestList[0], { name: "d", mode: 0o120777, link: "../../neighbour" },
      { name: "d/precious", mode: 0o100644, size: 1 }],
    ndx: 2,
  },
  "a file type that does not exist": { list: [honestList[0], { name: "f", mode: 0o170644 }] },
  "a list of garbage": { rawList: (out) => out.put(new Uint8Array(500).fill(0xff)) },
  "a name longer than a path may be": { rawList: (out) => out.put(bytes(0x40, 0xfe, 0xff, 0xff, 0xff, 0x0f)) },
  "an ndx past the list": { ndx: 1000 },
  "an unknown negative ndx": { ndx: -77 },
  "the ndx of a directory": { ndx: 0 },
  "a transfer without the transfer flag's file": { ndx: 1, iflags: ItemFlag.transfer | ItemFlag.basisTypeFollows,
    attrs: (out) => out.u8(0x7f) },
  "an alternate name longer than a path": { iflags: ItemFlag.transfer | ItemFlag.xnameFollows,
    attrs: (out) => out.put(bytes(0xff, 0xff)) },
  "a negative block count": { sumHead: { count: -1 } },
  "a huge block length": { sumHead: { count: 1, blockLength: 0x7fffffff, s2length: 2 } },
  "a strong sum longer than the digest": { sumHead: { count: 1, blockLength: 700, s2length: 99 } },
  "a remainder longer than the block": { sumHead: { count: 1, blockLength: 700, s2length: 2, remainder: 701 } },
  "a block that no basis has": { tokens: (out) => (out.i32le(-1000), out.i32le(0)) },
  "a literal longer than any sender's": { tokens: (out) => out.i32le(0x7fffffff) },
  "an unknown frame tag": { beforeFrames: bytes(4, 0, 0, 90, 1, 2, 3, 4) },
  "a frame below the tag base": { beforeFrames: bytes(4, 0, 0, 3, 1, 2, 3, 4) },
  "an internal message": { afterList: frame(MessageTag.redo, bytes(1, 0, 0, 0)) },
  "an exit order with the wrong length": { afterList: frame(MessageTag.errorExit, bytes(1, 0)) },
  "no end but more of the same": {
    ending: (out) => {
      const ndx = new NdxWriter(scriptVersion);
      for (let i = 0; i < 200; i++) ndx.write(out, Ndx.flistEof);
    },
  },
};

/** How each lie is answered: rsync's exit code and words. */
const answers: Readonly<Record<string, readonly [code: number, message: RegExp]>> = {
  "a name that climbs out": [4, /unsafe pathname from sender: \.\.\/escape/],
  "a name that climbs out from below": [4, /unsafe pathname from sender: a\/\.\.\/\.\.\/escape/],
  "an absolute name": [4, /unsafe pathname from sender: \/tmp\/wsync-escape/],
  "a directory that climbs out": [4, /unsafe pathname from sender: \.\.\/escape/],
  "a file below a symlink of the same list": [2, /invalid path from sender: d\/precious/],
  "a file type that does not exist": [2, /invalid file mode 0170644/],
  "a list of garbage": [12, /Overflow in read_varint/],
  "a name longer than a path may be": [12, /Overflow in read_varint/],
  "an ndx past the list": [2, /File-list index 1000 not in -1 - 1/],
  "an unknown negative ndx": [2, /Invalid file index: -77 \(-1 - 1\)/],
  "the ndx of a directory": [2, /transfer non-regular file: 0/],
  "a transfer without the transfer flag's file": [2, /invalid basis_dir index: 127/],
  "an alternate name longer than a path": [2, /over-long vstring received \(32767 > 4095\)/],
  "a negative block count": [2, /Invalid checksum count -1/],
  "a huge block length": [2, /Invalid block length 2147483647/],
  "a strong sum longer than the digest": [2, /Invalid checksum length 99/],
  "a remainder longer than the block": [2, /Invalid remainder length 701/],
  "a block that no basis has": [2, /Invalid block index 999 \(count=0\)/],
  "a literal longer than any sender's": [12, /unexpectedly closed/],
  "an unknown frame tag": [12, /unexpected tag 83/],
  "a frame below the tag base": [12, /unexpected tag -4/],
  "an internal message": [12, /invalid multi-message 9:4/],
  "an exit order with the wrong length": [12, /invalid multi-message 86:2/],
  "no end but more of the same": [2, /Invalid file index: -2/],
};

const whole = senderScript({}, true);

/** Where to cut: every byte of the first frames, then at growing distances. */
const cuts = [...new Set([...Array(12).keys(), 20, 30, 40, 60, 100, 300, 650, whole.length - 30, whole.length - 12])];

/** Opening bytes of a client that receives: an empty filter list, then requests. */
function request(write: (out: Writer, ndx: NdxWriter) => void): Uint8Array {
  const out = new Writer();
  out.i32le(0);
  write(out, new NdxWriter(scriptVersion));
  return framed(out.view());
}

function head(out: Writer, ...values: number[]): void {
  for (const value of values) out.i32le(value);
}

/** Lies of a receiver to our sender. */
const requests: Readonly<Record<string, Uint8Array>> = {
  "nothing at all": new Uint8Array(0),
  "half a filter rule": framed(bytes(50, 0, 0, 0, 45, 32)),
  "a filter rule of two gigabytes": framed(bytes(0xff, 0xff, 0xff, 0x7f)),
  "a negative filter rule": framed(bytes(0xff, 0xff, 0xff, 0xff)),
  "an ndx past the list": request((out, ndx) =>
    (ndx.write(out, 99), out.u16le(ItemFlag.transfer), head(out, 0, 0, 0, 0))),
  "an unknown negative ndx": request((out, ndx) => (ndx.write(out, -55), out.u16le(ItemFlag.transfer))),
  "a negative block count": request((out, ndx) =>
    (ndx.write(out, 1), out.u16le(ItemFlag.transfer), head(out, -5, 700, 2, 0))),
  "a block length past the limit": request((out, ndx) =>
    (ndx.write(out, 1), out.u16le(ItemFlag.transfer), head(out, 1, 1 << 30, 2, 0))),
  "blocks of no length": request((out, ndx) =>
    (ndx.write(out, 1), out.u16le(ItemFlag.transfer), head(out, 5, 0, 2, 0))),
  "two thousand million blocks, then silence": request((out, ndx) =>
    (ndx.write(out, 1), out.u16le(ItemFlag.transfer), head(out, 0x7fffffff, 700, 2, 0))),
  "a cut in the sums": request((out, ndx) =>
    (ndx.write(out, 1), out.u16le(ItemFlag.transfer), head(out, 10, 700, 2, 0), out.i32le(1))),
  "an unknown frame tag": bytes(4, 0, 0, 90, 1, 2, 3, 4),
};

/** How our sender answers. */
const senderAnswers: typeof answers = {
  "nothing at all": [12, /unexpectedly closed/],
  "half a filter rule": [12, /unexpectedly closed/],
  "a filter rule of two gigabytes": [22, /overflow.*recv_rules/],
  "a negative filter rule": [22, /overflow.*recv_rules/],
  "an ndx past the list": [2, /File-list index 99 not in -1 - 1/],
  "an unknown negative ndx": [2, /Invalid file index: -55 \(-1 - 1\)/],
  "a negative block count": [2, /Invalid checksum count -5/],
  "a block length past the limit": [2, /Invalid block length 1073741824/],
  "blocks of no length": [2, /Invalid zero block length/],
  "two thousand million blocks, then silence": [22, /exceeded --max-alloc/],
  "a cut in the sums": [12, /unexpectedly closed/],
  "an unknown frame tag": [12, /unexpected tag 83/],
};

describe.skipIf(reason !== "").concurrent(`hostile peers${reason === "" ? "" : ` [${reason}]`}`, () => {
  it("the honest script works, or the lies would prove nothing", async () => {
    const asClient = await clientAgainst(program, whole, { hangUp: false });
    const asServer = await serverAgainst(program, senderScript({}, false), { hangUp: false });
    for (const after of [asClient, asServer]) {
      expect({ code: after.code, stderr: after.stderr }).toEqual({ code: 0, stderr: "" });
      expect(readFileSync(join(after.dest, "f"))).toEqual(fileData);
    }
  });
  it.each(Object.entries(lies))("to a client: %s", async (title, lie) => {
    const [code, message] = answers[title];
    expectRefused(await clientAgainst(program, senderScript(lie, true)), [code], message);
  });
  it.each(Object.entries(lies))("to a server: %s", async (title, lie) => {
    const [code, message] = answers[title];
    expectRefused(await serverAgainst(program, senderScript(lie, false)), [code], message);
  });
  it.each(cuts)("a client whose daemon goes away after %i bytes of the script", async (length) => {
    const after = await clientAgainst(program, whole.subarray(0, length));
    expectRefused(after, cutOff, cutOffText);
    if (existsSync(join(after.dest, "f"))) expect(readFileSync(join(after.dest, "f"))).toEqual(fileData);
  });
  it.each(Object.entries(requests))("to our sender: %s", async (title, script) => {
    const [code, message] = senderAnswers[title];
    expectRefused(await senderAgainst(program, script), [code], message);
  });
  it("an exit order is obeyed, with its code", async () => {
    const after = await clientAgainst(program,
      senderScript({ afterList: frame(MessageTag.errorExit, bytes(23, 0, 0, 0)) }, true));
    expect({ code: after.code, outside: after.outside }).toEqual({ code: 23, outside: [] });
  });
  it.each([
    ["in one piece", (out: Writer) => literal(out, longer)],
    ["in two pieces", (out: Writer) => {
      literal(out, fileData);
      literal(out, longer.subarray(fileData.length));
    }],
  ] as const)("a file longer than announced, with the digest to it, is kept whole: %s", async (_, pieces) => {
    const tokens = (out: Writer): void => {
      pieces(out);
      out.i32le(0);
    };
    const script = senderScript({ tokens, digest: createHash("md5").update(longer).digest() }, true);
    const after = await clientAgainst(program, script, { hangUp: false });
    expect({ code: after.code, stderr: after.stderr }).toEqual({ code: 0, stderr: "" });
    expect(readFileSync(join(after.dest, "f"))).toEqual(longer);
  });
  it("a file whose digest is wrong is not kept", async () => {
    const after = await clientAgainst(program, senderScript({ digest: new Uint8Array(16) }, true));
    expectRefused(after, [...cutOff, 23], /failed verification|closed/);
    expect(existsSync(join(after.dest, "f"))).toBe(false);
  });
});
