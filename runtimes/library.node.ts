/** The library on Node.js. What the functions do is told in src/library/api.ts. */
import { runSync } from "../src/binding.ts";
import { type Host, type SyncFunction } from "../src/index.ts";
import { createHost } from "./_nodehost.ts";

export * from "../src/index.ts";
export { delta, patch, signature } from "./_nativedelta.ts";
export { openFile, OpenedFile, TarFile } from "./_openfile.ts";
export { createHost };

const hosts: Host[] = [];
const host = (): Host => (hosts[0] ??= createHost());

/** Brings a target up to date with a source; see SyncFunction. */
export const sync: SyncFunction = (source, target, options) => runSync(host(), source, target, options);
