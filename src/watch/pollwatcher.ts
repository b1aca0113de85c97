/**
 * Watching by looking: every directory is listed now and then and compared with what was there before. Works wherever
 * files can be read, notices late, and says so.
 */
import { type Host } from "../host.ts";
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";
import { Alarm } from "./alarm.ts";
import { isDirectory, join, type Source } from "./sources.ts";
import { Breather, type ChangeSink, keyBelow, type Watcher } from "./watcher.ts";

/** Entries of a directory: what each looked like. */
type Listing = Map<string, string>;

/** See the file's head. */
export class PollWatcher implements Watcher {
  readonly name = "poll";
  readonly degraded: string;
  private readonly host: Host;
  private readonly fs: FileSystem;
  private readonly sources: readonly Source[];
  private readonly sink: ChangeSink;
  private readonly pollMs: number;
  private readonly alarm: Alarm;
  private readonly listings = new Map<Source, Map<string, Listing>>();
  private readonly stat: StatRecord = newStat();
  private closed = false;

  constructor(host: Host, fs: FileSystem, sources: readonly Source[], sink: ChangeSink, pollMs: number) {
    this.host = host;
    this.fs = fs;
    this.sources = sources;
    this.sink = sink;
    this.pollMs = pollMs;
    this.alarm = new Alarm(host);
    this.degraded = `changes are looked for every ${pollMs / 1000} seconds, and all files are looked at`;
  }

  get directories(): number {
    return [...this.listings.values()].reduce((sum, dirs) => sum + dirs.size, 0);
  }

  async start(): Promise<void> {
    for (const source of this.sources) await this.look(source, false);
    void this.run();
  }

  drain(): void {
    // Looking takes time; the next round of it comes by itself.
  }

  async renew(source: Source): Promise<void> {
    await this.look(source, true);
  }

  refresh(source: Source): void {
    this.sink.touchTree(source, source.key);
  }

  close(): void {
    this.closed = true;
    this.alarm.wake();
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      await this.alarm.wait(this.host.monotonic() + this.pollMs);
      for (const source of this.sources) if (!this.closed) await this.look(source, true);
    }
  }

  /** Lists a source and tells what is different. */
  private async look(source: Source, tell: boolean): Promise<void> {
    const before = this.listings.get(source) ?? new Map<string, Listing>();
    const now = new Map<string, Listing>();
    const breather = new Breather(this.host);
    const queue = [""];
    for (let dir = queue.pop(); dir !== undefined && !this.closed; dir = queue.pop()) {
      const listing = this.list(source, dir, source.isDir ? queue : []);
      if (listing === null) {
        if (dir === "") this.sink.rootGone(source);
        continue;
      }
      now.set(dir, listing);
      if (tell) this.compare(source, dir, before.get(dir) ?? new Map(), listing);
      const pause = breather.breathe();
      if (pause !== undefined) await pause;
    }
    this.listings.set(source, now);
  }

  private list(source: Source, dir: string, queue: string[]): Listing | null {
    const { fs, stat } = this;
    const { O, AT } = fs.constants;
    const path = dir === "" ? source.root : join(source.root, dir);
    const fd = fs.openat(AT.FDCWD, fs.cstr(path), O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC, 0);
    if (fd < 0) return null;
    const listing: Listing = new Map();
    fs.readDir(fd, (name, length) => {
      const text = fs.memory.readLatin1(name, length);
      if (fs.fstatat(fd, name, stat, false) < 0) return;
      const below = dir === "" ? text : `${dir}/${text}`;
      const key = keyBelow(source, below);
      const own = source.key.slice(source.key.lastIndexOf("/") + 1);
      if (source.isDir ? this.sink.hides(source, key, isDirectory(stat)) : own !== text) return;
      listing.set(text, looks(stat));
      if (isDirectory(stat)) queue.push(below);
    });
    fs.close(fd);
    return listing;
  }

  private compare(source: Source, dir: string, before: Listing, now: Listing): void {
    const keyOf = (name: string): string =>
      (source.isDir ? keyBelow(source, dir === "" ? name : `${dir}/${name}`) : source.key);
    for (const [name, look] of now) {
      if (before.get(name) === look) continue;
      this.sink.touch(source, keyOf(name), look.startsWith("d"));
    }
    for (const [name, look] of before) {
      if (!now.has(name)) this.sink.touch(source, keyOf(name), look.startsWith("d"));
    }
  }
}

/** Everything about an entry that a change would change. A directory's own times follow its entries. */
function looks(stat: StatRecord): string {
  const { mode, size, mtime, mtimeNsec, ctime, ctimeNsec, inoLo, inoHi } = stat;
  const times = `${mtime}.${mtimeNsec} ${ctime}.${ctimeNsec}`;
  return `${isDirectory(stat) ? "d" : "-"}${mode} ${size} ${times} ${inoHi}:${inoLo}`;
}
