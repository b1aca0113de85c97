import { describe, expect, test } from "vitest";
import { DirNames, FileList } from "../../../src/flist/filelist.ts";
import { sortList } from "../../../src/flist/sort.ts";
import { LinearMemory } from "../../../src/memory.ts";

const ROWS = 70_000;

function memoryOf(pages: number, shared: boolean): LinearMemory {
  const initial = shared ? 16 : pages;
  return new LinearMemory(new WebAssembly.Memory({ initial, maximum: pages, shared }), 1024, pages);
}

/** Fills a list backwards, an optional column from the middle on. */
function fill(list: FileList): void {
  for (let i = 0; i < ROWS; i++) {
    const row = list.addRow();
    const name = Uint8Array.from(String(ROWS - 1 - i).padStart(6, "0"), (c) => c.charCodeAt(0));
    list.setName(row, name, 0, name.length);
    list.dir[row] = 0;
    list.mode[row] = 0o100644;
    list.size[row] = 2 ** 40 + i;
    list.flags[row] = i;
    if (i >= ROWS / 2) list.want("rdevMajor")[row] = i;
    if (i >= ROWS / 2) list.want("hlink")[row] = i;
  }
}

describe("a long list", () => {
  test.each([
    ["in linear memory", memoryOf(1024, true), true],
    ["in the heap, where linear memory has no room to spare", memoryOf(160, true), false],
    ["in the heap, where linear memory has a fixed length", memoryOf(1024, false), false],
  ])("keeps its rows as it grows, %s", (_where, memory, isLinear) => {
    const before = memory.alloc(64);
    memory.release(before);
    const list = new FileList(memory, new DirNames());
    fill(list);
    expect(memory.owns(new Uint8Array(list.size.buffer))).toBe(isLinear);
    for (let row = 0; row < ROWS; row += 997) {
      const set = row >= ROWS / 2;
      expect([list.size[row], list.flags[row]]).toEqual([2 ** 40 + row, row]);
      expect([list.extra.rdevMajor![row], list.extra.hlink![row]]).toEqual(set ? [row, row] : [0, -1]);
    }
    sortList(list, 32);
    expect([list.basename(0), list.basename(ROWS - 1)]).toEqual(["000000", String(ROWS - 1).padStart(6, "0")]);
    expect([list.size[0], list.extra.hlink![0]]).toEqual([2 ** 40 + ROWS - 1, ROWS - 1]);
    list.release();
    // Everything went back, working arrays of the sort included: there is one free range again.
    const whole = memory.alloc(memory.u8.length - before - 64);
    expect(whole).toBe(before);
  });

  test("is refused where --max-alloc says so", () => {
    const memory = memoryOf(1024, true);
    memory.maxAlloc = 100_000;
    const list = new FileList(memory, new DirNames());
    expect(() => fill(list)).toThrow("exceeded --max-alloc=100000 setting");
  });
});
