import { describe, expect, test } from "vitest";
import { DirTree, Segments } from "../../../src/flist/segments.ts";
import type { FileList } from "../../../src/flist/filelist.ts";
import { testMemory } from "./diskfs.ts";

function addSegment(segments: Segments, rows: number): FileList {
  const list = segments.create();
  for (let i = 0; i < rows; i++) list.setName(list.addRow(), Uint8Array.of(97 + i), 0, 1);
  segments.publish(list);
  return list;
}

describe("the numbers of segments", () => {
  test("start at 0 in a single list", () => {
    const segments = new Segments(testMemory(), false);
    const view = segments.view();
    expect(view.find(0)).toBeNull();
    expect(() => view.forNdx(0, "here")).toThrow("File-list index 0 not in 0 - -1 (here)");
    const list = addSegment(segments, 2);
    expect([view.find(0), view.find(1), view.find(2)]).toEqual([list, list, null]);
  });

  test("start at 1 with incremental recursion, with a gap for each directory", () => {
    const segments = new Segments(testMemory(), true);
    const view = segments.view();
    const [a, b, c] = [addSegment(segments, 3), addSegment(segments, 0), addSegment(segments, 2)];
    expect([a.ndxStart, b.ndxStart, c.ndxStart]).toEqual([1, 5, 6]);
    expect([0, 1, 3, 4, 5, 6, 7].map((ndx) => view.find(ndx))).toEqual([a, a, a, b, c, c, c]);
    expect([view.find(-1), view.find(8), view.find(1.5)]).toEqual([null, null, null]);
    expect(() => view.forNdx(8, "there")).toThrow("File-list index 8 not in 0 - 7 (there)");
  });
});

test("each role walks and frees the chain at its own pace", () => {
  const memory = testMemory();
  const segments = new Segments(memory, true);
  const [generator, receiver] = [segments.view(), segments.view()];
  const first = addSegment(segments, 3);
  const second = addSegment(segments, 2);
  expect([generator.total, generator.oldTotal, generator.current]).toEqual([5, 3, first]);
  expect(generator.advance()).toBe(true);
  expect([generator.advance(), generator.current, generator.oldTotal]).toEqual([false, second, 5]);
  generator.freeFirst();
  expect([generator.first, generator.total, generator.oldTotal, generator.find(1)]).toEqual([second, 2, 2, null]);
  expect(first.used).toBe(3);
  expect(receiver.select(6, "test")).toBe(second);
  expect(receiver.oldTotal).toBe(5);
  receiver.freeFirst();
  expect(first.used).toBe(0);
  receiver.freeFirst();
  expect([receiver.first, receiver.current, receiver.total]).toEqual([null, null, 0]);
  receiver.freeFirst();
  segments.release();
});

test("a row's flags reach the directory list", () => {
  const segments = new Segments(testMemory(), true);
  segments.view();
  const list = addSegment(segments, 2);
  const ndx = segments.dirList.copyRow(list, 1);
  list.want("dirNdx")[1] = ndx;
  segments.orFlags(list, 1, 16);
  segments.orFlags(list, 0, 32);
  expect([list.flags[1], segments.dirList.flags[ndx], list.flags[0], segments.dirList.path(ndx)])
    .toEqual([16, 16, 32, "b"]);
});

test("the directory tree links siblings and children", () => {
  const tree = new DirTree();
  expect(tree.link(-1, [1, 2, 40])).toBe(1);
  expect(tree.link(2, [41])).toBe(41);
  expect(tree.link(1, [])).toBe(-1);
  expect([tree.nextSibling(1), tree.nextSibling(2), tree.nextSibling(40)]).toEqual([2, 40, -1]);
  expect([tree.firstChild(1), tree.firstChild(2), tree.parent(41), tree.parent(2)]).toEqual([-1, 41, 2, -1]);
});
