import { describe, expect, it } from "vitest";
import { type TransportError } from "../../../src/errors.ts";
import { SilenceLimit, TimeoutWatch } from "../../../src/session/timeout.ts";
import { settled } from "./_stream.ts";

/** A clock that moves only when told, and wakes its sleepers. */
class Clock {
  time = 1000;
  private sleepers: { at: number; wake: () => void }[] = [];

  monotonic(): number {
    return this.time;
  }

  /** The wall clock, which began an hour after the other one. */
  now(): number {
    return this.time + 3_600_000;
  }

  get sleeping(): number {
    return this.sleepers.length;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.sleepers.push({ at: this.time + ms, wake }));
  }

  /** Lets time pass in steps, as an event loop that is free does; in one step it is a busy one. */
  async pass(ms: number, stepMs = 250): Promise<void> {
    for (const end = this.time + ms; this.time < end; ) {
      this.time = Math.min(end, this.time + stepMs);
      const due = this.sleepers.filter(({ at }) => at <= this.time);
      this.sleepers = this.sleepers.filter(({ at }) => at > this.time);
      for (const { wake } of due) wake();
      await settled();
    }
  }
}

/** What a watch did, and the times it is told. */
interface Seen {
  readonly errors: TransportError[];
  readonly kept: number[];
  readonly last: { read: number; write: number };
  watching?: TimeoutWatch;
}

function watch(clock: Clock, limit: number | { seconds: number } = 4, stopAt: number | null = null): Seen {
  const seen: Seen = { errors: [], kept: [], last: { read: 0, write: 0 } };
  const watching = new TimeoutWatch(clock, {
    who: () => "sender",
    timeout: () => (typeof limit === "number" ? limit : limit.seconds),
    stopAt,
    lastRead: () => seen.last.read,
    lastWrite: () => seen.last.write,
    keepAlive: () => {
      seen.kept.push(clock.time);
      seen.last.write = clock.time;
    },
    expired: (error) => seen.errors.push(error),
  });
  seen.watching = watching;
  return seen;
}

describe("timeouts", () => {
  it("end a silent run once, with exit code 30", async () => {
    const clock = new Clock();
    const seen = watch(clock);
    Object.defineProperty(seen.last, "write", { get: () => 1000, set: () => {} });
    await clock.pass(3750);
    expect(seen.errors).toEqual([]);
    await clock.pass(2000);
    expect(seen.errors.map(({ message, exitCode }) => [message, exitCode]))
      .toEqual([["[sender] io timeout after 4 seconds -- exiting\n", 30]]);
  });
  it("wait for ever with 0, for which no timer is made", async () => {
    const clock = new Clock();
    const seen = watch(clock, 0);
    expect(clock.sleeping).toBe(0);
    await clock.pass(20_000, 1000);
    expect([seen.errors, seen.kept]).toEqual([[], []]);
  });
  it("begin to count when a server sets one", async () => {
    const clock = new Clock();
    const limit = { seconds: 0 };
    const seen = watch(clock, limit);
    await clock.pass(20_000, 1000);
    limit.seconds = 4;
    seen.last.read = clock.time;
    seen.watching!.changed();
    seen.watching!.changed();
    expect(clock.sleeping).toBe(1);
    Object.defineProperty(seen.last, "write", { get: () => 1000, set: () => {} });
    await clock.pass(3750);
    expect(seen.errors).toEqual([]);
    await clock.pass(2000);
    expect(seen.errors.length).toBe(1);
  });
  it("keep the other side awake at half the time", async () => {
    const clock = new Clock();
    const seen = watch(clock);
    seen.last.write = 1000;
    await clock.pass(4000);
    expect(seen.kept).toEqual([3000, 5000]);
  });
  it("do not take our own work for the other side's silence", async () => {
    const clock = new Clock();
    const seen = watch(clock);
    await clock.pass(60_000, 60_000);
    expect(seen.errors).toEqual([]);
  });
  it("end a run at the second that --stop-at names, silent or not", async () => {
    const clock = new Clock();
    const seen = watch(clock, 0, 3605);
    await clock.pass(3750);
    expect(seen.errors).toEqual([]);
    await clock.pass(2000);
    expect(seen.errors.map(({ message, exitCode }) => [message, exitCode]))
      .toEqual([["stopping at requested limit\n", 30]]);
  });
  it("hold for the lines before a session as well", async () => {
    const clock = new Clock();
    const limit = new SilenceLimit(clock, 2, "Receiver");
    const work = expect(limit.limit(new Promise(() => {}))).rejects.toMatchObject({ exitCode: 30 });
    await clock.pass(1500);
    limit.heard();
    await clock.pass(1500);
    await clock.pass(1500);
    await work;
    expect(await new SilenceLimit(clock, 2, "Receiver").limit(Promise.resolve("done"))).toBe("done");
  });
});
