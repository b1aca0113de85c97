import { describe, expect, test } from "vitest";
import { LinearMemory } from "../../../src/memory.ts";
import { newStat } from "../../../src/posix/filesystem.ts";
import {
  decodeStat, majorOf, makeDevice, minorOf, readUint64, statLayout, writeInt64,
} from "../../../src/posix/structs.ts";

const memory = new LinearMemory(new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true }), 1024, 4);

describe("device numbers", () => {
  // As makedev(3) of glibc gives them.
  const cases: [number, number, number][] = [
    [0, 0, 0], [8, 1, 0x801], [254, 0, 0xfe00], [4000, 1000000, 0xf42fa040], [0xfff, 0xfffff, 0xffffffff],
    [0x1000, 0, 0x100000000000],
  ];
  test.each(cases)("%d:%d is %d", (major, minor, device) => {
    expect(makeDevice(major, minor)).toBe(device);
  });
  test("parts come back from every combination of edges", () => {
    for (const major of [0, 1, 255, 256, 4095, 4096]) {
      for (const minor of [0, 1, 255, 256, 1048575]) {
        const device = makeDevice(major, minor);
        const [lo, hi] = [device % 0x100000000, Math.floor(device / 0x100000000)];
        expect([majorOf(lo, hi), minorOf(lo, hi)]).toEqual([major, minor]);
      }
    }
  });
});

describe("64-bit integers", () => {
  test.each([0, 1, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 40) - 7])("%d", (value) => {
    const ptr = memory.alloc(8);
    writeInt64(memory, ptr, value);
    expect(Number(memory.view.getBigInt64(ptr, true))).toBe(value);
    if (value >= 0) expect(readUint64(memory, ptr)).toBe(value);
    memory.release(ptr);
  });
});

describe("struct stat", () => {
  const offsets = {
    x64: { nlink: 16, mode: 24, uid: 28, gid: 32, rdev: 40 },
    arm64: { nlink: 20, mode: 16, uid: 24, gid: 28, rdev: 32 },
  } as const;
  test.each(["x64", "arm64"] as const)("%s fields at their byte offsets", (arch) => {
    const ptr = memory.alloc(144);
    memory.bytes(ptr, 144).fill(0);
    const { view } = memory;
    const o = offsets[arch];
    view.setBigUint64(ptr, 0x1122334455667788n, true);
    view.setBigUint64(ptr + 8, 0x99aabbccddeeff00n, true);
    view.setUint32(ptr + o.nlink, 3, true);
    view.setUint32(ptr + o.mode, 0o100644, true);
    view.setUint32(ptr + o.uid, 4000000000, true);
    view.setUint32(ptr + o.gid, 5, true);
    view.setUint32(ptr + o.rdev, 0x801, true);
    view.setBigInt64(ptr + 48, 5n * 2n ** 40n + 1n, true);
    view.setBigInt64(ptr + 64, 77n, true);
    [-5n, 2n ** 33n, 1n].forEach((seconds, i) => {
      view.setBigInt64(ptr + 72 + 16 * i, seconds, true);
      view.setUint32(ptr + 80 + 16 * i, 999999990 + i, true);
    });
    const stat = newStat();
    decodeStat(memory, statLayout(arch), ptr, stat);
    expect(stat).toEqual({
      mode: 0o100644, size: 5 * 2 ** 40 + 1, atime: -5, atimeNsec: 999999990, mtime: 2 ** 33, mtimeNsec: 999999991,
      accessAcl: null, defaultAcl: null, xattrs: null,
      ctime: 1, ctimeNsec: 999999992, uid: 4000000000, gid: 5, nlink: 3, rdevMajor: 8, rdevMinor: 1,
      devLo: 0x55667788, devHi: 0x11223344, inoLo: 0xddeeff00, inoHi: 0x99aabbcc, blocks: 77,
    });
    memory.release(ptr);
  });
});
