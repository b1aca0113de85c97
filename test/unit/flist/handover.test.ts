import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FileList } from "../../../src/flist/filelist.ts";
import type { FlistFields } from "../../../src/protocol/context.ts";
import { IoError } from "../../../src/protocol/constants.ts";
import { contextOf, fieldsOf, receiveList, type ReceivedList, sendList } from "./lists.ts";

let top = "";
let count = 0;

beforeAll(() => {
  top = fs.mkdtempSync(join(tmpdir(), "handover-"));
});
afterAll(() => fs.rmSync(top, { recursive: true }));

const context = contextOf(32, true);

/** Everything that a receiver's list says of a row, addresses replaced by what is there. */
function rowOf(list: FileList, row: number): unknown[] {
  const { rdevMajor, rdevMinor, atime, dirNdx } = list.extra;
  return [
    list.ndxStart + row, list.isActive(row) ? list.path(row) : "-", list.dir[row], list.mode[row], list.size[row],
    list.mtime[row], list.mtimeNsec[row], list.uid[row], list.gid[row], list.flags[row], list.linkTarget(row),
    rdevMajor?.[row] ?? 0, rdevMinor?.[row] ?? 0, atime?.[row] ?? 0, dirNdx?.[row] ?? -1,
  ];
}

function everything({ receiver, segments, view }: ReceivedList): unknown[] {
  const all: unknown[] = [{ ...receiver.counts }, receiver.ioError, segments.dirs.names];
  const lists: FileList[] = [segments.dirList];
  for (let list = view.first; list !== null; list = list.next) lists.push(list);
  for (const list of lists) {
    all.push([list.parentNdx, list.low, list.high, list.active && [...list.active]]);
    for (let row = 0; row < list.used; row++) all.push(rowOf(list, row));
  }
  return all;
}

/** Sends `args` and expects the same list from the bytes and from the sender's rows. Returns it. */
function compare(args: string[], changes: Partial<FlistFields> = {}, options = {}): unknown[] {
  const fields = fieldsOf(changes);
  const sent = sendList(top, args, context, fields, options);
  const decoded = everything(receiveList(sent.bytes, context, fields));
  expect(everything(receiveList(sent.bytes, context, fields, {}, 1e9, sent.lists))).toEqual(decoded);
  expect(sent.lists.next).toBe(null);
  return decoded;
}

type Tree = { [name: string]: Tree | string | null };

/** A string is a file's contents, or with "->" in front a symlink's target; null a fifo's place, left empty. */
function make(path: string, tree: Tree): void {
  fs.mkdirSync(path, { recursive: true });
  for (const [name, node] of Object.entries(tree)) {
    const at = join(path, name);
    if (node === null) fs.mkdirSync(at);
    else if (typeof node !== "string") make(at, node);
    else if (node.startsWith("->")) fs.symlinkSync(node.slice(2), at);
    else fs.writeFileSync(at, node);
    if (typeof node === "string" && !node.startsWith("->")) fs.chmodSync(at, 0o600 + node.length);
  }
}

describe("a list taken from its sender is the one that its bytes would have made", () => {
  test("files, directories, symlinks, devices", () => {
    make(join(top, "kinds"), { a: "1", "a.b": "22", sub: { x: "333", deep: { y: "" } }, l: "->a", empty: null });
    const rows = compare(["kinds/", "/dev/null", "/dev/tty"]);
    expect(rows.length).toBeGreaterThan(10);
    compare(["kinds"], { preserveLinks: false, preserveUid: false, preserveGid: false, preserveDevices: false });
    compare(["kinds", "/dev/null"], { preserveDevices: false });
    compare(["kinds", "/dev/null"], { preserveAtimes: true }, { preserveAtimes: true });
    compare(["kinds"], { numericIds: true });
  });

  test("names that come twice, as files and as directories", () => {
    make(join(top, "one"), { same: "1", both: { a: "1", inner: { x: "" } }, kind: { z: "" } });
    make(join(top, "two"), { same: "22", both: { a: "2", b: "3", inner: { y: "" } }, kind: "a file" });
    const rows = compare(["one/", "two/"]);
    expect(rows.filter((row) => Array.isArray(row) && row[1] === "-").length).toBeGreaterThan(2);
    compare(["one", "one", "two/both", "one/both"]);
    compare(["two/", "one/"]);
  });

  test("a directory that cannot be read", () => {
    make(join(top, "gone"), { a: { b: "1" }, link: "->nowhere" });
    const rows = compare(["gone/", "gone/nothere"], {}, { copyLinks: true });
    expect(rows[1]).toBe(IoError.general);
  });

  test("any tree", () => {
    const name = fc.stringMatching(/^[a-c.]{1,3}$/).filter((text) => text !== "." && text !== "..");
    const { tree } = fc.letrec<{ tree: Tree; node: Tree[string] }>((tie) => ({
      node: fc.oneof(
        { depthSize: "small" }, fc.string({ maxLength: 9 }).map((text) => text.replaceAll("->", "")),
        fc.constant("->a/b"), fc.constant(null), tie("tree"),
      ),
      tree: fc.dictionary(name, tie("node"), { maxKeys: 5, noNullPrototype: true }),
    }));
    fc.assert(fc.property(tree, tree, (one, two) => {
      const at = `any${count++}`;
      make(join(top, at, "p"), one);
      make(join(top, at, "q"), two);
      compare([`${at}/p/`, `${at}/q/`]);
      compare([`${at}/p`, `${at}/q/`, `${at}/p/`]);
    }), { numRuns: 40, seed: 7 });
  });
});
