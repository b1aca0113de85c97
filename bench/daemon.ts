/**
 * The daemon under load: wsync's against stock rsync's, with stock rsync as every client, on tmpfs.
 *
 * - load: 200 connections at once to a module that takes 120: a hundred that say nothing or a byte now and then, a
 *   hundred stock clients that pull 1 MiB each. None may be refused or fail.
 * - idle memory: proportional set size (PSS) of the daemon's processes per silent connection, and per connection that
 *   has been given a module and then says nothing.
 * - throughput: pulls of 256 MiB side by side, in MiB a second over all of them.
 *
 * Usage: node bench/run.mjs [--smoke] daemon -- [--runtime=node,deno,bun] [--rounds=N] [--parallel=N]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runtimeWords } from "../test/_binaries.mjs";

const MIB = 1 << 20;
const smoke = process.argv.includes("--smoke");
const argument = (name: string, otherwise: string): string =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const rounds = smoke ? 1 : Number(argument("rounds", "3"));
const parallel = Number(argument("parallel", "4"));
const clients = smoke ? 10 : 100;
/** How long a daemon is left alone before its memory is looked at. */
const settleMs = smoke ? 300 : 1500;
const largeBytes = (smoke ? 8 : 256) * MIB;
const peer = process.env.WSYNC_PEER ?? "rsync";

const top = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wsync-bench-"));
process.on("exit", () => rmSync(top, { recursive: true, force: true }));

interface Program {
  readonly name: string;
  readonly command: readonly string[];
}

interface Figures {
  /** Clients that did not end with 0. */
  readonly failed: number;
  readonly loadSeconds: number;
  readonly silentKib: number;
  readonly admittedKib: number;
  readonly throughput: number;
}

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

function freePort(): Promise<number> {
  return new Promise((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => found(port));
    });
  });
}

function open(port: number): Promise<Socket> {
  return new Promise((opened, reject) => {
    const socket = connect(port, "127.0.0.1", () => opened(socket));
    socket.on("error", reject);
  });
}

