/** Running programs from tests: output gathered, time bounded, never through a shell. */
import { type ChildProcess, spawn } from "node:child_process";
import { type Readable } from "node:stream";

const runningPrograms = new Map<ChildProcess, NodeJS.Signals>();
process.on("exit", () => {
  for (const [child, signal] of runningPrograms) child.kill(signal);
});

/** Ends a program with this process, if it has not ended by then. */
export function killAtExit(child: ChildProcess, signal: NodeJS.Signals): void {
  runningPrograms.set(child, signal);
  child.once("exit", () => runningPrograms.delete(child));
}

/** What a finished program left behind. Output as latin1, so that any byte survives. */
export interface Outcome {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to a plain environment; null removes a name. */
  readonly env?: Readonly<Record<string, string | null>>;
  readonly input?: string;
  /** Killed after this long; 60 s unless told otherwise. */
  readonly timeoutMs?: number;
}

/** The environment of every tested program: English messages, UTC, no rsync settings of the person who tests. */
export function plainEnvironment(extra: RunOptions["env"] = {}): Record<string, string> {
  const { PATH = "/usr/bin:/bin", HOME = "/" } = process.env;
  const env: Record<string, string> = { PATH, HOME, LC_ALL: "C", TZ: "UTC", TERM: "dumb", NO_COLOR: "1" };
  for (const [name, value] of Object.entries(extra)) {
    if (value === null) delete env[name];
    else env[name] = value;
  }
  return env;
}

/** Runs a program to its end. Arguments are latin1 names; a word with high bytes needs `sh -c` by the caller. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(argv[0], argv.slice(1), { cwd: options.cwd, env: plainEnvironment(options.env), stdio: "pipe" });
  const stdout = gather(child.stdout);
  const stderr = gather(child.stderr);
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  return finished(child, options.timeoutMs ?? 60_000, argv).then(([code, signal]) => ({
    code, signal, stdout: stdout(), stderr: stderr(), elapsedMs: performance.now() - started,
  }));
}

function gather(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("latin1");
}

/** Exit code and signal, one of them null. */
type Ending = [number | null, string | null];

/** Resolves when a child has ended and its pipes are closed; rejects, killing it, when it takes too long. */
export function finished(child: ChildProcess, timeoutMs: number, argv: readonly string[]): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`still running after ${timeoutMs} ms: ${argv.join(" ")}`));
    }, timeoutMs);
    child.on("error", (error) => (clearTimeout(timer), reject(error)));
    child.on("close", (code, signal) => (clearTimeout(timer), resolve([code, signal])));
  });
}
