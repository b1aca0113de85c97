import { constants as node } from "node:fs";
import { constants as os } from "node:os";
import { describe, expect, test } from "vitest";
import { constantsFor, strerrorFor } from "../../../src/posix/constants.ts";

const system = process.platform === "darwin" ? "darwin" : "linux";
const mine = constantsFor(system, process.arch === "arm64" ? "arm64" : "x64");

describe("constants of this machine, against the runtime's", () => {
  test("open flags", () => {
    const names = ["RDONLY", "WRONLY", "RDWR", "CREAT", "EXCL", "TRUNC", "APPEND", "NOFOLLOW", "DIRECTORY"] as const;
    for (const name of names) {
      expect([name, mine.O[name]]).toEqual([name, node[`O_${name}`]]);
    }
  });
  test("error numbers", () => {
    const both = Object.keys(mine.E).filter((name) => name in os.errno);
    expect(both.length).toBeGreaterThan(60);
    for (const name of both) expect([name, mine.E[name]]).toEqual([name, os.errno[name as keyof typeof os.errno]]);
  });
});

describe("other systems", () => {
  test("arm64 Linux has its own directory flags", () => {
    const { O } = constantsFor("linux", "arm64");
    expect([O.DIRECTORY, O.NOFOLLOW, O.CREAT]).toEqual([0o40000, 0o100000, 0o100]);
  });
  test("Darwin numbers its errors differently and has no ENOKEY", () => {
    const { E, AT } = constantsFor("darwin", "arm64");
    expect([E.ENOTEMPTY, E.ELOOP, E.EAGAIN, E.ENOKEY, AT.FDCWD]).toEqual([66, 62, 35, undefined, -2]);
    expect(strerrorFor("darwin")(66)).toBe("Directory not empty");
  });
});

describe("wording", () => {
  test.each([
    [2, "No such file or directory"], [13, "Permission denied"], [17, "File exists"], [95, "Operation not supported"],
    [126, "Required key not available"], [0, "Success"], [4242, "Unknown error 4242"],
  ])("%d", (errno, text) => expect(strerrorFor("linux")(errno)).toBe(text));
});
