/**
 * Watching by inotify: every directory of the sources that no rule leaves out.
 *
 * A directory is watched first, then listed, then entered, so that whatever appears in it is either in the list or in
 * an event. Renames are paired by their cookie, also when the halves come in different readings; a half that stays
 * alone is a departure or an arrival. After an overflow everything the instance watches is listed again and declared
 * dirty. A directory is named to the kernel by its open descriptor, so that no symlink can come between.
 */
import { UsageError } from "../errors.ts";
import { type Host } from "../host.ts";
import { openBelow } from "../files/openbelow.ts";
import { type FileSystem, newStat } from "../posix/filesystem.ts";
import { IN, Inotify } from "../posix/inotify.ts";
import { type DirNode, DirNodes } from "./dirnodes.ts";
import { limitAdvice, raiseLines, readLimit } from "./limits.ts";
import { isDirectory, type Source } from "./sources.ts";
import { Breather, type ChangeSink, keyBelow, type Watcher } from "./watcher.ts";

const DT_UNKNOWN = 0;
const DT_DIR = 4;
const MASK = IN.CREATE | IN.DELETE | IN.MODIFY | IN.ATTRIB | IN.CLOSE_WRITE | IN.MOVE | IN.ONLYDIR;
const ROOT_MASK = MASK | IN.DELETE_SELF | IN.MOVE_SELF;
/** How long the other half of a rename may take to arrive. */
const PAIR_MS = 50;
/** Events are taken in bundles this far apart: a storm then costs few turns, and a quiet tree none. */
const BUNDLE_MS = 10;
/** A limit that no tree we count could meet. */
const AMPLE_WATCHES = 2 ** 22;
/** inotify instances that a run may take, for the advice. */
const INSTANCES = 256;

interface Departure {
  readonly path: string;
  readonly node: DirNode | null;
  readonly isDir: boolean;
  readonly at: number;
  /** Events of this tree came while nobody knew its name. */
  missed: boolean;
}

/** The sources share nothing: an overflow in one leaves the others alone. */
interface Watched {
  readonly source: Source;
  readonly notify: Inotify;
  readonly nodes: DirNodes;
  readonly departures: Map<number, Departure>;
  overflowed: boolean;
}

/** See the file's head. */
export class InotifyWatcher implements Watcher {
  readonly name = "inotify";
  readonly degraded = null;
  private readonly host: Host;
  private readonly fs: FileSystem;
  private readonly sink: ChangeSink;
  private readonly sources: readonly Source[];
  private readonly watched: Watched[] = [];
  private readonly stat = newStat();
  private closed = false;
  private full = false;
  private toldQueue = false;

  constructor(host: Host, fs: FileSystem, sources: readonly Source[], sink: ChangeSink) {
    this.host = host;
    this.fs = fs;
    this.sources = sources;
    this.sink = sink;
  }

  /** Can this process watch by inotify? The reason why not, or "". */
  static missing(host: Host, fs: FileSystem): string {
    const probe = Inotify.open(host, fs);
    if (typeof probe !== "number") {
      probe.close();
      return "";
    }
    if (probe === -fs.constants.E.EMFILE) {
      return ["no inotify instance is free", ...raiseLines("inotify/max_user_instances", INSTANCES)].join("\n");
    }
    return host.ffi === null ? `libc cannot be called: ${host.ffiMissing}` : fs.strerror(-probe);
  }

  get directories(): number {
    return this.watched.reduce((sum, { nodes }) => sum + nodes.size, 0);
  }

  async start(): Promise<void> {
    await this.adviseOnWatches();
    for (const source of this.sources) await this.watch(source);
  }

  /** Counts the directories first, so that a limit that is too small is named before it is met. */
  private async adviseOnWatches(): Promise<void> {
    if ((readLimit(this.fs, "inotify/max_user_watches") ?? Infinity) >= AMPLE_WATCHES) return;
    let needed = 0;
    for (const source of this.sources) needed += await this.count(source);
    const what = `${needed} directories are to be watched`;
    for (const line of limitAdvice(this.fs, "inotify/max_user_watches", needed, what)) this.sink.warn(line);
  }

