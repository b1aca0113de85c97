/** The table's lines were printed by stock rsync 3.5.0 for `rsync -a --out-format=FORMAT src dst`. */
import { describe, expect, it } from "vitest";
import { LogFormat, type LogItem, type LogRun } from "../../../src/output/format.ts";
import { ItemFlag } from "../../../src/protocol/constants.ts";

const MTIME = new Date(2026, 10, 22, 21, 52, 19).getTime() / 1000;

const RUN: LogRun = {
  itemize: { local: true, preserveMtimes: true, receiverSymlinkTimes: true },
  sender: true,
  pid: 1056,
  checksumWidth: 32,
  now: () => MTIME + 1,
  itemBytes: () => ({ written: 46, read: 16 }),
};

const FILE: LogItem = {
  operation: "send", name: "src/a", mode: 0o100644, size: 3, mtime: MTIME, uid: 0, gid: 0, linkTarget: null, xname: "",
  root: null, iflags: ItemFlag.transfer | ItemFlag.isNew, checksum: "f4d0497cf9394caab34d1a3ab2bece70",
};
const DIR: LogItem = {
  ...FILE, name: "src", mode: 0o040755, size: 4096, iflags: ItemFlag.localChange | ItemFlag.isNew, checksum: null,
};
const LINK: LogItem = { ...DIR, name: "src/l", mode: 0o120777, size: 1, linkTarget: "a" };

const print = (format: string, item: LogItem, run: Partial<LogRun> = {}): string =>
  new LogFormat(format).line(item, { ...RUN, ...run });

describe("LogFormat", () => {
  it.each([
    ["[%m]", FILE, "[]"],
    ["[%P]", FILE, "[%P]"],
    ["[%u]", FILE, "[%u]"],
    ["[%h|%a]", FILE, "[%h|%a]"],
    ["[%10n|%-10n|]", FILE, "[     src/a|src/a     |]"],
    ["[%10n|%-10n|]", DIR, "[      src/|src/      |]"],
    ["%'l %''l %'''l %10l %-10l|", DIR, "4,096 4.10K 4.00K       4096 4096      |"],
    ["%U %G %05U %-5U|", FILE, "0 0 00000 0    |"],
    ["%p", FILE, "1056"],
    ["%M|%25M", FILE, "2026/11/22-21:52:19|      2026/11/22-21:52:19"],
    ["%B", FILE, "rw-r--r--"],
    ["%o %f %n%L|%20L|%-20L|", FILE, `send src/a src/a|${"".padEnd(24)}|${"".padEnd(24)}|`],
    ["%o %f %n%L|%20L|%-20L|", LINK, "send src/l src/l -> a| ->                    a| -> a                   |"],
    ["%b %c", FILE, "46 16"],
    ["%b %c", DIR, "0 0"],
    ["%C|%40C", FILE, "f4d0497cf9394caab34d1a3ab2bece70|        f4d0497cf9394caab34d1a3ab2bece70"],
    ["%C|", DIR, `${"".padEnd(32)}|`],
    ["%i", FILE, ">f+++++++++"],
    ["%5i|", DIR, "cd+++++++++|"],
    ["%% %q %", FILE, "% %q %"],
    ["%t", FILE, "2026/11/22 21:52:20"],
  ])("%s", (format, item, line) => {
    expect(print(format, item)).toBe(`${line}\n`);
  });

  it("names the other end of a hard link", () => {
    expect(print("%n%L", { ...FILE, xname: "src/b" })).toBe("src/a => src/b\n");
  });

  it("says DEFAULT for a group that is not carried over", () => {
    expect(print("%G|%9G", { ...FILE, gid: null })).toBe("DEFAULT|  DEFAULT\n");
  });

  it("prints a deletion", () => {
    const gone: LogItem = { ...FILE, operation: "del.", name: "old", iflags: ItemFlag.deleted };
    expect(print("%i %n%L", gone)).toBe("*deleting   old\n");
    expect(print("deleting %n", { ...gone, mode: 0o040755 })).toBe("deleting old/\n");
  });

  it("gives the whole path of the sender's file without its first slash", () => {
    expect(print("%f", { ...FILE, root: "/home/./me/" })).toBe("home/me/src/a\n");
    expect(print("%f", { ...FILE, root: "/home/me" }, { sender: false })).toBe("src/a\n");
  });

  it("has a daemon's values in a daemon", () => {
    const daemon = { host: "h", address: "1.2.3.4", module: "m", path: "/srv", user: "u", directory: "sub" };
    expect(print("%h %a [%m] %P (%u) %f", FILE, { sender: false, daemon })).toBe("h 1.2.3.4 [m] /srv (u) sub/src/a\n");
  });

  it("swaps sent and received bytes on the receiver", () => {
    expect(print("%b %c", FILE, { sender: false })).toBe("16 46\n");
  });
});
