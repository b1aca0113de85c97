/**
 * The listening daemon: receives clients in this process, one after the other line by line, and hands each that may use
 * a module to a process of its own. A client that says nothing costs a connection here, not a process. Upstream
 * socket.c:start_accept_loop, clientserver.c:daemon_main.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { type DescriptorStream, type HostSockets } from "../host.ts";
import { WSYNC_VERSION } from "../options/version.ts";
import { type Sockets } from "../posix/sockets.ts";
import { type System } from "../posix/system.ts";
import { LineStream } from "../session/linestream.ts";
import { socketAddress } from "./clientname.ts";
import { type Config, problemLine } from "./config.ts";
import { configPath, type DaemonContext, errorText, readConfig } from "./context.ts";
import { Deadline } from "./deadline.ts";
import { type Admission, receive } from "./greet.ts";
import { announceReady } from "./detach.ts";
import { admissionHandover, type Handover } from "./handover.ts";
import { identify } from "./identify.ts";
import { isJailed } from "./jail.ts";
import { createPidFile, type PidFile } from "./pidfile.ts";
import { tellService } from "./systemd.ts";
import { type PoolParts, WorkerPool } from "./pool.ts";

const RSYNC_PORT = 873;
/** Clients that are received at a time; beyond that the one that has waited longest is let go. */
const MOST_VISITORS = 1000;

/**
 * Listens until a signal ends it; returns the exit code. Throws WsyncError when it cannot begin. `passed`: sockets that
 * listen already. `background`: somebody waits to hear that it has begun.
 */
export async function runListener(
  context: DaemonContext, passed: readonly number[], background: boolean,
): Promise<number> {
  const { sockets, system, platform } = context;
  const hostSockets = platform.host.sockets;
  if (sockets === null || system === null || hostSockets === null) {
    const text = `rsync: a daemon that listens needs the C library: ${platform.host.ffiMissing}`;
    throw new WsyncError(text, ExitCode.unsupported);
  }
  const { config, problems } = readConfig(context, true);
  if (config === null) {
    const lines = [...problems.map(problemLine), `Failed to parse config file: ${configPath(context)}`];
    throw new WsyncError(lines.join("\n"), ExitCode.syntax);
  }
  return new Listener({ context, system, sockets, hostSockets }, config).run(passed, background);
}

class Listener {
  private readonly parts: PoolParts;
  private readonly context: DaemonContext;
  private readonly config: Config;
  private readonly system: System;
  private readonly sockets: Sockets;
  private readonly hostSockets: HostSockets;
  private readonly visitors = new Set<LineStream>();
  private pool!: WorkerPool;

  constructor(parts: PoolParts, config: Config) {
    this.parts = parts;
    this.context = parts.context;
    this.system = parts.system;
    this.sockets = parts.sockets;
    this.hostSockets = parts.hostSockets;
    this.config = config;
  }

  async run(passed: readonly number[], background: boolean): Promise<number> {
    const { context, config } = this;
    const pidFile = createPidFile(context, config.globals.text("pid file"));
    context.log.use(config.defaults);
    const port = context.options.port || config.globals.number("port") || RSYNC_PORT;
    const where = passed.length > 0 ? "on sockets of the service manager" : `on port ${port}`;
    context.log.info(`rsyncd version ${WSYNC_VERSION} starting, listening ${where}`);
    if (config.globals.flag("proxy protocol") && config.globals.text("proxy protocol hosts") === "") {
      const why = '"proxy protocol" is on but "proxy protocol hosts" is unset';
      context.log.warning(`${why}: all connections will be rejected. Set it to the proxy's address.`);
    }
    try {
      const fds = passed.length > 0 ? passed : this.bind(port);
      this.pool = new WorkerPool(this.parts);
      const stops = fds.map((fd) => this.hostSockets.accept(fd, (stream) => void this.visit(stream)));
      if (background) announceReady(context);
      tellService(context, ["READY=1", `STATUS=listening ${where}`]);
      return await this.untilSignal(stops, pidFile);
    } catch (error) {
      pidFile?.remove();
      throw error;
    }
  }

