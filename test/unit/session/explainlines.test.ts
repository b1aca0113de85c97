/** What lines of a run say about a name. */
import { describe, expect, it } from "vitest";
import { readLine } from "../../../src/session/explainlines.ts";

const says = (text: string, name: string, isError = false): string | null =>
  readLine(text, name, isError, ["src", "/data/dst/", "."])?.verdict ?? null;

describe("readLine", () => {
  it.each([
    ["a/b is uptodate", "up to date"], ["a/b exists", "skipped"], ["a/b exists (file change)", "skipped"],
    ["a/b is newer", "skipped"], ["a/b is over max-size", "skipped"], ['not creating new file "a/b"', "skipped"],
    ['skipping non-regular file "a/b"', "skipped"], ["skipping directory a/b", "skipped"],
    ["[sender] skipping mount-point dir a/b", "skipped"], ['ignoring unsafe symlink "a/b" -> "/x"', "skipped"],
    ["cannot delete non-empty directory: a/b", "kept"], ["skipping overly long name: a/b", "refused"],
    ["x/a/b is newer", null], ["a/b is newer than ever", null], ["a/b", null],
  ])("%s", (text, verdict) => {
    expect(says(text, "a/b")).toBe(verdict);
  });

  it.each([
    ['rsync: [sender] opendir "/home/me/src/a/b" failed: Permission denied (13)', "a/b", "refused"],
    ['rsync: [receiver] mkstemp "/data/dst/a/b" failed: Permission denied (13)', "a/b", "refused"],
    ['file has vanished: "a/b"', "a/b", "refused"], ['file has vanished: "c/a/b"', "a/b", "refused"],
  ])("%s", (text, name, verdict) => {
    expect(says(text, name, true)).toBe(verdict);
  });

  it("a path of another place is another name's", () => {
    const text = 'rsync: [sender] opendir "/home/me/src/c/b" failed: Permission denied (13)';
    expect(readLine(text, "b", true, ["src"])).toBeNull();
    expect(readLine(text, "c/b", true, ["./src/"])).toEqual({ verdict: "refused", reason: text });
    expect(readLine(text, "c/b", false, ["src"])).toBeNull();
  });
});
