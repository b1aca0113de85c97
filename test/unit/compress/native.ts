/** Foreign functions for these tests, over koffi: enough of Host.ffi to reach the system's compressors. */
import koffi from "koffi";
import { type Ffi, type FfiFunction, type FfiType } from "../../../src/host.ts";
import { LinearMemory } from "../../../src/memory.ts";

const TYPES: Record<FfiType, string> = {
  i32: "int32_t", u32: "uint32_t", i64: "int64_t", u64: "uint64_t", ptr: "uintptr_t", void: "void",
};

function asNumber(value: unknown): number {
  return typeof value === "bigint" ? Number(value) : (value as number);
}

export const ffi: Ffi = {
  dlopen(library, symbols) {
    // Node exports its own zlib; without deep binding libz would call into that one.
    const handle = koffi.load(library, { deep: true });
    const bound: Record<string, FfiFunction> = {};
    for (const [name, signature] of Object.entries(symbols)) {
      const call = handle.func(name, TYPES[signature.result], signature.args.map((type) => TYPES[type]));
      bound[name] = (...args) => asNumber(call(...args));
    }
    return bound;
  },
  addressOf: (view) => asNumber(koffi.address(view)),
  errno: () => koffi.errno(),
};

/** A linear memory whose native address is known. */
export function nativeMemory(): LinearMemory {
  const wasm = new WebAssembly.Memory({ initial: 64, maximum: 1024, shared: true });
  const memory = new LinearMemory(wasm, 1024, 1024);
  memory.base = ffi.addressOf(memory.u8);
  return memory;
}
