import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LimitError } from "../../../src/errors.ts";
import { loadKernels, withPlainMemory } from "../../../src/checksum/kernels.ts";
import { hex, noise, place, streamed } from "../assembly/harness.ts";

const bytes = readFileSync(new URL("../../../build/wsync.wasm", import.meta.url));

test("the memory is shared, grows on demand and stops at its limit", () => {
  const kernels = loadKernels(bytes, 512);
  expect(kernels.memory.wasm.buffer).toBeInstanceOf(SharedArrayBuffer);
  const before = kernels.memory.u8.length;
  const ptr = kernels.memory.alloc(2 * before);
  expect(kernels.memory.u8.length).toBeGreaterThan(before);
  expect(ptr + 2 * before).toBeLessThanOrEqual(kernels.memory.u8.length);
  expect(() => kernels.memory.alloc(512 * 65536)).toThrow(LimitError);
});

test("the same kernels work over a memory that is not shared, which never moves", () => {
  const plain = loadKernels(withPlainMemory(bytes), 64, false);
  expect(plain.memory.wasm.buffer).toBeInstanceOf(ArrayBuffer);
  const { u8 } = plain.memory;
  const ptr = plain.memory.alloc(1 << 20);
  expect(plain.memory.u8).toBe(u8);
  expect(() => plain.memory.alloc(64 * 65536)).toThrow(LimitError);
  const data = noise(5000);
  plain.memory.u8.set(data, ptr);
  const shared = loadKernels(bytes, 64);
  expect(plain.wasm.weakSum(ptr, 5000)).toBe(shared.wasm.weakSum(place(shared, data), 5000));
  expect(() => withPlainMemory(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))).toThrow(RangeError);
});

test("two loads share nothing", () => {
  const [one, two] = [loadKernels(bytes, 64), loadKernels(bytes, 64)];
  const data = noise(500);
  const [p, q] = [place(one, data), place(two, data)];
  one.memory.u8.fill(0, p, p + 500);
  expect(hex(streamed(two, "md5", q, 500))).not.toBe(hex(streamed(one, "md5", p, 500)));
});

test("regions beyond 2 GiB are addressed unsigned", () => {
  const kernels = loadKernels(bytes);
  const data = noise(100_000);
  const low = place(kernels, data);
  kernels.memory.alloc(2 ** 31);
  const high = place(kernels, data);
  expect(high).toBeGreaterThan(2 ** 31);
  for (const name of ["md5", "xxh128", "xxh64", "sha1"] as const) {
    expect(hex(streamed(kernels, name, high, data.length, [1]))).toBe(hex(streamed(kernels, name, low, data.length)));
  }
  expect(kernels.wasm.weakSum(high, 700)).toBe(kernels.wasm.weakSum(low, 700));
});

test("bytes that are no kernels are refused", () => {
  expect(() => loadKernels(Uint8Array.of(0, 97, 115, 109, 9, 0, 0, 0))).toThrow(WebAssembly.CompileError);
});
