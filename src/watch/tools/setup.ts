/** Setting up what both tools watch. */
import { limitAdvice, raiseLines } from "../limits.ts";
import { type EventSource } from "./eventsource.ts";
import { type ToolIo } from "./io.ts";
import { type CommonOptions } from "./options.ts";
import { type PathList, pathList } from "./pathlist.ts";

/** The paths to watch; null, told, when there are none. */
export function pathsOf(io: ToolIo, options: CommonOptions, words: readonly string[]): PathList | null {
  let text = "";
  if (options.fromFile !== null) {
    const read = io.readText(options.fromFile);
    if (typeof read === "string") text = read;
    else io.error(`Couldn't open ${options.fromFile}: ${io.fs.strerror(-read)}`);
  }
  const list = pathList(text, words);
  if (list.watch.length > 0) return list;
  io.error("No files specified to watch!");
  return null;
}

/** Watches all paths; false, told, when one cannot be watched. `told` words the failure of one path. */
export function watchPaths(
  io: ToolIo, source: EventSource, options: CommonOptions, { watch, exclude }: PathList,
  told: (path: string, why: string) => string = (path, why) => `Couldn't watch ${path}: ${why}`,
): boolean {
  if (options.recursive && !options.fanotify) adviseAboutWatches(io, source, watch, exclude);
  for (const path of watch) {
    const error = source.watch(path, options.recursive ? exclude : null);
    if (error >= 0) continue;
    if (error === -io.fs.constants.E.ENOSPC) tellLimit(io, source, path);
    else io.message(told(path, io.fs.strerror(-error)));
    return false;
  }
  return true;
}

/** Counts the directories first, so that a limit that is too small is named before it is met. */
function adviseAboutWatches(
  io: ToolIo, source: EventSource, paths: readonly string[], exclude: readonly string[],
): void {
  const needed = paths.reduce((sum, path) => sum + source.countTree(path, exclude), 0);
  const what = `${needed} directories are to be watched`;
  for (const line of limitAdvice(io.fs, "inotify/max_user_watches", needed, what)) io.message(line);
}

function tellLimit(io: ToolIo, source: EventSource, path: string): void {
  const { backend, resource } = source;
  io.message(`Failed to watch ${path}; upper limit on ${backend} ${resource} reached!`);
  io.message(`Please increase the amount of ${backend} ${resource} allowed per user via `
    + `\`/proc/sys/fs/${backend}/max_user_${resource}'.`);
  const limit = backend === "inotify" ? "inotify/max_user_watches" : "fanotify/max_user_marks";
  for (const line of raiseLines(limit, source.size + 1)) io.message(line);
}
