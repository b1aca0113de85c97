import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/errors.ts";
import { FlistEntryWriter, WireEntry } from "../../../src/protocol/flistentry.ts";
import { Ndx, FileFlag } from "../../../src/protocol/constants.ts";
import { Writer } from "../../../src/protocol/cursor.ts";
import { NdxWriter } from "../../../src/protocol/ndx.ts";
import type { FlistFields, ProtocolContext } from "../../../src/protocol/context.ts";
import { contextOf, fieldsOf, receiveList, rowsOf } from "./lists.ts";

interface Item {
  name: string;
  mode?: number;
  topDir?: boolean;
  noContentDir?: boolean;
  hlinkNdx?: number;
  uid?: number;
}

/** A peer that sends what it is told: segments of items, each behind the directory number it is announced for. */
class Peer {
  readonly out = new Writer();
  private readonly writer: FlistEntryWriter;
  private readonly ndx: NdxWriter;
  private readonly entry = new WireEntry();

  constructor(context: ProtocolContext, fields: FlistFields) {
    this.writer = new FlistEntryWriter(context, fields, { user: (id) => `user${id}`, group: () => null });
    this.ndx = new NdxWriter(context.version);
  }

  list(items: (Item | string)[], ndxStart = 1): this {
    for (const item of items) this.item(typeof item === "string" ? { name: item } : item, ndxStart);
    this.writer.end(this.out, 0);
    return this;
  }

  announce(dirNdx: number): this {
    this.ndx.write(this.out, Ndx.flistOffset - dirNdx);
    return this;
  }

  eof(): Uint8Array {
    this.ndx.write(this.out, Ndx.flistEof);
    return this.out.view().slice();
  }

  private item(item: Item, ndxStart: number): void {
    const { entry } = this;
    const isDir = item.name.endsWith("/");
    const name = isDir ? item.name.slice(0, -1) : item.name;
    for (let i = 0; i < name.length; i++) entry.name[i] = name.charCodeAt(i);
    entry.nameLength = name.length;
    entry.mode = item.mode ?? (isDir ? 0o40755 : 0o100644);
    entry.topDir = item.topDir ?? false;
    entry.noContentDir = item.noContentDir ?? false;
    entry.uid = item.uid ?? 0;
    entry.hlinked = item.hlinkNdx !== undefined;
    entry.hlinkNdx = item.hlinkNdx ?? -1;
    this.writer.write(this.out, entry, ndxStart);
  }
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.label} ${error.exitCode}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

const INC = contextOf(32, true);
const FLAT = { ...contextOf(32, false), id0Names: false };
const PLAIN = fieldsOf({ numericIds: true });

function receiveFlat(items: (Item | string)[], relative = false): string[] {
  const bytes = new Peer(FLAT, PLAIN).list(items, 0).out.view();
  return rowsOf(receiveList(bytes, FLAT, PLAIN, { relative }).view).map((row) => row.split(" ").slice(1).join(" "));
}

describe("names from a peer", () => {
  test.each(["/etc/passwd", "../x", "a/../../x", "a/..", "..", "//", "//x"])("%j is refused", (name) => {
    expect(refusal(() => receiveFlat([name]))).toMatch(/^flist-name 4: ABORTING due to unsafe pathname from sender/);
  });

  test.each(["../x", "/a/../b"])("%j is refused with --relative too", (name) => {
    expect(refusal(() => receiveFlat([name], true))).toMatch(/^flist-name 4/);
  });

  test("are cleaned where that is harmless", () => {
    expect(receiveFlat(["a//b", "./c", "d/./e", "f/", "...", "..g", "h..", " "]))
      .toEqual([" ", "...", "..g", "c", "h..", "f/", "a/b", "d/e"].sort((x, y) => order(x) - order(y)));
  });

  test("lose a leading slash with --relative", () => {
    expect(receiveFlat(["/x/y", "/x/"], true)).toEqual(["x/", "x/y"]);
  });

  test("the root has to be a directory", () => {
    expect(refusal(() => receiveFlat([{ name: ".", mode: 0o100644 }])))
      .toMatch(/^flist-mode 2: ERROR: rejecting non-directory transfer-root/);
    expect(receiveFlat(["./", "x"])).toEqual(["./", "x"]);
  });

  test("can be checked against what was asked for", () => {
    const bytes = new Peer(FLAT, PLAIN).list(["./", "ok", "d/"], 0).out.view();
    const seen: [string, boolean][] = [];
    receiveList(bytes, FLAT, PLAIN, { accept: (path, isDir) => void seen.push([path, isDir]) });
    expect(seen).toEqual([["ok", false], ["d", true]]);
  });
});

/** Position of a name in the expected order above. */
function order(name: string): number {
  return [" ", "...", "..g", "c", "h..", "a/b", "d/e", "f/"].indexOf(name);
}

