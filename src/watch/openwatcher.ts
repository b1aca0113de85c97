/** Chooses how to notice changes: as asked, or the best that works here. */
import { type Host } from "../host.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { EventsWatcher } from "./eventswatcher.ts";
import { FanotifyWatcher } from "./fanotifywatcher.ts";
import { InotifyWatcher } from "./inotifywatcher.ts";
import { PollWatcher } from "./pollwatcher.ts";
import { type WatchSettings } from "./settings.ts";
import { type Source } from "./sources.ts";
import { type ChangeSink, type Watcher } from "./watcher.ts";

/** A watcher, or why the one that was asked for cannot be had. */
export function openWatcher(
  host: Host, fs: FileSystem, sources: readonly Source[], sink: ChangeSink, settings: WatchSettings,
): Watcher | string {
  const poll = (): Watcher => new PollWatcher(host, fs, sources, sink, settings.pollMs);
  const events = (): Watcher | null => EventsWatcher.open(host, fs, sources, sink);
  const missing = settings.backend === null || settings.backend === "inotify" ? InotifyWatcher.missing(host, fs) : "";
  switch (settings.backend) {
    case "poll":
      return poll();
    case "events":
      return events() ?? "this runtime has no fs.watch";
    case "fanotify":
      return FanotifyWatcher.open(host, fs, sources, sink);
    case "inotify":
      return missing === "" ? new InotifyWatcher(host, fs, sources, sink) : `inotify cannot be used: ${missing}`;
    default:
      if (missing === "") return new InotifyWatcher(host, fs, sources, sink);
      sink.warn(`inotify cannot be used: ${missing}`);
      return events() ?? poll();
  }
}
