/** Events as text. The comparison with inotify-tools itself is in test/interop. */
import { expect, test } from "vitest";
import { eventMask, eventText } from "../../../../src/watch/tools/eventnames.ts";
import { csvEvent, formatEvent, jsonEvent } from "../../../../src/watch/tools/format.ts";
import { pathList } from "../../../../src/watch/tools/pathlist.ts";
import { tableJson, tableText } from "../../../../src/watch/tools/table.ts";

const event = { watched: "dir/", name: "f", mask: 0x40000080, cookie: 0x2f };
const clock = { now: () => 1.5, time: () => "T" };

test("conversions of a format", () => {
  expect(formatEvent("%w%f %e %:e %c %T %% %0%n%q%", event, clock)).toBe(null);
  expect(formatEvent("%w%f %e %:e %c %T %% %0%n%qx", event, clock))
    .toBe("dir/f MOVED_TO,ISDIR MOVED_TO:ISDIR 2f T % \0\n%qx");
  expect(formatEvent("%T", event, { ...clock, time: () => "" })).toBe(null);
  expect(formatEvent("%w".repeat(3000), event, clock)!.length).toBe(4096);
});

test("CSV quotes what needs it", () => {
  expect(csvEvent(event)).toBe('dir/,"MOVED_TO,ISDIR",f\n');
  expect(csvEvent({ ...event, watched: "", name: ' a"b', mask: 1 })).toBe('ACCESS," a""b"\n');
});

test("JSON pairs renames and keeps bytes that are not UTF-8", () => {
  expect(JSON.parse(jsonEvent(event, "old/g", clock))).toEqual({
    time: "1970-01-01T00:00:01.500Z", watched: "dir/", name: "f", events: ["MOVED_TO", "ISDIR"], isDirectory: true,
    cookie: 47, from: "old/g", to: "dir/f",
  });
  expect(JSON.parse(jsonEvent({ ...event, name: "\xff", cookie: 0 }, null, clock)).pathHex).toBe("6469722fff");
});

test("event names, both ways", () => {
  expect(eventText(8, ",")).toBe("CLOSE_WRITE,CLOSE");
  expect(eventText(0x1000, ",")).toBe("0x00001000");
  expect(["move", "Close,access", "all_events", "access,", "", "none", "access,none"].map(eventMask))
    .toEqual([0xc0, 0x19, 0xfff, 0, 0, null, null]);
});

test("path lists: a file's lines first, @ leaves out", () => {
  expect(pathList("a\n\n@b\n@\nc", ["", "@", "d", "@e"])).toEqual({ watch: ["a", "c", "d"], exclude: ["b", "e"] });
});

test("the table counts, sorts and leaves out zeros", () => {
  const watch = (wd: number, name: string, hits: Record<number, number>) => {
    const row = { wd, name, hits: new Uint32Array(32), total: 0 };
    for (const [bit, count] of Object.entries(hits)) {
      row.hits[Number(bit)] = count;
      row.total += count;
    }
    return row;
  };
  const watches = [watch(1, "a", { 1: 2 }), watch(2, "b", {}), watch(3, "c", { 1: 1, 8: 7 })];
  const settings = { events: 0, zero: false, sortBy: 0, ascending: false };
  expect(tableText(watches, settings)).toBe([
    "total  modify  create  filename", "8      1       7       c", "2      2       0       a", "",
  ].join("\n"));
  expect(tableText(watches, { ...settings, events: 2, zero: true, sortBy: 2, ascending: true })).toBe([
    "total  modify  filename", "0      0       b", "8      1       c", "2      2       a", "",
  ].join("\n"));
  expect(JSON.parse(tableJson(watches, settings))[0]).toEqual({
    filename: "c", total: 8, events: { modify: 1, create: 7 },
  });
});
