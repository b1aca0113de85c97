import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Filters } from "../../../src/filter/mergefiles.ts";
import { FileFlag } from "../../../src/protocol/constants.ts";
import { contextOf, fieldsOf, receiveList, rowsOf, sendList } from "./lists.ts";

let top = "";

beforeAll(() => {
  top = fs.mkdtempSync(join(tmpdir(), "flist-"));
  const put = (path: string, text = "x"): void => {
    fs.mkdirSync(join(top, path, ".."), { recursive: true });
    fs.writeFileSync(join(top, path), text);
  };
  put("src/b", "bb");
  put("src/a/x");
  put("src/a/deep/er/leaf");
  put("src/a.b/f");
  put("src/skip/me");
  put("other/b", "other");
  put("other/a/y");
  fs.mkdirSync(join(top, "src/empty"));
  fs.linkSync(join(top, "src/b"), join(top, "src/a/linked"));
  fs.linkSync(join(top, "src/b"), join(top, "src/zlinked"));
  fs.symlinkSync("a/x", join(top, "src/link"));
  fs.symlinkSync("../other", join(top, "src/outside"));
  fs.symlinkSync("nowhere", join(top, "src/dangling"));
  fs.utimesSync(join(top, "src/b"), 5, 1234567890);
});

afterAll(() => fs.rmSync(top, { recursive: true }));

const ALL = [
  ".", "b", "dangling", "link", "outside", "zlinked", "a.b/", "a/", "empty/", "skip/", "a.b/f", "a/linked", "a/x",
    "a/deep/",
  "a/deep/er/", "a/deep/er/leaf", "skip/me",
];

describe.each([[27, false], [28, false], [29, false], [30, false], [30, true], [31, true], [32, false], [32, true]])(
  "a tree sent with protocol %i, incremental %s", (version, inc) => {
    const context = contextOf(version, inc);
    const fields = fieldsOf({ preserveHardLinks: true, checksumLength: 4 });

    test("arrives row for row, in chunks of any size", () => {
      const sent = sendList(top, ["src/"], context, fields);
      expect(sent.lines).toEqual([]);
      const names = rowsOf(sent.view).map((row) => row.split(" ")[1].replace("./", ".")).sort();
      expect(names).toEqual([...ALL].sort());
      for (const chunk of [1e9, 1, 7]) {
        const got = receiveList(sent.bytes, context, fields, {}, chunk);
        expect(rowsOf(got.view)).toEqual(rowsOf(sent.view));
      }
      sent.sender.close();
      expect(sent.fs.open.size).toBe(0);
    });

    test("keeps sizes, times, targets, digests and groups of links", () => {
      const { bytes } = sendList(top, ["src/"], context, fields);
      const { view } = receiveList(bytes, context, fields);
      const groups: number[] = [];
      for (let list = view.first; list !== null; list = list.next) {
        for (let row = 0; row < list.used; row++) {
          const base = list.basename(row);
          if (base === "link") expect(list.linkTarget(row)).toBe("a/x");
          if (!["b", "linked", "zlinked"].includes(base)) continue;
          expect([list.size[row], list.mtime[row]]).toEqual([2, 1234567890]);
          expect(list.memory.u8[list.extra.checksum![row]]).toBe(2);
          expect(list.flags[row] & FileFlag.hlinked).toBe(FileFlag.hlinked);
          groups.push(list.extra.hlink![row]);
        }
      }
      expect(groups.length).toBe(3);
      expect(new Set(groups).size).toBe(1);
    });
  });

