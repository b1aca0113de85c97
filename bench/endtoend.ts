/**
 * Whole transfers: wsync against stock rsync, in the same run, on the same trees.
 *
 * Programs take turns within each round; the first round warms up and is dropped; what is printed are medians and
 * the ratio stock / wsync (above 1: wsync is faster). Trees live on tmpfs. See README.md for the method.
 *
 * Usage: node bench/run.mjs [--smoke] endtoend -- [--runtime=node,deno,bun] [--rounds=N] [--only=WORD,...]
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, utimesSync,
  writeFileSync, writeSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { cpus, release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runtimeWords } from "../test/_binaries.mjs";

const MIB = 1 << 20;
const smoke = process.argv.includes("--smoke");
const argument = (name: string, otherwise: string): string =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const rounds = smoke ? 1 : Number(argument("rounds", "5"));
const only = argument("only", "").split(",").filter((word) => word !== "");

/** A program to measure. `empty` runs the bare runtime, for the cost of starting. */
interface Program {
  readonly name: string;
  readonly command: readonly string[];
  readonly empty: readonly string[] | null;
}

/** One thing to measure. `reset` prepares each run and is not timed. */
interface Scenario {
  readonly name: string;
  /** Least ratio that the project wants. */
  readonly target: number;
  readonly options: readonly string[];
  readonly source: string;
  readonly dest: string;
  reset(): void;
}

const stock: Program = { name: "rsync", command: [process.env.WSYNC_PEER ?? "rsync"], empty: null };

function wsyncOn(runtime: string): Program {
  const bundle = resolve("dist", runtime === "node" ? "wsync.cjs" : `wsync.${runtime}.js`);
  if (!existsSync(bundle)) throw new Error(`${bundle} is missing: npm run build`);
  const words = runtimeWords(runtime);
  if (words === null) throw new Error(`no ${runtime} binary: npm ci`);
  const emptyScript = join(top, runtime === "node" ? "empty.cjs" : "empty.mjs");
  writeFileSync(emptyScript, "");
  const given = process.env.WSYNC_UNDER_TEST?.split(" ");
  return { name: `wsync on ${runtime}`, command: given ?? [...words, bundle], empty: [...words, emptyScript] };
}

const top = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wsync-bench-"));
process.on("exit", () => rmSync(top, { recursive: true, force: true }));

/** Fills a file with noise from a xorshift generator; `edits` bytes are changed at even distances. */
function makeFile(path: string, byteLength: number, seed: number, edits = 0): void {
  const chunk = Buffer.allocUnsafe(MIB);
  const words = new Uint32Array(chunk.buffer, chunk.byteOffset, MIB / 4);
  const fd = openSync(path, "w");
  let x = seed;
  for (let at = 0; at < byteLength; at += MIB) {
    for (let i = 0; i < words.length; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      words[i] = x;
    }
    writeSync(fd, chunk, 0, Math.min(MIB, byteLength - at), at);
  }
  for (let i = 1; i <= edits; i++) writeSync(fd, "edited", Math.floor((byteLength * i) / (edits + 1)));
  closeSync(fd);
}

