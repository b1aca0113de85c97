/** Foreign functions on Node.js, by koffi. */
import { createRequire } from "node:module";
import { type Ffi, type FfiFunction, type FfiSignature, type FfiType } from "../src/host.ts";
import { bindAll, lazyFunctions } from "./_ffi.ts";

type AsyncFunction = FfiFunction & { async(...args: unknown[]): void };

interface Library {
  func(name: string, result: string, args: string[]): AsyncFunction;
}

type Dlsym = (handle: number, name: string) => number | bigint;

/** The part of koffi that is used. */
export interface Koffi {
  load(library: string | null, options?: { deep: boolean }): Library;
  address(view: Uint8Array): bigint;
  errno(): number;
}

const KOFFI_TYPES: Readonly<Record<FfiType, string>> = {
  i32: "int32_t", u32: "uint32_t", i64: "int64_t", u64: "uint64_t", ptr: "uintptr_t", void: "void",
};

/**
 * Loads koffi as the module at `url` would. Its native file is asked for first: koffi's own entry takes five
 * milliseconds longer to find the same file.
 */
export function loadKoffi(url: string): Koffi {
  const { platform, arch } = process;
  const require = createRequire(url);
  try {
    return require(`@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`) as Koffi;
  } catch {
    return require("koffi") as Koffi;
  }
}

/** The Host's foreign functions over koffi. */
export function koffiFfi(koffi: Koffi): Ffi {
  const bind = (library: Library) => (name: string, { args, result }: FfiSignature) =>
    library.func(name, KOFFI_TYPES[result], args.map((type) => KOFFI_TYPES[type]));
  return {
    dlopen(name, symbols) {
      try {
        // Node exports a zlib of its own: a library must bind to itself first, or the system's libz calls that one.
        const library = koffi.load(name, { deep: name !== null });
        if (name !== null) return bindAll(symbols, bind(library));
        const dlsym = library.func("dlsym", "uintptr_t", ["uintptr_t", "str"]) as unknown as Dlsym;
        return lazyFunctions(symbols, (symbol) => Number(dlsym(0, symbol)) !== 0, bind(library));
      } catch {
        return null;
      }
    },
    addressOf: (view) => Number(koffi.address(view)),
    errno: () => koffi.errno(),
  };
}
