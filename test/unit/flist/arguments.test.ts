import { describe, expect, test } from "vitest";
import { parseArgument } from "../../../src/flist/arguments.ts";
import { isUnsafeSymlink, quotedPath } from "../../../src/flist/makefile.ts";

function parts(arg: string, relative = false): [string | null, string, string] {
  const { dir, path, kind } = parseArgument(arg, relative);
  return [dir, path, kind];
}

describe("source arguments", () => {
  test.each<[string, [string | null, string, string]]>([
    ["a", [null, "a", "normal"]], ["d/a", ["d", "a", "normal"]], ["d/", ["d", ".", "dotdir"]],
    ["/", ["/", ".", "dotdir"]],
    ["", [null, ".", "dotdir"]], [".", [null, ".", "dotdir"]], ["./", [null, ".", "dotdir"]],
    ["..", ["..", ".", "dotdir"]],
    ["d/..", ["d/..", ".", "dotdir"]], ["d/.", ["d", ".", "dotdir"]], ["/a", ["/", "a", "normal"]],
    ["d/e/.x", ["d/e", ".x", "normal"]],
  ])("%j", (arg, expected) => {
    expect(parts(arg)).toEqual(expected);
  });

  test.each<[string, [string | null, string, string]]>([
    ["d/a", [null, "d/a", "normal"]], ["d//a/", [null, "d/a", "slash"]], ["x/./d/a", ["x", "d/a", "normal"]],
    ["/./a", ["/", "a", "normal"]],
    ["x/./", ["x", ".", "dotdir"]], ["/", [null, "/.", "dotdir"]], ["/a/b", [null, "/a/b", "normal"]],
    [".", [null, ".", "dotdir"]],
    ["d/.", [null, "d", "slash"]],
  ])("%j with --relative", (arg, expected) => {
    expect(parts(arg, true)).toEqual(expected);
  });

  test("a leading ./ and a .. are noticed with --relative", () => {
    expect([parseArgument("./a", true).leadingDot, parseArgument("a", true).leadingDot]).toEqual([true, false]);
    expect(() => parseArgument("a/../b", true)).toThrow('found ".." dir in relative path: a/../b');
    expect(parts("../x/./b", true)).toEqual(["../x", "b", "normal"]);
  });
});

test.each<[string, string, boolean]>([
  ["a", "d/link", false], ["../a", "d/link", false], ["../a", "link", true], ["/a", "d/link", true], ["", "link", true],
  ["a/../b", "d/link", true], ["../../a", "d/link", true], ["a/..", "d/e/link", true], ["..", "d/link", false],
  ["..", "link", true],
  ["../..//x", "a/b/link", false],
])("symlink to %j at %j leaves the tree: %s", (target, source, unsafe) => {
  expect(isUnsafeSymlink(target, source)).toBe(unsafe);
});

test("paths in messages are absolute and quoted", () => {
  expect([quotedPath("/r", "a"), quotedPath("/", "a"), quotedPath("/r", "/a")]).toEqual(['"/r/a"', '"/a"', '"/a"']);
});
