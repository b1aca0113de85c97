/**
 * One comparison of output: the same command line for stock rsync and for wsync, from equal trees, line by line. What
 * must differ from run to run (times, rates, process ids, versions) is masked.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync, linkSync, lutimesSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { quote, scratch } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";

/** Where the trees are made, anew for every run. */
export const work: string = join(scratch, "lines");

/** How the ends are joined, and what stands for SRC/ and DST/ then. */
export const WAYS = {
  local: { options: [], source: "src/", destination: "dst/" },
  push: { options: ["-e", "SHELL", "--rsync-path=SERVER"], source: "src/", destination: "host:WORK/dst/" },
  pull: { options: ["-e", "SHELL", "--rsync-path=SERVER"], source: "host:WORK/src/", destination: "dst/" },
  "daemon push": { options: [], source: "src/", destination: "rsync://127.0.0.1:PORT/work/dst/" },
  "daemon pull": { options: [], source: "rsync://127.0.0.1:PORT/work/src/", destination: "dst/" },
} as const;

/** One of them. */
export type Way = keyof typeof WAYS;

const OLD = 1_000_000_000;

function put(path: string, text: string, mtime = OLD, mode = 0o644): void {
  const full = join(work, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  chmodSync(full, mode);
  utimesSync(full, mtime, mtime);
}

/** Numbers as text, so that deltas find something to match. */
const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `line ${from + at}\n`).join("");

/** A file of src/, and what dst/ has in its place. */
type Pair = readonly [path: string, text: string, old: string | null, oldTime?: number, oldMode?: number];

const FILES: readonly Pair[] = [
  ["same", "the same\n", "the same\n"],
  ["new", "not there yet\n", null],
  ["empty", "", null],
  ["grown", numbers(0, 3000), numbers(0, 2900)],
  ["changed", numbers(0, 2000), `x${numbers(0, 1000)}y${numbers(1100, 2000)}`],
  ["touched", "only its time\n", "only its time\n", OLD - 5000],
  ["mode", "only its mode\n", "only its mode\n", OLD, 0o600],
  ["newer", "older here\n", "newer there\n", OLD + 5000],
  ["sub/a.txt", "a\n", "b\n"],
  ["sub/b.o", "object\n", null],
  ["sub/deep/c", numbers(5, 50), null],
  ["sub/deep/.hidden", "h\n", "h\n"],
  ["other/x y", "blank\n", null],
  ["other/\x01\xe9", "odd\n", null],
  ["big.gz", numbers(0, 20000), null],
];

/** Makes src, an older dst, and the directories that options name. */
function makeTrees(): void {
  rmSync(work, { recursive: true, force: true });
  for (const dir of ["src", "dst", "alt", "tmp", "src/bare", "src/chain/of/empty"]) {
    mkdirSync(join(work, dir), { recursive: true });
  }
  for (const [path, text, old, oldTime, oldMode] of FILES) {
    put(`src/${path}`, text);
    if (old !== null) put(`dst/${path}`, old, oldTime, oldMode);
  }
  put("alt/new", "not there yet\n");
  put("alt/sub/a.txt", "a\n");
  put("dst/gone", "to be deleted\n");
  put("dst/sub/gone.too", "to be deleted\n");
  put("dst/dead/of/night", "in a directory\n");
  put("src/kind", "a file where a directory was\n");
  put("dst/kind/full", "x\n");
  linkSync(join(work, "src/same"), join(work, "src/same.link"));
  symlinkSync("sub/a.txt", join(work, "src/link"));
  symlinkSync("/no/where", join(work, "src/unsafe"));
  symlinkSync("new", join(work, "src/moved"));
  symlinkSync("old", join(work, "dst/moved"));
  execFileSync("mkfifo", [join(work, "src/fifo")]);
  utimesSync(join(work, "src/fifo"), OLD, OLD);
  put("names", "sub/a.txt\nnew\nnot-there\n");
  put("rules", "- *.o\n+ *\n");
  const dirs = execFileSync("find", [work, "-depth", "-type", "d"], { encoding: "latin1" }).trim().split("\n");
  for (const dir of dirs) utimesSync(Buffer.from(dir, "latin1"), OLD, OLD);
  const links = execFileSync("find", [work, "-type", "l"], { encoding: "latin1" }).trim().split("\n");
  for (const link of links) lutimesSync(Buffer.from(link, "latin1"), OLD, OLD);
}

/** Who runs, and what its words stand for. */
export interface Side {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly shell: string;
}

/** What a command line left behind. */
export interface Lines {
  readonly code: number | null;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  readonly log: readonly string[];
}

