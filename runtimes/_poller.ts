/**
 * Waiting for descriptors that no runtime can wait for by itself (inotify, fanotify): one poll(2) on another thread for
 * all of them. It has no time limit, so an idle wait costs nothing; a private eventfd ends it when the set changes or
 * the program does.
 */
import { type ReadWaiter } from "../src/host.ts";

/** What a runtime contributes. Entries are struct pollfd as pairs: the descriptor, then events and found events. */
export interface PollCalls {
  /** A new eventfd, non-blocking, or below 0. */
  eventfd(): number;
  /** poll(2) on another thread, without a limit. Resolves when it has returned; rejects when it cannot be called. */
  poll(entries: Int32Array, count: number): Promise<void>;
  /** Adds 1 to an eventfd. */
  raise(fd: number): void;
  /** Sets an eventfd back to 0. */
  clear(fd: number): void;
  /** The last wait has ended, or a first one begins: whether the thread must keep the program alive. */
  keepAlive?(on: boolean): void;
}

const POLLIN = 1;
const FOUND_SHIFT = 16;

/** All waits of one program. */
export class Poller {
  private readonly calls: PollCalls;
  private readonly waits = new Map<number, (ready: boolean) => void>();
  private wakeFd = -1;
  private running = false;
  private polling = false;

  constructor(calls: PollCalls) {
    this.calls = calls;
  }

  /** A waiter for one descriptor. */
  waiter(fd: number): ReadWaiter {
    let stopped = false;
    return {
      wait: () => (stopped ? Promise.resolve(false) : this.wait(fd)),
      stop: () => {
        stopped = true;
        this.end(fd);
      },
    };
  }

  /** Lets the thread return, for the end of the program: a runtime may join its threads. */
  endAll(): void {
    for (const fd of this.waits.keys()) this.end(fd);
  }

  private wait(fd: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.waits.set(fd, resolve);
      if (this.polling) this.calls.raise(this.wakeFd);
      else if (!this.running) this.run().catch(reject);
    });
  }

  private end(fd: number): void {
    const resolve = this.waits.get(fd);
    if (resolve === undefined) return;
    this.waits.delete(fd);
    if (this.polling) this.calls.raise(this.wakeFd);
    resolve(false);
  }

  private async run(): Promise<void> {
    const { calls, waits } = this;
    this.running = true;
    calls.keepAlive?.(true);
    try {
      if (this.wakeFd < 0) this.wakeFd = calls.eventfd();
      if (this.wakeFd < 0) throw new Error("eventfd failed");
      while (waits.size > 0) {
        const fds = [this.wakeFd, ...waits.keys()];
        const entries = new Int32Array(new SharedArrayBuffer(fds.length * 8));
        fds.forEach((fd, i) => entries.set([fd, POLLIN], i * 2));
        this.polling = true;
        await calls.poll(entries, fds.length);
        this.polling = false;
        calls.clear(this.wakeFd);
        fds.slice(1).forEach((fd, i) => {
          if (entries[i * 2 + 3] >>> FOUND_SHIFT !== 0) this.found(fd);
        });
        // Who was told may ask again at once, and then needs no new thread.
        await Promise.resolve();
      }
    } finally {
      this.running = this.polling = false;
      calls.keepAlive?.(false);
    }
  }

  private found(fd: number): void {
    const resolve = this.waits.get(fd);
    this.waits.delete(fd);
    resolve?.(true);
  }
}

/** Eight bytes, the value 1 of an eventfd. */
export function one(): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(8));
  bytes[0] = 1;
  return bytes;
}
