/** Runs inotify tools side by side, each over a copy of its own of the same directory, and gathers what they print. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bundleCommand, type Runtime, scratch, whereIs } from "../_programs.ts";
import { finished, plainEnvironment } from "../_run.ts";

/** The programs under test. */
export type Tool = "inotifywait" | "inotifywatch";

/** What a tool left behind; its own name in messages is replaced by TOOL. */
export interface Seen {
  readonly who: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One comparison: words, what happens in the directory meanwhile, and how the tool is ended. */
export interface Scene {
  readonly tool?: Tool;
  readonly words: readonly string[];
  /** Makes what is there before the tool starts. */
  readonly before?: (dir: string) => void;
  /** Steps, each followed by a pause that lets a recursive tool see new directories. */
  readonly steps?: readonly ((dir: string) => void)[];
  /** Sent at the end; absent: the tool ends by itself. */
  readonly end?: "SIGTERM" | "SIGINT";
  /** Which of our runtimes play; all unless told otherwise. */
  readonly runtimes?: readonly Runtime[];
}

const STEP_MS = 80;
const READY_MS = 30_000;
const TIMEOUT_MS = 60_000;
const RUNTIMES: readonly Runtime[] = ["node", "deno", "bun"];

let scenes = 0;

/** The command of each tool that can be compared: the stock one first. */
function commands(tool: Tool, runtimes: readonly Runtime[]): [string, string[]][] {
  const stock = whereIs(tool);
  const ours = runtimes.map((runtime) => [runtime, bundleCommand(runtime, `wsync-${tool}`)] as const);
  return [["stock", [stock!]], ...ours.flatMap(([who, words]) => (words ? [[who, words] as [string, string[]]] : []))];
}

/** Plays a scene for every tool at once. The stock tool's result comes first. */
export async function play(scene: Scene): Promise<Seen[]> {
  const tool = scene.tool ?? "inotifywait";
  const root = join(scratch, `inotify-${scenes++}`);
  const actors = commands(tool, scene.runtimes ?? RUNTIMES).map(([who, words]) => {
    const dir = join(root, who);
    mkdirSync(dir, { recursive: true });
    scene.before?.(dir);
    const env = plainEnvironment();
    const child = spawn(words[0], [...words.slice(1), ...scene.words], { cwd: dir, env, stdio: "pipe" });
    child.stdin.end();
    const out = gather(child);
    return { who, dir, child, out, ended: finished(child, TIMEOUT_MS, scene.words), name: words[words.length - 1] };
  });
  if (scene.steps) await Promise.all(actors.map(({ child }) => ready(child)));
  for (const step of scene.steps ?? []) {
    for (const { dir } of actors) step(dir);
    await pause(STEP_MS);
  }
  if (scene.end) for (const { child } of actors) child.kill(scene.end);
  return Promise.all(actors.map(async ({ who, ended, out, name }) => {
    const [code, signal] = await ended;
    const plain = (text: string): string =>
      text.replaceAll(`${name}: `, "TOOL: ").replaceAll(`wsync-${tool}: `, "TOOL: ");
    return { who, code, signal, stdout: out.stdout(), stderr: plain(out.stderr()) };
  }));
}

function gather(child: ChildProcess): { stdout: () => string; stderr: () => string } {
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]!.setEncoding("latin1").on("data", (chunk: string) => (texts[name] += chunk));
  }
  return { stdout: () => texts.stdout, stderr: () => texts.stderr };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until the kernel shows watches of the process, and no more are added. */
async function ready(child: ChildProcess): Promise<void> {
  const until = Date.now() + READY_MS;
  for (let last = -1; Date.now() < until && child.exitCode === null; await pause(STEP_MS)) {
    const count = watchCount(child.pid!);
    if (count > 0 && count === last) return;
    last = count;
  }
}

function watchCount(pid: number): number {
  try {
    const dir = `/proc/${pid}/fdinfo`;
    return readdirSync(dir).reduce((sum, fd) =>
      sum + (readFileSync(join(dir, fd), "utf8").match(/^(inotify wd|fanotify ino|fanotify sdev)/gm) ?? []).length, 0);
  } catch {
    return 0;
  }
}
