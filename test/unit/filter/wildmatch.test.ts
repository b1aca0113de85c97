import { describe, expect, test } from "vitest";
import { iwildmatch, trailingElements, wildmatch, wildmatchAt } from "../../../src/filter/wildmatch.ts";

/** Pattern, text, verdict. */
const CASES: [string, string, boolean][] = [
  ["", "", true], ["", "a", false], ["*", "", true], ["?", "", false], ["abc", "abc", true], ["abc", "abd", false],
  ["a?c", "abc", true], ["a?c", "a/c", false], ["a*", "a", true], ["a*c", "abbbc", true], ["a*c", "a/c", false],
  ["a**c", "a/b/c", true], ["**", "a/b", true], ["*", "a/b", false], ["*/b", "a/b", true], ["*/b", "a/a/b", false],
  ["**/b", "a/a/b", true], ["a/**/b", "a/b", false], ["a/**/b", "a/x/y/b", true], ["***", "x/y/z", true],
  ["[abc]", "b", true], ["[abc]", "d", false], ["[!abc]", "d", true], ["[^abc]", "a", false], ["[a-c]x", "bx", true],
  ["[]]", "]", true], ["[]-]", "-", true], ["[!]-]", "]", false], ["[a-]", "-", true], ["[--0]", ".", true],
  ["[\\]]", "]", true], ["[\\a-\\c]", "b", true], ["[[:digit:]]", "7", true], ["[[:digit:][:upper:]]", "G", true],
  ["[[:digit:]]", "x", false], ["[[:nonsense:]]", "x", false], ["[[:alpha]", "[", true], ["[[:space:]]", "\t", true],
  ["[[:punct:]]", "~", true], ["[[:xdigit:]]", "f", true], ["[[:cntrl:]]", "\x7f", true], ["[[:graph:]]", " ", false],
  ["[", "[", false], ["[a", "a", false], ["\\*", "*", true], ["\\*", "x", false], ["a\\", "a\\", false],
  ["\\\\", "\\", true],
  ["[/]", "/", false], ["a[^x]b", "a/b", false], ["\xff?", "\xff\xfe", true], ["*.[ch]", "x.c", true],
  ["*a*b*c*", "xxaxxbxxcxx", true],
  ["*a*b*c", "aabbccb", false], ["-*-*-*", "-adobe-courier", false],
];

test.each(CASES)("pattern %j on %j: %s", (pattern, text, verdict) => {
  expect(wildmatch(pattern, text)).toBe(verdict);
});

test("case can be ignored on both sides", () => {
  expect([iwildmatch("A*[B-D]", "axxc"), iwildmatch("a", "B"), wildmatch("A", "a")]).toEqual([true, false, false]);
});

describe("where a pattern may match", () => {
  test.each([
    ["b/c", "a/b/c", 2, true], ["b/c", "b/c", 2, true], ["b/c", "c", 2, false], ["*", "a/b", 1, true],
    ["x**y", "a/x/b/y", -1, true], ["x**y", "ax/b/y", -1, false], ["x**y", "a/x/b/y", 0, false],
  ])("%j on %j at %i: %s", (pattern, text, where, verdict) => {
    expect(wildmatchAt(pattern, text, where)).toBe(verdict);
  });

  test("the start of the last elements", () => {
    expect([1, 2, 3, 4].map((count) => trailingElements("a/bb/c", count))).toEqual([5, 2, 0, -1]);
    expect(trailingElements("/a", 2)).toBe(0);
  });
});

test("hopeless patterns give up early", () => {
  const start = performance.now();
  expect(wildmatch("*a".repeat(20) + "b", "a".repeat(3000))).toBe(false);
  expect(performance.now() - start).toBeLessThan(1000);
});
