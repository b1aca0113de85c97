/**
 * What failed transfers leave behind: the wire ends in the middle of a file, or one byte of it arrives changed. A stock
 * sender sends the same to stock rsync and to wsync, and both must leave the same files with the same attributes:
 * partial files, pieces in partial directories, files half written in place, backups, hard links.
 */
import { mkdirSync, linkSync, lstatSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, peer, peerVersion, projectRoot, quote, scratch, writeScript, wsync } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { compare, describeTree } from "../_trees.ts";
import { Dice } from "./_dice.ts";

const top = join(scratch, "interrupted");
const isReference = peer !== null && peerVersion.version.startsWith("3.5");
const reason = isReference ? missing("node") : "stock rsync 3.5 is not here (apt-get install rsync)";

function noise(seed: number, byteLength: number): Buffer {
  const dice = new Dice(seed);
  return Buffer.from(Uint8Array.from({ length: byteLength }, () => dice.below(256)));
}

const fresh = noise(1, 300_000);
/** What the destination or a basis directory has of it. */
const versions = {
  old: Buffer.concat([fresh.subarray(0, 100_000), noise(2, 900), fresh.subarray(100_900, 260_000)]),
  short: fresh.subarray(0, 120_000),
  other: noise(3, 120_000),
  near: Buffer.concat([fresh.subarray(0, 200_000), noise(4, 5000)]),
} as const;

type Way = "push" | "pull";
type Kind = "cut" | "flip";
/** Way, failure, where (a share of the bytes), options, what is in the destination. */
type Case = readonly [Way, Kind, number, string, string];

const cases: readonly Case[] = [
  ["push", "cut", 0.6, "", "old"],
  ["pull", "cut", 0.6, "--partial", "old"],
  ["push", "cut", 0.4, "--partial -b", "old"],
  ["pull", "cut", 0.6, "--partial-dir=.p", "old"],
  ["push", "cut", 0.9, "--partial-dir=.p --no-W", "old piece"],
  ["push", "cut", 0.75, "--partial-dir=TOP/abs", "piece"],
  ["pull", "cut", 0.6, "--delay-updates", "old"],
  ["push", "cut", 0.6, "--inplace --partial", "other"],
  ["pull", "cut", 0.6, "--inplace -b --backup-dir=TOP/bak", "old"],
  ["push", "cut", 0.75, "--append --partial", "short"],
  ["pull", "cut", 0.6, "--append-verify", "short"],
  ["push", "cut", 0.6, "-TTOP/tmp --partial", "old"],
  ["pull", "cut", 0.6, "--copy-dest=../alt --partial --no-W", "alt"],
  ["push", "cut", 0.6, "--link-dest=../alt --partial-dir=.p", "alt"],
  ["push", "cut", 0.6, "-y --partial --no-W", "similar"],
  ["pull", "cut", 0.6, "-H --partial", "old linked"],
  ["push", "cut", 0.6, "-H --inplace", "old linked"],
  ["pull", "cut", 0.6, "-S --partial", ""],
  ["push", "cut", 0.6, "--preallocate --partial", ""],
  ["push", "flip", 0.6, "", "old"],
  ["pull", "flip", 0.6, "--partial -b", "old"],
  ["push", "flip", 0.6, "--partial-dir=.p", "old piece"],
  ["pull", "flip", 0.6, "-H --delay-updates", ""],
  ["push", "flip", 0.6, "--inplace", "other"],
  ["pull", "flip", 0.8, "--append", "short"],
  ["push", "flip", 0.6, "-H --remove-source-files", "old linked"],
];

function write(path: string, bytes: Uint8Array | string, mtime: number, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes, { mode });
  utimesSync(path, mtime, mtime + 0.25);
}

