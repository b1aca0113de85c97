/**
 * Waiting for descriptors with epoll(7), for a runtime that can make a call on another thread (Deno): one such call
 * waits for all of them, however many there are.
 */

/** The C functions needed; views are passed as they are. `epoll_wait` resolves when something is ready. */
export interface EpollCalls {
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint32Array): number;
  epoll_wait(epoll: number, events: Uint32Array, count: number, timeoutMs: number): Promise<number>;
  eventfd(count: number, flags: number): number;
  eventfd_write(fd: number, value: bigint): number;
  eventfd_read(fd: number, value: BigUint64Array): number;
}

const CLOEXEC = 0o2000000;
const NONBLOCK = 0o4000;
const Operation = { add: 1, remove: 2, change: 3 } as const;
const ONESHOT = 2 ** 30;
const MAX_EVENTS = 64;
/** Words of a struct epoll_event: events, then the descriptor (on x64 the structure is packed). */
const WORDS = { x64: { size: 3, data: 1 }, arm64: { size: 4, data: 2 } } as const;

interface Waiter {
  readonly events: number;
  readonly resolve: () => void;
}

/** Events a descriptor may be waited for. */
export const Ready = { read: 1, write: 4 } as const;

/** See the head of this file. */
export class Epoll {
  private readonly calls: EpollCalls;
  private readonly words: { readonly size: number; readonly data: number };
  private readonly epoll: number;
  private readonly wake: number;
  private readonly waiting = new Map<number, Waiter[]>();
  private running = false;
  /** A wait is under way on the other thread. */
  private asleep = false;

  constructor(calls: EpollCalls, arch: "x64" | "arm64") {
    this.calls = calls;
    this.words = WORDS[arch];
    this.epoll = calls.epoll_create1(CLOEXEC);
    this.wake = calls.eventfd(0, CLOEXEC | NONBLOCK);
    calls.epoll_ctl(this.epoll, Operation.add, this.wake, this.event(Ready.read, this.wake));
  }

  /** Resolves when the descriptor is ready, has failed, or is given up by `forget`. */
  wait(fd: number, events: number): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.waiting.get(fd) ?? [];
      waiters.push({ events, resolve });
      this.waiting.set(fd, waiters);
      this.arm(fd, waiters);
      if (!this.running) void this.run();
    });
  }

  /** The descriptor is about to be closed: whoever waits for it goes on. */
  forget(fd: number): void {
    // Another descriptor may stand for the same thing, so closing this one would not end the registration.
    this.calls.epoll_ctl(this.epoll, Operation.remove, fd, this.event(0, fd));
    const waiters = this.waiting.get(fd);
    if (waiters === undefined) return;
    this.waiting.delete(fd);
    for (const { resolve } of waiters) resolve();
    if (this.waiting.size === 0) this.interrupt();
  }

  private arm(fd: number, waiters: readonly Waiter[]): void {
    const events = waiters.reduce((all, one) => all | one.events, 0) | ONESHOT;
    const event = this.event(events, fd);
    if (this.calls.epoll_ctl(this.epoll, Operation.change, fd, event) === 0) return;
    if (this.calls.epoll_ctl(this.epoll, Operation.add, fd, event) === 0) return;
    // A plain file is always ready, a closed descriptor never: either way its reader finds out.
    this.finish(fd, 0xffffffff);
  }

  private event(events: number, fd: number): Uint32Array {
    const event = new Uint32Array(this.words.size);
    event[0] = events;
    event[this.words.data] = fd;
    return event;
  }

  private async run(): Promise<void> {
    this.running = true;
    const found = new Uint32Array(this.words.size * MAX_EVENTS);
    while (this.waiting.size > 0) {
      this.asleep = true;
      const count = await this.calls.epoll_wait(this.epoll, found, MAX_EVENTS, -1);
      this.asleep = false;
      for (let i = 0; i < count; i++) {
        const at = i * this.words.size;
        const fd = found[at + this.words.data];
        if (fd === this.wake) this.calls.eventfd_read(this.wake, new BigUint64Array(1));
        else this.finish(fd, found[at]);
      }
    }
    this.running = false;
  }

  /** Resolves the waiters whose events came; an error or hang-up is everybody's. */
  private finish(fd: number, events: number): void {
    const waiters = this.waiting.get(fd);
    if (waiters === undefined) return;
    const trouble = (events & 0x18) !== 0;
    const rest = waiters.filter((one) => !trouble && (one.events & events) === 0);
    if (rest.length === 0) this.waiting.delete(fd);
    else {
      this.waiting.set(fd, rest);
      this.arm(fd, rest);
    }
    for (const one of waiters) if (!rest.includes(one)) one.resolve();
  }

  private interrupt(): void {
    if (this.asleep) this.calls.eventfd_write(this.wake, 1n);
  }
}
