/**
 * A directory of the browser's as Files: the page's private storage (OPFS), or a folder that the user chose. Works in
 * workers only.
 *
 * The File System API is asynchronous and keeps neither times nor modes nor symlinks. So the directory is read into a
 * tree before a run, contents left where they are; new contents grow in Blobs, which the browser keeps on disk; and
 * `settle` brings the directory to what the tree has become. What the API cannot keep is in a file of ours beside the
 * others, and counts as long as a file has the size and time that were noted with it.
 */
import { type FileContent, Inode, S_IF, TreeFiles } from "../src/binding.ts";
import { FileError, PartialError } from "../src/index.ts";
import { blobContent, BlobStore, contentBlob } from "./_blobfiles.ts";

/** Where attributes are kept, below the directory. Not part of the tree. */
const NOTES = ".wsync-attributes.json";
const NOTES_VERSION = 1;
/** Files written at a time. */
const WRITERS = 6;
const PERMISSIONS = 0o7777;
const EINVAL = 22;

/** What the browser says of a file. */
interface Stamp {
  readonly size: number;
  readonly lastModified: number;
}

/** What is noted of an entry: mode, owner, time, a symlink's target; and what the browser said of a file. */
interface Note extends Partial<Stamp> {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly nsec: number;
  readonly target?: string;
}

interface Notes {
  readonly version: number;
  readonly entries: Readonly<Record<string, Note>>;
}

/** An entry as it stands in the browser's directory: a file's content, or null for a directory. */
type Standing = FileContent | null;

/** See the head of this file. */
export class DirectoryFiles extends TreeFiles {
  private readonly top: FileSystemDirectoryHandle;
  /** What is in the browser's directory, by name below it. */
  private standing = new Map<string, Standing>();
  /** What the browser says of its files. */
  private readonly stamps = new Map<string, Stamp>();
  private failures: FileError[] = [];

  private constructor(top: FileSystemDirectoryHandle) {
    super(() => Date.now(), {}, new BlobStore());
    this.top = top;
  }

  /** Reads a directory. Rejects with the browser's error when it may not be read. */
  static async open(directory: FileSystemDirectoryHandle): Promise<DirectoryFiles> {
    const files = new DirectoryFiles(directory);
    await files.load();
    return files;
  }

  private async load(): Promise<void> {
    const notes = await readNotes(this.top);
    await this.loadDirectory(this.top, this.tree.root, "");
    for (const [path, note] of notes) if (note.target !== undefined) this.loadLink(path, note);
    // Only now, as making what is in a directory changed its time.
    for (const [path, note] of notes) {
      const inode = this.inodeAt(path);
      if (inode !== null && (inode.isDirectory || isSame(this.stamps.get(path), note))) apply(inode, note);
    }
  }

  private async loadDirectory(handle: FileSystemDirectoryHandle, dir: Inode, prefix: string): Promise<void> {
    for await (const child of handle.values()) {
      const name = nameOf(child.name);
      const path = prefix + name;
      if (path === NOTES) continue;
      if (child.kind === "directory") {
        const inode = this.tree.create(S_IF.directory | 0o755);
        this.tree.link(dir, name, inode);
        this.standing.set(path, null);
        await this.loadDirectory(child, inode, `${path}/`);
      } else {
        this.loadFile(dir, name, path, await child.getFile());
      }
    }
  }

  private loadFile(dir: Inode, name: string, path: string, file: File): void {
    const inode = this.tree.create(S_IF.regular | 0o644);
    inode.content = blobContent(file);
    this.tree.link(dir, name, inode);
    this.standing.set(path, inode.content);
    this.stamps.set(path, stampOf(file));
    inode.mtime = { seconds: Math.floor(file.lastModified / 1000), nsec: (file.lastModified % 1000) * 1e6 };
  }

  private loadLink(path: string, note: Note): void {
    const slash = path.lastIndexOf("/");
    const dir = slash < 0 ? this.tree.root : this.inodeAt(path.slice(0, slash));
    const name = path.slice(slash + 1);
    if (!dir?.isDirectory || dir.entries!.has(name)) return;
    const inode = this.tree.create(S_IF.symlink | 0o777);
    inode.target = note.target!;
    this.tree.link(dir, name, inode);
    apply(inode, note);
  }

  private inodeAt(path: string): Inode | null {
    const found = this.tree.find(this.tree.root, path === "" ? "/" : path, "never");
    return typeof found === "number" ? null : found.inode;
  }

  /** Brings the browser's directory to what the tree is. Rejects with PartialError for names that it does not take. */
  async settle(): Promise<void> {
    const wanted = new Map<string, Inode>();
    gather(this.tree.root, "", wanted);
    this.failures = [];
    await this.removeAll((path, standing) => {
      const inode = wanted.get(path);
      return inode !== undefined && inode.isDirectory !== (standing === null);
    });
    const all = [...wanted];
    const files = all.filter(([, inode]) => inode.content !== null);
    for (const [path, inode] of all) {
      if (inode.isDirectory) await this.attempt(path, () => this.makeDirectory(path));
    }
    // Contents that moved first: they are read from files that others may take the place of.
    const changed = files.filter(([path, inode]) => this.standing.get(path) !== inode.content);
    const moved = new Set(this.standing.values());
    await this.writeAll(changed.filter(([, inode]) => moved.has(inode.content)));
    await this.writeAll(changed.filter(([, inode]) => !moved.has(inode.content)));
    await this.removeAll((path) => wanted.get(path) === undefined || wanted.get(path)!.isSymlink);
    await this.note(wanted);
    const { failures } = this;
    if (failures.length === 0) return;
    throw new PartialError(`the browser did not store ${failures.length} of the entries`, 23, failures);
  }