function makeWorld(state: string): void {
  rmSync(top, { recursive: true, force: true });
  for (const dir of ["src", "dst", "tmp", "abs"]) mkdirSync(join(top, dir), { recursive: true });
  write(join(top, "src/a"), "new", 1.3e9);
  write(join(top, "src/big"), fresh, 1.3e9, 0o640);
  linkSync(join(top, "src/big"), join(top, "src/z"));
  write(join(top, "dst/a"), "what was there", 1.2e9, 0o600);
  for (const word of state.split(" ")) {
    if (word in versions) write(join(top, "dst/big"), versions[word as keyof typeof versions], 1.2e9, 0o600);
    if (word === "alt") write(join(top, "alt/big"), versions.near, 1.25e9);
    if (word === "similar") write(join(top, "dst/big.bak"), versions.near, 1.25e9);
    if (word === "linked") linkSync(join(top, "dst/big"), join(top, "dst/z"));
    if (word !== "piece") continue;
    for (const dir of ["dst/.p", "abs"]) write(join(top, dir, "big"), versions.short, 1.25e9, 0o600);
  }
  for (const dir of ["src", "dst"]) utimesSync(join(top, dir), 1.1e9, 1.1e9);
}

/** Everything below, with the time of the run as one time, and unfinished files as such: how much came is chance. */
function leftBehind(): Map<string, string> {
  const lines = describeTree(top, { hardLinks: true });
  const known = [fresh, ...Object.values(versions)];
  for (const [path, line] of lines) {
    const { mtimeNs, mode } = lstatSync(join(top, path), { bigint: true });
    const isNow = Math.abs(Number(mtimeNs / 1_000_000n) - Date.now()) < 600_000;
    let text = isNow ? line.replace(String(mtimeNs), "now") : line;
    if ((Number(mode) & 0o170000) === 0o100000) {
      const bytes = readFileSync(join(top, path));
      const unfinished = bytes.length > 1000 && !known.some((one) => one.equals(bytes));
      const what = fresh.subarray(0, bytes.length).equals(bytes) ? "part" : "mix";
      if (unfinished) text = text.replace(/\d+ [0-9a-f]{40}/, what);
    }
    lines.set(path, text);
  }
  return lines;
}

let wires = 0;

/** The receiver is `program`, the other side stock rsync. */
function transfer(program: string, [way, , , options]: Case, kind: Kind | "none", at: number): Promise<Outcome> {
  const script = join(projectRoot, "test/interop/_badwire.mjs");
  const words = [process.execPath, script, way, kind, String(at), join(scratch, "passed")];
  const shell = writeScript(`bad-wire-${wires++}`, `#!/bin/sh\nexec ${words.map(quote).join(" ")} "$@"\n`);
  const extra = options.replaceAll("TOP", top).split(" ").filter((word) => word !== "");
  const far = ["-e", shell, `--rsync-path=${way === "push" ? program : peer}`];
  const ends = way === "push" ? ["src/", "host:dst/"] : ["host:src/", "dst/"];
  const paths = ends.map((end) => end.replace(/(src|dst)/, join(top, "$1")));
  return run([way === "push" ? peer! : program, "-ai", "--no-i-r", "--timeout=30", ...extra, ...far, ...paths]);
}

/** What a program says of the files; how it tells of the connection is its own matter. */
function told({ stdout, stderr }: Outcome): string[] {
  const other = /closed|code \d+\)|write error|read error/;
  return [...stdout.split("\n"), ...stderr.split("\n")].filter((line) => line !== "" && !other.test(line)).sort();
}

describe.skipIf(reason !== "")(`interrupted transfers${reason === "" ? "" : ` [${reason}]`}`, () => {
  beforeAll(() => mkdirSync(top, { recursive: true }));
  it.each(cases)("%s, %s at %f, %s, with %s", async (...one) => {
    const [, kind, share, , state] = one;
    makeWorld(state);
    await transfer(peer!, one, "none", 0);
    const at = Math.floor(Number(readFileSync(join(scratch, "passed"), "latin1")) * share);
    const results = [];
    for (const program of [peer!, wsync("node")!]) {
      makeWorld(state);
      const outcome = await transfer(program, one, kind, at);
      results.push({ code: outcome.code, told: told(outcome), tree: leftBehind() });
    }
    const [theirs, ours] = results;
    expect({ ...ours, tree: compare(theirs.tree, ours.tree) }).toEqual({ ...theirs, tree: [] });
    if (kind === "cut") expect(ours.code).not.toBe(0);
  });
});
