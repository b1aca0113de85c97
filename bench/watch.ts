/**
 * Continuous sync beside the shell loop that it replaces: `inotifywait -mr | while read; do rsync; done`, both to a
 * stock rsync daemon with a module and a password, over the same tree and the same changes, in the same run.
 *
 * Measured: from a change to the moment it is at the destination, processor time of everything the program started,
 * bytes both ways on the daemon's connection, and the processor time of an idle minute's part. See README.md.
 *
 * Usage: node bench/run.mjs [--smoke] watch -- [--files=N] [--runtime=node,deno,bun] [--rounds=N]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { cpus, release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runtimeWords } from "../test/_binaries.mjs";

const smoke = process.argv.includes("--smoke");
const argument = (name: string, otherwise: string): string =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const files = Number(argument("files", smoke ? "1000" : "100000"));
const rounds = Number(argument("rounds", smoke ? "1" : "5"));
const runtimes = argument("runtime", "node").split(",");
const BURST = smoke ? 20 : 200;
const PATIENCE_MS = smoke ? 20_000 : 120_000;
const IDLE_MS = smoke ? 1000 : 10_000;
const FILES_PER_DIR = 100;
const CLOCK_TICKS = 100;
/** Places of utime, stime, cutime and cstime behind the command's name in /proc/PID/stat. */
const TIMES = [11, 12, 13, 14] as const;
const GROUP = 2;

const top = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wsync-bench-"));
const source = join(top, "source");
const rsync = process.env.WSYNC_PEER ?? "rsync";
const started: ChildProcess[] = [];
process.on("exit", () => {
  for (const child of started) stop(child);
  rmSync(top, { recursive: true, force: true });
});

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const nameOf = (i: number): string => `d${Math.floor(i / FILES_PER_DIR)}/f${i}`;

function makeTree(): void {
  for (let i = 0; i < files; i++) {
    if (i % FILES_PER_DIR === 0) mkdirSync(join(source, `d${i / FILES_PER_DIR}`), { recursive: true });
    writeFileSync(join(source, nameOf(i)), `file ${i}`);
  }
}

function start(words: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const options = { stdio: "ignore", detached: true, env: { ...process.env, ...env } } as const;
  const child = spawn(words[0], words.slice(1), options);
  started.push(child);
  return child;
}

/** Ends a program and all that it started. */
function stop(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** Processor seconds of a program's process group, with those of its children that have ended. */
function cpuSeconds(child: ChildProcess): number {
  let ticks = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(fields[GROUP]) !== child.pid) continue;
      for (const place of TIMES) ticks += Number(fields[place]);
    } catch {
      // Gone meanwhile.
    }
  }
  return ticks / CLOCK_TICKS;
}

/** A port that passes everything on to another one and counts it. */
async function countingProxy(to: number): Promise<{ port: number; bytes(): number; server: Server }> {
  let bytes = 0;
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    for (const [from, into] of [[near, far], [far, near]] as const) {
      from.on("data", (chunk: Buffer) => (bytes += chunk.length));
      from.pipe(into);
      from.on("error", () => into.destroy());
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, bytes: () => bytes, server };
}

async function freePort(): Promise<number> {
  const { port, server } = await countingProxy(1);
  await new Promise((done) => server.close(done));
  return port;
}

async function startDaemon(dest: string): Promise<number> {
  const port = await freePort();
  const config = join(top, `rsyncd-${port}.conf`);
  writeFileSync(join(top, "secrets"), "publisher:word\n", { mode: 0o600 });
  writeFileSync(join(top, "password"), "word\n", { mode: 0o600 });
  const own = process.getuid?.() === 0 ? ["uid = 0", "gid = 0"] : [];
  writeFileSync(config, [
    "use chroot = no", ...own, "[www]", `path = ${dest}`, "read only = no", "auth users = publisher",
    `secrets file = ${join(top, "secrets")}`, "",
  ].join("\n"));
  start([rsync, "--daemon", "--no-detach", "--address=127.0.0.1", `--port=${port}`, `--config=${config}`]);
  for (let tries = 0; tries < 200; tries++) {
    const ready = await new Promise<boolean>((done) => {
      const socket = connect(port, "127.0.0.1").on("error", () => done(false));
      socket.on("connect", () => (socket.destroy(), done(true)));
    });
    if (ready) return port;
    await pause(25);
  }
  throw new Error("the daemon does not answer");
}

interface Program {
  readonly name: string;
  command(url: string): string[];
}

const shellLoop: Program = {
  name: "inotifywait | rsync",
  command: (url) => ["bash", "-c", `inotifywait -mrq -e modify,delete,create,attrib,move --format %w%f "$1" |
    while read -r _; do "$2" -az --delete --password-file="$3" "$1/" "$4"; done`,
  "loop", source, rsync, join(top, "password"), url],
};

