/** How changes are noticed, whatever notices them. */
import { type Source } from "./sources.ts";

/** Who is told of changes. Keys are paths below the destination; see sources.ts. */
export interface ChangeSink {
  /** A path changed, appeared or went away. `isDir` null: not known. */
  touch(source: Source, key: string, isDir: boolean | null): void;
  /** A path and anything below it may have changed. */
  touchTree(source: Source, key: string): void;
  /** A path has got a new name within one source. */
  rename(source: Source, from: string, to: string, isDir: boolean): void;
  /** Changes were lost; what they may have touched was named by touchTree. */
  lost(reason: string): void;
  /** The source itself went away, or its file system was unmounted. */
  rootGone(source: Source): void;
  /** Something the user should know. */
  warn(text: string): void;
  /** Is a path left out of the transfer? */
  hides(source: Source, key: string, isDir: boolean | null): boolean;
}

/** Notices changes of some sources until it is closed. */
export interface Watcher {
  readonly name: string;
  /** Why this is less than inotify would give, or null. */
  readonly degraded: string | null;
  /** Directories under watch, for status. */
  readonly directories: number;
  /** Begins to watch; resolves when everything is under watch. */
  start(): Promise<void>;
  /** Takes in what has happened so far. */
  drain(): void;
  /** A source that had gone is there again. */
  renew(source: Source): Promise<void>;
  /** Rules that decide what is left out have changed. */
  refresh(source: Source): void;
  /** Ends it. Idempotent. */
  close(): void;
}

/** A pause that lets the event loop turn when a piece of work goes on for long. */
export class Breather {
  private readonly monotonic: () => number;
  private readonly sleep: (ms: number) => Promise<void>;
  private turnedAt: number;

  constructor(host: { monotonic(): number; sleep(ms: number): Promise<void> }) {
    this.monotonic = () => host.monotonic();
    this.sleep = (ms) => host.sleep(ms);
    this.turnedAt = host.monotonic();
  }

  /** Undefined when it is not time for that yet. */
  breathe(): Promise<void> | undefined {
    if (this.monotonic() - this.turnedAt < SLICE_MS) return undefined;
    return this.sleep(0).then(() => {
      this.turnedAt = this.monotonic();
    });
  }
}

/** Work between two turns of the event loop. */
const SLICE_MS = 50;

/** The key of a path below a source's directory. */
export function keyBelow(source: Source, path: string): string {
  if (path === "") return source.key;
  return source.key === "" ? path : `${source.key}/${path}`;
}
