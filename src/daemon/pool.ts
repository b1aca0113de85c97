/**
 * Processes that wait for a connection to serve. Starting one takes a runtime some 50 to 100 ms, so that a few are kept
 * ready. One that had to give something up for its connection ends with it; others come back and serve the next.
 */
import { type DescriptorStream, type HostSockets } from "../host.ts";
import { latin1 } from "../memory.ts";
import { type Sockets } from "../posix/sockets.ts";
import { type Ended, type System } from "../posix/system.ts";
import { type DaemonContext } from "./context.ts";
import { encodeHandover, type Handover } from "./handover.ts";
import { startAfter, WorkerMessages } from "./keeper.ts";
import { startWorker } from "./startworker.ts";

/** Processes that wait: at least, and at most when connections come faster than processes start. */
const LEAST_IDLE = 1;
const MOST_IDLE = 8;
/**
 * Starts under way at a time, unless there are fewer processors: more would only take those from each other, and from
 * processes that serve.
 */
const MOST_STARTING = 8;
/** A process that has been given a connection is expected back so soon, milliseconds; then it is replaced. */
const RETURN_MS = 1000;
/** While processes come back as quickly as this, clients that wait are theirs rather than those of new ones. */
const FLOW_MS = 200;
/** So many of them keep a processor busy. */
const FLOWING_PER_PROCESSOR = 2;
/** After so long without a lack of processes one less is kept ready, and no more than that, milliseconds. */
const CALM_MS = 30_000;
/** A process that ends is asked for its status again and again, at first and at last after so long, milliseconds. */
const FIRST_REAP_MS = 5;
const LAST_REAP_MS = 500;
/** After so many starts in a row that came to nothing the pool pauses, milliseconds. */
const FAILED_STARTS = 3;
const PAUSE_MS = 1000;
/** Where wait(2)'s status has the exit code. */
const STATUS_SHIFT = 8;

/** What starting processes takes. */
export interface PoolParts {
  readonly context: DaemonContext;
  readonly system: System;
  readonly sockets: Sockets;
  readonly hostSockets: HostSockets;
}

/** What a process tells its pool. */
interface WorkerEvents {
  /** It serves no longer, and waits again. */
  back(worker: Worker): void;
  /** It will not come back. */
  leaving(worker: Worker): void;
}

/** One process of the pool. */
class Worker {
  readonly pid: number;
  /** Resolves to true once it waits for a connection, to false when it ended before that. */
  readonly ready: Promise<boolean>;
  readonly ended: Promise<Ended>;
  private readonly control: DescriptorStream;
  private readonly parts: PoolParts;
  private readonly events: WorkerEvents;
  private announce: (ready: boolean) => void = () => {};
  /** Resolves what `handOver` gave for the connection that is being served. */
  private finish: ((ended: Ended) => void) | null = null;

  constructor(parts: PoolParts, pid: number, control: DescriptorStream, events: WorkerEvents) {
    this.parts = parts;
    this.pid = pid;
    this.control = control;
    this.events = events;
    this.ready = new Promise((resolve) => (this.announce = resolve));
    this.ended = this.follow();
  }

  /**
   * Gives it a connection; the descriptors stay the caller's. Returns how that connection will have ended, which is how
   * the process does unless it comes back; null when the process is no longer there.
   */
  async handOver(message: Handover, fds: readonly number[]): Promise<{ readonly ended: Promise<Ended> } | null> {
    const bytes = encodeHandover(message);
    const ended = new Promise<Ended>((resolve) => (this.finish = resolve));
    const sent = this.parts.sockets.sendDescriptors(this.control.fd, bytes, fds);
    if (sent < 0) return null;
    try {
      if (sent < bytes.length) await this.control.write(bytes.subarray(sent));
      return { ended };
    } catch {
      return null;
    }
  }

  /** A waiting process ends when nobody can send it anything any more. */
  dismiss(): void {
    void this.control.end();
  }

  private async follow(): Promise<Ended> {
    const messages = new WorkerMessages({
      ready: () => this.announce(true),
      served: (code) => {
        this.finish?.({ code, raw: code << STATUS_SHIFT });
        this.finish = null;
        this.events.back(this);
      },
      sealed: () => this.events.leaving(this),
    });
    try {
      for (let chunk = await this.control.read(); chunk !== null; chunk = await this.control.read()) {
        messages.add(latin1(chunk, 0, chunk.length));
      }
    } catch {
      // A process that was killed; how it ended is told by its status.
    }
    this.announce(false);
    this.events.leaving(this);
    this.control.destroy();
    const ended = await this.reap(this.pid);
    const command = startAfter(this.parts.context, this.parts.system, messages.after, ended);
    if (command !== null) await this.reap(command);
    this.finish?.(ended);
    return ended;
  }

  private async reap(pid: number): Promise<Ended> {
    const { system, context } = this.parts;
    for (let pause = FIRST_REAP_MS; ; pause = Math.min(pause * 2, LAST_REAP_MS)) {
      const ended = system.waitFor(pid, false);
      if (ended !== null) return ended;
      await context.platform.host.sleep(pause);
    }
  }
}

