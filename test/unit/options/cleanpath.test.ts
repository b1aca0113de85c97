import { expect, it } from "vitest";
import { cleanPath } from "../../../src/options/cleanpath.ts";

it.each([
  ["a//b/./c/", "a/b/c"], ["./a", "a"], ["a/..", "."], ["a/../../b", "../b"], ["/../a", "/a"], ["/", "/"], ["", "."],
  ["/a/b/../..", "/"],
])("cleanPath(%s) with parents taken back", (path, clean) => {
  expect(cleanPath(path, true)).toBe(clean);
});

it("leaves .. alone when not told to collapse", () => {
  expect(cleanPath("a/.././b//", false)).toBe("a/../b");
});
