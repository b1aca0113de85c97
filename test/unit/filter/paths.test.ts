import { describe, expect, test } from "vitest";
import { cleanName, joinPath, sanitizeName, type CleanNameOptions } from "../../../src/filter/paths.ts";

describe("cleaned names", () => {
  test.each<[string, CleanNameOptions, string | null]>([
    ["a//b/./c/", {}, "a/b/c"], ["", {}, "."], ["./", {}, "."], ["./a", {}, "a"], ["/", {}, "/"], ["//a", {}, "/a"],
    ["a/.", {}, "a/."],
    ["a/.", { dropTrailingDotDir: true }, "a"], ["a/.", { dropTrailingDotDir: true, keepTrailingSlash: true }, "a/"],
    ["a/b/", { keepTrailingSlash: true }, "a/b/"], ["a/../b", {}, "a/../b"], ["a/../b", { collapseDotDot: true }, "b"],
    ["/../a", { collapseDotDot: true }, "/a"], ["../a", { collapseDotDot: true }, "../a"],
    ["a/b/../../c", { collapseDotDot: true }, "c"],
    ["a/../b", { refuseDotDot: true }, null], ["..", { refuseDotDot: true }, null],
    ["..a/b..", { refuseDotDot: true }, "..a/b.."],
    ["./a/./b", { keepDotDirs: true }, "./a/./b"],
  ])("%j with %o: %j", (name, options, expected) => {
    expect(cleanName(name, options)).toBe(expected);
  });
});

test("joined paths", () => {
  expect([joinPath("", "a"), joinPath("d", "a"), joinPath("d/", "a"), joinPath("d", "/a")])
    .toEqual(["a", "d/a", "d/a", "/a"]);
});

test.each<[string, boolean, string]>([
  ["/etc/passwd", false, "etc/passwd"], ["../../x", false, "x"], ["a/../../b", false, "b"], ["a/b/..", false, "a/"],
  ["a//b/", false, "a/b/"], ["..", true, "."], ["", true, "."], ["a/./b", true, "a/./b"], ["./a/./b", false, "a/b"],
])("a name from a list of files: %j, dots kept %s: %j", (name, keepDots, expected) => {
  expect(sanitizeName(name, keepDots)).toBe(expected);
});