  /** Directories of a source that no rule leaves out. */
  private async count(source: Source): Promise<number> {
    const { fs } = this;
    const rootFd = source.isDir ? this.openRoot(source) : -1;
    if (rootFd < 0) return 1;
    const breather = new Breather(this.host);
    const queue = [""];
    let count = 0;
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      const fd = openBelow(fs, rootFd, path);
      if (fd < 0) continue;
      count++;
      const prefix = path === "" ? "" : `${path}/`;
      for (const name of this.childDirs(fd)) {
        if (!this.sink.hides(source, keyBelow(source, prefix + name), true)) queue.push(prefix + name);
      }
      fs.close(fd);
      const pause = breather.breathe();
      if (pause !== undefined) await pause;
    }
    fs.close(rootFd);
    return count;
  }

  private childDirs(fd: number): Set<string> {
    const { fs } = this;
    const found = new Set<string>();
    fs.readDir(fd, (name, length, type) => {
      if (type === DT_DIR || (type === DT_UNKNOWN && this.isDirName(fd, name))) {
        found.add(fs.memory.readLatin1(name, length));
      }
    });
    return found;
  }

  drain(): void {
    for (const one of this.watched) this.readAll(one);
  }

  async renew(source: Source): Promise<void> {
    const at = this.watched.findIndex((one) => one.source === source);
    if (at >= 0) this.release(this.watched.splice(at, 1)[0]);
    await this.watch(source);
  }

  refresh(source: Source): void {
    const one = this.watched.find((other) => other.source === source);
    if (one === undefined) return;
    void this.walk(one, one.nodes.root).then(() => this.sink.touchTree(source, source.key));
  }

  close(): void {
    this.closed = true;
    for (const one of this.watched.splice(0)) this.release(one);
  }

  private release({ notify }: Watched): void {
    notify.close();
  }

  private async watch(source: Source): Promise<void> {
    const { fs } = this;
    const rootFd = this.openRoot(source);
    if (rootFd < 0) {
      this.sink.rootGone(source);
      return;
    }
    fs.close(rootFd);
    const notify = Inotify.open(this.host, fs);
    if (typeof notify === "number") {
      const advice = notify === -fs.constants.E.EMFILE ? raiseLines("inotify/max_user_instances", INSTANCES) : [];
      throw new UsageError([`inotify cannot watch ${source.root}: ${fs.strerror(-notify)}`, ...advice].join("\n"));
    }
    const one: Watched = { source, notify, nodes: new DirNodes(), departures: new Map(), overflowed: false };
    this.watched.push(one);
    await this.walk(one, one.nodes.root);
    void this.listen(one);
  }

  /** Takes events in until the instance is closed. */
  private async listen(one: Watched): Promise<void> {
    const { host } = this;
    while (!this.closed && this.watched.includes(one)) {
      this.readAll(one);
      if (one.overflowed) await this.recover(one);
      if (one.departures.size > 0) {
        await host.sleep(PAIR_MS);
        this.readAll(one);
        this.settle(one);
        continue;
      }
      if (!(await one.notify.wait())) return;
      await host.sleep(BUNDLE_MS);
    }
  }

  private readAll(one: Watched): void {
    const visit = (wd: number, mask: number, cookie: number, name: string): void =>
      this.take(one, wd, mask, cookie, name);
    while (one.notify.read(visit) > 0);
  }

  private take(one: Watched, wd: number, mask: number, cookie: number, name: string): void {
    const { nodes, source } = one;
    if ((mask & IN.Q_OVERFLOW) !== 0) {
      one.overflowed = true;
      this.sink.touchTree(source, source.key);
      return;
    }
    const node = (mask & IN.IGNORED) !== 0 ? nodes.dropWd(wd) : nodes.of(wd);
    if (node === undefined) return;
    const dir = nodes.pathOf(node);
    if (dir === null) {
      this.missed(one, node);
      return;
    }
    if (name === "") this.takeSelf(one, node, dir, mask);
    else this.takeEntry(one, node, dir === "" ? name : `${dir}/${name}`, name, mask, cookie);
  }

  /** An event below a directory that is between two names. */
  private missed({ departures }: Watched, node: DirNode): void {
    let top = node;
    while (top.parent !== null) top = top.parent;
    for (const departure of departures.values()) departure.missed ||= departure.node === top;
  }

  /** What happened to a watched directory itself. */
  private takeSelf(one: Watched, node: DirNode, dir: string, mask: number): void {
    const { source, nodes } = one;
    const isRoot = node === nodes.root;
    if ((mask & IN.UNMOUNT) !== 0) this.sink.touchTree(source, keyBelow(source, dir));
    if (isRoot && (mask & (IN.DELETE_SELF | IN.MOVE_SELF | IN.UNMOUNT)) !== 0) {
      this.sink.rootGone(source);
      return;
    }
    if ((mask & IN.IGNORED) !== 0) {
      if (!isRoot) this.ignored(one, node, dir);
      return;
    }
    if (source.isDir) this.sink.touch(source, keyBelow(source, dir), true);
  }

  /** A watch ended. When its directory is still there, the watch alone has vanished: all below it is in doubt. */
  private ignored(one: Watched, node: DirNode, dir: string): void {
    const { nodes, source } = one;
    nodes.cut(node);
    for (const wd of nodes.takeWds(node)) one.notify.remove(wd);
    if (!this.isDirAt(one, dir)) return;
    this.sink.lost(`the watch on ${dir} has vanished`);
    this.enterNow(one, dir);
    this.sink.touchTree(source, keyBelow(source, dir));
  }

  private takeEntry(
    one: Watched, node: DirNode, path: string, name: string, mask: number, cookie: number,
  ): void {
    const { source, nodes } = one;
    const isDir = (mask & IN.ISDIR) !== 0;
    if (!source.isDir) {
      if (name === source.key.slice(source.key.lastIndexOf("/") + 1)) this.sink.touch(source, source.key, false);
      return;
    }
    const key = keyBelow(source, path);
    if ((mask & IN.MOVED_FROM) !== 0) {
      const child = node.children.get(name) ?? null;
      if (child !== null) nodes.cut(child);
      one.departures.set(cookie, { path, node: child, isDir, at: this.host.monotonic(), missed: false });
      this.sink.touch(source, key, isDir);
      return;
    }
    if ((mask & IN.MOVED_TO) !== 0) {
      this.arrive(one, node, path, name, isDir, cookie);
      return;
    }
    if ((mask & IN.CREATE) !== 0 && isDir) this.appeared(one, path, key);
    else this.sink.touch(source, key, isDir);
    if ((mask & IN.DELETE) !== 0 && isDir) this.forget(one, node.children.get(name));
  }

  /** The second half of a rename, or something from outside. */
  private arrive(one: Watched, parent: DirNode, path: string, name: string, isDir: boolean, cookie: number): void {
    const { source, nodes, departures } = one;
    const key = keyBelow(source, path);
    const from = departures.get(cookie);
    departures.delete(cookie);
    if (from === undefined) {
      this.forget(one, parent.children.get(name));
      if (isDir) this.appeared(one, path, key);
      else this.sink.touch(source, key, false);
      return;
    }
    if (from.node !== null) this.forget(one, nodes.graft(from.node, parent, name) ?? undefined);
    else this.forget(one, parent.children.get(name));
    this.sink.rename(source, keyBelow(source, from.path), key, isDir);
    if (!isDir) return;
    if (this.sink.hides(source, key, true)) {
      if (from.node !== null) this.leave(one, from.node);
    } else if (from.node === null) {
      this.appeared(one, path, key);
    } else if (from.missed) {
      this.sink.touchTree(source, key);
    }
  }

  /** Departures whose other half did not come: they went out of sight, and so do their watches. */
  private settle(one: Watched): void {
    const now = this.host.monotonic();
    for (const [cookie, departure] of one.departures) {
      if (now - departure.at < PAIR_MS) continue;
      one.departures.delete(cookie);
      if (departure.node !== null) this.leave(one, departure.node);
    }
  }

  /** A directory that is new, or may be: all of it is dirty, once it is under watch. */
  private appeared(one: Watched, path: string, key: string): void {
    if (this.sink.hides(one.source, key, true)) return;
    this.enterNow(one, path);
    this.sink.touchTree(one.source, key);
  }

  private forget(one: Watched, node: DirNode | undefined): void {
    if (node !== undefined) this.leave(one, node);
  }

  private leave(one: Watched, node: DirNode): void {
    one.nodes.cut(node);
    for (const wd of one.nodes.takeWds(node)) one.notify.remove(wd);
  }

  /** Watches a directory by path and everything below it, at once. */
  private enterNow(one: Watched, path: string): void {
    const { nodes } = one;
    let node = nodes.root;
    for (const name of path.split("/")) node = nodes.child(node, name);
    const queue = [node];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) queue.push(...this.enter(one, next));
  }

  /** Watches everything from a node on, letting the event loop turn. */
  private async walk(one: Watched, start: DirNode): Promise<void> {
    const breather = new Breather(this.host);
    const queue = [start];
    for (let next = queue.pop(); next !== undefined && !this.closed; next = queue.pop()) {
      if (one.source.isDir) queue.push(...this.enter(one, next));
      else this.watchOne(one, next, "");
      const pause = breather.breathe();
      if (pause !== undefined) await pause;
    }
  }

  /** Watches a directory and lists it; its children are returned, and those that are gone forgotten. */
  private enter(one: Watched, node: DirNode): DirNode[] {
    const { fs } = this;
    const { nodes, source } = one;
    const path = nodes.pathOf(node);
    if (path === null) return [];
    const fd = this.watchOne(one, node, path);
    if (fd < 0) {
      if (node !== nodes.root) nodes.cut(node);
      return [];
    }
    const prefix = path === "" ? "" : `${path}/`;
    const found = this.childDirs(fd);
    fs.close(fd);
    for (const [name, child] of node.children) if (!found.has(name)) this.leave(one, child);
    return [...found].filter((name) => !this.sink.hides(source, keyBelow(source, prefix + name), true))
      .map((name) => nodes.child(node, name));
  }

  /** Watches one directory. Its descriptor, open for listing, or -errno. */
  private watchOne(one: Watched, node: DirNode, path: string): number {
    const { fs } = this;
    const isRoot = node === one.nodes.root;
    const fd = this.openDir(one.source, path);
    if (fd < 0) return fd;
    const wd = one.notify.add(`/proc/self/fd/${fd}`, isRoot ? ROOT_MASK : MASK);
    if (wd >= 0) {
      one.nodes.setWd(node, wd);
      return fd;
    }
    if (wd === -fs.constants.E.ENOSPC) this.tellFull(one);
    else if (wd !== -fs.constants.E.ENOENT) {
      this.sink.warn(`cannot watch ${one.source.root}/${path}: ${fs.strerror(-wd)}`);
    }
    fs.close(fd);
    return wd;
  }

  private tellFull(one: Watched): void {
    if (this.full) return;
    this.full = true;
    const what = `no watch is left for all of ${one.source.root}: changes there are found by audits only.`;
    for (const line of [what, ...raiseLines("inotify/max_user_watches", this.directories * 2)]) this.sink.warn(line);
  }

  private tellQueue(): void {
    if (this.toldQueue) return;
    this.toldQueue = true;
    const limit = readLimit(this.fs, "inotify/max_queued_events") ?? 0;
    this.sink.warn(`The kernel queues ${limit} events. Each overflow costs a comparison of everything.`);
    for (const line of raiseLines("inotify/max_queued_events", limit)) this.sink.warn(line);
  }

  /** Lists everything again after an overflow; the events that were lost may have made directories. */
  private async recover(one: Watched): Promise<void> {
    one.overflowed = false;
    this.sink.lost(`more events than the kernel could queue (${one.source.root})`);
    this.tellQueue();
    await this.walk(one, one.nodes.root);
    this.readAll(one);
    this.sink.touchTree(one.source, one.source.key);
  }

  /** A source's directory. Never held open: an open directory would keep its file system from being unmounted. */
  private openRoot(source: Source): number {
    const { fs } = this;
    const { O, AT } = fs.constants;
    return fs.openat(AT.FDCWD, fs.cstr(source.root), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
  }

  private openDir(source: Source, path: string): number {
    const root = this.openRoot(source);
    if (root < 0 || path === "") return root;
    const fd = openBelow(this.fs, root, path);
    this.fs.close(root);
    return fd;
  }

  private isDirAt({ source }: Watched, path: string): boolean {
    const fd = this.openDir(source, path);
    if (fd >= 0) this.fs.close(fd);
    return fd >= 0;
  }

  private isDirName(fd: number, name: number): boolean {
    return this.fs.fstatat(fd, name, this.stat, false) >= 0 && isDirectory(this.stat);
  }
}
