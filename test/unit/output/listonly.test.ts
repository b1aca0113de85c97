/** Layout as stock rsync 3.5.0 printed it for `rsync -r --list-only [-l] [-U] [-h|--no-h] src/`. */
import { describe, expect, it } from "vitest";
import { listLine, missingLine, type ListEntry } from "../../../src/output/listonly.ts";
import { permissionString } from "../../../src/output/mode.ts";
import { Numbers } from "../../../src/output/numbers.ts";
import { timeString } from "../../../src/output/time.ts";

const MTIME = new Date(2020, 1, 3, 4, 5, 6).getTime() / 1000;
const FILE: ListEntry = {
  name: "d/big", mode: 0o100644, size: 123_456, mtime: MTIME, atime: null, crtime: null, linkTarget: null,
};

const print = (entry: Partial<ListEntry>, human = 1): string => listLine({ ...FILE, ...entry }, new Numbers(human));

describe("listLine", () => {
  it("has a column for the size at each level of -h", () => {
    expect(print({})).toBe("-rw-r--r--        123,456 2020/02/03 04:05:06 d/big\n");
    expect(print({}, 0)).toBe("-rw-r--r--      123456 2020/02/03 04:05:06 d/big\n");
    expect(print({}, 3)).toBe("-rw-r--r--        120.56K 2020/02/03 04:05:06 d/big\n");
  });

  it("shows where a symlink points when links are kept", () => {
    const link = { name: "l", mode: 0o120777, size: 1 };
    expect(print({ ...link, linkTarget: "a" })).toBe("lrwxrwxrwx              1 2020/02/03 04:05:06 l -> a\n");
    expect(print(link)).toMatch(/ l\n$/);
  });

  it("shows access times but of directories, and creation times", () => {
    const stamp = "2020/02/03 04:05:06";
    expect(print({ atime: MTIME }, 2)).toBe(`-rw-r--r--        123.46K ${stamp} ${stamp} d/big\n`);
    expect(print({ mode: 0o040755, size: 4096, name: ".", atime: MTIME }, 2))
      .toBe(`drwxr-xr-x          4.10K ${stamp} ${"".padEnd(19)} .\n`);
    expect(print({ crtime: MTIME })).toContain(`${stamp} ${stamp} d/big`);
  });
});

describe("missingLine", () => {
  it("keeps the columns", () => {
    const line = missingLine({ ...FILE, name: "gone" }, new Numbers(1));
    expect(line).toBe(`${"*missing".padEnd(45)} gone\n`);
  });
});

describe("permissionString", () => {
  it.each([
    [0o100644, "-rw-r--r--"], [0o104755, "-rwsr-xr-x"], [0o104644, "-rwSr--r--"], [0o102755, "-rwxr-sr-x"],
    [0o102745, "-rwxr-Sr-x"], [0o041777, "drwxrwxrwt"], [0o041776, "drwxrwxrwT"], [0o120777, "lrwxrwxrwx"],
    [0o060660, "brw-rw----"], [0o020666, "crw-rw-rw-"], [0o140755, "srwxr-xr-x"], [0o010600, "prw-------"],
  ])("%o", (mode, text) => {
    expect(permissionString(mode)).toBe(text);
  });
});

describe("timeString", () => {
  it("is local time, and says when there is none", () => {
    expect(timeString(MTIME)).toBe("2020/02/03 04:05:06");
    expect(timeString(1e20)).toBe("(time out of range)");
  });
});
