/**
 * The Host members that node's own modules serve alike on every runtime which has them. Modules that cost start-up
 * time are loaded when first needed.
 */
import { createRequire } from "node:module";
import { ExitCode, TransportError } from "../src/errors.ts";
import { type ByteStream, type ChildProcess, type Host, type SpawnOptions } from "../src/host.ts";
import { latin1, nameOfText } from "../src/memory.ts";
import { argvNames, currentDirectory, passableArgv, textOfName } from "./_argv.ts";
import { kernelBytes } from "./_kernels.ts";
import { hostLookup } from "./_lookup.ts";
import { FileStream } from "./_filestream.ts";
import { random } from "./_random.ts";
import { sleep, timer } from "./_sleep.ts";
import { hostTls } from "./_tls.ts";
import { SocketReader, SocketStream } from "./_socket.ts";
import { readLine } from "./_ttyinput.ts";

export const require = createRequire(import.meta.url);

/** Not imported, nor is `process`: bundled, a module imported whole is copied name by name, which makes its streams. */
const fs = require("node:fs") as typeof import("node:fs");

/** What differs from runtime to runtime. */
export type RuntimeParts = Pick<Host, "runtime" | "runtimeVersion" | "ffi" | "ffiMissing" | "connect" | "sockets">
  & Partial<Pick<Host, "stdio" | "print" | "random" | "spawn" | "setTitle" | "self" | "readWaiter" | "startHelper">>
  & { endAtOnce?(code: number): void };

/** Builds a Host from node's modules and the parts given, which win; getters among them stay lazy. */
export function makeHost(parts: RuntimeParts): Host {
  let stdio: ByteStream | null = null;
  const members: Omit<Host, keyof RuntimeParts> & Partial<Host> = {
    os: osName(),
    arch: process.arch === "x64" ? "x64" : process.arch === "arm64" ? "arm64" : "other",
    pid: process.pid,
    argv: argvNames(process.argv.slice(2), fs.readFileSync),
    self: [process.execPath, ...process.execArgv, process.argv[1] ?? ""],
    env: (name) => process.env[name],
    environment: () => childEnv(undefined),
    cwd: workingDirectory,
    files: {
      nodeFs: fs,
      readFile: (path) => fs.readFileSync(Buffer.from(path, "latin1")),
      ids: () => ({
        euid: process.geteuid?.() ?? 0, egid: process.getegid?.() ?? 0, groups: process.getgroups?.() ?? [],
      }),
      umask: (mask) => process.umask(mask),
      chdir: (path) => process.chdir(textOfName(path)),
    },
    kernels: () => kernelBytes(fs.readFileSync),
    print,
    isTerminal: (fd) => require("node:tty").isatty(fd),
    readPassword: async (prompt) => readPassword(prompt),
    spawn: spawnChild,
    onSignal,
    lookup: hostLookup(() => require("node:dns")),
    tls: hostTls({ load: (name: string) => require(name), ffi: () => parts.ffi, readsOn: false }),
    setTitle: (title) => void (process.title = title),
    exit: (code) => {
      // Streams over the standard descriptors have made them non-blocking, which an orderly end undoes.
      if (stdio === null) parts.endAtOnce?.(code);
      process.exit(code);
    },
    now: () => Date.now(),
    monotonic,
    sleep,
    timer,
    random,
    memoryUsage: () => {
      const usage = process.memoryUsage();
      return { residentBytes: usage.rss, heapBytes: usage.heapUsed };
    },
    get zlib() {
      return require("node:zlib");
    },
  };
  const host = Object.defineProperties(members, Object.getOwnPropertyDescriptors(parts)) as Host;
  return Object.defineProperty(host, "stdio", { value: () => (stdio ??= openStdio(parts.stdio)) });
}

/** Node takes longer to load the global `performance` than for all of these calls. */
function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

function osName(): Host["os"] {
  const { platform } = process;
  if (platform === "linux" || platform === "darwin") return platform;
  return platform === "win32" ? "windows" : "other";
}

/** The working directory's exact bytes where the system shows them. */
function workingDirectory(): string {
  const text = currentDirectory(process.cwd);
  if (!text.includes("\ufffd")) return nameOfText(text);
  const bytes = fs.readlinkSync("/proc/self/cwd", { encoding: "buffer" });
  return latin1(bytes, 0, bytes.length);
}

/** Standard input and output as one stream, by the way that suits their kind; `pipes` is the runtime's own way. */
function openStdio(pipes?: () => ByteStream): ByteStream {
  const streamable = (fd: number): boolean => {
    const stat = fs.fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  };
  if (!streamable(0) || !streamable(1)) return new FileStream(0, 1);
  if (pipes) return pipes();
  const net = require("node:net") as typeof import("node:net");
  const reader = new SocketReader();
  const input = new net.Socket({ fd: 0, readable: true, writable: false, onread: reader.onread } as never);
  const output = new net.Socket({ fd: 1, readable: false, writable: true });
  return new SocketStream(reader, input, output);
}

const broken = new Set<number>();

/**
 * Writes all bytes. A full pipe is waited for; one that nobody reads any more is no reason to end a transfer (as in
 * rsync); any other failure is reported once.
 */
