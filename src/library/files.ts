/**
 * File systems other than the disk's, for `sync`: in memory, and in a tar archive.
 */
import { UsageError } from "../errors.ts";
import { bytesOf, type LinearMemory, nameOfText } from "../memory.ts";
import { constantsFor } from "../posix/constants.ts";
import { type ContentStore, type FileContent } from "../posix/content.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type Inode, S_IF } from "../posix/inode.ts";
import { readTar, type SyncAccess } from "../posix/tar.ts";
import { Tree } from "../posix/tree.ts";
import { TreeFileSystem, type TreeSettings } from "../posix/treefs.ts";

export type { SyncAccess } from "../posix/tar.ts";

const { E } = constantsFor("linux", "x64");

/** A file system that `sync` may work on in the disk's place. */
export interface Files {
  /** Opens it over the linear memory of one run. */
  open(memory: LinearMemory): FileSystem;
  /** Called after a run: brings what has changed to where it is kept. */
  settle?(): Promise<void>;
}

/** A place in such a file system: where `sync` reads from or writes to. */
export interface FilesPlace {
  readonly files: Files;
  /** A path in it; a slash at the end of a source means its contents. Left out: "/". */
  readonly path?: string;
}

/** Attributes of a file that is written to memory. */
export interface WriteOptions {
  /** Permissions; left out: 0o644. */
  readonly mode?: number;
  /** Modification time in seconds since the epoch; left out: now. */
  readonly mtime?: number;
}

/** An entry of a listing. */
export interface Entry {
  /** Path from the top, without a leading slash. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly byteLength: number;
  /** Permission bits. */
  readonly mode: number;
  /** Seconds since the epoch, with fraction. */
  readonly mtime: number;
  /** Of a symlink, else null. */
  readonly target: string | null;
}

/** A tree of inodes as Files, and ways to look into it without a transfer. */
export class TreeFiles implements Files {
  protected readonly tree: Tree;
  private readonly settings: TreeSettings;

  /** `store` is where new contents go; memory unless told. */
  constructor(clock: () => number, settings: TreeSettings = {}, store?: ContentStore) {
    this.settings = settings;
    this.tree = new Tree(E, clock, store);
  }

  open(memory: LinearMemory): FileSystem {
    return new TreeFileSystem(memory, this.tree, this.settings);
  }

  /** A file's bytes. Throws UsageError when there is no such file. */
  read(path: string): Uint8Array {
    const content = this.contentOf(path);
    if (content === null) throw new UsageError(`no such file: ${path}`);
    const bytes = new Uint8Array(content.byteLength);
    for (let at = 0; at < bytes.length; ) {
      const count = content.read(at, bytes.subarray(at));
      if (count === 0) break;
      at += count;
    }
    return bytes;
  }

  /** A file's content, null where there is no file. */
  protected contentOf(path: string): FileContent | null {
    const found = this.tree.find(this.tree.root, nameOfText(path), "yes");
    return typeof found === "number" ? null : (found.inode?.content ?? null);
  }

  /** Gives contents a name, in place of what had it, and makes the directories above it where they are missing. */
  protected put(path: string, content: FileContent, options: WriteOptions): Inode {
    const { tree } = this;
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw new UsageError(`not a file's path: ${path}`);
    const dir = this.directory(parts, path);
    const old = dir.entries!.get(name);
    if (old?.isDirectory) throw new UsageError(`${path} is a directory`);
    if (old !== undefined) tree.unlink(dir, name);
    const inode = tree.create(S_IF.regular | ((options.mode ?? 0o644) & 0o7777));
    inode.content = content;
    tree.link(dir, name, inode);
    if (options.mtime !== undefined) inode.mtime = timeOf(options.mtime);
    return inode;
  }

  /** The directory of that path, made where it is missing. */
  protected directory(parts: readonly string[], path: string): Inode {
    let dir = this.tree.root;
    for (const part of parts) {
      let next = dir.entries!.get(part);
      if (next === undefined) {
        next = this.tree.create(S_IF.directory | 0o755);
        this.tree.link(dir, part, next);
      }
      if (!next.isDirectory) throw new UsageError(`${path} is below something that is no directory`);
      dir = next;
    }
    return dir;
  }

  /** Everything there is, directories before what they hold, in the order of names. */
  list(): Entry[] {
    const entries: Entry[] = [];
    const walk = (dir: Inode, prefix: string): void => {
      for (const name of [...dir.entries!.keys()].sort()) {
        const inode = dir.entries!.get(name)!;
        entries.push(entryOf(prefix + name, inode));
        if (inode.isDirectory) walk(inode, `${prefix}${name}/`);
      }
    };
    walk(this.tree.root, "");
    return entries;
  }
}

/** Files in memory. Owners, devices, hard links and exact times are kept, whoever runs the program. */
export class MemoryFiles extends TreeFiles {
  constructor() {
    super(() => Date.now());
  }

  /** Writes a file, and the directories above it where they are missing. Text is written in UTF-8. */
  write(path: string, contents: Uint8Array | string, options: WriteOptions = {}): void {
    const content = this.tree.newContent();
    content.write(0, typeof contents === "string" ? new TextEncoder().encode(contents) : contents);
    this.put(path, content, options);
  }

  /** Makes a directory, and those above it. */
  makeDirectory(path: string): void {
    this.directory(partsOf(path), path);
  }
}

/**
 * The files of a tar archive (ustar, GNU, pax; not compressed), to be read only. Contents stay in the archive: a large
 * one is given as an object that reads from it. Throws ProtocolError where the archive makes no sense.
 */
export class TarFiles extends TreeFiles {
  constructor(archive: Uint8Array | SyncAccess) {
    super(() => 0, { readOnly: true });
    readTar(archive instanceof Uint8Array ? ofBytes(archive) : archive, this.tree);
  }
}

function ofBytes(bytes: Uint8Array): SyncAccess {
  return { byteLength: bytes.length, read: (offset, byteLength) => bytes.subarray(offset, offset + byteLength) };
}

function entryOf(path: string, inode: Inode): Entry {
  const kinds: Record<number, Entry["kind"]> = {
    [S_IF.regular]: "file", [S_IF.directory]: "directory", [S_IF.symlink]: "symlink",
  };
  return {
    path: textOf(path), kind: kinds[inode.type] ?? "other", byteLength: inode.byteLength, mode: inode.mode & 0o7777,
    mtime: inode.mtime.seconds + inode.mtime.nsec / 1e9, target: inode.isSymlink ? textOf(inode.target) : null,
  };
}

function textOf(name: string): string {
  return new TextDecoder().decode(bytesOf(name));
}

function partsOf(path: string): string[] {
  return nameOfText(path).split("/").filter((part) => part !== "" && part !== ".");
}

function timeOf(seconds: number): { seconds: number; nsec: number } {
  const whole = Math.floor(seconds);
  return { seconds: whole, nsec: Math.round((seconds - whole) * 1e9) };
}

