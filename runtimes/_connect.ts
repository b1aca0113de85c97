/** TCP connections through node:net, with the options rsync has for them. */
import type { NetConnectOpts, Socket } from "node:net";
import { ExitCode, TransportError } from "../src/errors.ts";
import { type ByteStream, type ConnectOptions, type Ffi } from "../src/host.ts";
import { acknowledger } from "./_quickack.ts";
import { SocketReader, SocketStream } from "./_socket.ts";
import { setSocketOptions } from "./_sockopts.ts";

/** The system's words and, where the error is one of the system's, Linux' number for it. */
const WORDING: Readonly<Record<string, readonly [string, number?]>> = {
  ECONNREFUSED: ["Connection refused", 111], ETIMEDOUT: ["Connection timed out", 110],
  EHOSTUNREACH: ["No route to host", 113], ENETUNREACH: ["Network is unreachable", 101],
  EADDRNOTAVAIL: ["Cannot assign requested address", 99], ECONNRESET: ["Connection reset by peer", 104],
  EACCES: ["Permission denied", 13],
  ENOTFOUND: ["Name or service not known"], EAI_AGAIN: ["Temporary failure in name resolution"],
};
const NAME_ERRORS: readonly string[] = ["ENOTFOUND", "EAI_AGAIN"];

/**
 * Connects, trying the addresses of the name in turn. Rejects with TransportError 10, or 35 when time runs out.
 * `ffi` sets socket options; `onread`: the runtime fills a buffer of ours instead of allocating chunks.
 */
export async function connectSocket(
  net: typeof import("node:net"), options: ConnectOptions, ffi: () => Ffi | null, onread: boolean,
): Promise<ByteStream> {
  const reader = new SocketReader();
  const socket = await connectRaw(net, options, ffi, onread ? reader : null);
  const stream = new SocketStream(reader, socket, socket, !onread);
  stream.acknowledge = acknowledger(ffi(), descriptorOf(socket));
  return stream;
}

/** As `connectSocket`, but a socket; `reader` has the buffer that it fills. */
export function connectRaw(
  net: typeof import("node:net"), options: ConnectOptions, ffi: () => Ffi | null, reader: SocketReader | null,
): Promise<Socket> {
  const socket = net.connect({
    host: options.hostname, port: options.port, family: options.family, localAddress: options.localAddress,
    noDelay: true, ...(reader === null ? {} : { onread: reader.onread }),
  } as NetConnectOpts);
  return new Promise((resolve, reject) => {
    const timer = options.timeoutMs > 0 ? setTimeout(() => fail(timeoutError(options)), options.timeoutMs) : undefined;
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    socket.once("error", (error) => fail(connectError(options, error)));
    socket.once("connect", () => {
      clearTimeout(timer);
      try {
        if (options.socketOptions) setSocketOptions(ffi(), descriptorOf(socket), options.socketOptions);
        resolve(socket);
      } catch (error) {
        fail(error as Error);
      }
    });
  });
}

/** The socket's descriptor, or -1 where the runtime does not show it. */
function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1;
}

/** TransportError 35 in rsync's sense of --contimeout. */
export function timeoutError(options: ConnectOptions): TransportError {
  return new TransportError(
    `no connection to ${options.hostname} port ${options.port} within ${options.timeoutMs / 1000} seconds`,
    ExitCode.connectTimeout,
  );
}

/** A promise that rejects after `ms` (never for 0) unless stopped. */
export function deadline(ms: number, error: () => Error): { late: Promise<never>; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    if (ms > 0) timer = setTimeout(() => reject(error()), ms);
  });
  return { late, stop: () => clearTimeout(timer) };
}

/** The error of a connection attempt; the first address's failure stands for all. */
export function connectError(options: ConnectOptions, error: Error): TransportError {
  const first = ((error as AggregateError).errors?.[0] ?? error) as Error &
    { code?: string; address?: string; errno?: number };
  const [why, number] = WORDING[first.code ?? ""] ?? [first.message];
  // The hosts' errno has the system's own number with a minus sign; some only name the error.
  const errno = number !== undefined && (first.errno ?? 0) < 0 ? -first.errno! : number;
  const address = first.address ?? (isAddress(options.hostname) ? options.hostname : "");
  const where = address === "" ? `port ${options.port}` : `(${address})`;
  if (NAME_ERRORS.includes(first.code ?? "")) {
    const unresolved = `getaddrinfo: ${options.hostname} ${options.port}: ${why}`;
    return new TransportError(unresolved, ExitCode.socketIo, { cause: error });
  }
  const shownErrno = errno === undefined ? "" : ` (${errno})`;
  const text = `failed to connect to ${options.hostname} ${where}: ${why}${shownErrno}`;
  return new TransportError(text, ExitCode.socketIo, { cause: error });
}

/** A numeric IPv4 or IPv6 address rather than a name. */
export function isAddress(text: string): boolean {
  return /^[\d.]+$/.test(text) || text.includes(":");
}
