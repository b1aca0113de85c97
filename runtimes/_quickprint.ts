/** Printing through libc, once a host has opened it: Node's own way takes three times as long for a line. */
import { type Ffi, type FfiFunction } from "../src/host.ts";

/** What a pipe takes whole or not at all (PIPE_BUF). */
const MOST = 4096;

/**
 * Prints up to MOST bytes and returns how many of them were printed: what is left, and what is wrong, is for others.
 * `opened`: the foreign functions if they are in use already.
 */
export function quickPrinter(opened: () => Ffi | null | undefined): (fd: number, bytes: Uint8Array) => number {
  let write: FfiFunction | null | undefined;
  let scratch = new Uint8Array(0);
  let address = 0;
  const open = (ffi: Ffi): FfiFunction | null => {
    scratch = new Uint8Array(new ArrayBuffer(MOST));
    address = ffi.addressOf(scratch);
    return ffi.dlopen(null, { write: { args: ["i32", "ptr", "u64"], result: "i64" } })?.write ?? null;
  };
  return (fd, bytes) => {
    const ffi = opened();
    if (!ffi || bytes.length > MOST) return 0;
    if (write === undefined) write = open(ffi);
    if (write === null) return 0;
    scratch.set(bytes);
    return Math.max(0, write(fd, address, bytes.length));
  };
}
