import {
  chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync,
  writeFileSync,
} from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { Attributes } from "../../../src/files/attrs.ts";
import { Backups, type BackupSettings } from "../../../src/files/backup.ts";
import { Committer, type FinishRequest } from "../../../src/files/commit.ts";
import { type Confined, type Place } from "../../../src/files/confine.ts";
import { NamedDir, openRoot, operatorPaths } from "../../../src/files/operator.ts";
import { cloneContents, copyContents, copyFile, copySteps } from "../../../src/files/copyfile.ts";
import { makeParents, makePath } from "../../../src/files/mkdirs.ts";
import { PartialDir } from "../../../src/files/partial.ts";
import { type DeleteFilter, DelFlag, delForFlag, Remover, type RemoveSettings } from "../../../src/files/remove.ts";
import { type FileRows } from "../../../src/files/rows.ts";
import { openTemp, tempStem, uniqueName } from "../../../src/files/tempname.ts";
import { type FileSystem } from "../../../src/posix/filesystem.ts";
import { Collected, must, removeTree, rowsOf, tempDir, testFileSystem } from "./_fs.ts";

/** No --fsync, --preallocate or --sparse. */
const isRoot = process.geteuid!() === 0;
const nothing: DeleteFilter = { enter: () => null, leave: () => {}, isProtected: () => false };
const random = (bytes: Uint8Array): void => {
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.random() * 256;
};

let fs: FileSystem;
let dest: string;
let operator: Confined;
let root: Confined;
let report: Collected;
let rows: FileRows;
let attrs: Attributes;

beforeEach(() => {
  fs = testFileSystem("libc");
  dest = tempDir("commit");
  operator = must(operatorPaths(fs, "/"));
  root = must(openRoot(operator, dest, { links: "beneath" }));
  report = new Collected(fs);
  rows = rowsOf(fs, ["", "sub"], [["sub", "file"]]);
  rows.mode[0] = 0o100644;
  rows.mtime[0] = 1_000_000_000;
  mkdirSync(`${dest}/sub`);
  attrs = new Attributes(root, {
    amRoot: 0, preservePerms: true, preserveExecutability: false, preserveUid: false, preserveGid: false,
    preserveMtimes: true, preserveAtimes: false, omitDirTimes: false, omitLinkTimes: false, modifyWindow: 0,
    keepDirlinks: false, tweakMode: null, nameItems: false,
  }, report);
  return () => {
    root.close();
    operator.close();
    removeTree(dest);
  };
});

const COPYING = { fsync: false, preallocate: false, sparse: false, xattrs: null };

function remover(settings: Partial<RemoveSettings> = {}, filter: DeleteFilter = nothing): Remover {
  const base: RemoveSettings = { amRoot: 1, maxDelete: -1, oneFileSystem: false, filesFirst: true };
  return new Remover(root, { ...base, ...settings }, filter, report);
}

function backups(settings: Partial<BackupSettings>, remove: Remover): Backups {
  return new Backups(root, {
    dir: null, suffix: "~", amRoot: 0, preserveLinks: true, preserveDevices: false, preserveSpecials: false,
    copying: COPYING, unsafeSymlink: null, tellBackups: false, tellUnsafe: false, tellSkipped: false, ...settings,
  }, attrs, remove, report);
}

function writeTemp(content: string, place: Place = { root, path: "sub/file" }): { temp: Place; fd: number } {
  const made = openTemp(place, null, 0o644, random);
  expect(made.fd).toBeGreaterThanOrEqual(0);
  const ptr = fs.memory.alloc(content.length + 1);
  fs.memory.writeLatin1(ptr, content);
  fs.write(made.fd, ptr, content.length);
  return { temp: { root: place.root, path: made.path }, fd: made.fd };
}

const request = (o: Partial<FinishRequest>): FinishRequest => ({
  rows, row: 0, path: "sub/file", temp: null, fd: -1, partial: null, okToSetTime: true, overwritingBasis: false,
  basis: null, ...o,
});

