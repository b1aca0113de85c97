/** Signatures, deltas and patches in browsers. What the functions do is told in src/library/api.ts. */
import {
  applyDelta, type DeltaFunction, KernelPool, makeDelta, makeSignature, type PatchFunction, type SignatureFunction,
  withPlainMemory,
} from "../src/deltaparts.ts";
import { kernelBytes } from "./_kernels.ts";

/**
 * The kernels' bytes, which a bundle for browsers always carries; for a memory that is not shared, since a shared one
 * needs special headers from the page's server.
 */
export function embeddedKernels(): Uint8Array {
  return withPlainMemory(kernelBytes(() => {
    throw new Error("this bundle was built without its kernels");
  }));
}

const pool = /* @__PURE__ */ new KernelPool({ bytes: embeddedKernels, shared: false });

/** Signs a file's blocks; see SignatureFunction. */
export const signature: SignatureFunction = (basis, options) => makeSignature(pool, basis, options);

/** Works out a delta; see DeltaFunction. */
export const delta: DeltaFunction = (sums, data, options) => makeDelta(pool, sums, data, options);

/** Applies a delta; see PatchFunction. */
export const patch: PatchFunction = (basis, change, options) => applyDelta(pool, basis, change, options);
