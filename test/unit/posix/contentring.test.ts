import { expect, test } from "vitest";
import { LinearMemory } from "../../../src/memory.ts";
import { ContentRing } from "../../../src/posix/contentring.ts";

const RING = 512 * 1024;
const memory = (): LinearMemory => new LinearMemory(new WebAssembly.Memory({ initial: 1, maximum: 64 }), 1024, 64);

test("pieces never overlap one that is not given back, and never leave the ring", () => {
  const ring = new ContentRing(memory());
  const start = ring.room(0);
  const live: { from: number; to: number; mark: number }[] = [];
  let seed = 7;
  let full = 0;
  for (let i = 0; i < 5000; i++) {
    seed = (seed * 1103515245 + 12345) % 0x80000000;
    const byteLength = seed % 40_000;
    let from = ring.room(byteLength);
    while (from < 0) {
      full++;
      ring.free(live.shift()!.mark);
      from = ring.room(byteLength);
    }
    const to = from + byteLength;
    expect(from).toBeGreaterThanOrEqual(start);
    expect(to).toBeLessThanOrEqual(start + RING);
    expect(live.filter((one) => one.from < to && from < one.to)).toEqual([]);
    live.push({ from, to, mark: ring.take(byteLength) });
  }
  expect(full).toBeGreaterThan(1000);
});

test("room that is not taken stays free", () => {
  const ring = new ContentRing(memory());
  const first = ring.room(100);
  expect(ring.room(50)).toBe(first);
  ring.take(50);
  expect(ring.room(10)).toBe(first + 50);
});