function wsyncOn(runtime: string): Program {
  const bundle = resolve("dist", runtime === "node" ? "wsync.cjs" : `wsync.${runtime}.js`);
  const words = [...runtimeWords(runtime)!, bundle, "-azq", "--delete", "--watch", "--watch-audit=0"];
  return {
    name: `wsync --watch on ${runtime}`,
    command: (url) => [...words, `--password-file=${join(top, "password")}`, `${source}/`, url],
  };
}

/** Milliseconds until every named file has the text at the destination; null when patience ends. */
async function arrival(dest: string, names: readonly string[], text: string): Promise<number | null> {
  const begun = performance.now();
  const left = [...names];
  while (performance.now() - begun < PATIENCE_MS) {
    while (left.length > 0 && has(join(dest, left[left.length - 1]), text)) left.pop();
    if (left.length === 0) return performance.now() - begun;
    await pause(5);
  }
  return null;
}

function has(path: string, text: string): boolean {
  try {
    return readFileSync(path, "utf8") === text;
  } catch {
    return false;
  }
}

/** Waits until a program's processor time stands still, or patience ends; its processor time. */
async function calm(child: ChildProcess): Promise<number> {
  const until = performance.now() + PATIENCE_MS;
  for (let last = -1; performance.now() < until; await pause(1000)) {
    const now = cpuSeconds(child);
    if (now - last < 0.02 && last >= 0) return now;
    last = now;
  }
  return cpuSeconds(child);
}

interface Figures {
  readonly one: number | null;
  readonly oneCpu: number;
  readonly oneBytes: number;
  readonly burst: number | null;
  readonly burstCpu: number;
  readonly burstBytes: number;
  readonly idleCpu: number;
}

function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value): value is number => value !== null).toSorted((a, b) => a - b);
  return sorted.length < values.length || sorted.length === 0 ? null : sorted[sorted.length >> 1];
}

async function measure(program: Program): Promise<Figures> {
  const dest = mkdtempSync(join(top, "dest-"));
  const daemon = await startDaemon(dest);
  const proxy = await countingProxy(daemon);
  const child = start(program.command(`rsync://publisher@127.0.0.1:${proxy.port}/www/`));
  // The loop does nothing before the first event; a change wakes it up for its first whole copy.
  for (let tries = 0; !existsSync(join(dest, nameOf(files - 1))) && tries < PATIENCE_MS / 500; tries++) {
    await pause(500);
    if (program === shellLoop) writeFileSync(join(source, "d0/wake"), `${tries}`);
  }
  await calm(child);
  const ones: (number | null)[] = [];
  let [cpu, bytes] = [cpuSeconds(child), proxy.bytes()];
  for (let round = 0; round < rounds; round++) {
    const text = `changed in round ${round} for ${program.name}`;
    writeFileSync(join(source, nameOf(round)), text);
    ones.push(await arrival(dest, [nameOf(round)], text));
    await calm(child);
  }
  const [oneCpu, oneBytes] = [(cpuSeconds(child) - cpu) / rounds, (proxy.bytes() - bytes) / rounds];
  [cpu, bytes] = [cpuSeconds(child), proxy.bytes()];
  const names = Array.from({ length: BURST }, (_, i) => nameOf(Math.floor((i * files) / BURST)));
  const text = `burst for ${program.name}`;
  for (const name of names) writeFileSync(join(source, name), text);
  const burst = await arrival(dest, names, text);
  await calm(child);
  const [burstCpu, burstBytes] = [cpuSeconds(child) - cpu, proxy.bytes() - bytes];
  cpu = cpuSeconds(child);
  await pause(IDLE_MS);
  const idleCpu = (cpuSeconds(child) - cpu) / (IDLE_MS / 1000);
  stop(child);
  proxy.server.close();
  rmSync(dest, { recursive: true, force: true });
  return { one: median(ones), oneCpu, oneBytes, burst, burstCpu, burstBytes, idleCpu };
}

function show(name: string, f: Figures): void {
  const late = `over ${PATIENCE_MS / 1000} s`;
  const ms = (value: number | null): string => (value === null ? late : `${value.toFixed(0)} ms`);
  const kib = (value: number): string => `${(value / 1024).toFixed(1)} KiB`;
  console.log(`| ${name} | ${ms(f.one)} | ${f.oneCpu.toFixed(2)} s | ${kib(f.oneBytes)} | ${ms(f.burst)} | `
    + `${f.burstCpu.toFixed(2)} s | ${kib(f.burstBytes)} | ${(f.idleCpu * 100).toFixed(2)} % |`);
}

async function main(): Promise<void> {
  console.log(`${files} files, bursts of ${BURST}; ${cpus()[0].model} x ${cpus().length}, Linux ${release()}`);
  makeTree();
  console.log("| program | one file arrives | CPU | bytes | a burst arrives | CPU | bytes | idle CPU |");
  console.log("|---|---|---|---|---|---|---|---|");
  for (const program of [...runtimes.map(wsyncOn), shellLoop]) show(program.name, await measure(program));
}

await main();
process.exit(0);
