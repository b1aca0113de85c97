/** --sockopts: names and values of rsync's list, set through libc (upstream socket.c:set_socket_options). */
import { ExitCode, UsageError } from "../src/errors.ts";
import { type Ffi } from "../src/host.ts";

/** Option name → [level, option, takes a value], Linux numbers (asm-generic/socket.h, netinet/{in,ip,tcp}.h). */
const OPTIONS: Readonly<Record<string, readonly [number, number, boolean]>> = {
  SO_KEEPALIVE: [1, 9, false],
  SO_REUSEADDR: [1, 2, false],
  SO_BROADCAST: [1, 6, false],
  SO_SNDBUF: [1, 7, true],
  SO_RCVBUF: [1, 8, true],
  SO_SNDLOWAT: [1, 19, true],
  SO_RCVLOWAT: [1, 18, true],
  TCP_NODELAY: [6, 1, false],
  IPTOS_LOWDELAY: [0, 1, false],
  IPTOS_THROUGHPUT: [0, 1, false],
};

const TOS_VALUES: Readonly<Record<string, number>> = { IPTOS_LOWDELAY: 0x10, IPTOS_THROUGHPUT: 0x08 };

/** Sets each option of a comma-separated list on a descriptor. Throws UsageError for unknown names or without libc. */
export function setSocketOptions(ffi: Ffi | null, fd: number, list: string): void {
  const setsockopt = ffi?.dlopen(null, {
    setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], result: "i32" },
  })?.setsockopt;
  if (!ffi || !setsockopt || fd < 0) {
    throw new UsageError("--sockopts is not available here: the socket cannot be reached", ExitCode.unsupported);
  }
  const value = new Int32Array(new ArrayBuffer(4));
  const ptr = ffi.addressOf(new Uint8Array(value.buffer));
  for (const word of list.split(/[ \t,]+/).filter((part) => part !== "")) {
    const [name, given] = word.split("=", 2);
    const option = OPTIONS[name];
    if (option === undefined) throw new UsageError(`Unknown socket option ${name}`);
    if (option[2] && given === undefined) throw new UsageError(`socket option ${name} needs a value`);
    value[0] = TOS_VALUES[name] ?? (given === undefined ? 1 : Number(given));
    if (setsockopt(fd, option[0], option[1], ptr, 4) !== 0) {
      throw new UsageError(`failed to set socket option ${word} (error ${ffi.errno()})`);
    }
  }
}
