/** TLS through node:tls, which all three runtimes have; loaded when it is first asked for. */
import type { Socket } from "node:net";
import type { SecureContextOptions, Server, TLSSocket } from "node:tls";
import { ExitCode, TransportError } from "../src/errors.ts";
import {
  type ByteStream, type Ffi, type HostTls, type TlsConnectOptions, type TlsDoor, type TlsIdentity,
  type TlsListenOptions,
} from "../src/host.ts";
import { connectRaw, deadline, isAddress, timeoutError } from "./_connect.ts";
import { SocketReader, SocketStream } from "./_socket.ts";

type Tls = typeof import("node:tls");

/** IPv4 in IPv6's clothes. */
const MAPPED = /^::ffff:(?=\d+\.)/i;

/** See HostTls. `load` gives node's modules, `ffi` what sets socket options. */
export function hostTls(load: (name: string) => unknown, ffi: () => Ffi | null): HostTls {
  const tls = (): Tls => load("node:tls") as Tls;
  return {
    check: (identity, authorities) => void tls().createSecureContext(contextOf(identity, authorities)),
    listen: (options, take) => listenTls(tls(), options, take),
    connect: (options) => connectTls(tls(), load("node:net") as typeof import("node:net"), options, ffi),
  };
}

/** The time that --contimeout allows is for the connection and then for the handshake. */
async function connectTls(
  tls: Tls, net: typeof import("node:net"), options: TlsConnectOptions, ffi: () => Ffi | null,
): Promise<ByteStream> {
  const raw = await connectRaw(net, options, ffi, null);
  const { late, stop } = deadline(options.timeoutMs, () => timeoutError(options));
  try {
    await Promise.race([options.before?.(new SocketStream(new SocketReader(), raw, raw, true)), late]);
    return await Promise.race([shakeHands(tls, raw, options), late]);
  } catch (error) {
    raw.destroy();
    throw error;
  } finally {
    stop();
  }
}

function shakeHands(tls: Tls, raw: Socket, options: TlsConnectOptions): Promise<ByteStream> {
  const { authorities, check, identity, serverName } = options;
  // What spoke to a proxy reads no more.
  raw.removeAllListeners("data");
  raw.resume();
  const socket = tls.connect({
    socket: raw, host: serverName, ...(isAddress(serverName) ? {} : { servername: serverName }),
    ...(identity === null ? {} : contextOf(identity, null)), minVersion: "TLSv1.2",
    ...(authorities === null ? {} : { ca: Buffer.from(authorities) }),
    rejectUnauthorized: check !== "nothing",
    ...(check === "all" ? {} : { checkServerIdentity: () => undefined }),
  } as never);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(new TransportError(`TLS: ${error.message.split("\n")[0]}`, ExitCode.socketIo, { cause: error }));
    };
    const closed = (): void => fail(new Error("the connection was closed during the handshake"));
    raw.on("error", fail);
    socket.on("error", fail);
    socket.once("close", closed);
    socket.once("secureConnect", () => {
      socket.off("close", closed);
      if (check !== "nothing" && !socket.authorized) fail(socket.authorizationError ?? new Error("not authorized"));
      else resolve(new SocketStream(new SocketReader(), socket, socket, true));
    });
  });
}

function contextOf({ certificate, key }: TlsIdentity, authorities: Uint8Array | null): SecureContextOptions {
  return {
    cert: Buffer.from(certificate), key: Buffer.from(key), minVersion: "TLSv1.2",
    ...(authorities === null ? {} : { ca: Buffer.from(authorities) }),
  };
}

async function listenTls(
  tls: Tls, options: TlsListenOptions, take: Parameters<HostTls["listen"]>[1],
): Promise<TlsDoor> {
  const { clientAuthorities: authorities, hostname, port } = options;
  const mutual = authorities !== null;
  const server = tls.createServer({
    ...contextOf(options.identity, authorities), requestCert: mutual, rejectUnauthorized: mutual,
    handshakeTimeout: options.handshakeMs, allowHalfOpen: true, noDelay: true,
  } as never);
  watchHandshakes(server, options);
  server.on("secureConnection", (socket: TLSSocket) => {
    const address = socket.remoteAddress?.replace(MAPPED, "");
    // Without an address it is gone already; without what it had to show it should not have come so far.
    if (address === undefined || (mutual && !socket.authorized)) socket.destroy();
    else take(new SocketStream(new SocketReader(), socket, socket, true), address);
  });
  await started(server, hostname, port);
  return {
    renew: (identity, clientAuthorities) => server.setSecureContext(contextOf(identity, clientAuthorities)),
    close: () => void server.close(),
  };
}

/** Keeps the number and the time of handshakes within bounds, and tells of those that come to nothing. */
function watchHandshakes(server: Server, { mostHandshakes, handshakeMs, failed }: TlsListenOptions): void {
  const waiting = new Map<string, { readonly socket: Socket; readonly timer: ReturnType<typeof setTimeout> }>();
  const end = (place: string): Socket | undefined => {
    const { socket, timer } = waiting.get(place) ?? {};
    clearTimeout(timer);
    waiting.delete(place);
    return socket;
  };
  const fail = (place: string, reason: string): void => {
    const socket = end(place);
    if (socket === undefined) return;
    failed(place.split(" ", 1)[0], reason);
    socket.destroy();
  };
  server.on("connection", (socket: Socket) => {
    const place = placeOf(socket);
    // Not every runtime keeps to `handshakeTimeout`.
    waiting.set(place, { socket, timer: setTimeout(fail, handshakeMs, place, "it took too long") });
    socket.on("error", () => undefined);
    socket.once("close", () => fail(place, "the connection was closed"));
    if (waiting.size > mostHandshakes) fail(waiting.keys().next().value!, "too many handshakes at a time");
  });
  server.on("secureConnection", (socket: TLSSocket) => void end(placeOf(socket)));
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    fail(placeOf(socket), error.message.split("\n")[0]);
    socket.destroy();
  });
}

/** What tells a connection from the others, of the TCP socket and of the one over it alike. */
function placeOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress?.replace(MAPPED, "")} ${remotePort} ${localPort}`;
}

function started(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const text = `cannot listen on port ${port}: ${error.message}`;
      reject(new TransportError(text, ExitCode.socketIo, { cause: error }));
    };
    server.once("error", fail);
    server.listen(host === "" ? { port } : { host, port }, () => {
      server.off("error", fail);
      // One connection that cannot be accepted (no descriptors left) is no reason to stop.
      server.on("error", () => undefined);
      resolve();
    });
  });
}
