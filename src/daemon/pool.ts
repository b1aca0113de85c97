/**
 * Processes that wait for a connection to serve. Starting one takes a runtime some 50 to 100 ms, so that a few are kept
 * ready; each serves one connection and ends.
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
/** Starts under way at a time: more would only take the processor from each other, and from those that serve. */
const MOST_STARTING = 8;
/** After so long without a lack of processes one less is kept ready, milliseconds. */
const CALM_MS = 30_000;
/** A process that ends is asked for its status again and again, at first and at last after so long, milliseconds. */
const FIRST_REAP_MS = 5;
const LAST_REAP_MS = 500;
/** After so many starts in a row that came to nothing the pool pauses, milliseconds. */
const FAILED_STARTS = 3;
const PAUSE_MS = 1000;

/** What starting processes takes. */
export interface PoolParts {
  readonly context: DaemonContext;
  readonly system: System;
  readonly sockets: Sockets;
  readonly hostSockets: HostSockets;
}

/** One process of the pool. */
class Worker {
  readonly pid: number;
  /** Resolves to true once it waits for a connection, to false when it ended before that. */
  readonly ready: Promise<boolean>;
  readonly ended: Promise<Ended>;
  private readonly control: DescriptorStream;
  private readonly parts: PoolParts;
  private announce: (ready: boolean) => void = () => {};

  constructor(parts: PoolParts, pid: number, control: DescriptorStream) {
    this.parts = parts;
    this.pid = pid;
    this.control = control;
    this.ready = new Promise((resolve) => (this.announce = resolve));
    this.ended = this.follow();
  }

  /** Gives it a connection; the descriptors stay the caller's. False when it is no longer there. */
  async handOver(message: Handover, fds: readonly number[]): Promise<boolean> {
    const bytes = encodeHandover(message);
    const sent = this.parts.sockets.sendDescriptors(this.control.fd, bytes, fds);
    if (sent < 0) return false;
    try {
      if (sent < bytes.length) await this.control.write(bytes.subarray(sent));
      return true;
    } catch {
      return false;
    }
  }

  /** A waiting process ends when nobody can send it anything any more. */
  dismiss(): void {
    void this.control.end();
  }

  private async follow(): Promise<Ended> {
    const messages = new WorkerMessages(() => this.announce(true));
    try {
      for (let chunk = await this.control.read(); chunk !== null; chunk = await this.control.read()) {
        messages.add(latin1(chunk, 0, chunk.length));
      }
    } catch {
      // A process that was killed; how it ended is told by its status.
    }
    this.announce(false);
    this.control.destroy();
    const ended = await this.reap(this.pid);
    const command = startAfter(this.parts.context, this.parts.system, messages.after, ended);
    if (command !== null) await this.reap(command);
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
  private readonly idle: Worker[] = [];
  private readonly waiting: ((worker: Worker) => void)[] = [];
  private starting = 0;
  private target = LEAST_IDLE;
  private failures = 0;
  private lackedAt = 0;
  private open = true;

  constructor(parts: PoolParts) {
    this.parts = parts;
    this.fill();
  }

  /** A waiting process, now or as soon as there is one. */
  take(): Promise<Worker> {
    const worker = this.idle.shift();
    if (worker !== undefined) {
      this.relax();
      this.fill();
      return Promise.resolve(worker);
    }
    this.lackedAt = this.now();
    this.target = Math.min(MOST_IDLE, this.target + 1);
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

  /** Keeps fewer processes ready when there have been enough for a while. */
  private relax(): void {
    if (this.target <= LEAST_IDLE || this.now() - this.lackedAt < CALM_MS) return;
    this.lackedAt = this.now();
    this.target--;
  }

  private fill(): void {
    const lacks = (): boolean => this.idle.length + this.starting < this.target + this.waiting.length;
    while (this.open && this.starting < MOST_STARTING && lacks()) void this.start();
  }

  private async start(): Promise<void> {
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
    const next = this.waiting.shift();
    if (next !== undefined) next(worker);
    else if (this.open) this.idle.push(worker);
    else worker.dismiss();
    void worker.ended.then(() => this.forget(worker));
    this.fill();
  }

  private forget(worker: Worker): void {
    const at = this.idle.indexOf(worker);
    if (at < 0) return;
    this.idle.splice(at, 1);
    this.fill();
  }

  private spawn(): Worker | null {
    const { context, system, sockets, hostSockets } = this.parts;
    const started = startWorker(context, system, sockets, { 0: "null", 1: 1, 2: 2 });
    return started === null ? null : new Worker(this.parts, started.pid, hostSockets.adopt(started.socket));
  }
}
