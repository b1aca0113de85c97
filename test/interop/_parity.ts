/**
 * One comparison of command lines: what stock rsync and wsync make of the same words. Where they would start another
 * program, its words must be equal, and those sent to it; else exit code and output.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { peer, scratch, writeScript } from "../_programs.ts";
import { plainEnvironment, run } from "../_run.ts";
import { attempt } from "./_inprocess.ts";

/** A command line with settings of the environment in front. */
export interface Vector {
  readonly env: Readonly<Record<string, string>>;
  readonly words: readonly string[];
}

/** What is compared. */
interface Verdict {
  readonly code: number | null;
  readonly started: readonly string[] | null;
  readonly sent: readonly string[] | null;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

const record = join(scratch, "echoed");

/** Where both run: words that are taken for a file to write go into this folder. */
const work = join(scratch, "parity");
mkdirSync(join(work, "src"), { recursive: true });
process.chdir(work);

/** A remote shell that writes its words down, and those that come in on its standard input, and ends. */
export const echoShell: string = writeScript("echo-args", [
  "#!/bin/sh",
  `printf '%s\\0' "$@" > ${record}`,
  `case "$4 $5" in -s*|*" -s"*) exec bash -c '`,
  `  while IFS= read -r -t 5 -d "" word; do printf "%s\\0" "$word"; [ -n "$word" ] || break; done > ${record}.in'`,
  "esac",
  "",
].join("\n"));

/** "NAME=value ... words" with single quotes around what has spaces. */
export function vectorOf(text: string): Vector {
  const words = (text.match(/(?:'[^']*'|[^' ])+/g) ?? []).map((word) => word.replaceAll("'", ""));
  const at = words.findIndex((word) => !/^[A-Z_0]+=/.test(word));
  const settings = words.slice(0, at < 0 ? words.length : at).map((word) => {
    const equals = word.indexOf("=");
    return [word.slice(0, equals), word.slice(equals + 1)] as const;
  });
  return { env: Object.fromEntries(settings), words: at < 0 ? [] : words.slice(at) };
}

/** How a connection that ended is told of. */
const BROKEN = /unexpectedly closed|write error|safe_(write|read)|_exit_cleanup|error in rsync protocol data/;

/** Lines without what may differ: versions, places in the source. */
function masked(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !BROKEN.test(line))
    // Debian's rsync takes a FIFO for a batch too.
    .map((line) => line.replace("is neither a regular file nor a FIFO", "is not a regular file"))
    .map((line) => line.replace(/ at [\w.]+\(\d+\) \[(\w+)=[\d.a-z]+\]$/, " [$1]"));
}

function wordsOf(text: string): string[] {
  return text === "" ? [] : text.split("\0").slice(0, -1);
}

function contents(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}

async function stockVerdict({ env, words }: Vector): Promise<Verdict> {
  for (const path of [record, `${record}.in`]) rmSync(path, { force: true });
  const outcome = await run([peer!, ...words], { env, cwd: work });
  const started = contents(record);
  return {
    code: started === null ? outcome.code : null, started: started === null ? null : wordsOf(started),
    sent: started === null ? null : wordsOf(contents(`${record}.in`) ?? ""),
    out: masked(outcome.stdout), err: masked(outcome.stderr),
  };
}

async function ourVerdict({ env, words }: Vector): Promise<Verdict> {
  const { code, started, written, stdout, stderr } = await attempt(words, plainEnvironment(env));
  const isSecluded = started?.some((word) => word.startsWith("-s")) ?? false;
  const end = written.indexOf("\0\0");
  return {
    code: started === null ? code : null, started: started?.slice(1) ?? null,
    sent: started === null ? null : isSecluded ? wordsOf(written.slice(0, end + 2)) : [],
    out: masked(stdout), err: masked(stderr),
  };
}

/** Both verdicts. */
export async function verdictsOf(vector: Vector): Promise<{ ours: Verdict; theirs: Verdict }> {
  return { theirs: await stockVerdict(vector), ours: await ourVerdict(vector) };
}
