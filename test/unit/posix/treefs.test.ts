/** The tree file system beside the kernel's own: the same calls give the same results and leave the same tree. */
import { afterAll, describe, expect, test } from "vitest";
import { constantsFor } from "../../../src/posix/constants.ts";
import { type FileSystem, newStat } from "../../../src/posix/filesystem.ts";
import { Tree } from "../../../src/posix/tree.ts";
import { TreeFileSystem } from "../../../src/posix/treefs.ts";
import { Random } from "../delta/_engine.ts";
import { newMemory, removeTree, tempDir, testFileSystem } from "../files/_fs.ts";

const { O, AT, E } = constantsFor("linux", "x64");

function newTreeFs(clock = () => 1_700_000_000_123): TreeFileSystem {
  return new TreeFileSystem(newMemory(), new Tree(E, clock));
}

/** A way to a directory of either kind. */
interface Side {
  readonly fs: FileSystem;
  readonly root: number;
}

const NAMES = [
  "a", "b", "c", "d", "a/b", "a/c", "b/d", "a/b/c", "c/.", "d/..", "a/", "b/..", ".", "s/a", "./a//b", "s/",
];
const LINKS = ["a", "../a", "b/d", "missing", ".", "s", "c/d"];

/** A call, with its words for messages. */
interface Call {
  readonly what: string;
  run(side: Side): string;
}

function errorName(result: number): string {
  if (result >= 0) return "ok";
  return Object.keys(E).find((name) => E[name] === -result) ?? String(result);
}

function withFd(side: Side, path: string, flags: number, use: (fd: number) => string): string {
  const { fs, root } = side;
  const stat = newStat();
  // What a device or pipe does when it is opened is nothing that a tree in memory could do.
  const type = fs.fstatat(root, fs.cstr(path), stat, true) < 0 ? 8 : stat.mode >> 12;
  if (type !== 8 && type !== 4) return "special";
  const fd = fs.openat(root, fs.cstr(path), flags, 0o640);
  if (fd < 0) return errorName(fd);
  const result = use(fd);
  fs.close(fd);
  return result;
}

function put(fs: FileSystem, text: string): number {
  const ptr = fs.cstr(text);
  return ptr;
}

