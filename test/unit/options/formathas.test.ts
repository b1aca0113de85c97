import { expect, it } from "vitest";
import { formatHas } from "../../../src/options/formathas.ts";

it("finds an escape with or without a width, and no literal %", () => {
  expect(formatHas("%n %9b", "b")).toBe(true);
  expect(formatHas("%''-20l", "l")).toBe(true);
  expect(formatHas("100%%b", "b")).toBe(false);
  expect(formatHas("b", "b")).toBe(false);
  expect(formatHas(null, "b")).toBe(false);
  expect(formatHas("%", "b")).toBe(false);
  expect(formatHas(`%${"0".repeat(23)}b`, "b")).toBe(true);
  expect(formatHas(`%${"0".repeat(24)}b`, "b")).toBe(false);
  expect(formatHas(`%${"0".repeat(30)}%b`, "b")).toBe(true);
});
