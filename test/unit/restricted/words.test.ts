import { describe, expect, test } from "vitest";
import { CLUSTER_LETTERS, FOLLOWING_LETTERS, LONG_OPTIONS, REFUSED_LETTERS } from "../../../src/restricted/accepted.ts";
import { parseSettings } from "../../../src/restricted/settings.ts";
import { expandBraces, hasWildcard, splitWords, unescapeWord } from "../../../src/restricted/words.ts";

describe("words of a login's command", () => {
  test("split at spaces that no backslash precedes", () => {
    expect(splitWords("  -vre.iLs  . a\\ b\tc\\\\ d\\")).toEqual(["-vre.iLs", ".", "a\\ b", "c\\\\", "d"]);
    expect(splitWords(" ")).toEqual([]);
    expect(unescapeWord("a\\ b\\\\c\\*")).toBe("a b\\c*");
  });

  test.each([
    ["plain", ["plain"]], ["{a,b}/{c,d}", ["a/c", "a/d", "b/c", "b/d"]], ["x{,y}", ["x", "xy"]],
    ["{a,{b,c}d}e", ["ae", "bde", "cde"]], ["{alone}", ["{alone}"]], ["{open,", ["{open,"]],
    ["\\{a,b\\}", ["\\{a,b\\}"]],
    ["}{", ["}{"]], ["{a\\,b,c}", ["a\\,b", "c"]],
  ])("braces of %s", (word, words) => {
    expect(expandBraces(word)).toEqual(words);
  });

  test("braces cannot make more words than there is room for", () => {
    expect(() => expandBraces("{a,b}".repeat(30))).toThrow("too many words");
  });

  test("wild cards count unless a backslash precedes", () => {
    expect(["a*", "a\\*", "a\\\\*", "[x]", "a\\?b"].map(hasWildcard)).toEqual([true, false, true, true, false]);
  });
});

describe("the restricted shell's options", () => {
  test("rrsync's, in any order, and one directory", () => {
    expect(parseSettings(["-ro", "-munge", "dir"])).toMatchObject(
      { dir: "dir", readOnly: true, noDelete: true, noLock: true, munge: true, writeOnly: false });
    expect(parseSettings(["dir", "-rsync=/usr/bin/rsync"])).toMatchObject({ rsync: "/usr/bin/rsync" });
    expect(parseSettings(["-h"])).toBeNull();
  });

  test.each([
    [["-ro", "-wo", "d"], "not allowed with"], [[], "required: DIR"], [["-x", "d"], "unrecognized"],
    [["d", "e"], "one directory"], [["--ro", "d"], "unrecognized"],
  ])("%j is refused", (words, reason) => {
    expect(() => parseSettings(words)).toThrow(reason);
  });

  test("no option is both let through and refused", () => {
    expect([...CLUSTER_LETTERS].filter((letter) => REFUSED_LETTERS.includes(letter))).toEqual([]);
    expect([...FOLLOWING_LETTERS].filter((letter) => !CLUSTER_LETTERS.includes(letter))).toEqual([]);
    for (const name of ["daemon", "debug", "write-devices"]) expect(LONG_OPTIONS.get(name)).toBe("refused");
  });
});
