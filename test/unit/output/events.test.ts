/** What item flags say in words. */
import { describe, expect, it } from "vitest";
import { itemAction, itemKind, itemReasons } from "../../../src/output/events.ts";
import { ItemFlag } from "../../../src/protocol/constants.ts";

const FILE = 0o100644;
const LINK = 0o120777;

describe("itemReasons", () => {
  it.each([
    [ItemFlag.transfer | ItemFlag.isNew, FILE, "transfer", ["new"]],
    [ItemFlag.transfer | ItemFlag.reportSize | ItemFlag.reportTime, FILE, "transfer", ["size", "time"]],
    [ItemFlag.transfer | ItemFlag.reportChange, FILE, "transfer", ["checksum"]],
    [ItemFlag.transfer, FILE, "transfer", ["contents"]],
    [ItemFlag.reportPerms | ItemFlag.reportOwner | ItemFlag.reportGroup, FILE, "attributes",
      ["permissions", "owner", "group"]],
    [ItemFlag.reportAcl | ItemFlag.reportXattr, FILE, "attributes", ["acl", "xattr"]],
    [ItemFlag.reportAtime | ItemFlag.reportCrtime, FILE, "attributes", ["access time", "creation time"]],
    [ItemFlag.localChange | ItemFlag.reportChange, LINK, "create", ["target"]],
    [ItemFlag.reportTimeFail | ItemFlag.reportTime, LINK, "attributes", ["time"]],
    [ItemFlag.localChange | ItemFlag.xnameFollows, FILE, "link", []],
    [0, FILE, "none", []],
  ] as const)("%i of %i: %s because of %j", (iflags, mode, action, reasons) => {
    expect(itemAction(iflags, mode, action === "link" ? "other" : "")).toBe(action);
    expect(itemReasons(iflags, mode)).toEqual(reasons);
  });

  it("a hard link that is there already is none that is made", () => {
    expect(itemAction(ItemFlag.localChange | ItemFlag.xnameFollows, FILE, "")).toBe("none");
  });
});

describe("itemKind", () => {
  it.each([
    [0o040755, "directory"], [0o120777, "symlink"], [0o020600, "device"], [0o060600, "device"], [0o010600, "special"],
    [0o140755, "special"], [0o100644, "file"],
  ] as const)("%i is a %s", (mode, kind) => {
    expect(itemKind(mode)).toBe(kind);
  });
});
