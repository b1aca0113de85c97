/** The library on Bun. What the functions do is told in src/library/api.ts. */
import { applyDelta, makeDelta, makeSignature, runSync } from "../src/binding.ts";
import {
  type DeltaFunction, type Host, type PatchFunction, type SignatureFunction, type SyncFunction,
} from "../src/index.ts";
import { createHost } from "./_bunhost.ts";
import { kernelPool } from "./_openfile.ts";

export * from "../src/index.ts";
export { openFile, OpenedFile, TarFile } from "./_openfile.ts";
export { createHost };

const pool = /* @__PURE__ */ kernelPool();
const hosts: Host[] = [];
const host = (): Host => (hosts[0] ??= createHost());

/** Signs a file's blocks; see SignatureFunction. */
export const signature: SignatureFunction = (basis, options) => makeSignature(pool, basis, options);

/** Works out a delta; see DeltaFunction. */
export const delta: DeltaFunction = (sums, data, options) => makeDelta(pool, sums, data, options);

/** Applies a delta; see PatchFunction. */
export const patch: PatchFunction = (basis, change, options) => applyDelta(pool, basis, change, options);

/** Brings a target up to date with a source; see SyncFunction. */
export const sync: SyncFunction = (source, target, options) => runSync(host(), source, target, options);
