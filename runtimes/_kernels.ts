/** The kernels' bytes: embedded by the bundler as base64, or read from build/ when the sources run as they are. */
import { readFileSync } from "node:fs";

/** Set by runtimes/build.mjs in bundles only. */
declare const WSYNC_KERNELS: string | undefined;

/** The bytes of build/wsync.wasm. Throws the runtime's error when it was never built. */
export function kernelBytes(): Uint8Array {
  if (typeof WSYNC_KERNELS === "string") return Buffer.from(WSYNC_KERNELS, "base64");
  return readFileSync(new URL("../build/wsync.wasm", import.meta.url));
}