/** Makes `count` files of about 1 to 4 KiB, 100 a directory. */
function makeMany(path: string, count: number): void {
  const content = Buffer.alloc(4096, "the quick brown fox ");
  for (let i = 0; i < count; i++) {
    const folder = join(path, `d${Math.floor(i / 1000)}`, `e${Math.floor(i / 100) % 10}`);
    if (i % 100 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file${i}.txt`), content.subarray(0, 1024 + ((i * 7) % 3072)));
  }
}

/** A copy with equal times; made by cp, which is neither of the programs measured. */
function copyTree(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  execFileSync("cp", ["-a", from, to]);
}

const size = (full: number, small: number): number => (smoke ? small : full);
const wipe = (path: string) => (): void => {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
};

/** The trees are made once, by name; scenarios that are not wanted cost nothing. */
function tree(name: string, make: (path: string) => void): string {
  const path = join(top, name);
  if (!existsSync(path)) {
    mkdirSync(path);
    make(path);
  }
  return path;
}

const big = (): string => tree("big", (path) => makeFile(join(path, "file"), size(2048, 32) * MIB, 1));
const gib = (): string => tree("gib", (path) => makeFile(join(path, "file"), size(1024, 32) * MIB, 2));
const many = (): string => tree("many", (path) => makeMany(path, size(20_000, 500)));
const lots = (): string => tree("lots", (path) => makeMany(path, size(100_000, 1_000)));

/** Every transfer scenario, by name; a factory, because making its trees takes time. */
const scenarios: Readonly<Record<string, (port: number) => Scenario>> = {
  "copy one large file": () => local("copy one large file", 1.5, ["-a"], big()),
  "copy many small files": () => local("copy many small files", 0.7, ["-a"], many()),
  "nothing to do": () => {
    const dest = join(top, "lots-copy");
    copyTree(lots(), dest);
    return { ...local("nothing to do", 0.7, ["-a"], lots()), dest: `${dest}/`, reset: () => undefined };
  },
  "delta, scattered edits": () => delta("delta, scattered edits", gib(), (path) => {
    makeFile(join(path, "file"), size(1024, 32) * MIB, 2, 500);
  }),
  "delta, nothing in common": () => {
    const source = tree("half", (path) => makeFile(join(path, "file"), size(512, 8) * MIB, 3));
    return delta("delta, nothing in common", source, (path) => makeFile(join(path, "file"), size(512, 8) * MIB, 4));
  },
  "daemon pull, small files": (port) => daemonPull("daemon pull, small files", port, many()),
  "daemon pull, small files, progress": (port) =>
    ({ ...daemonPull("daemon pull, small files, progress", port, many()), options: ["-aP"] }),
  "daemon push, small files": (port) => daemonPush("daemon push, small files", port, many()),
  "daemon pull, one file": (port) => daemonPull("daemon pull, one file", port, gib()),
  "daemon push, one file": (port) => daemonPush("daemon push, one file", port, gib()),
};

function local(name: string, target: number, options: readonly string[], source: string): Scenario {
  const dest = join(top, "dest");
  return { name, target, options, source: `${source}/`, dest: `${dest}/`, reset: wipe(dest) };
}

/** A delta transfer over a basis that is put back before each run, with an older time so that it is not skipped. */
function delta(name: string, source: string, makeBasis: (path: string) => void): Scenario {
  const basis = tree(`${name} basis`, makeBasis);
  const dest = join(top, "dest");
  const reset = (): void => {
    copyTree(basis, dest);
    utimesSync(join(dest, "file"), 1, 1);
  };
  return { name, target: 0.7, options: ["-a", "--no-whole-file"], source: `${source}/`, dest: `${dest}/`, reset };
}

function daemonPull(name: string, port: number, source: string): Scenario {
  const dest = join(top, "dest");
  const from = `rsync://127.0.0.1:${port}/top/${source.slice(top.length + 1)}/`;
  return { name, target: 0.7, options: ["-a"], source: from, dest: `${dest}/`, reset: wipe(dest) };
}

function daemonPush(name: string, port: number, source: string): Scenario {
  const dest = `rsync://127.0.0.1:${port}/top/dest/`;
  return { name, target: 0.7, options: ["-a"], source: `${source}/`, dest, reset: wipe(join(top, "dest")) };
}

/** A stock daemon that both programs talk to. */
async function startDaemon(): Promise<{ port: number; stop: () => void }> {
  const port = await new Promise<number>((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
  const asRoot = process.getuid?.() === 0 ? "uid = 0\ngid = 0\n" : "";
  writeFileSync(join(top, "conf"), `use chroot = no\n${asRoot}[top]\npath = ${top}\nread only = no\n`);
  const words = ["--daemon", "--no-detach", "--address=127.0.0.1", `--port=${port}`, `--config=${join(top, "conf")}`];
  const child = spawn(stock.command[0], words, { stdio: "ignore" });
  const accepts = (): Promise<boolean> => new Promise((done) => {
    const socket = connect(port, "127.0.0.1", () => (socket.destroy(), done(true)));
    socket.once("error", () => done(false));
  });
  for (let tries = 0; tries < 200 && !(await accepts()); tries++) await new Promise((next) => setTimeout(next, 25));
  return { port, stop: () => void child.kill() };
}

/** Runs a command to its end and returns its seconds; throws when it fails. */
async function time(argv: readonly string[]): Promise<number> {
  const started = performance.now();
  await ended(spawn(argv[0], argv.slice(1), { stdio: ["ignore", "ignore", "inherit"] }), argv);
  return (performance.now() - started) / 1000;
}

function ended(child: ChildProcess, argv: readonly string[]): Promise<void> {
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => (code === 0 ? done() : fail(new Error(`exit code ${code}: ${argv.join(" ")}`))));
  });
}

/** Peak resident MiB of a command: the high-water marks of all processes of its group, added up. */
async function peakMemory(argv: readonly string[]): Promise<number> {
  const child = spawn(argv[0], argv.slice(1), { stdio: ["ignore", "ignore", "inherit"], detached: true });
  const peaks = new Map<string, number>();
  const timer = setInterval(() => samplePeaks(child.pid!, peaks), 5);
  await ended(child, argv).finally(() => clearInterval(timer));
  return [...peaks.values()].reduce((sum, kib) => sum + kib, 0) / 1024;
}

function samplePeaks(group: number, peaks: Map<string, number>): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]) !== group) continue;
      const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
      if (peak !== null) peaks.set(pid, Number(peak[1]));
    } catch {
      // The process ended between listing and reading.
    }
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median seconds of each task, tasks taking turns, after one warm-up round (none in a smoke run). */
async function interleave(tasks: readonly (() => Promise<number>)[], count: number): Promise<number[]> {
  const seconds: number[][] = tasks.map(() => []);
  for (let round = smoke ? 1 : 0; round <= count; round++) {
    for (const [i, task] of tasks.entries()) {
      const taken = await task();
      if (round > 0) seconds[i].push(taken);
    }
  }
  return seconds.map(median);
}

