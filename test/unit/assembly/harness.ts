/** What the kernel tests share: the built kernels, data, and short ways to call the exports on byte arrays. */
import { readFileSync } from "node:fs";
import { loadKernels, type Kernels } from "../../../src/checksum/kernels.ts";
import { ChecksumNumber } from "../../../src/checksum/registry.ts";
import type { ChecksumName } from "../../../src/protocol/context.ts";

/** Kernels over a fresh memory. */
export function freshKernels(): Kernels {
  return loadKernels(readFileSync(new URL("../../../build/wsync.wasm", import.meta.url)));
}

/** Parsed JSON vector file. */
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), "utf8")) as T;
}

/** Reproducible bytes; every value occurs. */
export function noise(byteLength: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  let x = seed >>> 0 || 1;
  for (let i = 0; i < byteLength; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x >>> 11;
  }
  return bytes;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Little-endian digest bytes as a number. */
export function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes.slice().reverse())}`);
}

/** Copies bytes into new linear memory, behind `skew` bytes, and returns their address. */
export function place(kernels: Kernels, bytes: Uint8Array, skew = 0): number {
  const ptr = kernels.memory.alloc(bytes.length + skew + 64) + skew;
  kernels.memory.u8.set(bytes, ptr);
  return ptr;
}

/** Digests [ptr, ptr + byteLength) on a slot of its own, split after the given counts. */
export function streamed(
  kernels: Kernels, name: ChecksumName, ptr: number, byteLength: number, splits: readonly number[] = [], seed = 0n,
): Uint8Array {
  const { memory, wasm } = kernels;
  const slot = memory.alloc(wasm.slotBytes() + 64);
  wasm.digestInit(slot, ChecksumNumber[name], Number(BigInt.asIntN(32, seed)), Number(BigInt.asIntN(32, seed >> 32n)));
  let at = 0;
  for (const split of [...splits, byteLength]) {
    wasm.digestUpdate(slot, ptr + at, split - at);
    at = split;
  }
  const out = slot + wasm.slotBytes();
  const length = wasm.digestFinal(slot, out);
  const digest = memory.u8.slice(out, out + length);
  memory.release(slot);
  return digest;
}

/** A block's strong sum under rsync's seed rules. */
export function strong(
  kernels: Kernels, name: ChecksumName, ptr: number, byteLength: number, seed = 0, seedFirst: 0 | 1 = 1,
): Uint8Array {
  const { memory, wasm } = kernels;
  const out = memory.alloc(64);
  const length = wasm.strongSum(ChecksumNumber[name], seed, seedFirst, ptr, byteLength, out, kernels.scratch);
  const digest = memory.u8.slice(out, out + length);
  memory.release(out);
  return digest;
}
