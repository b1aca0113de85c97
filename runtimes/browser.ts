/**
 * The library in browsers. `signature`, `delta` and `patch` work everywhere; long files and `sync` belong in a worker,
 * so that the page stays awake.
 */
import { runSync } from "../src/binding.ts";
import { type Host, type SyncFunction } from "../src/index.ts";
import { createHost } from "./_browserhost.ts";

export * from "../src/index.ts";
export { BlobFiles } from "./_blobfiles.ts";
export { delta, patch, signature } from "./_browserdelta.ts";
export { createHost };

const hosts: Host[] = [];
const host = (): Host => (hosts[0] ??= createHost());

/** Brings a target up to date with a source, over connections and file systems of the caller's; see SyncFunction. */
export const sync: SyncFunction = (source, target, options) => runSync(host(), source, target, options);
