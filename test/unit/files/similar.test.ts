/** Likeness of names, against what rsync 3.5.0 prints with --debug=fuzzy2 for the same pairs. */
import { describe, expect, it } from "vitest";
import { LEAST_ALIKE, Likeness, suffixOf } from "../../../src/files/similar.ts";

describe("suffixOf", () => {
  const cases: readonly [name: string, suffix: string][] = [
    ["file.txt", ".txt"], ["file", ""], [".hidden", ""], ["..x.y", ".y"], ["a.tar.gz", ".gz"], ["file.txt~", ".txt"],
    ["file.txt.bak", ".txt"], ["file.c.old", ".c"], ["file.c.orig", ".c"], ["file.c.~1~", ".c"], ["file.c.~x~", ".~x"],
    ["lib.so.1.2", ".so"], ["v.12", ".12"], ["name.", "."], ["a.bak", ""], ["x", ""], [".", ""], ["~", ""], ["", ""],
  ];
  it.each(cases)("%s", (name, suffix) => {
    expect(suffixOf(name)).toBe(suffix);
  });
});

describe("Likeness", () => {
  const likeness = new Likeness();
  const text = (a: string, b: string): string => {
    const distance = likeness.distance(a, suffixOf(a), b, suffixOf(b), LEAST_ALIKE);
    return `${distance >>> 16}.${String(distance & 0xffff).padStart(5, "0")}`;
  };
  const cases: readonly [existing: string, wanted: string, distance: string][] = [
    ["arch-v1.tar", "arch-v2.tar", "1.00001"], ["archold.tar", "arch-v2.tar", "3.00126"], ["a.c", "b.c", "1.00001"],
    ["file.txt", "file.tyt", "11.00011"], ["abc", "abd", "1.00001"], ["abcd", "abc", "1.00100"],
    ["x.old", "x", "4.00365"], ["report.doc", "report.docx", "11.01320"], ["caf\xe9.txt", "cafe.txt", "1.00132"],
    ["noext", "noext.gz", "33.02981"], ["q.1", "q.2", "11.00011"], ["aaaa.bbbb", "bbbb.aaaa", "48.00048"],
    ["z", "y.\xff\xfe", "34.00562"],
  ];

  it.each(cases)("%s for %s: %s", (existing, wanted, distance) => {
    expect(text(existing, wanted)).toBe(distance);
  });

  it("gives up early beyond the limit", () => {
    expect(likeness.distance("short", "", "x".repeat(60), "", LEAST_ALIKE)).toBe(0xffff0001);
    expect(likeness.distance("same", "", "same", "", 0)).toBe(0);
  });
});
