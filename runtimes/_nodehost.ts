/** The Host of Node.js. Foreign functions come from koffi, loaded at the first use. */
import process from "node:process";
import { type Ffi, type FfiFunction, type FfiSignature, type FfiType, type Host } from "../src/host.ts";
import { connectSocket } from "./_connect.ts";
import { bindAll, lazyFunctions } from "./_ffi.ts";
import { makeHost, require } from "./_nodelike.ts";

interface Library {
  func(name: string, result: string, args: string[]): FfiFunction;
}

type Dlsym = (handle: number, name: string) => number | bigint;

/** The part of koffi that is used. */
interface Koffi {
  load(library: string | null, options?: { deep: boolean }): Library;
  address(view: Uint8Array): bigint;
  errno(): number;
}

const KOFFI_TYPES: Readonly<Record<FfiType, string>> = {
  i32: "int32_t", u32: "uint32_t", i64: "int64_t", u64: "uint64_t", ptr: "uintptr_t", void: "void",
};

/** Builds the Host. Cheap: modules and koffi are loaded when first used. */
export function createHost(): Host {
  let ffi: Ffi | null | undefined;
  let missing = "";
  const loadFfi = (): Ffi | null => {
    if (ffi !== undefined) return ffi;
    try {
      ffi = koffiFfi(loadKoffi());
    } catch (error) {
      missing = `koffi cannot be loaded: ${(error as Error).message.split("\n")[0]}`;
      ffi = null;
    }
    return ffi;
  };
  return makeHost({
    runtime: "node",
    runtimeVersion: process.versions.node,
    get ffi() {
      return loadFfi();
    },
    get ffiMissing() {
      return loadFfi() === null ? missing : "";
    },
    connect: (options) => connectSocket(require("node:net"), options, loadFfi, true),
  });
}

/** koffi's native file is asked for first: koffi's own entry takes five milliseconds longer to find the same file. */
function loadKoffi(): Koffi {
  if (process.env.WSYNC_NO_FFI) throw new Error("WSYNC_NO_FFI is set");
  const { platform, arch } = process;
  try {
    return require(`@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`) as Koffi;
  } catch {
    return require("koffi") as Koffi;
  }
}

function koffiFfi(koffi: Koffi): Ffi {
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
