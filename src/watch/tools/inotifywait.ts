/**
 * wsync-inotifywait: the command line, output and exit codes of inotifywait from inotify-tools 3.22, with --json and
 * --version beyond it.
 */
import { type Host } from "../../host.ts";
import { IN } from "../../posix/inotify.ts";
import { csvEvent, type FormatClock, formatEvent, jsonEvent, type ToolEvent } from "./format.ts";
import { detach, isDetached } from "./detach.ts";
import { EventSource } from "./eventsource.ts";
import { toolHelp, toolVersion } from "./helptext.ts";
import { ToolExit, ToolIo } from "./io.ts";
import { parseWait, type WaitOptions } from "./waitoptions.ts";
import { pathsOf, watchPaths } from "./setup.ts";

const PROGRAM = "wsync-inotifywait";
const DEFAULT_FORMAT = "%w %,e %f\n";

/** Runs the program and returns its exit code. */
export async function inotifywait(host: Host, version: string): Promise<number> {
  const io = new ToolIo(host, PROGRAM);
  const parsed = parseWait(host.argv, PROGRAM, host.env("POSIXLY_CORRECT") !== undefined);
  if (parsed.action === "help" || parsed.action === "version") {
    io.put(parsed.action === "help" ? toolHelp(PROGRAM, "wait") : toolVersion(PROGRAM, version));
    io.flush();
    // As the original's: its help is asked for by mistake as often as not.
    return parsed.action === "help" ? ToolExit.failure : ToolExit.success;
  }
  for (const line of parsed.messages) io.error(line);
  if (parsed.action === "fail") return ToolExit.failure;
  const run = new WaitRun(io, parsed.options);
  return run.run(parsed.words);
}

class WaitRun {
  private readonly io: ToolIo;
  private readonly options: WaitOptions;
  private readonly clock: FormatClock;
  /** Old path by cookie, for the second half of a rename. */
  private readonly departures = new Map<number, string>();

  constructor(io: ToolIo, options: WaitOptions) {
    this.io = io;
    this.options = options;
    const now = (): number => Math.floor(io.host.now() / 1000);
    this.clock = {
      now: () => io.host.now() / 1000,
      time: () => (options.timeFormat === null ? "" : io.text?.time(options.timeFormat, now()) ?? ""),
    };
  }

  async run(words: readonly string[]): Promise<number> {
    const { io, options } = this;
    const source = EventSource.open(io, options, options.monitor && options.recursive ? "always" : "no");
    if (source === null) return ToolExit.failure;
    const list = pathsOf(io, options, words);
    if (list === null) return ToolExit.failure;
    if (options.daemon && !isDetached(io)) return detach(io, options.outFile!);
    if (!this.openOutput()) return ToolExit.failure;
    if (options.syslog) {
      io.text?.openLog("inotifywait");
      io.toSyslog = true;
    }
    if (options.quiet === 0) io.message(greeting(options));
    if (!watchPaths(io, source, options, list)) return ToolExit.failure;
    if (options.quiet === 0) io.message("Watches established.");
    return this.listen(source);
  }

  /** Events until the first one that counts, or for ever. */
  private async listen(source: EventSource): Promise<number> {
    const { io, options } = this;
    let last = 0;
    const take = (event: ToolEvent & { readonly wd: number }): boolean => {
      last = event.mask;
      if (options.quiet < 2) this.print(event);
      source.follow(event);
      return options.monitor;
    };
    for (;;) {
      const outcome = source.read(take);
      io.flush();
      if (outcome === "enough") return (source.mask & last) === 0 ? ToolExit.failure : ToolExit.success;
      if (outcome === "failed") return ToolExit.failure;
      if (outcome === "empty" && !(await source.wait(options.timeout))) return ToolExit.timeout;
    }
  }

  private print(event: ToolEvent): void {
    const { io, options, clock } = this;
    const wanted = options.events === 0 ? IN.ALL_EVENTS : options.events;
    if (options.json) {
      const from = this.departure(event);
      if ((event.mask & (wanted | IN.Q_OVERFLOW)) !== 0) io.put(jsonEvent(event, from, clock));
      return;
    }
    if ((event.mask & wanted) === 0) return;
    if (options.csv) io.put(csvEvent(event));
    else io.put(formatEvent(options.format ?? DEFAULT_FORMAT, event, clock) ?? "");
  }

  /** Remembers the first half of a rename; the old path for the second. */
  private departure({ mask, cookie, watched, name }: ToolEvent): string | null {
    if (cookie === 0) return null;
    if ((mask & IN.MOVED_FROM) !== 0) {
      this.departures.clear();
      this.departures.set(cookie, watched + name);
      return null;
    }
    return this.departures.get(cookie) ?? null;
  }

  private openOutput(): boolean {
    const { io, options } = this;
    if (options.outFile === null) return true;
    const { O, AT } = io.fs.constants;
    const flags = O.WRONLY | O.CREAT | O.APPEND | O.CLOEXEC;
    io.outFd = io.fs.openat(AT.FDCWD, io.fs.cstr(options.outFile), flags, 0o600);
    if (io.outFd < 0) io.error(`Failed to open output file ${options.outFile}`);
    return io.outFd >= 0;
  }
}

function greeting(options: WaitOptions): string {
  if (options.filesystem) return "Setting up filesystem watches.";
  if (!options.recursive) return "Setting up watches.";
  return "Setting up watches.  Beware: since -r was given, this may take a while!";
}
