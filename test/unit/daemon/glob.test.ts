/** Wild cards in a client's paths. */
import { expect, it } from "vitest";
import { expandWord } from "../../../src/daemon/glob.ts";
import { type GlobTree } from "../../../src/files/glob.ts";

const PATHS = ["a/", "a/one", "a/two", "b/", "b/one", "b/.hid", "secret/", "secret/x", "file.c", "a b"];

const tree: GlobTree = {
  look(path) {
    const bare = path.replace(/^(?:\.\/)+/, "").replace(/\/$/, "");
    return PATHS.includes(`${bare}/`) ? "directory" : PATHS.includes(bare) ? "other" : null;
  },
  list(path) {
    const dir = path === "." ? "" : path.replace(/^(?:\.\/)+/, "");
    return PATHS.map((one) => one.replace(/\/$/, "")).filter((one) => one.startsWith(dir) && one !== dir
      && !one.slice(dir.length).includes("/")).map((one) => one.slice(dir.length));
  },
  isHidden: (path) => path === "secret" || path.startsWith("secret/"),
};

const expandIn = (word: string, o: { sanitize?: boolean; whole?: boolean } = {}): string[] =>
  expandWord(word, tree, { module: "mod", sanitize: true, whole: false, ...o });

it.each([
  ["mod/", ["."]], ["mod/a", ["a"]], ["mod/a/", ["a/"]], ["mod/*", ["a", "b", "file.c", "a b"]],
  ["mod/*/one", ["a/one", "b/one"]],
  ["mod/?/o*", ["a/one", "b/one"]], ["mod/sec*", ["sec*"]], ["mod/secret/*", ["secret/*"]], ["mod/nope*", ["nope*"]],
  ["mod/a/one mod/b/one", ["a/one", "b/one"]], ["mod/a b", ["a b"]], ["mod/../../a/../b", ["b"]],
  ["mod/b/*", ["b/one", "b/.hid"]],
  ["mod/./a/*", ["./a/one", "./a/two"]], ["mod", []], ["mod/a/*/", ["a/*/"]], ["mod/*/", ["a/", "b/"]],
])("%s", (word, expected) => expect(expandIn(word)).toEqual(expected));

it("takes the whole word as one path when the client has secluded it", () => {
  expect(expandIn("mod/a mod/b", { whole: true })).toEqual(["a mod/b"]);
});

it("leaves an absolute path behind a chroot, and keeps it there by its text", () => {
  expect(expandIn("mod/a/../../etc/x", { sanitize: false })).toEqual(["/etc/x"]);
  expect(expandIn("mod/a/", { sanitize: false })).toEqual(["/a/"]);
});
