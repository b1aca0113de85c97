import { describe, expect, it } from "vitest";
import { Numbers } from "../../../src/output/numbers.ts";
import { Progress } from "../../../src/output/progress.ts";

const NUMBERS = new Numbers(1);
const stats = { totalSize: 123_465, totalTransferredSize: 0, numFiles: 7, transferredFiles: 0 };

describe("Progress of each file, as stock rsync 3.5.0 drew it for --progress", () => {
  it("starts at rate 0 without recent data, and ends with the place in the list", () => {
    const progress = new Progress(NUMBERS, { ...stats, transferredFiles: 1 }, false);
    expect(progress.show(3, 3, 10)).toBe("\r              3 100%    0.00kB/s    0:00:00  ");
    expect(progress.leavesCursor(false)).toBe(true);
    expect(progress.end(3, 10, { checked: 2, listComplete: true }))
      .toBe("\r              3 100%    0.00kB/s    0:00:00 (xfr#1, to-chk=5/7)\n");
    expect(progress.leavesCursor(true)).toBe(false);
  });

  it("counts a following file from the last data of the one before", () => {
    const progress = new Progress(NUMBERS, { ...stats, transferredFiles: 3 }, false);
    progress.show(3, 3, 1000);
    progress.end(3, 1000, { checked: 2, listComplete: true });
    expect(progress.show(32_768, 123_456, 1001)).toBe("\r         32,768  26%   31.25MB/s    0:00:00  ");
    expect(progress.end(123_456, 1001, { checked: 7, listComplete: true }))
      .toBe("\r        123,456 100%  117.74MB/s    0:00:00 (xfr#3, to-chk=0/7)\n");
  });

  it("updates once a second by the rate of the last five", () => {
    const progress = new Progress(NUMBERS, stats, false);
    progress.show(0, 100 << 20, 0);
    expect(progress.show(1, 100 << 20, 999)).toBe("");
    expect(progress.show(1 << 20, 100 << 20, 1000)).toBe("\r      1,048,576   1% 1024.00kB/s    0:01:41  ");
    for (let second = 2; second <= 9; second++) progress.show(second << 20, 100 << 20, second * 1000);
    expect(progress.show(60 << 20, 100 << 20, 10_000)).toBe("\r     62,914,560  60%   13.50MB/s    0:00:03  ");
  });

  it("does not guess a time when nothing moves for ages", () => {
    const progress = new Progress(NUMBERS, stats, false);
    progress.show(0, 1e15, 0);
    expect(progress.show(1, 1e15, 1000)).toContain("  ??:??:??");
  });

  it("calls an empty file complete and an unfinished list ir-chk", () => {
    const progress = new Progress(NUMBERS, stats, false);
    expect(progress.end(0, 5, { checked: 1, listComplete: false }))
      .toBe("\r              0 100%    0.00kB/s    0:00:00 (xfr#0, ir-chk=6/7)\n");
  });
});

describe("Progress of the whole transfer, as stock rsync 3.5.0 drew it for --info=progress2", () => {
  it("shows totals and never ends the line", () => {
    const counters = { ...stats, totalTransferredSize: 3, transferredFiles: 1 };
    const progress = new Progress(NUMBERS, counters, true);
    expect(progress.show(3, 3, 50)).toBe("\r              3   0%    0.00kB/s    0:00:00  ");
    expect(progress.end(3, 50, { checked: 2, listComplete: true }))
      .toBe("\r              3   0%    0.00kB/s    0:00:00 (xfr#1, to-chk=5/7)");
    Object.assign(counters, { totalTransferredSize: 123_464, transferredFiles: 3 });
    expect(progress.end(123_456, 51, { checked: 7, listComplete: true }))
      .toBe("\r        123,464  99%  117.74MB/s    0:00:00 (xfr#3, to-chk=0/7)");
    expect(progress.leavesCursor(true)).toBe(true);
  });

  it("blanks what a longer line before it left", () => {
    const progress = new Progress(NUMBERS, stats, true);
    const first = progress.end(0, 1, { checked: -9993, listComplete: false });
    const second = progress.end(0, 1, { checked: 7, listComplete: false });
    expect(second.length).toBe(first.length);
    expect(second).toMatch(/ \(xfr#0, ir-chk=0\/7\) {4}$/);
  });
});
