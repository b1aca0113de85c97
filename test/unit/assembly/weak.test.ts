import { expect, test } from "vitest";
import { freshKernels, noise, place } from "./harness.ts";
import { weakReference } from "./reference.ts";

const kernels = freshKernels();
const sum = (ptr: number, byteLength: number): number => kernels.wasm.weakSum(ptr, byteLength) >>> 0;

test("every length around rows and lanes, at every alignment", () => {
  const bytes = noise(400);
  for (let skew = 0; skew < 17; skew++) {
    const ptr = place(kernels, bytes, skew);
    for (let length = 0; length <= 200; length++) {
      expect(sum(ptr, length), `length ${length} skew ${skew}`).toBe(weakReference(bytes.subarray(0, length)));
    }
  }
});

test("bytes before and after the block do not matter", () => {
  const inner = noise(77);
  for (const around of [0x00, 0x7f, 0x80, 0xff]) {
    const bytes = new Uint8Array(300).fill(around);
    bytes.set(inner, 100);
    expect(sum(place(kernels, bytes) + 100, 77)).toBe(weakReference(inner));
  }
});

test("extreme bytes wrap as 16 bits", () => {
  for (const value of [0x7f, 0x80, 0xff, 0x01]) {
    for (const length of [700, 8192, 131072]) {
      const bytes = new Uint8Array(length).fill(value);
      expect(sum(place(kernels, bytes), length)).toBe(weakReference(bytes));
    }
  }
});

test("a block at the very start of the allocated heap", () => {
  const { memory, wasm } = freshKernels();
  const ptr = wasm.heapStart();
  const bytes = noise(45);
  memory.u8.set(bytes, ptr);
  expect(wasm.weakSum(ptr, 45) >>> 0).toBe(weakReference(bytes));
});
