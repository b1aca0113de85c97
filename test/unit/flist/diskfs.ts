/**
 * A FileSystem for tests of the walk: real directories through node:fs, descriptors that are only paths. It has the
 * calls a walk makes and throws on any other.
 */
import * as fs from "node:fs";
import { LinearMemory } from "../../../src/memory.ts";
import type { FileSystem, StatRecord } from "../../../src/posix/filesystem.ts";

const E = { ENOENT: 2, EIO: 5, EACCES: 13, EXDEV: 18, ENOTDIR: 20, ELOOP: 40, EAGAIN: 11, ENOSYS: 38 };
const O = { RDONLY: 0, NOFOLLOW: 0o400000, DIRECTORY: 0o200000, CLOEXEC: 0o2000000, PATH: 0o10000000 };

/** A linear memory for tests. */
export function testMemory(): LinearMemory {
  return new LinearMemory(new WebAssembly.Memory({ initial: 16, maximum: 4096, shared: true }), 1024, 4096);
}

export interface DiskFs extends FileSystem {
  /** Descriptors not closed. */
  readonly open: Map<number, string>;
}

/** The file system; `memory` is shared with the lists under test. */
export function diskFs(memory: LinearMemory): DiskFs {
  const open = new Map<number, string>();
  let nextFd = 1000;
  const scratch = memory.alloc(8192);
  const read = (ptr: number): string => {
    let end = ptr;
    while (memory.u8[end] !== 0) end++;
    return Buffer.from(memory.u8.slice(ptr, end)).toString("latin1");
  };
  const at = (dirFd: number, name: number): Buffer => {
    const path = read(name);
    const base = open.get(dirFd);
    const full = path.startsWith("/") || base === undefined ? path : `${base}/${path}`;
    return Buffer.from(full, "latin1");
  };
  const guard = (action: () => number): number => {
    try {
      return action();
    } catch (error) {
      return (error as { errno: number }).errno;
    }
  };
  const calls: Partial<FileSystem> = {
    memory,
    capabilities: { openat2: false } as FileSystem["capabilities"],
    constants: { O, AT: { FDCWD: -100 }, E } as unknown as FileSystem["constants"],
    cstr(name) {
      memory.writeCString(scratch, name);
      return scratch;
    },
    openat: (dirFd, name, flags) => guard(() => {
      const path = at(dirFd, name);
      const stat = (flags & O.NOFOLLOW) !== 0 ? fs.lstatSync(path) : fs.statSync(path);
      if (stat.isSymbolicLink()) return -E.ELOOP;
      if (!stat.isDirectory()) return -E.ENOTDIR;
      if ((flags & O.PATH) === 0) fs.readdirSync(path);
      open.set(nextFd, path.toString("latin1"));
      return nextFd++;
    }),
    close: (fd) => (open.delete(fd) ? 0 : -9),
    fstatat: (dirFd, name, stat, follow) => guard(() => {
      const path = at(dirFd, name);
      fillStat(stat, follow ? fs.statSync(path, { bigint: true }) : fs.lstatSync(path, { bigint: true }));
      return 0;
    }),
    readDir: (fd, visit) => guard(() => {
      const path = Buffer.from(open.get(fd)!, "latin1");
      // Neither is there an order to a listing: go by what the system says.
      const dir = fs.opendirSync(path, { encoding: "latin1" as BufferEncoding });
      const ptr = memory.alloc(256);
      let count = 0;
      for (let entry = dir.readSync(); entry !== null; entry = dir.readSync(), count++) {
        memory.writeCString(ptr, entry.name);
        visit(ptr, entry.name.length, 0);
      }
      dir.closeSync();
      memory.release(ptr);
      return count;
    }),
    readlinkat: (dirFd, name, ptr, byteLength) => guard(() => {
      const target = fs.readlinkSync(at(dirFd, name), { encoding: "buffer" });
      const cut = target.subarray(0, byteLength);
      memory.u8.set(cut, ptr);
      return cut.length;
    }),
    userName: (uid) => (uid === 0 ? "root" : null),
    groupName: (gid) => (gid === 0 ? "root" : null),
    userId: (name) => (name === "root" ? 0 : -1),
    groupId: (name) => (name === "root" ? 0 : -1),
    strerror: (errno) => `errno ${errno}`,
  };
  return Object.assign(calls, { open }) as DiskFs;
}

function fillStat(stat: StatRecord, from: fs.BigIntStats): void {
  const low = (value: bigint): number => Number(value & 0xffffffffn);
  const high = (value: bigint): number => Number((value >> 32n) & 0xffffffffn);
  stat.mode = Number(from.mode);
  stat.size = Number(from.size);
  stat.mtime = Math.floor(Number(from.mtimeNs / 1000000000n));
  stat.mtimeNsec = Number(from.mtimeNs % 1000000000n);
  stat.atime = Math.floor(Number(from.atimeNs / 1000000000n));
  stat.uid = Number(from.uid);
  stat.gid = Number(from.gid);
  stat.nlink = Number(from.nlink);
  stat.rdevMajor = Number((from.rdev >> 8n) & 0xfffn);
  stat.rdevMinor = Number((from.rdev & 0xffn) | ((from.rdev >> 12n) & 0xfff00n));
  stat.devLo = low(from.dev);
  stat.devHi = high(from.dev);
  stat.inoLo = low(from.ino);
  stat.inoHi = high(from.ino);
}
