/**
 * What rich trees of the differential test have besides: names of any bytes, sockets, times to the nanosecond, ACLs and
 * extended attributes, made and read through libc.
 */
import { type FileSystem } from "../../src/posix/filesystem.ts";
import { testFileSystem } from "../unit/files/_fs.ts";
import { type Dice } from "./_dice.ts";

/** An extended attribute; ACLs are attributes, too. */
export interface Extra {
  readonly name: string;
  readonly value: Uint8Array;
}

/** Latin1 names: not UTF-8, controls, what a shell or a wildcard would eat. */
export const oddNames: readonly string[] = [
  "bad\xff\xfe", "new\nline", "caf\xc3\xa9", "tab\there", "back\\slash", "st*r[x]", "-dash", "\x01ctl", "#hash#",
];

const NAMES = ["user.a", "user.b", "user.long", "user.rsync", "trusted.t", "trusted.u", "security.s"] as const;
const SIZES = [0, 1, 20, 31, 32, 33, 100, 3000] as const;
/** Tags of ACL entries in the kernel's form, in the order it wants. */
const Tag = { userObj: 1, user: 2, groupObj: 4, group: 8, mask: 16, other: 32 } as const;
const NO_ID = 0xffffffff;
const IDS = [0, 1, 1234, 65534] as const;

/** ACLs and attributes of one file; mostly none. Attributes come from few values, so that files share them. */
export function randomExtras(dice: Dice, isDir: boolean): Extra[] {
  const extras: Extra[] = [];
  if (dice.chance(40)) {
    for (let count = 1 + dice.below(3); count > 0; count--) {
      const value = new Uint8Array(dice.pick(SIZES)).fill(65 + dice.below(3));
      extras.push({ name: dice.pick(NAMES), value });
    }
  }
  if (dice.chance(35)) extras.push({ name: "system.posix_acl_access", value: randomAcl(dice) });
  if (isDir && dice.chance(40)) extras.push({ name: "system.posix_acl_default", value: randomAcl(dice) });
  return extras;
}

function randomAcl(dice: Dice): Uint8Array {
  const rows: [tag: number, perms: number, id: number][] = [[Tag.userObj, 6 + dice.below(2), NO_ID]];
  const named = dice.chance(75);
  const users = IDS.filter(() => named && dice.chance(35));
  const groups = IDS.filter(() => named && dice.chance(35));
  for (const id of users) rows.push([Tag.user, dice.below(8), id]);
  rows.push([Tag.groupObj, dice.below(8), NO_ID]);
  for (const id of groups) rows.push([Tag.group, dice.below(8), id]);
  if (users.length + groups.length > 0 || dice.chance(20)) rows.push([Tag.mask, dice.below(8), NO_ID]);
  rows.push([Tag.other, dice.below(8), NO_ID]);
  const bytes = new DataView(new ArrayBuffer(4 + rows.length * 8));
  bytes.setUint32(0, 2, true);
  rows.forEach(([tag, perms, id], at) => {
    bytes.setUint16(4 + at * 8, tag, true);
    bytes.setUint16(6 + at * 8, perms, true);
    bytes.setUint32(8 + at * 8, id, true);
  });
  return new Uint8Array(bytes.buffer);
}

let opened: FileSystem | null = null;

function libc(): FileSystem {
  return (opened ??= testFileSystem("libc"));
}

/** Makes a node of a name of any bytes. */
export function makeNode(path: string, kind: "fifo" | "device" | "socket", minor: number): void {
  const fs = libc();
  const type = { fifo: 0o010000, device: 0o020000, socket: 0o140000 }[kind];
  const result = fs.mknodat(fs.constants.AT.FDCWD, fs.cstr(path), type | 0o644, kind === "device" ? 1 : 0, minor);
  if (result < 0) throw new Error(`mknod ${path}: ${fs.strerror(-result)}`);
}

/** Sets attributes as far as this file system and this user may have them, then times. */
export function putExtras(
  path: string, extras: readonly Extra[], atime: number, mtime: number, mtimeNsec: number,
): void {
  const fs = libc();
  const at = fs.constants.AT.FDCWD;
  const ptr = fs.memory.alloc(4096);
  for (const { name, value } of extras) {
    fs.memory.u8.set(value, ptr);
    fs.setXattr(at, fs.cstr(path), fs.cstr(name), ptr, value.length);
  }
  fs.memory.release(ptr);
  fs.utimensat(at, fs.cstr(path), atime, 5, mtime, mtimeNsec);
}

/** ACLs and attributes of a path as one text; "" for none. */
export function describeExtras(path: string): string {
  const fs = libc();
  const at = fs.constants.AT.FDCWD;
  const ptr = fs.memory.alloc(8192);
  const length = fs.listXattr(at, fs.cstr(path), ptr, 8192);
  const names = length <= 0 ? [] : fs.memory.readLatin1(ptr, length).split("\0").filter((name) => name !== "").sort();
  const parts = names.map((name) => {
    const size = fs.getXattr(at, fs.cstr(path), fs.cstr(name), ptr, 8192);
    return `${name}=${size < 0 ? size : Buffer.from(fs.memory.u8.slice(ptr, ptr + size)).toString("hex")}`;
  });
  fs.memory.release(ptr);
  return parts.map((part) => ` ${part.length > 200 ? `${part.slice(0, 200)}(${part.length})` : part}`).join("");
}
