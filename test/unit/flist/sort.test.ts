import { describe, expect, test } from "vitest";
import { DirNames, FileList } from "../../../src/flist/filelist.ts";
import { cleanList, type CleanOptions, sortAndClean } from "../../../src/flist/clean.ts";
import { compareRows, findRow, hasPrefix } from "../../../src/flist/nameorder.ts";
import { sortList } from "../../../src/flist/sort.ts";
import { FileFlag } from "../../../src/protocol/constants.ts";
import { testMemory } from "./diskfs.ts";

/** A list of paths; a closing slash makes a directory. */
function listOf(paths: readonly string[]): FileList {
  const list = new FileList(testMemory(), new DirNames());
  for (const path of paths) addPath(list, path);
  return list;
}

function addPath(list: FileList, text: string): number {
  const isDir = text.endsWith("/");
  const path = isDir ? text.slice(0, -1) : text;
  const slash = path.lastIndexOf("/");
  const bytes = Uint8Array.from(path, (c) => c.charCodeAt(0));
  const row = list.addRow();
  list.setName(row, bytes, slash + 1, bytes.length);
  list.dir[row] = list.dirs.intern(slash < 0 ? "" : slash === 0 ? "/" : path.slice(0, slash));
  list.mode[row] = isDir ? 0o40755 : 0o100644;
  return row;
}

function pathsOf(list: FileList): string[] {
  return Array.from({ length: list.used }, (_,
    row) => (list.isActive(row) ? list.path(row) + (list.isDir(row) ? "/" : "") : "-"));
}

/** The modern order by its definition: element by element, non-directories first, directories with their slash. */
function reference(a: string, b: string): number {
  const parts = (path: string): string[] => path.replace(/(^|\/)\.\/$/, "$1").match(/[^/]*\/|[^/]+$/g) ?? [];
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x, y] = [left[i] ?? "", right[i] ?? ""];
    if (x === y) continue;
    if (x.endsWith("/") !== y.endsWith("/")) return x.endsWith("/") ? 1 : -1;
    return x < y ? -1 : 1;
  }
  return 0;
}

const TREE = [
  "b/", "a-b/x", "a/", "a.b", "./", "a/b/c/", "a/z", "a-b/", "a/b/", "zz", "a/b/c/d", "a/b.c/", "Z", "\xff",
    "a/b/c.d", "a0/", "n",
];

