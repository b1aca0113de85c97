/** The library on Bun. What the functions do is told in src/library/api.ts. */
import { runServe, runSync, runWatch } from "../src/binding.ts";
import { type Host, type ServeFunction, type SyncFunction, type WatchFunction } from "../src/index.ts";
import { listen } from "./_listen.ts";
import { createHost } from "./_bunhost.ts";

export * from "../src/index.ts";
export { delta, patch, signature } from "./_nativedelta.ts";
export { openFile, OpenedFile, TarFile } from "./_openfile.ts";
export { createHost };

const hosts: Host[] = [];
const host = (): Host => (hosts[0] ??= createHost());

/** Brings a target up to date with a source; see SyncFunction. */
export const sync: SyncFunction = (source, target, options) => runSync(host(), source, target, options);

/** Keeps targets up to date with a source; see WatchFunction. */
export const watch: WatchFunction = (source, target, options) => runWatch(host(), source, target, options);

/** Offers modules to rsync clients; see ServeFunction. */
export const serve: ServeFunction = (modules, options) => runServe(host(), listen, modules, options);
