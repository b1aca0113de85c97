/**
 * Layouts of the C structures that libc fills in linear memory: struct stat, linux_dirent64, timespec, open_how,
 * passwd and group. Little-endian 64-bit Linux; x64 and arm64 differ only in struct stat.
 *
 * Sources: glibc bits/struct_stat.h, Linux include/linux/dirent.h and include/uapi/linux/openat2.h.
 */
import { type LinearMemory } from "../memory.ts";
import type { StatRecord } from "./filesystem.ts";

/** Offsets of struct stat in 32-bit words; a 64-bit field is named by its low word. */
export interface StatLayout {
  readonly byteLength: number;
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blocks: number;
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
}

const X64_STAT: StatLayout = {
  byteLength: 144, dev: 0, ino: 2, nlink: 4, mode: 6, uid: 7, gid: 8, rdev: 10, size: 12, blocks: 16, atime: 18,
  mtime: 22, ctime: 26,
};

const ARM64_STAT: StatLayout = {
  byteLength: 128, dev: 0, ino: 2, mode: 4, nlink: 5, uid: 6, gid: 7, rdev: 8, size: 12, blocks: 16, atime: 18,
  mtime: 22, ctime: 26,
};

/** Room for either struct stat. */
export const STAT_BYTES = 144;
/** Two struct timespec: access and modification time. */
export const TIMES_BYTES = 32;
/** struct iovec of a 64-bit system: an address and a length. */
export const IOVEC_BYTES = 16;
/** struct open_how: flags, mode, resolve, 64 bits each. */
export const OPEN_HOW_BYTES = 24;
/** struct passwd and struct group with room to spare. */
export const PASSWD_BYTES = 64;
/** Byte offset of the id in struct passwd and struct group. */
export const PASSWD_ID = 16;
/** Byte offset of the group in struct passwd. */
export const PASSWD_GROUP = 20;

/** linux_dirent64: 8 bytes inode, 8 bytes offset, 2 bytes record length, 1 byte type, then the name and a NUL. */
export const Dirent = { recordLength: 16, type: 18, name: 19 } as const;

/** Is the NUL-terminated name "." or ".."? */
export function isDots(u8: Uint8Array, name: number): boolean {
  if (u8[name] !== 0x2e) return false;
  return u8[name + 1] === 0 || (u8[name + 1] === 0x2e && u8[name + 2] === 0);
}

/** The stat layout of a processor. */
export function statLayout(arch: string): StatLayout {
  return arch === "arm64" ? ARM64_STAT : X64_STAT;
}

/** Decodes the struct stat at `ptr` (a multiple of 8) by typed-array reads, without a BigInt. */
export function decodeStat(memory: LinearMemory, layout: StatLayout, ptr: number, stat: StatRecord): void {
  const u32 = memory.u32;
  const i32 = memory.i32;
  const at = ptr >>> 2;
  stat.mode = u32[at + layout.mode];
  stat.size = u32[at + layout.size] + i32[at + layout.size + 1] * 0x100000000;
  stat.mtime = u32[at + layout.mtime] + i32[at + layout.mtime + 1] * 0x100000000;
  stat.mtimeNsec = u32[at + layout.mtime + 2];
  stat.atime = u32[at + layout.atime] + i32[at + layout.atime + 1] * 0x100000000;
  stat.atimeNsec = u32[at + layout.atime + 2];
  stat.ctime = u32[at + layout.ctime] + i32[at + layout.ctime + 1] * 0x100000000;
  stat.ctimeNsec = u32[at + layout.ctime + 2];
  stat.uid = u32[at + layout.uid];
  stat.gid = u32[at + layout.gid];
  stat.nlink = u32[at + layout.nlink];
  stat.devLo = u32[at + layout.dev];
  stat.devHi = u32[at + layout.dev + 1];
  stat.inoLo = u32[at + layout.ino];
  stat.inoHi = u32[at + layout.ino + 1];
  stat.blocks = u32[at + layout.blocks] + u32[at + layout.blocks + 1] * 0x100000000;
  const rdevLo = u32[at + layout.rdev];
  const rdevHi = u32[at + layout.rdev + 1];
  stat.rdevMajor = majorOf(rdevLo, rdevHi);
  stat.rdevMinor = minorOf(rdevLo, rdevHi);
  stat.accessAcl = stat.defaultAcl = stat.xattrs = null;
}

/** Major number of a 64-bit dev_t given as halves (glibc gnu_dev_major). */
export function majorOf(lo: number, hi: number): number {
  return (((lo >>> 8) & 0xfff) | (hi & 0xfffff000)) >>> 0;
}

/** Minor number of a 64-bit dev_t given as halves (glibc gnu_dev_minor). */
export function minorOf(lo: number, hi: number): number {
  return ((lo & 0xff) | (((lo >>> 12) | (hi << 20)) & 0xffffff00)) >>> 0;
}

/** The dev_t of a major and minor number (glibc gnu_dev_makedev), exact for majors below 2^21; Linux has 12 bits. */
export function makeDevice(major: number, minor: number): number {
  const lo = ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xffffff00) << 12)) >>> 0;
  const hi = ((minor >>> 20) | (major & 0xfffff000)) >>> 0;
  return hi * 0x100000000 + lo;
}

/** Writes a 64-bit integer (within ±2^53) at `ptr`, a multiple of 4. */
export function writeInt64(memory: LinearMemory, ptr: number, value: number): void {
  const hi = Math.floor(value / 0x100000000);
  memory.u32[ptr >>> 2] = value - hi * 0x100000000;
  memory.i32[(ptr >>> 2) + 1] = hi;
}

/** Reads a 64-bit unsigned value (an address) at `ptr`, a multiple of 4. */
export function readUint64(memory: LinearMemory, ptr: number): number {
  return memory.u32[ptr >>> 2] + memory.u32[(ptr >>> 2) + 1] * 0x100000000;
}
