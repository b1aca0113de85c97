import { describe, expect, it } from "vitest";
import { itemize } from "../../../src/output/itemize.ts";
import { ItemFlag } from "../../../src/protocol/constants.ts";

const REMOTE = { local: false, preserveMtimes: true, receiverSymlinkTimes: true };
const FILE = 0o100644;
const DIR = 0o040755;
const LINK = 0o120777;
const F = ItemFlag;

describe("itemize", () => {
  it.each([
    ["new file, pulled", F.transfer | F.isNew, FILE, false, ">f+++++++++"],
    ["new file, pushed", F.transfer | F.isNew, FILE, true, "<f+++++++++"],
    ["new directory", F.localChange | F.isNew, DIR, true, "cd+++++++++"],
    ["new symlink", F.localChange | F.isNew, LINK, true, "cL+++++++++"],
    ["new device", F.localChange | F.isNew, 0o060600, true, "cD+++++++++"],
    ["new pipe", F.localChange | F.isNew, 0o010600, true, "cS+++++++++"],
    ["hard link", F.localChange | F.isNew | F.xnameFollows, FILE, true, "hf+++++++++"],
    ["missing data", F.transfer | F.missingData, FILE, false, ">f?????????"],
    ["size and time", F.transfer | F.reportSize | F.reportTime, FILE, true, "<f.st......"],
    ["contents", F.transfer | F.reportChange, FILE, true, "<fc........"],
    ["time of a directory", F.reportTime, DIR, true, ".d..t......"],
    ["perms, owner, group", F.reportPerms | F.reportOwner | F.reportGroup, FILE, true, ".f...pog..."],
    ["access time", F.reportAtime, FILE, true, ".f......u.."],
    ["creation time", F.reportCrtime, FILE, true, ".f......n.."],
    ["both times", F.reportAtime | F.reportCrtime, FILE, true, ".f......b.."],
    ["ACL and xattr", F.reportAcl | F.reportXattr, FILE, true, ".f.......ax"],
    ["nothing", 0, FILE, true, ".f         "],
    ["nothing, but transferred", F.transfer, FILE, true, "<f........."],
    ["local copy without changes", F.localChange, FILE, true, "cf         "],
    ["symlink's time", F.reportTime, LINK, true, ".L..t......"],
    ["symlink's time not set", F.reportTime | F.reportTimeFail, LINK, true, ".L..T......"],
    ["deletion", F.deleted, DIR, false, "*deleting  "],
  ] as const)("%s", (_, iflags, mode, sending, text) => {
    expect(itemize(iflags, mode, sending, REMOTE)).toBe(text);
  });

  it("shows T where the time is not kept", () => {
    expect(itemize(F.transfer | F.reportTime, FILE, true, { ...REMOTE, preserveMtimes: false })).toBe("<f..T......");
    expect(itemize(F.reportTime, LINK, true, { ...REMOTE, receiverSymlinkTimes: false })).toBe(".L..T......");
  });

  it("sends nothing on one machine", () => {
    expect(itemize(F.transfer | F.isNew, FILE, true, { ...REMOTE, local: true })).toBe(">f+++++++++");
  });
});