  private async removeAll(leaves: (path: string, standing: Standing) => boolean): Promise<void> {
    // What is in a directory goes before it.
    const paths = [...this.standing].filter(([path, standing]) => leaves(path, standing)).map(([path]) => path);
    for (const path of paths.sort().reverse()) {
      await this.attempt(path, async () => {
        const { dir, name } = await this.parent(path);
        await dir.removeEntry(name, { recursive: true });
        this.standing.delete(path);
        this.stamps.delete(path);
      });
    }
  }

  private async makeDirectory(path: string): Promise<void> {
    if (this.standing.has(path)) return;
    const { dir, name } = await this.parent(path);
    await dir.getDirectoryHandle(name, { create: true });
    this.standing.set(path, null);
  }

  private async writeAll(files: readonly (readonly [string, Inode])[]): Promise<void> {
    const left = files.values();
    const work = async (): Promise<void> => {
      for (const [path, inode] of left) await this.attempt(path, () => this.writeFile(path, inode));
    };
    await Promise.all(Array.from({ length: WRITERS }, work));
  }

  private async writeFile(path: string, inode: Inode): Promise<void> {
    const { dir, name } = await this.parent(path);
    const handle = await dir.getFileHandle(name, { create: true });
    const out = await handle.createWritable();
    try {
      await out.write(contentBlob(inode.content!));
    } catch (error) {
      await out.abort().catch(() => {});
      throw error;
    }
    // Whoever looks at the file sees the old contents until here, and from here on the new ones.
    await out.close();
    const file = await handle.getFile();
    inode.content = blobContent(file);
    this.standing.set(path, inode.content);
    this.stamps.set(path, stampOf(file));
  }

  private async parent(path: string): Promise<{ dir: FileSystemDirectoryHandle; name: string }> {
    const parts = path.split("/").map(textOf);
    const name = parts.pop()!;
    let dir: FileSystemDirectoryHandle = this.top;
    for (const part of parts) dir = await dir.getDirectoryHandle(part);
    return { dir, name };
  }

  private async attempt(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.failures.push(new FileError(`${path}: ${reason}`, path, EINVAL));
    }
  }

  /** Writes down what the browser does not keep. */
  private async note(wanted: ReadonlyMap<string, Inode>): Promise<void> {
    const entries: Record<string, Note> = { "": noteOf(this.tree.root) };
    for (const [path, inode] of wanted) entries[path] = { ...noteOf(inode), ...this.stamps.get(path) };
    const handle = await this.top.getFileHandle(NOTES, { create: true });
    const out = await handle.createWritable();
    await out.write(JSON.stringify({ version: NOTES_VERSION, entries } satisfies Notes));
    await out.close();
  }
}

/** All entries that the browser or the notes can hold, by name. */
function gather(dir: Inode, prefix: string, into: Map<string, Inode>): void {
  for (const [name, inode] of dir.entries!) {
    if (!inode.isDirectory && !inode.isSymlink && inode.content === null) continue;
    into.set(prefix + name, inode);
    if (inode.isDirectory) gather(inode, `${prefix}${name}/`, into);
  }
}

async function readNotes(top: FileSystemDirectoryHandle): Promise<Map<string, Note>> {
  try {
    const file = await (await top.getFileHandle(NOTES)).getFile();
    const notes = JSON.parse(await file.text()) as Notes;
    return notes.version === NOTES_VERSION ? new Map(Object.entries(notes.entries)) : new Map();
  } catch {
    // None yet, or not ours: files then have the browser's times.
    return new Map();
  }
}

function stampOf({ size, lastModified }: File): Stamp {
  return { size, lastModified };
}

function isSame(stamp: Stamp | undefined, note: Note): boolean {
  return stamp !== undefined && stamp.size === note.size && stamp.lastModified === note.lastModified;
}

function noteOf(inode: Inode): Note {
  const { mode, uid, gid, mtime } = inode;
  const note = { mode: mode & PERMISSIONS, uid, gid, mtime: mtime.seconds, nsec: mtime.nsec };
  return inode.isSymlink ? { ...note, target: inode.target } : note;
}

function apply(inode: Inode, note: Note): void {
  inode.mode = inode.type | (note.mode & PERMISSIONS);
  inode.uid = note.uid;
  inode.gid = note.gid;
  inode.mtime = { seconds: note.mtime, nsec: note.nsec };
}

/** A name of the tree as the browser takes it. Throws for bytes that are no text. */
function textOf(name: string): string {
  const bytes = Uint8Array.from(name, (letter) => letter.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function nameOf(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}
