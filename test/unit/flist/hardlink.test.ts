import { describe, expect, test } from "vitest";
import type { FileList } from "../../../src/flist/filelist.ts";
import { HardLinks, IdevTable } from "../../../src/flist/hardlink.ts";
import { Segments, type SegmentView } from "../../../src/flist/segments.ts";
import { FileFlag } from "../../../src/protocol/constants.ts";
import { testMemory } from "./diskfs.ts";

const { hlinked, hlinkFirst, hlinkLast, hlinkDone, fileSent } = FileFlag;

/** A segment of files named a, b, c ...; `groups[i]` is the group of row i, -1 for none. */
function addSegment(segments: Segments, groups: number[]): FileList {
  const list = segments.create();
  for (const group of groups) {
    const row = list.addRow();
    list.setName(row, Uint8Array.of(97 + list.ndxStart + row), 0, 1);
    list.mode[row] = 0o100644;
    if (group < 0) continue;
    list.flags[row] |= hlinked;
    list.want("hlink")[row] = group;
  }
  segments.publish(list);
  return list;
}

function setUp(incRecurse: boolean): { segments: Segments; view: SegmentView; links: HardLinks } {
  const segments = new Segments(testMemory(), incRecurse);
  const view = segments.view();
  return { segments, view, links: new HardLinks(view, incRecurse) };
}

test("a segment's groups are known before anybody can walk it", () => {
  const { segments, view, links } = setUp(true);
  segments.onPublish = (list) => links.match(list);
  const list = addSegment(segments, [-1, 1, 1]);
  expect(view.current).toBe(list);
  expect(list.flags[1] & (hlinkFirst | hlinkLast)).toBe(hlinkFirst);
  expect(list.flags[2] & (hlinkFirst | hlinkLast)).toBe(hlinkLast);
});

test("inodes are told apart by all their bits", () => {
  const table = new IdevTable();
  expect(table.findOrAdd(1, 0, 5, 0, 10)).toBe(-1);
  expect(table.findOrAdd(1, 0, 5, 0, 11)).toBe(10);
  expect(table.findOrAdd(2, 0, 5, 0, 12)).toBe(-1);
  expect(table.findOrAdd(1, 0, 5, 0xffffffff, 13)).toBe(-1);
  expect(table.findOrAdd(1, 0, 6, 0xffffffff, 14)).toBe(-1);
  expect(table.findOrAdd(1, 0, 5, 0xffffffff, 15)).toBe(13);
  table.clear();
  expect(table.findOrAdd(1, 0, 5, 0, 16)).toBe(-1);
});

describe("one list", () => {
  test("chains each group from last to first; a lone row is no link", () => {
    const { segments, links } = setUp(false);
    const list = addSegment(segments, [3, -1, 3, 9, 3]);
    links.match(list);
    expect(Array.from(list.extra.hlinkPrev!.slice(0, 5))).toEqual([-1, -1, 0, -1, 2]);
    expect([list.flags[0], list.flags[2], list.flags[4]]).toEqual([hlinked | hlinkFirst, hlinked, hlinked | hlinkLast]);
    expect(list.flags[3]).toBe(hlinkDone);
  });

  test("followers link to a leader that is done", () => {
    const { segments, links } = setUp(false);
    const list = addSegment(segments, [0, 0, 0]);
    links.match(list);
    expect(links.check(list, 1)).toEqual({ kind: "process" });
    expect(links.finish(list, 0, 0, "a", -1)).toEqual([]);
    expect(links.check(list, 1)).toEqual({ kind: "link", path: "a", leader: { list, row: 0, ndx: 0 }, altDest: -1 });
    list.flags[1] |= hlinkDone;
    expect(links.check(list, 2)).toEqual({ kind: "link", path: "a", leader: { list, row: 0, ndx: 0 }, altDest: -1 });
  });

  test("followers wait for a leader under way", () => {
    const { segments, links } = setUp(false);
    const list = addSegment(segments, [0, 0, 0]);
    links.match(list);
    list.flags[0] |= fileSent;
    expect(links.check(list, 1)).toEqual({ kind: "wait" });
    expect(links.check(list, 2)).toEqual({ kind: "wait" });
    expect(list.inProgress).toBe(2);
    const waiting = links.finish(list, 0, 0, "a", 1);
    expect(waiting.map(({ row }) => row).sort()).toEqual([1, 2]);
    expect(list.flags[1] & hlinkDone).toBe(hlinkDone);
    expect(links.check(list, 2)).toMatchObject({ kind: "link", path: "a", altDest: 1 });
  });

  test("a skipped leader hands its place on", () => {
    const { segments, links } = setUp(false);
    const list = addSegment(segments, [0, 0, 0]);
    links.match(list);
    expect(links.skip(list, 0)).toBeNull();
    expect(links.check(list, 1)).toEqual({ kind: "process" });
    expect(links.skip(list, 2)).toEqual({ list, row: 1, ndx: 1 });
    expect(list.flags[1] & hlinkLast).toBe(hlinkLast);
  });
});

describe("segments", () => {
  test("chain a group across them, or link to its path once a segment is gone", () => {
    const { segments, view, links } = setUp(true);
    const first = addSegment(segments, [1, 1]);
    links.match(first);
    expect([first.flags[0], first.flags[1]]).toEqual([hlinked | hlinkFirst, hlinked | hlinkLast]);
    const second = addSegment(segments, [1]);
    links.match(second);
    expect(first.flags[1] & hlinkLast).toBe(0);
    expect(second.extra.hlinkPrev![0]).toBe(2);
    expect(links.check(second, 0)).toEqual({ kind: "process" });
    links.finish(first, 0, 1, "dir/a", -1);
    first.flags[1] |= hlinkDone;
    expect(links.check(second, 0)).toMatchObject({ kind: "link", path: first.path(0) });
    view.freeFirst();
    const third = addSegment(segments, [1]);
    links.match(third);
    expect(links.check(third, 0)).toEqual({ kind: "link", path: "dir/a", leader: null, altDest: -1 });
  });

  test("a group whose rows were all passed over starts anew", () => {
    const { segments, view, links } = setUp(true);
    links.match(addSegment(segments, [1]));
    const second = addSegment(segments, []);
    view.freeFirst();
    const third = addSegment(segments, [1]);
    links.match(third);
    expect(second.used).toBe(0);
    expect(third.flags[0]).toBe(hlinked | hlinkFirst | hlinkLast);
  });

  test("a reference to a group that never began is refused", () => {
    const { segments, links } = setUp(true);
    addSegment(segments, [-1, -1]);
    const list = addSegment(segments, [2]);
    expect(() => links.match(list)).toThrow("hard-link gnum 2 precedes flist start 4");
  });
});
