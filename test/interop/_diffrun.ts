/**
 * One comparison of the differential test: the same command line for stock rsync and for wsync, from equal trees. What
 * they leave behind, print and return must be equal.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { finished, plainEnvironment } from "../_run.ts";
import { compare, describeTree } from "../_trees.ts";
import { randomOptions, randomWay, type Way } from "./_diffoptions.ts";
import { Dice } from "./_dice.ts";
import { describeExtras } from "./_diffextras.ts";
import { comesToNothing, comparable, isAside, sensible } from "./_diffknown.ts";
import { makeWorld, type World } from "./_difftree.ts";

/** Seeds from here on stand for rich trees. */
export const RICH_SEEDS = 1_000_000;

/** The ordinary user of the runs that are not root's. */
const NOBODY = 65534;

/** A command line to compare. */
export interface Comparison {
  readonly seed: number;
  readonly options: readonly string[];
  readonly way: Way;
  readonly protocol: number;
  /** wsync is the client, the server, or both of them; the other one is stock rsync. */
  readonly who: "client" | "server" | "both";
  readonly world: World;
}

/** The programs and the remote shell that stays here. */
export interface Programs {
  readonly wsync: string;
  readonly stock: string;
  readonly shell: string;
}

/** The comparison that a seed stands for. */
export function comparisonOf(seed: number): Comparison {
  const dice = new Dice(seed);
  const isRoot = process.getuid?.() === 0;
  const root = isRoot && dice.chance(70);
  const { way, protocol } = randomWay(dice);
  const who = way === "local" ? "both" : dice.pick(["client", "server", "both"] as const);
  const rich = seed >= RICH_SEEDS;
  const options = sensible(randomOptions(dice, rich), root);
  const links = options.some((word) => word.startsWith("-H"));
  const world = { root, uid: root ? 0 : isRoot ? NOBODY : (process.getuid?.() ?? 0), rich, links };
  return { seed, options, way, protocol, who, world };
}

/** A comparison as one line. */
export function titleOf({ seed, options, way, protocol, who, world }: Comparison): string {
  const version = way === "local" ? "" : ` protocol ${protocol}`;
  return `seed ${seed}: ${options.join(" ")} (${way}, wsync is ${who}${version}${world.root ? "" : ", ordinary user"})`;
}

/** What a run printed, returned and left behind. */
export interface Result {
  readonly code: number | null;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  readonly tree: Map<string, string>;
}

/** Exit codes of runs that come to nothing. */
const FATAL: readonly number[] = [1, 2, 4, 12];

/** Differences between the two programs, as lines; empty when they agree. `work` is emptied first. */
export async function differences(one: Comparison, programs: Programs, work: string): Promise<string[]> {
  const { wsync, stock } = programs;
  const theirs = await result(one, stock, stock, programs.shell, work).catch(orHangs);
  if (theirs === null) return [];
  const client = one.who === "server" ? stock : wsync;
  const ours = await result(one, client, one.who === "client" ? stock : wsync, programs.shell, work);
  if (comesToNothing(one, theirs, ours)) return [];
  const lines: string[] = [];
  if (ours.code !== theirs.code) lines.push(`exit code ${ours.code}, expected ${theirs.code}`);
  lines.push(...lineDifferences("out", theirs.stdout, ours.stdout));
  // Of a run that failed as a whole either side, or both, may say why.
  if (!FATAL.includes(theirs.code ?? 0)) {
    const [expected, actual] = [theirs, ours].map(({ stderr }) => stderr.filter((line) => !isAside(one, line)));
    lines.push(...lineDifferences("err", expected, actual));
  }
  lines.push(...compare(...comparable(one, theirs.tree, ours.tree)));
  return lines;
}

/** Stock rsync may wait for itself for ever, as for the ids that are mapped under an old protocol. */
function orHangs(error: unknown): null {
  if (error instanceof Error && error.message.startsWith("still running")) return null;
  throw error;
}

