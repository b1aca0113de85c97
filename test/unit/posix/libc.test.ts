import { describe, expect, test } from "vitest";
import { type FfiFunction } from "../../../src/host.ts";
import { latin1 } from "../../../src/memory.ts";
import { type FileSystem, newStat } from "../../../src/posix/filesystem.ts";
import { openFileSystem } from "../../../src/posix/open.ts";
import { BASE, fakeFfi, fakeHost, newMemory } from "./_fake.ts";

const EINTR = 4;
const EIO = 5;
const ENOSPC = 28;

function open(functions: Record<string, FfiFunction>, missing: string[] = []): FileSystem {
  return openFileSystem(fakeHost(fakeFfi(functions, missing)), newMemory());
}

/** A function that gives one result after another. */
function script(...results: number[]): FfiFunction {
  return () => {
    if (results.length === 0) throw new Error("called too often");
    return results.shift()!;
  };
}

describe("errors", () => {
  test("a failed call returns minus errno", () => {
    const fs = open({
      openat: script(-2), close: script(-EIO), fstatat: script(-20), lseek: script(-29), renameat: script(-18),
    });
    expect(fs.openat(-100, fs.cstr("x"), 0, 0)).toBe(-2);
    expect(fs.close(3)).toBe(-EIO);
    expect(fs.fstatat(3, fs.cstr("x"), newStat(), true)).toBe(-20);
    expect(fs.readDir(3, () => undefined)).toBe(-29);
    expect(fs.renameat(3, fs.cstr("a"), 3, fs.cstr("b"))).toBe(-18);
  });
  test("an interrupted call is made again", () => {
    const fs = open({
      openat: script(-EINTR, -EINTR, 7), syscall: script(-EINTR, 8), read: script(-EINTR, 5), pread: script(-EINTR, 6),
      readv: script(-EINTR, 6),
      write: script(-EINTR, 4), pwrite: script(2, -EINTR, 2),
    });
    expect(fs.openat(-100, fs.cstr("x"), 0, 0)).toBe(7);
    expect(fs.openat2(-100, fs.cstr("x"), 0, 0, 8)).toBe(8);
    expect(fs.read(3, 0, 5)).toBe(5);
    expect(fs.pread(3, 0, 6, 0)).toBe(6);
    expect(fs.readv!(3, 0, 6, 4, 8)).toBe(6);
    expect(fs.write(3, 0, 4)).toBe(4);
    expect(fs.pwrite(3, 0, 4, 0)).toBe(4);
  });
  test("a listing that fails half-way returns the error", () => {
    expect(open({ getdents64: script(-EIO) }).readDir(3, () => undefined)).toBe(-EIO);
  });
});

test("pieces are read apart, at most 32 of them", () => {
  const asked: number[][] = [];
  const fs: FileSystem = open({
    readv: (_fd, iov, count) => {
      const at = (iov - BASE) >>> 2;
      asked.push(Array.from(fs.memory.u32.subarray(at, at + count * 4)));
      return 7;
    },
  });
  expect(fs.readv!(3, 1000, 10, 4, 6)).toBe(7);
  const [low, high] = [BASE % 2 ** 32, Math.floor(BASE / 2 ** 32)];
  expect(asked).toEqual([[1000, 1006, 1012].flatMap((ptr, n) => [low + ptr, high, n < 2 ? 4 : 2, 0])]);
  fs.readv!(3, 1000, 100, 2, 2);
  expect(asked[1].length).toBe(32 * 4);
});

describe("writing", () => {
  test("continues after short counts at the right addresses", () => {
    const calls: number[][] = [];
    const counts = [3, 1, 6];
    const fs = open({ pwrite: (...args) => (calls.push(args), counts.shift()!) });
    expect(fs.pwrite(5, 1000, 10, 2 ** 40)).toBe(10);
    expect(calls).toEqual([
      [5, BASE + 1000, 10, 2 ** 40], [5, BASE + 1003, 7, 2 ** 40 + 3], [5, BASE + 1004, 6, 2 ** 40 + 4],
    ]);
  });
  test("an error after a part is an error", () => {
    expect(open({ write: script(3, -ENOSPC) }).write(5, 0, 10)).toBe(-ENOSPC);
  });
  test("asks for at most 1 GiB at a time", () => {
    const asked: number[] = [];
    const fs = open({ read: (_fd, _ptr, count) => (asked.push(count), 1) });
    fs.read(3, 0, 3 * 2 ** 30);
    expect(asked).toEqual([2 ** 30]);
  });
});

