/**
 * wsync-inotifywatch: the command line, table and exit codes of inotifywatch from inotify-tools 3.22, with --json and
 * --version beyond it.
 */
import { type Host } from "../../host.ts";
import { EventSource } from "./eventsource.ts";
import { toolHelp, toolVersion } from "./helptext.ts";
import { ToolExit, ToolIo } from "./io.ts";
import { pathsOf, watchPaths } from "./setup.ts";
import { tableJson, tableText } from "./table.ts";
import { type CountOptions, parseCount } from "./countoptions.ts";

const PROGRAM = "wsync-inotifywatch";
/** Longest time that a timer can be set to, milliseconds. */
const MOST_MS = 2 ** 31 - 1;

/** Runs the program and returns its exit code. */
export async function inotifywatch(host: Host, version: string): Promise<number> {
  const io = new ToolIo(host, PROGRAM);
  const parsed = parseCount(host.argv, PROGRAM, host.env("POSIXLY_CORRECT") !== undefined);
  if (parsed.action === "help" || parsed.action === "version") {
    io.put(parsed.action === "help" ? toolHelp(PROGRAM, "watch") : toolVersion(PROGRAM, version));
    io.flush();
    // As the original's: its help is asked for by mistake as often as not.
    return parsed.action === "help" ? ToolExit.failure : ToolExit.success;
  }
  for (const line of parsed.messages) io.error(line);
  if (parsed.action === "fail") return ToolExit.failure;
  return count(io, parsed.options, parsed.words);
}

async function count(io: ToolIo, options: CountOptions, words: readonly string[]): Promise<number> {
  const source = EventSource.open(io, options, options.recursive ? "asked" : "no");
  if (source === null) return ToolExit.failure;
  const list = pathsOf(io, options, words);
  if (list === null) return ToolExit.failure;
  const { host } = io;
  let impatient = 0;
  const hurry = host.onSignal(["SIGINT"], () => {
    if (impatient++ > 0) host.exit(0);
    io.error("No statistics collected, because I haven't finished establishing inotify watches yet.  "
      + "If you are sure you want me to exit, interrupt me again.");
  });
  io.error("Establishing watches...");
  if (options.recursive && options.verbose > 0) {
    for (const path of list.watch) io.error(`Setting up watch(es) on ${path}`);
  }
  if (!watchPaths(io, source, options, list, (path, why) => `Failed to watch ${path}: ${why}`)) return ToolExit.failure;
  if (options.verbose > 0) tellWatches(io, source, options, list.watch);
  io.error("Finished establishing watches, now collecting statistics.");
  if (options.timeout > 0 && options.verbose > 0) {
    io.error(`Will listen for events for ${options.timeout} seconds.`);
  }
  hurry();
  await collect(io, source, options);
  print(io, source, options);
  return ToolExit.success;
}

function tellWatches(io: ToolIo, source: EventSource, options: CountOptions, paths: readonly string[]): void {
  if (options.recursive) for (const path of paths) io.error(`OK, ${path} is now being watched.`);
  io.error(`Total of ${source.size} watches.`);
}

/** Counts until a signal or the end of the time. */
async function collect(io: ToolIo, source: EventSource, options: CountOptions): Promise<void> {
  const { host } = io;
  const state = { done: false };
  let end = (): void => undefined;
  const ended = new Promise<boolean>((resolve) => {
    end = () => {
      state.done = true;
      resolve(false);
    };
  });
  const stops = [
    host.onSignal(["SIGINT", "SIGHUP", "SIGTERM"], end),
    host.onSignal(["SIGUSR1"], () => {
      print(io, source, options);
      io.put("\n");
      io.flush();
    }),
  ];
  const ms = options.timeout * 1000;
  if (ms > 0 && ms <= MOST_MS) void host.sleep(ms).then(end);
  while (!state.done) {
    const outcome = source.read((event) => {
      source.count(event);
      source.follow(event);
      return true;
    });
    if (outcome === "failed") break;
    if (outcome === "empty") await Promise.race([source.wait(0), ended]);
  }
  for (const stop of stops) stop();
}

function print(io: ToolIo, source: EventSource, options: CountOptions): void {
  if (options.json) io.put(tableJson(source.watches, options));
  else if (source.watches.every(({ total }) => total === 0)) io.error("No events occurred.");
  else io.put(tableText(source.watches, options));
  io.flush();
}
