import { describe, expect, test } from "vitest";
import { RequestedNames, type RequestSettings } from "../../../src/filter/requested.ts";

function asked(words: readonly string[], settings: Partial<RequestSettings>, module = false): RequestedNames {
  const names = new RequestedNames({ relative: false, recurse: false, dirs: false, ...settings });
  for (const word of words) names.add(word, module);
  return names;
}

/** Names with a closing slash are directories; those that are accepted come back. */
function accepted(names: RequestedNames, ...candidates: string[]): string[] {
  return candidates.filter((name) => names.accepts(name.replace(/(?<=.)\/$/, ""), name.endsWith("/")));
}

const recurse = { recurse: true, dirs: true };

describe("names without --relative", () => {
  test("stand for their last element and, with -r, all below", () => {
    const names = asked(["some/dir", "file"], recurse);
    expect(accepted(names, "dir/", "dir/a", "dir/a/b", "file", "file/x", "some/", "dirt", "fil", "other"))
      .toEqual(["dir/", "dir/a", "dir/a/b", "file", "file/x"]);
  });

  test("that end in a slash stand for everything", () => {
    for (const word of ["dir/", "dir/.", ".", "/", "dir/.."]) {
      expect(accepted(asked([word], recurse), "a", "a/b")).toEqual(["a", "a/b"]);
    }
  });

  test("reach one level down with -d, and none without", () => {
    expect(accepted(asked(["x/"], { dirs: true }), "a", "a/b")).toEqual(["a"]);
    expect(accepted(asked(["x/dir"], { dirs: true }), "dir/", "dir/a", "dir/a/b")).toEqual(["dir/", "dir/a"]);
    expect(accepted(asked(["x/dir"], {}), "dir/", "dir/a")).toEqual(["dir/"]);
    expect(accepted(asked(["x/"], {}), "a")).toEqual([]);
  });

  test("start behind a daemon's module", () => {
    expect(accepted(asked(["mod/a"], {}, true), "a", "mod")).toEqual(["a"]);
    expect(accepted(asked(["mod"], recurse, true), "a", "mod/b")).toEqual(["a", "mod/b"]);
  });
});

describe("names with --relative", () => {
  const relative = { ...recurse, relative: true };

  test("bring the directories above them, as directories only", () => {
    const names = asked(["a/b/c", "/x/./y/z"], relative);
    expect(accepted(names, "a/", "a", "a/b/", "a/b/c", "a/b/c/d", "a/q", "b", "y/", "y/z", "x/", "/y/z", "z"))
      .toEqual(["a/", "a/b/", "a/b/c", "a/b/c/d", "y/", "y/z", "/y/z"]);
  });

  test("mere parents are told from what was asked for", () => {
    const names = asked(["a/b/c", "a/b2"], relative);
    const told = ["a", "a/b", "a/b/c", "a/b/c/d", "a/b2", "q", "."].filter((path) => names.isParentOnly(path));
    expect(told).toEqual(["a", "a/b", "."]);
    expect(asked(["./"], relative).isParentOnly(".")).toBe(false);
    expect(asked(["a/b", "a"], relative).isParentOnly("a")).toBe(false);
    expect(asked(["a/*/c"], relative).isParentOnly("a/b")).toBe(true);
    expect(asked(["a/*/c"], relative).isParentOnly("a/b/c")).toBe(false);
  });

  test("doubled slashes, dots and climbing mean what they mean to the sender", () => {
    const names = asked(["./a//b/../c/."], relative);
    expect(accepted(names, "a/", "a/c", "a/c/d", "a/b")).toEqual(["a/", "a/c", "a/c/d"]);
  });
});

test("--relative with nothing named and no recursion checks nothing, as in rsync", () => {
  expect(asked(["module/"], { relative: true }, true).accepts("any/thing", false)).toBe(true);
  expect(asked(["module/"], {}, true).accepts("thing", false)).toBe(false);
  expect(asked(["module/a", "module/"], { relative: true }, true).accepts("thing", false)).toBe(false);
});

describe("wildcards", () => {
  test("match as the remote side would expand them", () => {
    const names = asked(["*.c", "d[12]"], recurse);
    expect(accepted(names, "x.c", "x.c/y", "d1", "d3", "x.h", "s/x.c")).toEqual(["x.c", "x.c/y", "d1"]);
  });

  test("that matched nothing are names themselves", () => {
    const names = asked(["d[12]", "\\[e]"], recurse);
    expect(accepted(names, "d[12]", "[e]", "d[12]/x")).toEqual(["d[12]", "[e]", "d[12]/x"]);
  });

  test("are plain behind a backslash, and other backslashes are plain", () => {
    expect(accepted(asked(["a\\*"], {}), "a*", "ab")).toEqual(["a*"]);
    expect(accepted(asked(["a\\b*"], {}), "a\\bc", "abc")).toEqual(["a\\bc"]);
    expect(accepted(asked(["a\\b"], recurse), "a\\b", "a\\b/c", "ab")).toEqual(["a\\b", "a\\b/c"]);
    expect(accepted(asked(["a\\]"], {}), "a]", "a\\]")).toEqual(["a]"]);
  });
});

test("whole directories are accepted at once", () => {
  const names = asked(["a/b", "c"], { ...recurse, relative: true });
  const all = ["", "a", "a/b", "a/b/x", "c", "d"].filter((dir) => names.acceptsAllIn(dir));
  expect(all).toEqual(["a/b", "a/b/x", "c"]);
  expect(asked(["./"], recurse).acceptsAllIn("any/where")).toBe(true);
  expect(asked(["./"], { dirs: true }).acceptsAllIn("any")).toBe(false);
});

test("a long list costs no more a name than a short one", () => {
  const time = (count: number): number => {
    const names = asked([], { relative: true });
    for (let i = 0; i < count; i++) names.add(`dir${i % 100}/sub/file${i}`);
    const started = performance.now();
    for (let i = 0; i < 50_000; i++) names.accepts(`dir${i % 100}/sub/file${i % count}`, false);
    return performance.now() - started;
  };
  time(1000);
  expect(time(50_000)).toBeLessThan(20 * time(500) + 50);
});