export function print(fd: 1 | 2, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length && !broken.has(fd)) {
    try {
      done += fs.writeSync(fd, bytes, done, bytes.length - done);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "EAGAIN") pauseBriefly();
      else if (code !== "EINTR") {
        broken.add(fd);
        if (code === "EPIPE") return;
        const what = fd === 1 ? "standard output" : "standard error";
        throw new TransportError(`cannot write to ${what}: ${(error as Error).message}`, ExitCode.messageIo);
      }
    }
  }
}

/** Blocks for a millisecond, for a reader at the other end of a pipe. */
function pauseBriefly(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

function signalNumbers(): Readonly<Record<string, number>> {
  return (require("node:os") as typeof import("node:os")).constants.signals;
}

/** Signals also arrive while a transfer runs, because every wait goes through the event loop. */
function onSignal(signals: Parameters<Host["onSignal"]>[0], handler: (signal: number) => void): () => void {
  const numbers = signalNumbers();
  const listener = (name: string): void => handler(numbers[name]);
  for (const signal of signals) process.on(signal, listener);
  return () => signals.forEach((signal) => process.off(signal, listener));
}

/** Asks on the controlling terminal; null without one, at end of file or on interruption. */
function readPassword(prompt: string): string | null {
  let tty: number;
  try {
    tty = fs.openSync("/dev/tty", "r+");
  } catch {
    return null;
  }
  const { spawnSync } = require("node:child_process") as typeof import("node:child_process");
  const stty = (mode: string): void => void spawnSync("stty", [mode], { stdio: [tty, "ignore", "ignore"] });
  fs.writeSync(tty, prompt);
  stty("-echo");
  const byte = new Uint8Array(1);
  try {
    return readLine(() => (fs.readSync(tty, byte, 0, 1, null) === 1 ? byte[0] : -1));
  } catch {
    return null;
  } finally {
    stty("echo");
    fs.writeSync(tty, "\n");
    fs.closeSync(tty);
  }
}

/** The environment of a child: ours with the changes asked for. */
export function childEnv(changes: SpawnOptions["env"]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value;
  for (const [name, value] of Object.entries(changes ?? {})) {
    if (value === null) delete env[name];
    else env[name] = value;
  }
  return env;
}

/** The error of a child that could not be started, in the words rsync uses. Exit code 14 (IPC). */
export function spawnError(command: string, error: Error): TransportError {
  const { code } = error as { code?: string };
  const words: Record<string, string> = { ENOENT: "No such file or directory (2)", EACCES: "Permission denied (13)" };
  const text = `Failed to exec ${command}: ${words[code ?? ""] ?? error.message}`;
  return new TransportError(text, ExitCode.ipc, { cause: error });
}

/** Exit code as a shell would see it, or minus the signal's number. */
export function exitStatus(code: number | null, signal: string | null): number {
  if (signal !== null) return -(signalNumbers()[signal] ?? 0);
  return code ?? 0;
}

/** node joins standard input and standard output to two sockets, but further descriptors to one each. */
const ON_ONE_SOCKET = 'exec "$@" 0<&3 1>&3 3>&-';

function spawnChild(options: SpawnOptions): ChildProcess {
  const { spawn } = require("node:child_process") as typeof import("node:child_process");
  const { socket = false, stderr = "inherit" } = options;
  const [command, ...args] = passableArgv(socket ? ["sh", "-c", ON_ONE_SOCKET, "sh", ...options.argv] : options.argv);
  const child = spawn(command, args, {
    stdio: socket ? ["ignore", "ignore", stderr, "pipe"] : ["pipe", "pipe", stderr], env: childEnv(options.env),
  });
  const reader = new SocketReader();
  const [input, output] = socket ? [child.stdio[3], child.stdio[3]] : [child.stdout, child.stdin];
  const stream = new SocketStream(reader, input as never, output as never, true);
  const exited = new Promise<number>((resolve) => {
    child.on("exit", (code, signal) => resolve(exitStatus(code, signal)));
    child.on("error", (error) => {
      reader.fail(spawnError(command, error));
      resolve(ExitCode.ipc);
    });
  });
  return { pid: child.pid ?? -1, stream, exited, kill: (signal) => void child.kill(signal) };
}

/**
 * Starts a thread that runs a program, given as text or by address, and does not keep this one alive. `beforeExit` is
 * called when the process is about to end before the thread does, `online` once the thread runs.
 */
export function startThread(
  program: string | URL, workerData: unknown, on: { beforeExit?: () => void; online?: () => void } = {},
): boolean {
  const { Worker } = require("node:worker_threads") as typeof import("node:worker_threads");
  const worker = new Worker(program, { eval: typeof program === "string", workerData, env: {}, execArgv: [] });
  // What it cannot do is done on this thread, so its errors are nobody's business.
  worker.on("error", () => undefined);
  const { beforeExit, online } = on;
  if (online) worker.once("online", online);
  if (beforeExit) {
    process.on("exit", beforeExit);
    worker.on("exit", () => process.off("exit", beforeExit));
  }
  worker.unref();
  return true;
}
