import { describe, expect, test } from "vitest";
import {
  type FileKind, fileKind, linkTargetOf, quickCheck, type QuickCheckOptions, type QuickCheckProbe, sameTime,
} from "../../../src/files/basis.ts";
import { destMode } from "../../../src/files/perms.ts";
import { failureLine } from "../../../src/files/report.ts";
import { type FileRows } from "../../../src/files/rows.ts";
import { newStat } from "../../../src/posix/filesystem.ts";
import { newMemory } from "./_fs.ts";

test.each([
  // seconds and nanoseconds twice, window, same
  [5, 1, 5, 2, 0, true],
  [5, 1, 6, 1, 0, false],
  [5, 1, 5, 2, -1, false],
  [5, 1, 5, 1, -1, true],
  [5, 0, 7, 999, 2, true],
  [7, 0, 5, 0, 2, true],
  [5, 0, 8, 0, 2, false],
  [-3, 0, -1, 0, 2, true],
])("sameTime %i.%i %i.%i window %i", (s1, n1, s2, n2, window, same) => {
  expect(sameTime(s1, n1, s2, n2, window)).toBe(same);
});

test.each([
  [0o100644, "regular"], [0o040755, "directory"], [0o120777, "symlink"], [0o010600, "special"], [0o140600, "special"],
  [0o020600, "device"], [0o060600, "device"], [0o000644, "unsupported"],
])("fileKind %o", (mode, kind) => {
  expect(fileKind(mode)).toBe(kind);
});

test.each([
  // list mode, stat mode, default permissions, exists, -E, result
  [0o100777, 0, 0o755, false, false, 0o100755],
  [0o104777, 0, 0o755, false, false, 0o100755],
  [0o040777, 0, 0o750, false, false, 0o040750],
  [0o100777, 0o100640, 0o755, true, false, 0o100640],
  [0o100777, 0o100640, 0o755, true, true, 0o100750],
  [0o100644, 0o100755, 0o755, true, true, 0o100644],
  [0o100755, 0o100710, 0o755, true, true, 0o100710],
  [0o040755, 0o040700, 0o755, true, true, 0o040700],
])("destMode %o over %o, default %o", (list, stat, perms, exists, executability, mode) => {
  expect(destMode(list, stat, perms, exists, executability)).toBe(mode);
});

test("the line of a failed call", () => {
  const line = failureLine("receiver", 'open "/x"', "Permission denied", 13);
  expect(line).toBe('rsync: [receiver] open "/x": Permission denied (13)');
});

describe("quick check", () => {
  const memory = newMemory();
  const ptr = memory.alloc(16);
  memory.writeCString(ptr, "target");
  const one = (value: number): Uint32Array => Uint32Array.of(value);
  const rows: FileRows = {
    dirs: { names: [""] }, namePtr: one(0), dir: Int32Array.of(0), mode: one(0o010600), size: Float64Array.of(5),
    mtime: Float64Array.of(100), mtimeNsec: one(7), uid: one(0), gid: one(0), flags: one(0),
    extra: { linkTarget: one(ptr), linkLength: one(6), rdevMajor: one(8), rdevMinor: one(1) }, path: () => "x",
  };
  const plain: QuickCheckOptions = { modifyWindow: 0, sizeOnly: false, ignoreTimes: false, checksum: false };
  const never: QuickCheckProbe = {
    sameChecksum: () => { throw new Error("no digest wanted"); }, linkTarget: () => { throw new Error("no link"); },
  };
  const stat = { ...newStat(), size: 5, mtime: 100, mode: 0o010644, rdevMajor: 8, rdevMinor: 1 };
  const regular = (s: Partial<typeof stat>, o: Partial<QuickCheckOptions> = {}, probe = never): boolean =>
    quickCheck("regular", rows, 0, { ...stat, ...s }, { ...plain, ...o }, probe, memory);

  test("regular files", () => {
    expect(regular({})).toBe(true);
    expect(regular({ mtimeNsec: 7 }, { modifyWindow: -1 })).toBe(true);
    expect(regular({ mtimeNsec: 8 }, { modifyWindow: -1 })).toBe(false);
    expect(regular({ size: 6 }, { sizeOnly: true })).toBe(false);
    expect(regular({ mtime: 1 })).toBe(false);
    expect(regular({ mtime: 1 }, { sizeOnly: true })).toBe(true);
    expect(regular({}, { ignoreTimes: true })).toBe(false);
  });

  test("checksums decide instead of times, and only when sizes agree", () => {
    const differs = { ...never, sameChecksum: () => false };
    const agrees = { ...never, sameChecksum: () => true };
    expect(regular({}, { checksum: true }, differs)).toBe(false);
    expect(regular({ mtime: 1 }, { checksum: true, ignoreTimes: true }, agrees)).toBe(true);
    expect(regular({ size: 4 }, { checksum: true }, never)).toBe(false);
  });

  test("other kinds", () => {
    const check = (kind: FileKind, target: string | null = null, s = stat): boolean =>
      quickCheck(kind, rows, 0, s, plain, { ...never, linkTarget: () => target }, memory);
    expect(["target", "other", null].map((target) => check("symlink", target))).toEqual([true, false, false]);
    expect([check("special"), check("special", null, { ...stat, mode: 0o140600 })]).toEqual([true, false]);
    expect([check("device"), check("device", null, { ...stat, rdevMinor: 2 })]).toEqual([true, false]);
    expect([check("directory"), check("unsupported")]).toEqual([true, false]);
    expect(linkTargetOf(memory, { ...rows, extra: {} }, 0)).toBe("");
  });
});
