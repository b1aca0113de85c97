/**
 * `serve`: a daemon inside a program. It speaks with each client over a connection that somebody hands it, as many at a
 * time as come, in this one thread; the modules' files may be anywhere.
 *
 * Nothing here changes the process: no root directory, no user, no working directory. What clients may reach is what
 * Confined lets them, below the module.
 */
import { type Config, ModuleConfig } from "../daemon/config.ts";
import { serveModule } from "../daemon/connection.ts";
import { type DaemonContext, errorText } from "../daemon/context.ts";
import { Deadline } from "../daemon/deadline.ts";
import { type Admission, receive } from "../daemon/greet.ts";
import { DaemonLog } from "../daemon/logger.ts";
import { exitCodeOf, UsageError } from "../errors.ts";
import { Confined } from "../files/confine.ts";
import { type ByteStream, type Host } from "../host.ts";
import { bytesOf } from "../memory.ts";
import { parseArguments } from "../options/parse.ts";
import { readable } from "../output/jsonlines.ts";
import { LineStream } from "../session/linestream.ts";
import { AbortHub } from "./aborthub.ts";
import { type Duplex, DuplexByteStream } from "./duplex.ts";
import { type FilesPlace } from "./files.ts";
import { ModuleSet, type ServedModules } from "./servedmodules.ts";
import { Station } from "./station.ts";

/** Clients at a time unless told otherwise. */
const MOST_CLIENTS = 20;

/** What happens at a server. `connection` counts connections from 1 on. */
export type ServeEvent =
  | { readonly type: "connect"; readonly connection: number; readonly address: string }
  /** A line of the daemon's log. */
  | { readonly type: "log"; readonly connection: number; readonly text: string; readonly warning: boolean }
  /** The connection has ended; the exit code is rsync's. */
  | { readonly type: "close"; readonly connection: number; readonly exitCode: number };

/** How `serve` works. */
export interface ServeOptions {
  /** Listens on this port; 0: on any that is free. Left out: connections come through `accept` alone. */
  readonly port?: number;
  /** Address to listen on; left out: 127.0.0.1, for this machine alone. */
  readonly host?: string;
  /** Text that clients are shown first. */
  readonly motd?: string;
  /** Clients at a time; beyond that they are told to come back later. Left out: 20. */
  readonly maxConnections?: number;
  /** Called with all that happens, in order; it must not throw. */
  readonly onEvent?: (event: ServeEvent) => void;
  /** Ends the server, as `close` does. */
  readonly signal?: AbortSignal;
}

/** A server under way. */
export interface Serving {
  /** Where it listens; null when it does not. */
  readonly port: number | null;
  /**
   * Serves a client over a connection that was made elsewhere (a WebSocket, a pipe). `address` is what access rules
   * and the log go by; left out: 127.0.0.1. Resolves with rsync's exit code when the connection has ended.
   */
  accept(connection: Duplex, address?: string): Promise<number>;
  /** Listens no more, ends transfers under way in order, and resolves when all connections have ended. */
  close(): Promise<void>;
}

/** Listens on an address; `take` gets each connection. Resolves when it listens. */
export type Listen = (
  where: { readonly host: string; readonly port: number }, take: (stream: ByteStream, address: string) => void,
) => Promise<{ readonly port: number; close(): void }>;

/** See ServeFunction. `host` is the runtime's, `listen` null where there are no sockets. */
export async function runServe(
  host: Host, listen: Listen | null, modules: ServedModules, options: ServeOptions = {},
): Promise<Serving> {
  const server = new Server(host, modules, options);
  const { port, host: address = "127.0.0.1", signal } = options;
  signal?.throwIfAborted();
  if (port !== undefined) {
    if (listen === null) throw new UsageError("nothing can listen here: hand connections to `accept`");
    await server.listen(listen, { host: address, port });
  }
  signal?.addEventListener("abort", () => void server.close(), { once: true });
  return server;
}

class Server implements Serving {
  port: number | null = null;
  private readonly host: Host;
  private readonly modules: ModuleSet;
  private readonly options: ServeOptions;
  private readonly abort = new AbortController();
  private readonly active = new Set<Promise<number>>();
  private listener: { close(): void } | null = null;
  private count = 0;

  constructor(host: Host, modules: ServedModules, options: ServeOptions) {
    this.host = host;
    this.modules = new ModuleSet(modules, options.motd ?? "");
    this.options = options;
  }

