/**
 * The watches of a tool: which path each descriptor stands for, recursion into directories, renames. Names follow
 * inotify-tools: a directory's ends in a slash, a path is as it was given, children are watched before their parents.
 */
import { IN, type Inotify } from "../../posix/inotify.ts";
import { type FileSystem, newStat } from "../../posix/filesystem.ts";
import { type ToolIo } from "./io.ts";

const MODE_TYPE = 0o170000;
const MODE_DIRECTORY = 0o040000;
const DT_UNKNOWN = 0;
const DT_DIR = 4;

/** One watch, with the events counted on it (by bit number). */
export interface Watch {
  readonly wd: number;
  name: string;
  readonly hits: Uint32Array;
  total: number;
  /** Its directory was moved out of sight: its events count, but it has no row. */
  left?: boolean;
}

const EVENT_BITS = 32;

/** All watches of a run. */
export class WatchSet {
  /** Every watch there was, in order of their descriptors' first use, those of ended ones too. */
  readonly all: Watch[] = [];
  private readonly io: ToolIo;
  private readonly notify: Inotify;
  private readonly mask: number;
  private readonly byWd = new Map<number, Watch>();
  private readonly byName = new Map<string, Watch>();

  /** `mask`: what each watch listens for. */
  constructor(io: ToolIo, notify: Inotify, mask: number) {
    this.io = io;
    this.notify = notify;
    this.mask = mask;
  }

  get size(): number {
    return this.byName.size;
  }

  /** The watched path of a descriptor, "" when it is not known (any more). */
  nameOf(wd: number): string {
    return this.byWd.get(wd)?.name ?? "";
  }

  watchOf(wd: number): Watch | undefined {
    return this.byWd.get(wd);
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** Watches one path. 0, or -errno. */
  add(path: string): number {
    const wd = this.notify.add(path, this.mask);
    if (wd < 0) return wd;
    const name = !path.endsWith("/") && this.io.isDir(path) ? `${path}/` : path;
    const known = this.byWd.get(wd);
    const watch = known ?? { wd, name, hits: new Uint32Array(EVENT_BITS), total: 0 };
    if (known === undefined) {
      this.byWd.set(wd, watch);
      this.all.push(watch);
    }
    if (!this.byName.has(name)) this.byName.set(name, watch);
    return 0;
  }

  /** Watches a path and the directories below it. 0, or -errno of the first that failed for good. */
  addTree(path: string, exclude: readonly string[]): number {
    const found = treeOf(this.io, path, exclude);
    return typeof found === "number" ? found : this.addAll(found);
  }

  /** Watches several paths; those that vanish or may not be read on the way are passed over, except the last. */
  addAll(paths: readonly string[]): number {
    for (const [i, path] of paths.entries()) {
      const error = this.add(path);
      if (error < 0 && (i === paths.length - 1 || !isPassable(this.io.fs, -error))) return error;
    }
    return 0;
  }

  /** Ends the watch of a path that has left, if there is one: it is in no table either. 0, or -errno. */
  remove(name: string): number {
    const watch = this.byName.get(name);
    if (watch === undefined) return 0;
    const error = this.notify.remove(watch.wd);
    this.forget(watch.wd);
    watch.left = true;
    return error;
  }

  /** The kernel has ended a watch. */
  forget(wd: number): void {
    const watch = this.byWd.get(wd);
    if (watch === undefined) return;
    this.byWd.delete(wd);
    if (this.byName.get(watch.name) === watch) this.byName.delete(watch.name);
  }

  /** A directory has got another name: so have all watches below it. */
  rename(from: string, to: string): void {
    const moved = [...this.byName.values()].filter(({ name }) => name.startsWith(from));
    for (const watch of moved) {
      if (this.byName.get(watch.name) === watch) this.byName.delete(watch.name);
      watch.name = to + watch.name.slice(from.length);
      this.byName.set(watch.name, watch);
    }
  }

  /** Counts an event on its watch. */
  count(wd: number, mask: number): void {
    const watch = this.byWd.get(wd);
    if (watch === undefined) return;
    watch.total++;
    for (let bit = 0; bit < EVENT_BITS; bit++) if ((mask >>> bit) & 1) watch.hits[bit]++;
  }
}

/**
 * The directories of a recursive watch in the order they are watched in, or -errno. What is no directory stands for
 * itself. `exclude`: directories to leave out, with or without a slash at the end.
 */
export function treeOf(io: ToolIo, path: string, exclude: readonly string[]): string[] | number {
  const found: string[] = [];
  const error = walk(io.fs, path, new Set(exclude.map(withSlash)), found);
  return error < 0 ? error : found;
}

/** Errors that leave out one directory and no more. */
function isPassable({ constants: { E } }: FileSystem, errno: number): boolean {
  return errno === E.EACCES || errno === E.ENOENT || errno === E.ELOOP;
}

/** Appends the directories below `path`, then itself. 0, or -errno. */
function walk(fs: FileSystem, path: string, exclude: ReadonlySet<string>, found: string[]): number {
  const { O, AT, E } = fs.constants;
  const fd = fs.openat(AT.FDCWD, fs.cstr(path), O.RDONLY | O.DIRECTORY | O.NONBLOCK | O.CLOEXEC, 0);
  if (fd === -E.ENOTDIR) {
    found.push(path);
    return 0;
  }
  if (fd < 0) return fd;
  const base = withSlash(path);
  let error = 0;
  // The directory stays open meanwhile, as inotify-tools has it: who watches sees the same openings and closings.
  const result = fs.readDir(fd, (name, length, type) => {
    if (error < 0 || !(type === DT_DIR || (type === DT_UNKNOWN && isDirAt(fs, fd, name)))) return;
    const next = `${base}${fs.memory.readLatin1(name, length)}/`;
    if (exclude.has(next)) return;
    const failed = walk(fs, next, exclude, found);
    if (failed < 0 && !isPassable(fs, -failed)) error = failed;
  });
  fs.close(fd);
  if (result >= 0 && error >= 0) found.push(base);
  return Math.min(result, error);
}

/** Listens for what the tool was asked for, and with recursion for what changes the set of directories. */
export function watchMask(events: number, recursive: boolean, followLinks: boolean): number {
  const more = recursive ? IN.CREATE | IN.MOVED_TO | IN.MOVED_FROM : 0;
  return (events | more | (followLinks ? 0 : IN.DONT_FOLLOW)) >>> 0;
}

function isDirAt(fs: FileSystem, fd: number, name: number): boolean {
  const stat = newStat();
  return fs.fstatat(fd, name, stat, false) >= 0 && (stat.mode & MODE_TYPE) === MODE_DIRECTORY;
}

function withSlash(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}
