import { describe, expect, test } from "vitest";
import { ChecksumNumber } from "../../../src/checksum/registry.ts";
import type { ChecksumName } from "../../../src/protocol/context.ts";
import { freshKernels, hex, noise, place, streamed, strong, vectors } from "./harness.ts";
import { weakReference } from "./reference.ts";

const kernels = freshKernels();
type SumRow = [ChecksumName, 0 | 1, number, number, number, string, string, string];

function sign(
  name: ChecksumName, ptr: number, byteLength: number, blockLength: number, s2length: number, seed = 0,
  seedFirst: 0 | 1 = 1,
): Uint8Array {
  const { memory, wasm } = kernels;
  const room = Math.ceil(byteLength / blockLength) * (4 + s2length);
  const out = memory.alloc(room + 64);
  memory.u8.fill(0xaa, out, out + room + 64);
  const wrote = wasm.signature(
    ChecksumNumber[name], seed, seedFirst, ptr, byteLength, blockLength, s2length, out, kernels.scratch,
  );
  expect(wrote).toBe(room);
  expect(memory.u8[out + room], "nothing is written behind the sums").toBe(0xaa);
  return memory.u8.slice(out, out + room);
}

/** The sums block by block: weak reference and the strong sum of each block alone. */
function expected(
  name: ChecksumName, bytes: Uint8Array, ptr: number, blockLength: number, s2length: number, seed: number,
  seedFirst: 0 | 1,
): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += blockLength) {
    const block = bytes.subarray(at, at + blockLength);
    const weak = new Uint8Array(4);
    new DataView(weak.buffer).setUint32(0, weakReference(block), true);
    text += hex(weak) + hex(strong(kernels, name, ptr + at, block.length, seed, seedFirst).subarray(0, s2length));
  }
  return text;
}

test("sums as rsync's checksum.c makes them, seeded and not", () => {
  const data = Uint8Array.from({ length: 70000 }, (_, i) => Math.imul(Math.imul(i + 1, i + 1), 2654435761) >>> 24);
  const ptr = place(kernels, data);
  for (const [name, seedFirst, seed, length, weak, block, , file] of vectors<SumRow[]>("rsync-sums.json")) {
    const label = `${name} length ${length} seed ${seed} first ${seedFirst}`;
    expect(kernels.wasm.weakSum(ptr, length) >>> 0, label).toBe(weak);
    expect(hex(strong(kernels, name, ptr, length, seed, seedFirst)), label).toBe(block);
    expect(hex(streamed(kernels, name, ptr, length)), label).toBe(file);
  }
});

const kinds: [ChecksumName, 0 | 1][] = [
  ["md4-archaic", 0], ["md4-busted", 0], ["md4-old", 0], ["md4", 1], ["md5", 0], ["md5", 1], ["sha1", 1], ["xxh64", 1],
  ["xxh3", 1], ["xxh128", 1],
];

describe.each(kinds)("%s, seed order %i", (name, seedFirst) => {
  test("any number of blocks equals them one by one", () => {
    const bytes = noise(700 * 30, 3);
    const ptr = place(kernels, bytes, 5);
    for (let count = 1; count <= 30; count++) {
      const span = bytes.subarray(0, count * 700 - (count % 3 === 0 ? 313 : 0));
      for (const seed of [0, -12345]) {
        expect(hex(sign(name, ptr, span.length, 700, 8, seed, seedFirst)), `${count} blocks, seed ${seed}`).toBe(
          expected(name, span, ptr, 700, 8, seed, seedFirst),
        );
      }
    }
  });

  test("any block length around the chunk edges, in wide and narrow lanes", () => {
    const bytes = noise(200 * 14, 4);
    const ptr = place(kernels, bytes);
    for (let blockLength = 1; blockLength <= 200; blockLength++) {
      for (const count of [4, 13]) {
        const span = bytes.subarray(0, count * blockLength);
        const seed = blockLength % 4 === 0 ? 0 : 99;
        expect(hex(sign(name, ptr, span.length, blockLength, 5, seed, seedFirst)), `blocks of ${blockLength}`).toBe(
          expected(name, span, ptr, blockLength, 5, seed, seedFirst),
        );
      }
    }
  });
});

test("an empty span has no sums, and every strong length is honoured", () => {
  const bytes = noise(5000);
  const ptr = place(kernels, bytes);
  expect(sign("md5", ptr, 0, 700, 16)).toHaveLength(0);
  for (let s2length = 2; s2length <= 16; s2length++) {
    expect(hex(sign("md5", ptr, 5000, 1000, s2length))).toBe(expected("md5", bytes, ptr, 1000, s2length, 0, 1));
  }
});

test("the basis is only read", () => {
  const bytes = noise(9000);
  const ptr = place(kernels, bytes);
  for (const [name] of kinds) sign(name, ptr, 9000, 700, 8, 1);
  expect(hex(kernels.memory.u8.slice(ptr, ptr + 9000))).toBe(hex(bytes));
});
