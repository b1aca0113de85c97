import { describe, expect, test } from "vitest";
import { makeRule, ParseFlag, parseRule, RuleFlag as F, wirePrefix } from "../../../src/filter/rules.ts";

function parse(text: string, template = 0, xflags = 0, deleteExcluded = false): [number, string] | null {
  const rule = parseRule(text, 0, { template, xflags, deleteExcluded, source: null });
  return rule && [rule.flags, rule.pattern];
}

describe("rule prefixes", () => {
  test.each<[string, number, string]>([
    ["- x", 0, "x"], ["+ x y", F.include, "x y"], ["-_x", 0, "x"], ["-,/! x", F.absolute | F.negate, "x"],
    ["exclude x", 0, "x"], ["exclude,! x", F.negate, "x"], ["include_x", F.include, "x"],
    ["hide x", F.senderSide, "x"], ["show,p x", F.include | F.senderSide | F.perishable, "x"],
    ["protect x", F.receiverSide, "x"], ["risk x", F.include | F.receiverSide, "x"],
    ["-sr x", F.senderSide | F.receiverSide, "x"],
    ["P x", F.receiverSide, "x"], ["!", F.clearList, ""], ["clear", F.clearList, ""], ["-x user.*", F.xattr, "user.*"],
    [". f", F.mergeFile, "f"], ["merge,- f", F.mergeFile | F.noPrefixes, "f"],
    [".+ f", F.mergeFile | F.noPrefixes | F.include, "f"],
    ["dir-merge,ewn f", F.mergeFile | F.perDirMerge | F.finishSetup | F.excludeSelf | F.wordSplit | F.noInherit, "f"],
    [":C", F.mergeFile | F.perDirMerge | F.finishSetup | F.noPrefixes | F.wordSplit | F.noInherit | F.cvsIgnore, ""],
    ["-C", F.noPrefixes | F.wordSplit | F.noInherit | F.cvsIgnore, ""],
  ])("%j", (text, flags, pattern) => {
    expect(parse(text)).toEqual([flags, pattern]);
  });

  test.each([
    ["x y", "Unknown filter rule: x y"], ["hidex y", "Unknown filter rule: hidex y"],
    ["-", "unexpected end of filter rule: -"],
    ["-q x", "invalid modifier 'q' at position 1 in filter rule: -q x"],
    ["-e x", "invalid modifier 'e' at position 1 in filter rule: -e x"],
    ["Hs x", "invalid modifier 's' at position 1 in filter rule: Hs x"],
    ["! x", "'!' rule has trailing characters: ! x"],
    ["merge,! x", "invalid modifier '!' at position 6 in filter rule: merge,! x"],
  ])("%j is refused", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  test("a bad rule from a file is not shown", () => {
    expect(() => parseRule("secret", 0, { template: 0, xflags: 0, deleteExcluded: false, source: "/f line 3" }))
      .toThrow("Unknown filter rule: <rule from /f line 3>");
  });
});

test("options read only the old prefixes", () => {
  expect(parse("- x", 0, ParseFlag.oldPrefixes)).toEqual([0, "x"]);
  expect(parse("- x", F.include, ParseFlag.oldPrefixes)).toEqual([0, "x"]);
  expect(parse("-x", 0, ParseFlag.oldPrefixes)).toEqual([0, "-x"]);
  expect(parse("hide x", F.include, ParseFlag.oldPrefixes)).toEqual([F.include, "hide x"]);
  expect(parse("!", 0, ParseFlag.oldPrefixes)).toEqual([F.clearList, "!"]);
  expect(parse("!x", 0, ParseFlag.oldPrefixes)).toEqual([0, "!x"]);
});

test("containers hand down flags and sides, and split words", () => {
  expect(parse("  a b", F.noPrefixes | F.wordSplit | F.perishable)).toEqual([F.perishable, "a"]);
  expect(parse("- a", F.senderSide | F.mergeFile)).toEqual([F.senderSide, "a"]);
  expect(() => parse("-r a", F.senderSide)).toThrow("specified-side merge file contains specified-side filter: -r a");
  expect(parse("", 0)).toBeNull();
});

test("--delete-excluded makes plain rules the sender's", () => {
  expect(parse("- a", 0, 0, true)).toEqual([F.senderSide, "a"]);
  expect(parse("-r a", 0, 0, true)).toEqual([F.receiverSide, "a"]);
});

test("a rule knows its wildcards and slashes", () => {
  const bits = (pattern: string): [number, number] => {
    const rule = makeRule(0, pattern, "");
    return [rule.flags, rule.slashCount];
  };
  expect(bits("/a/b")).toEqual([0, 2]);
  expect(bits("*.c")).toEqual([F.wild, 0]);
  expect(bits("**/x")).toEqual([F.wild | F.wild2 | F.wild2Prefix, 1]);
  expect(bits("x/***")).toEqual([F.wild | F.wild2 | F.wild3Suffix, 1]);
});

describe("prefixes for the other side", () => {
  const prefix = (flags: number, pattern: string, version: number, amSender = true): string | null =>
    wirePrefix(makeRule(flags, pattern, ""), { version, amSender, deleteExcluded: false });
  test.each<[number, string, number, string | null]>([
    [0, "x", 32, "- "], [0, "x", 28, ""], [0, "- x", 28, "- "], [F.include, "x", 28, "+ "],
    [F.absolute, "/x", 28, null],
    [F.absolute | F.negate, "/x", 32, "-/! "], [F.senderSide, "x", 32, "-s "], [F.senderSide, "x", 28, ""],
    [F.perishable, "x", 30, "-p "], [F.perishable, "x", 29, null],
    [F.perDirMerge | F.noInherit | F.wordSplit, "f", 29, ":nw "],
    [F.perDirMerge, "f", 28, null], [F.perDirMerge | F.noPrefixes, "f", 31, ":- "],
    [F.cvsIgnore | F.noPrefixes | F.wordSplit | F.noInherit, "", 31, "-C "],
  ])("flags %i, pattern %j, protocol %i: %j", (flags, pattern, version, text) => {
    expect(prefix(flags, pattern, version)).toBe(text);
  });
});
