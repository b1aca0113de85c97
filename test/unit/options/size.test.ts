import { describe, expect, it } from "vitest";
import { formatDecimal, formatNumber, parseSize } from "../../../src/options/size.ts";

const ANY = { defaultUnit: "b", least: 0, most: -1 };

describe("parseSize", () => {
  it.each([
    ["700", 700], ["1k", 1024], ["1K", 1024], ["1KiB", 1024], ["1KB", 1000], ["1.5m", 1572864], ["2MB", 2e6],
    ["1g", 2 ** 30], ["1T", 2 ** 40], ["2P", 2 ** 51], ["1k+1", 1025], ["1K-1", 1023], [".5k", 512], ["1.9", 1],
    ["k", 0], ["10bb", 10], ["", 0],
  ])("%s", (text, bytes) => {
    expect(parseSize(text, "x", ANY)).toBe(bytes);
  });

  it.each(["x", "1x", "1k+2", "1k1", "+1", "1 k", "1kk", "1ki", "--1"])("refuses %s", (text) => {
    expect(() => parseSize(text, "x", ANY)).toThrow(`rsync: --x=${text} is invalid`);
  });

  it("uses the default unit and checks the bounds", () => {
    expect(parseSize("2", "x", { ...ANY, defaultUnit: "K" })).toBe(2048);
    expect(() => parseSize("5000", "x", { ...ANY, most: 4096 })).toThrow("--x=5000 is too large (max: 4.00K)");
    expect(() => parseSize("5", "x", { ...ANY, least: 10 })).toThrow("--x=5 is too small (min: 10)");
    expect(parseSize("0", "x", { ...ANY, least: 10, zeroUnlimited: true })).toBe(0);
  });
});

describe("formatNumber", () => {
  it.each([
    [0, 0, "0"], [1234567, 0, "1234567"], [1234567, 1, "1,234,567"], [-1234, 1, "-1,234"], [999, 2, "999"],
    [123456, 2, "123.46K"], [123456, 3, "120.56K"], [1e6, 2, "1.00M"], [2 ** 40, 3, "1.00T"], [-2048, 3, "-2.00K"],
    [3e18, 2, "3000.00P"], [9007199254740992, 1, "9,007,199,254,740,992"],
  ])("%d at level %d", (value, human, text) => {
    expect(formatNumber(value, human)).toBe(text);
  });

  it("rounds exact ties to even as C does", () => {
    expect(formatNumber(1152, 3)).toBe("1.12K");
    expect(formatNumber(1408, 3)).toBe("1.38K");
    expect(formatNumber(1125, 2)).toBe("1.12K");
  });
});

describe("formatDecimal", () => {
  it.each([
    [0.5, 1, 2, "0.50"], [1234.5, 0, 2, "1234.50"], [1234.5, 1, 2, "1,234.50"], [247840, 1, 2, "247,840.00"],
    [247820, 2, 2, "247.82K"], [Infinity, 1, 2, "inf"], [NaN, 1, 2, "-nan"],
  ])("%d at level %d", (value, human, decimals, text) => {
    expect(formatDecimal(value, human, decimals)).toBe(text);
  });
});
