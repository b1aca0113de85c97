/**
 * Test trees: seeded ones to transfer, and a comparison by content and attributes.
 *
 * Names are latin1 strings (one code unit per byte), as in src/, so that any byte can be in a name. The same seed
 * always makes the same tree.
 */
import { createHash } from "node:crypto";
import {
  chmodSync, type BigIntStats, linkSync, lstatSync, lutimesSync, mkdirSync, openSync, closeSync,
  readFileSync, readdirSync, readlinkSync, symlinkSync, utimesSync, writeFileSync, writeSync,
} from "node:fs";

/** A small deterministic generator (mulberry32): numbers in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `byteLength` bytes from a generator. `variety` below 256 makes them compressible. */
function randomBytes(random: () => number, byteLength: number, variety = 256): Buffer {
  const bytes = Buffer.alloc(byteLength);
  for (let i = 0; i < byteLength; i++) bytes[i] = random() * variety;
  return bytes;
}

/** The path of a latin1 name as the bytes node:fs wants. */
function raw(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

/** Sizes around what rsync treats specially: empty, block, chunk and window edges. */
const edgeSizes: readonly number[] = [
  0, 1, 2, 63, 64, 699, 700, 701, 1399, 1400, 1401, 4095, 4096, 32767, 32768, 32769, 65536, 131072, 262143, 262145,
];

/** Names that break careless programs. Each is one path component. */
const oddNames: readonly string[] = [
  "-dash", "--delete", "with space", "tab\there", "new\nline", "back\\slash", "quote'\"", "*star?[x]", "#hash",
  "~tilde",
  "caf\xc3\xa9", "bad\xff\xfeutf8", "\x01control\x7f", "a:b", "$HOME", "x".repeat(255), ".hidden", "...",
];

const epoch = 1_500_000_000;

/** Makes the standard tree in `root` (made anew by the caller): every kind of entry an ordinary user can make. */
export function makeTree(root: string, seed = 1): void {
  const random = seeded(seed);
  mkdirSync(root, { recursive: true });
  for (const name of ["sizes", "odd", "deep", "deep/a", "deep/a/b", "deep/a/b/c", "links", "empty", "perms"]) {
    mkdirSync(`${root}/${name}`);
  }
  for (const size of edgeSizes) put(`${root}/sizes/f${size}`, randomBytes(random, size, size % 3 === 0 ? 4 : 256));
  for (const name of oddNames) put(`${root}/odd/${name}`, randomBytes(random, 10 + name.length));
  for (const dir of ["deep/a", "deep/a/b", "deep/a/b/c"]) {
    for (let i = 0; i < 4; i++) put(`${root}/${dir}/file${i}.txt`, randomBytes(random, 100 * i, 20));
  }
  makeLinks(root);
  sparse(`${root}/sizes/holes`, 300_000);
  for (const mode of [0o600, 0o644, 0o755, 0o444, 0o700, 0o666]) {
    put(`${root}/perms/m${mode.toString(8)}`, randomBytes(random, 50));
    chmodSync(`${root}/perms/m${mode.toString(8)}`, mode);
  }
  stampTree(root, random);
}

function makeLinks(root: string): void {
  put(`${root}/links/target`, Buffer.from("the target\n"));
  symlinkSync("target", `${root}/links/relative`);
  symlinkSync("no/such/thing", `${root}/links/dangling`);
  symlinkSync(raw("odd \xff target"), `${root}/links/odd`);
  symlinkSync("../deep", `${root}/links/dir`);
  linkSync(`${root}/links/target`, `${root}/links/hard1`);
  linkSync(`${root}/links/target`, `${root}/deep/a/hard2`);
}

/** Writes a file by its latin1 path. */
export function put(path: string, bytes: Uint8Array): void {
  writeFileSync(raw(path), bytes);
}

function sparse(path: string, byteLength: number): void {
  const fd = openSync(path, "w");
  writeSync(fd, "start", 0);
  writeSync(fd, "end", byteLength);
  closeSync(fd);
}

/** Gives every entry its own past time with odd nanoseconds, deepest first so that directories keep theirs. */
function stampTree(root: string, random: () => number): void {
  for (const path of walk(root).reverse()) {
    const at = epoch + Math.floor(random() * 1e8) + random();
    if (lstatSync(raw(`${root}/${path}`)).isSymbolicLink()) lutimesSync(raw(`${root}/${path}`), at, at);
    else utimesSync(raw(`${root}/${path}`), at, at);
  }
  utimesSync(root, epoch, epoch + 0.25);
}

/** All paths below a root, latin1, parents before children, in byte order. */
function walk(root: string, below = ""): string[] {
  const entries = readdirSync(raw(below === "" ? root : `${root}/${below}`),
    { withFileTypes: true, encoding: "buffer" });
  const names = entries.map((entry) => ({ name: entry.name.toString("latin1"), isDir: entry.isDirectory() }));
  names.sort((a, b) => (a.name < b.name ? -1 : 1));
  return names.flatMap(({ name, isDir }) => {
    const path = below === "" ? name : `${below}/${name}`;
    return isDir ? [path, ...walk(root, path)] : [path];
  });
}

/**
 * Turns a copy of a seeded tree into an out-of-date destination: edited, shortened, grown, missing, stale-timed and
 * extra entries, so that one transfer meets every case.
 */
export function age(root: string, seed = 2): void {
  const random = seeded(seed);
  for (const path of walk(root)) {
    const full = `${root}/${path}`;
    const stat = lstatSync(raw(full));
    if (!stat.isFile() || stat.nlink > 1) continue;
    if (random() < 0.4) edit(full, random);
    else if (random() < 0.2) utimesSync(raw(full), 1, 1);
  }
  put(`${root}/deep/extra`, Buffer.from("not in the source"));
  mkdirSync(`${root}/zz-extra-dir`, { recursive: true });
  put(`${root}/zz-extra-dir/inner`, Buffer.from("not in the source"));
}

function edit(full: string, random: () => number): void {
  const old = readFileSync(raw(full));
  const at = Math.floor(random() * old.length);
  const insert = randomBytes(random, 1 + Math.floor(random() * 50));
  const kind = Math.floor(random() * 3);
  const cut = kind === 0 ? at : kind === 1 ? at + insert.length : old.length;
  chmodSync(raw(full), 0o644);
  put(full, Buffer.concat([old.subarray(0, at), insert, old.subarray(cut)]));
  utimesSync(raw(full), epoch - 1000, epoch - 1000);
}

/** What `compare` looks at besides kind, content and link target. */
export interface CompareOptions {
  readonly perms?: boolean;
  readonly owner?: boolean;
  /** "ns", "s" (whole seconds) or "none". */
  readonly times?: "ns" | "s" | "none";
  readonly hardLinks?: boolean;
  readonly linkTimes?: boolean;
}

const everything: Required<CompareOptions> =
  { perms: true, owner: true, times: "ns", hardLinks: false, linkTimes: true };

/** Describes each entry of a tree as one comparable line by path. The root itself is "". */
export function describeTree(root: string, options: CompareOptions = {}): Map<string, string> {
  const wanted = { ...everything, ...options };
  const firstPath = new Map<string, string>();
  const lines = new Map<string, string>();
  for (const path of ["", ...walk(root)]) lines.set(path, describeEntry(root, path, wanted, firstPath));
  return lines;
}

function describeEntry(root: string, path: string, o: Required<CompareOptions>, first: Map<string, string>): string {
  const full = path === "" ? root : `${root}/${path}`;
  const stat = lstatSync(raw(full), { bigint: true });
  const parts = [kindOf(stat)];
  if (o.perms && !stat.isSymbolicLink()) parts.push((Number(stat.mode) & 0o7777).toString(8));
  if (o.owner) parts.push(`${stat.uid}:${stat.gid}`);
  if (o.times !== "none" && (o.linkTimes || !stat.isSymbolicLink())) {
    parts.push(o.times === "ns" ? `${stat.mtimeNs}` : `${stat.mtimeNs / 1_000_000_000n}`);
  }
  if (stat.isSymbolicLink()) parts.push(`-> ${readlinkSync(raw(full), "latin1")}`);
  if (stat.isFile()) parts.push(`${stat.size}`, createHash("sha1").update(readFileSync(raw(full))).digest("hex"));
  if (stat.isBlockDevice() || stat.isCharacterDevice()) parts.push(`rdev ${stat.rdev}`);
  if (o.hardLinks && stat.nlink > 1n && !stat.isDirectory()) {
    const key = `${stat.dev}:${stat.ino}`;
    if (!first.has(key)) first.set(key, path);
    parts.push(`linked to ${first.get(key)}`);
  }
  return parts.join(" ");
}

function kindOf(stat: BigIntStats): string {
  if (stat.isDirectory()) return "dir";
  if (stat.isFile()) return "file";
  if (stat.isSymbolicLink()) return "link";
  if (stat.isFIFO()) return "fifo";
  if (stat.isSocket()) return "socket";
  return stat.isBlockDevice() ? "block" : "char";
}

/** Differences between two trees as printable lines; empty when they are alike. */
export function compare(expected: Map<string, string>, actual: Map<string, string>): string[] {
  const lines: string[] = [];
  for (const [path, text] of expected) {
    const other = actual.get(path);
    if (other === undefined) lines.push(`missing ${JSON.stringify(path)}: ${text}`);
    else if (other !== text) lines.push(`differs ${JSON.stringify(path)}: expected ${text}, found ${other}`);
  }
  for (const path of actual.keys()) if (!expected.has(path)) lines.push(`extra ${JSON.stringify(path)}`);
  return lines;
}