describe("the order of lists", () => {
  test("since protocol 29 puts files before directories and contents behind their directory", () => {
    const list = listOf(TREE);
    sortList(list, 29);
    expect(pathsOf(list)).toEqual([
      "./", "Z", "a.b", "n", "zz", "\xff", "a-b/", "a-b/x", "a/", "a/z", "a/b.c/", "a/b/", "a/b/c.d", "a/b/c/",
        "a/b/c/d", "a0/", "b/",
    ]);
  });

  test.each([28, 29])("is noted beside the rows where they keep their numbers, protocol %i", (version) => {
    const clean: CleanOptions = {
      version, amSender: false, incRecurse: false, stripRoot: false, pruneEmptyDirs: false, inPlace: true,
    };
    const [sorted, kept] = [listOf([...TREE, "n", "a/z"]), listOf([...TREE, "n", "a/z"])];
    sortAndClean(sorted, { ...clean, inPlace: false });
    sortAndClean(kept, clean);
    expect(pathsOf(kept).slice(0, TREE.length)).toEqual(TREE);
    expect(pathsOf(kept).slice(TREE.length)).toEqual(["-", "-"]);
    const places = Array.from({ length: kept.used }, (_, place) => kept.rowAt(place))
      .filter((row) => kept.isActive(row));
    expect(places.map((row) => kept.path(row))).toEqual(
      Array.from({ length: sorted.used }, (_, row) => row).filter((row) => sorted.isActive(row))
        .map((row) => sorted.path(row)));
    expect([...kept.active!]).toEqual(places);
    expect(kept.path(kept.firstRow)).toBe(".");
    for (const path of TREE) {
      const name = path.replace(/(.)\/$/, "$1");
      const row = findRow(kept, name, path.endsWith("/") ? 1 : 0, version);
      expect(kept.path(row)).toBe(name);
      expect(kept.rowAt(kept.placeOf(row))).toBe(row);
    }
  });

  test("before protocol 29 is that of the plain path bytes", () => {
    const list = listOf(TREE);
    sortList(list, 28);
    expect(pathsOf(list).map((path) => path.replace(/\/$/, ""))).toEqual(
      TREE.map((path) => path.replace(/\/$/, "")).sort((a, b) => (a < b ? -1 : 1)),
    );
  });

  test("agrees with its definition on random trees", () => {
    let seed = 7;
    const random = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % n;
    for (let round = 0; round < 60; round++) {
      const names = new Set<string>();
      for (let i = 0; i < 80; i++) {
        const depth = 1 + random(4);
        const elements = Array.from({ length: depth }, () => "ab.-0/\xffcommon".slice(0,
          5).charAt(random(5)) + "x".repeat(random(9)));
        names.add(elements.join("/") + (random(2) === 0 ? "/" : ""));
      }
      const list = listOf([...names]);
      sortList(list, 32);
      const expected = [...names].sort(reference);
      expect(pathsOf(list)).toEqual(expected);
      for (let row = 1; row < list.used; row++) expect(compareRows(list, row - 1, list, row, 32)).toBeLessThan(0);
      sortAndClean(list, RECEIVER);
      expected.forEach((name, row) => {
        if (!list.isActive(row)) return;
        expect(findRow(list, name.replace(/\/$/, ""), name.endsWith("/") ? 1 : 0, 32)).toBe(row);
        expect(findRow(list, `${name.replace(/\/$/, "")}?`, -1, 32)).toBe(-1);
      });
    }
  });

  test("agrees with its definition in one large directory with long shared prefixes", () => {
    const names = Array.from({ length: 1000 }, (_, i) => `common-prefix-${(i * 7919) % 1000}${i % 3 === 0 ? "/" : ""}`);
    names.push("common-prefix-", "common", "common/");
    const list = listOf(names);
    sortList(list, 32);
    expect(pathsOf(list)).toEqual([...names].sort(reference));
  });

  test("is stable", () => {
    const list = listOf(["b", "a", "b", "a", "b"]);
    for (let row = 0; row < 5; row++) list.size[row] = row;
    sortList(list, 32);
    expect(Array.from(list.size.slice(0, 5))).toEqual([1, 3, 0, 2, 4]);
  });

  test.each([
    ["backwards", []], ["backwards but for the last", ["z9999"]], ["backwards with a twin", ["f0801"]],
  ])("takes rows that come %s, their columns with them", (_how, more) => {
    const backwards = Array.from({ length: 200 }, (_, i) => `f${String(1000 - i).padStart(4, "0")}`);
    const names = [...backwards.map((name, i) => (i % 5 === 0 ? `${name}/` : name)), ...more];
    const directoriesFirst = [...names].sort((a, b) => Number(b.endsWith("/")) - Number(a.endsWith("/")));
    for (const given of [backwards, names, directoriesFirst, [...names].reverse()]) {
      const list = listOf(given);
      given.forEach((name, row) => {
        list.size[row] = Number(name.slice(1).replace("/", ""));
        list.want("atime")[row] = list.size[row] + 0.5;
      });
      sortList(list, 32);
      const sorted = [...given].sort(reference);
      expect(pathsOf(list)).toEqual(sorted);
      const sizes = sorted.map((name) => Number(name.slice(1).replace("/", "")));
      expect(Array.from(list.size.subarray(0, list.used))).toEqual(sizes);
      expect(Array.from(list.want("atime").subarray(0, list.used))).toEqual(sizes.map((size) => size + 0.5));
    }
  });

  test("puts absolute paths where their slash byte belongs", () => {
    const list = listOf(["/b", "a/", "/a/x", "-/", "/a/", "f"]);
    sortList(list, 32);
    expect(pathsOf(list)).toEqual(["f", "-/", "/b", "/a/", "/a/x", "a/"]);
  });
});

