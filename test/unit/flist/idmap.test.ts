import { describe, expect, test } from "vitest";
import { ReceiverIds, SenderIds, type IdDatabase, type ReceiverIdOptions } from "../../../src/flist/idmap.ts";
import { FileFlag } from "../../../src/protocol/constants.ts";

const USERS: Record<string, number> = { root: 0, joe: 501, ann: 502 };
const GROUPS: Record<string, number> = { root: 0, staff: 50 };
const byId = (table: Record<string, number>,
  id: number): string | null => Object.keys(table).find((name) => table[name] === id) ?? null;
const DATABASE: IdDatabase = {
  userName: (id) => byId(USERS, id), groupName: (id) => byId(GROUPS, id),
  userId: (name) => USERS[name] ?? -1, groupId: (name) => GROUPS[name] ?? -1,
};

function receiver(changes: Partial<ReceiverIdOptions> = {}): ReceiverIds {
  return new ReceiverIds(DATABASE, {
    amRoot: true, numericIds: false, usermap: null, groupmap: null, id0Names: true, ownGroups: [50], ...changes,
  });
}

test("a sender names each id once and lists the newest first", () => {
  const ids = new SenderIds(DATABASE);
  expect([ids.user(501), ids.user(501), ids.user(999), ids.user(0), ids.group(50), ids.group(50)])
    .toEqual(["joe", null, null, "root", "staff", null]);
  expect(ids.users()).toEqual([{ id: 0, name: "root" }, { id: 999, name: "" }, { id: 501, name: "joe" }]);
  expect(ids.groups()).toEqual([{ id: 50, name: "staff" }]);
  expect(ids.rootNames()).toEqual({ user: "root", group: "root" });
});

describe("a receiver", () => {
  test("maps by name, except id 0 and unknown names", () => {
    const ids = receiver();
    expect([ids.addUser(1001, "joe"), ids.addUser(1002, "nobody"), ids.addUser(0, "ann"), ids.addUser(7, null)])
      .toEqual([501, 1002, 0, 7]);
    expect([ids.matchUser(1001), ids.matchUser(55), ids.addGroup(9, "staff"), ids.matchGroup(9)])
      .toEqual([501, 55, 50, 50]);
  });

  test("knows when rows are mapped at all", () => {
    const kinds = (changes: Partial<ReceiverIdOptions>): boolean[] => [receiver(changes).mapsUsers,
      receiver(changes).mapsGroups];
    expect(kinds({})).toEqual([true, true]);
    expect(kinds({ numericIds: true })).toEqual([false, false]);
    expect(kinds({ numericIds: true, usermap: "1:2" })).toEqual([true, false]);
    expect(kinds({ amRoot: false })).toEqual([false, true]);
  });

  test("marks groups it could not set", () => {
    const ids = receiver({ amRoot: false });
    expect([ids.groupFlags(50), ids.groupFlags(51), receiver().groupFlags(51)]).toEqual([0, FileFlag.skipGroup, 0]);
  });

  test("follows --usermap and --groupmap, first match first", () => {
    const ids = receiver({ usermap: "1000-1005:ann,joe:7,b*:joe,0:9,*:99", groupmap: "staff:3" });
    expect([ids.matchUser(1003), ids.addUser(5, "joe"), ids.addUser(6, "bob"), ids.matchUser(0), ids.addUser(8, "zed")])
      .toEqual([502, 7, 501, 9, 99]);
    expect([ids.addGroup(1, "staff"), ids.addGroup(2, "root")]).toEqual([3, 0]);
  });

  test.each([["joe", "No colon found"], ["joe:", "No name found after colon"], ["1-:joe", "Invalid number"],
    ["1x:joe", "Invalid number"]])(
    "--usermap=%s is refused", (usermap, message) => {
      expect(() => receiver({ usermap })).toThrow(message);
    });

  test("reports unknown names of a map and leaves them out", () => {
    const unknown: string[] = [];
    const ids = receiver({ usermap: "1:who,2:joe", unknownName: (option,
      name) => void unknown.push(`${option} ${name}`) });
    expect([unknown, ids.matchUser(1), ids.matchUser(2)]).toEqual([["--usermap who"], 1, 501]);
  });
});
