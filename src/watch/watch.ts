/** Continuous sync for callers from outside this folder: the command line, and the library. */
import { type Platform } from "../conversation/conversation.ts";
import { type Options } from "../options/options.ts";
import { type ParseContext } from "../options/parse.ts";
import { type Observer } from "../output/events.ts";
import { type StatusEvent, type WatchEvent } from "./events.ts";
import { watchSettings } from "./settings.ts";
import { ContinuousSync } from "./sync.ts";

/** What to keep up to date, and who hears of it. */
export interface WatchRequest {
  readonly platform: Platform;
  /** Of a transfer with --watch; see options/parse.ts. */
  readonly options: Options;
  readonly parseContext: ParseContext;
  /** Called with each event, in order; it must not throw. */
  readonly tell: (event: WatchEvent) => void;
  /** Hears what the session of each round does; null: sessions print as any transfer does. */
  readonly observer: Observer | null;
}

/** A watch under way. */
export interface WatchHandle {
  /** Resolves when the watch has ended after `stop`. Rejects with WsyncError when it could not begin. */
  readonly ended: Promise<void>;
  /** Ends sessions under way in order, then the watch. Idempotent. */
  stop(): void;
  /** How things stand. */
  status(): StatusEvent;
}

/** Begins to watch. Throws UsageError for options that cannot be watched with, and for missing sources. */
export function watch({ platform, options, parseContext, tell, observer }: WatchRequest): WatchHandle {
  const settings = watchSettings(options);
  const sync = new ContinuousSync({ platform, options, parseContext, settings, tell, observer });
  return { ended: sync.run(), stop: () => sync.stop(), status: () => sync.status() };
}
