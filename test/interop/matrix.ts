/**
 * The interop matrix: which transfers to try, and how to run one.
 *
 * A case brings an out-of-date copy of the standard tree up to date, so that new files, deltas, unchanged files, links
 * and odd names all occur in one pair of processes; then the trees are compared by content and attributes. With a
 * stock rsync in wsync's place (WSYNC_UNDER_TEST) every case must pass as well.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { peer, peerVersion, type Binary, type Runtime, scratch, wsync } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { type Server, type SshServer, fakeShell, startDaemon, writeSecret } from "../_servers.ts";
import { age, compare, type CompareOptions, describeTree, makeTree } from "../_trees.ts";

export type Transport = "local" | "shell" | "ssh" | "daemon" | "daemon-auth" | "daemon-shell";
export type Who = "client" | "server" | "both";
export type Direction = "push" | "pull";

/** One transfer to try. */
export interface Case {
  readonly transport: Transport;
  readonly direction: Direction;
  readonly who: Who;
  readonly variant: string;
  readonly protocol: number;
}

/** What a variant adds to -a, and what the comparison then looks at. */
interface Variant {
  readonly options: readonly string[];
  readonly compare?: CompareOptions;
  /** Entries that only the destination has stay, so they are not differences. */
  readonly deletes?: boolean;
  /** Oldest protocol the variant's options need. */
  readonly from?: number;
}

/** Ways to transfer, by name. */
export const variants: Readonly<Record<string, Variant>> = {
  plain: { options: [] },
  compressed: { options: ["-z"] },
  checksum: { options: ["-c"] },
  "no-incremental": { options: ["--no-i-r"] },
  "hard-links": { options: ["-H"], compare: { hardLinks: true } },
  delete: { options: ["--delete"], deletes: true },
  "whole-file": { options: ["-W"] },
  "md5-zlib": { options: ["-z", "--cc=md5", "--zc=zlib"], from: 30 },
  "xxh3-zlibx": { options: ["-z", "--cc=xxh3", "--zc=zlibx"], from: 30 },
  "old-block-size": { options: ["-B700", "--checksum-seed=7"] },
  "numeric-ids": { options: ["--numeric-ids", "-I"] },
};

/** The variants that issue the full protocol sweep on Node. */
export const sweptVariants = ["plain", "compressed", "checksum", "no-incremental"] as const;

/** Protocol versions in the matrix, up to what the peer speaks. */
export const protocols: readonly number[] =
  [27, 28, 29, 30, 31, 32].filter((version) => version <= peerVersion.protocol);

/** Paths, servers and trees shared by the cases of one test file. */
export interface Bench {
  readonly source: string;
  readonly aged: string;
  readonly daemon: Server;
  readonly shell: string;
  readonly secret: string;
  readonly expected: Map<string, string>;
  ssh: SshServer | null;
  stop(): void;
}

/** Makes the trees and starts a stock daemon whose modules reach the whole scratch folder. */
export async function setUp(name: string): Promise<Bench> {
  const top = join(scratch, name);
  mkdirSync(top, { recursive: true });
  const source = join(top, "source");
  makeTree(source);
  const aged = join(top, "aged");
  execFileSync("cp", ["-a", source, aged]);
  age(aged);
  const secrets = writeSecret(`${name}.secrets`, "tester:the secret\n");
  const secret = writeSecret(`${name}.password`, "the secret\n");
  const daemon = await startDaemon(peer!, {
    ro: { path: top, "read only": "yes" },
    rw: { path: top, "read only": "no" },
    auth: { path: top, "read only": "no", "auth users": "tester", "secrets file": secrets },
  });
  const bench: Bench = {
    source, aged, daemon, shell: fakeShell(), secret, expected: describeTree(source), ssh: null,
    stop: () => (daemon.stop(), bench.ssh?.stop()),
  };
  return bench;
}

let runs = 0;

/** Runs one case in a fresh destination and compares the result with the source. */
export async function tryCase(bench: Bench, runtime: Runtime | Binary, one: Case): Promise<void> {
  const top = join(bench.source, "..");
  const name = `dest${runs++}`;
  const dest = join(top, name);
  execFileSync("cp", ["-a", bench.aged, dest]);
  const outcome = await run(commandLine(bench, runtime, one, name), { timeoutMs: 60_000 });
  expectClean(outcome);
  expect(differences(bench, one, dest)).toEqual([]);
  rmSync(dest, { recursive: true, force: true });
}

