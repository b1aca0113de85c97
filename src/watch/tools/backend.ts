/** What the two ways to get events from the kernel have in common. */
import { type ToolEvent } from "./format.ts";
import { type Watch } from "./watchset.ts";

/** An event and its watch; `wd` -1 belongs to none. */
export interface SourceEvent extends ToolEvent {
  readonly wd: number;
}

/** The kernel's side of a source. */
export interface Backend {
  readonly backend: "inotify" | "fanotify";
  /** What the kernel limits. */
  readonly resource: "watches" | "marks";
  readonly size: number;
  /** Watches a path, with everything below it unless `exclude` is null. 0, or -errno. */
  watch(path: string, exclude: readonly string[] | null): number;
  countTree(path: string, exclude: readonly string[]): number;
  /** Calls `visit` for each event read. The number of events, 0 for none, or -errno. */
  read(visit: (event: SourceEvent) => void): number;
  wait(): Promise<boolean>;
  /** Keeps the set of watches up to date after an event was reported. */
  follow(event: SourceEvent): void;
  count(event: SourceEvent): void;
  readonly watches: readonly Watch[];
}
