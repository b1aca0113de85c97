import { describe, expect, it } from "vitest";
import { InterruptedError, Interrupts } from "../../../src/conversation/interrupts.ts";
import { type Host } from "../../../src/host.ts";

/** A host whose signals are sent by the test and whose exit throws. */
function makeHost(): { host: Host; signal: () => void; printed: string[] } {
  let handler: (signal: number) => void = () => {};
  const printed: string[] = [];
  const host = {
    onSignal: (_signals: readonly string[], given: (signal: number) => void) => {
      handler = given;
      return () => {};
    },
    print: (_fd: number, bytes: Uint8Array) => printed.push(new TextDecoder().decode(bytes)),
    exit: (code: number) => {
      throw new Error(`exit ${code}`);
    },
  } as unknown as Host;
  return { host, signal: () => handler(2), printed };
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
  it("end the process at once when no conversation is under way", () => {
    const { host, signal, printed } = makeHost();
    const release = new Interrupts(host).add(() => {});
    release();
    expect(signal).toThrow("exit 20");
    expect(printed.join("")).toMatch(/^rsync error: received SIGINT, SIGTERM, or SIGHUP \(code 20\) at /);
  });
});
