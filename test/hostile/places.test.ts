/**
 * What a peer may not reach with a conversation that is well-formed: files through symlinks that it sent, or that it
 * left in the destination earlier, through duplicate names, other files' basis, device nodes, and our sender's files
 * by orders that nobody asked for.
 *
 * The run may go on or end, but nothing outside the destination changes and nothing of it comes in. Stock rsync in
 * wsync's place (WSYNC_UNDER_TEST) passes too, but for one: with --inplace its receiver may write through the symlink
 * that an earlier run left, before its generator has put it away, as the link is the user's own.
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FnamecmpType, ItemFlag, MessageTag, Ndx } from "../../src/protocol/constants.ts";
import { Writer } from "../../src/protocol/cursor.ts";
import { writeVstring } from "../../src/protocol/integers.ts";
import { writeMessage } from "../../src/protocol/mux.ts";
import { NdxWriter } from "../../src/protocol/ndx.ts";
import { missing, wsync } from "../_programs.ts";
import { type Entry, fileData, framed, honestList, type Lie, scriptVersion, senderScript } from "./_script.ts";
import { type Aftermath, clientAgainst, senderAgainst, serverAgainst } from "./_victim.ts";

const reason = missing("node");
const program = wsync("node") ?? "";

const root = honestList[0];
const file = (name: string): Entry => ({ name, mode: 0o100644, size: fileData.length });
const dir = (name: string): Entry => ({ name, mode: 0o40755 });
const link = (name: string, to: string): Entry => ({ name, mode: 0o120777, link: to });

/** A lie, what lies in the destination, further options, and how the run ends. */
interface Case {
  readonly lie: Lie;
  readonly options?: readonly string[];
  readonly prepare?: (dest: string) => void;
  readonly codes: readonly number[];
  readonly message?: RegExp;
  /** Names in the destination that must be no symlinks, and hold the scripted data where they are files. */
  readonly real?: readonly string[];
  /** Names that must not be there. */
  readonly absent?: readonly string[];
}

/** A symlink in the destination that leads out of it. */
const planted = (name: string, to: string) => (dest: string): void => {
  mkdirSync(join(dest, name, ".."), { recursive: true });
  symlinkSync(to, join(dest, name));
};
const throughOut = "../../neighbour";
const preciousFile = "../../neighbour/precious";

/** A basis that the generator did not offer. */
const basis = (type: number, xname?: string): Partial<Lie> => ({
  iflags: ItemFlag.transfer | ItemFlag.basisTypeFollows | (xname === undefined ? 0 : ItemFlag.xnameFollows),
  attrs: (out) => {
    out.u8(type);
    if (xname !== undefined) writeVstring(out, xname);
  },
});

/** One block of the basis, which the scripted digest does not match: what it holds must not arrive. */
const copyOfBasis: Partial<Lie> = {
  sumHead: { count: 1, blockLength: 700, s2length: 2, remainder: 12 },
  tokens: (out) => (out.i32le(-1), out.i32le(0)),
};

const ended = [10, 12, 23];

const cases: Readonly<Record<string, Case>> = {
  "a file twice": { lie: { list: [root, file("f"), file("f")] }, codes: [0], real: ["f"] },
  "a symlink and a directory of one name, and a file below": {
    lie: { list: [root, link("d", throughOut), file("f"), dir("d"), file("d/precious")], ndx: 2 },
    codes: [0], real: ["f", "d"],
  },
  "a directory where an earlier run left a symlink": {
    lie: { list: [root, dir("d"), file("d/precious")], ndx: 2 }, prepare: planted("d", throughOut), codes: [0, 23],
  },
  "a file where an earlier run left a symlink": {
    lie: {}, prepare: planted("f", preciousFile), codes: [0], real: ["f"],
  },
  "a file written in place where an earlier run left a symlink": {
    lie: {}, options: ["--inplace"], prepare: planted("f", preciousFile), codes: [0, 23],
  },
  "the block of a file that a symlink in the destination leads to": {
    lie: copyOfBasis, prepare: planted("f", preciousFile), codes: [...ended, 2],
  },
  "a partial file that a symlink leads to": {
    lie: { ...basis(FnamecmpType.partialDir), ...copyOfBasis }, options: ["--partial-dir=.part"],
    prepare: planted(".part", throughOut), codes: [...ended, 2],
  },
  "a partial file's own symlink": {
    lie: { ...basis(FnamecmpType.partialDir), ...copyOfBasis }, options: ["--partial-dir=.part"],
    prepare: planted(".part/f", `../${preciousFile}`), codes: [...ended, 2],
  },
  "a partial file without --partial-dir": { lie: basis(FnamecmpType.partialDir), codes: [0], real: ["f"] },
  "a backup without --backup": { lie: basis(FnamecmpType.backup), codes: [0], real: ["f"] },
  "a file in a basis directory, without one": {
    lie: basis(FnamecmpType.basisDirLow), codes: [2], message: /invalid basis_dir index: 0/,
  },
  "a character device, without --devices": {
    lie: { list: [root, { name: "c", mode: 0o20666 }, file("f")], ndx: 2 }, codes: [0], real: ["f"], absent: ["c"],
  },
  "a block device, a socket and a fifo, without --devices and --specials": {
    lie: { list: [root, { name: "b", mode: 0o60666 }, file("f"), { name: "p", mode: 0o10666 },
      { name: "s", mode: 0o140666 }], ndx: 2 }, codes: [0], real: ["f"], absent: ["b", "p", "s"],
  },
  "the contents of a device": {
    lie: { list: [root, { name: "f", mode: 0o20666 }] }, codes: [2], message: /non-regular/, absent: ["f"],
  },
  "a symlink out of the tree with --safe-links": {
    lie: { list: [root, file("f"), link("l", throughOut)] }, options: ["--safe-links"], codes: [0], absent: ["l"],
  },
};

