import { describe, expect, test } from "vitest";
import { bytesOf } from "../../../src/memory.ts";
import type { FilterOption, FilterSettings } from "../../../src/filter/filtersettings.ts";
import { Filters } from "../../../src/filter/mergefiles.ts";

function filtersOf(options: FilterOption[], changes: Partial<FilterSettings> = {}, files: Record<string,
  string> = {}): Filters {
  const filters = new Filters({
    amSender: true, amServer: false, localServer: false, deleteMode: false, deleteExcluded: false,
      pruneEmptyDirs: false,
    cvsExclude: false, from0: false, cwd: "/top/src", home: "/home/joe", cvsIgnore: null,
    readFile: (path) => (files[path] === undefined ? -2 : bytesOf(files[path])),
    strerror: () => "No such file or directory", error: () => {}, debug: null, who: "sender", ...changes,
  });
  filters.addArguments(options);
  return filters;
}

const rule = (value: string): FilterOption => ({ kind: "filter", value });
const exclude = (value: string): FilterOption => ({ kind: "exclude", value });

/** Verdicts for paths; a closing slash asks about a directory. */
function verdicts(filters: Filters, ...paths: string[]): number[] {
  return paths.map((path) => (path.endsWith("/") ? filters.check(path.slice(0, -1), true) : filters.check(path,
    false)));
}

describe("what rules match", () => {
  test.each<[string, string[], number[]]>([
    ["foo", ["foo", "a/foo", "afoo", "foo/x"], [-1, -1, 0, 0]],
    ["foo/", ["foo", "foo/", "a/foo/"], [0, -1, -1]],
    ["/foo", ["foo", "a/foo"], [-1, 0]],
    ["foo/bar", ["foo/bar", "a/foo/bar", "xfoo/bar", "bar"], [-1, -1, 0, 0]],
    ["*.o", ["a.o", "d/a.o", "a.o/b"], [-1, -1, 0]],
    ["/*/x", ["a/x", "a/b/x"], [-1, 0]],
    ["d/**", ["d/a", "d/a/b", "x/d/a", "d/"], [-1, -1, -1, 0]],
    ["d/***", ["d/a", "d/", "d"], [-1, -1, 0]],
    ["**/x", ["x", "a/x", "a/b/x"], [-1, -1, -1]],
    ["a**b", ["ab", "a/x/b", "x/a/b", "xa/b"], [-1, -1, -1, 0]],
    ["[ab]?", ["ax", "cx"], [-1, 0]],
  ])("%j", (pattern, paths, expected) => {
    expect(verdicts(filtersOf([exclude(pattern)]), ...paths)).toEqual(expected);
  });

  test("the first match decides", () => {
    const filters = filtersOf([{ kind: "include", value: "keep.o" }, exclude("*.o"), rule("+ *.c")]);
    expect(verdicts(filters, "keep.o", "x.o", "x.c", "x.h")).toEqual([1, -1, 1, 0]);
  });

  test("negation, absolute paths and clearing", () => {
    expect(verdicts(filtersOf([rule("-! *.c")]), "a.c", "a.h")).toEqual([0, -1]);
    expect(verdicts(filtersOf([rule("-/ /top/src/x")]), "x", "y/x")).toEqual([-1, 0]);
    expect(verdicts(filtersOf([exclude("a"), exclude("!"), exclude("b")]), "a", "b")).toEqual([0, -1]);
  });

  test("ten thousand rules give the verdicts of a scan, quickly", () => {
    const options = [rule("+ special*")];
    for (let i = 0; i < 5000; i++) options.push(exclude(i % 3 === 0 ? `/dir/name${i}` : `name${i}`),
      rule(`+ *.ext${i}`));
    options.push(rule("- name7"), rule("- *x"), rule("+ */odd/*"));
    const filters = filtersOf(options);
    const start = performance.now();
    for (let i = 0; i < 20000; i++) filters.check(`dir/other${i}`, false);
    expect(performance.now() - start).toBeLessThan(1500);
    expect(verdicts(filters, "a/name7", "name3", "dir/name3", "q.ext9", "special.ext9", "special1", "name1.ext4",
      "boxx", "a/odd/b"))
      .toEqual([-1, 0, -1, 1, 1, 1, 1, -1, 1]);
  });
});

