/**
 * Runs rsync's own test suite against wsync and compares each outcome with outcomes.tsv.
 *
 * The suite stays where it is: a built checkout of rsync 3.5.0, named by --suite, with its test helpers made
 * (`make tls trimslash t_unsafe t_chmod_secure t_secure_relpath wildtest getgroups getfsdev`). An outcome that is
 * not the recorded one is an error, a pass where a failure was recorded too; --record writes what was seen.
 * Columns of the table are modes: RUNTIME-TRANSPORT[-peer][-user]. "-" means never run. --user ID runs all of it as an
 * ordinary user, by root.
 *
 * Tests of rrsync change a line "RSYNC = ..." in a copy of support/rrsync; the one they find here has that line and
 * runs wsync-rrsync.
 *
 * Usage: node test/upstream/run.mjs --suite DIR [--runtime node|deno|bun] [--peer BIN] [--tcp] [--user ID]
 *          [--category C]... [--jobs N] [--timeout S] [--record] [--log FILE] [--program BIN] [PATTERN...]
 */
import { spawn } from "node:child_process";
import {
  chmodSync, chownSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync,
  symlinkSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runtimeWords } from "../_binaries.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const tablePath = join(here, "outcomes.tsv");

const { values: flags, positionals: patterns } = parseArgs({
  allowPositionals: true,
  options: {
    suite: { type: "string" },
    runtime: { type: "string", default: "node" },
    peer: { type: "string" },
    tcp: { type: "boolean", default: false },
    category: { type: "string", multiple: true, default: [] },
    jobs: { type: "string", default: "2" },
    user: { type: "string" },
    timeout: { type: "string", default: "120" },
    record: { type: "boolean", default: false },
    log: { type: "string" },
    program: { type: "string" },
  },
});

/** The words that start wsync, or the program given in its place. */
function command() {
  if (flags.program !== undefined) return [resolve(flags.program)];
  const bundle = join(root, "dist", flags.runtime === "node" ? "wsync.cjs" : `wsync.${flags.runtime}.js`);
  if (!existsSync(bundle)) throw new Error(`${bundle} is missing: npm run build`);
  const words = runtimeWords(flags.runtime);
  if (words === null) throw new Error(`no ${flags.runtime} binary: npm ci`);
  return [...words, bundle];
}

/** The table: its header and one row a test. */
function readTable() {
  const [header, ...lines] = readFileSync(tablePath, "utf8").trimEnd().split("\n").map((line) => line.split("\t"));
  const rows = lines.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i] ?? "-"])));
  return { header, rows };
}

function writeTable({ header, rows }) {
  const lines = [header, ...rows.map((row) => header.map((name) => row[name] ?? "-"))];
  writeFileSync(tablePath, `${lines.map((cells) => cells.join("\t")).join("\n")}\n`);
}

/**
 * A tool directory that is the suite's, except that `rsync` is the wrapper: a few tests run ./rsync by name.
 * All of it is readable by every user, as some tests drop privileges.
 */
