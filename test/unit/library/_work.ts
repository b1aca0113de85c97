/** What the library's tests share: kernels on loan, data, and streams cut into odd pieces. */
import { readFileSync } from "node:fs";
import { makeDelta, type DeltaOptions } from "../../../src/library/delta.ts";
import { KernelPool } from "../../../src/library/kernelpool.ts";
import { applyDelta } from "../../../src/library/patch.ts";
import { makeSignature, type SignatureOptions } from "../../../src/library/signature.ts";
import { collect } from "../../../src/library/sources.ts";

/** One pool for all tests: memory that is not given back shows in the next one. */
export const pool = new KernelPool({
  bytes: () => readFileSync(new URL("../../../build/wsync.wasm", import.meta.url)),
  shared: true,
});

/** A stream of `bytes` in pieces of `size`. */
export async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export function signatureOf(basis: Uint8Array, options: SignatureOptions = {}): Promise<Uint8Array> {
  return collect(makeSignature(pool, basis, options));
}

export function deltaOf(signature: Uint8Array, data: Uint8Array, options: DeltaOptions = {}): Promise<Uint8Array> {
  return collect(makeDelta(pool, signature, data, options));
}

export function patched(basis: Uint8Array, delta: Uint8Array): Promise<Uint8Array> {
  return collect(applyDelta(pool, basis, delta));
}
