/**
 * A tree of inodes and the ways through it: names, "..", symlinks, as a Unix kernel resolves them. Results are inodes
 * or -errno.
 */
import { type ContentStore, type FileContent, MEMORY_STORE } from "./content.ts";
import { Inode, S_IF, type Time } from "./inode.ts";

const MAX_LINKS = 40;
const NAME_MAX = 255;
const PATH_MAX = 4096;

/** Where a name is, or would be: its directory, the name itself, and what is there. */
export interface Found {
  readonly dir: Inode;
  /** "" for the directory itself (paths that end in "." or "..", and "/"). */
  readonly name: string;
  /** The path's last part as it stands there: ".", "..", "/" or the name. */
  readonly last: string;
  readonly inode: Inode | null;
  /** The path ended with a slash: only a directory will do. */
  readonly wantsDirectory: boolean;
}

/** Whether a final symlink is followed: yes, only where a slash stands behind it, or never (names to be changed). */
export type Follow = "yes" | "slash" | "never";

interface Errors {
  readonly ENOENT: number;
  readonly ENOTDIR: number;
  readonly ELOOP: number;
  readonly ENAMETOOLONG: number;
}

/** The inodes below one root. */
export class Tree {
  readonly root: Inode;
  private readonly E: Errors;
  private readonly clock: () => number;
  private readonly store: ContentStore;
  private nextIno = 2;

  /** `clock` gives milliseconds since the epoch; `store` is where new contents go. */
  constructor(E: Readonly<Record<string, number>>, clock: () => number, store: ContentStore = MEMORY_STORE) {
    this.E = E as unknown as Errors;
    this.clock = clock;
    this.store = store;
    this.root = this.create(S_IF.directory | 0o755);
    this.root.parent = this.root;
    this.root.nlink = 2;
  }

  now(): Time {
    const ms = this.clock();
    const seconds = Math.floor(ms / 1000);
    return { seconds, nsec: Math.floor((ms - seconds * 1000) * 1e6) };
  }

  /** Empty content for a new file. */
  newContent(): FileContent {
    return this.store.create();
  }

  /** A new inode without a name. */
  create(mode: number): Inode {
    return new Inode(this.nextIno++, mode, this.now());
  }

  /** Gives an inode a name in a directory. The caller has seen that the name is free. */
  link(dir: Inode, name: string, inode: Inode): void {
    dir.entries!.set(name, inode);
    inode.nlink++;
    if (inode.isDirectory) {
      inode.parent = dir;
      // Its own ".", and its ".." in the directory above.
      inode.nlink++;
      dir.nlink++;
    }
    this.touch(dir);
    inode.ctime = dir.mtime;
  }

  /** Takes a name away. */
  unlink(dir: Inode, name: string): void {
    const inode = dir.entries!.get(name)!;
    dir.entries!.delete(name);
    inode.nlink--;
    if (inode.isDirectory) {
      inode.nlink--;
      dir.nlink--;
    }
    this.touch(dir);
    inode.ctime = dir.mtime;
    inode.forgotten();
  }

  /** The contents of a directory or file have changed. */
  touch(inode: Inode): void {
    inode.mtime = inode.ctime = this.now();
  }

  /** Resolves a path. */
  find(from: Inode, path: string, follow: Follow): Found | number {
    if (path === "") return -this.E.ENOENT;
    if (path.length >= PATH_MAX) return -this.E.ENAMETOOLONG;
    let links = MAX_LINKS;
    let dir = path.startsWith("/") ? this.root : from;
    const pending = path.split("/").filter((part) => part !== "").reverse();
    let wantsDirectory = path.endsWith("/");
    if (pending.length === 0) return here(this.root, "/");
    for (;;) {
      const part = pending.pop()!;
      const last = pending.length === 0;
      if (!dir.isDirectory) return -this.E.ENOTDIR;
      if (part.length > NAME_MAX) return -this.E.ENAMETOOLONG;
      if (part === "." || part === "..") {
        if (part === "..") dir = dir.parent!;
        if (last) return here(dir, part);
        continue;
      }
      const inode = dir.entries!.get(part) ?? null;
      if (inode?.isSymlink && (!last || follow === "yes" || (follow === "slash" && wantsDirectory))) {
        if (--links < 0) return -this.E.ELOOP;
        if (inode.target.startsWith("/")) dir = this.root;
        const parts = inode.target.split("/").filter((one) => one !== "");
        if (last && inode.target.endsWith("/")) wantsDirectory = true;
        if (parts.length === 0 && last) return here(dir, "/");
        pending.push(...parts.reverse());
        continue;
      }
      if (last) return { dir, name: part, last: part, inode, wantsDirectory };
      if (inode === null) return -this.E.ENOENT;
      dir = inode;
    }
  }

  /** Whether `inode` is `dir` or stands above it. */
  isAbove(inode: Inode, dir: Inode): boolean {
    for (let at = dir; ; at = at.parent!) {
      if (at === inode) return true;
      if (at === at.parent) return false;
    }
  }
}

/** A directory that was reached without a name. */
function here(dir: Inode, last: string): Found {
  return { dir, name: "", last, inode: dir, wantsDirectory: true };
}
