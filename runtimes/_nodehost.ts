/** The Host of Node.js. Foreign functions come from koffi, loaded at the first use. */
import process from "node:process";
import { type Ffi, type FfiFunction, type FfiSignature, type FfiType, type Host } from "../src/host.ts";
import { connectSocket } from "./_connect.ts";
import { makeHost, require } from "./_nodelike.ts";

/** The part of koffi that is used. */
interface Koffi {
  load(library: string | null): { func(name: string, result: string, args: string[]): FfiFunction };
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
    connect: (options) => connectSocket(options, loadFfi, true),
  });
}

/** The platform package first: koffi's own entry finds the same file, but takes five milliseconds longer. */
function loadKoffi(): Koffi {
  if (process.env.WSYNC_NO_FFI) throw new Error("WSYNC_NO_FFI is set");
  return require("koffi") as Koffi;
}

function koffiFfi(koffi: Koffi): Ffi {
  return {
    dlopen(library, symbols) {
      try {
        const opened = koffi.load(library);
        return bindAll(opened, symbols);
      } catch {
        return null;
      }
    },
    addressOf: (view) => Number(koffi.address(view)),
    errno: () => koffi.errno(),
  };
}

function bindAll(
  library: ReturnType<Koffi["load"]>, symbols: Readonly<Record<string, FfiSignature>>,
): Record<string, FfiFunction> {
  const functions: Record<string, FfiFunction> = {};
  for (const [name, { args, result }] of Object.entries(symbols)) {
    try {
      functions[name] = library.func(name, KOFFI_TYPES[result], args.map((type) => KOFFI_TYPES[type]));
    } catch {
      // The library has no such symbol; the caller sees that it is left out.
    }
  }
  return functions;
}