describe("segments of incremental recursion", () => {
  const first = (): Peer => new Peer(INC, PLAIN).list([{ name: "./", topDir: true }, "a/", "b/", "f"]);

  test("hold the contents of the directory they were announced for", () => {
    const bytes = first().announce(1).list(["a/x", "a/s/"], 6).announce(3).list(["a/s/y"], 9).eof();
    const { segments, view } = receiveList(bytes, INC, PLAIN);
    expect(rowsOf(view)).toEqual(["1 ./", "2 f", "3 a/", "4 b/", "6 a/x", "7 a/s/", "9 a/s/y"]);
    expect([view.first!.parentNdx, view.first!.next!.parentNdx, segments.last!.parentNdx]).toEqual([0, 1, 3]);
    expect(segments.dirList.flags[1] & FileFlag.gotDirFlist).toBe(FileFlag.gotDirFlist);
  });

  test.each<[string, (peer: Peer) => Uint8Array, RegExp]>([
    ["a name outside the directory", (peer) => peer.announce(1).list(["b/x"], 6).eof(),
      /^flist-name 4: ABORTING due to invalid path from sender: b\/x/],
    ["a name at the top", (peer) => peer.announce(1).list(["x"], 6).eof(),
      /^flist-name 4: ABORTING due to invalid path/],
    ["an unknown directory", (peer) => peer.announce(9).list([], 6).eof(),
      /^flist-dir-ndx 2: refusing invalid dir_ndx 9 >= 3/],
    ["a directory twice", (peer) => peer.announce(1).list([], 6).announce(1).list([], 7).eof(),
      /^flist-dir-ndx 2: refusing malicious duplicate flist for dir 1/],
  ])("%s is refused", (_what, build, message) => {
    expect(refusal(() => receiveList(build(first()), INC, PLAIN))).toMatch(message);
  });

  test("a directory dropped as a duplicate gets none", () => {
    const bytes = new Peer(INC, PLAIN).list([{ name: "./", topDir: true }, "a/", "a/"]).announce(2).list(["a/x"],
      5).eof();
    expect(refusal(() => receiveList(bytes, INC, PLAIN))).toMatch(/refusing flist for cleared dir_ndx 2/);
  });

  test("nothing is taken before it is announced", () => {
    const { receiver } = receiveList(first().eof(), INC, PLAIN);
    expect(() => receiver.feed({ pos: 0 } as never)).toThrow("a file list that was not announced");
  });
});

test("directory flags say what belongs to the transfer", () => {
  const { topDir, contentDir, impliedDir } = FileFlag;
  const items = [
    { name: "top/", topDir: true }, "top/in/", { name: "way/", topDir: true, noContentDir: true }, { name: "other/",
      noContentDir: true },
  ];
  const { view } = receiveList(new Peer(FLAT, PLAIN).list(items, 0).out.view(), FLAT, PLAIN);
  const flags = (name: string): number => {
    const list = view.first!;
    for (let row = 0; row < list.used; row++) if (list.path(row) === name) return list.flags[row];
    return -1;
  };
  expect([flags("top"), flags("top/in"), flags("way"), flags("other")])
    .toEqual([topDir | contentDir, contentDir, impliedDir, 0]);
});

test("old protocols mark what lies below a root", () => {
  const context = contextOf(29, false);
  const peer = new Peer(context, PLAIN).list([{ name: "d/", topDir: true }, "d/s/", "e/"], 0);
  peer.out.i32le(2);
  const { receiver, view } = receiveList(peer.out.view(), context, PLAIN);
  const list = view.first!;
  expect(Array.from({ length: 3 }, (_, row) => `${list.path(row)} ${list.flags[row]}`))
    .toEqual(["d 5", "d/s 4", "e 4"]);
  expect(receiver.ioError).toBe(2);
});

test("abbreviated hard links are filled from their first row", () => {
  const fields = fieldsOf({ numericIds: true, preserveHardLinks: true });
  const items = [{ name: "one", hlinkNdx: -1, mode: 0o100600, uid: 12 }, { name: "two", hlinkNdx: 1, mode: 0o100600,
    uid: 12 }];
  const { view } = receiveList(new Peer(INC, fields).list(items).eof(), INC, fields);
  const list = view.first!;
  expect([list.mode[1], list.uid[1], list.extra.hlink![0], list.extra.hlink![1]]).toEqual([0o100600, 12, 1, 1]);
});

test("counts tell files apart", () => {
  const items = ["f", "d/", { name: "l", mode: 0o120777 }, { name: "p", mode: 0o10600 }, { name: "c", mode: 0o20600 }];
  const fields = fieldsOf({ numericIds: true, preserveLinks: false, preserveSpecials: false, preserveDevices: false });
  const { receiver } = receiveList(new Peer(FLAT, fields).list(items, 0).out.view(), FLAT, fields);
  expect(receiver.counts)
    .toEqual({ numFiles: 5, numDirs: 1, numLinks: 1, numDevices: 1, numSpecials: 1, totalSize: 0 });
});