function makeToolDir(suite) {
  const top = mkdtempSync(join(tmpdir(), "upstream-"));
  chmodSync(top, 0o755);
  if (flags.user !== undefined) chownSync(top, Number(flags.user), Number(flags.user));
  const tools = join(top, "tools");
  mkdirSync(tools);
  for (const name of readdirSync(suite)) if (name !== "rsync") symlinkSync(join(suite, name), join(tools, name));
  const words = command().map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  writeFileSync(join(tools, "rsync"), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  rmSync(join(tools, "support"));
  mkdirSync(join(tools, "support"));
  for (const name of readdirSync(join(suite, "support"))) {
    if (name !== "rrsync") symlinkSync(join(suite, "support", name), join(tools, "support", name));
  }
  const shell = JSON.stringify([...command(), "--rrsync"]);
  const text = ["#!/usr/bin/env python3", "import os, sys", "RSYNC = None",
    "# 'debug': -1, (a line that one test looks for in the script, beside trying the option)", `words = ${shell}`,
    "if RSYNC: words.append('-rsync=' + RSYNC)", "os.execvp(words[0], words + sys.argv[1:])", ""].join("\n");
  writeFileSync(join(tools, "support/rrsync"), text, { mode: 0o755 });
  return { top, tools };
}

/** What an ordinary user has in place of root's. */
const ORDINARY = { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", HOME: "/nonexistent" };

/** The words that make an ordinary user of root, without root's groups. */
function becoming(user) {
  return user === undefined ? [] : ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
}

/** Runs the suite and returns the outcome of each test by name. */
async function runSuite(suite, { top, tools }, names) {
  const peer = flags.peer === undefined ? [] : [`--rsync-bin2=${resolve(flags.peer)}`];
  const words = [join(suite, "runtests.py"), `--rsync-bin=${join(tools, "rsync")}`, ...peer, `--tooldir=${tools}`,
    `--srcdir=${tools}`, `-j${flags.jobs}`, `--timeout=${flags.timeout}`, ...(flags.tcp ? ["--use-tcp"] : []), ...names,
  ];
  const env = { ...process.env, ...(flags.user === undefined ? {} : ORDINARY), scratchbase: top };
  const [program, ...rest] = [...becoming(flags.user), "python3", ...words];
  const child = spawn(program, rest, { cwd: tools, env, stdio: ["ignore", "pipe", "inherit"] });
  const log = flags.log === undefined ? null : createWriteStream(flags.log);
  const outcomes = new Map();
  for await (const line of createInterface({ input: child.stdout })) {
    log?.write(`${line}\n`);
    const found = /^(PASS|SKIP|FAIL|XFAIL|ERROR|TIMEOUT)\s+([\w.-]+)/.exec(line);
    if (found === null) continue;
    outcomes.set(found[2], ["ERROR", "TIMEOUT"].includes(found[1]) ? "fail" : found[1].toLowerCase());
  }
  log?.end();
  return outcomes;
}

function matches(name) {
  const toExpression = (pattern) =>
    new RegExp(`^${pattern.replaceAll(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", ".*")}$`);
  return patterns.length === 0 || patterns.some((pattern) => toExpression(pattern).test(name));
}

/** Prints surprises and a count by category; returns the number of surprises. */
function report(table, mode, outcomes) {
  const counts = new Map();
  let surprises = 0;
  for (const row of table.rows.filter((one) => outcomes.has(one.test))) {
    const outcome = outcomes.get(row.test);
    const expected = row[mode] ?? "-";
    const count = counts.get(row.category) ?? { pass: 0, skip: 0, fail: 0, xfail: 0 };
    count[outcome]++;
    counts.set(row.category, count);
    if (expected !== outcome && (!flags.record || expected !== "-")) {
      console.log(`${row.test}: ${outcome}, recorded ${expected}`);
      surprises++;
    }
    row[mode] = outcome;
  }
  for (const [category, count] of [...counts].sort()) {
    console.log(`${category}: ${count.pass} passed, ${count.fail} failed, ${count.skip} skipped`);
  }
  return surprises;
}

if (flags.suite === undefined) throw new Error("--suite DIR: a built checkout of rsync 3.5.0");
const suite = resolve(flags.suite);
const mode = [flags.runtime, flags.tcp ? "tcp" : "pipe", ...(flags.peer === undefined ? [] : ["peer"]),
  ...(flags.user === undefined ? [] : ["user"])].join("-");
const table = readTable();
if (!table.header.includes(mode)) table.header.push(mode);
const wanted = table.rows.filter(({ test, category }) => matches(test) &&
  (flags.category.length === 0 || flags.category.includes(category)));
if (wanted.length === 0) throw new Error("no test of that name or category is in outcomes.tsv");
const place = makeToolDir(suite);
const outcomes = await runSuite(suite, place, wanted.map(({ test }) => test));
rmSync(place.top, { recursive: true, force: true });
const surprises = report(table, mode, outcomes);
const absent = wanted.length - outcomes.size;
if (absent > 0) console.log(`${absent} tests gave no outcome`);
if (flags.record) writeTable(table);
process.exitCode = (surprises > 0 && !flags.record) || absent > 0 ? 1 : 0;
