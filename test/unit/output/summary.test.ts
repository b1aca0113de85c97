import { describe, expect, it } from "vitest";
import { Numbers } from "../../../src/output/numbers.ts";
import { heapLines, summaryLines, type SummarySettings, type SummaryStats } from "../../../src/output/summary.ts";

const STATS: SummaryStats = {
  numFiles: 7, numDirs: 2, numSymlinks: 1, numDevices: 0, numSpecials: 1,
  createdFiles: 7, createdDirs: 2, createdSymlinks: 1, createdDevices: 0, createdSpecials: 1,
  deletedFiles: 0, deletedDirs: 0, deletedSymlinks: 0, deletedDevices: 0, deletedSpecials: 0,
  transferredFiles: 3, totalSize: 123_465, totalTransferredSize: 123_464, literalData: 123_464, matchedData: 0,
  flistSize: 0, flistBuildTime: 1, flistTransferTime: 0,
};
const SETTINGS: SummarySettings = {
  level: 2, protocolVersion: 32, written: 123_825, read: 95, elapsedSeconds: 0, dryRun: false, onlyWriteBatch: false,
};

const print = (settings: Partial<SummarySettings>, human = 1): string =>
  summaryLines(STATS, { ...SETTINGS, ...settings }, new Numbers(human)).map(({ text }) => text).join("");

describe("summaryLines", () => {
  it("prints what stock rsync 3.5.0 printed for -a --stats", () => {
    expect(print({})).toBe(`
Number of files: 7 (reg: 3, dir: 2, link: 1, special: 1)
Number of created files: 7 (reg: 3, dir: 2, link: 1, special: 1)
Number of deleted files: 0
Number of regular files transferred: 3
Total file size: 123,465 bytes
Total transferred file size: 123,464 bytes
Literal data: 123,464 bytes
Matched data: 0 bytes
File list size: 0
File list generation time: 0.001 seconds
File list transfer time: 0.000 seconds
Total bytes sent: 123,825
Total bytes received: 95

sent 123,825 bytes  received 95 bytes  247,840.00 bytes/sec
total size is 123,465  speedup is 1.00
`);
  });

  it("uses units with -h, as stock rsync did", () => {
    expect(print({ written: 123_819, read: 91 }, 2)).toContain(`
Total bytes sent: 123.82K
Total bytes received: 91

sent 123.82K bytes  received 91 bytes  247.82K bytes/sec
total size is 123.47K  speedup is 1.00
`);
  });

  it("leaves out what an old protocol does not tell", () => {
    expect(print({ protocolVersion: 30 })).not.toContain("deleted files");
    expect(print({ protocolVersion: 28 })).not.toContain("created files");
    const lines = summaryLines({ ...STATS, flistBuildTime: 0 }, SETTINGS, new Numbers(1));
    expect(lines.some(({ text }) => text.includes("generation time"))).toBe(false);
  });

  it("has a level for the totals alone, and one for nothing", () => {
    expect(print({ level: 1 })).toMatch(/^\nsent .*\ntotal size .*\n$/);
    expect(print({ level: 0 })).toBe("");
  });

  it("marks trial runs, and knows no rate without a clock", () => {
    expect(print({ level: 1, dryRun: true })).toMatch(/speedup is 1\.00 \(DRY RUN\)\n$/);
    expect(print({ level: 1, dryRun: true, onlyWriteBatch: true })).toMatch(/\(BATCH ONLY\)\n$/);
    expect(print({ level: 1, elapsedSeconds: null })).toContain("  UNKNOWN bytes/sec");
  });

  it("keeps the blank lines out of the log file", () => {
    const lines = summaryLines(STATS, SETTINGS, new Numbers(1));
    expect(lines.filter(({ clientOnly }) => clientOnly).map(({ text }) => text)).toEqual(["\n", "\n"]);
  });
});

describe("heapLines", () => {
  it("makes a block that names the process", () => {
    const facts = {
      pid: 7, role: "generator", server: true, daemon: false, residentBytes: 300, heapBytes: 200, usedBytes: 150,
    };
    const text = heapLines(facts).map((line) => line.text).join("");
    expect(text).toContain("rsync[7] (server generator) heap statistics:\n");
    expect(text).toContain("  uordblks:         150   (bytes used)\n");
    expect(text).toContain("  fordblks:          50   (bytes free)\n");
  });
});