describe("a long list's tables", () => {
  const letters = ["a", "b", "ab", "*", "?", "[ab]", "**", "\\\\a", "x"];
  const pick = <T>(list: readonly T[], at: number): T => list[at % list.length];
  /** A pattern made of a few parts, the same for the same number. */
  const patternOf = (n: number): string => {
    const parts = Array.from({ length: 1 + (n >> 3) % 3 }, (_, at) =>
      pick(letters, n * 7 + at * 5 + (n >> (at + 2))) + pick(letters, n * 3 + at));
    return `${n % 5 === 0 ? "/" : ""}${parts.join("/")}${n % 7 === 0 ? "/" : ""}${n % 11 === 0 ? "/***" : ""}`;
  };

  test("give the verdict of the rules one by one", () => {
    const names = Array.from({ length: 3000 }, (_, n) =>
      Array.from({ length: 1 + (n % 3) }, (_part, at) => pick(["a", "b", "ab", "aab", "xa", "bx", "abx"], n * 5 + at * 3
        + (n >> 4))).join("/"));
    for (let seed = 0; seed < 20; seed++) {
      const rules = Array.from({ length: 40 }, (_, at) => rule(`${(at + seed) % 3 === 0 ? "+" : "-"} ${
        patternOf(seed * 131 + at * 17)}`));
      const together = filtersOf(rules);
      const single = rules.map((one) => filtersOf([one]));
      for (const [at, name] of names.entries()) {
        const isDir = at % 4 === 0;
        const first = single.map((filters) => filters.check(name, isDir)).find((verdict) => verdict !== 0) ?? 0;
        if (together.check(name, isDir) !== first) expect({ seed, name, isDir }).toBeNull();
      }
    }
  });
});

describe("files of rules", () => {
  test("lines, comments and both line endings", () => {
    const files = { "/top/src/list": "# no\n; no\n\na\r\nb\rc" };
    const filters = filtersOf([{ kind: "exclude-from", value: "list" }], {}, files);
    expect(filters.list.rules.map((r) => r.pattern)).toEqual(["a", "b", "c"]);
  });

  test("NUL ends lines with --from0", () => {
    const files = { "/top/src/list": "a\nb\0- c\0" };
    const filters = filtersOf([{ kind: "include-from", value: "list", from0: true }], { from0: true }, files);
    expect(filters.list.rules.map((r) => r.pattern)).toEqual(["a\nb", "c"]);
    expect(verdicts(filters, "a\nb", "c")).toEqual([1, -1]);
  });

  test("what a file says is not shown, only where it stands", () => {
    const bad = (files: Record<string, string>, value: string) => (): unknown => filtersOf([rule(value)], {}, files);
    expect(bad({ "/top/src/a": "secret" }, ". a")).toThrow("Unknown filter rule: <rule from a line 1>");
    const named = { "/top/src/a": "# .\n. /b", "/b": "secret" };
    expect(bad(named, ". a")).toThrow("<rule from a file named at a line 2>");
    const filters = filtersOf([rule(": .merge")], {}, { "/top/src/.merge": ": b", "/top/src/b": "secret" });
    expect(() => filters.push(".")).toThrow("<rule from a file read earlier>");
  });

  test("a file that merges itself is read to a depth of 32", () => {
    const filters = filtersOf([rule(": .merge")], {}, { "/top/src/.merge": ". .merge" });
    expect(() => filters.push(".")).toThrow("merge-file include depth limit (32) exceeded");
  });

  test("a missing one ends the run, a per-directory one does not", () => {
    expect(() => filtersOf([{ kind: "exclude-from", value: "none" }]))
      .toThrow("failed to open exclude file none: No such file or directory (2)");
    expect(() => filtersOf([rule(". none")])).toThrow("failed to open exclude file none");
    const filters = filtersOf([rule(": none")]);
    filters.push(".");
    expect(filters.check("x", false)).toBe(0);
  });

  test("merging is bounded", () => {
    expect(() => filtersOf([rule(". /f")], {}, { "/f": ". /f" }))
      .toThrow("merge-file include depth limit (32) exceeded");
  });

  test("a directory's rules come first, are inherited, and go with it", () => {
    const files = { "/top/src/.r": "- *.c\n", "/top/src/d/.r": "+ keep.c\n- /anchored\n", "/top/src/d/e/.r": "!\n" };
    const filters = filtersOf([rule(": .r")], {}, files);
    const top = filters.push(".");
    expect(verdicts(filters, "x.c", "keep.c")).toEqual([-1, -1]);
    const inner = filters.push("d");
    expect(verdicts(filters, "d/x.c", "d/keep.c", "d/anchored", "d/f/anchored")).toEqual([-1, 1, -1, 0]);
    const deep = filters.push("d/e");
    expect(verdicts(filters, "d/e/x.c", "d/e/keep.c")).toEqual([0, 0]);
    filters.pop(deep);
    expect(verdicts(filters, "d/x.c", "d/keep.c")).toEqual([-1, 1]);
    filters.pop(inner);
    expect(verdicts(filters, "keep.c", "anchored")).toEqual([-1, 0]);
    filters.pop(top);
    expect(verdicts(filters, "x.c")).toEqual([0]);
  });

  test("without inheritance, with its own name excluded, and by depth", () => {
    const files = { "/top/src/.r": "- a\n", "/top/src/d/.r": "- b\n" };
    const filters = filtersOf([rule(":ne .r")], {}, files);
    filters.changeDir(".", 0);
    filters.changeDir("d", 1);
    expect(verdicts(filters, "d/a", "d/b", "d/.r")).toEqual([0, -1, -1]);
    filters.changeDir("e", 1);
    expect(verdicts(filters, "e/a", "e/b")).toEqual([0, 0]);
    filters.changeDir(null, 0);
    expect(verdicts(filters, "a")).toEqual([0]);
  });

  test("-F looks in the parents of the transfer too", () => {
    const files = { "/.rsync-filter": "- one\n", "/top/.rsync-filter": "- two\n",
      "/top/src/.rsync-filter": "- three\n" };
    const words = [": /.rsync-filter", "- .rsync-filter"].map((value) => ({ kind: "filter", value }) as const);
    const filters = filtersOf(words, {}, files);
    filters.push(".");
    expect(verdicts(filters, "one", "two", "three", ".rsync-filter")).toEqual([-1, -1, -1, -1]);
  });
});

