import { expect, it } from "vitest";
import { isChmodText, modeChanger } from "../../../src/options/chmod.ts";

it.each(["u+r", "a=rwX", "D755,F644", "Dg+s", "u=g", "+x", "ug-w,o=", "7777"])("%s is well formed", (text) => {
  expect(isChmodText(text)).toBe(true);
});

it.each(["", "u", "u+q", "DFa+r", "10000", "8", "u755", "u+r,", "u=gr", "u+r-w"])("%s is not", (text) => {
  expect(isChmodText(text)).toBe(false);
});

/** Modes before and after, octal; a leading 4 of five digits marks a directory, a 10 of six a file. */
it.each<[string, string, string]>([
  ["u+s,g-w,o=", "100666", "104640"], ["a+s", "100644", "106644"], ["+s", "100600", "104600"],
  ["a+X", "100644", "100644"], ["a+X", "100744", "100755"], ["a+X", "40700", "40711"],
  ["D755,F640", "100777", "100640"], ["D755,F640", "42700", "40755"],
  ["g=u", "102741", "100771"], ["go=u", "101700", "100777"], ["o-g", "100776", "100770"],
  ["+w", "100444", "100644"], ["g=s", "100775", "102705"], ["ug-s,a+rX,D+w", "46700", "40755"],
  ["+t", "40755", "41755"], ["u+r,u-r", "100600", "100200"], ["=u", "100700", "100755"],
])("%s makes %s to %s", (text, before, after) => {
  expect(modeChanger([text], 0o022)!(Number.parseInt(before, 8)).toString(8)).toBe(after);
});

it("arguments add up, and none change nothing", () => {
  expect(modeChanger(["u=rwx", "g-w"], 0)!(0o100460)).toBe(0o100740);
  expect(modeChanger([], 0)).toBeNull();
});
