/** Socket options of Deno's connections: through libc, by the descriptor that Deno keeps to itself, else Deno's own. */
import { ExitCode, UsageError } from "../src/errors.ts";
import { type Ffi } from "../src/host.ts";
import { type DenoConnection } from "./_denoffi.ts";
import { setSocketOptions } from "./_sockopts.ts";

/** Descriptors from here on are not looked at; a client has a handful. */
const END = 1024;
/** sizeof(struct sockaddr_storage). */
const ADDRESS_BYTES = 128;

const NAME = { args: ["i32", "ptr", "ptr"], result: "i32" } as const;

/** Sets each option of rsync's list. Throws UsageError for unknown names, and for most of them without libc. */
export function setConnectionOptions(ffi: Ffi | null, connection: DenoConnection, list: string): void {
  const fd = descriptorOf(ffi, connection);
  if (fd >= 0) return setSocketOptions(ffi, fd, list);
  for (const word of list.split(/[ \t,]+/).filter((part) => part !== "")) {
    const [name, value] = word.split("=", 2);
    if (name === "TCP_NODELAY") connection.setNoDelay(value !== "0");
    else if (name === "SO_KEEPALIVE") connection.setKeepAlive(value !== "0");
    else throw new UsageError(`socket option ${name} needs libc, which is out of reach`, ExitCode.unsupported);
  }
}

/** Descriptor of the socket whose two ports are the connection's, or -1: without libc, or when there is none. */
export function descriptorOf(ffi: Ffi | null, { localAddr, remoteAddr }: DenoConnection): number {
  const calls = ffi?.dlopen(null, { getsockname: NAME, getpeername: NAME });
  if (!ffi || !calls) return -1;
  const address = new DataView(new ArrayBuffer(ADDRESS_BYTES));
  const length = new Uint32Array(new ArrayBuffer(4));
  const addressAt = ffi.addressOf(new Uint8Array(address.buffer));
  const lengthAt = ffi.addressOf(new Uint8Array(length.buffer));
  const portBy = (call: (...args: number[]) => number, fd: number): number => {
    length[0] = ADDRESS_BYTES;
    return call(fd, addressAt, lengthAt) === 0 ? address.getUint16(2) : -1;
  };
  for (let fd = 0; fd < END; fd++) {
    if (portBy(calls.getsockname, fd) !== localAddr.port) continue;
    if (portBy(calls.getpeername, fd) === remoteAddr.port) return fd;
  }
  return -1;
}
