import { describe, expect, test } from "vitest";
import type { ProtocolContext } from "../../../src/protocol/context.ts";
import { Cursor, NEED_MORE, Writer } from "../../../src/protocol/cursor.ts";
import { readIdName, writeIdList, type IdName } from "../../../src/protocol/idlist.ts";

const PAIRS: IdName[] = [{ id: 1000, name: "joe" }, { id: 4294967294, name: "nobody\xff" }, { id: 5, name: "" },
  { id: 0, name: "root" }];

function contextOf(version: number, id0Names: boolean): ProtocolContext {
  return { version, id0Names } as ProtocolContext;
}

function readAll(cursor: Cursor, context: ProtocolContext): IdName[] {
  const pairs: IdName[] = [];
  for (;;) {
    const pair = { id: -1, name: "" };
    const more = readIdName(cursor, context, pair);
    pairs.push(pair);
    if (!more) return pairs;
  }
}

describe.each([[27, false], [29, false], [30, false], [32, true]])("id lists, protocol %i, id 0 named: %s", (version,
  id0Names) => {
  const context = contextOf(version, id0Names);
  const out = new Writer();
  writeIdList(out, context, PAIRS, "toor");
  const bytes = out.view();

  test("hold the named ids and end with id 0", () => {
    const cursor = new Cursor(Uint8Array.from([...bytes, 9]));
    expect(readAll(cursor, context)).toEqual([PAIRS[0], PAIRS[1], { id: 0, name: id0Names ? "toor" : "" }]);
    expect(cursor.available).toBe(1);
  });

  test("ask for more when cut anywhere", () => {
    for (let end = 0; end < bytes.length; end++) {
      let caught: unknown = null;
      try {
        readAll(new Cursor(bytes, 0, end), context);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBe(NEED_MORE);
    }
  });
});

test("the bytes of a protocol 30 list", () => {
  const out = new Writer();
  writeIdList(out, contextOf(30, false), [{ id: 300, name: "ab" }], "");
  expect([...out.view()]).toEqual([0x81, 0x2c, 2, 0x61, 0x62, 0]);
});

test("names are cut at 255 bytes", () => {
  const out = new Writer();
  writeIdList(out, contextOf(31, false), [{ id: 1, name: "n".repeat(300) }], "");
  expect(readAll(new Cursor(out.view()), contextOf(31, false))[0].name).toBe("n".repeat(255));
});