describe("arguments", () => {
  test("ids of -1 travel as unsigned, and a chmod never follows a symlink", () => {
    const calls: number[][] = [];
    const record: FfiFunction = (...args) => (calls.push(args), 0);
    const fs = open({ fchownat: record, fchmodat: record });
    const name = fs.cstr("n");
    fs.lchownat(3, name, -1, 7);
    fs.fchmodat(3, name, 0o600);
    expect(calls).toEqual([[3, BASE + name, 0xffffffff, 7, 0x100], [3, BASE + name, 0o600, 0x100]]);
  });
  test("times are laid out as two timespecs, with UTIME_OMIT for -2", () => {
    const words: bigint[] = [];
    const memory = newMemory();
    const utimensat: FfiFunction = (_dir, _name, times) => {
      for (let i = 0; i < 4; i++) words.push(memory.view.getBigInt64(times - BASE + 8 * i, true));
      return 0;
    };
    const fs = openFileSystem(fakeHost(fakeFfi({ utimensat })), memory);
    fs.utimensat(3, fs.cstr("n"), -5, -2, 2 ** 33, 123456789);
    expect(words).toEqual([-5n, 0x3ffffffen, 2n ** 33n, 123456789n]);
  });
  test("becoming another user takes the calls in order, and says which one failed", () => {
    const calls: string[] = [];
    const named = (name: string, result = 0): FfiFunction => (...args) => {
      calls.push(`${name}(${args.filter((arg) => arg < BASE).join()})`);
      return result;
    };
    let euid = 0;
    const functions = {
      setgid: named("setgid"), setgroups: named("setgroups"), initgroups: named("initgroups"),
      seteuid: named("seteuid"),
      setuid: (uid: number) => (calls.push(`setuid(${uid})`), (euid = uid), 0), geteuid: () => euid,
    };
    const fs = open(functions);
    expect(fs.becomeUser(7, 8, "me")).toBe(null);
    expect(calls).toEqual(["setgid(8)", "setgroups(1)", "initgroups(8)", "setuid(7)", "seteuid(7)"]);
    expect(fs.euid).toBe(7);
    calls.length = 0;
    const failing = open({ ...functions, setgroups: script(-1) });
    expect(failing.becomeUser(7, 8, null)).toEqual({ call: "setgroups", errno: 1 });
    expect(calls).toEqual(["setgid(8)"]);
    expect(open(functions, ["setgid"]).becomeUser(7, 8, null)).toEqual({ call: "setgid", errno: 38 });
  });
  test("names keep every byte and eight are alive at once", () => {
    const fs = open({});
    const names = Array.from({ length: 8 }, (_, i) => `name ${i} \xff`);
    const ptrs = names.map((name) => fs.cstr(name));
    expect(ptrs.map((ptr) => latin1(fs.memory.u8, ptr, fs.memory.u8.indexOf(0, ptr)))).toEqual(names);
  });
});

describe("capabilities", () => {
  test("optional functions that are missing become ENOSYS and a false flag", () => {
    const fs = open({}, ["copy_file_range", "fallocate", "ioctl", "mknodat", "syscall"]);
    expect(fs.capabilities).toMatchObject({
      atCalls: true, openat2: false, mknod: false, copyFileRange: false, reflink: false, fallocate: false,
    });
    const results = [
      fs.openat2(3, 0, 0, 0, 0), fs.mknodat(3, 0, 0, 0, 0), fs.copyFileRange(3, 0, 4, 0, 1), fs.reflink(3, 4),
      fs.fallocate(3, 0, 0, 1),
    ];
    expect(results).toEqual([-38, -38, -38, -38, -38]);
  });
});

