/** Printing through libc, once a host has opened it: Node's own way takes three times as long for a line. */
import { type Ffi, type FfiFunction } from "../src/host.ts";

/** What a pipe takes whole or not at all (PIPE_BUF). */
const MOST = 4096;

/**
 * Prints up to MOST bytes and returns how many of them were printed: what is left, and what is wrong, is for others.
 * `opened`: the foreign functions if they are in use already.
 */
export function quickPrinter(opened: () => Ffi | null | undefined): (fd: number, bytes: Uint8Array) => number {
  let calls: Record<string, FfiFunction> | null | undefined;
  let scratch = new Uint8Array(0);
  let address = 0;
  const open = (ffi: Ffi): void => {
    scratch = new Uint8Array(new ArrayBuffer(MOST));
    address = ffi.addressOf(scratch);
    calls = ffi.dlopen(null, { write: { args: ["i32", "ptr", "u64"], result: "i64" } });
  };
  return (fd, bytes) => {
    const ffi = opened();
    if (!ffi || bytes.length > MOST) return 0;
    if (calls === undefined) open(ffi);
    if (!calls?.write) return 0;
    scratch.set(bytes);
    // By its place, where the first call puts a quicker function.
    return Math.max(0, calls.write(fd, address, bytes.length));
  };
}