describe("what arguments name", () => {
  const rows = (args: string[], options = {}, inc = true): string[] => {
    const relative = (options as { relative?: boolean }).relative === true;
    const context = contextOf(32, inc);
    const fields = fieldsOf({ relativePaths: relative });
    const sent = sendList(top, args, context, fields, options);
    expect(sent.lines).toEqual([]);
    return rowsOf(receiveList(sent.bytes, context, fields, { relative }).view).map((row) => row.split(" ")[1]);
  };

  test("a directory without a slash keeps its name", () => {
    expect(rows(["src/a"])).toEqual(["a/", "a/linked", "a/x", "a/deep/", "a/deep/er/", "a/deep/er/leaf"]);
    expect(rows(["src/a/deep/.."]).slice(0, 3)).toEqual(["./", "linked", "x"]);
  });

  test("--relative sends the directories on the way", () => {
    expect(rows(["src/a/deep/er"], { relative: true }))
      .toEqual(["src/", "src/a/", "src/a/deep/", "src/a/deep/er/", "src/a/deep/er/leaf"]);
    expect(rows(["src/./a/deep", "src/./a/x", "src/./b"], { relative: true }))
      .toEqual(["b", "a/", "a/x", "a/deep/", "a/deep/er/", "a/deep/er/leaf"]);
    expect(rows(["src/a/x", "src/a.b/f"], { relative: true }, false))
      .toEqual(["src/", "src/a.b/", "src/a.b/f", "src/a/", "src/a/x"]);
  });

  test("the same name from two roots arrives once, both contents merged", () => {
    expect(rows(["src/a", "other/a", "other/b", "src/b"]))
      .toEqual(["b", "-", "a/", "-", "a/linked", "a/x", "a/y", "a/deep/", "a/deep/er/", "a/deep/er/leaf"]);
  });

  test("without -r directories are skipped, with -d and a slash listed", () => {
    const context = contextOf(32, false);
    const sent = sendList(top, ["src", "src/b"], context, fieldsOf(), { recurse: false, dirs: false });
    expect(sent.lines).toEqual(["info skipping directory src"]);
    expect(rows(["src/a/"], { recurse: false }, false)).toEqual(["./", "linked", "x", "deep/"]);
    expect(rows(["src/a"], { recurse: false }, false)).toEqual(["a/"]);
  });

  test("a row knows the root it came from", () => {
    const { sender, view } = sendList(top, ["src/b", "other/a"], contextOf(32, true), fieldsOf());
    const paths: string[] = [];
    for (let list = view.first; list !== null; list = list.next) {
      for (let row = 0; row < list.used; row++) paths.push(sender.fullName(list, row));
    }
    expect(paths).toEqual([`"${top}/src/b"`, `"${top}/other/a"`, `"${top}/other/a/y"`]);
  });
});

describe("trouble on the way", () => {
  test("missing arguments are reported, ignored, or sent as such", () => {
    const context = contextOf(31, false);
    const sent = sendList(top, ["src/none", "src/b"], context, fieldsOf());
    expect(sent.lines).toEqual([`sys link_stat "${top}/src/none" failed 2`]);
    expect(sent.sender.ioError).toBe(0);
    expect(sendList(top, ["src/none"], context, fieldsOf(), { missingArgs: 1 }).lines).toEqual([]);
    const kept = sendList(top, ["src/none"], context, fieldsOf(), { missingArgs: 2 });
    const got = receiveList(kept.bytes, context, fieldsOf(), { deleteMissingArgs: true });
    expect([rowsOf(got.view), got.view.first!.mode[0]]).toEqual([["0 none"], 0]);
  });

  test("a missing start directory raises io_error, which reaches the receiver", () => {
    for (const version of [27, 31, 32]) {
      const context = contextOf(version, false);
      const sent = sendList(top, ["nodir/x", "src/b"], context, fieldsOf());
      expect(sent.lines).toEqual([`sys change_dir "${top}/nodir" failed 2`]);
      expect(receiveList(sent.bytes, context, fieldsOf()).receiver.ioError).toBe(1);
    }
  });

  test("symlinks without referent are named when they would be followed", () => {
    const sent = sendList(top, ["src/"], contextOf(32, false), fieldsOf(), { copyLinks: true });
    expect(sent.lines).toEqual([`error symlink has no referent: "${top}/src/dangling"`]);
    expect(rowsOf(sent.view).filter((row) => row.includes("outside"))).toHaveLength(4);
  });

  test("links that leave the tree are copied with --copy-unsafe-links only", () => {
    const sent = sendList(top, ["src/"], contextOf(32, false), fieldsOf(), { copyUnsafeLinks: true });
    expect(sent.lines).toEqual([`detail symsafe copying unsafe symlink "outside" -> "../other"`]);
    expect(rowsOf(sent.view).some((row) => row.endsWith("outside/a/y"))).toBe(true);
  });

  test("\"..\" may not be part of what --relative sends", () => {
    expect(() => sendList(top, ["src/../src"], contextOf(32, false), fieldsOf(), { relative: true }))
      .toThrow('found ".." dir in relative path');
  });
});

test("filters hide names and whole directories", () => {
  const filters = new Filters({
    amSender: true, amServer: false, localServer: true, deleteMode: false, deleteExcluded: false, pruneEmptyDirs: false,
    cvsExclude: false, from0: false, cwd: top, home: null, cvsIgnore: null, readFile: () => -2, strerror: () => "",
    error: () => {}, debug: null, who: "sender",
  });
  filters.addArguments([{ kind: "exclude", value: "skip/" }, { kind: "exclude", value: "/src/a/deep" },
    { kind: "exclude", value: "*link*" }]);
  const { view } = sendList(top, ["src"], contextOf(32, true), fieldsOf(), {}, filters);
  expect(rowsOf(view).map((row) => row.split(" ")[1])).toEqual([
    "src/", "src/b", "src/dangling", "src/outside", "src/a.b/", "src/a/", "src/empty/", "src/a.b/f", "src/a/x",
  ]);
});
