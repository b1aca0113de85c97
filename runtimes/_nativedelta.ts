/** Signatures, deltas and patches where node's modules are. What the functions do is told in src/library/api.ts. */
import { readFileSync } from "node:fs";
import {
  applyDelta, type DeltaFunction, KernelPool, makeDelta, makeSignature, type PatchFunction, type SignatureFunction,
} from "../src/deltaparts.ts";
import { kernelBytes } from "./_kernels.ts";

const pool = /* @__PURE__ */ new KernelPool({ bytes: () => kernelBytes(readFileSync), shared: true });

/** Signs a file's blocks; see SignatureFunction. */
export const signature: SignatureFunction = (basis, options) => makeSignature(pool, basis, options);

/** Works out a delta; see DeltaFunction. */
export const delta: DeltaFunction = (sums, data, options) => makeDelta(pool, sums, data, options);

/** Applies a delta; see PatchFunction. */
export const patch: PatchFunction = (basis, change, options) => applyDelta(pool, basis, change, options);
