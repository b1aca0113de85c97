/**
 * Binding a table of C functions over linear memory, for the parts of src/posix beside the file system. Addresses given
 * to a call are `base + ptr`.
 */
import { type Ffi, type FfiFunction, type FfiSignature, type FfiType, type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { writeInt64 } from "./structs.ts";

/** Shorthand for a row of a table: a function of these arguments with an int result. */
export function int(...args: readonly FfiType[]): FfiSignature {
  return { args, result: "i32" };
}

/** Bound functions and what calling them takes. Null without foreign functions, or off Linux. */
export class Calls<Name extends string> {
  readonly memory: LinearMemory;
  readonly c: Record<Name, FfiFunction>;
  readonly ffi: Ffi;

  private constructor(ffi: Ffi, memory: LinearMemory, functions: Record<string, FfiFunction>) {
    this.ffi = ffi;
    this.memory = memory;
    this.c = functions;
    memory.base = ffi.addressOf(memory.u8);
  }

  /** Binds the table; null where libc cannot be called or lacks one of the functions. */
  static bind<Name extends string>(
    host: Host, memory: LinearMemory, table: Readonly<Record<Name, FfiSignature>>,
  ): Calls<Name> | null {
    const { ffi } = host;
    if (ffi === null || host.os !== "linux" || host.arch === "other") return null;
    const functions = ffi.dlopen(null, table) ?? ffi.dlopen("libc.so.6", table);
    if (functions === null || Object.keys(table).some((name) => functions[name] === undefined)) return null;
    return new Calls(ffi, memory, functions);
  }

  /** The native address of an offset. */
  at(ptr: number): number {
    return this.memory.base + ptr;
  }

  /** A result >= 0, or -errno. */
  result(value: number): number {
    return value < 0 ? -this.ffi.errno() : value;
  }

  /** Runs `action` with memory of its own, zeroed, which is given back afterwards. */
  scratch<T>(byteLength: number, action: (ptr: number) => T): T {
    const { memory } = this;
    const ptr = memory.alloc(byteLength);
    memory.u8.fill(0, ptr, ptr + byteLength);
    try {
      return action(ptr);
    } finally {
      memory.release(ptr);
    }
  }

  /** Runs `action` with a NUL-terminated name in memory. */
  withName<T>(name: string, action: (address: number) => T): T {
    return this.scratch(name.length + 1, (ptr) => {
      this.memory.writeCString(ptr, name);
      return action(this.at(ptr));
    });
  }

  /** Runs `action` with a NULL-ended array of C strings in memory. */
  withVector<T>(names: readonly string[], action: (address: number) => T): T {
    const { memory } = this;
    const table = (names.length + 1) * 8;
    return this.scratch(names.reduce((sum, name) => sum + name.length + 1, table), (ptr) => {
      let text = ptr + table;
      names.forEach((name, i) => {
        writeInt64(memory, ptr + i * 8, this.at(text));
        text += memory.writeCString(text, name) + 1;
      });
      return action(this.at(ptr));
    });
  }
}