describe("temporary names", () => {
  test.each([
    ["sub/file", null, "sub/.file"],
    ["file", null, ".file"],
    [".hidden", null, ".hidden"],
    ["dot.", null, ".dot"],
    ["sub/file", "/tmp/t", "/tmp/t/file"],
    ["x".repeat(255), null, `.${"x".repeat(246)}`],
    [`${"y".repeat(245)}\xe2\x82\xac`, null, `.${"y".repeat(245)}`],
  ])("%s", (path, dir, stem) => {
    expect(tempStem(path, dir)).toBe(stem);
  });

  test("the file is made exclusively, with owner permissions at most", () => {
    const made = openTemp({ root, path: "sub/file" }, null, 0o4777, random);
    expect(made.path).toMatch(/^sub\/\.file\.[a-zA-Z0-9]{6}$/);
    expect(lstatSync(`${dest}/${made.path}`).mode & 0o7777).toBe(0o700);
    fs.close(made.fd);
    const same = (bytes: Uint8Array): void => void bytes.fill(7);
    const first = openTemp({ root, path: "sub/file" }, null, 0o400, same);
    expect(lstatSync(`${dest}/${first.path}`).mode & 0o7777).toBe(0o600);
    fs.close(first.fd);
    expect(openTemp({ root, path: "sub/file" }, null, 0o400, same).fd).toBe(-fs.constants.E.EEXIST);
    expect(openTemp({ root, path: "none/file" }, null, 0o400, same)).toEqual({ fd: -2, path: "none/.file.XXXXXX" });
  });

  test("a planted symlink is not written through", () => {
    symlinkSync("/etc/hostname", `${dest}/sub/.file.hhhhhh`);
    expect(openTemp({ root, path: "sub/file" }, null, 0o600, (bytes) => bytes.fill(7)).fd).toBe(-fs.constants.E.EEXIST);
  });

  test("unique names avoid what is there", () => {
    writeFileSync(`${dest}/sub/.file.5`, "");
    expect(uniqueName(root, "sub/file", 5)).toBe("sub/.file.6");
  });
});

