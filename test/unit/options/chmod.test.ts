import { expect, it } from "vitest";
import { isChmodText } from "../../../src/options/chmod.ts";

it.each(["u+r", "a=rwX", "D755,F644", "Dg+s", "u=g", "+x", "ug-w,o=", "7777"])("%s is well formed", (text) => {
  expect(isChmodText(text)).toBe(true);
});

it.each(["", "u", "u+q", "DFa+r", "10000", "8", "u755", "u+r,", "u=gr", "u+r-w"])("%s is not", (text) => {
  expect(isChmodText(text)).toBe(false);
});