async function result(one: Comparison, client: string, server: string, shell: string, work: string): Promise<Result> {
  emptyFolder(work);
  makeWorld(work, one.seed, one.world);
  const words = one.options.map((word) => word.replace("WORK", work).replace(/^(--filter=\S+)_/, "$1 "));
  const far = one.way === "local" ? [] : ["-e", shell, `--rsync-path=${server}`, `--protocol=${one.protocol}`];
  const [from, to] = [`${work}/src/`, `${work}/dst/`];
  const ends = one.way === "local" ? [from, to] : one.way === "push" ? [from, `host:${to}`] : [`host:${from}`, to];
  const uid = process.getuid?.() === 0 && !one.world.root ? one.world.uid : undefined;
  const outcome = await runAs([client, ...words, ...far, ...ends], work, uid);
  return {
    code: outcome.code, stdout: masked(outcome.stdout, work), stderr: masked(outcome.stderr, work),
    tree: treeOf(work, one.options.some((word) => word.startsWith("-U")), one.world.rich),
  };
}

function emptyFolder(work: string): void {
  execFileSync("rm", ["-rf", work]);
  mkdirSync(work);
  chmodSync(work, 0o777);
}

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program as a user; undefined: as this one. */
export async function runAs(argv: readonly string[], cwd: string, uid: number | undefined): Promise<Outcome> {
  const options = { cwd, env: plainEnvironment(), uid, gid: uid };
  const child = spawn(argv[0], argv.slice(1), { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const stdout = gather(child, "stdout");
  const stderr = gather(child, "stderr");
  const [code] = await finished(child, 60_000, argv);
  return { code, stdout: stdout(), stderr: stderr() };
}

function gather(child: ChildProcess, name: "stdout" | "stderr"): () => string {
  const chunks: Buffer[] = [];
  child[name]!.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("latin1");
}

/** What need not be equal: byte counts, and how a broken connection is told of. */
const UNEQUAL = new RegExp("^(sent \\d|total size is|opening connection|rsync error: (received SIGUSR1|error in rsync)"
  + "|rsync: connection unexpectedly closed|rsync: \\[\\w+\\] write error)");

/** Lines in an order of their own: two processes of rsync write them. What no two runs share is masked. */
export function masked(text: string, work: string): string[] {
  const lines = text.split("\n").filter((line) => line !== "" && !UNEQUAL.test(line));
  return lines.map((line) => line.replaceAll(work, "WORK")
    .replace(/^(total: matches=\d+  hash_hits=)\d+/, "$1N")
    .replace(/ at [\w.]+\(\d+\) \[(\w+)=[\d.]+\]$/, " [$1]")
    .replaceAll("WORK/src/./", "WORK/src/")
    .replace(/\[(generator|receiver)\] (backup \w+|failed to (?:read|write) xattr)/, "[either] $2")
    .replaceAll(/(\.[^/"]*)\.(\d+|[A-Za-z0-9]{6})(?=[" :])/g, "$1.XXXXXX")).sort();
}

function lineDifferences(name: string, expected: readonly string[], actual: readonly string[]): string[] {
  const rest = [...actual];
  const lines: string[] = [];
  for (const line of expected) {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    else lines.push(`${name} lacks: ${line}`);
  }
  return [...lines, ...rest.map((line) => `${name} has besides: ${line}`)];
}

/** Everything below the folder. Times of the run itself count as equal. */
export function treeOf(work: string, atimes: boolean, extras = false): Map<string, string> {
  const lines = describeTree(work, { hardLinks: true });
  const now = Date.now();
  const near = (ms: number): boolean => Math.abs(ms - now) < 600_000;
  for (const [path, line] of lines) {
    const stat = lstatSync(Buffer.from(join(work, path), "latin1"), { bigint: true });
    let text = near(Number(stat.mtimeMs)) ? line.replace(String(stat.mtimeNs), "now") : line;
    if (atimes && stat.isFile()) text += ` atime ${near(Number(stat.atimeMs)) ? "now" : stat.atimeNs}`;
    if (stat.isFile()) text += ` blocks ${stat.blocks}`;
    if (extras) text += describeExtras(join(work, path));
    lines.set(path, text);
  }
  return lines;
}
