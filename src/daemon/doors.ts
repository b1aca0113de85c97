/**
 * The ports that a daemon listens on: rsync's own, and those of ours, with TLS, for WebSockets and for metrics. Each
 * gives callers to the one who receives them.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { type ByteStream, type TlsDoor, type TlsIdentity } from "../host.ts";
import { socketAddress } from "./clientname.ts";
import { type Config } from "./config.ts";
import { type DaemonContext } from "./context.ts";
import { readOperatorFile } from "./files.ts";
import { type TextName } from "./paramtable.ts";
import { type PoolParts } from "./pool.ts";

const RSYNC_PORT = 873;
/** Longest TLS handshake, milliseconds; most of them at a time. */
const HANDSHAKE_MS = 30_000;
const MOST_HANDSHAKES = 500;
/** Permission of everybody else. */
const OTHERS = 0o007;

/** By which port somebody comes. */
export type DoorKind = "tcp" | "tls" | "websocket" | "metrics";

/** Somebody who has come. */
export interface Caller {
  readonly door: DoorKind;
  readonly stream: ByteStream;
  /** The socket that another process can serve the client by; null: its bytes have to be carried there. */
  readonly fd: number | null;
  /** The peer's numeric address, "" when it cannot be told. */
  readonly address: string;
}

/** Doors that are open. */
export interface Doors {
  /** What listens where, for people. */
  readonly where: string;
  /** The certificates are read again. */
  renew(config: Config): void;
  close(): void;
}

/** The port of rsync's own door. */
function rsyncPort({ options }: DaemonContext, { globals }: Config): number {
  return options.port || globals.number("port") || RSYNC_PORT;
}

/** Words for where it will listen. */
export function listeningWords(context: DaemonContext, config: Config, passed: readonly number[]): string {
  return passed.length > 0 ? "on sockets of the service manager" : `on port ${rsyncPort(context, config)}`;
}

/**
 * Opens all doors of a configuration. `passed`: sockets that listen already, in place of rsync's port. Throws
 * WsyncError when one cannot be opened.
 */
export async function openDoors(
  parts: PoolParts, config: Config, passed: readonly number[], take: (caller: Caller) => void,
): Promise<Doors> {
  return new Opener(parts, config, take).open(passed);
}

class Opener {
  private readonly parts: PoolParts;
  private readonly context: DaemonContext;
  private readonly config: Config;
  private readonly take: (caller: Caller) => void;
  private readonly stops: (() => void)[] = [];
  private readonly tlsDoors: TlsDoor[] = [];
  private readonly words: string[] = [];

  constructor(parts: PoolParts, config: Config, take: (caller: Caller) => void) {
    this.parts = parts;
    this.context = parts.context;
    this.config = config;
    this.take = take;
  }

  async open(passed: readonly number[]): Promise<Doors> {
    const { context, config, stops, tlsDoors } = this;
    const { globals } = config;
    const own = context.options.address ?? globals.text("address");
    const fds = passed.length > 0 ? passed : this.bind(own, rsyncPort(context, config));
    const [tlsPort, webPort, metricsPort] = [
      globals.number("tls port"), globals.number("websocket port"), globals.number("metrics port"),
    ];
    if (tlsPort > 0) await this.listenTls("tls", own, tlsPort);
    if (webPort > 0 && globals.flag("websocket tls")) await this.listenTls("websocket", own, webPort);
    else if (webPort > 0) this.accept("websocket", this.bind(own, webPort));
    if (metricsPort > 0) this.accept("metrics", this.bind(globals.text("metrics address"), metricsPort));
    // The usual one comes last: whoever can reach it can reach all.
    this.accept("tcp", fds);
    return {
      where: this.words.map((word) => `, ${word}`).join(""),
      renew: (next) => this.renew(next),
      close: () => {
        for (const stop of stops) stop();
        for (const door of tlsDoors) door.close();
      },
    };
  }