describe("where rules come from", () => {
  test("each decision is told with the rule as written, its option or its file and line", () => {
    const told: unknown[] = [];
    const files = { "/top/list": "# none\n\n*.o\n", "/top/src/.rules": "- *.tmp\n", "/home/joe/.cvsignore": "mine\n" };
    const filters = filtersOf([
      exclude("*.bak"), { kind: "exclude-from", value: "/top/list" }, rule(": .rules"),
      { kind: "filter", value: "P kept", impliedBy: "--backup" },
    ], { cvsExclude: true, judged: (name, isDir, { origin }) => told.push([name, isDir, origin]) }, files);
    filters.sendList();
    filters.push(".");
    const names = ["a.bak", "a.o", "a.tmp", "mine", "core", "none"];
    expect(verdicts(filters, ...names)).toEqual([-1, -1, -1, -1, -1, 0]);
    const given = { file: null, line: -1 };
    expect(told).toEqual([
      ["a.bak", false, { text: "*.bak", ...given, given: "--exclude" }],
      ["a.o", false, { text: "*.o", file: "/top/list", line: 3, given: null }],
      ["a.tmp", false, { text: "- *.tmp", file: "/top/src/.rules", line: 1, given: null }],
      ["mine", false, { text: "mine", file: "/home/joe/.cvsignore", line: -1, given: null }],
      ["core", false, { text: "core", ...given, given: "--cvs-exclude" }],
    ]);
    expect(filters.peerRule("kept", false)!.origin).toMatchObject({ text: "P kept", given: "--backup" });
    expect(filters.peerRule("none", false)).toBeNull();
  });
});

describe("sharing rules", () => {
  test("a client spells them for the server", () => {
    const filters = filtersOf([exclude("*.o"), rule("+ dir/"), rule("H hidden"), rule("P kept"), rule(":w .r")],
      { amSender: false });
    expect(filters.sendList()).toEqual(["- *.o", "+ dir/", "-s hidden", ":w .r"]);
    expect(verdicts(filters, "hidden", "kept")).toEqual([0, -1]);
  });

  test("a sending client sends only what a deleting receiver needs", () => {
    expect(filtersOf([exclude("x")]).sendList()).toBeNull();
    const filters = filtersOf([exclude("x"), rule("H hidden"), rule("P kept")], { deleteMode: true });
    expect(filters.sendList()).toEqual(["- x", "-r kept"]);
    expect(verdicts(filters, "hidden", "kept")).toEqual([-1, 0]);
  });

  test("old protocols take no modern rules", () => {
    const filters = filtersOf([rule("-/ x")], { amSender: false });
    filters.version = 28;
    expect(() => filters.sendList()).toThrow("filter rules are too modern for remote rsync.");
    const plain = filtersOf([exclude("x"), rule("+ y")], { amSender: false });
    plain.version = 28;
    expect(plain.sendList()).toEqual(["x", "+ y"]);
  });

  test("-C reaches both sides and its files", () => {
    const files = { "/home/joe/.cvsignore": "mine *.q", "/top/src/.cvsignore": "local" };
    const filters = filtersOf([exclude("z")], { cvsExclude: true, cvsIgnore: "env", deleteMode: true }, files);
    expect(filters.sendList()!.slice(0, 3)).toEqual(["- z", ":C .cvsignore", "-p RCS"]);
    filters.push(".");
    expect(verdicts(filters, "x.o", "mine", "b.q", "env", "local", "CVS/", ".git/", "x.c"))
      .toEqual([-1, -1, -1, -1, -1, -1, -1, 0]);
    filters.ignorePerishable = true;
    expect(verdicts(filters, "x.o", "mine")).toEqual([0, -1]);
  });

  test("a server takes them in", () => {
    const server = filtersOf([], { amServer: true, amSender: true });
    expect(server.expectsList).toBe(true);
    for (const text of ["- *.o", "+ dir/", "-s hidden"]) server.receive(text);
    server.finishReceive();
    expect(verdicts(server, "a.o", "dir/", "hidden")).toEqual([-1, 1, -1]);
    expect(filtersOf([], { amSender: false }).expectsList).toBe(false);
  });
});

test("decisions can be traced", () => {
  const lines: string[] = [];
  const filters = filtersOf([exclude("d/")], { debug: (text) => lines.push(text) });
  expect(filters.isExcluded("d", true, "all")).toBe(true);
  expect(filters.isExcluded("d", true, "server")).toBe(false);
  expect(lines).toEqual(["[sender] hiding directory d because of pattern d/"]);
});
