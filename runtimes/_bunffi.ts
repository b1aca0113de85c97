/** Foreign functions on Bun. */
import { type Ffi, type FfiFunction, type FfiSignature, type FfiType } from "../src/host.ts";
import { bindAll, cString, lazyFunctions } from "./_ffi.ts";

interface Definition {
  readonly args: readonly string[];
  readonly returns: string;
  readonly ptr?: number;
}

/** The part of bun:ffi that is used. */
export interface BunFfi {
  dlopen(library: string, symbols: Record<string, Definition>): { readonly symbols: Record<string, FfiFunction> };
  linkSymbols(symbols: Record<string, Definition>): { readonly symbols: Record<string, FfiFunction> };
  ptr(view: Uint8Array): number;
  readonly read: { i32(address: number, offset: number): number };
}

const BUN_TYPES: Readonly<Record<FfiType, string>> = {
  i32: "i32", u32: "u32", i64: "i64_fast", u64: "u64_fast", ptr: "ptr", void: "void",
};

export const LIBC_NAMES = ["libc.so.6", "libc.so", "libSystem.B.dylib"];

/** bun:ffi cannot open the program's own scope, so libc is opened by name and its dlsym searches that scope. */
export function bunFfi(bun: BunFfi): Ffi {
  const { dlsym, __errno_location } = openLibc(bun);
  const errnoAddress = __errno_location();
  const link = (name: string, { args, result }: FfiSignature): FfiFunction => {
    const definition = { ...definitionOf(args, result), ptr: dlsym(0, bun.ptr(cString(name))) };
    return widen(bun.linkSymbols({ [name]: definition }).symbols[name], result);
  };
  return {
    dlopen(library, symbols) {
      if (library === null) return lazyFunctions(symbols, (name) => has(dlsym, bun, name), link);
      const bind = (name: string, { args, result }: FfiSignature): FfiFunction =>
        widen(bun.dlopen(library, { [name]: definitionOf(args, result) }).symbols[name], result);
      const functions = bindAll(symbols, bind);
      return Object.keys(functions).length > 0 ? functions : null;
    },
    addressOf: (view) => bun.ptr(view),
    errno: () => bun.read.i32(errnoAddress, 0),
  };
}

function openLibc(bun: BunFfi): Record<"dlsym" | "__errno_location", FfiFunction> {
  for (const name of LIBC_NAMES) {
    try {
      return bun.dlopen(name, {
        dlsym: { args: ["ptr", "ptr"], returns: "ptr" },
        __errno_location: { args: [], returns: "ptr" },
      }).symbols as Record<"dlsym" | "__errno_location", FfiFunction>;
    } catch {
      // The next name may be this system's.
    }
  }
  throw new Error(`none of ${LIBC_NAMES.join(", ")} can be opened`);
}

function has(dlsym: FfiFunction, bun: BunFfi, name: string): boolean {
  const address = dlsym(0, bun.ptr(cString(name)));
  return address !== null && address !== 0;
}

function definitionOf(args: readonly FfiType[], result: FfiType): Definition {
  return { args: args.map((type) => BUN_TYPES[type]), returns: BUN_TYPES[result] };
}

/** A 64-bit result outside the safe integers comes as BigInt, and a null pointer as null. */
function widen(call: FfiFunction, result: FfiType): FfiFunction {
  if (result === "i32" || result === "u32" || result === "void") return call;
  return (...args) => Number(call(...args));
}
