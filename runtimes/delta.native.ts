/** The part of the library that needs no files and no network, by itself: "wsync/delta" on Node, Deno and Bun. */
export { delta, patch, signature } from "./_nativedelta.ts";
export { collect, ProtocolError, UsageError, WsyncError } from "../src/deltaparts.ts";
