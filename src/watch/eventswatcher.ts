/**
 * Watching by the runtime's own fs.watch, where inotify cannot be called: on other systems, or without foreign
 * functions. It may lose events without saying so, and says that it may; audits come more often then.
 */
import { type Host } from "../host.ts";
import { bytesOf, nameOfText } from "../memory.ts";
import { type FileSystem, newStat } from "../posix/filesystem.ts";
import { isDirectory, pathOfKey, type Source } from "./sources.ts";
import { type ChangeSink, keyBelow, type Watcher } from "./watcher.ts";

interface FsWatcher {
  close(): void;
  on(name: "error", listener: (error: Error) => void): void;
}

/** The part of node:fs that is used. */
interface NodeWatch {
  watch?(path: string, options: { recursive: boolean }, listener: (event: string, name: string | null) => void):
    FsWatcher;
}

/** See the file's head. */
export class EventsWatcher implements Watcher {
  readonly name = "events";
  readonly degraded = "events of fs.watch may be lost without a trace";
  private readonly watch: NonNullable<NodeWatch["watch"]>;
  private readonly fs: FileSystem;
  private readonly sources: readonly Source[];
  private readonly sink: ChangeSink;
  private readonly open = new Map<Source, FsWatcher>();
  private readonly stat = newStat();

  /** Null where the runtime has no fs.watch. */
  static open(host: Host, fs: FileSystem, sources: readonly Source[], sink: ChangeSink): EventsWatcher | null {
    const { watch } = host.files.nodeFs as NodeWatch | null ?? {};
    return watch === undefined ? null : new EventsWatcher(watch, fs, sources, sink);
  }

  private constructor(
    watch: NonNullable<NodeWatch["watch"]>, fs: FileSystem, sources: readonly Source[], sink: ChangeSink,
  ) {
    this.watch = watch;
    this.fs = fs;
    this.sources = sources;
    this.sink = sink;
  }

  get directories(): number {
    return this.open.size;
  }

  async start(): Promise<void> {
    for (const source of this.sources) this.begin(source);
  }

  drain(): void {
    // Events come by themselves.
  }

  async renew(source: Source): Promise<void> {
    this.end(source);
    this.begin(source);
  }

  refresh(source: Source): void {
    this.sink.touchTree(source, source.key);
  }

  close(): void {
    for (const source of this.sources) this.end(source);
  }

  private begin(source: Source): void {
    const path = new TextDecoder().decode(bytesOf(source.root));
    const failed = (error: Error): void => {
      this.sink.warn(`fs.watch: ${error.message}`);
      this.end(source);
      this.sink.rootGone(source);
    };
    try {
      const watcher = this.watch(path, { recursive: source.isDir }, (_event, name) => this.take(source, name));
      watcher.on("error", failed);
      this.open.set(source, watcher);
    } catch (error) {
      failed(error as Error);
    }
  }

  private end(source: Source): void {
    this.open.get(source)?.close();
    this.open.delete(source);
  }

  private take(source: Source, text: string | null): void {
    const { sink } = this;
    if (text === null || text === "" || text.includes("\ufffd")) {
      sink.touchTree(source, source.key);
      return;
    }
    const name = nameOfText(text).replaceAll("\\", "/");
    const key = source.isDir ? keyBelow(source, name) : source.key;
    const { AT } = this.fs.constants;
    const there = this.fs.fstatat(AT.FDCWD, this.fs.cstr(pathOfKey(source, key)), this.stat, false) >= 0;
    if (there && isDirectory(this.stat)) sink.touchTree(source, key);
    else sink.touch(source, key, there ? false : null);
  }
}
