/** Lines of a log file. */
import * as nodeFs from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LogFile } from "../../../src/output/logfile.ts";
import { timeString } from "../../../src/output/time.ts";
import { removeTree, tempDir, testFileSystem } from "../files/_fs.ts";

it.each(["libc", "node"] as const)("appends time, process and escaped text (%s)", (kind) => {
  const fs = testFileSystem(kind);
  const dir = tempDir("log");
  const path = join(dir, "log");
  nodeFs.writeFileSync(path, "old\n");
  const { O, AT } = fs.constants;
  const fd = fs.openat(AT.FDCWD, fs.cstr(path), O.WRONLY | O.APPEND | O.CREAT, 0o644);
  const log = new LogFile(fs, fd, { pid: 42, now: () => 1_700_000_000_900 });
  log.write("rsync on mod/x\x07 from host\n");
  log.write(`${"y".repeat(3000)}\n`);
  log.write("last\n");
  log.close();
  const time = timeString(1_700_000_000);
  const lines = nodeFs.readFileSync(path, "latin1").split("\n");
  expect(lines[0]).toBe("old");
  expect(lines[1]).toBe(`${time} [42] rsync on mod/x\\#007 from host`);
  expect(lines[2]).toBe(`${time} [42] ${"y".repeat(2047)}`);
  expect(lines[3]).toBe(`${time} [42] last`);
  expect(() => nodeFs.fstatSync(fd)).toThrow();
  removeTree(dir);
});
