import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { AttrFlag, Attributes, type AttrSettings, Updated } from "../../../src/files/attrs.ts";
import { type Confined } from "../../../src/files/confine.ts";
import { openRoot, operatorPaths } from "../../../src/files/operator.ts";
import { type FileRows } from "../../../src/files/rows.ts";
import { type FileSystem, newStat } from "../../../src/posix/filesystem.ts";
import { FileFlag, ItemFlag } from "../../../src/protocol/constants.ts";
import { Collected, must, removeTree, rowsOf, tempDir, testFileSystem } from "./_fs.ts";

const isRoot = process.geteuid!() === 0;
const all: AttrSettings = {
  amRoot: isRoot ? 1 : 0, preservePerms: true, preserveExecutability: false, preserveUid: true, preserveGid: true,
  preserveMtimes: true, preserveAtimes: false, omitDirTimes: false, omitLinkTimes: false, modifyWindow: 0,
  keepDirlinks: false, tweakMode: null, nameItems: false,
};

describe("attributes", () => {
  let fs: FileSystem;
  let dest: string;
  let root: Confined;
  let report: Collected;
  let rows: FileRows;

  beforeEach(() => {
    fs = testFileSystem("libc");
    dest = tempDir("attrs");
    mkdirSync(`${dest}/sub`);
    writeFileSync(`${dest}/sub/file`, "12345");
    symlinkSync("file", `${dest}/sub/link`);
    root = must(openRoot(must(operatorPaths(fs, "/")), dest, { links: "beneath" }));
    report = new Collected(fs);
    rows = rowsOf(fs, ["", "sub"], [["sub", "file"], ["sub", "link"], ["", "sub"], ["sub", "none"]]);
    rows.mode.set([0o100640, 0o120777, 0o040751, 0o100644]);
    rows.size.set([5, 4, 0, 0]);
    rows.mtime.fill(1_000_000_000);
    rows.mtimeNsec.fill(123_456_789);
    rows.uid.fill(process.geteuid!());
    rows.gid.fill(process.getegid!());
    return () => {
      root.close();
      removeTree(dest);
    };
  });

  const attributes = (settings: Partial<AttrSettings> = {}): Attributes =>
    new Attributes(root, { ...all, ...settings }, report);

  test("sets mode and nanosecond time by row", () => {
    const updated = attributes().setRow(rows, 0, null, AttrFlag.accurateTime);
    expect(updated).toBe(Updated.mode | Updated.mtime);
    const stat = lstatSync(`${dest}/sub/file`, { bigint: true });
    expect(stat.mtimeNs).toBe(1_000_000_000_123_456_789n);
    expect(stat.mode & 0o7777n).toBe(0o640n);
    expect(attributes().setRow(rows, 0, null, AttrFlag.accurateTime)).toBe(0);
    expect(report.lines).toEqual([]);
  });

  test("sets them through a descriptor, before the file has its name", () => {
    const fd = root.open("sub/.file.tmp", fs.constants.O.RDWR | fs.constants.O.CREAT, 0o600);
    const place = { root, path: "sub/.file.tmp" };
    const updated = attributes().setFd(fd, place, rows, 0, null, AttrFlag.accurateTime);
    expect(updated).toBe(Updated.mode | Updated.mtime);
    fs.close(fd);
    expect(lstatSync(`${dest}/sub/.file.tmp`, { bigint: true }).mtimeNs).toBe(1_000_000_000_123_456_789n);
  });

  test("times before 1970 and far ahead survive", () => {
    for (const seconds of [-1, -86400 * 365, 4294967296 * 3]) {
      rows.mtime[0] = seconds;
      attributes().setRow(rows, 0, null, AttrFlag.accurateTime);
      const expected = BigInt(seconds) * 1_000_000_000n + 123_456_789n;
      expect(lstatSync(`${dest}/sub/file`, { bigint: true }).mtimeNs).toBe(expected);
    }
  });

  test("a symlink gets its own time and keeps its target's", () => {
    const before = lstatSync(`${dest}/sub/file`, { bigint: true });
    expect(attributes().setRow(rows, 1, null, 0)).toBe(Updated.mtime);
    expect(lstatSync(`${dest}/sub/link`, { bigint: true }).mtimeNs).toBe(1_000_000_000_123_456_789n);
    expect(lstatSync(`${dest}/sub/file`, { bigint: true }).mtimeNs).toBe(before.mtimeNs);
    expect(attributes({ omitLinkTimes: true }).setRow(rows, 1, null, 0)).toBe(0);
  });

  test("-O, no -t, skipping and the modify window leave times alone", () => {
    const time = lstatSync(`${dest}/sub`, { bigint: true }).mtimeNs;
    attributes({ omitDirTimes: true, preservePerms: false }).setRow(rows, 2, null, 0);
    attributes({ preserveMtimes: false, preservePerms: false }).setRow(rows, 2, null, 0);
    attributes({ preservePerms: false }).setRow(rows, 2, null, AttrFlag.skipMtime);
    expect(lstatSync(`${dest}/sub`, { bigint: true }).mtimeNs).toBe(time);
    utimesSync(`${dest}/sub/file`, 1_000_000_002, 1_000_000_002);
    expect(attributes({ modifyWindow: 2 }).setRow(rows, 0, null, 0) & Updated.mtime).toBe(0);
    expect(attributes({ modifyWindow: 1 }).setRow(rows, 0, null, 0) & Updated.mtime).toBe(Updated.mtime);
  });

  test("access times are set in whole seconds, beside the modification time", () => {
    const rowsWithAtime: FileRows = { ...rows, extra: { atime: Float64Array.of(77, 77, 77, 77) } };
    expect(attributes({ preserveAtimes: true }).setRow(rowsWithAtime, 0, null, 0) & Updated.atime).toBe(Updated.atime);
    const stat = lstatSync(`${dest}/sub/file`, { bigint: true });
    expect([stat.atimeNs, stat.mtimeNs]).toEqual([77_000_000_000n, 1_000_000_000_123_456_789n]);
  });

  test("a new directory keeps the setgid bit its parent gave it", () => {
    chmodSync(`${dest}/sub`, 0o2755);
    rows.mode[2] = 0o040750;
    attributes({ preservePerms: false }).setRow(rows, 2, null, 0);
    expect(lstatSync(`${dest}/sub`).mode & 0o7777).toBe(0o2750);
    attributes().setRow(rows, 2, null, 0);
    expect(lstatSync(`${dest}/sub`).mode & 0o7777).toBe(0o750);
  });

  test.runIf(isRoot)("root changes owners, of symlinks too, and keeps setuid across chown", () => {
    rows.uid.fill(1234);
    rows.gid.fill(2345);
    rows.mode[0] = 0o104755;
    chmodSync(`${dest}/sub/file`, 0o4755);
    expect(attributes().setRow(rows, 0, null, 0) & (Updated.owner | Updated.group)).toBe(Updated.owner | Updated.group);
    attributes().setRow(rows, 1, null, 0);
    const stat = lstatSync(`${dest}/sub/file`);
    expect([stat.uid, stat.gid, stat.mode & 0o7777]).toEqual([1234, 2345, 0o4755]);
    expect(lstatSync(`${dest}/sub/link`).uid).toBe(1234);
  });

  test.runIf(isRoot)("without root's powers the owner stays, and a skipped group too", () => {
    rows.uid.fill(1234);
    rows.gid.fill(2345);
    rows.flags[0] = FileFlag.skipGroup;
    const updated = attributes({ amRoot: 0 }).setRow(rows, 0, null, AttrFlag.skipMtime);
    expect(updated & (Updated.owner | Updated.group)).toBe(0);
    expect(lstatSync(`${dest}/sub/file`).uid).toBe(0);
  });

  test("a missing file is reported under its full path", () => {
    expect(attributes().setRow(rows, 3, null, 0)).toBe(0);
    expect(report.lines).toEqual([`errorXfer: stat "${dest}/sub/none" failed: No such file or directory (2)`]);
  });

  test("failing calls are reported as rsync words them and end the work on the file", () => {
    const failing: FileSystem = new Proxy(fs, {
      get(target, key) {
        if (key === "utimensat" || key === "lchownat") return () => -fs.constants.E.EPERM;
        const value = Reflect.get(target, key);
        return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
    const confined = must(openRoot(must(operatorPaths(failing, "/")), dest, { links: "beneath" }));
    chmodSync(`${dest}/sub/file`, 0o600);
    new Attributes(confined, all, report).setRow(rows, 0, null, 0);
    rows.gid[0] = 999;
    new Attributes(confined, all, report).setRow(rows, 0, null, 0);
    expect(report.lines).toEqual([
      `errorXfer: failed to set times on "${dest}/sub/file": Operation not permitted (1)`,
      `errorXfer: chgrp "${dest}/sub/file" failed: Operation not permitted (1)`,
    ]);
    expect(lstatSync(`${dest}/sub/file`).mode & 0o7777).toBe(0o600);
    confined.close();
  });

  test("items are named at --info=name2", () => {
    attributes({ nameItems: true }).setRow(rows, 0, null, AttrFlag.report);
    attributes({ nameItems: true }).setRow(rows, 0, null, AttrFlag.report);
    expect(report.lines).toEqual(["client: sub/file", "client: sub/file is uptodate"]);
  });

  test("a daemon's incoming chmod has the last word", () => {
    attributes({ tweakMode: (mode) => mode & ~0o022 | 0o1 }).setRow(rows, 0, null, 0);
    expect(lstatSync(`${dest}/sub/file`).mode & 0o7777).toBe(0o641);
  });

  test("comparisons", () => {
    const stat = newStat();
    const at = { root, path: "sub/file" };
    attributes().setRow(rows, 0, null, 0);
    root.lstatRow(rows, 0, stat);
    expect(attributes().unchanged(rows, 0, stat, at)).toBe(true);
    expect(attributes().itemFlags(rows, 0, stat, 0, "")).toBe(0);
    stat.mode = 0o100600;
    expect(attributes().unchanged(rows, 0, stat, at)).toBe(false);
    expect(attributes({ preservePerms: false }).unchanged(rows, 0, stat, at)).toBe(true);
    const executable = attributes({ preservePerms: false, preserveExecutability: true });
    expect(executable.permsDiffer(rows, 0, { ...stat, mode: 0o100711 })).toBe(true);
    expect(attributes().unchanged(rows, 0, { ...stat, mode: 0o100640, mtime: stat.mtime + 1 }, at)).toBe(false);
    expect(attributes().unchanged(rows, 0, { ...stat, mode: 0o100640, mtimeNsec: 0 }, at)).toBe(true);
    const shifted = { ...stat, mode: 0o100640, mtimeNsec: 0 };
    expect(attributes({ modifyWindow: -1 }).unchanged(rows, 0, shifted, at)).toBe(false);
  });

  test("item flags", () => {
    const stat = { ...newStat(), mode: 0o100600, size: 4, mtime: 5, uid: rows.uid[0], gid: rows.gid[0] + 1 };
    const { reportSize, reportTime, reportPerms, reportGroup, isNew, transfer, localChange, xnameFollows } = ItemFlag;
    const everything = transfer | reportSize | reportTime | reportPerms | reportGroup;
    expect(attributes().itemFlags(rows, 0, stat, transfer, "")).toBe(everything);
    expect(attributes().itemFlags(rows, 0, null, transfer, "")).toBe(transfer | isNew);
    const timeless = attributes({ preserveMtimes: false, preservePerms: false, preserveGid: false });
    expect(timeless.itemFlags(rows, 0, stat, transfer, "")).toBe(transfer | reportSize | reportTime);
    expect(timeless.itemFlags(rows, 0, stat, 0, "")).toBe(reportSize);
    const linked = localChange | xnameFollows;
    expect(timeless.itemFlags(rows, 0, stat, linked, "")).toBe(linked | reportSize);
  });

  test("no call is wasted on a file that is right already", () => {
    attributes().setRow(rows, 0, null, 0);
    let calls = 0;
    const counting: FileSystem = new Proxy(fs, {
      get(target, key) {
        const value = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (key !== "cstr") calls++;
          return (value as (...a: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    const confined = must(openRoot(must(operatorPaths(counting, "/")), dest, { links: "beneath" }));
    const setter = new Attributes(confined, all, report);
    const stat = newStat();
    confined.lstatRow(rows, 0, stat);
    calls = 0;
    setter.setRow(rows, 0, stat, 0);
    expect(calls).toBe(0);
    chownSync(`${dest}/sub/file`, rows.uid[0], rows.gid[0]);
    confined.close();
  });
});