/** The daemon's processes: itself and all below. */
function processesOf(pid: number): number[] {
  let below: number[] = [];
  try {
    below = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
  return [pid, ...below.flatMap(processesOf)];
}

/** Memory of all of them, shared pages counted by shares, KiB. */
function memoryOf(pid: number): number {
  const sizes = processesOf(pid).map((one) => {
    try {
      return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A stock client's pull; its exit code. */
function pull(port: number, module: string, dest: string): Promise<number | null> {
  const child = spawn(peer, ["-rW", `rsync://127.0.0.1:${port}/${module}/`, dest], { stdio: "ignore" });
  return new Promise((ended) => child.on("close", ended));
}

function makeSources(): void {
  for (const [name, bytes] of [["small", MIB], ["large", largeBytes]] as const) {
    mkdirSync(join(top, name));
    const contents = Buffer.alloc(bytes);
    for (let i = 0; i < bytes; i += 4) contents.writeUInt32LE(Math.imul(i, 0x9e3779b1) >>> 0, i);
    writeFileSync(join(top, name, "file"), contents);
  }
}

class Daemon {
  readonly port: number;
  private readonly child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.child = child;
  }

  static async start({ command }: Program): Promise<Daemon> {
    const port = await freePort();
    const config = join(top, `rsyncd-${port}.conf`);
    const ids = process.getuid?.() === 0 ? "uid = 0\ngid = 0\n" : "";
    writeFileSync(config, `use chroot = no\nlog file = ${top}/log\nlock file = ${top}/lock-${port}\n${ids}`
      // A silent client of a full queue is never heard of.
      + "listen backlog = 256\n"
      + `reverse lookup = no\n[small]\npath = ${top}/small\nmax connections = 120\n[large]\npath = ${top}/large\n`);
    const words = ["--daemon", "--no-detach", "--address=127.0.0.1", `--port=${port}`, `--config=${config}`];
    const child = spawn(command[0], [...command.slice(1), ...words], { stdio: "ignore" });
    for (let tries = 0; tries < 500; tries++) {
      const socket = await open(port).catch(() => null);
      socket?.destroy();
      if (socket !== null) return new Daemon(port, child);
      await pause(20);
    }
    throw new Error(`${command.join(" ")} does not listen`);
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.child.once("close", done));
    this.child.kill("SIGTERM");
    await ended;
  }

  /** KiB for each of so many connections that `prepare` makes. */
  async memoryPer(count: number, prepare: (socket: Socket) => Promise<void>): Promise<number> {
    await pause(settleMs);
    const before = memoryOf(this.child.pid!);
    const sockets = await Promise.all(Array.from({ length: count }, () => open(this.port)));
    await Promise.all(sockets.map(prepare));
    await pause(settleMs);
    const after = memoryOf(this.child.pid!);
    for (const socket of sockets) socket.destroy();
    await pause(500);
    return Math.max(0, after - before) / count;
  }
}

/** Waits for a text from the daemon. */
function hears(socket: Socket, text: string): Promise<void> {
  return new Promise((heard, reject) => {
    let all = "";
    socket.on("data", (chunk: Buffer) => {
      all += chunk.toString("latin1");
      if (all.includes(text)) heard();
    });
    socket.on("close", () => reject(new Error(`closed after ${JSON.stringify(all)}`)));
  });
}

async function silent(socket: Socket): Promise<void> {
  await hears(socket, "@RSYNCD:");
}

async function admitted(socket: Socket): Promise<void> {
  socket.write("@RSYNCD: 31.0 md5\nlarge\n");
  await hears(socket, "@RSYNCD: OK");
}

/** Clients that are at work, among as many that are not. */
async function underLoad(daemon: Daemon, round: number): Promise<{ failed: number; seconds: number }> {
  const idle = await Promise.all(Array.from({ length: clients }, () => open(daemon.port)));
  for (const socket of idle) socket.on("error", () => undefined);
  // Every other one of them says its greeting a letter at a time.
  const greeting = "@RSYNCD: 31.0 md5\n";
  let said = 0;
  const slow = setInterval(() => {
    for (const [i, socket] of idle.entries()) if (i % 2 === 0) socket.write(greeting[said] ?? "");
    said++;
  }, 250);
  const started = performance.now();
  const codes = await Promise.all(Array.from({ length: clients }, (_, i) =>
    pull(daemon.port, "small", join(top, `load-${round}-${i}`))));
  const seconds = (performance.now() - started) / 1000;
  clearInterval(slow);
  for (const socket of idle) socket.destroy();
  for (let i = 0; i < clients; i++) rmSync(join(top, `load-${round}-${i}`), { recursive: true, force: true });
  return { failed: codes.filter((code) => code !== 0).length, seconds };
}

async function throughput(daemon: Daemon): Promise<number> {
  const dests = Array.from({ length: parallel }, (_, i) => join(top, `pull-${i}`));
  const started = performance.now();
  const codes = await Promise.all(dests.map((dest) => pull(daemon.port, "large", dest)));
  const seconds = (performance.now() - started) / 1000;
  for (const dest of dests) rmSync(dest, { recursive: true, force: true });
  if (codes.some((code) => code !== 0)) throw new Error(`a pull failed: ${codes.join()}`);
  return (parallel * largeBytes) / MIB / seconds;
}

async function measure(program: Program, round: number): Promise<Figures> {
  const daemon = await Daemon.start(program);
  try {
    const load = await underLoad(daemon, round);
    return {
      failed: load.failed, loadSeconds: load.seconds, throughput: await throughput(daemon),
      silentKib: await daemon.memoryPer(clients, silent), admittedKib: await daemon.memoryPer(8, admitted),
    };
  } finally {
    await daemon.stop();
  }
}

function wsyncOn(runtime: string): Program {
  const bundle = resolve("dist", runtime === "node" ? "wsync.cjs" : `wsync.${runtime}.js`);
  const words = runtimeWords(runtime);
  if (!existsSync(bundle) || words === null) throw new Error(`${bundle} or ${runtime} is missing: npm ci`);
  return { name: `wsync on ${runtime}`, command: [...words, bundle] };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

makeSources();
const runtimes = argument("runtime", smoke ? "node" : "node,deno,bun").split(",");
const programs = [{ name: "rsync", command: [peer] }, ...runtimes.map(wsyncOn)];
const results = new Map<string, Figures[]>(programs.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const program of programs) results.get(program.name)!.push(await measure(program, round));
}
console.log(`${cpus().length} cores of ${cpus()[0].model}; medians of ${rounds}; ${clients} clients at work beside `
  + `${clients} idle ones; ${parallel} pulls of ${largeBytes / MIB} MiB side by side\n`);
console.log("| daemon | failed or refused | the pulls of 1 MiB, s | KiB per silent client "
  + "| KiB per client with a module | parallel pulls, MiB/s |\n|---|---|---|---|---|---|");
let failed = 0;
for (const [name, figures] of results) {
  const of = (field: keyof Figures): number => median(figures.map((one) => one[field]));
  const lost = figures.reduce((sum, one) => sum + one.failed, 0);
  if (name !== "rsync") failed += lost;
  console.log(`| ${name} | ${lost} of ${clients * rounds} | ${of("loadSeconds").toFixed(2)} | `
    + `${of("silentKib").toFixed(0)} | ${of("admittedKib").toFixed(0)} | ${of("throughput").toFixed(0)} |`);
}
process.exitCode = failed === 0 ? 0 : 1;
