/** --watch on the command line: prints, answers signals, and ends cleanly. */
import { type Host } from "../host.ts";
import { bytesOf } from "../memory.ts";
import { type ProgramPlatform } from "../conversation/conversation.ts";
import { type Options } from "../options/options.ts";
import { type ParseContext } from "../options/parse.ts";
import { jsonLine, jsonObserver } from "../output/jsonlines.ts";
import { type WatchEvent } from "./events.ts";
import { liveText, Reporter } from "./report.ts";
import { watch, type WatchHandle } from "./watch.ts";

const CLEAR_LINE = "\r\x1b[K";
const COLUMNS = 79;

/** Runs until a signal ends it; 0 then. Throws WsyncError when it could not begin. */
export async function runWatch(
  platform: ProgramPlatform, options: Options, parseContext: ParseContext,
): Promise<number> {
  const { host, interrupts } = platform;
  const printer = new Printer(host, options);
  const observer = options.json ? jsonObserver((bytes) => host.print(1, bytes)) : null;
  const handle = watch({
    platform: { ...platform, host: printer.around(host) }, options, parseContext, observer,
    tell: (event) => printer.tell(event),
  });
  printer.handle = handle;
  const release = interrupts.add(() => handle.stop());
  const quiet = interrupts.answerUsr1(() => printer.tell(handle.status()));
  try {
    await handle.ended;
  } finally {
    release();
    quiet();
    printer.end();
  }
  return 0;
}

/** Where events go. */
class Printer {
  handle: WatchHandle | null = null;
  private readonly host: Host;
  private readonly json: boolean;
  private readonly live: boolean;
  private readonly reporter: Reporter;
  private drawn = false;

  constructor(host: Host, { json, quiet, verbose }: Options) {
    this.host = host;
    this.json = json;
    this.live = !json && quiet === 0 && verbose === 0 && host.isTerminal(1);
    this.reporter = new Reporter(verbose, quiet > 0);
  }

  tell(event: WatchEvent): void {
    const { host } = this;
    if (this.json) {
      host.print(1, jsonLine(event));
      return;
    }
    const lines = this.reporter.lines(event);
    if (lines.length > 0) this.end();
    for (const { fd, text } of lines) host.print(fd, bytesOf(`${text}\n`));
    if (this.live && this.handle !== null && event.type !== "status" && event.type !== "end") this.draw(this.handle);
  }

  /** The host for sessions: what they print takes the live line's place. */
  around(host: Host): Host {
    const print: Host["print"] = (fd, bytes) => {
      this.end();
      host.print(fd, bytes);
    };
    return Object.create(host, { print: { value: print, enumerable: true } }) as Host;
  }

  /** Takes the live line away. */
  end(): void {
    if (this.drawn) this.host.print(1, bytesOf(CLEAR_LINE));
    this.drawn = false;
  }

  private draw(handle: WatchHandle): void {
    const { changes, targets } = handle.status();
    const text = liveText(targets, changes, this.host.now()).slice(0, COLUMNS);
    this.host.print(1, bytesOf(CLEAR_LINE + text));
    this.drawn = true;
  }
}