/** Exit code 0 and nothing said on standard error. */
function expectClean(outcome: Outcome): void {
  const { code, signal, stderr } = outcome;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
}

function differences(bench: Bench, one: Case, dest: string): string[] {
  const variant = variants[one.variant];
  // Before protocol 31 only whole seconds travel.
  const options: CompareOptions = { ...variant.compare, times: one.protocol >= 31 ? "ns" : "s" };
  const lines = compare(describeTree(bench.source, options), describeTree(dest, options));
  return lines.filter((line) => variant.deletes === true || !line.startsWith("extra "));
}

/** The words of the client's command line. */
function commandLine(bench: Bench, runtime: Runtime | Binary, one: Case, dest: string): string[] {
  const ours = wsync(runtime)!;
  const client = one.who === "server" ? peer! : ours;
  const server = one.who === "client" ? peer! : ours;
  const words = [client, "-a", `--protocol=${one.protocol}`, "--timeout=50", ...variants[one.variant].options];
  const top = join(bench.source, "..");
  if (one.transport === "local") return [...words, "--no-whole-file", `${bench.source}/`, `${top}/${dest}/`];
  const [options, prefix] = reach(bench, one, server, top);
  const remote = (path: string): string => `${prefix}${path}`;
  const ends = one.direction === "push" ? [`${bench.source}/`, remote(`${dest}/`)]
    : [remote("source/"), `${top}/${dest}/`];
  return [...words, ...options, ...ends];
}

/** Options and path prefix that reach the case's other end. */
function reach(bench: Bench, one: Case, server: string, top: string): [string[], string] {
  const port = `--port=${bench.daemon.port}`;
  switch (one.transport) {
    case "shell": return [[`--rsh=${bench.shell}`, `--rsync-path=${server}`], `host:${top}/`];
    case "ssh": return [[`--rsh=${bench.ssh!.rsh}`, `--rsync-path=${server}`], `127.0.0.1:${top}/`];
    case "daemon": return [[port], `127.0.0.1::${one.direction === "push" ? "rw" : "ro"}/`];
    case "daemon-auth": return [[`--password-file=${bench.secret}`],
      `rsync://tester@127.0.0.1:${bench.daemon.port}/auth/`];
    default: throw new Error(`no such transport: ${one.transport}`);
  }
}

/** Who can play which part over a transport: a local copy is one program, and the daemon is always the stock one. */
function parts(transport: Transport): readonly Who[] {
  if (transport === "local") return ["both"];
  return transport === "shell" || transport === "ssh" ? ["client", "server", "both"] : ["client"];
}

function directions(transport: Transport): readonly Direction[] {
  return transport === "local" ? ["push"] : ["push", "pull"];
}

/** Every combination of the given transports, variants and protocols. */
export function fullMatrix(transports: readonly Transport[], names: readonly string[],
  versions: readonly number[]): Case[] {
  const each = transports.flatMap((transport) => directions(transport).flatMap((direction) =>
    parts(transport).map((who) => ({ transport, direction, who }))));
  const cases = each.flatMap((one) => names.flatMap((variant) =>
    versions.map((protocol) => ({ ...one, variant, protocol }))));
  return cases.filter(({ variant, protocol }) => protocol >= (variants[variant].from ?? 0));
}

/** A small subset of `cases` in which every pair of values of two different fields still occurs (greedy choice). */
export function pairwise(cases: readonly Case[]): Case[] {
  const pairsOf = new Map(cases.map((one) => [one, pairs(one)]));
  const wanted = new Set([...pairsOf.values()].flat());
  const chosen: Case[] = [];
  while (wanted.size > 0) {
    const gain = (one: Case): number => pairsOf.get(one)!.filter((pair) => wanted.has(pair)).length;
    const best = cases.reduce((a, b) => (gain(b) > gain(a) ? b : a));
    for (const pair of pairsOf.get(best)!) wanted.delete(pair);
    chosen.push(best);
  }
  return chosen;
}

function pairs(one: Case): string[] {
  const values = Object.entries(one).map(([field, value]) => `${field}=${value}`);
  return values.flatMap((a, i) => values.slice(i + 1).map((b) => `${a} ${b}`));
}

/** A case as a test title. */
export function titleOf(one: Case): string {
  return `${one.transport} ${one.direction}, wsync is ${one.who}, ${one.variant}, protocol ${one.protocol}`;
}
