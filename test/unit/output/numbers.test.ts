import { expect, it } from "vitest";
import { Numbers } from "../../../src/output/numbers.ts";

it.each([
  [0, "1234567", "1234567", "1234.50", "1234.50", 11],
  [1, "1,234,567", "1,234,567", "1,234.50", "1,234.50", 14],
  [2, "1,234,567", "1.23M", "1,234.50", "1.23K", 14],
  [3, "1,234,567", "1.18M", "1,234.50", "1.21K", 14],
])("level %d", (human, comma, bytes, commaDecimal, bytesDecimal, width) => {
  const numbers = new Numbers(human);
  expect(numbers.comma(1234567)).toBe(comma);
  expect(numbers.bytes(1234567)).toBe(bytes);
  expect(numbers.commaDecimal(1234.5, 2)).toBe(commaDecimal);
  expect(numbers.bytesDecimal(1234.5, 2)).toBe(bytesDecimal);
  expect(numbers.sizeWidth).toBe(width);
});
