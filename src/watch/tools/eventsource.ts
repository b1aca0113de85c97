/**
 * Where a tool's events come from, with patterns applied: inotify watches, or fanotify marks with -F and -S. Both give
 * the same events; only how a path is watched and named differs.
 */
import { IN, Inotify } from "../../posix/inotify.ts";
import { raiseLines } from "../limits.ts";
import { type Backend, type SourceEvent } from "./backend.ts";
import { MarkSource } from "./marksource.ts";
import { Follower } from "./follow.ts";
import { type ToolIo } from "./io.ts";
import { type CommonOptions } from "./options.ts";
import { treeOf, type Watch, watchMask, WatchSet } from "./watchset.ts";

/** Takes an event; false: no more of them. */
export type TakeEvent = (event: SourceEvent) => boolean;

/** What became of a reading: nothing was there, all was taken, the taker had enough, or it failed (and was told). */
export type ReadOutcome = "empty" | "more" | "enough" | "failed";

type Pattern = (event: SourceEvent) => boolean;

/** Longest wait that a timer can be set to, milliseconds. */
const MOST_MS = 2 ** 31 - 1;

/** See the file's head. */
export class EventSource {
  /** What is listened for. */
  readonly mask: number;
  private readonly io: ToolIo;
  private readonly backend_: Backend;
  private readonly passes: Pattern;

  /**
   * Opens a source; null, told, when the kernel or a pattern is against it. `follow`: new directories join; with
   * "always" what makes and moves directories is listened for even when it was not asked for.
   */
  static open(io: ToolIo, options: CommonOptions, follow: "always" | "asked" | "no"): EventSource | null {
    const events = options.events === 0 ? IN.ALL_EVENTS : options.events;
    const mask = watchMask(events, follow === "always", options.followLinks);
    const opened = options.fanotify
      ? MarkSource.open(io, mask, options.filesystem, options.recursive)
      : openInotify(io, mask, follow !== "no");
    if (typeof opened === "number") {
      tellInitError(io, options.fanotify, -opened);
      return null;
    }
    const passes = patternOf(io, options);
    return passes === null ? null : new EventSource(io, opened, mask, passes);
  }

  private constructor(io: ToolIo, backend: Backend, mask: number, passes: Pattern) {
    this.io = io;
    this.backend_ = backend;
    this.mask = mask;
    this.passes = passes;
  }

  get backend(): Backend["backend"] {
    return this.backend_.backend;
  }

  get resource(): Backend["resource"] {
    return this.backend_.resource;
  }

  get size(): number {
    return this.backend_.size;
  }

  get watches(): readonly Watch[] {
    return this.backend_.watches;
  }

  watch(path: string, exclude: readonly string[] | null): number {
    return this.backend_.watch(path, exclude);
  }

  /** How many watches a recursive path takes. */
  countTree(path: string, exclude: readonly string[]): number {
    return this.backend_.countTree(path, exclude);
  }

  /** Gives the events that are there to `take`. */
  read(take: TakeEvent): ReadOutcome {
    let enough = false;
    const count = this.backend_.read((event) => {
      if (enough || !this.passes(event)) return;
      enough = !take(event);
    });
    if (count < 0) {
      this.io.message(this.io.fs.strerror(-count));
      return "failed";
    }
    return enough ? "enough" : count === 0 ? "empty" : "more";
  }

  follow(event: SourceEvent): void {
    this.backend_.follow(event);
  }

  count(event: SourceEvent): void {
    this.backend_.count(event);
  }

  /** Waits for events; false when `seconds` (0: no limit) have passed without. */
  async wait(seconds: number): Promise<boolean> {
    const ready = this.backend_.wait();
    const ms = seconds * 1000;
    if (seconds === 0 || ms > MOST_MS) return ready;
    return Promise.race([ready, this.io.host.sleep(ms).then(() => false)]);
  }
}

function openInotify(io: ToolIo, mask: number, follow: boolean): Backend | number {
  const notify = Inotify.open(io.host, io.fs);
  if (typeof notify === "number") return notify;
  const set = new WatchSet(io, notify, mask);
  const follower = follow ? new Follower(io, set) : null;
  return {
    backend: "inotify", resource: "watches",
    get size() {
      return set.size;
    },
    watches: set.all,
    watch: (path, exclude) => (exclude === null ? set.add(path) : set.addTree(path, exclude)),
    countTree: (path, exclude) => {
      const found = treeOf(io, path, exclude);
      return typeof found === "number" ? 0 : found.length;
    },
    read: (visit) => notify.read((wd, bits, cookie, name) => {
      visit({ wd, mask: bits, cookie, name, watched: set.nameOf(wd) });
    }),
    wait: () => notify.wait(),
    follow: ({ wd, mask: bits, name }) => {
      if (follower !== null) follower.see(wd, bits, name);
      else if ((bits & IN.IGNORED) !== 0) set.forget(wd);
    },
    count: ({ wd, mask: bits }) => set.count(wd, bits),
  };
}

function tellInitError(io: ToolIo, fanotify: boolean, errno: number): void {
  const backend = fanotify ? "fanotify" : "inotify";
  const { E } = io.fs.constants;
  io.error(`Couldn't initialize ${backend}: ${io.fs.strerror(errno)}`);
  if (errno === E.EMFILE) {
    const resource = fanotify ? "groups" : "instances";
    io.error(`Try increasing the value of /proc/sys/fs/${backend}/max_user_${resource}`);
    for (const line of raiseLines(`${backend}/max_user_${resource}` as "inotify/max_user_instances", INSTANCES)) {
      io.error(line);
    }
  }
  if (fanotify && errno === E.EINVAL) {
    io.error("fanotify support for reporting the events with file names was added in kernel v5.9.");
  }
  if (fanotify && errno === E.EPERM) io.error("fanotify watch requires admin privileges");
}

/** Twice the kernel's default number of instances. */
const INSTANCES = 256;

/** Which events the patterns let through; null, told, when one is malformed. */
function patternOf(io: ToolIo, options: CommonOptions): Pattern | null {
  const { exclude, excludeIgnoringCase, include, includeIgnoringCase } = options;
  const inverted = include !== null || includeIgnoringCase !== null;
  const text = include ?? includeIgnoringCase ?? exclude ?? excludeIgnoringCase;
  if (text === null) return () => true;
  const ignoreCase = (inverted ? includeIgnoringCase : excludeIgnoringCase) !== null;
  const matches = io.text?.pattern(text, ignoreCase) ?? null;
  if (matches === null) {
    io.error(`Error in \`${inverted ? "include" : "exclude"}' regular expression.`);
    return null;
  }
  return ({ watched, name }) => matches(watched + name) === inverted;
}
