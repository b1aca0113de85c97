import { expect, test } from "vitest";
import { ChecksumNumber, checksumLength, flistChecksumLength } from "../../../src/checksum/registry.ts";
import type { ChecksumName } from "../../../src/protocol/context.ts";
import { freshKernels, noise, place, streamed } from "../assembly/harness.ts";

const names = Object.keys(ChecksumNumber) as ChecksumName[];

test("lengths are those the kernels write", () => {
  const kernels = freshKernels();
  const ptr = place(kernels, noise(100));
  for (const name of names) expect(streamed(kernels, name, ptr, 100), name).toHaveLength(checksumLength(name));
});

test("only the oldest MD4 is cut in file lists", () => {
  const cut = names.filter((name) => flistChecksumLength(name) !== checksumLength(name));
  expect(cut).toEqual(["md4-archaic"]);
  expect(flistChecksumLength("md4-archaic")).toBe(2);
});
