/**
 * Tar archives as trees: ustar with GNU's and pax's extensions for long names, large numbers and exact times. The
 * contents stay where they are, in the archive.
 */
import { ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { ReaderContent } from "./content.ts";
import { type Inode, S_IF, type Time } from "./inode.ts";
import { type Tree } from "./tree.ts";

/** Bytes with synchronous random access: an archive in memory or an open file. */
export interface SyncAccess {
  readonly byteLength: number;
  /** Up to `byteLength` bytes at `offset`; fewer only at the end. Valid until the next call. */
  read(offset: number, byteLength: number): Uint8Array;
}

const BLOCK = 512;
/** Longest name, link target or pax header that is believed, bytes. */
const LONGEST_TEXT = 1 << 20;
const PERMISSIONS = 0o7777;

/** What headers say about the next entry. */
interface Extras {
  path?: string;
  linkpath?: string;
  size?: number;
  mtime?: Time;
  uid?: number;
  gid?: number;
}

interface Header {
  readonly type: string;
  readonly path: string;
  readonly linkpath: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: Time;
  readonly major: number;
  readonly minor: number;
}

/** Puts all entries of an archive into a tree. Throws ProtocolError, label `archive`, where it makes no sense. */
export function readTar(archive: SyncAccess, tree: Tree): void {
  const globals: Extras = {};
  let extras: Extras = {};
  for (let offset = 0; offset + BLOCK <= archive.byteLength; ) {
    const block = archive.read(offset, BLOCK).slice();
    if (block.length < BLOCK) throw bad("it ends within a header", offset);
    if (block.every((byte) => byte === 0)) return;
    const header = readHeader(block, offset, { ...globals, ...extras });
    const dataAt = offset + BLOCK;
    const next = dataAt + Math.ceil(header.size / BLOCK) * BLOCK;
    if (dataAt + header.size > archive.byteLength) throw bad("it ends within a file", offset);
    if (!takeExtension(archive, header, dataAt, globals, extras)) {
      addEntry(archive, tree, header, dataAt, offset);
      extras = {};
    }
    offset = next;
  }
}

/** Takes in an entry that only tells about others; false when it is none. */
function takeExtension(
  archive: SyncAccess, { type, size }: Header, at: number, globals: Extras, extras: Extras,
): boolean {
  if (!"LKxg".includes(type)) return false;
  if (size > LONGEST_TEXT) throw bad("a name or header is too long", at);
  const bytes = archive.read(at, size);
  const text = latin1(bytes, 0, bytes.length);
  if (type === "L") extras.path = untilNul(text);
  else if (type === "K") extras.linkpath = untilNul(text);
  else readPax(text, type === "g" ? globals : extras, at);
  return true;
}

/** Records of the form "LENGTH KEY=VALUE\n". */
function readPax(text: string, into: Extras, at: number): void {
  for (let pos = 0; pos < text.length; ) {
    const space = text.indexOf(" ", pos);
    const length = Number(text.slice(pos, space));
    if (space < 0 || !(length > space - pos) || pos + length > text.length) throw bad("a pax record is broken", at);
    const record = text.slice(space + 1, pos + length - 1);
    const equals = record.indexOf("=");
    takePax(record.slice(0, equals), record.slice(equals + 1), into);
    pos += length;
  }
}

function takePax(key: string, value: string, into: Extras): void {
  switch (key) {
    case "path":
    case "linkpath":
      into[key] = value;
      break;
    case "size":
    case "uid":
    case "gid":
      into[key] = Number(value);
      break;
    case "mtime":
      into.mtime = timeOf(value);
  }
}

/** "1700000000.123456789", exactly. */
function timeOf(text: string): Time {
  const [whole, fraction = ""] = text.split(".");
  const nsec = Number(fraction.padEnd(9, "0").slice(0, 9));
  const seconds = Number(whole);
  return whole.startsWith("-") && nsec > 0 ? { seconds: seconds - 1, nsec: 1e9 - nsec } : { seconds, nsec };
}

function readHeader(block: Uint8Array, offset: number, extras: Extras): Header {
  const text = (at: number, length: number): string => untilNul(latin1(block, at, at + length));
  const number = (at: number, length: number): number => numberAt(block, at, length, offset);
  const sum = number(148, 8);
  let real = 0;
  for (let i = 0; i < BLOCK; i++) real += i >= 148 && i < 156 ? 32 : block[i];
  if (sum !== real) throw bad("a header's checksum is wrong; is it a tar archive without compression?", offset);
  const isUstar = text(257, 6).startsWith("ustar");
  const isGnu = latin1(block, 257, 265) === "ustar  \0";
  const prefix = isUstar && !isGnu ? text(345, 155) : "";
  const type = block[156] === 0 ? "0" : String.fromCharCode(block[156]);
  const path = extras.path ?? (prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`);
  const hasData = !"123456".includes(type);
  return {
    type, path, linkpath: extras.linkpath ?? text(157, 100), mode: number(100, 8) & PERMISSIONS,
    uid: extras.uid ?? number(108, 8), gid: extras.gid ?? number(116, 8),
    size: hasData ? (extras.size ?? number(124, 12)) : 0,
    mtime: extras.mtime ?? { seconds: number(136, 12), nsec: 0 },
    major: isUstar ? number(329, 8) : 0, minor: isUstar ? number(337, 8) : 0,
  };
}

/** Octal digits, or GNU's binary form behind a set high bit. */
function numberAt(block: Uint8Array, at: number, length: number, offset: number): number {
  if (block[at] & 0x80) {
    let value = block[at] & 0x40 ? block[at] - 256 : block[at] & 0x3f;
    for (let i = 1; i < length; i++) value = value * 256 + block[at + i];
    if (!Number.isSafeInteger(value)) throw bad("a number is out of range", offset);
    return value;
  }
  const digits = untilNul(latin1(block, at, at + length)).trim();
  if (!/^[0-7]*$/.test(digits)) throw bad("a number is no number", offset);
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function addEntry(archive: SyncAccess, tree: Tree, header: Header, dataAt: number, offset: number): void {
  const parts = partsOf(header.path, offset);
  if (parts.length === 0) {
    if (header.type === "5") dress(tree.root, header);
    return;
  }
  const dir = parentOf(tree, parts, offset);
  const name = parts[parts.length - 1];
  const old = dir.entries!.get(name);
  if (old?.isDirectory && header.type === "5") return dress(old, header);
  const inode = header.type === "1" ? linkTarget(tree, header, offset) : nodeOf(archive, tree, header, dataAt, offset);
  if (old === inode) return;
  if (old?.isDirectory && old.entries!.size > 0) throw bad(`${header.path} is a directory and something else`, offset);
  link(tree, dir, name, inode);
  if (header.type !== "1") dress(inode, header);
}

function nodeOf(archive: SyncAccess, tree: Tree, header: Header, dataAt: number, offset: number): Inode {
  switch (header.type) {
    case "0":
    case "7": {
      const inode = tree.create(S_IF.regular);
      inode.content = new ReaderContent(header.size, (at, byteLength) => archive.read(dataAt + at, byteLength));
      return inode;
    }
    case "2": {
      const inode = tree.create(S_IF.symlink);
      inode.target = header.linkpath;
      return inode;
    }
    case "3": return device(tree, S_IF.character, header);
    case "4": return device(tree, S_IF.block, header);
    case "5": return tree.create(S_IF.directory);
    case "6": return tree.create(S_IF.fifo);
    default: throw bad(`entries of type "${header.type}" are not known`, offset);
  }
}

function device(tree: Tree, type: number, { major, minor }: Header): Inode {
  const inode = tree.create(type);
  inode.major = major;
  inode.minor = minor;
  return inode;
}

/** The file a hard link names, which comes before it. */
function linkTarget(tree: Tree, { linkpath, path }: Header, offset: number): Inode {
  let inode: Inode | undefined = tree.root;
  for (const part of partsOf(linkpath, offset)) inode = inode?.entries?.get(part);
  if (inode === undefined || inode.isDirectory) throw bad(`${path} links to ${linkpath}, which is not there`, offset);
  return inode;
}

/** Sets what the header says of an inode. */
function dress(inode: Inode, header: Header): void {
  inode.mode = inode.type | (inode.isSymlink ? 0o777 : header.mode);
  inode.uid = header.uid;
  inode.gid = header.gid;
  inode.mtime = inode.atime = inode.ctime = header.mtime;
}

/** The directory of an entry; directories that the archive leaves out are made. */
function parentOf(tree: Tree, parts: readonly string[], offset: number): Inode {
  let dir = tree.root;
  for (const part of parts.slice(0, -1)) {
    let next = dir.entries!.get(part);
    if (next === undefined) {
      next = tree.create(S_IF.directory | 0o755);
      link(tree, dir, part, next);
    }
    if (!next.isDirectory) throw bad(`${parts.join("/")} is below something that is no directory`, offset);
    dir = next;
  }
  return dir;
}

/** Gives an inode its name, in an older one's place, without changing the directory's time. */
function link(tree: Tree, dir: Inode, name: string, inode: Inode): void {
  const { mtime } = dir;
  if (dir.entries!.has(name)) tree.unlink(dir, name);
  tree.link(dir, name, inode);
  dir.mtime = mtime;
}

/** A path's names; "" and "." mean nothing, and ".." has no place in an archive. */
function partsOf(path: string, offset: number): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw bad(`${path} leads upwards`, offset);
  return parts;
}

function untilNul(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

function bad(what: string, offset: number): ProtocolError {
  return new ProtocolError("archive", `archive: ${what}`, 2, offset);
}