/** One random call, the same on both sides. */
function anyCall(random: Random): Call {
  const path = NAMES[random.next(NAMES.length)];
  const other = NAMES[random.next(NAMES.length)];
  const number = 1 + random.next(300);
  const flag = (word: number): number => (random.next(3) === 0 ? word : 0);
  const calls: readonly Call["run"][] = [
    ({ fs, root }) => errorName(fs.mkdirat(root, fs.cstr(path), 0o700 + (number & 0o77))),
    ({ fs, root }) => errorName(fs.unlinkat(root, fs.cstr(path), 0)),
    ({ fs, root }) => errorName(fs.unlinkat(root, fs.cstr(path), AT.REMOVEDIR)),
    ({ fs, root }) => errorName(fs.renameat(root, fs.cstr(path), root, fs.cstr(other))),
    ({ fs, root }) => errorName(fs.linkat(root, fs.cstr(path), root, fs.cstr(other), 0)),
    ({ fs, root }) => errorName(fs.symlinkat(fs.cstr(LINKS[number % LINKS.length]), root, fs.cstr(path))),
    ({ fs, root }) => errorName(fs.mknodat(root, fs.cstr(path), number & 1 ? 0o010600 : 0o020600, 1, number & 7)),
    ({ fs, root }) => errorName(fs.fchmodat(root, fs.cstr(path), 0o700 | (number & 0o77))),
    ({ fs, root }) => errorName(fs.lchownat(root, fs.cstr(path), number & 7, (number & 3) - 1)),
    ({ fs, root }) => errorName(fs.utimensat(root, fs.cstr(path), 1e9, 5, 1e9 + number, number)),
    ({ fs, root }) => {
      const ptr = fs.memory.alloc(4096);
      const length = fs.readlinkat(root, fs.cstr(path), ptr, 4096);
      const text = length < 0 ? errorName(length) : fs.memory.readLatin1(ptr, length);
      fs.memory.release(ptr);
      return text;
    },
  ];
  const creates = flag(O.CREAT);
  const flags = [O.RDONLY, O.WRONLY, O.RDWR][random.next(3)] | creates | flag(O.EXCL)
    | flag(O.TRUNC) | flag(O.NOFOLLOW) | (creates ? 0 : flag(O.DIRECTORY)) | flag(O.APPEND) | O.NONBLOCK;
  const opens: readonly Call["run"][] = [
    (side) => withFd(side, path, flags, (fd) => {
      const { fs } = side;
      const written = fs.pwrite(fd, put(fs, "x".repeat(number)), number, number * 3);
      return `${errorName(written)} ${errorName(fs.ftruncate(fd, number * 2))}`;
    }),
    (side) => withFd(side, path, flags, (fd) => {
      const { fs } = side;
      const written = fs.write(fd, put(fs, "yz"), 2);
      return `${errorName(written)} ${errorName(fs.fchmod(fd, 0o600 | (number & 0o77)))}`;
    }),
    (side) => withFd(side, path, O.RDONLY | O.NONBLOCK, (fd) => {
      const ptr = side.fs.memory.alloc(1024);
      const count = side.fs.read(fd, ptr, 1024);
      const text = count < 0 ? errorName(count) : side.fs.memory.readLatin1(ptr, count);
      side.fs.memory.release(ptr);
      return `${text} ${side.fs.lseek(fd, 0, 1) >= 0}`;
    }),
  ];
  // A fifth of the calls opens something.
  const run = random.next(5) === 0 ? opens[random.next(opens.length)] : calls[random.next(calls.length)];
  return { run, what: `${path}, ${other}, ${number}, flags ${flags.toString(8)}: ${run.toString()}` };
}

/** Everything below a directory as text. */
function listing({ fs, root }: Side, path = "."): string[] {
  const dir = fs.openat(root, fs.cstr(path), O.RDONLY | O.DIRECTORY | O.NOFOLLOW, 0);
  const names: string[] = [];
  fs.readDir(dir, (ptr, length) => void names.push(fs.memory.readLatin1(ptr, length)));
  const stat = newStat();
  const lines = names.sort().flatMap((name) => {
    fs.fstatat(dir, fs.cstr(name), stat, false);
    const { mode, size, nlink, uid, gid, rdevMajor, rdevMinor, mtime, mtimeNsec } = stat;
    const isDirectory = (mode & 0o170000) === 0o040000;
    const set = mtime < 1_500_000_000 ? `${mtime}.${mtimeNsec}` : "-";
    const facts = [mode.toString(8), isDirectory ? "-" : size, nlink, uid, gid, rdevMajor, rdevMinor, set];
    return [`${path}/${name} ${facts.join(" ")}`, ...(isDirectory ? listing({ fs, root }, `${path}/${name}`) : [])];
  });
  fs.close(dir);
  return lines;
}

const isRoot = process.geteuid?.() === 0;
const dirs: string[] = [];
afterAll(() => dirs.forEach(removeTree));

describe("beside the kernel", () => {
  const kernel = testFileSystem("libc");

  test.skipIf(!isRoot)("random calls have the same results and leave the same tree", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new Random(seed);
      const dir = tempDir("treefs");
      dirs.push(dir);
      // One level down, because links lead up.
      kernel.mkdirat(AT.FDCWD, kernel.cstr(`${dir}/top`), 0o755);
      const own = newTreeFs();
      own.mkdirat(AT.FDCWD, own.cstr("top"), 0o755);
      const sides: Side[] = [
        { fs: kernel, root: kernel.openat(AT.FDCWD, kernel.cstr(`${dir}/top`), O.RDONLY, 0) },
        { fs: own, root: own.openat(AT.FDCWD, own.cstr("top"), O.RDONLY, 0) },
      ];
      for (let step = 0; step < 120; step++) {
        const call = anyCall(random);
        const [there, here] = sides.map((side) => call.run(side));
        expect(here, `seed ${seed}, step ${step}: ${call.what}`).toBe(there);
      }
      expect(listing(sides[1]), `seed ${seed}`).toEqual(listing(sides[0]));
      kernel.close(sides[0].root);
    }
  });
});

