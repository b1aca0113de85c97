/** Wake-ups between roles. */
import { describe, expect, it } from "vitest";
import { Signal } from "../../../src/session/signal.ts";

describe("a signal", () => {
  it("wakes a waiter", async () => {
    const signal = new Signal();
    let woken = false;
    const waiting = signal.wait().then(() => (woken = true));
    await Promise.resolve();
    expect(woken).toBe(false);
    signal.notify();
    await waiting;
    expect(woken).toBe(true);
  });

  it("keeps a notification that nobody waited for, once", async () => {
    const signal = new Signal();
    signal.notify();
    signal.notify();
    await signal.wait();
    let woken = false;
    void signal.wait().then(() => (woken = true));
    for (let i = 0; i < 5; i++) await Promise.resolve();
    expect(woken).toBe(false);
  });

  it("fails every wait once it has failed", async () => {
    const signal = new Signal();
    const waiting = signal.wait();
    signal.fail(new Error("over"));
    await expect(waiting).rejects.toThrow("over");
    signal.notify();
    await expect(signal.wait()).rejects.toThrow("over");
  });
});
