/** Foreign-function helpers that the three runtimes share. */
import { type FfiFunction, type FfiSignature } from "../src/host.ts";

/**
 * A record whose functions bind at their first call and then replace themselves, because binding costs up to 0.2 ms
 * a function and a run uses a third of the table. `has` tells whether the symbol exists.
 */
export function lazyFunctions(
  symbols: Readonly<Record<string, FfiSignature>>,
  has: (name: string) => boolean,
  bind: (name: string, signature: FfiSignature) => FfiFunction,
): Record<string, FfiFunction> {
  const functions: Record<string, FfiFunction> = {};
  for (const name of Object.keys(symbols)) {
    if (!has(name)) continue;
    functions[name] = (...args) => {
      const bound = bind(name, symbols[name]);
      functions[name] = bound;
      return bound(...args);
    };
  }
  return functions;
}

/** Binds every symbol at once; `bind` throws for those the library does not have, and they are left out. */
export function bindAll(
  symbols: Readonly<Record<string, FfiSignature>>, bind: (name: string, signature: FfiSignature) => FfiFunction,
): Record<string, FfiFunction> {
  const functions: Record<string, FfiFunction> = {};
  for (const [name, signature] of Object.entries(symbols)) {
    try {
      functions[name] = bind(name, signature);
    } catch {
      // The library has no such symbol; the caller sees that it is left out.
    }
  }
  return functions;
}

/** A NUL-terminated ASCII string outside the JavaScript heap, where the collector does not move it. */
export function cString(text: string): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(text.length + 1));
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
