/** `watch`: continuous sync for programs, as `wsync --watch` does it. */
import { parseHostSpec } from "../client/hostspec.ts";
import { UsageError } from "../errors.ts";
import { type Host } from "../host.ts";
import { nameOfText } from "../memory.ts";
import { type Observer, type RunEvent } from "../output/events.ts";
import { readable } from "../output/jsonlines.ts";
import { type StatusEvent, type WatchEvent } from "../watch/events.ts";
import { watch, type WatchHandle } from "../watch/watch.ts";
import { AbortHub } from "./aborthub.ts";
import { type TransferOptions } from "./options.ts";
import { isPlace, type Source, Station, type Surroundings } from "./station.ts";

/** What `watch` takes besides rsync's options. */
export interface WatchSettings extends Surroundings {
  /**
   * Called with all that happens, in order: what the watch does, and what the transfer of each round does. An error
   * that it throws ends the watch.
   */
  readonly onEvent?: (event: WatchEvent | RunEvent) => void;
  /** Ends the watch in order, as `stop` does. */
  readonly signal?: AbortSignal;
}

/** How `watch` works: rsync's options and those of --watch by name, and what programs need. */
export type WatchOptions = WatchSettings & TransferOptions;

/** A watch under way. */
export interface Watching {
  /** Resolves when the watch has ended after `stop`. Rejects when it could not begin (UsageError). */
  readonly ended: Promise<void>;
  /** Ends what is under way in order; resolves when the watch has ended. */
  stop(): Promise<void>;
  /** How things stand: each target with what it has and when. */
  status(): StatusEvent;
}

/** See WatchFunction. `host` is the runtime's. */
export function runWatch(
  host: Host, source: Source, target: string | readonly string[], options: WatchOptions = {},
): Watching {
  const { onEvent, signal, password, env, connect, ...transfer } = options;
  const [first, ...others] = typeof target === "string" ? [target] : target;
  if (first === undefined) throw new UsageError("nothing to keep up to date: give a target");
  const ending = new Ending(signal);
  const tell = (event: WatchEvent | RunEvent): void => ending.guard(() => {
    onEvent?.(readable(event) as unknown as WatchEvent | RunEvent);
  });
  const station = new Station(host, { password, env, connect }, new AbortHub(undefined), (text) => {
    tell({ type: "message", text });
  });
  const words = ["--watch", ...others.map((one) => `--watch-target=${nameOfText(one)}`)];
  if (isPlace(source)) {
    if ([first, ...others].some((one) => parseHostSpec(nameOfText(one), 0) === null)) {
      throw new UsageError("what is watched in another file system can go to remote targets alone");
    }
    // Nobody tells of changes there.
    if (transfer.watchBackend === undefined) words.push("--watch-backend=poll");
  }
  const observer: Observer = { mutes: "all", event: tell };
  return ending.of(watch({ ...station.prepare(source, first, transfer, words), observer, tell }));
}

/** How a watch comes to its end. */
class Ending {
  private readonly signal: AbortSignal | undefined;
  private handle: WatchHandle | null = null;
  private failure: { readonly error: unknown } | null = null;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
  }

  /** Runs the caller's code, whose errors end the watch. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failure ??= { error };
      this.handle?.stop();
    }
  }

  of(handle: WatchHandle): Watching {
    this.handle = handle;
    const abort = (): void => handle.stop();
    if (this.signal?.aborted || this.failure !== null) abort();
    this.signal?.addEventListener("abort", abort, { once: true });
    const ended = this.wait(handle).finally(() => this.signal?.removeEventListener("abort", abort));
    const stop = async (): Promise<void> => {
      handle.stop();
      await ended;
    };
    return { ended, stop, status: () => readable(handle.status()) as unknown as StatusEvent };
  }

  private async wait({ ended }: WatchHandle): Promise<void> {
    await ended;
    if (this.failure !== null) throw this.failure.error;
  }
}