const RECEIVER: CleanOptions = { version: 32, amSender: false, incRecurse: false, stripRoot: false,
  pruneEmptyDirs: false };

describe("cleaning", () => {
  test("keeps the first of equal names and numbers stay", () => {
    const list = listOf(["a", "b", "a", "c", "b"]);
    for (let row = 0; row < 5; row++) list.size[row] = row;
    sortAndClean(list, RECEIVER);
    expect(pathsOf(list)).toEqual(["a", "-", "b", "-", "c"]);
    expect([list.low, list.high, list.size[0], list.size[2]]).toEqual([0, 4, 0, 1]);
    expect([findRow(list, "a", 0, 32), findRow(list, "b", 0, 32), findRow(list, "c", 0, 32), findRow(list, "bb", 0,
      32)]).toEqual([0, 2, 4, -1]);
  });

  test("keeps a directory rather than a file of its name", () => {
    const list = listOf(["d", "d/", "d/x", "e"]);
    sortAndClean(list, RECEIVER);
    expect(pathsOf(list)).toEqual(["-", "e", "d/", "d/x"]);
    expect(list.low).toBe(1);
    expect([findRow(list, "d", -1, 32), findRow(list, "d", 0, 32), findRow(list, "d/x", 0, 32)]).toEqual([2, -1, 3]);
  });

  test("merges the flags of equal directories", () => {
    const list = listOf(["d/", "d/"]);
    list.flags[0] = FileFlag.impliedDir;
    list.flags[1] = FileFlag.topDir | FileFlag.contentDir;
    sortAndClean(list, RECEIVER);
    expect(list.flags[0]).toBe(FileFlag.topDir | FileFlag.contentDir);
    expect(list.isActive(1)).toBe(false);
  });

  test("only marks duplicate directories on an incremental sender", () => {
    const list = listOf(["d/", "f", "d/", "f"]);
    sortAndClean(list, { ...RECEIVER, amSender: true, incRecurse: true });
    expect(pathsOf(list)).toEqual(["f", "f", "d/", "d/"]);
    expect(Array.from(list.flags.slice(0, 4))).toEqual([0, 0, 0, FileFlag.duplicate]);
  });

  test("strips leading slashes only after sorting", () => {
    const list = listOf(["b", "/x/y", "/x/", "/z"]);
    sortAndClean(list, { ...RECEIVER, stripRoot: true });
    expect(pathsOf(list)).toEqual(["b", "z", "x/", "x/y"]);
  });

  test("prunes chains of empty directories but keeps hidden ones", () => {
    const paths = ["./", "a/", "a/b/", "a/b/c/", "d/", "d/e/", "d/e/f", "g/", "h/", "h/keep/"];
    const list = listOf(paths);
    sortAndClean(list, { ...RECEIVER, pruneEmptyDirs: true, isExcludedDir: (path) => path === "h/keep" });
    expect(pathsOf(list).filter((path) => path !== "-")).toEqual(["./", "d/", "d/e/", "d/e/f", "h/", "h/keep/"]);
    expect(findRow(list, "d/e/f", 0, 32)).toBe(paths.indexOf("d/e/f"));
    expect(findRow(list, "a/b", 1, 32)).toBe(-1);
  });

  test("stays fast when every directory doubles a file", () => {
    const paths: string[] = [];
    for (let i = 0; i < 20000; i++) paths.push(`n${i}`, `n${i}/`);
    const list = listOf(paths);
    const start = performance.now();
    sortAndClean(list, RECEIVER);
    expect(performance.now() - start).toBeLessThan(3000);
    expect(pathsOf(list).filter((path) => path === "-").length).toBe(20000);
  });

  test("leaves an empty list alone", () => {
    const list = listOf([]);
    cleanList(list, RECEIVER);
    expect([list.low, list.high, findRow(list, "x", -1, 32)]).toEqual([0, -1, -1]);
  });
});

test("hasPrefix matches whole elements only", () => {
  const list = listOf(["p/foo/", "p/foobar", "p/foo/x"]);
  expect([hasPrefix(list, 1, 0), hasPrefix(list, 2, 0), hasPrefix(list, 0, 0)]).toEqual([false, true, true]);
});