  /** Listening sockets of every address. */
  private bind(port: number): number[] {
    const { context, config, sockets } = this;
    const { options, log } = context;
    const { fs } = context.platform;
    const socketOptions = options.sockopts ?? config.globals.text("socket options");
    const address = options.address ?? config.globals.text("address");
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

  private untilSignal(stops: readonly (() => void)[], pidFile: PidFile | null): Promise<number> {
    const { host } = this.context.platform;
    return new Promise((resolve) => {
      host.onSignal(["SIGTERM", "SIGINT"], (signal) => {
        tellService(this.context, ["STOPPING=1"]);
        for (const stop of stops) stop();
        for (const stream of this.visitors) stream.destroy();
        this.pool.close();
        pidFile?.remove();
        const code = signal === 15 ? 0 : ExitCode.signal;
        this.context.log.info(`rsyncd stopped by signal ${signal}`);
        resolve(code);
      });
      host.onSignal(["SIGHUP"], () => this.reload());
    });
  }

  /** The configuration is read for every client anyway; a log that was moved away is made anew. */
  private reload(): void {
    const { log } = this.context;
    log.reopen();
    const { config, problems } = readConfig(this.context);
    if (config !== null) log.use(config.defaults);
    for (const problem of problems) log.info(problemLine(problem));
    log.info(config === null ? "the configuration cannot be used" : "log reopened, configuration read");
  }

  /** Receives one client. */
  private async visit(connection: DescriptorStream): Promise<void> {
    const { context } = this;
    const stream = new LineStream(connection);
    this.visitors.add(stream);
    if (this.visitors.size > MOST_VISITORS) {
      const [oldest] = this.visitors;
      oldest.destroy();
    }
    try {
      await this.receive(connection, stream);
    } catch (error) {
      context.log.warning(errorText(error));
    } finally {
      this.visitors.delete(stream);
      stream.destroy();
    }
  }

  private async receive(connection: DescriptorStream, stream: LineStream): Promise<void> {
    const { context } = this;
    const { config, problems } = readConfig(context);
    for (const problem of problems) context.log.info(problemLine(problem));
    if (config === null) return;
    const address = socketAddress(this.sockets, connection.fd);
    if (address === "") return;
    if (isJailed(config)) {
      await this.passOn(connection, { kind: "visitor", address, read: "" }, []);
      return;
    }
    const deadline = new Deadline(context.platform.host, stream);
    deadline.restart(config.defaults.number("timeout"));
    try {
      const visitor = await identify(context, { stream, config, deadline, address });
      if (visitor === null) return;
      const admission = await receive(context, visitor);
      deadline.stop();
      if (admission === null) await stream.end();
      else await this.handOver(connection, stream, config, admission);
    } finally {
      deadline.stop();
    }
  }

  private async handOver(
    connection: DescriptorStream, stream: LineStream, config: Config, admission: Admission,
  ): Promise<void> {
    const { lockFd } = admission;
    const { fs } = this.context.platform;
    const message = admissionHandover(config, admission, stream.pending, false);
    const worker = await this.passOn(connection, message, lockFd < 0 ? [] : [lockFd]);
    if (lockFd < 0) return;
    // The slot is taken until "post-xfer exec" is through.
    void (worker?.ended ?? Promise.resolve()).then(() => fs.close(lockFd));
  }

  /** Gives a connection to a process. This one's descriptor is closed by the stream's owner. */
  private async passOn(
    connection: DescriptorStream, message: Handover, fds: readonly number[],
  ): Promise<Awaited<ReturnType<WorkerPool["take"]>> | null> {
    const worker = await this.pool.take();
    // A copy, since the runtime may close its own descriptor with more than close(2).
    const fd = this.system.duplicate(connection.fd);
    if (fd < 0) return null;
    const taken = await worker.handOver(message, [fd, ...fds]);
    this.context.platform.fs.close(fd);
    // The connection is the other process's now.
    connection.destroy();
    if (taken) return worker;
    this.context.log.warning("a connection could not be handed over");
    return null;
  }
}
