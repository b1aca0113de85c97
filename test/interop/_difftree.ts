/**
 * Random trees for the differential test: a source, an outdated destination that was made from it, and two more such
 * trees for --link-dest and its kin. A seed always makes the same trees, times and owners included, so that they can be
 * made anew for each program instead of being copied.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync, closeSync, ftruncateSync, lchownSync, linkSync, lutimesSync, mkdirSync, openSync, symlinkSync, writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { Dice } from "./_dice.ts";
import { type Extra, makeNode, oddNames, putExtras, randomExtras } from "./_diffextras.ts";

/** A file's contents: `size` bytes of an endless random text, with a change in it and zeros in place of some blocks. */
interface Content {
  readonly text: number;
  readonly size: number;
  readonly change: { readonly at: number; readonly inserted: number; readonly dropped: number } | null;
  readonly hollow: boolean;
}

interface Entry {
  readonly kind: "dir" | "file" | "symlink" | "fifo" | "device" | "socket" | "hardlink";
  readonly content?: Content;
  /** A symlink's target, or the path a hard link shares its inode with. */
  readonly target?: string;
  readonly mode: number;
  readonly mtime: number;
  readonly atime: number;
  readonly uid: number;
  readonly gid: number;
  /** In rich trees: nanoseconds of the time, ACLs and extended attributes. */
  readonly mtimeNsec?: number;
  readonly extras?: readonly Extra[];
}

type Tree = Map<string, Entry>;

/** Who runs the programs, and so who owns most of the files. */
export interface World {
  readonly root: boolean;
  readonly uid: number;
  /** The trees have odd names, sockets, ACLs, extended attributes and nanoseconds, too. */
  readonly rich: boolean;
  /** Hard links are kept: without that, what becomes of names of one inode depends on who comes first. */
  readonly links: boolean;
}

const SIZES = [0, 0, 1, 10, 699, 700, 701, 1500, 4096, 5000, 20_000, 70_000, 140_000] as const;
const FILE_MODES = [
  0o644, 0o644, 0o644, 0o600, 0o755, 0o700, 0o444, 0o640, 0o666, 0o4755, 0o2755, 0o200, 0o000,
] as const;
const DIR_MODES = [0o755, 0o755, 0o755, 0o700, 0o775, 0o555, 0o2755, 0o1777, 0o500] as const;
const DIRS = ["d0", "d1", "d0/s0", "d0/s1", "d1/s0", "d0/s0/t", "e"] as const;
const NAMES = [
  "f0", "f1", "f2", "f3", "f2.bak", "data-1.tar", "data-2.tar", "data-2.tar.gz", "sp ace", ".hidden", "x",
] as const;
const TARGETS = ["f0", "f1", "../f0", "nowhere", "/etc/passwd", "../../up", "d0", "s0", ".", "../d1/f2"] as const;
/** Well before and well after now, so that times of the run itself can be told apart. */
const EPOCH = 1_300_000_000;

function newMtime(dice: Dice): number {
  const kind = dice.below(20);
  if (kind === 0) return -86_400 * (1 + dice.below(1000));
  if (kind === 1) return 5_000_000_000 + dice.below(1000);
  if (kind === 2) return 0;
  return EPOCH + dice.below(40) * 1000 + (dice.chance(60) ? Math.floor(dice.next() * 1000) / 1000 : 0);
}

type Attributes = Omit<Entry, "kind" | "content" | "target">;

function attributes(dice: Dice, world: World, isDir: boolean): Attributes {
  const other = world.root && dice.chance(20);
  return {
    mode: isDir ? dice.pick(DIR_MODES) : dice.pick(FILE_MODES), mtime: newMtime(dice), atime: EPOCH - dice.below(9999),
    uid: other ? dice.pick([0, 1, 1234]) : world.uid, gid: other ? dice.pick([0, 1, 1234]) : world.uid,
    ...(world.rich ? { mtimeNsec: dice.below(1e9), extras: randomExtras(dice, isDir) } : {}),
  };
}

function newContent(dice: Dice): Content {
  return { text: dice.below(8), size: dice.pick(SIZES), change: null, hollow: dice.chance(15) };
}