/** Runs a command line over fresh trees. `terminal`: standard output is one. */
export async function linesOf(line: string, way: Way, side: Side, terminal: boolean): Promise<Lines> {
  makeTrees();
  const { options, source, destination } = WAYS[way];
  const values: Readonly<Record<string, string>> = {
    SRC: source, DST: destination, WORK: work, SHELL: side.shell, SERVER: side.server, PORT: `${side.port}`,
  };
  const fill = (word: string): string => word.replace(/[A-Z]{3,6}/g, (name) => values[name] ?? name)
    .replace("WORK", work).replace("PORT", `${side.port}`);
  const given = (line.match(/(?:'[^']*'|[^' ])+/g) ?? []).map((word) => word.replaceAll("'", ""));
  const ends = given.some((word) => /SRC|DST/.test(word)) ? [] : ["SRC", "DST"];
  const words = [side.client, ...options, ...given, ...ends].map(fill);
  const outcome = terminal
    ? await run(["script", "-qec", words.map(quote).join(" "), "/dev/null"], { cwd: work })
    : await run(words, { cwd: work });
  return { code: outcome.code, ...maskedOf(outcome), log: masked(readLog()) };
}

function readLog(): string {
  try {
    return readFileSync(join(work, "tmp/log"), "latin1");
  } catch {
    return "";
  }
}

function maskedOf(outcome: Outcome): Pick<Lines, "stdout" | "stderr"> {
  return { stdout: masked(outcome.stdout), stderr: masked(outcome.stderr) };
}

const MASKS: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/, "NOW"],
  [/\d{4}\/\d\d\/\d\d[- ]\d\d:\d\d:\d\d(?=.*NOW)/, "NOW"],
  [/\[\d+\](?= )/, "[PID]"],
  [/^(File list (?:generation|transfer) time): .*/, "$1: N"],
  [/^sent .* bytes {2}received .* bytes {2}.* bytes\/sec$/, "sent N"],
  [/speedup is [\d.,KMG]+/, "speedup is N"],
  [/^(Total bytes (?:sent|received)|File list size): .*/, "$1: N"],
  [/^(NOW \[PID\]) sent .* bytes {2}received .*/, "$1 sent N"],
  [/dev:inode for #(\d+) is .*/, "dev:inode for #$1"],
  [/^(opening connection using|protected args):.*/, "$1"],
  [/^opening tcp connection to .*/, "opening tcp connection"],
  [/^cmd\[0\]=.*/, "cmd"],
  [/^renaming .* to /, "renaming TEMPORARY to "],
  [/^(client_run2?) waiting on \d+/, "$1 waiting on N"],
  [/_exit_cleanup\(code=\d+/, "_exit_cleanup(code=N"],
  [/ +[\d.]+[kMG]?B\/s +\d+:\d\d:\d\d/g, " RATE TIME"],
  [/\b(rsync|wsync)(-node)?: \[(\w+)\]/, "rsync: [$3]"],
  [/\[[\w ]+=[\d.a-z]+\]$/, "[ROLE=VERSION]"],
  [/ at [\w.]+\(\d+\)/, " at FILE(LINE)"],
  [/file=[\w.]+, line=\d+/, "file=FILE, line=LINE"],
  [/(\/\.[^/"]*)\.[A-Za-z0-9]{6}(?=[" ]|$)/, "$1.XXXXXX"],
  [/\bpid[= ]\d+/, "pid N"],
];

/** Lines in the order in which one of rsync's processes prints them: those of the generator come last. */
const GENERATOR = new RegExp("^(NOW \\[PID\\] )?(\\*?deleting |cannot delete|skipping|not creating new |sender removed)"
  + "|(is uptodate|exists|is newer|(over max|under min)-size)$");

/** What --stats tells of C's malloc. */
const MALLOC = /^ {2}(arena|ordblks|smblks|hblks|hblkhd|allmem|usmblks|fsmblks|uordblks|fordblks|keepcost):/;

function masked(text: string): string[] {
  const lines = text.replaceAll("\r\n", "\n").split("\n").filter((line) => !MALLOC.test(line))
    .flatMap((line) => line.split(/(?<=\r)/));
  if (lines[lines.length - 1] === "") lines.pop();
  return lines.map((line) => MASKS.reduce((now, [pattern, by]) => now.replace(pattern, by), line));
}

/** How far a whole transfer has come when its progress is drawn is chance: only that it is, and the end. */
function withoutMoments(lines: readonly string[]): string[] {
  return lines.filter((line, at) => !/ RATE TIME/.test(line) || !/ RATE TIME/.test(lines[at + 1] ?? ""))
    .map((line) => (/ RATE TIME/.test(line) ? "PROGRESS" : line)).filter((line) => line !== "");
}

/** Output in a form that two honest runs share. `chatty`: lines of several processes mix as chance will have it. */
export function comparable(lines: Lines, line: string): Lines {
  const chatty = /-[a-zA-Z]*v[a-zA-Z]*v|--debug|--info=(all|remove|name2|skip|misc)/.test(line);
  const settled = (text: readonly string[]): readonly string[] => {
    const kept = /progress2/.test(line) ? withoutMoments(text) : text;
    if (chatty) return [...kept].sort();
    return [...kept.filter((one) => !GENERATOR.test(one)), ...kept.filter((one) => GENERATOR.test(one))];
  };
  const [stdout, stderr, log] = [lines.stdout, lines.stderr, lines.log].map(settled);
  return { code: lines.code, stdout, stderr, log };
}
