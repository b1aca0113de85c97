/**
 * The library in browsers. `signature`, `delta` and `patch` work everywhere; long files and `sync` belong in a worker,
 * so that the page stays awake.
 */
import { runServe, runSync, runWatch } from "../src/binding.ts";
import { type Host, type ServeFunction, type SyncFunction, type WatchFunction } from "../src/index.ts";
import { createHost } from "./_browserhost.ts";

export * from "../src/index.ts";
export { BlobFiles } from "./_blobfiles.ts";
export { DirectoryFiles } from "./_directoryfiles.ts";
export { connectWebSocket } from "./_websocket.ts";
export { delta, patch, signature } from "./_browserdelta.ts";
export { createHost };

const hosts: Host[] = [];
const host = (): Host => (hosts[0] ??= createHost());

/** Brings a target up to date with a source, over connections and file systems of the caller's; see SyncFunction. */
export const sync: SyncFunction = (source, target, options) => runSync(host(), source, target, options);

/** Keeps remote targets up to date with a place in another file system; see WatchFunction. */
export const watch: WatchFunction = (source, target, options) => runWatch(host(), source, target, options);

/** Offers modules to rsync clients over connections that the caller brings; see ServeFunction. */
export const serve: ServeFunction = (modules, options) => runServe(host(), null, modules, options);
