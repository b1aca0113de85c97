/** TCP_QUICKACK through libc, for ByteStream.acknowledge. */
import { type Ffi } from "../src/host.ts";

const IPPROTO_TCP = 6;
const TCP_QUICKACK = 12;

/** Has all that a socket received acknowledged at once; undefined without libc or descriptor. */
export function acknowledger(ffi: Ffi | null, fd: number): (() => void) | undefined {
  if (ffi === null || fd < 0) return undefined;
  const setsockopt = ffi.dlopen(null, {
    setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], result: "i32" },
  })?.setsockopt;
  if (!setsockopt) return undefined;
  const on = new Int32Array(Int32Array.of(1));
  const at = ffi.addressOf(new Uint8Array(on.buffer));
  // Held by the function: the address is good as long as the array is.
  return () => void setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, at, on.byteLength);
}
