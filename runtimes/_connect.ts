/** TCP connections through node:net, with the options rsync has for them. */
import { type NetConnectOpts, type Socket } from "node:net";
import { ExitCode, TransportError } from "../src/errors.ts";
import { type ByteStream, type ConnectOptions, type Ffi } from "../src/host.ts";
import { SocketReader, SocketStream } from "./_socket.ts";
import { setSocketOptions } from "./_sockopts.ts";

const WORDING: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Connection refused", ETIMEDOUT: "Connection timed out", EHOSTUNREACH: "No route to host",
  ENETUNREACH: "Network is unreachable", EADDRNOTAVAIL: "Cannot assign requested address",
  ENOTFOUND: "Name or service not known", EAI_AGAIN: "Temporary failure in name resolution",
  ECONNRESET: "Connection reset by peer", EACCES: "Permission denied",
};

/**
 * Connects, trying the addresses of the name in turn. Rejects with TransportError 10, or 35 when time runs out.
 * `ffi` sets socket options; `onread`: the runtime fills a buffer of ours instead of allocating chunks.
 */
export function connectSocket(
  net: typeof import("node:net"), options: ConnectOptions, ffi: () => Ffi | null, onread: boolean,
): Promise<ByteStream> {
  const reader = new SocketReader();
  const socket = net.connect({
    host: options.hostname, port: options.port, family: options.family, localAddress: options.localAddress,
    noDelay: true, ...(onread ? { onread: reader.onread } : {}),
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
        resolve(new SocketStream(reader, socket, socket, !onread));
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
  const first = ((error as AggregateError).errors?.[0] ?? error) as Error & { code?: string; address?: string };
  const why = WORDING[first.code ?? ""] ?? first.message;
  const address = first.address && first.address !== options.hostname ? ` (${first.address})` : "";
  const text = `failed to connect to ${options.hostname}${address} port ${options.port}: ${why}`;
  return new TransportError(text, ExitCode.socketIo, { cause: error });
}
