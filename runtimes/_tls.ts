/** TLS through node:tls, which all three runtimes have; loaded when it is first asked for. */
import type { Server, Socket } from "node:net";
import type { SecureContextOptions, TlsOptions, TLSSocket } from "node:tls";
import { ExitCode, TransportError } from "../src/errors.ts";
import {
  type ByteStream, type Ffi, type HostTls, type TlsConnectOptions, type TlsDoor, type TlsIdentity,
  type TlsListenOptions,
} from "../src/host.ts";
import { connectRaw, deadline, isAddress, timeoutError } from "./_connect.ts";
import { SocketReader, SocketStream } from "./_socket.ts";
import { type Gate, gateOver } from "./_tlsgate.ts";

type Tls = typeof import("node:tls");
type Net = typeof import("node:net");

/** IPv4 in IPv6's clothes. */
const MAPPED = /^::ffff:(?=\d+\.)/i;

/** Node's modules, and what the runtime is like. */
export interface TlsParts {
  load(name: "node:tls"): Tls;
  load(name: "node:net"): Net;
  load(name: "node:stream"): typeof import("node:stream");
  /** Sets socket options. */
  ffi(): Ffi | null;
  /** Its TLS reads on although nobody takes what it has read. */
  readonly readsOn: boolean;
}

/** See HostTls. */
export function hostTls(parts: TlsParts): HostTls {
  return {
    check: (identity, authorities) =>
      void parts.load("node:tls").createSecureContext(contextOf(identity, authorities)),
    listen: (options, take) => listenTls(parts, options, take),
    connect: (options) => connectTls(parts, options),
  };
}

/** The time that --contimeout allows is for the connection and then for the handshake. */
async function connectTls(parts: TlsParts, options: TlsConnectOptions): Promise<ByteStream> {
  const raw = await connectRaw(parts.load("node:net"), options, parts.ffi, null);
  const { late, stop } = deadline(options.timeoutMs, () => timeoutError(options));
  try {
    await Promise.race([options.before?.(new SocketStream(new SocketReader(), raw, raw, true)), late]);
    return await Promise.race([shakeHands(parts, raw, options), late]);
  } catch (error) {
    raw.destroy();
    throw error;
  } finally {
    stop();
  }
}

function shakeHands(parts: TlsParts, raw: Socket, options: TlsConnectOptions): Promise<ByteStream> {
  const { authorities, check, identity, serverName } = options;
  // What spoke to a proxy reads no more.
  raw.removeAllListeners("data");
  const gate = parts.readsOn ? gateOver(parts.load("node:stream"), raw) : null;
  if (gate === null) raw.resume();
  const socket = parts.load("node:tls").connect({
    socket: gate?.duplex ?? raw, host: serverName, ...(isAddress(serverName) ? {} : { servername: serverName }),
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
      else resolve(streamOver(socket, gate));
    });
  });
}

function streamOver(socket: TLSSocket, gate: Gate | null): ByteStream {
  gate?.follow(socket);
  return new SocketStream(new SocketReader(), socket, socket, true);
}

function contextOf({ certificate, key }: TlsIdentity, authorities: Uint8Array | null): SecureContextOptions {
  return {
    cert: Buffer.from(certificate), key: Buffer.from(key), minVersion: "TLSv1.2",
    ...(authorities === null ? {} : { ca: Buffer.from(authorities) }),
  };
}

function listenTls(
  parts: TlsParts, options: TlsListenOptions, take: Parameters<HostTls["listen"]>[1],
): Promise<TlsDoor> {
  return parts.readsOn ? listenGated(parts, options, take) : listenPlainly(parts.load("node:tls"), options, take);
}

function serverSettings({ clientAuthorities, handshakeMs, identity }: ServerOptions): TlsOptions {
  const mutual = clientAuthorities !== null;
  return {
    ...contextOf(identity, clientAuthorities), requestCert: mutual, rejectUnauthorized: mutual,
    handshakeTimeout: handshakeMs, allowHalfOpen: true, noDelay: true,
  } as TlsOptions;
}