  async listen(listen: Listen, where: { readonly host: string; readonly port: number }): Promise<void> {
    const listener = await listen(where, (stream, address) => void this.take(stream, address));
    this.listener = listener;
    this.port = listener.port;
  }

  accept(connection: Duplex, address = "127.0.0.1"): Promise<number> {
    return this.take(new DuplexByteStream(connection), address);
  }

  async close(): Promise<void> {
    this.listener?.close();
    this.listener = null;
    this.abort.abort();
    await Promise.allSettled(this.active);
  }

  private take(stream: ByteStream, address: string): Promise<number> {
    const { options } = this;
    const connection = ++this.count;
    options.onEvent?.({ type: "connect", connection, address });
    const most = options.maxConnections ?? MOST_CLIENTS;
    const full = this.active.size >= most || this.abort.signal.aborted;
    const served = full ? turnAway(stream, most) : this.serve(stream, address, connection);
    const done = served.then((exitCode) => {
      this.active.delete(done);
      options.onEvent?.({ type: "close", connection, exitCode });
      return exitCode;
    });
    if (!full) this.active.add(done);
    return done;
  }

  private async serve(stream: ByteStream, address: string, connection: number): Promise<number> {
    const { host, modules, options } = this;
    const log = (text: string, warning: boolean): void => {
      const shown = readable({ type: "log", connection, text: text.trimEnd(), warning });
      options.onEvent?.(shown as unknown as ServeEvent);
    };
    const hub = new AbortHub(this.abort.signal);
    const client = new Client(new Station(host, {}, hub, (text) => log(text, false)), modules, stream, log);
    const drop = hub.add(() => client.interrupt());
    try {
      return await client.serve(address);
    } finally {
      drop();
      hub.close();
    }
  }
}

async function turnAway(stream: ByteStream, most: number): Promise<number> {
  try {
    await stream.write(bytesOf(`@ERROR: max connections (${most}) reached -- try again later\n`));
    await stream.end();
  } catch {
    // It is gone already.
  }
  stream.destroy();
  return 0;
}

/** One connection. */
class Client {
  private readonly station: Station;
  private readonly modules: ModuleSet;
  private readonly stream: LineStream;
  private readonly log: (text: string, warning: boolean) => void;
  /** Its module is being transferred: the conversation ends in order by itself. */
  private transferring = false;

  constructor(
    station: Station, modules: ModuleSet, stream: ByteStream, log: (text: string, warning: boolean) => void,
  ) {
    this.station = station;
    this.modules = modules;
    this.stream = new LineStream(stream);
    this.log = log;
  }

  interrupt(): void {
    if (!this.transferring) this.stream.destroy();
  }

  async serve(address: string): Promise<number> {
    const { stream, modules } = this;
    const config = modules.config();
    const context = this.context({ files: modules.files });
    const deadline = new Deadline(context.platform.host, stream);
    deadline.restart(0);
    try {
      const admission = await receive(context, { stream, config, deadline, address, told: true, name: null });
      deadline.stop();
      if (admission !== null) return await this.admitted(config, admission, deadline);
      await stream.end();
      return 0;
    } catch (error) {
      context.log.warning(errorText(error));
      return exitCodeOf(error);
    } finally {
      deadline.stop();
      stream.destroy();
    }
  }

  private admitted(config: Config, admission: Admission, deadline: Deadline): Promise<number> {
    const { index } = admission.module;
    const context = this.context(this.modules.place(index));
    const { euid, egid } = context.platform.fs;
    // Whoever runs the program serves as who it is.
    const values = { ...config.data.modules[index], uid: String(euid), gid: String(egid) };
    const module = new ModuleConfig(values, config.data.defaults, config.env, index);
    this.transferring = true;
    return serveModule(context, config, { ...admission, module }, this.stream, deadline);
  }

  /** What the daemon's parts work with, over a place or the disk. */
  private context(place: FilesPlace | null): DaemonContext {
    const { station } = this;
    const platform = station.platform(place);
    const { fs, host } = platform;
    const parseContext = station.parseContext(platform);
    const parsed = parseArguments(["--daemon", "--no-detach"], parseContext);
    if (parsed.action !== "daemon") throw new UsageError("no daemon");
    const operator = new Confined(fs, fs.constants.AT.FDCWD, host.cwd(), { links: "trusted" });
    return {
      platform, options: parsed.options, parseContext, system: null, sockets: null, operator, viaShell: false,
      jailed: false, direct: null, tell: null,
      log: new DaemonLog({
        host, fs, sockets: null, operator, file: null, only: { write: this.log, close: () => {} },
      }),
    };
  }
}
