/**
 * Reaching a daemon: directly, through an HTTP proxy (RSYNC_PROXY), or through a program (RSYNC_CONNECT_PROG); behind
 * TLS or within a WebSocket, when its URL says so. Upstream socket.c:open_socket_out_wrapped, open_socket_out,
 * establish_proxy_connection, sock_exec.
 */
import { ExitCode, ProtocolError, TransportError, UsageError, WsyncError } from "../errors.ts";
import { type ByteStream, type ConnectOptions, type Host } from "../host.ts";
import { type Kernels } from "../checksum/kernels.ts";
import { bytesOf, type LinearMemory } from "../memory.ts";
import { type RoleName } from "../output/messages.ts";
import { AcknowledgedStream } from "../session/acknowledgedstream.ts";
import { LineStream } from "../session/linestream.ts";
import { runConnectProgram } from "./connectprogram.ts";
import { type Door } from "./hostspec.ts";
import { tlsSettings } from "./tlssettings.ts";
import { upgradeToWebSocket } from "./websocket.ts";

/** Upstream PROXY_BUF_SIZE: longest request and longest header line. */
const PROXY_LINE = 1024;
const MAX_PROXY_HEADERS = 1000;

/** Where and how to connect. */
export interface DaemonAddress {
  readonly host: string;
  readonly port: number;
  /** Left out: as rsync does. */
  readonly door?: Door;
  /** -4, -6 or either. */
  readonly family: 0 | 4 | 6;
  /** --address, or null. */
  readonly bindAddress: string | null;
  /** --contimeout in seconds; 0 waits for ever. */
  readonly connectTimeout: number;
  /** --sockopts, or null. */
  readonly socketOptions: string | null;
  /** How messages name us. */
  readonly who: RoleName;
  /** Told what is done, at levels of --debug=connect. */
  tell?(level: number, text: string): void;
}

/**
 * A stream to the daemon. Throws TransportError: 10 when the connection fails, 35 when --contimeout runs out. The
 * message names the host, the reason and what may be done. `kernels` are for WebSockets, their memory for the system's
 * calls, where there are any.
 */
