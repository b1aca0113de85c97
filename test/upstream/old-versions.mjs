/**
 * Tries old rsync versions as peers, in both roles, and writes the result as old-versions.md beside this file.
 *
 * Each binary of the given directory (rsync_2.6.0 ... as upstream's old_versions/ has them) is the other end of a
 * remote-shell transfer of one tree that is first sent whole and then, after edits, as deltas; and then of a transfer
 * with a daemon, one side of which is old, to a module with a password. "ok" means exit code 0 and, by
 * `rsync -n -acJi --delete` of the stock rsync, not one difference left.
 *
 * Usage: node test/upstream/old-versions.mjs DIR [PROGRAM]   (PROGRAM: default is the Node bundle)
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [binaries, given] = process.argv.slice(2);
if (binaries === undefined) throw new Error("usage: node test/upstream/old-versions.mjs DIR [PROGRAM]");
const top = mkdtempSync(join(tmpdir(), "old-versions-"));

function script(name, text) {
  const path = join(top, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

const bundle = resolve(here, "../../dist/wsync.cjs");
const ours = given ?? script("wsync", `exec '${process.execPath}' '${bundle}' "$@"`);
const shell = script("shell",
  'while [ $# -gt 0 ]; do case "$1" in -l) shift 2 ;; -*) shift ;; *) break ;; esac; done\nshift\nexec sh -c "$*"');

/** A tree of text and noise in several sizes; `salt` changes the middle of each file. */
function makeTree(path, salt) {
  mkdirSync(join(path, "sub/deeper"), { recursive: true });
  for (const [i, size] of [0, 1, 700, 5000, 70_000, 900_000].entries()) {
    const bytes = Buffer.alloc(size, `file ${i} `);
    for (let at = 0; at < size; at += 97) bytes[at] = (at * 31 + i) & 255;
    if (size > 10) bytes.write(salt, size >> 1);
    writeFileSync(join(path, i % 2 === 0 ? "sub/deeper" : "sub", `f${i}`), bytes);
  }
  execFileSync("ln", ["-sf", "f1", join(path, "sub/link")]);
}

/** Words and ends of a transfer through a remote shell. */
function byShell(server) {
  return { words: ["-e", shell, `--rsync-path=${server}`], far: (path) => `host:${path}/` };
}

const secrets = join(top, "secrets");
writeFileSync(secrets, "user:pass word\n", { mode: 0o600 });
const passwords = join(top, "password");
writeFileSync(passwords, "pass word\n", { mode: 0o600 });
let port = 18_800;

/** Starts a daemon whose modules are the two trees; words and ends of a transfer with it. */
function byDaemon(server, rows) {
  const config = join(top, "rsyncd.conf");
  const ids = process.getuid() === 0 ? "uid = 0\ngid = 0\n" : "";
  const module = (name) => `[${name}]\npath = ${join(top, name)}\nread only = no\nauth users = user\n`
    + `secrets file = ${secrets}\n`;
  const log = `log file = ${join(top, "log")}\n`;
  writeFileSync(config, `use chroot = no\nmunge symlinks = no\n${ids}${log}${module("source")}${module("dest")}`);
  port++;
  const words = ["--daemon", "--no-detach", "--address=127.0.0.1", `--port=${port}`, `--config=${config}`];
  rows.push(spawn(server, words, { stdio: "ignore" }));
  const accepts = `(exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null`;
  execFileSync("bash", ["-c", `for i in $(seq 100); do ${accepts} && exit; sleep 0.1; done; exit 1`]);
  return {
    words: [`--password-file=${passwords}`],
    far: (path) => `rsync://user@127.0.0.1:${port}/${basename(path)}/`,
  };
}

/** Runs one transfer; "" when all is well, else what went wrong. */
function transfer(client, { words: way, far }, direction, options, source, dest) {
  const ends = direction === "push" ? [`${source}/`, far(dest)] : [far(source), `${dest}/`];
  const words = ["-a", ...options, ...way, "--timeout=30", ...ends];
  const run = spawnSync(client, words, { encoding: "utf8", timeout: 60_000 });
  if (run.status !== 0) return `exit ${run.status}: ${run.stderr.trim().split("\n")[0]}`;
  const left = spawnSync("rsync", ["-n", "-acJi", "--delete", `${source}/`, `${dest}/`], { encoding: "utf8" }).stdout;
  return left === "" ? "" : `differs: ${left.split("\n")[0]}`;
}

function tryPair(client, server, direction, options, daemon) {
  const [source, dest] = [join(top, "source"), join(top, "dest")];
  for (const path of [source, dest]) rmSync(path, { recursive: true, force: true });
  mkdirSync(dest);
  makeTree(source, "first");
  const started = [];
  try {
    const way = daemon ? byDaemon(server, started) : byShell(server);
    const whole = transfer(client, way, direction, options, source, dest);
    if (whole !== "") return whole;
    makeTree(source, "second");
    return transfer(client, way, direction, [...options, "-I"], source, dest) || "ok";
  } finally {
    for (const child of started) child.kill();
  }
}

const columns = [
  { title: "wsync pushes to it", pick: (old) => [ours, old, "push"] },
  { title: "wsync pulls from it", pick: (old) => [ours, old, "pull"] },
  { title: "it pushes to wsync", pick: (old) => [old, ours, "push"] },
  { title: "it pulls from wsync", pick: (old) => [old, ours, "pull"] },
];

const lines = [
  "# Old rsync versions as peers", "",
  "Made by `node test/upstream/old-versions.mjs DIR`: a transfer of whole files, then of deltas, plain and with -z;",
  "\"ok\" means exit code 0 both times and no difference left.",
];
let bad = 0;

/** One table, by remote shell or with a daemon on the far side. */
function table(daemon) {
  lines.push("", daemon ? "With the far side as a daemon, and a password:" : "Through a remote shell:", "",
    `| rsync | ${columns.flatMap(({ title }) => [title, `${title}, -z`]).join(" | ")} |`,
    `|---|${columns.map(() => "---|---|").join("")}`);
  for (const name of readdirSync(binaries).filter((one) => one.startsWith("rsync_")).toSorted()) {
    const old = resolve(binaries, name);
    const cells = columns.flatMap(({ pick }) => [[], ["-z"]].map((options) => tryPair(...pick(old), options, daemon)));
    bad += cells.filter((cell) => cell !== "ok").length;
    lines.push(`| ${name.replace("rsync_", "")} | ${cells.join(" | ")} |`);
    console.log(lines.at(-1));
  }
}

table(false);
table(true);
writeFileSync(join(here, "old-versions.md"), `${lines.join("\n")}\n`);
rmSync(top, { recursive: true, force: true });
process.exitCode = bad === 0 ? 0 : 1;
