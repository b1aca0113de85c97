/** The Host of Deno. Foreign functions come from Deno.dlopen and need --allow-ffi. */
import { type Ffi, type FfiFunction, type FfiSignature, type FfiType, type Host } from "../src/host.ts";
import { connectSocket } from "./_connect.ts";
import { bindAll, cString, lazyFunctions } from "./_ffi.ts";
import { makeHost } from "./_nodelike.ts";

type Pointer = object | null;
type Native = (...args: (number | bigint)[]) => number | bigint;
interface Definition {
  readonly parameters: readonly string[];
  readonly result: string;
}

/** The part of Deno that is used. */
interface DenoApi {
  readonly version: { readonly deno: string };
  dlopen(library: string, symbols: Record<string, Definition>): { readonly symbols: Record<string, Native> };
  readonly UnsafePointer: { of(view: Uint8Array): Pointer; value(pointer: Pointer): number | bigint; create(address: bigint): Pointer };
  readonly UnsafePointerView: new (pointer: Pointer) => { getInt32(): number };
  readonly env: { get(name: string): string | undefined };
}

declare const Deno: DenoApi;

const DENO_TYPES: Readonly<Record<FfiType, string>> = {
  i32: "i32", u32: "u32", i64: "i64", u64: "u64", ptr: "usize", void: "void",
};

/** Builds the Host. Libraries are opened when first used. */
export function createHost(): Host {
  let ffi: Ffi | null | undefined;
  let missing = "";
  const loadFfi = (): Ffi | null => {
    if (ffi !== undefined) return ffi;
    try {
      if (Deno.env.get("WSYNC_NO_FFI")) throw new Error("WSYNC_NO_FFI is set");
      ffi = denoFfi();
    } catch (error) {
      missing = `Deno cannot call libc: ${(error as Error).message.split("\n")[0]}`;
      ffi = null;
    }
    return ffi;
  };
  return makeHost({
    runtime: "deno",
    runtimeVersion: Deno.version.deno,
    get ffi() {
      return loadFfi();
    },
    get ffiMissing() {
      return loadFfi() === null ? missing : "";
    },
    connect: (options) => connectSocket(options, loadFfi, false),
  });
}

/** Throws when permission is denied. The library "" is the program itself, whose scope holds libc and what is preloaded. */
function denoFfi(): Ffi {
  const { symbols } = Deno.dlopen("", {
    dlsym: { parameters: ["usize", "buffer"], result: "usize" },
    __errno_location: { parameters: [], result: "usize" },
  });
  const dlsym = symbols.dlsym as unknown as (handle: number, name: Uint8Array) => bigint;
  const errnoView = new Deno.UnsafePointerView(Deno.UnsafePointer.create(BigInt(symbols.__errno_location())));
  const bind = (library: string) => (name: string, signature: FfiSignature) => bindOne(library, name, signature);
  return {
    dlopen(library, wanted) {
      if (library === null) return lazyFunctions(wanted, (name) => dlsym(0, cString(name)) !== 0n, bind(""));
      try {
        Deno.dlopen(library, {});
      } catch {
        return null;
      }
      return bindAll(wanted, bind(library));
    },
    addressOf: (view) => Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(view))),
    errno: () => errnoView.getInt32(),
  };
}

/** Results of 64 bits come as BigInt and are made numbers; no hot call has one. */
function bindOne(library: string, name: string, { args, result }: FfiSignature): FfiFunction {
  const definition = { parameters: args.map((type) => DENO_TYPES[type]), result: DENO_TYPES[result] };
  const native = Deno.dlopen(library, { [name]: definition }).symbols[name];
  if (result === "i32" || result === "u32" || result === "void") return native as FfiFunction;
  return (...words) => Number(native(...words));
}