export async function connectDaemon(
  host: Host, address: DaemonAddress, kernels: Kernels | null = null,
): Promise<ByteStream> {
  const { door = "rsync" } = address;
  const stream = await reach(host, address, door === "rsyncs" || door === "wss", kernels?.memory ?? null);
  if (kernels === null || door === "rsync" || door === "rsyncs") return stream;
  try {
    return await upgradeToWebSocket(host, kernels, stream, address);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

async function reach(
  host: Host, address: DaemonAddress, secure: boolean, memory: LinearMemory | null,
): Promise<ByteStream> {
  const program = host.env("RSYNC_CONNECT_PROG");
  const instead = program === undefined ? "" : "Using RSYNC_CONNECT_PROG instead of ";
  address.tell?.(1, `${instead}opening tcp connection to ${address.host} port ${address.port}`);
  if (program !== undefined) {
    if (secure) throw new UsageError(`RSYNC_CONNECT_PROG does not go with ${address.door}://`);
    return connectProgram(host, memory, program, address.host);
  }
  const proxy = host.env("RSYNC_PROXY");
  if (proxy === undefined || proxy === "") return open(host, address, address.host, address.port, secure);
  const way = parseProxy(proxy);
  // Control characters in the host could smuggle further lines into the request.
  if (hasControl(address.host)) throw failure("invalid control character in proxy CONNECT host");
  address.tell?.(1, `connection via http proxy ${way.host} port ${way.port}`);
  if (secure) {
    return open(host, address, way.host, way.port, true, async (stream) => void (await tunnel(stream, address, way)));
  }
  const stream = await open(host, address, way.host, way.port, false);
  try {
    return await tunnel(stream, address, way);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

async function open(
  host: Host, address: DaemonAddress, hostname: string, port: number, secure: boolean,
  before?: (stream: ByteStream) => Promise<void>,
): Promise<ByteStream> {
  const options: ConnectOptions = {
    hostname,
    port,
    family: address.family,
    localAddress: address.bindAddress ?? undefined,
    timeoutMs: address.connectTimeout * 1000,
    socketOptions: address.socketOptions ?? undefined,
  };
  const tls = secure ? tlsSettings(host, address.host) : null;
  try {
    const stream = await (tls === null ? host.connect(options) : host.tls!.connect({ ...options, ...tls, before }));
    address.tell?.(2, `Connected to ${hostname} (${stream.remoteAddress ?? hostname})`);
    return stream.acknowledge ? new AcknowledgedStream(stream, stream.acknowledge) : stream;
  } catch (error) {
    throw connectFailure(error, hostname, port, address.who);
  }
}

/** The error for a failed connection, with the reason of the runtime's own error and a hint. */
function connectFailure(error: unknown, hostname: string, port: number, who: RoleName): TransportError {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof WsyncError ? error.exitCode : ExitCode.socketIo;
  if (code === ExitCode.connectTimeout) {
    const text = `timed out connecting to ${hostname} port ${port}; a larger --contimeout waits longer`;
    return new TransportError(text, code, { cause: error });
  }
  const told = /^(failed to connect|TLS: )/.test(reason);
  const text = told ? reason : `failed to connect to ${hostname} port ${port}: ${reason}`;
  const line = reason.startsWith("getaddrinfo") ? `rsync: ${reason}` : `rsync: [${who}] ${text}`;
  return new TransportError(line, ExitCode.socketIo, { cause: error }).advise(hintFor(reason));
}

function hintFor(reason: string): string {
  if (/^TLS: .*(certificate|self.signed|issuer|altnames)/i.test(reason)) {
    return "RSYNC_SSL_CA_CERT names the authority (a file in PEM) that the daemon's certificate must come from.";
  }
  if (/refused/i.test(reason)) {
    return "Is an rsync daemon listening there? --port chooses another port; a single colon (HOST:PATH) uses ssh.";
  }
  if (/ENOTFOUND|EAI_|getaddrinfo|not known|lookup|resol/i.test(reason)) {
    return "Check the spelling of the host name.";
  }
  if (/unreachable|timed? ?out/i.test(reason)) return "Check the network, a firewall, and -4 or -6.";
  return "";
}

interface Proxy {
  readonly host: string;
  readonly port: number;
  /** "USER:PASS", or null. */
  readonly credentials: string | null;
}

/** [USER:PASS@]HOST:PORT. Throws TransportError (10) in upstream's words. */
function parseProxy(text: string): Proxy {
  const at = text.lastIndexOf("@");
  const credentials = at < 0 ? null : text.slice(0, at);
  if (credentials !== null && !credentials.includes(":")) {
    throw failure("invalid proxy specification: should be USER:PASS@HOST:PORT");
  }
  const place = text.slice(at + 1);
  const colon = place.indexOf(":");
  const port = Number.parseInt(place.slice(colon + 1), 10);
  if (colon < 0 || !(port > 0 && port < 65536)) throw failure("invalid proxy specification: should be HOST:PORT");
  return { host: place.slice(0, colon), port, credentials };
}

function failure(text: string): TransportError {
  return new TransportError(text, ExitCode.socketIo);
}

/** Asks the proxy for a connection (HTTP CONNECT) and reads its answer up to the empty line. */
async function tunnel(stream: ByteStream, address: DaemonAddress, proxy: Proxy): Promise<ByteStream> {
  const auth = proxy.credentials === null ? "" : `\r\nProxy-Authorization: Basic ${btoa(proxy.credentials)}`;
  const request = `CONNECT ${address.host}:${address.port} HTTP/1.0${auth}\r\n\r\n`;
  if (request.length >= PROXY_LINE) throw failure("proxy CONNECT request too long");
  await stream.write(bytesOf(request));
  const lines = new LineStream(stream);
  const answer = await proxyLine(lines, "response");
  if (!/^HTTP\/[\d.]* *2/.test(answer)) throw failure(`bad response from proxy -- ${answer}`);
  for (let count = 0; (await proxyLine(lines, "response header")) !== ""; count++) {
    if (count > MAX_PROXY_HEADERS) throw failure("too many header lines from proxy");
  }
  return lines;
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return true;
  return false;
}

async function proxyLine(lines: LineStream, kind: string): Promise<string> {
  try {
    return await lines.readLine(PROXY_LINE, "proxy-header");
  } catch (error) {
    if (error instanceof ProtocolError) throw failure(`proxy ${kind} line too long`);
    if (error instanceof TransportError) throw failure("failed to read from proxy");
    throw error;
  }
}

/** Runs the shell command that RSYNC_CONNECT_PROG names, with the host for %H, and talks to it. */
function connectProgram(host: Host, memory: LinearMemory | null, program: string, hostname: string): ByteStream {
  let command = program;
  if (program.includes("%")) {
    if (!isShellSafeHost(hostname)) throw failure("unsafe host characters for RSYNC_CONNECT_PROG");
    command = program.replace(/%([%H])/g, (_, letter: string) => (letter === "H" ? `'${hostname}'` : "%"));
  }
  return runConnectProgram(host, memory, command);
}

/** Letters that stay data through every pass of a shell, and a first one that starts no option or expansion. */
function isShellSafeHost(hostname: string): boolean {
  return /^[a-zA-Z0-9._:][a-zA-Z0-9._:%+~-]*$/.test(hostname);
}
