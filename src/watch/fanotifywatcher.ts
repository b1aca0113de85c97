/**
 * Watching by fanotify, for a super-user: one mark on each source's file system instead of a watch on every directory.
 * Events name a directory by its handle, so they are told by where it is when they are read; what lies outside the
 * sources is passed over.
 */
import { type Host } from "../host.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { FAN, type FanEntry, FanMark, Fanotify } from "../posix/fanotify.ts";
import { IN } from "../posix/inotify.ts";
import { type Source } from "./sources.ts";
import { type ChangeSink, keyBelow, type Watcher } from "./watcher.ts";

const MASK = (IN.CREATE | IN.DELETE | IN.MODIFY | IN.ATTRIB | IN.CLOSE_WRITE | FAN.RENAME | FAN.ONDIR) >>> 0;
const BUNDLE_MS = 10;
const PATH_BYTES = 8192;

/** See the file's head. */
export class FanotifyWatcher implements Watcher {
  readonly name = "fanotify";
  readonly degraded = null;
  readonly directories = 0;
  private readonly host: Host;
  private readonly fs: FileSystem;
  private readonly sources: readonly Source[];
  private readonly sink: ChangeSink;
  private readonly group: Fanotify;
  /** A source's own descriptor: it tells where the source is now. */
  private readonly rootFds = new Map<Source, number>();
  private closed = false;

  /** Opens a group and marks the file systems, or returns why that cannot be. */
  static open(host: Host, fs: FileSystem, sources: readonly Source[], sink: ChangeSink): FanotifyWatcher | string {
    const group = Fanotify.open(host, fs);
    if (typeof group === "number") return `fanotify: ${fs.strerror(-group)}`;
    for (const { root } of sources) {
      const error = group.mark(root, MASK, FanMark.filesystem);
      if (error >= 0) continue;
      group.close();
      return `fanotify cannot watch the file system of ${root}: ${fs.strerror(-error)}`;
    }
    return new FanotifyWatcher(host, fs, sources, sink, group);
  }

  private constructor(
    host: Host, fs: FileSystem, sources: readonly Source[], sink: ChangeSink, group: Fanotify,
  ) {
    this.host = host;
    this.fs = fs;
    this.sources = sources;
    this.sink = sink;
    this.group = group;
  }

  async start(): Promise<void> {
    for (const source of this.sources) this.openRoot(source);
    void this.listen();
  }

  drain(): void {
    const roots = this.roots();
    while (this.group.read((mask, _pid, entries) => this.take(roots, mask, entries)) > 0);
  }

  async renew(source: Source): Promise<void> {
    this.group.mark(source.root, MASK, FanMark.filesystem);
    this.openRoot(source);
  }

  refresh(source: Source): void {
    this.sink.touchTree(source, source.key);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.group.unmark();
    this.group.close();
    for (const fd of this.rootFds.values()) this.fs.close(fd);
  }

  private openRoot(source: Source): void {
    const { fs } = this;
    const { O, AT } = fs.constants;
    const old = this.rootFds.get(source);
    if (old !== undefined) fs.close(old);
    this.rootFds.delete(source);
    const fd = fs.openat(AT.FDCWD, fs.cstr(source.root), O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
    if (fd < 0) this.sink.rootGone(source);
    else this.rootFds.set(source, fd);
  }

  private async listen(): Promise<void> {
    while (!this.closed) {
      this.drain();
      if (!(await this.group.wait())) return;
      await this.host.sleep(BUNDLE_MS);
    }
  }

  /** Where each source is, as the kernel calls it. */
  private roots(): [Source, string][] {
    const { fs } = this;
    const ptr = fs.memory.alloc(PATH_BYTES);
    const found: [Source, string][] = [];
    for (const [source, fd] of this.rootFds) {
      const length = fs.readlinkat(fs.constants.AT.FDCWD, fs.cstr(`/proc/self/fd/${fd}`), ptr, PATH_BYTES);
      const path = length > 0 ? fs.memory.readLatin1(ptr, length) : "";
      if (path !== "" && !path.endsWith(" (deleted)")) found.push([source, path]);
      else this.sink.rootGone(source);
    }
    fs.memory.release(ptr);
    return found;
  }

  private take(roots: readonly [Source, string][], mask: number, entries: readonly FanEntry[]): void {
    if ((mask & FAN.Q_OVERFLOW) !== 0) {
      this.sink.lost("more events than the kernel could queue");
      for (const [source] of roots) this.sink.touchTree(source, source.key);
      return;
    }
    const isDir = (mask & FAN.ONDIR) !== 0;
    for (const [source, root] of roots) {
      const keys = entries.map((entry) => keyOf(source, root, entry));
      if ((mask & FAN.RENAME) !== 0 && keys.length > 1) this.takeRename(source, keys[0], keys[1], isDir);
      else if (keys[0] !== null && keys[0] !== undefined) this.sink.touch(source, keys[0], isDir);
    }
  }

  private takeRename(source: Source, from: string | null, to: string | null, isDir: boolean): void {
    const { sink } = this;
    if (from !== null && to !== null) sink.rename(source, from, to, isDir);
    else if (from !== null) sink.touch(source, from, isDir);
    else if (to !== null && isDir) sink.touchTree(source, to);
    else if (to !== null) sink.touch(source, to, false);
  }
}

/** The key of an entry; null when it is not in the source. */
function keyOf(source: Source, root: string, { dir, name }: FanEntry): string | null {
  if (dir === null || (dir !== root && !dir.startsWith(root === "/" ? root : `${root}/`))) return null;
  const below = dir.slice(root === "/" ? 1 : root.length + 1);
  const path = name === "." || name === "" ? below : below === "" ? name : `${below}/${name}`;
  if (source.isDir) return keyBelow(source, path);
  return path === source.key.slice(source.key.lastIndexOf("/") + 1) ? source.key : null;
}
