/** Starts wsync --watch, reads its events, waits for what they tell, and compares trees with stock rsync's copy. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { peer, type Runtime, scratch, wsync } from "../_programs.ts";
import { finished, killAtExit, plainEnvironment, run, type RunOptions } from "../_run.ts";
import { compare, describeTree } from "../_trees.ts";

/** One event as --json prints it. */
export type Event = Readonly<Record<string, unknown>> & { readonly type: string };

const PATIENCE_MS = 60_000;

let folders = 0;

/** A new folder with an empty source in it. */
export function newPlace(): { root: string; source: string; target: string } {
  const root = join(scratch, `watch-${process.pid}-${folders++}`);
  const source = join(root, "source");
  mkdirSync(source, { recursive: true });
  return { root, source, target: join(root, "target") };
}

/** A running `wsync -a --delete --watch`. */
export class Watching {
  readonly events: Event[] = [];
  readonly child: ChildProcess;
  stderr = "";
  private readonly ended: Promise<[number | null, string | null]>;
  private rest = "";
  private look: () => void = () => undefined;

  constructor(runtime: Runtime, words: readonly string[], env?: RunOptions["env"]) {
    const options = ["-a", "--delete", "--watch", "--json"];
    options.push("--watch-delay=0.1", "--watch-audit=0", "--watch-retry=0.5");
    const argv = [wsync(runtime)!, ...options, ...words];
    this.child = spawn(argv[0], argv.slice(1), { env: plainEnvironment(env), stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => this.take(text));
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.ended = finished(this.child, 10 * PATIENCE_MS, argv);
    // A test that fails leaves nothing running.
    killAtExit(this.child, "SIGKILL");
  }

  /** Resolves with the first event, from number `from` on, that satisfies `wanted`. */
  async until(wanted: (event: Event) => boolean, from = 0, timeoutMs = PATIENCE_MS): Promise<Event> {
    const giveUp = Date.now() + timeoutMs;
    for (;;) {
      const found = this.events.slice(from).find(wanted);
      if (found !== undefined) return found;
      if (Date.now() > giveUp) throw new Error(`no such event: ${this.story()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.look = () => (clearTimeout(timer), resolve());
      });
    }
  }

  /** Resolves once a target is in sync by a round that ends from now on, or was and stays so. */
  async settled(target: string, from = this.events.length): Promise<void> {
    await this.until((event) => event.type === "round" && event.target === target && event.inSync === true, from);
    await this.quiet(target);
  }

  /** Resolves when the status says that the target has everything, twice in a row. */
  async quiet(target: string): Promise<void> {
    let calm = 0;
    for (const until = Date.now() + PATIENCE_MS; calm < 2 && Date.now() < until;) {
      const state = await this.stateOf(target);
      calm = state === "in sync" ? calm + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    if (calm < 2) throw new Error(`not in sync: ${this.story()}`);
  }

  /** What SIGUSR1 tells. */
  async status(): Promise<Event> {
    const from = this.events.length;
    this.child.kill("SIGUSR1");
    return this.until(({ type }) => type === "status", from);
  }

  async stateOf(target: string): Promise<string> {
    const { targets } = await this.status();
    return (targets as { target: string; state: string }[]).find((one) => one.target === target)!.state;
  }

  /** Ends it as a service manager does; its exit code. */
  async stop(): Promise<number | null> {
    this.child.kill("SIGTERM");
    return (await this.ended)[0];
  }

  /** Ends it at once, without a chance to clean up. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  private take(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop()!;
    for (const line of lines) this.events.push(JSON.parse(line) as Event);
    this.look();
  }

  private story(): string {
    const told = this.events.filter(({ type }) => !["file", "delete", "start", "summary"].includes(type)).slice(-12);
    return `${told.map((event) => JSON.stringify(event)).join("\n")}\n${this.stderr.slice(-2000)}`;
  }
}

/** Differences between a target and the copy that stock rsync makes of the source now. */
export async function drift(source: string, target: string, times: "ns" | "s" = "ns"): Promise<string[]> {
  const copy = `${target}.stock`;
  // To the nanosecond, which rsync by itself does not care for.
  const { code, stderr } = await run([peer!, "-a", "--delete", "--modify-window=-1", `${source}/`, `${copy}/`]);
  if (code !== 0) throw new Error(stderr);
  return compare(describeTree(copy, { times }), describeTree(target, { times }));
}
