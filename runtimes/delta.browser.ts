/** The part of the library that needs no files and no network, by itself: "wsync/delta" in browsers. */
export { delta, patch, signature } from "./_browserdelta.ts";
export { collect, ProtocolError, UsageError, WsyncError } from "../src/deltaparts.ts";