function newEntry(dice: Dice, world: World, links: readonly string[]): Entry {
  const kind = dice.below(100);
  if (kind < 12) return { kind: "symlink", target: dice.pick(TARGETS), ...attributes(dice, world, false) };
  if (kind < 22 && links.length > 0) {
    return { kind: "hardlink", target: dice.pick(links), ...attributes(dice, world, false) };
  }
  if (kind < 25) return { kind: "fifo", ...attributes(dice, world, false) };
  if (world.rich && kind >= 97) return { kind: "socket", ...attributes(dice, world, false) };
  if (kind < 28 && world.root) return { kind: "device", ...attributes(dice, world, false) };
  return { kind: "file", content: newContent(dice), ...attributes(dice, world, false) };
}

/** A source tree. */
function sourceTree(dice: Dice, world: World): Tree {
  const tree: Tree = new Map();
  tree.set("", { kind: "dir", ...attributes(dice, world, true), mode: 0o755 });
  for (const dir of DIRS) {
    const parent = dirname(dir) === "." ? "" : dirname(dir);
    if (tree.has(parent) && dice.chance(75)) tree.set(dir, { kind: "dir", ...attributes(dice, world, true) });
  }
  const files: string[] = [];
  const names = world.rich ? [...NAMES, ...oddNames] : NAMES;
  const dirs = [...tree.keys()];
  for (const dir of dirs) {
    for (let count = dice.below(6); count > 0; count--) {
      const path = dir === "" ? dice.pick(names) : `${dir}/${dice.pick(names)}`;
      if (tree.has(path)) continue;
      tree.set(path, newEntry(dice, world, files));
      if (["file", "symlink", "fifo"].includes(tree.get(path)!.kind)) files.push(path);
    }
  }
  return tree;
}

/** A tree as it may have been, or have become, at another place. */
function outdated(dice: Dice, world: World, source: Tree): Tree {
  const tree: Tree = new Map();
  for (const [path, entry] of source) {
    if (path === "") {
      tree.set("", { ...entry, mode: 0o755 });
      continue;
    }
    const parent = dirname(path) === "." ? "" : dirname(path);
    if (tree.get(parent)?.kind !== "dir") continue;
    const made = altered(dice, world, entry, tree);
    if (made) tree.set(path, made);
  }
  const dirs = [...tree].filter(([, { kind }]) => kind === "dir").map(([path]) => path);
  for (const dir of dirs) leftovers(dice, world, tree, dir);
  return tree;
}

function altered(dice: Dice, world: World, entry: Entry, tree: Tree): Entry | null {
  const torn = world.rich && !world.links;
  const lost = entry.kind === "hardlink" && (torn || tree.get(entry.target!)?.kind !== "file");
  if (lost) return dice.chance(50) ? null : plain(dice, world);
  const kind = dice.below(100);
  if (kind < 40) return entry;
  if (kind < 52) return null;
  if (kind < 58) return entry.kind === "dir" ? plain(dice, world) : otherKind(dice, world);
  if (kind < 64) return { ...entry, mode: attributes(dice, world, entry.kind === "dir").mode };
  if (kind < 70) return { ...entry, mtime: newMtime(dice) };
  if (kind < 74) return { ...entry, ...attributes(dice, world, entry.kind === "dir") };
  if (world.rich && kind < 80) return { ...entry, extras: randomExtras(dice, entry.kind === "dir") };
  if (entry.kind === "symlink") return { ...entry, target: dice.pick(TARGETS) };
  if (entry.kind !== "file") return entry.kind === "hardlink" ? plain(dice, world) : entry;
  return { ...entry, content: changed(dice, entry.content!), mtime: dice.chance(80) ? newMtime(dice) : entry.mtime };
}

function plain(dice: Dice, world: World): Entry {
  return { kind: "file", content: newContent(dice), ...attributes(dice, world, false) };
}

function otherKind(dice: Dice, world: World): Entry {
  if (dice.chance(50)) return { kind: "dir", ...attributes(dice, world, true) };
  return newEntry(dice, world, []);
}

function changed(dice: Dice, content: Content): Content {
  const at = dice.below(content.size + 1);
  if (dice.chance(40)) return { ...content, size: at };
  const inserted = dice.chance(50) ? dice.below(900) : 0;
  return { ...content, change: { at, inserted, dropped: dice.chance(50) ? inserted : dice.below(900) } };
}