function checkPlaces(after: Aftermath, { codes, message, real = [], absent = [] }: Case): void {
  expect(after.signal).toBe(null);
  expect(codes, after.stderr).toContain(after.code);
  if (message !== undefined) expect(after.stderr).toMatch(message);
  expect(after.stderr).not.toMatch(/\bat .*\.(js|ts):\d+:|internal error|[Uu]nhandled/);
  expect(after.outside).toEqual([]);
  for (const name of real) {
    const stat = lstatSync(join(after.dest, name));
    expect([name, stat.isSymbolicLink()]).toEqual([name, false]);
    if (stat.isFile()) expect(readFileSync(join(after.dest, name))).toEqual(fileData);
  }
  for (const name of absent) expect([name, existsSync(join(after.dest, name))]).toEqual([name, false]);
  expect(after.peakMib).toBeLessThan(400);
  expect(after.elapsedMs).toBeLessThan(15_000);
}

/** A receiver's empty filter list. */
const noRules = framed(Uint8Array.of(0, 0, 0, 0));

function request(write: (out: Writer, ndx: NdxWriter) => void): Uint8Array {
  const out = new Writer();
  write(out, new NdxWriter(scriptVersion));
  return framed(out.view());
}

function framedInts(tag: number, ...values: number[]): Uint8Array {
  const payload = new Writer();
  for (const value of values) payload.i32le(value);
  const out = new Writer();
  writeMessage(out, tag, payload.view());
  return out.view().slice();
}

const noSums = (out: Writer): void => {
  for (let i = 0; i < 4; i++) out.i32le(0);
};

/** Orders to our sender, whose list is "." and "f". */
const orders: Readonly<Record<string, readonly [bytes: Uint8Array, codes: readonly number[], text: RegExp]>> = {
  "the contents of a directory": [request((out, ndx) => {
    ndx.write(out, 0);
    out.u16le(ItemFlag.transfer);
    noSums(out);
  }), [2], /non-regular/],
  "a basis name that climbs out": [request((out, ndx) => {
    ndx.write(out, 1);
    out.u16le(ItemFlag.transfer | ItemFlag.basisTypeFollows | ItemFlag.xnameFollows);
    out.u8(FnamecmpType.fuzzy);
    writeVstring(out, "../../neighbour/precious");
    noSums(out);
  }), [12], /closed/],
  "one file a thousand times": [request((out, ndx) => {
    for (let i = 0; i < 1000; i++) {
      ndx.write(out, 1);
      out.u16le(ItemFlag.transfer);
      noSums(out);
    }
  }), [12], /closed/],
  "success for a file past the list": [framedInts(MessageTag.success, 77), [2], /File-list index 77/],
  "a redo from the other side": [framedInts(MessageTag.redo, 1), [12], /multi-message/],
  "done before anything, again and again": [request((out, ndx) => {
    for (let i = 0; i < 50; i++) ndx.write(out, Ndx.done);
  }), [0, 2, 12], /.*/],
};

describe.skipIf(reason !== "").concurrent(`places of a hostile peer${reason === "" ? "" : ` [${reason}]`}`, () => {
  it.each(Object.entries(cases))("to a client: %s", async (_title, one) => {
    const hangUp = !one.codes.includes(0);
    const after = await clientAgainst(program, senderScript(one.lie, true), { ...one, hangUp });
    checkPlaces(after, one);
  });
  it.each(Object.entries(cases))("to a server: %s", async (_title, one) => {
    const hangUp = !one.codes.includes(0);
    const after = await serverAgainst(program, senderScript(one.lie, false), { ...one, hangUp });
    checkPlaces(after, one);
  });
  it.each(Object.entries(orders))("to our sender: %s", async (_title, [later, codes, text]) => {
    const after = await senderAgainst(program, noRules, { options: ["--remove-source-files"], later });
    checkPlaces(after, { lie: {}, codes, message: text });
    expect(readFileSync(join(after.dest, "f"), "latin1")).toBe("some bytes to send");
  });
  it("a directory is not removed as a source when the receiver claims success", async () => {
    const later = framedInts(MessageTag.success, 0);
    const after = await senderAgainst(program, noRules, { options: ["--remove-source-files"], later });
    checkPlaces(after, { lie: {}, codes: [12, 23] });
    expect(existsSync(join(after.dest, "f"))).toBe(true);
  });
});
