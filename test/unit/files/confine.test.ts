import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync,
  writeFileSync,
} from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Boundary } from "../../../src/files/boundary.ts";
import { type Confined } from "../../../src/files/confine.ts";
import { type ConfinePolicy } from "../../../src/files/confinepolicy.ts";
import { linkPlace, renamePlace } from "../../../src/files/places.ts";
import { openRoot, operatorPaths, refusalText } from "../../../src/files/operator.ts";
import { type Pinned } from "../../../src/files/walk.ts";
import { type FileSystem, newStat } from "../../../src/posix/filesystem.ts";
import { must, removeTree, rowsOf, tempDir, testFileSystem } from "./_fs.ts";

const isRoot = process.geteuid!() === 0;

/** Open descriptors of this process, to see that none leaks. */
function openCount(): number {
  return readdirSync("/proc/self/fd").length;
}

const variants: [string, "libc" | "node", Partial<ConfinePolicy>][] = [
  ["libc with openat2", "libc", {}],
  ["libc, component walk", "libc", { walkOnly: true }],
  ["libc, two held directories", "libc", { maxHeld: 2 }],
  ["node:fs", "node", {}],
];

describe.each(variants)("Confined over %s", (_label, kind, extra) => {
  let fs: FileSystem;
  let base: string;
  let dest: string;
  let outside: string;
  let operator: Confined;
  let root: Confined;

  beforeAll(() => {
    fs = testFileSystem(kind);
  });

  beforeEach(() => {
    base = tempDir("confine");
    dest = `${base}/dest`;
    outside = `${base}/outside`;
    mkdirSync(`${dest}/a/b/c`, { recursive: true });
    mkdirSync(outside);
    writeFileSync(`${outside}/secret`, "secret");
    writeFileSync(`${dest}/a/b/file`, "inside");
    operator = must(operatorPaths(fs, process.cwd()));
    root = must(openRoot(operator, dest, { links: "beneath", ...extra }));
    return () => {
      root.close();
      operator.close();
      removeTree(base);
    };
  });

  test("finds, creates, renames and removes by path", () => {
    const stat = newStat();
    expect(root.lstat("a/b/file", stat)).toBe(0);
    expect(stat.size).toBe(6);
    expect(root.mkdir("a/b/d", 0o755)).toBe(0);
    expect(root.rename("a/b/file", "a/b/d/file")).toBe(0);
    expect(readFileSync(`${dest}/a/b/d/file`, "latin1")).toBe("inside");
    expect(root.link("a/b/d/file", "hard")).toBe(0);
    expect(lstatSync(`${dest}/hard`).nlink).toBe(2);
    expect(root.symlink("a/b", "soft")).toBe(0);
    expect(root.readlink("soft")).toBe("a/b");
    expect(root.readlink("hard")).toBe(-fs.constants.E.EINVAL);
    expect(root.unlink("a/b/d/file")).toBe(0);
    expect(root.rmdir("a/b/d")).toBe(0);
    expect(root.lstat("a/b/d", stat)).toBe(-fs.constants.E.ENOENT);
    expect(root.lstat(".", stat)).toBe(0);
    expect(root.lstat("a/b/", stat)).toBe(0);
  });

  test("refuses what leads out, and says which link", () => {
    symlinkSync(outside, `${dest}/absolute`);
    symlinkSync("../outside", `${dest}/climbing`);
    symlinkSync("../../../outside", `${dest}/a/b/deep`);
    const { E, O } = fs.constants;
    const stat = newStat();
    for (const [path, link, reason] of [
      ["absolute/secret", "absolute", "absolute"],
      ["climbing/secret", "climbing", "escapes"],
      ["a/b/deep/secret", "deep", "escapes"],
    ]) {
      expect(root.lstat(path, stat), path).toBe(-E.ELOOP);
      expect(root.refusal?.reason, path).toBe(reason);
      expect(root.refusal?.link, path).toBe(link);
      expect(root.open(path, O.RDONLY, 0), path).toBe(-E.ELOOP);
      expect(root.open(path.replace("secret", "new"), O.WRONLY | O.CREAT, 0o644), path).toBe(-E.ELOOP);
      expect(root.unlink(path), path).toBe(-E.ELOOP);
      expect(root.mkdir(path.replace("secret", "dir"), 0o755), path).toBe(-E.ELOOP);
      expect(root.chmod(path, 0o777), path).toBe(-E.ELOOP);
      expect(root.rename("a/b/file", path), path).toBe(-E.ELOOP);
      expect(root.link("a/b/file", path.replace("secret", "ln")), path).toBe(-E.ELOOP);
    }
    expect(readdirSync(outside)).toEqual(["secret"]);
    expect(readFileSync(`${outside}/secret`, "latin1")).toBe("secret");
    expect(refusalText(fs, root.refusal!).replace(/owned by .*uid \d+/, "OWNER")).toBe(
      'refusing to follow symlink "deep" -> "../../../outside" in "a/b/deep" (OWNER): '
      + "it leads outside the transfer; --insecure-links would follow it");
  });

  test("refuses absolute and climbing paths of a peer", () => {
    const { E } = fs.constants;
    const stat = newStat();
    for (const path of ["/etc/passwd", "../outside/secret", "a/../../outside/secret", "a/b/..", ".."]) {
      expect(root.lstat(path, stat), path).toBe(-E.EINVAL);
    }
  });

  test("follows a symlink that stays inside, as a component only", () => {
    symlinkSync("b/../b", `${dest}/a/inner`);
    symlinkSync("b/file", `${dest}/a/leaf`);
    const { E, O } = fs.constants;
    const stat = newStat();
    expect(root.lstat("a/inner/file", stat)).toBe(0);
    expect(root.open("a/leaf", O.RDONLY, 0)).toBe(-E.ELOOP);
    expect(root.stat("a/inner", stat)).toBe(0);
    expect(stat.mode & 0o170000).toBe(0o040000);
    expect(root.stat("a/leaf", stat)).toBe(0);
    expect(stat.mode & 0o170000).toBe(0o120000);
  });

  test("a replaced symlink is not remembered", () => {
    symlinkSync("a/b", `${dest}/swap`);
    const stat = newStat();
    expect(root.lstat("swap/file", stat)).toBe(0);
    expect(root.unlink("swap")).toBe(0);
    expect(root.mkdir("swap", 0o755)).toBe(0);
    expect(root.lstat("swap/file", stat)).toBe(-fs.constants.E.ENOENT);
  });

  test("a removed directory is not remembered", () => {
    const stat = newStat();
    mkdirSync(`${dest}/gone/sub`, { recursive: true });
    expect(root.dirFd("gone/sub")).toBeGreaterThanOrEqual(0);
    expect(root.rmdir("gone/sub")).toBe(0);
    expect(root.rmdir("gone")).toBe(0);
    expect(root.mkdir("gone", 0o755)).toBe(0);
    expect(root.mkdir("gone/sub", 0o755)).toBe(0);
    expect(root.lstat("gone/sub", stat)).toBe(0);
    expect(root.mkdir("gone/sub/x", 0o755)).toBe(0);
    expect(existsSync(`${dest}/gone/sub/x`)).toBe(true);
  });

  test("loops of symlinks end", () => {
    symlinkSync("two", `${dest}/one`);
    symlinkSync("one", `${dest}/two`);
    expect(root.lstat("one/x", newStat())).toBe(-fs.constants.E.ELOOP);
    expect(root.refusal?.reason).toBe("loop");
  });

  test("errors of plain failures are the kernel's", () => {
    const { E } = fs.constants;
    const stat = newStat();
    expect(root.lstat("a/none/x", stat)).toBe(-E.ENOENT);
    expect(root.lstat("a/b/file/x", stat)).toBe(-E.ENOTDIR);
    expect(root.mkdir("a/b", 0o755)).toBe(-E.EEXIST);
    expect(root.rmdir("a")).toBe(-E.ENOTEMPTY);
    expect(root.dirFd("a/b/file")).toBe(-E.ENOTDIR);
  });

  test("names of 255 bytes, of any bytes, and deep trees", () => {
    const { O } = fs.constants;
    const long = "n".repeat(255);
    const odd = "\xff\xfe\n -\x80";
    expect(root.mkdir(long, 0o755)).toBe(0);
    expect(root.mkdir(`${long}/${odd}`, 0o755)).toBe(0);
    const fd = root.open(`${long}/${odd}/\xe9`, O.WRONLY | O.CREAT, 0o644);
    expect(fd).toBeGreaterThanOrEqual(0);
    fs.close(fd);
    const [found] = readdirSync(Buffer.from(`${dest}/${long}/${odd}`, "latin1"), "buffer");
    expect(found).toEqual(Buffer.from("\xe9", "latin1"));
    let path = "deep";
    expect(root.mkdir(path, 0o755)).toBe(0);
    for (let i = 0; i < 300; i++) expect(root.mkdir((path += "/d"), 0o755)).toBe(0);
    expect(root.lstat(path, newStat())).toBe(0);
    const stat = newStat();
    expect(root.lstat("x".repeat(256), stat)).toBe(-fs.constants.E.ENAMETOOLONG);
  });

  test("every descriptor is given back", () => {
    const before = openCount();
    const again = must(openRoot(operator, dest, { links: "beneath", ...extra }));
    symlinkSync(outside, `${dest}/absolute`);
    symlinkSync("a/b", `${dest}/inside`);
    for (let i = 0; i < 20; i++) mkdirSync(`${dest}/many/${i}/${i}`, { recursive: true });
    for (let i = 0; i < 20; i++) again.dirFd(`many/${i}/${i}`);
    for (const path of ["absolute/x", "inside/file", "a/none/x", "a/b/file/y", "../x"]) again.lstat(path, newStat());
    again.close();
    expect(openCount()).toBe(before);
  });

  test("a dry run changes nothing", () => {
    const dry = must(openRoot(operator, dest, { links: "beneath", dryRun: true, ...extra }));
    const results = [dry.mkdir("x", 0o755), dry.unlink("a/b/file"), dry.rename("a", "z"), dry.chmod("a", 0)];
    expect(results).toEqual([0, 0, 0, 0]);
    expect(dry.open("a/b/file", fs.constants.O.WRONLY, 0)).toBe(-fs.constants.E.EROFS);
    expect(readFileSync(`${dest}/a/b/file`, "latin1")).toBe("inside");
    expect(existsSync(`${dest}/x`)).toBe(false);
    dry.close();
  });

  test("chmod and chown never follow a symlink", () => {
    writeFileSync(`${dest}/plain`, "");
    chmodSync(`${dest}/plain`, 0o644);
    symlinkSync("plain", `${dest}/link`);
    expect(root.chmod("link", 0o777)).toBeLessThan(0);
    expect(lstatSync(`${dest}/plain`).mode & 0o7777).toBe(0o644);
    expect(root.chmod("plain", 0o600)).toBe(0);
    expect(lstatSync(`${dest}/plain`).mode & 0o7777).toBe(0o600);
    expect(root.utimens("link", 0, -2, 12345, 0)).toBe(0);
    expect(lstatSync(`${dest}/link`).mtimeMs).toBe(12345000);
    expect(lstatSync(`${dest}/plain`).mtimeMs).not.toBe(12345000);
  });

  test("rows are found by interned directory id", () => {
    const rows = rowsOf(fs, ["", "a/b", "a"], [["a/b", "file"], ["", "a"], ["a", "none"]]);
    const stat = newStat();
    for (let round = 0; round < 3; round++) {
      expect(root.lstatRow(rows, 0, stat)).toBe(0);
      expect(stat.size).toBe(6);
      expect(root.lstatRow(rows, 1, stat)).toBe(0);
      expect(root.lstatRow(rows, 2, stat)).toBe(-fs.constants.E.ENOENT);
    }
    expect(root.rowDirFd(rows, 0)).toBe(root.dirFd("a/b"));
    root.forget("a/b");
    renameSync(`${dest}/a/b`, `${dest}/a/old`);
    expect(root.lstatRow(rows, 0, stat)).toBe(-fs.constants.E.ENOENT);
    const other = rowsOf(fs, ["", "a/old"], [["a/old", "file"]]);
    expect(root.lstatRow(other, 0, stat)).toBe(0);
  });

  test("the operator's links are followed when root or the user owns them", () => {
    symlinkSync(outside, `${base}/mine`);
    const { O, E } = fs.constants;
    const fd = operator.openFollowing(`${base}/mine/secret`, O.RDONLY, 0);
    expect(fd).toBeGreaterThanOrEqual(0);
    fs.close(fd);
    symlinkSync("secret", `${outside}/leaf`);
    const leaf = operator.openFollowing(`${base}/mine/leaf`, O.RDONLY, 0);
    expect(leaf).toBeGreaterThanOrEqual(0);
    fs.close(leaf);
    expect(operator.open(`${base}/mine/leaf`, O.RDONLY, 0)).toBe(-E.ELOOP);
    expect(operator.openFollowing(`${base}/mine/../outside/none`, O.RDONLY, 0)).toBe(-E.ENOENT);
    const there = must(operatorPaths(fs, outside));
    const relative = there.openFollowing("leaf", O.RDONLY, 0);
    expect(relative).toBeGreaterThanOrEqual(0);
    fs.close(relative);
    there.close();
  });

  test.runIf(isRoot)("the operator's path through a stranger's link is refused", () => {
    symlinkSync(outside, `${base}/planted`);
    lchownSync(`${base}/planted`, 12345, 12345);
    symlinkSync("secret", `${outside}/leaf`);
    lchownSync(`${outside}/leaf`, 12345, 12345);
    const { O, E } = fs.constants;
    for (const path of [`${base}/planted/secret`, `${outside}/leaf`]) {
      expect(operator.openFollowing(path, O.RDONLY, 0), path).toBe(-E.ELOOP);
      expect(operator.refusal).toMatchObject({ reason: "untrusted", ownerUid: 12345 });
    }
    expect(refusalText(fs, operator.refusal!)).toContain("(owned by uid 12345): its owner is neither root nor you");
    const insecure = must(operatorPaths(fs, process.cwd(), { links: "insecure" }));
    const fd = insecure.openFollowing(`${base}/planted/leaf`, O.RDONLY, 0);
    expect(fd).toBeGreaterThanOrEqual(0);
    fs.close(fd);
    insecure.close();
  });

  test("a boundary ends the operator's paths, wherever they come from", () => {
    const { O, E } = fs.constants;
    const cwd = must(openRoot(operator, `${dest}/a`, { links: "trusted" }));
    const within = new Boundary(fs, cwd.dirFd("b"), `${dest}/a/b`);
    const stat = newStat();
    const bounded = must(openRoot(operator, `${dest}/a`, { links: "trusted", within, ...extra }));
    symlinkSync(outside, `${dest}/a/b/out`);
    symlinkSync("../../../outside/secret", `${dest}/a/b/leaf`);
    symlinkSync(`${dest}/a/b`, `${outside}/in`);
    const inside = ["b", "b/c", "./b/.", `${dest}/a/b/file`, `${outside}/in/file`, "b/../../../outside/in/c"];
    for (const path of inside) {
      expect(bounded.lstat(path, stat), path).toBe(0);
    }
    expect(bounded.mkdir("b/new", 0o755)).toBe(0);
    expect(bounded.lstat(`${dest}/a/b/file`, stat)).toBe(0);
    for (const path of ["x", "b/out/secret", "b/../x", `${outside}/secret`, "b/c/../../x", `${dest}/a`]) {
      expect(bounded.open(path, O.WRONLY | O.CREAT, 0o600), path).toBe(-E.ELOOP);
      expect(bounded.openFollowing(path, O.WRONLY | O.CREAT, 0o600), path).toBe(-E.ELOOP);
      expect(bounded.refusal?.reason, path).toBe("outside");
    }
    expect(bounded.openFollowing("b/leaf", O.RDONLY, 0)).toBe(-E.ELOOP);
    expect(refusalText(fs, bounded.refusal!, within)).toContain(`leads out of "${dest}/a/b" by symlink "leaf"`);
    expect([readdirSync(outside).sort(), readdirSync(`${dest}/a`)]).toEqual([["in", "secret"], ["b"]]);
    bounded.close();
    cwd.close();
  });

  test.skipIf(kind === "node")("a held directory stays the one it was, for a second try too", () => {
    const { O } = fs.constants;
    mkdirSync(`${outside}/b`);
    writeFileSync(`${outside}/b/file`, "theirs");
    expect(root.open("a/b/file", O.WRONLY | O.CREAT | O.EXCL, 0o600)).toBe(-fs.constants.E.EEXIST);
    renameSync(`${dest}/a/b`, `${dest}/a/moved`);
    symlinkSync("../../outside/b", `${dest}/a/b`);
    const fd = root.open("a/b/file", O.WRONLY | O.TRUNC, 0);
    expect(fd).toBeGreaterThanOrEqual(0);
    fs.close(fd);
    expect(readFileSync(`${outside}/b/file`, "latin1")).toBe("theirs");
    expect(readFileSync(`${dest}/a/moved/file`, "latin1")).toBe("");
  });

  test("where a symlink leads in the end is pinned", () => {
    symlinkSync("two", `${dest}/a/one`);
    symlinkSync("b/file", `${dest}/a/two`);
    symlinkSync("b/c/..", `${dest}/a/dir`);
    symlinkSync("../../outside/secret", `${dest}/a/out`);
    symlinkSync("nothing", `${dest}/a/dangling`);
    const { E } = fs.constants;
    const stat = newStat();
    for (const [path, name] of [["a/one", "file"], ["a/b/file", "file"], ["a/dir", "."], ["a/dir/file", "file"]]) {
      const pinned = must<Pinned>(root.pin(path));
      expect([path, pinned.name]).toEqual([path, name]);
      expect(fs.fstatat(pinned.fd, fs.cstr(pinned.name), stat, false)).toBe(0);
      expect(stat.mode & 0o170000).toBe(name === "." ? 0o040000 : 0o100000);
      fs.close(pinned.fd);
    }
    expect(root.pin("a/out")).toBe(-E.ELOOP);
    expect(root.refusal).toMatchObject({ reason: "escapes", link: "out" });
    expect(root.pin("a/dangling")).toBe(-E.ENOENT);
  });

  test("links out of a root that stay below the directory above it", () => {
    const { O, E } = fs.constants;
    const module = must(openRoot(operator, dest, { links: "beneath", ...extra }));
    const above = { fd: module.rootFd, path: "a" };
    const inside = must(openRoot(operator, `${dest}/a`, { links: "beneath", above, ...extra }));
    mkdirSync(`${dest}/other`);
    writeFileSync(`${dest}/other/file`, "");
    symlinkSync("../other", `${dest}/a/sibling`);
    symlinkSync("../../outside", `${dest}/a/out`);
    symlinkSync(outside, `${dest}/a/absolute`);
    symlinkSync("../../../outside", `${dest}/a/b/deep`);
    symlinkSync("../out", `${dest}/a/b/twice`);
    const fd = inside.open("sibling/file", O.RDONLY, 0);
    expect(fd).toBeGreaterThanOrEqual(0);
    fs.close(fd);
    for (const path of ["out/secret", "absolute/secret", "b/deep/secret", "b/twice/secret"]) {
      expect(inside.open(path, O.RDONLY, 0), path).toBe(-E.ELOOP);
      expect(inside.openFollowing(path, O.RDONLY, 0), path).toBe(-E.ELOOP);
      expect(inside.refusal, path).not.toBe(null);
    }
    inside.close();
    module.close();
  });

  test("named directories may be reached through trusted links, what lies below them through none", () => {
    symlinkSync(outside, `${dest}/mine`);
    mkdirSync(`${outside}/sub`);
    symlinkSync("sub", `${outside}/inner`);
    const named = { inTree: false, within: null, has: (dir: string) => dir === "mine" };
    const source = must(openRoot(operator, dest, { links: "beneath", named, ...extra }));
    const stat = newStat();
    expect(source.lstat("mine/secret", stat)).toBe(0);
    expect(source.lstat("mine/sub/x", stat)).toBe(-fs.constants.E.ENOENT);
    expect(source.lstat("mine/inner/x", stat)).toBe(-fs.constants.E.ELOOP);
    expect(source.refusal).toMatchObject({ reason: "replaced", link: "inner" });
    source.close();
  });

  test.runIf(isRoot)("named directories behind a stranger's link, within the tree and out of it", () => {
    for (const [link, to] of [["in", "a/b"], ["out", "../outside"]]) {
      symlinkSync(to, `${dest}/${link}`);
      lchownSync(`${dest}/${link}`, 12345, 12345);
    }
    const stat = newStat();
    const has = (dir: string): boolean => dir === "in" || dir === "out";
    for (const inTree of [true, false]) {
      const named = { inTree, within: null, has };
      const source = must(openRoot(operator, dest, { links: "beneath", named, ...extra }));
      expect(source.lstat("in/file", stat)).toBe(inTree ? 0 : -fs.constants.E.ELOOP);
      expect(source.lstat("out/secret", stat)).toBe(-fs.constants.E.ELOOP);
      expect(source.refusal).toMatchObject({ reason: "untrusted", link: "out", ownerUid: 12345 });
      source.close();
    }
  });

  test("refusals are told", () => {
    const told: string[] = [];
    const refused = ({ link }: { link: string }): number => told.push(link);
    const told2 = must(openRoot(operator, dest, { links: "beneath", refused, ...extra }));
    symlinkSync(outside, `${dest}/absolute`);
    told2.lstat("absolute/x", newStat());
    expect(told).toEqual(["absolute"]);
    told2.close();
  });

  test("renames and links across roots", () => {
    mkdirSync(`${base}/backup`);
    const backup = must(openRoot(operator, `${base}/backup`, { links: "trusted" }));
    expect(linkPlace({ root, path: "a/b/file" }, { root: backup, path: "linked" })).toBe(0);
    expect(renamePlace({ root, path: "a/b/file" }, { root: backup, path: "moved" })).toBe(0);
    expect(readdirSync(`${base}/backup`).sort()).toEqual(["linked", "moved"]);
    backup.close();
  });

  // node:fs resolves a descriptor's path anew each time and says so: capabilities.atCalls is false.
  test.skipIf(kind === "node")("a directory swapped for a symlink under our hands does not lead out", () => {
    const stat = newStat();
    expect(root.lstat("a/b/file", stat)).toBe(0);
    renameSync(`${dest}/a/b`, `${dest}/a/moved`);
    symlinkSync(outside, `${dest}/a/b`);
    // The held directory is still the one that was checked; a fresh look refuses.
    expect(root.open("a/b/secret", fs.constants.O.RDONLY, 0)).toBeLessThan(0);
    root.forget("a/b");
    expect(root.open("a/b/secret", fs.constants.O.RDONLY, 0)).toBe(-fs.constants.E.ELOOP);
    rmSync(`${dest}/a/b`);
  });
});