/** What only the destination has: leftovers, backups, pieces of interrupted transfers. */
function leftovers(dice: Dice, world: World, tree: Tree, dir: string): void {
  const join = (name: string): string => (dir === "" ? name : `${dir}/${name}`);
  const put = (path: string, entry: Entry): void => {
    if (!tree.has(path)) tree.set(path, entry);
  };
  if (dice.chance(40)) put(join(`${dice.pick(NAMES)}${dice.pick(["", "~", ".old"])}`), newEntry(dice, world, []));
  if (dice.chance(12)) {
    put(join("gone"), { kind: "dir", ...attributes(dice, world, true) });
    if (tree.get(join("gone"))?.kind === "dir") put(join("gone/in"), plain(dice, world));
  }
  for (const pieces of [".p", ".~tmp~"]) {
    if (!dice.chance(10)) continue;
    put(join(pieces), { kind: "dir", ...attributes(dice, world, true), mode: 0o700 });
    if (tree.get(join(pieces))?.kind === "dir") put(join(`${pieces}/${dice.pick(NAMES)}`), plain(dice, world));
  }
}

const texts = new Map<number, Buffer>();

/** The beginning of an endless text. */
function textOf(number: number): Buffer {
  let bytes = texts.get(number);
  if (!bytes) {
    const dice = new Dice(number + 1000);
    bytes = Buffer.from(Uint8Array.from({ length: 150_000 }, () => dice.below(256)));
    texts.set(number, bytes);
  }
  return bytes;
}

function bytesOf({ text, size, change, hollow }: Content): Buffer {
  let bytes = Buffer.from(textOf(text).subarray(0, size));
  if (hollow) for (let at = 1000; at < size; at += 12_000) bytes.fill(0, at, Math.min(size, at + 9000));
  if (change) {
    const extra = textOf(text + 50).subarray(0, change.inserted);
    bytes = Buffer.concat([bytes.subarray(0, change.at), extra, bytes.subarray(change.at + change.dropped)]);
  }
  return bytes;
}

function writeFile(path: Buffer, content: Content): void {
  const bytes = bytesOf(content);
  const fd = openSync(path, "w");
  if (content.hollow) ftruncateSync(fd, bytes.length);
  for (let at = 0; at < bytes.length; at += 1000) {
    const part = bytes.subarray(at, at + 1000);
    if (!content.hollow || part.some((byte) => byte !== 0)) writeSync(fd, part, 0, part.length, at);
  }
  closeSync(fd);
}

function make(top: string, tree: Tree, rich: boolean): void {
  const fifos: string[] = [];
  for (const [path, entry] of tree) {
    const full = path === "" ? top : `${top}/${path}`;
    const raw = Buffer.from(full, "latin1");
    if (entry.kind === "dir") mkdirSync(raw);
    else if (entry.kind === "file") writeFile(raw, entry.content!);
    else if (entry.kind === "symlink") symlinkSync(entry.target!, raw);
    else if (rich && entry.kind !== "hardlink") makeNode(full, entry.kind, 3 + (path.length % 3));
    else if (entry.kind === "fifo") fifos.push(full);
    else if (entry.kind === "device") execFileSync("mknod", [full, "c", "1", String(3 + (path.length % 3))]);
  }
  if (fifos.length > 0) execFileSync("mkfifo", fifos);
  for (const [path, { kind, target }] of tree) {
    const [from, to] = [target, path].map((name) => Buffer.from(`${top}/${name}`, "latin1"));
    if (kind === "hardlink") linkSync(from, to);
  }
  for (const [path, entry] of [...tree].reverse()) stamp(path === "" ? top : `${top}/${path}`, entry);
}

/** Owner first, which clears set-id bits; the time of a directory after those of its contents. */
function stamp(full: string, { kind, uid, gid, mode, atime, mtime, mtimeNsec, extras }: Entry): void {
  if (kind === "hardlink") return;
  const raw = Buffer.from(full, "latin1");
  if (process.getuid?.() === 0) lchownSync(raw, uid, gid);
  if (kind !== "symlink") chmodSync(raw, mode);
  if (mtimeNsec === undefined) lutimesSync(raw, new Date(atime * 1000), new Date(mtime * 1000));
  else putExtras(full, extras ?? [], atime, Math.floor(mtime), mtimeNsec);
}

/** Makes src, dst, alt1, alt2 and an empty tmp in an empty folder. */
export function makeWorld(top: string, seed: number, world: World): void {
  const dice = new Dice(seed);
  const source = sourceTree(dice, world);
  make(`${top}/src`, source, world.rich);
  for (const name of ["dst", "alt1", "alt2"]) make(`${top}/${name}`, outdated(dice, world, source), world.rich);
  mkdirSync(`${top}/tmp`);
  chmodSync(`${top}/tmp`, 0o777);
}
