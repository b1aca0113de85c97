/** The whole wasm interface: re-exports only. src/checksum/kernels.ts types it. */
export { heapStart, scratchBytes, slotBytes } from "./memory";
export { weakSum } from "./weak";
export { digestFinal, digestInit, digestUpdate } from "./digest";
export { signature, strongSum } from "./signature";
export { bucketsFill, bucketsHits } from "./buckets";
export { moveBytes, searchBuild, searchSuffix, searchWindow } from "./search";
