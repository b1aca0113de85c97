import { describe, expect, test } from "vitest";
import { InternalError } from "../../../src/errors.ts";
import {
  blockDigestLength, blockRules, fileDigest, transferDigest, type Digest,
} from "../../../src/checksum/digest.ts";
import type { ChecksumName, ProtocolContext } from "../../../src/protocol/context.ts";
import { freshKernels, hex, noise, place, vectors } from "../assembly/harness.ts";

const kernels = freshKernels();
type SumRow = [ChecksumName, 0 | 1, number, number, number, string, string, string];

function context(transferChecksum: ChecksumName, checksumSeed = 0, properSeedOrder = true): ProtocolContext {
  return { transferChecksum, checksumSeed, properSeedOrder } as ProtocolContext;
}

function finish(digest: Digest): string {
  const out = new Uint8Array(24).fill(0xee);
  const length = digest.final(out, 2);
  expect([out[0], out[1], out[2 + length]], "only its own bytes are written").toEqual([0xee, 0xee, 0xee]);
  expect(length).toBe(digest.byteLength);
  return hex(out.subarray(2, 2 + length));
}

describe("against rsync's checksum.c", () => {
  const rows = vectors<SumRow[]>("rsync-sums.json");
  const data = Uint8Array.from({ length: 70000 }, (_, i) => Math.imul(Math.imul(i + 1, i + 1), 2654435761) >>> 24);
  const ptr = place(kernels, data);

  test("whole-file sums of a transfer, from linear memory and from arrays", () => {
    for (const [name, first, seed, length, , , whole] of rows) {
      const digest = transferDigest(kernels, context(name, seed, first === 1));
      digest.update(ptr, length);
      expect(finish(digest), `${name} length ${length} seed ${seed}`).toBe(whole);
      digest.init();
      digest.updateBytes(data.subarray(0, length));
      expect(finish(digest), `${name} length ${length} seed ${seed}, as an array`).toBe(whole);
      digest.release();
    }
  });

  test("sums of --checksum hold no seed", () => {
    for (const [name, , , length, , , , file] of rows) {
      const digest = fileDigest(kernels, name);
      digest.update(ptr, length);
      expect(finish(digest), `${name} length ${length}`).toBe(file);
      digest.release();
    }
  });

  test("blockRules give strongSum what get_checksum2 knows", () => {
    for (const [name, first, seed, length, , block] of rows) {
      const rules = blockRules(context(name, seed, first === 1));
      const out = kernels.memory.alloc(64);
      const { algorithm, seedFirst } = rules;
      const byteLength = kernels.wasm.strongSum(algorithm, rules.seed, seedFirst, ptr, length, out, kernels.scratch);
      expect(hex(kernels.memory.u8.slice(out, out + byteLength)), `${name} length ${length} seed ${seed}`).toBe(block);
      kernels.memory.release(out);
    }
  });
});

test("digests live side by side, and a released slot is used again", () => {
  const bytes = noise(1000);
  const one = fileDigest(kernels, "md5");
  const other = fileDigest(kernels, "md5");
  for (let at = 0; at < 1000; at += 100) {
    one.updateBytes(bytes.subarray(at, at + 100));
    other.updateBytes(bytes.subarray(at, at + 50));
  }
  const alone = fileDigest(kernels, "md5");
  alone.updateBytes(bytes);
  const whole = finish(alone);
  expect(finish(one)).toBe(whole);
  expect(finish(other)).not.toBe(whole);
  const pages = kernels.memory.u8.length;
  for (const digest of [one, other, alone]) digest.release();
  for (let i = 0; i < 1000; i++) {
    const digest = fileDigest(kernels, "xxh128");
    digest.updateBytes(bytes);
    digest.release();
  }
  expect(kernels.memory.u8.length).toBe(pages);
});

test("no checksum is one zero byte, and has no block sums", () => {
  const digest = transferDigest(kernels, context("none"));
  digest.updateBytes(noise(10));
  expect(finish(digest)).toBe("00");
  expect(() => blockRules(context("none"))).toThrow(InternalError);
});

test("at most sixteen bytes of a block's strong sum travel", () => {
  expect(blockDigestLength(context("sha1"))).toBe(16);
  expect(blockDigestLength(context("md5"))).toBe(16);
  expect(blockDigestLength(context("xxh64"))).toBe(8);
});
