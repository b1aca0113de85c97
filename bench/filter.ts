/**
 * Filter rules: the time of one rule's test in memory, by kind of pattern, and a dry run over 100,000 files with 10,000
 * rules beside stock rsync.
 *
 * Usage: node bench/run.mjs [--smoke] filter -- [--rounds=N]
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type FilterOption } from "../src/filter/filtersettings.ts";
import { Filters } from "../src/filter/mergefiles.ts";

const smoke = process.argv.includes("--smoke");
const given = process.argv.find((word) => word.startsWith("--rounds="))?.slice("--rounds=".length);
const ROUNDS = smoke ? 1 : Number(given ?? 3);
const TESTS = smoke ? 100_000 : 2_000_000;
const [FILES, RULES] = smoke ? [2_000, 200] : [100_000, 10_000];

/** Patterns of one rule, by kind. No name matches, so that the whole rule is tried. */
const PATTERNS: Readonly<Record<string, string>> = {
  "a name": "core", "an anchored path": "/deep/down/core", "*suffix": "*.orig", "name*": "backup-*",
  "*a*b*": "*old*copy*",
  "dir/**/name": "build/**/core", "[class]?": "[abc]?.tmp", "dir/": "cache/", "dir/***": "node_modules/***",
};

const NAMES = Array.from({ length: 1000 }, (_, at) => `src/part${at % 37}/module-${at}/file${at}.ts`);

function filtersOf(options: readonly FilterOption[]): Filters {
  const filters = new Filters({
    amSender: true, amServer: false, localServer: false, deleteMode: false, deleteExcluded: false,
    pruneEmptyDirs: false, cvsExclude: false, from0: false, cwd: "/top", home: null, cvsIgnore: null,
    readFile: () => -2, strerror: () => "", error: () => undefined, debug: null, who: "sender",
  });
  filters.addArguments(options);
  return filters;
}

/** Nanoseconds of a test, the median of rounds after one to warm up. */
function nanosecondsOf(pattern: string): number {
  const filters = filtersOf([{ kind: "exclude", value: pattern }]);
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now();
    for (let at = 0; at < TESTS; at++) filters.check(NAMES[at % NAMES.length], false);
    if (round > 0 || ROUNDS === 1) times.push((performance.now() - start) * 1e6 / TESTS);
  }
  return median(times);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** A tree and a file of rules of all kinds; one rule in ten is a pattern that has to be tried on every name. */
function makeTree(top: string): void {
  for (let at = 0; at < FILES; at++) {
    const dir = join(top, "src", `d${at % 100}`, `e${(at / 100 | 0) % 20}`);
    if (at < 2000) mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `file${at}.ts`), "");
  }
  const kinds = [
    (n: number) => `name${n}.ts`, (n: number) => `/d1/e2/other${n}`, (n: number) => `*.ext${n}`,
    (n: number) => `dir${n}/`, (n: number) => `sub/name${n}`,
  ];
  const rules = Array.from({ length: RULES }, (_, n) => (n % 10 === 9 ? `gen-${n}-*.[ch]` : kinds[n % 5](n)));
  writeFileSync(join(top, "rules"), `${rules.join("\n")}\n`);
}

function secondsOf(command: readonly string[], top: string): number {
  const words = [...command.slice(1), "-an", `--exclude-from=${join(top, "rules")}`, `${top}/src/`, `${top}/dst/`];
  const start = performance.now();
  execFileSync(command[0], words, { stdio: "ignore" });
  return (performance.now() - start) / 1000;
}

function compareScans(): void {
  const top = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wsync-bench-"));
  try {
    makeTree(top);
    mkdirSync(join(top, "dst"));
    const stock = process.env.WSYNC_PEER ?? "rsync";
    const programs = { rsync: [stock], wsync: [process.execPath, resolve("dist/wsync.cjs")] };
    const times: Record<string, number[]> = { rsync: [], wsync: [] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, command] of Object.entries(programs)) times[name].push(secondsOf(command, top));
    }
    const [rsync, wsync] = [median(times.rsync), median(times.wsync)];
    console.log(`${RULES} rules, ${FILES} files, dry run: rsync ${rsync.toFixed(2)} s, wsync ${wsync.toFixed(2)} s, `
      + `ratio ${(rsync / wsync).toFixed(2)}`);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

console.log(`node ${process.versions.node}, linux ${release()}`);
for (const [kind, pattern] of Object.entries(PATTERNS)) {
  console.log(`${kind.padEnd(18)} ${pattern.padEnd(18)} ${nanosecondsOf(pattern).toFixed(0)} ns`);
}
compareScans();