function row(...cells: (string | number)[]): void {
  console.log(`| ${cells.map((cell) => (typeof cell === "number" ? cell.toFixed(3) : cell)).join(" | ")} |`);
}

const wanted = (name: string): boolean => only.length === 0 || only.some((word) => name.includes(word));

async function measureTransfers(programs: readonly Program[], port: number): Promise<void> {
  row("scenario", ...programs.map(({ name }) => `${name}, s`),
    ...programs.slice(1).map(({ name }) => `ratio, ${name}`), "wanted");
  row("---", ...programs.map(() => "---"), ...programs.slice(1).map(() => "---"), "---");
  for (const name of Object.keys(scenarios).filter(wanted)) {
    const scenario = scenarios[name](port);
    const tasks = programs.map(({ command }) => (): Promise<number> => {
      scenario.reset();
      return time([...command, ...scenario.options, scenario.source, scenario.dest]);
    });
    const medians = await interleave(tasks, rounds);
    row(name, ...medians, ...medians.slice(1).map((seconds) => (medians[0] / seconds).toFixed(2)),
      `${scenario.target}`);
  }
}

async function measureStart(programs: readonly Program[]): Promise<void> {
  console.log("\nStarting, ms (wanted: at most 30 above the empty script)\n");
  row("program", "--version", "empty script", "difference");
  row("---", "---", "---", "---");
  for (const { name, command, empty } of programs) {
    const tasks = [command.concat("--version"), ...(empty === null ? [] : [empty])].map((argv) => () => time(argv));
    const [version, bare] = await interleave(tasks, smoke ? 1 : 15);
    const shown = bare === undefined ? "-" : (bare * 1000).toFixed(1);
    row(name, (version * 1000).toFixed(1), shown, bare === undefined ? "-" : ((version - bare) * 1000).toFixed(1));
  }
}

async function measureMemory(programs: readonly Program[]): Promise<void> {
  console.log("\nPeak resident memory of all processes, MiB; nothing to do, local\n");
  const counts = [size(10_000, 200), size(100_000, 1_000)];
  row("program", ...counts.map((count) => `${count} files`), ...counts.map((count) => `${count}, --no-i-r`),
    "bytes a file, --no-i-r");
  row("---", ...counts.map(() => "---"), ...counts.map(() => "---"), "---");
  for (const { name, command } of programs) {
    const peaks: number[] = [];
    for (const options of [["-a"], ["-a", "--no-i-r"]]) {
      for (const count of counts) peaks.push(await peakMemory([...command, ...options, ...pair(count)]));
    }
    const perFile = ((peaks[3] - peaks[2]) * MIB) / (counts[1] - counts[0]);
    row(name, ...peaks.map((peak) => peak.toFixed(1)), perFile.toFixed(0));
  }
}

/** A tree of `count` files and an equal copy of it, as words for a command line. */
function pair(count: number): string[] {
  const source = tree(`memory${count}`, (path) => makeMany(path, count));
  const dest = join(top, `memory${count}-copy`);
  if (!existsSync(dest)) copyTree(source, dest);
  return [`${source}/`, `${dest}/`];
}

const programs = [stock, ...argument("runtime", "node").split(",").map(wsyncOn)];
const version = execFileSync(stock.command[0], ["--version"], { encoding: "utf8" }).split("\n")[0];
const processor = `${cpus()[0]?.model ?? "?"} x ${cpus().length}`;
console.log(`${version}; Node ${process.versions.node}; ${processor}; Linux ${release()};`);
console.log(`trees on ${existsSync("/dev/shm") ? "tmpfs" : tmpdir()}; ${rounds} rounds\n`);
const daemon = await startDaemon();
try {
  await measureTransfers(programs, daemon.port);
  if (wanted("start")) await measureStart(programs);
  if (wanted("memory")) await measureMemory(programs);
} finally {
  daemon.stop();
}
