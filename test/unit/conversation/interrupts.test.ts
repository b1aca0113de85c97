import { describe, expect, it } from "vitest";
import { InterruptedError, Interrupts } from "../../../src/conversation/interrupts.ts";
import { type Host } from "../../../src/host.ts";

/** A host whose signals are sent by the test and whose exit throws. */
function makeHost(): { host: Host; signal: () => void; usr1: () => void; printed: string[] } {
  const handlers = new Map<string, (signal: number) => void>();
  const printed: string[] = [];
  const host = {
    onSignal: (signals: readonly string[], given: (signal: number) => void) => {
      for (const name of signals) handlers.set(name, given);
      return () => {};
    },
    print: (_fd: number, bytes: Uint8Array) => printed.push(new TextDecoder().decode(bytes)),
    exit: (code: number) => {
      throw new Error(`exit ${code}`);
    },
  } as unknown as Host;
  return { host, signal: () => handlers.get("SIGINT")!(2), usr1: () => handlers.get("SIGUSR1")!(10), printed };
}

describe("interrupts", () => {
  it("tell every conversation at the first signal and end the process at the second", () => {
    const { host, signal, printed } = makeHost();
    const interrupts = new Interrupts(host);
    const told: unknown[] = [];
    interrupts.add((error) => told.push(error));
    interrupts.add((error) => told.push(error));
    signal();
    expect(told).toEqual([expect.any(InterruptedError), expect.any(InterruptedError)]);
    expect(signal).toThrow("exit 20");
    expect(printed).toEqual([]);
  });
  it("end with code 19 at SIGUSR1", () => {
    const { host, usr1 } = makeHost();
    const told: InterruptedError[] = [];
    new Interrupts(host).add((error) => told.push(error));
    usr1();
    expect(told.map(({ exitCode }) => exitCode)).toEqual([19]);
    expect(usr1).toThrow("exit 19");
  });
  it("end the process at once when no conversation is under way", () => {
    const { host, signal, printed } = makeHost();
    const release = new Interrupts(host).add(() => {});
    release();
    expect(signal).toThrow("exit 20");
    expect(printed.join("")).toMatch(/^rsync error: received SIGINT, SIGTERM, or SIGHUP \(code 20\) at /);
  });
});
