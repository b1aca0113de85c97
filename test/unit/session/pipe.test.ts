import { describe, expect, it } from "vitest";
import { streamPair } from "../../../src/session/pipe.ts";
import { settled } from "./_stream.ts";

describe("pipe", () => {
  it("carries both directions, without a copy", async () => {
    const [near, far] = streamPair();
    const chunk = Uint8Array.of(1, 2);
    void near.write(chunk);
    void far.write(Uint8Array.of(3));
    expect(await far.read()).toBe(chunk);
    expect([...(await near.read())!]).toEqual([3]);
  });
  it.each(["consumed", "the next read"] as const)("gives a buffer back at %s, and not before", async (way) => {
    const [near, far] = streamPair();
    let back = false;
    void near.write(Uint8Array.of(1))!.then(() => (back = true));
    await far.read();
    await settled();
    expect(back).toBe(false);
    if (way === "consumed") far.consumed!();
    else void far.read();
    await settled();
    expect(back).toBe(true);
  });
  it("delivers what was written before the end, then the end", async () => {
    const [near, far] = streamPair();
    void near.write(Uint8Array.of(1));
    await near.end();
    expect([...(await far.read())!, await far.read()]).toEqual([1, null]);
    await expect(near.write(Uint8Array.of(2))).rejects.toThrow("closed");
  });
  it("frees reader and writer when one side goes away", async () => {
    const [near, far] = streamPair();
    const reading = near.read();
    const written = near.write(Uint8Array.of(1));
    far.destroy();
    expect(await reading).toBe(null);
    await written;
    await expect(near.write(Uint8Array.of(2))).rejects.toThrow("closed");
  });
});