describe("extended attributes", () => {
  const linked = { llistxattr: script(3), lgetxattr: script(4), lsetxattr: script(0), lremovexattr: script(-61) };
  const opened = { flistxattr: script(5), fgetxattr: script(6), fsetxattr: script(-EIO), fremovexattr: script(0) };
  const all = (fs: FileSystem, fd: number, name: number): number[] => {
    const attribute = fs.cstr("user.a");
    return [
      fs.listXattr(fd, name, 0, 9), fs.getXattr(fd, name, attribute, 0, 9), fs.setXattr(fd, name, attribute, 0, 9),
      fs.removeXattr(fd, name, attribute),
    ];
  };

  test("an open file takes the f-calls, a name the at-calls", () => {
    const calls: number[][] = [];
    const fs = open({ ...opened, syscall: (...words) => (calls.push(words), 7) });
    const name = fs.cstr("x");
    expect(all(fs, 7, 0)).toEqual([5, 6, -EIO, 0]);
    expect(all(fs, 9, name)).toEqual([7, 7, 7, 7]);
    const symlinkNoFollow = 0x100;
    expect(calls.map((words) => words.slice(0, 4))).toEqual([465, 464, 463, 466].map((number) =>
      [number, 9, BASE + name, symlinkNoFollow]));
  });

  test("value and length travel in a structure", () => {
    const memory = newMemory();
    let seen: unknown[] = [];
    const syscall: FfiFunction = (_number, _fd, _name, flags, _attribute, args, bytes) => {
      const at = args - BASE;
      seen = [flags, memory.view.getBigUint64(at, true), memory.view.getBigUint64(at + 8, true), bytes];
      return 1;
    };
    const fs = openFileSystem(fakeHost(fakeFfi({ syscall })), memory);
    fs.getXattr(9, fs.cstr("x"), fs.cstr("user.a"), 4096, 77, true);
    expect(seen).toEqual([0, BigInt(BASE + 4096), 77n, 16]);
  });

  test("without at-calls the name is reached through the held directory", () => {
    const memory = newMemory();
    const paths: string[] = [];
    const note = (result: number): FfiFunction => (path) => {
      paths.push(latin1(memory.u8, path - BASE, memory.u8.indexOf(0, path - BASE)));
      return result;
    };
    const functions = {
      syscall: script(-38), llistxattr: note(3), lgetxattr: note(4), lsetxattr: note(0), lremovexattr: note(-61),
    };
    const fs = openFileSystem(fakeHost(fakeFfi(functions)), memory);
    expect(all(fs, 12, fs.cstr("x"))).toEqual([3, 4, 0, -61]);
    expect(paths).toEqual(Array.from({ length: 4 }, () => "/proc/self/fd/12/x"));
  });

  test("a refusal that a sandbox may have made is looked into", () => {
    const fs = open({ ...linked, syscall: script(-1) });
    expect(all(fs, 9, fs.cstr("x"))).toEqual([3, 4, 0, -61]);
  });

  test("without /proc plain files are opened, others have no attributes", () => {
    const memory = newMemory();
    const closed: number[] = [];
    let mode = 0o100644;
    const fstatat: FfiFunction = (_fd, name, stat) => {
      if (latin1(memory.u8, name - BASE, memory.u8.indexOf(0, name - BASE)).startsWith("/proc")) return -2;
      memory.u32[(stat - BASE >>> 2) + 6] = mode;
      return 0;
    };
    const functions = { ...opened, flistxattr: script(5, 5), syscall: script(-38), fstatat, openat: () => 30,
      close: (fd: number) => (closed.push(fd), 0) };
    const fs = openFileSystem(fakeHost(fakeFfi(functions)), memory);
    expect(fs.listXattr(9, fs.cstr("x"), 0, 9)).toBe(5);
    mode = 0o020644;
    expect(fs.listXattr(9, fs.cstr("x"), 0, 9)).toBe(-95);
    expect(closed).toEqual([30]);
  });

  test("without one of the functions there are none", () => {
    const fs = open({}, ["lsetxattr"]);
    expect(fs.capabilities.xattrs).toBe(false);
    expect(all(fs, 7, 0)).toEqual([-38, -38, -38, -38]);
  });
});
