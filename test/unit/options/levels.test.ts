import { describe, expect, it } from "vitest";
import { Levels, Where, levelsHelp } from "../../../src/options/levels.ts";

function parsed(kind: "info" | "debug", text: string): Levels {
  const levels = new Levels();
  levels.parse(kind, text);
  return levels;
}

describe("Levels", () => {
  it("reads words with levels, in any case, and later ones win", () => {
    const { info } = parsed("info", "name2,PROGRESS,Skip0,,name");
    expect(info).toMatchObject({ NAME: 1, PROGRESS: 1, SKIP: 0, DEL: 0 });
  });

  it("caps a level at 4 and knows all and none", () => {
    expect(parsed("debug", "io99999999999").debug.IO).toBe(4);
    expect(Object.values(parsed("info", "all2").info)).toEqual(new Array(13).fill(2));
    expect(Object.values(parsed("info", "all,none").info)).toEqual(new Array(13).fill(0));
  });

  it("refuses unknown words unless lenient", () => {
    expect(() => parsed("info", "name,wrong2")).toThrow('Unknown --info item: "wrong"');
    expect(new Levels().parse("info", "wrong", undefined, true)).toBe("ok");
  });

  it("maps -v to words, and lets the user's word stand", () => {
    const levels = parsed("info", "name0");
    levels.setVerbosity(2);
    expect(levels.info).toMatchObject({ NAME: 0, SKIP: 1, MISC: 2, NONREG: 1, STATS: 1 });
    expect(levels.debug).toMatchObject({ DELTASUM: 1, FLIST: 1, GENR: 0 });
    levels.setVerbosity(9);
    expect(levels.debug).toMatchObject({ DELTASUM: 4, HASH: 1, IO: 0 });
  });

  it("limits to what a verbosity allows", () => {
    const levels = parsed("info", "all4");
    levels.parse("debug", "all4");
    levels.limitVerbosity(1);
    expect(levels.info).toMatchObject({ NAME: 1, STATS: 1, SKIP: 0, PROGRESS: 0 });
    expect(levels.debug.FLIST).toBe(0);
  });

  it("is silenced and given its voice back by negation", () => {
    const levels = parsed("info", "name2");
    levels.negate();
    expect(levels.info).toMatchObject({ NAME: -2, DEL: 0 });
    levels.negate();
    expect(levels.info.NAME).toBe(2);
  });

  it("clones into an object of its own", () => {
    const levels = parsed("info", "name2");
    const copy = levels.clone();
    copy.parse("info", "name0");
    expect([levels.info.NAME, copy.info.NAME]).toEqual([2, 0]);
    expect(levels.clone().serverOption("info", Where.receiver)).toBe("--info=NAME2");
  });

  it("says what was asked for and matters there, and abbreviates", () => {
    expect(parsed("info", "flist2,stats,name2").serverOption("info", Where.server)).toBe("--info=STATS");
    expect(parsed("info", "progress").serverOption("info", Where.server | Where.receiver)).toBeNull();
    expect(parsed("info", "all,name2").serverOption("info", Where.receiver)).toBe("--info=ALL,NAME2");
    expect(parsed("info", "none").serverOption("info", Where.receiver)).toBe("--info=NONE");
  });
});

describe("levelsHelp", () => {
  it("describes each word and what -v adds", () => {
    expect(levelsHelp("info")).toMatch(/^PROGRESS {3}\S/m);
    expect(levelsHelp("info")).toMatch(/^2\) BACKUP,MISC2,MOUNT,NAME2,REMOVE,SKIP$/m);
    expect(levelsHelp("debug")).toMatch(/^2\) BIND,CONNECT,CMD,DEL,DELTASUM,DUP,FILTER,FLIST,ICONV$/m);
    expect(levelsHelp("debug")).not.toMatch(/^[01]\)/m);
  });
});
