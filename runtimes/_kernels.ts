/** The kernels' bytes: embedded by the bundler as base64, or read from build/ when the sources run as they are. */

/** Set by runtimes/build.mjs in bundles only. */
declare const WSYNC_KERNELS: string | undefined;

/** Newer runtimes decode by themselves, at once. */
interface Base64Array {
  readonly fromBase64?: (text: string) => Uint8Array;
}

/** The bytes of build/wsync.wasm, read by the runtime's `readFile`, whose error it throws when it was never built. */
export function kernelBytes(readFile: (url: URL) => Uint8Array): Uint8Array {
  if (typeof WSYNC_KERNELS !== "string") return readFile(new URL("../build/wsync.wasm", import.meta.url));
  const base64 = WSYNC_KERNELS;
  const { fromBase64 } = Uint8Array as Base64Array;
  if (fromBase64) return fromBase64.call(Uint8Array, base64);
  if (typeof Buffer === "function") return Buffer.from(base64, "base64");
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
