import { describe, expect, test } from "vitest";
import { munged, sanitized } from "../../../src/flist/munge.ts";
import { bytesOf, latin1 } from "../../../src/memory.ts";

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

describe("targets of symlinks as they are stored", () => {
  test("munged ones lead nowhere", () => {
    expect(text(munged(bytesOf("../x")))).toBe("/rsyncd-munged/../x");
  });

  test.each([
    [0, "../../etc/passwd", "etc/passwd"],
    [0, "/etc/passwd", "etc/passwd"],
    [1, "../x", "../x"],
    [1, "../../x", "../x"],
    [2, "../../x/../../y", "../../y"],
    [2, "x/../../y", "../y"],
    [0, "/", "."],
    [0, "", ""],
  ])("%i directories down, %s is kept within the transfer: %s", (depth, target, stored) => {
    expect(text(sanitized(bytesOf(target), depth))).toBe(stored);
  });
});
