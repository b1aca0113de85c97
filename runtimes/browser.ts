/**
 * The library in browsers. `signature`, `delta` and `patch` work everywhere; long files and `sync` belong in a worker,
 * so that the page stays awake.
 */
import { applyDelta, KernelPool, makeDelta, makeSignature, runSync } from "../src/binding.ts";
import {
  type DeltaFunction, type Host, type PatchFunction, type SignatureFunction, type SyncFunction,
} from "../src/index.ts";
import { createHost, embeddedKernels } from "./_browserhost.ts";

export * from "../src/index.ts";
export { BlobFiles } from "./_blobfiles.ts";
export { createHost };

const pool = /* @__PURE__ */ new KernelPool({ bytes: embeddedKernels, shared: false });
const hosts: Host[] = [];
const host = (): Host => (hosts[0] ??= createHost());

/** Signs a file's blocks; see SignatureFunction. */
export const signature: SignatureFunction = (basis, options) => makeSignature(pool, basis, options);

/** Works out a delta; see DeltaFunction. */
export const delta: DeltaFunction = (sums, data, options) => makeDelta(pool, sums, data, options);

/** Applies a delta; see PatchFunction. */
export const patch: PatchFunction = (basis, change, options) => applyDelta(pool, basis, change, options);

/** Brings a target up to date with a source, over connections and file systems of the caller's; see SyncFunction. */
export const sync: SyncFunction = (source, target, options) => runSync(host(), source, target, options);