describe("finishing a file", () => {
  test("renames with attributes set before", () => {
    writeFileSync(`${dest}/sub/file`, "old");
    const { temp, fd } = writeTemp("new");
    const committer = new Committer(root, attrs, remover(), null, { copying: COPYING, partialDir: null }, report);
    expect(committer.finish(request({ temp, fd }))).toBe("ok");
    expect(readFileSync(`${dest}/sub/file`, "latin1")).toBe("new");
    expect(lstatSync(`${dest}/sub/file`).mtimeMs).toBe(1e12);
    expect(lstatSync(`${dest}/sub/file`).mode & 0o7777).toBe(0o644);
    expect(readdirSync(`${dest}/sub`)).toEqual(["file"]);
    expect(report.lines).toEqual([]);
  });

  test("keeps a backup first", () => {
    writeFileSync(`${dest}/sub/file`, "old");
    const remove = remover();
    const settings = { copying: COPYING, partialDir: null };
    const committer = new Committer(root, attrs, remove, backups({}, remove), settings, report);
    expect(committer.finish(request({ ...writeTemp("new"), overwritingBasis: true }))).toBe("ok");
    expect(readFileSync(`${dest}/sub/file`, "latin1")).toBe("new");
    expect(readFileSync(`${dest}/sub/file~`, "latin1")).toBe("old");
  });

  test("a rename that fails is reported and leaves no litter", () => {
    mkdirSync(`${dest}/sub/file`);
    const committer = new Committer(root, attrs, remover(), null, { copying: COPYING, partialDir: null }, report);
    const { temp, fd } = writeTemp("new");
    expect(committer.finish(request({ temp, fd }))).toBe("failed");
    expect(report.lines).toEqual([`errorXfer: rename "${dest}/${temp.path}" -> "sub/file": Is a directory (21)`]);
    expect(readdirSync(`${dest}/sub`)).toEqual(["file"]);
  });

  test("across devices the data is copied, by way of the partial directory", () => {
    const crossing: FileSystem = new Proxy(fs, {
      get(target, key) {
        const value = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (key === "renameat" && args[0] === elsewhere.dirFd("")) return -fs.constants.E.EXDEV;
          return (value as (...a: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    mkdirSync(`${dest}/tmp`);
    const crossRoot = must(openRoot(must(operatorPaths(crossing, "/")), dest, { links: "beneath" }));
    const elsewhere = must(openRoot(must(operatorPaths(crossing, "/")), `${dest}/tmp`, { links: "trusted" }));
    const partialDir = new PartialDir(".part", crossRoot, crossRoot);
    const copying = { ...COPYING, fsync: true };
    const committer = new Committer(crossRoot, attrs, remover(), null, { copying, partialDir }, report);
    const made = writeTemp("new", { root: elsewhere, path: "file" });
    expect(committer.finish(request({ ...made, partial: partialDir.placeOf("sub/file") }))).toBe("ok");
    expect(readFileSync(`${dest}/sub/file`, "latin1")).toBe("new");
    expect(lstatSync(`${dest}/sub/file`).mtimeMs).toBe(1e12);
    expect([readdirSync(`${dest}/tmp`), readdirSync(`${dest}/sub`)]).toEqual([[], ["file"]]);
    crossRoot.close();
    elsewhere.close();
  });

  test("partial files are kept where they belong, without a finished time", () => {
    const partialDir = new PartialDir(".part", root, root);
    const committer = new Committer(root, attrs, remover(), null, { copying: COPYING, partialDir }, report);
    const partial = partialDir.placeOf("sub/file")!;
    expect(committer.keepPartial(request({ ...writeTemp("half"), partial, okToSetTime: false }))).toBe(true);
    expect(readFileSync(`${dest}/sub/.part/file`, "latin1")).toBe("half");
    expect(lstatSync(`${dest}/sub/.part/file`).mtimeMs).not.toBe(1e12);
    expect(lstatSync(`${dest}/sub/.part`).mode & 0o777).toBe(0o700);
    root.unlink(partial.path);
    partialDir.removeIfEmpty(partial);
    expect(committer.keepPartial(request({ ...writeTemp("half"), okToSetTime: false }))).toBe(true);
    expect(readdirSync(`${dest}/sub`)).toEqual(["file"]);
  });
});

describe("backups", () => {
  test("a tree of backups gets the directories and their modes", () => {
    mkdirSync(`${dest}/sub/deep`);
    chmodSync(`${dest}/sub/deep`, 0o711);
    writeFileSync(`${dest}/sub/deep/file`, "old");
    const dir = new NamedDir(root, "old/er", { links: "beneath" });
    const keeper = backups({ dir, suffix: "", tellBackups: true }, remover());
    expect(keeper.make("sub/deep/file", false)).toBe(2);
    expect(lstatSync(`${dest}/old/er/sub/deep/file`).nlink).toBe(2);
    expect(lstatSync(`${dest}/old/er/sub/deep`).mode & 0o777).toBe(0o711);
    expect(report.lines).toEqual(["info: backed up sub/deep/file to old/er/sub/deep/file"]);
    expect(keeper.make("sub/deep/file", true)).toBe(1);
    expect(existsSync(`${dest}/sub/deep/file`)).toBe(false);
    expect(keeper.make("sub/deep/file", true)).toBe(3);
  });

  test("whatever stands in the way of a backup gives way", () => {
    writeFileSync(`${dest}/sub/file`, "old");
    mkdirSync(`${dest}/sub/file~/x`, { recursive: true });
    expect(backups({}, remover()).make("sub/file", false)).toBe(2);
    expect(readFileSync(`${dest}/sub/file~`, "latin1")).toBe("old");
    symlinkSync("/tmp", `${dest}/bak`);
    const dir = new NamedDir(root, "bak", { links: "beneath" });
    expect(backups({ dir, suffix: "" }, remover()).placeOf("sub/file")).toBeNull();
    expect(report.lines.length).toBe(1);
  });

  test("symlinks are kept as symlinks, and unsafe ones not at all", () => {
    symlinkSync("nowhere", `${dest}/sub/link`);
    expect(backups({}, remover()).make("sub/link", false)).toBe(2);
    expect(readlinkSync(`${dest}/sub/link~`)).toBe("nowhere");
    const keeper = backups({ unsafeSymlink: () => true, tellUnsafe: true, suffix: ".b" }, remover());
    expect(keeper.make("sub/link", false)).toBe(2);
    expect(existsSync(`${dest}/sub/link.b`)).toBe(false);
    expect(report.lines).toEqual(['info: not backing up unsafe symlink "sub/link" -> "nowhere"']);
  });

  test("an old backup of the same file is replaced", () => {
    writeFileSync(`${dest}/sub/file`, "old");
    linkSync(`${dest}/sub/file`, `${dest}/sub/file~`);
    expect(backups({}, remover()).make("sub/file", true)).toBe(1);
    expect(readdirSync(`${dest}/sub`)).toEqual(["file~"]);
  });
});

describe("removing", () => {
  beforeEach(() => {
    for (const dir of ["tree/b/c", "tree/b.d", "tree/empty"]) mkdirSync(`${dest}/${dir}`, { recursive: true });
    for (const file of ["tree/a", "tree/z", "tree/b/c/x"]) writeFileSync(`${dest}/${file}`, "");
    symlinkSync("/", `${dest}/tree/link`);
  });

  test("a tree goes in the reverse of list order, and symlinks are not followed", () => {
    const remove = remover();
    const gone: string[] = [];
    remove.onDeleted = (path) => gone.push(path);
    expect(remove.deleteItem("tree", 0o040755, DelFlag.recurse)).toBe("success");
    expect(gone).toEqual([
      "tree/empty", "tree/b/c/x", "tree/b/c", "tree/b", "tree/b.d", "tree/z", "tree/link", "tree/a", "tree",
    ]);
    expect(remove.counts).toMatchObject({ files: 9, dirs: 5, symlinks: 1 });
    expect(existsSync(`${dest}/tree`)).toBe(false);
  });

  test("protected items stay with their directories", () => {
    const remove = remover({}, { ...nothing, isProtected: (path) => path === "tree/b/c/x" });
    expect(remove.deleteItem("tree", 0o040755, DelFlag.recurse)).toBe("not-empty");
    expect(readdirSync(`${dest}/tree`)).toEqual(["b"]);
    expect(report.lines).toEqual([
      "info: cannot delete non-empty directory: tree/b/c",
      "info: cannot delete non-empty directory: tree/b/c",
      "info: cannot delete non-empty directory: tree/b",
      "info: cannot delete non-empty directory: tree/b",
      "info: cannot delete non-empty directory: tree",
    ]);
  });

  test("without recursion a full directory stays", () => {
    expect(remover().deleteItem("tree", 0o040755, delForFlag(0o100644))).toBe("not-empty");
    expect(report.lines).toEqual([
      "info: cannot delete non-empty directory: tree", "errorXfer: could not make way for new regular file: tree",
    ]);
  });

  test("--max-delete stops and counts", () => {
    const remove = remover({ maxDelete: 2 });
    remove.deleteItem("tree", 0o040755, DelFlag.recurse);
    expect(remove.counts).toMatchObject({ files: 2, skipped: 6 });
  });

  test("deleted files are backed up, backups are not", () => {
    const remove = remover();
    remove.backups = backups({}, remove);
    expect(remove.deleteItem("tree/a", 0o100644, 0)).toBe("success");
    expect(readdirSync(`${dest}/tree`)).toContain("a~");
    expect(remove.deleteItem("tree/a~", 0o100644, 0)).toBe("success");
    expect(readdirSync(`${dest}/tree`)).not.toContain("a~");
  });

  test("a directory of any depth", () => {
    let path = `${dest}/tree/b/c`;
    for (let i = 0; i < 400; i++) mkdirSync((path += "/d"));
    expect(remover().deleteItem("tree", 0o040755, DelFlag.recurse)).toBe("success");
    expect(existsSync(`${dest}/tree`)).toBe(false);
  });

  test("what has gone by itself is no failure; what cannot go is reported", () => {
    expect(remover().deleteItem("tree/none", 0o100644, 0)).toBe("success");
    expect(remover().deleteItem("tree/b", 0o100644, 0)).toBe("failure");
    expect(report.lines.length).toBe(1);
    expect(report.lines[0]).toMatch(/^errorXfer: delete_file: unlink\(tree\/b\) failed: Is a directory/);
  });

  test.skipIf(isRoot)("a read-only directory of ours is opened first", () => {
    chmodSync(`${dest}/tree/b/c`, 0o500);
    expect(remover({ amRoot: 0 }).deleteItem("tree", 0o040755, DelFlag.recurse)).toBe("success");
  });
});

describe("directories and copies", () => {
  test("makePath makes what is missing", () => {
    expect(makePath(root, "p/q/r")).toBe(3);
    expect(makePath(root, "p/q/r/")).toBe(0);
    expect(makeParents(root, "p/s/file")).toBe(1);
    writeFileSync(`${dest}/plain`, "");
    expect(makePath(root, "plain/x")).toBe(-fs.constants.E.ENOTDIR);
    expect(makePath(operator, `${dest}/abs/olute`)).toBe(2);
    expect(makePath(root, "")).toBe(0);
  });

  test("contents are copied whole by each way", () => {
    const bytes = Buffer.alloc(700_001, "0123456789abcdef");
    writeFileSync(`${dest}/from`, bytes);
    const { O } = fs.constants;
    for (const capabilities of [fs.capabilities, { ...fs.capabilities, copyFileRange: false }]) {
      const limited: FileSystem = new Proxy(fs, { get: (t, k) => {
        if (k === "capabilities") return capabilities;
        const value = Reflect.get(t, k);
        return typeof value === "function" ? (value as (...a: unknown[]) => unknown).bind(t) : value;
      } });
      const from = root.open("from", O.RDONLY, 0);
      const to = root.open("to", O.RDWR | O.CREAT | O.TRUNC, 0o644);
      const seen = [...copySteps(limited, from, to)];
      expect(seen.at(-1)).toBe(bytes.length);
      expect(copyContents(limited, from, to)).toBe(bytes.length);
      fs.close(from);
      fs.close(to);
      expect(readFileSync(`${dest}/to`).equals(bytes)).toBe(true);
    }
    const from = root.open("from", O.RDONLY, 0);
    const to = root.open("clone", O.RDWR | O.CREAT, 0o644);
    if (cloneContents(fs, from, to) === 0) expect(readFileSync(`${dest}/clone`).equals(bytes)).toBe(true);
    fs.close(from);
    fs.close(to);
  });

  test("copyFile replaces, and reports what it cannot read", () => {
    writeFileSync(`${dest}/from`, "data");
    writeFileSync(`${dest}/other`, "old");
    linkSync(`${dest}/other`, `${dest}/to`);
    expect(copyFile({ root, path: "from" }, { root, path: "to" }, 0o100755, COPYING, report)).toBe(0);
    expect([readFileSync(`${dest}/to`, "latin1"), readFileSync(`${dest}/other`, "latin1")]).toEqual(["data", "old"]);
    expect(copyFile({ root, path: "none" }, { root, path: "to" }, 0o644, COPYING, report)).toBe(-2);
    expect(report.lines).toEqual([`errorXfer: open "${dest}/none": No such file or directory (2)`]);
  });
});