test("contents in pages, with gaps and cuts", () => {
  const fs = newTreeFs();
  const random = new Random(5);
  let want = new Uint8Array(0);
  const fd = fs.openat(AT.FDCWD, fs.cstr("file"), O.RDWR | O.CREAT, 0o644);
  for (let round = 0; round < 200; round++) {
    const offset = random.next(300_000);
    const bytes = random.bytes(random.next(90_000));
    if (random.next(5) === 0) {
      expect(fs.ftruncate(fd, offset)).toBe(0);
      const cut = new Uint8Array(offset);
      cut.set(want.subarray(0, offset));
      want = cut;
    } else {
      const ptr = fs.memory.alloc(bytes.length + 1);
      fs.memory.u8.set(bytes, ptr);
      expect(fs.pwrite(fd, ptr, bytes.length, offset)).toBe(bytes.length);
      fs.memory.release(ptr);
      const next = new Uint8Array(Math.max(want.length, bytes.length === 0 ? 0 : offset + bytes.length));
      next.set(want);
      next.set(bytes, offset);
      want = next;
    }
  }
  const ptr = fs.memory.alloc(want.length + 10);
  expect(fs.pread(fd, ptr, want.length + 10, 0)).toBe(want.length);
  expect(Buffer.compare(fs.memory.u8.slice(ptr, ptr + want.length), want)).toBe(0);
});

test("a file without a name lives as long as it is open", () => {
  const fs = newTreeFs();
  const fd = fs.openat(AT.FDCWD, fs.cstr("file"), O.RDWR | O.CREAT, 0o644);
  fs.write(fd, put(fs, "hello"), 5);
  expect(fs.unlinkat(AT.FDCWD, fs.cstr("file"), 0)).toBe(0);
  expect(fs.pread(fd, fs.cstr("....."), 5, 0)).toBe(5);
  expect(fs.close(fd)).toBe(0);
  expect(fs.close(fd)).toBe(-E.EBADF);
});

test("a tree that can only be read refuses every change with EROFS", () => {
  const clock = () => 0;
  const tree = new Tree(E, clock);
  const writer = new TreeFileSystem(newMemory(), tree);
  writer.mkdirat(AT.FDCWD, writer.cstr("dir"), 0o755);
  writer.close(writer.openat(AT.FDCWD, writer.cstr("dir/file"), O.CREAT | O.WRONLY, 0o644));
  const fs = new TreeFileSystem(newMemory(), tree, { readOnly: true });
  const at = AT.FDCWD;
  const refusals = [
    fs.openat(at, fs.cstr("new"), O.CREAT | O.WRONLY, 0), fs.openat(at, fs.cstr("dir/file"), O.RDWR, 0),
    fs.openat(at, fs.cstr("dir/file"), O.TRUNC, 0), fs.mkdirat(at, fs.cstr("new"), 0),
    fs.unlinkat(at, fs.cstr("dir/file"), 0),
    fs.renameat(at, fs.cstr("dir"), at, fs.cstr("other")), fs.linkat(at, fs.cstr("dir/file"), at, fs.cstr("other")),
    fs.symlinkat(fs.cstr("x"), at, fs.cstr("y")), fs.mknodat(at, fs.cstr("fifo"), 0o010600, 0, 0),
    fs.fchmodat(at, fs.cstr("dir"), 0o700), fs.lchownat(at, fs.cstr("dir"), 1, 1),
    fs.utimensat(at, fs.cstr("dir"), 0, 0, 0, 0),
  ];
  expect(refusals.map(errorName)).toEqual(refusals.map(() => "EROFS"));
  expect(fs.openat(at, fs.cstr("dir/file"), O.RDONLY, 0)).toBeGreaterThan(0);
});