  private accept(door: DoorKind, fds: readonly number[]): void {
    const { hostSockets, sockets } = this.parts;
    this.stops.push(...fds.map((fd) => hostSockets.accept(fd, (stream) => {
      this.take({ door, stream, fd: stream.fd, address: socketAddress(sockets, stream.fd) });
    })));
    if (door === "websocket" || door === "metrics") {
      this.words.push(`${door} on port ${this.config.globals.number(`${door} port`)}`);
    }
  }

  private async listenTls(door: "tls" | "websocket", hostname: string, port: number): Promise<void> {
    const { context, config } = this;
    const { tls } = context.platform.host;
    if (tls === undefined) throw new WsyncError("rsync: this runtime has no TLS", ExitCode.unsupported);
    this.tlsDoors.push(await tls.listen({
      hostname, port, ...credentials(context, config), handshakeMs: HANDSHAKE_MS, mostHandshakes: MOST_HANDSHAKES,
      failed: (address, reason) => context.log.info(`TLS handshake with ${address} failed: ${reason}`),
    }, (stream, address) => this.take({ door, stream, fd: null, address })).catch((error: Error) => {
      throw new WsyncError(`rsync: TLS door: ${error.message}`, ExitCode.socketIo);
    }));
    this.words.push(`${door} with TLS on port ${port}`);
  }

  private renew(config: Config): void {
    const { log } = this.context;
    try {
      if (this.tlsDoors.length === 0) return;
      const { identity, clientAuthorities } = credentials(this.context, config);
      for (const door of this.tlsDoors) door.renew(identity, clientAuthorities);
    } catch (error) {
      log.warning(`the certificates stay as they were: ${(error as Error).message}`);
    }
  }

  /** Listening sockets of every address that `address` has, bound to a port. */
  private bind(address: string, port: number): number[] {
    const { context, config } = this;
    const { sockets } = this.parts;
    const { options, log } = context;
    const { fs } = context.platform;
    const socketOptions = options.sockopts ?? config.globals.text("socket options");
    const { fds, faults } = sockets.bind(address, port, options.family, (fd) => {
      sockets.setOptions(fd, socketOptions, (text, errno) => {
        log.warning(errno === 0 ? text : `${text}: ${fs.strerror(errno)} (${errno})`);
      });
    }, (errno) => fs.strerror(errno));
    if (fds.length === 0) {
      const lines = [...faults, `unable to bind any inbound sockets on port ${port}`];
      for (const line of lines) log.warning(line);
      throw new WsyncError(lines.join("\n"), ExitCode.socketIo);
    }
    for (const fd of fds) {
      const failed = sockets.listen(fd, config.globals.number("listen backlog"));
      if (failed >= 0) continue;
      const text = `listen() on socket failed: ${fs.strerror(-failed)} (${-failed})`;
      log.warning(text);
      throw new WsyncError(`rsync: ${text}`, ExitCode.socketIo);
    }
    return fds;
  }
}

/** What the "tls" parameters name. Throws WsyncError for a file that is missing, or a key that all may read. */
export function credentials(
  context: DaemonContext, { globals }: Config,
): { readonly identity: TlsIdentity; readonly clientAuthorities: Uint8Array | null } {
  const { fs } = context.platform;
  const read = (name: TextName): Uint8Array => {
    const path = globals.text(name);
    if (path === "") throw new WsyncError(`"${name}" is not set`, ExitCode.syntax);
    const file = readOperatorFile(context.operator, path);
    if (typeof file === "number") {
      throw new WsyncError(`cannot read "${name}" ${path}: ${fs.strerror(-file)} (${-file})`, ExitCode.fileIo);
    }
    if (name === "tls key" && (file.stat.mode & OTHERS) !== 0) {
      throw new WsyncError(`"${name}" ${path} must not be open to everybody (chmod o= FILE)`, ExitCode.fileIo);
    }
    return file.bytes;
  };
  return {
    identity: { certificate: read("tls certificate"), key: read("tls key") },
    clientAuthorities: globals.text("tls client ca") === "" ? null : read("tls client ca"),
  };
}
