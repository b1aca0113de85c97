/** A Host whose C functions are JavaScript, for testing what src/posix does around a call. */
import { type Ffi, type FfiFunction, type Host } from "../../../src/host.ts";
import { LinearMemory } from "../../../src/memory.ts";
import { LIBC_TABLE } from "../../../src/posix/libctable.ts";

/** The native address that linear memory pretends to have: above 2^32, as real ones are. */
export const BASE = 0x7f0000000000;

/** A fresh memory of 1 MiB, growing to 4 MiB. */
export function newMemory(): LinearMemory {
  return new LinearMemory(new WebAssembly.Memory({ initial: 16, maximum: 64, shared: true }), 1024, 64);
}

/** Functions that set `errno` by returning it negated; `missing` are left out, all others return 0. */
export function fakeFfi(functions: Record<string, FfiFunction>, missing: readonly string[] = []): Ffi {
  let errno = 0;
  const wrap = (call: FfiFunction): FfiFunction => (...args) => {
    const result = call(...args);
    if (result >= 0) return result;
    errno = -result;
    return -1;
  };
  const bound: Record<string, FfiFunction> = {};
  for (const name of Object.keys(LIBC_TABLE)) {
    if (!missing.includes(name)) bound[name] = wrap(functions[name] ?? (() => 0));
  }
  return { dlopen: () => bound, addressOf: () => BASE, errno: () => errno };
}

/** The members that openFileSystem reads. */
export function fakeHost(ffi: Ffi | null, members: Partial<Host> = {}): Host {
  const files = { nodeFs: null, readFile: () => new Uint8Array(0) };
  return { os: "linux", arch: "x64", ffi, ffiMissing: ffi ? "" : "not here", files, now: () => 0, ...members } as Host;
}
