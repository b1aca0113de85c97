import { describe, expect, test } from "vitest";
import type { ChecksumName } from "../../../src/protocol/context.ts";
import { ChecksumNumber } from "../../../src/checksum/registry.ts";
import { freshKernels, hex, noise, number, place, streamed, utf8, vectors } from "./harness.ts";
import { md4Reference, md5Reference, sha1Reference, xxh3LongReference, xxh64Reference } from "./reference.ts";

const kernels = freshKernels();
type Published = Record<"md4" | "md5" | "sha1", [string, string, number?][]>;
const references = { md4: md4Reference, md5: md5Reference, sha1: sha1Reference } as const;
const names = ["md4", "md5", "sha1", "xxh64", "xxh3", "xxh128"] as const;

describe.each(["md4", "md5", "sha1"] as const)("%s", (name) => {
  test("published vectors", () => {
    for (const [text, digest, times] of vectors<Published>("digests.json")[name]) {
      const bytes = utf8(text.repeat(times ?? 1));
      expect(hex(streamed(kernels, name, place(kernels, bytes), bytes.length)), text).toBe(digest);
      if (bytes.length < 1000) expect(hex(references[name](bytes)), `reference, ${text}`).toBe(digest);
    }
  });

  test("every length up to three chunks equals the reference", () => {
    const bytes = noise(200);
    const ptr = place(kernels, bytes, 3);
    for (let length = 0; length <= 200; length++) {
      expect(hex(streamed(kernels, name, ptr, length)), `length ${length}`).toBe(
        hex(references[name](bytes.subarray(0, length))),
      );
    }
  });
});

describe("xxHash", () => {
  type Row = [number, string, string, string, string, string, string];
  const rows = vectors<Row[]>("xxhash.json");
  const data = new Uint8Array(20000);
  let gen = 2654435761n;
  for (let i = 0; i < data.length; i++) {
    data[i] = Number(gen >> 56n);
    gen = BigInt.asUintN(64, gen * 11400714785074694797n);
  }
  const ptr = place(kernels, data);
  const columns: [ChecksumName, bigint][] = [
    ["xxh64", 0n], ["xxh64", 2654435761n], ["xxh3", 0n], ["xxh3", 11400714785074694797n], ["xxh128", 0n],
    ["xxh128", 11400714785074694797n],
  ];

  test.each(columns)("libxxhash's digests at every length: %s seed %s", (name, seed) => {
    const column = columns.findIndex(([other, otherSeed]) => other === name && otherSeed === seed) + 1;
    for (const row of rows) {
      const digest = number(streamed(kernels, name, ptr, row[0], [], seed));
      expect(digest, `length ${row[0]}`).toBe(BigInt(`0x${row[column]}`));
    }
  });

  test("xxh64 equals the reference", () => {
    for (const length of [0, 1, 3, 4, 7, 8, 31, 32, 33, 63, 64, 65, 100, 1000]) {
      for (const seed of [0n, 7n, (1n << 64n) - 5n]) {
        const digest = number(streamed(kernels, "xxh64", ptr, length, [], seed));
        expect(digest, `length ${length}`).toBe(xxh64Reference(data.subarray(0, length), seed));
      }
    }
  });

  test("long XXH3 equals the reference", () => {
    for (const length of [241, 256, 257, 1023, 1024, 1025, 1088, 1089, 2048, 3000, 5121]) {
      for (const seed of [0n, 7n, (1n << 64n) - 5n]) {
        const { low, high } = xxh3LongReference(data.subarray(0, length), seed);
        const wide = number(streamed(kernels, "xxh128", ptr, length, [], seed));
        expect(number(streamed(kernels, "xxh3", ptr, length, [], seed)), `64, length ${length}`).toBe(low);
        expect(wide, `128, length ${length}`).toBe((high << 64n) | low);
      }
    }
  });
});

describe.each(names)("streaming %s", (name) => {
  const bytes = noise(2500, 9);
  const ptr = place(kernels, bytes);
  const whole = (length: number): string => hex(streamed(kernels, name, ptr, length, [], 77n));

  test("every split in two, lengths around chunk, buffer and block edges", () => {
    for (const length of [63, 64, 65, 128, 240, 241, 256, 257, 320, 512, 513, 1025]) {
      const expected = whole(length);
      for (let split = 0; split <= length; split++) {
        expect(hex(streamed(kernels, name, ptr, length, [split], 77n)), `${length} split at ${split}`).toBe(expected);
      }
    }
  });

  test("every split in three around the buffer's edges", () => {
    const expected = whole(1400);
    for (const first of [0, 1, 31, 63, 64, 65, 192, 193, 255, 256, 257, 300]) {
      for (let second = first; second <= first + 330; second++) {
        expect(hex(streamed(kernels, name, ptr, 1400, [first, second], 77n)), `${first}, ${second}`).toBe(expected);
      }
    }
  });

  test("steps of one size", () => {
    const expected = whole(2500);
    for (const step of [1, 3, 16, 63, 64, 65, 255, 256, 257, 1000]) {
      const splits = Array.from({ length: Math.floor(2500 / step) }, (_, i) => (i + 1) * step);
      expect(hex(streamed(kernels, name, ptr, 2500, splits, 77n)), `step ${step}`).toBe(expected);
    }
  });
});

test("several slots of different algorithms live at once", () => {
  const bytes = noise(3000, 5);
  const ptr = place(kernels, bytes);
  const { memory, wasm } = kernels;
  const slots = names.flatMap((name) => [name, name]).map((name, i) => {
    const slot = memory.alloc(wasm.slotBytes() + 64);
    wasm.digestInit(slot, ChecksumNumber[name], 0, 0);
    return { name, slot, offset: i * 10 };
  });
  for (let at = 0; at < 2000; at += 50) {
    for (const { slot, offset } of slots) wasm.digestUpdate(slot, ptr + offset + at, 50);
  }
  for (const { name, slot, offset } of slots) {
    const out = slot + wasm.slotBytes();
    const length = wasm.digestFinal(slot, out);
    expect(hex(memory.u8.slice(out, out + length)), name).toBe(hex(streamed(kernels, name, ptr + offset, 2000)));
  }
});

test("MD4 before protocol 27 writes 32 bits of the bit count, MD4 all 64", () => {
  const { memory, wasm } = kernels;
  const data = place(kernels, noise(5));
  const run = (name: ChecksumName, total: bigint): string => {
    const slot = memory.alloc(wasm.slotBytes() + 64);
    wasm.digestInit(slot, ChecksumNumber[name], 0, 0);
    // Pretends that 2^29 bytes and a few were taken: the count is the slot's second word pair (assembly/memory.ts).
    memory.view.setBigUint64(slot + 8, total, true);
    wasm.digestUpdate(slot, data, 5);
    const length = wasm.digestFinal(slot, slot + wasm.slotBytes());
    const digest = hex(memory.u8.slice(slot + wasm.slotBytes(), slot + wasm.slotBytes() + length));
    memory.release(slot);
    return digest;
  };
  const long = 1n << 29n;
  expect(run("md4", long)).not.toBe(run("md4-busted", long));
  expect(run("md4", 0n)).toBe(run("md4-busted", 0n));
  expect(run("md4-old", long)).toBe(run("md4", long));
  expect(run("md4-archaic", long)).toBe(run("md4-busted", long));
});
