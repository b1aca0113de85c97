/**
 * The listening daemon: receives clients in this process, one after the other line by line, and hands each that may use
 * a module to a process of its own. A client that says nothing costs a connection here, not a process. Upstream
 * socket.c:start_accept_loop, clientserver.c:daemon_main.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { type ByteStream } from "../host.ts";
import { WSYNC_VERSION } from "../options/version.ts";
import { type Ended } from "../posix/system.ts";
import { LineStream } from "../session/linestream.ts";
import { carry, finish } from "./carry.ts";
import { type Config, problemLine } from "./config.ts";
import { configPath, type DaemonContext, errorText, newSession, readConfig } from "./context.ts";
import { Deadline } from "./deadline.ts";
import { announceReady } from "./detach.ts";
import { type Caller, type Doors, listeningWords, openDoors } from "./doors.ts";
import { type Admission, receive } from "./greet.ts";
import { admissionHandover, type Handover } from "./handover.ts";
import { identify } from "./identify.ts";
import { isJailed } from "./jail.ts";
import { Metrics } from "./metrics.ts";
import { answerMetrics } from "./metricsdoor.ts";
import { createPidFile, type PidFile } from "./pidfile.ts";
import { tellService } from "./systemd.ts";
import { type PoolParts, WorkerPool } from "./pool.ts";
import { upgrade } from "./websocketdoor.ts";

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
  private readonly visitors = new Set<LineStream>();
  private readonly metrics = new Metrics();
  private readonly startTime: number;
  private pool!: WorkerPool;

  constructor(parts: PoolParts, config: Config) {
    this.parts = parts;
    this.context = parts.context;
    this.config = config;
    this.startTime = parts.context.platform.host.now() / 1000;
  }

  async run(passed: readonly number[], background: boolean): Promise<number> {
    const { context, config } = this;
    const pidFile = createPidFile(context, config.globals.text("pid file"));
    context.log.useConfig(config);
    const where = listeningWords(context, config, passed);
    context.log.info(`rsyncd version ${WSYNC_VERSION} starting, listening ${where}`);
    if (config.globals.flag("proxy protocol") && config.globals.text("proxy protocol hosts") === "") {
      const why = '"proxy protocol" is on but "proxy protocol hosts" is unset';
      context.log.warning(`${why}: all connections will be rejected. Set it to the proxy's address.`);
    }
    this.pool = new WorkerPool(this.parts);
    try {
      const doors = await openDoors(this.parts, config, passed, (caller) => void this.visit(caller));
      if (doors.where !== "") context.log.info(`also listening${doors.where.slice(1)}`);
      if (background) announceReady(context);
      tellService(context, ["READY=1", `STATUS=listening ${where}${doors.where}`]);
      return await this.untilSignal(doors, pidFile);
    } catch (error) {
      this.pool.close();
      pidFile?.remove();
      throw error;
    }
  }

  private untilSignal(doors: Doors, pidFile: PidFile | null): Promise<number> {
    const { host } = this.context.platform;
    return new Promise((resolve) => {
      host.onSignal(["SIGTERM", "SIGINT"], (signal) => {
        tellService(this.context, ["STOPPING=1"]);
        doors.close();
        for (const stream of this.visitors) stream.destroy();
        this.pool.close();
        pidFile?.remove();
        const code = signal === 15 ? 0 : ExitCode.signal;
        this.context.log.info(`rsyncd stopped by signal ${signal}`);
        resolve(code);
      });
      host.onSignal(["SIGHUP"], () => this.reload(doors));
    });
  }

  /** The configuration is read for every client anyway; a log that was moved away is made anew. */
  private reload(doors: Doors): void {
    const { log } = this.context;
    log.reopen();
    const { config, problems } = readConfig(this.context);
    if (config !== null) log.useConfig(config);
    for (const problem of problems) log.info(problemLine(problem));
    log.info(config === null ? "the configuration cannot be used" : "log reopened, configuration read");
    if (config !== null) doors.renew(config);
  }

  /** Receives one client. */
  private async visit(caller: Caller): Promise<void> {
    const { metrics } = this;
    const session = newSession(this.context);
    const context = { ...this.context, log: this.context.log.forSession(session) };
    const stream = new LineStream(caller.stream);
    metrics.add("connections", caller.door);
    metrics.add("visitors");
    this.visitors.add(stream);
    if (this.visitors.size > MOST_VISITORS) {
      const [oldest] = this.visitors;
      oldest.destroy();
    }
    let carried: Carried | null = null;
    try {
      carried = await this.receive({ caller, carrier: caller.stream, session, context }, stream);
    } catch (error) {
      metrics.add("failures", caller.door);
      context.log.warning(errorText(error));
    }
    metrics.add("visitors", "", -1);
    this.visitors.delete(stream);
    await carried?.done;
    stream.destroy();
  }

  private async receive(callee: Callee, stream: LineStream): Promise<Carried | null> {
    const { caller, context } = callee;
    const { config, problems } = readConfig(context);
    if (caller.door !== "metrics") for (const problem of problems) context.log.info(problemLine(problem));
    if (caller.address === "") return null;
    const deadline = new Deadline(context.platform.host, stream);
    deadline.restart(config?.defaults.number("timeout") ?? 0);
    try {
      if (caller.door === "metrics") {
        await deadline.limit(answerMetrics(context, stream, this.metrics, this.startTime));
        await finish(context.platform.host, stream);
        return null;
      }
      if (config === null) return null;
      if (caller.door !== "websocket") return await this.converse(callee, stream, config, deadline);
      const upgraded = await deadline.limit(upgrade(context, config, stream, caller.address));
      if (upgraded === null) return null;
      const inner = { ...callee, caller: { ...caller, ...upgraded, fd: null }, carrier: upgraded.stream };
      return await this.converse(inner, new LineStream(upgraded.stream), config, deadline);
    } finally {
      deadline.stop();
    }
  }

  /** The callee's carrier is what `stream` reads from. */
  private async converse(
    callee: Callee, stream: LineStream, config: Config, deadline: Deadline,
  ): Promise<Carried | null> {
    const { caller, context, session } = callee;
    const { address } = caller;
    const told = caller.door !== "tcp";
    if (isJailed(config)) {
      const passed = await this.passOn(callee, { kind: "visitor", session, address, told, read: "" }, []);
      // Which module it will be only that process hears.
      if (passed !== null) this.count("", passed.ended);
      return passed?.carried ?? null;
    }
    const visitor = await identify(context, { stream, config, deadline, address, told });
    if (visitor === null) return null;
    const admission = await receive(context, visitor);
    deadline.stop();
    if (admission !== null) return this.handOver(callee, stream, config, admission);
    if (told) await finish(context.platform.host, stream);
    else await stream.end();
    return null;
  }

  private async handOver(
    callee: Callee, stream: LineStream, config: Config, admission: Admission,
  ): Promise<Carried | null> {
    const { lockFd, module } = admission;
    const { fs } = this.context.platform;
    const message = admissionHandover(config, admission, stream.pending, false, callee.session);
    const passed = await this.passOn(callee, message, lockFd < 0 ? [] : [lockFd]);
    if (passed !== null) this.count(module.name, passed.ended);
    // The slot is taken until "post-xfer exec" is through; without one, as long as the process holds it.
    const held = module.raw("post-xfer exec") === "" ? undefined : passed?.ended;
    if (lockFd >= 0) void (held ?? Promise.resolve()).then(() => fs.close(lockFd));
    return passed?.carried ?? null;
  }

  private count(module: string, ended: Promise<Ended>): void {
    const { metrics } = this;
    metrics.add("admissions", module);
    metrics.add("sessions", module);
    void ended.then(({ code }) => {
      metrics.add("sessions", module, -1);
      metrics.add("sessions_ended", String(code));
    });
  }

  /** Gives a connection to a process. This one's descriptor is closed by the stream's owner. */
  private async passOn(
    { caller, carrier }: Callee, message: Handover, fds: readonly number[],
  ): Promise<{ readonly ended: Promise<Ended>; readonly carried: Carried | null } | null> {
    const { hostSockets, sockets, system } = this.parts;
    const { host, fs } = this.context.platform;
    const worker = await this.pool.take();
    // A copy, since the runtime may close its own descriptor with more than close(2).
    const pair = caller.fd === null ? sockets.pair() : null;
    const fd = caller.fd === null ? (pair?.[1] ?? -1) : system.duplicate(caller.fd);
    if (fd < 0) {
      worker.dismiss();
      return null;
    }
    const serving = await worker.handOver(message, [fd, ...fds]);
    fs.close(fd);
    const carried = pair === null ? null : hostSockets.adopt(pair[0]);
    // The connection is the other process's now.
    if (carried === null) caller.stream.destroy();
    if (serving !== null) {
      const done = carried === null ? null : { done: carry(host, carrier, carried) };
      return { ended: serving.ended, carried: done };
    }
    carried?.destroy();
    this.context.log.warning("a connection could not be handed over");
    return null;
  }
}

/** The client is another process's, and this one carries its bytes there until `done`. */
interface Carried {
  readonly done: Promise<void>;
}

/** Whom another process is to serve, and the stream that this process would carry its bytes from. */
interface Callee {
  readonly caller: Caller;
  readonly carrier: ByteStream;
  /** The connection's id in logs. */
  readonly session: string;
  /** With a log that shows it. */
  readonly context: DaemonContext;
}
