/**
 * Events by fanotify, for -F and -S: directories are marked instead of watched, and an event is named by where its
 * directory is when the event is read. What the tool itself does is not reported.
 */
import { FAN, type FanEntry, FanMark, Fanotify } from "../../posix/fanotify.ts";
import { IN } from "../../posix/inotify.ts";
import { type Backend, type SourceEvent } from "./backend.ts";
import { type ToolIo } from "./io.ts";
import { treeOf, type Watch } from "./watchset.ts";

const EVENT_BITS = 32;

/** See the file's head. */
export class MarkSource implements Backend {
  readonly backend = "fanotify";
  readonly resource = "marks";
  readonly watches: Watch[] = [];
  size = 0;
  private readonly io: ToolIo;
  private readonly group: Fanotify;
  private readonly mask: number;
  private readonly how: number;
  private readonly recursive: boolean;
  private readonly byName = new Map<string, Watch>();

  /** Opens a group, or returns -errno. */
  static open(io: ToolIo, mask: number, filesystem: boolean, recursive: boolean): MarkSource | number {
    const group = Fanotify.open(io.host, io.fs);
    return typeof group === "number" ? group : new MarkSource(io, group, mask, filesystem, recursive);
  }

  private constructor(io: ToolIo, group: Fanotify, mask: number, filesystem: boolean, recursive: boolean) {
    this.io = io;
    this.group = group;
    const events = (mask & IN.ALL_EVENTS) | (filesystem ? 0 : FAN.EVENT_ON_CHILD);
    this.mask = (events | FAN.ONDIR) >>> 0;
    this.how = ((mask & IN.DONT_FOLLOW) !== 0 ? FanMark.dontFollow : 0) | (filesystem ? FanMark.filesystem : 0);
    this.recursive = recursive && !filesystem;
  }

  watch(path: string, exclude: readonly string[] | null): number {
    const paths = exclude === null || !this.recursive ? [path] : treeOf(this.io, path, exclude);
    if (typeof paths === "number") return paths;
    for (const one of paths) {
      const error = this.group.mark(one, this.mask, this.how);
      if (error < 0) return error;
      this.size++;
    }
    return 0;
  }

  countTree(): number {
    return 0;
  }

  read(visit: (event: SourceEvent) => void): number {
    return this.group.read((mask, pid, entries) => {
      if (pid === this.io.host.pid) return;
      const event = { wd: -1, mask, cookie: 0 };
      if (entries.length === 0) visit({ ...event, watched: "", name: "" });
      for (const entry of entries) visit({ ...event, ...namesOf(entry) });
    });
  }

  wait(): Promise<boolean> {
    return this.group.wait();
  }

  follow({ mask, watched, name }: SourceEvent): void {
    if (!this.recursive || (mask & IN.ISDIR) === 0 || (mask & (IN.CREATE | IN.MOVED_TO)) === 0) return;
    const path = `${watched}${name}/`;
    if (this.io.isDir(path)) this.watch(path, []);
  }

  count({ mask, watched }: SourceEvent): void {
    let watch = this.byName.get(watched);
    if (watch === undefined) {
      watch = { wd: this.watches.length, name: watched, hits: new Uint32Array(EVENT_BITS), total: 0 };
      this.byName.set(watched, watch);
      this.watches.push(watch);
    }
    watch.total++;
    for (let bit = 0; bit < EVENT_BITS; bit++) if ((mask >>> bit) & 1) watch.hits[bit]++;
  }
}

function namesOf({ dir, name }: FanEntry): { watched: string; name: string } {
  const base = dir ?? "";
  return { watched: base.endsWith("/") ? base : `${base}/`, name: name === "." ? "" : name };
}