describe("a directory that another process keeps swapping for a symlink", () => {
  const SWAPPER = `
    const fs = require("node:fs");
    const [dest, outside] = process.argv.slice(1);
    fs.symlinkSync(outside, dest + "/link");
    process.stdout.write("ready");
    for (;;) {
      fs.renameSync(dest + "/dir", dest + "/away");
      fs.renameSync(dest + "/link", dest + "/dir");
      fs.renameSync(dest + "/dir", dest + "/link");
      fs.renameSync(dest + "/away", dest + "/dir");
    }`;

  test.each([false, true])("never leads outside (walk only: %s)", async (walkOnly) => {
    const base = tempDir("race");
    mkdirSync(`${base}/dest/dir`, { recursive: true });
    mkdirSync(`${base}/outside`);
    writeFileSync(`${base}/outside/secret`, "secret");
    const swapper = spawn(process.execPath, ["-e", SWAPPER, `${base}/dest`, `${base}/outside`]);
    await once(swapper.stdout, "data");
    const fs = testFileSystem("libc");
    const { O, E } = fs.constants;
    const root = must(openRoot(must(operatorPaths(fs, "/")), `${base}/dest`, { links: "beneath", walkOnly }));
    const seen = new Set<number>();
    try {
      for (let i = 0; i < 3000; i++) {
        root.forget("dir");
        seen.add(root.open("dir/secret", O.RDONLY, 0));
        root.forget("dir");
        seen.add(root.mkdir("dir/planted", 0o700));
        root.unlink("dir/secret");
        root.rmdir("dir/planted");
      }
    } finally {
      swapper.kill("SIGKILL");
      await once(swapper, "exit");
    }
    expect(readdirSync(`${base}/outside`)).toEqual(["secret"]);
    // Both faces of the directory were met, and the secret never opened.
    expect([...seen].filter((result) => result > 0)).toEqual([]);
    expect(seen.has(0) || seen.has(-E.ENOENT)).toBe(true);
    expect(seen.has(-E.ELOOP)).toBe(true);
    root.close();
    removeTree(base);
  });
});

describe("lookups of held directories", () => {
  let base: string;
  beforeAll(() => {
    base = tempDir("held");
  });
  afterAll(() => removeTree(base));

  test("the same directory costs no system call", () => {
    const fs = testFileSystem("libc");
    for (let i = 0; i < 8; i++) mkdirSync(`${base}/d${i}`);
    let opens = 0;
    const counted: FileSystem = new Proxy(fs, {
      get(target, key) {
        const value = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        if (key === "openat" || key === "openat2") opens++;
        return (value as (...args: unknown[]) => unknown).bind(target);
      },
    });
    const root = must(openRoot(must(operatorPaths(counted, "/")), base, { links: "beneath" }));
    const rows = rowsOf(fs, ["", ...Array.from({ length: 8 }, (_, i) => `d${i}`)], [["d0", "x"], ["d7", "x"]]);
    root.rowDirFd(rows, 0);
    root.rowDirFd(rows, 1);
    const before = opens;
    for (let i = 0; i < 1000; i++) root.rowDirFd(rows, i & 1);
    for (let i = 0; i < 1000; i++) root.dirFd(`d${(i & 1) * 7}`);
    expect(opens).toBe(before);
    root.close();
  });
});