/** See the head of this file. */
export class WorkerPool {
  private readonly parts: PoolParts;
  /** The last one has served last, and is the one whose code and memory are warm. New ones come first. */
  private readonly idle: Worker[] = [];
  /** Processes with a connection that may soon come back, by when they got it. */
  private readonly expected = new Map<Worker, number>();
  private readonly waiting: ((worker: Worker) => void)[] = [];
  private readonly mostStarting: number;
  private readonly mostFlowing: number;
  private readonly events: WorkerEvents;
  private starting = 0;
  private target = LEAST_IDLE;
  private failures = 0;
  private lackedAt = -Infinity;
  private backAt = -Infinity;
  private calming = false;
  private open = true;

  constructor(parts: PoolParts) {
    this.parts = parts;
    const processors = parts.system.processors();
    this.mostStarting = Math.min(MOST_STARTING, processors);
    this.mostFlowing = processors * FLOWING_PER_PROCESSOR;
    this.events = { back: (worker) => this.takeBack(worker), leaving: (worker) => this.leave(worker) };
    this.fill();
  }

  /** A waiting process, now or as soon as there is one. */
  take(): Promise<Worker> {
    const worker = this.idle.pop();
    if (worker !== undefined) {
      this.lend(worker);
      this.fill();
      return Promise.resolve(worker);
    }
    const taken = new Promise<Worker>((resolve) => this.waiting.push(resolve));
    this.fill();
    return taken;
  }

  /** Ends the waiting processes; those that serve go on. */
  close(): void {
    this.open = false;
    for (const worker of this.idle.splice(0)) worker.dismiss();
  }

  private now(): number {
    return this.parts.context.platform.host.monotonic();
  }

  /** A process has been given a connection. When it does not come back soon it is replaced. */
  private lend(worker: Worker): void {
    const since = this.now();
    this.expected.set(worker, since);
    void this.parts.context.platform.host.sleep(RETURN_MS).then(() => {
      if (this.expected.get(worker) === since) this.leave(worker);
    });
  }

  private leave(worker: Worker): void {
    if (this.expected.delete(worker)) this.fill();
  }

  private takeBack(worker: Worker): void {
    this.expected.delete(worker);
    this.backAt = this.now();
    if (!this.giveToWaiting(worker)) this.keep(worker, false);
    this.fill();
    // If nobody else comes back by then, those that still wait get new ones.
    if (this.waiting.length > 0) void this.parts.context.platform.host.sleep(FLOW_MS).then(() => this.fill());
  }

  /** For who waits for a process, if anybody does. */
  private giveToWaiting(worker: Worker): boolean {
    const next = this.waiting.shift();
    if (next === undefined) return false;
    this.lend(worker);
    next(worker);
    return true;
  }

  /**
   * A process waits for later. One that comes back late, after another has been started in its place, is kept too for a
   * while: the next client may take as long, and would cost a start again.
   */
  private keep(worker: Worker, isNew: boolean): void {
    if (!this.open) {
      worker.dismiss();
      return;
    }
    if (isNew) this.idle.unshift(worker);
    else this.idle.push(worker);
    if (this.idle.length > MOST_IDLE) this.idle.shift()!.dismiss();
    if (this.idle.length > this.target && !this.calming) void this.calmDown();
  }

  /** Keeps fewer processes ready when there have been enough for a while. One of these runs at a time. */
  private async calmDown(): Promise<void> {
    this.calming = true;
    while (this.open && (this.target > LEAST_IDLE || this.idle.length > this.target)) {
      await this.parts.context.platform.host.sleep(CALM_MS);
      if (this.now() - this.lackedAt < CALM_MS) continue;
      this.target = Math.max(LEAST_IDLE, this.target - 1);
      while (this.open && this.idle.length > this.target) this.idle.shift()!.dismiss();
    }
    this.calming = false;
  }

  private fill(): void {
    while (this.open && this.starting < this.mostStarting && this.lacks()) void this.start();
  }

  private lacks(): boolean {
    const { expected, idle, starting, target, waiting } = this;
    // Those that wait go first; ready ones are made one at a time. All take processors from clients that are served.
    if (waiting.length === 0) return starting === 0 && idle.length + expected.size < target;
    return this.flows ? starting === 0 && expected.size < this.mostFlowing : starting < waiting.length;
  }

  private get flows(): boolean {
    return this.expected.size > 0 && this.now() - this.backAt < FLOW_MS;
  }

  /** There are fewer processes than clients: more are kept ready from now on. */
  private lack(): void {
    this.lackedAt = this.now();
    this.target = Math.min(MOST_IDLE, this.target + 1);
    if (!this.calming) void this.calmDown();
  }

  private async start(): Promise<void> {
    if (this.waiting.length > 0 && !this.flows) this.lack();
    this.starting++;
    const worker = this.spawn();
    const ready = worker !== null && (await worker.ready);
    if (!ready && ++this.failures >= FAILED_STARTS) await this.parts.context.platform.host.sleep(PAUSE_MS);
    this.starting--;
    if (!ready) {
      this.fill();
      return;
    }
    this.failures = 0;
    if (!this.giveToWaiting(worker)) this.keep(worker, true);
    void worker.ended.then(() => this.forget(worker));
    this.fill();
  }

  private forget(worker: Worker): void {
    const at = this.idle.indexOf(worker);
    if (at >= 0) this.idle.splice(at, 1);
    this.leave(worker);
    this.fill();
  }

  private spawn(): Worker | null {
    const { context, system, sockets, hostSockets } = this.parts;
    const started = startWorker(context, system, sockets, { 0: "null", 1: 1, 2: 2 });
    if (started === null) return null;
    return new Worker(this.parts, started.pid, hostSockets.adopt(started.socket), this.events);
  }
}
