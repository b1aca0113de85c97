import { describe, expect, it } from "vitest";
import { parseStopTime } from "../../../src/options/stoptime.ts";

/** Sunday 2026-11-22 12:34:56 local time. */
const NOW = new Date(2026, 10, 22, 12, 34, 56).getTime() / 1000;

function at(year: number, month: number, day: number, hour = 0, minute = 0): number {
  return new Date(year, month - 1, day, hour, minute).getTime() / 1000;
}

describe("parseStopTime", () => {
  it.each([
    ["2030-12-31T23:59", at(2030, 12, 31, 23, 59)],
    ["2030/12/31", at(2030, 12, 31)],
    ["30-12-31", at(2030, 12, 31)],
    ["2030-12-31T", at(2030, 12, 31)],
    ["12-31", at(2026, 12, 31)],
    ["1-2T3:04", at(2027, 1, 2, 3, 4)],
    ["25", at(2026, 11, 25)],
    ["5", at(2026, 12, 5)],
    ["31", at(2026, 12, 31)],
    ["23:59", at(2026, 11, 22, 23, 59)],
    ["T1:00", at(2026, 11, 23, 1)],
    [":50", at(2026, 11, 22, 12, 50)],
    [":10", at(2026, 11, 22, 13, 10)],
    ["2020-01-01", at(2020, 1, 1)],
    ["2-29", at(2028, 2, 29)],
  ])("%s", (text, seconds) => {
    expect(parseStopTime(text, NOW)).toBe(seconds);
  });

  it.each(["", "x", "T", "T15", "12:", "24:00", "1:60", "2026-13-01", "2026-1-32", "1-2-3-4", "2026-01-01T5", "T:30"])(
    "refuses %s", (text) => {
      expect(parseStopTime(text, NOW)).toBeNull();
    },
  );
});
