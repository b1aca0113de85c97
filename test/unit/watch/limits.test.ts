/** The kernel's limits: what is said when one is too small, down to the line that raises it. */
import { expect, test } from "vitest";
import { type FileSystem } from "../../../src/posix/filesystem.ts";
import { limitAdvice, raiseLines } from "../../../src/watch/limits.ts";
import { testFileSystem } from "../files/_fs.ts";

/** A file system whose /proc says this. */
function fileSystemOf(text: string | null): FileSystem {
  const fs = testFileSystem("node");
  const own = {
    openat: () => (text === null ? -fs.constants.E.ENOENT : 5),
    close: () => 0,
    read: (_fd: number, ptr: number) => fs.memory.writeLatin1(ptr, text!),
  };
  return Object.assign(Object.create(fs) as FileSystem, own);
}

test("a limit that is too small is named with the exact line and file", () => {
  const what = "70000 directories are to be watched";
  expect(limitAdvice(fileSystemOf("8192\n"), "inotify/max_user_watches", 70_000, what)).toEqual([
    `${what}, but /proc/sys/fs/inotify/max_user_watches allows 8192.`,
    "To raise it now:      sysctl -w fs.inotify.max_user_watches=262144",
    "To raise it for good: echo 'fs.inotify.max_user_watches=262144' > /etc/sysctl.d/60-wsync-watch.conf"
      + " && sysctl --system",
  ]);
});

test("a large enough limit, or none, is no matter", () => {
  expect(limitAdvice(fileSystemOf("70000\n"), "inotify/max_user_watches", 70_000, "")).toEqual([]);
  expect(limitAdvice(fileSystemOf(null), "fanotify/max_user_marks", 70_000, "")).toEqual([]);
  expect(raiseLines("inotify/max_user_instances", 256)[0]).toContain("fs.inotify.max_user_instances=512");
});
