/** The Node host's foreign functions, and a linear memory whose native address is known. */
import { createHost } from "../../../runtimes/_nodehost.ts";
import { LinearMemory } from "../../../src/memory.ts";

const host = createHost();
if (host.ffi === null) throw new Error(`these tests call the system's compressors: ${host.ffiMissing}`);
export const ffi = host.ffi;

export function nativeMemory(): LinearMemory {
  const wasm = new WebAssembly.Memory({ initial: 64, maximum: 1024, shared: true });
  const memory = new LinearMemory(wasm, 1024, 1024);
  memory.base = ffi.addressOf(memory.u8);
  return memory;
}