type ServerOptions = Pick<TlsListenOptions, "clientAuthorities" | "handshakeMs" | "identity">;

async function listenPlainly(
  tls: Tls, options: TlsListenOptions, take: Parameters<HostTls["listen"]>[1],
): Promise<TlsDoor> {
  const mutual = options.clientAuthorities !== null;
  const server = tls.createServer(serverSettings(options));
  const handshakes = new Handshakes(options);
  server.on("connection", (socket: Socket) => handshakes.begin(socket));
  server.on("secureConnection", (socket: TLSSocket) => {
    handshakes.end(placeOf(socket));
    const address = socket.remoteAddress?.replace(MAPPED, "");
    // Without an address it is gone already; without what it had to show it should not have come so far.
    if (address === undefined || (mutual && !socket.authorized)) socket.destroy();
    else take(streamOver(socket, null), address);
  });
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    handshakes.fail(placeOf(socket), error.message.split("\n")[0]);
    socket.destroy();
  });
  await started(server, options.hostname, options.port);
  return {
    renew: (identity, clientAuthorities) => server.setSecureContext(contextOf(identity, clientAuthorities)),
    close: () => void server.close(),
  };
}

/** Behind gates: each connection has a server of its own, which is handed it. */
async function listenGated(
  parts: TlsParts, options: TlsListenOptions, take: Parameters<HostTls["listen"]>[1],
): Promise<TlsDoor> {
  const handshakes = new Handshakes(options);
  let current: ServerOptions = options;
  const accept = (raw: Socket): void => {
    const address = raw.remoteAddress?.replace(MAPPED, "");
    if (address === undefined) return void raw.destroy();
    const place = handshakes.begin(raw);
    const gate = gateOver(parts.load("node:stream"), raw);
    const server = parts.load("node:tls").createServer(serverSettings(current), (socket) => {
      handshakes.end(place);
      if (current.clientAuthorities !== null && !socket.authorized) socket.destroy();
      else take(streamOver(socket, gate), address);
    });
    server.on("tlsClientError", (error: Error) => handshakes.fail(place, error.message.split("\n")[0]));
    server.emit("connection", gate.duplex);
  };
  // What cannot be used is told before anybody comes.
  parts.load("node:tls").createSecureContext(contextOf(current.identity, current.clientAuthorities));
  const settings = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true };
  const door = parts.load("node:net").createServer(settings, accept);
  await started(door, options.hostname, options.port);
  return {
    renew: (identity, clientAuthorities) => {
      parts.load("node:tls").createSecureContext(contextOf(identity, clientAuthorities));
      current = { ...current, identity, clientAuthorities };
    },
    close: () => void door.close(),
  };
}

/** Keeps the number and the time of handshakes within bounds, and tells of those that come to nothing. */
class Handshakes {
  private readonly options: TlsListenOptions;
  private readonly waiting = new Map<string, { socket: Socket; timer: ReturnType<typeof setTimeout> }>();

  constructor(options: TlsListenOptions) {
    this.options = options;
  }

  /** One begins; returns its name for the other calls. */
  begin(socket: Socket): string {
    const { handshakeMs, mostHandshakes } = this.options;
    const place = placeOf(socket);
    // Not every runtime keeps to `handshakeTimeout`.
    const timer = setTimeout(() => this.fail(place, "it took too long"), handshakeMs);
    this.waiting.set(place, { socket, timer });
    socket.on("error", () => undefined);
    socket.once("close", () => this.fail(place, "the connection was closed"));
    if (this.waiting.size > mostHandshakes) {
      this.fail(this.waiting.keys().next().value!, "too many handshakes at a time");
    }
    return place;
  }

  end(place: string): Socket | undefined {
    const { socket, timer } = this.waiting.get(place) ?? {};
    clearTimeout(timer);
    this.waiting.delete(place);
    return socket;
  }

  fail(place: string, reason: string): void {
    const socket = this.end(place);
    if (socket === undefined) return;
    this.options.failed(place.split(" ", 1)[0], reason);
    socket.destroy();
  }
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
