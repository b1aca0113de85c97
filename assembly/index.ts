/** The whole wasm interface: re-exports only. src/checksum/kernels.ts types it. */
export { heapStart, scratchBytes, slotBytes } from "./memory";
export { weakSum } from "./weak";
export { digestFinal, digestInit, digestUpdate } from "./digest";
export { signature, strongSum } from "./signature";
export { moveBytes, searchBuild, searchWindow } from "./search";
