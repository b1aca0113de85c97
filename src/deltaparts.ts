/** What "wsync/delta" is made of: signatures, deltas and patches over streams, which need no files and no network. */
export { withPlainMemory } from "./checksum/kernels.ts";
export { ProtocolError, UsageError, WsyncError } from "./errors.ts";
export type { DeltaFunction, PatchFunction, SignatureFunction } from "./library/api.ts";
export { makeDelta } from "./library/delta.ts";
export { KernelPool } from "./library/kernelpool.ts";
export { applyDelta } from "./library/patch.ts";
export { makeSignature } from "./library/signature.ts";
export { collect } from "./library/sources.ts";
