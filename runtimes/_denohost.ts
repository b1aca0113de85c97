/**
 * The Host of Deno, from Deno's own functions: loading node:fs or node:process would double its start-up time, so they
 * are loaded only where nothing else serves. Foreign functions need --allow-ffi.
 */
import { ExitCode, TransportError, WsyncError } from "../src/errors.ts";
import {
  type ByteStream, type ChildProcess, type ConnectOptions, type HelperStart, type Host, type SpawnOptions,
} from "../src/host.ts";
import { nameOfText } from "../src/memory.ts";
import { argvNames, currentDirectory, passableArgv, textOfName } from "./_argv.ts";
import { connectError, connectSocket, deadline, timeoutError } from "./_connect.ts";
import { descriptorOf, setConnectionOptions } from "./_denosockopts.ts";
import { type DenoApi, type DenoCalls, type DenoCommand, LazyFfi } from "./_denoffi.ts";
import { denoSockets } from "./_denosockets.ts";
import { spawnChild } from "./_denospawn.ts";
import { denoError, DuplexStream, webStreams } from "./_denostreams.ts";
import { FdStream } from "./_fdstream.ts";
import { kernelBytes } from "./_kernels.ts";
import { hostLookup } from "./_lookup.ts";
import { one, Poller } from "./_poller.ts";
import { acknowledger } from "./_quickack.ts";
import { random } from "./_random.ts";
import { sleep, timer } from "./_sleep.ts";
import { hostTls } from "./_tls.ts";
import { readLine } from "./_ttyinput.ts";

declare const Deno: DenoApi;

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGUSR1: 10, SIGTERM: 15, SIGCHLD: 17 };
const COMM_BYTES = 15;

/** Builds the Host. Libraries are opened and node's modules loaded when first used. */
export function createHost(): Host {
  const foreign = new LazyFfi();
  let stdio: ByteStream | null = null;
  let poller: Poller | null = null;
  return {
    runtime: "deno",
    runtimeVersion: Deno.version.deno,
    os: osName(),
    arch: Deno.build.arch === "x86_64" ? "x64" : Deno.build.arch === "aarch64" ? "arm64" : "other",
    pid: Deno.pid,
    argv: argvNames(Deno.args, Deno.readFileSync),
    get self() {
      if (Deno.build.standalone) return [Deno.execPath()];
      return [Deno.execPath(), "run", "--allow-all", decodeURIComponent(new URL(Deno.mainModule).pathname)];
    },
    env: (name) => Deno.env.get(name),
    environment: () => Deno.env.toObject(),
    cwd: () => nameOfText(currentDirectory(Deno.cwd)),
    get ffi() {
      return foreign.ffi;
    },
    get ffiMissing() {
      return foreign.ffi === null ? foreign.missing : "";
    },
    files: {
      get nodeFs() {
        return builtin("node:fs");
      },
      nodePath,
      readFile: (path) => Deno.readFileSync(textOfName(path)),
      ids: () => ({ euid: Deno.uid() ?? 0, egid: Deno.gid() ?? 0, groups: [] }),
      umask: (mask) => Deno.umask(mask),
      chdir: (path) => Deno.chdir(textOfName(path)),
    },
    kernels: () => kernelBytes(Deno.readFileSync),
    stdio: () => (stdio ??= openStdio(foreign)),
    print,
    isTerminal: (fd) => [Deno.stdin, Deno.stdout, Deno.stderr][fd].isTerminal(),
    readPassword: async (prompt) => readPassword(prompt),
    spawn: (options) => {
      const { calls } = foreign;
      return calls === null ? spawnCommand(options) : spawnChild(calls, Deno.env.toObject(), options);
    },
    startHelper,
    connect: (options) => connect(options, foreign),
    lookup: hostLookup(() => builtin("node:dns")),
    tls: hostTls({ load: builtin as never, ffi: () => foreign.ffi, readsOn: true }),
    get sockets() {
      return foreign.calls === null ? null : denoSockets(foreign.calls);
    },
    readWaiter(fd) {
      const { calls } = foreign;
      return calls === null ? null : (poller ??= denoPoller(calls)).waiter(fd);
    },
    onSignal,
    setTitle,
    exit: (code) => Deno.exit(code),
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep,
    timer,
    random,
    memoryUsage,
    get zlib() {
      return builtin("node:zlib");
    },
  };
}

/** The helper's program as text, in bundles only. Set by runtimes/build.mjs. */
declare const WSYNC_DENO_HELPER: string | undefined;

declare const Worker: new (url: string, options: object) => {
  postMessage(message: unknown, transfer: unknown[]): void;
  addEventListener(name: "error", listener: (event: { preventDefault(): void }) => void): void;
};

/** The thread ends by itself when it is told to stop. */
function startHelper(start: HelperStart): boolean {
  const url = typeof WSYNC_DENO_HELPER === "string"
    ? `data:text/javascript;base64,${btoa(WSYNC_DENO_HELPER)}`
    : new URL("./helper.deno.ts", import.meta.url).href;
  const worker = new Worker(url, { type: "module" });
  // What it cannot do is done on this thread, so its errors are nobody's business.
  worker.addEventListener("error", (event) => event.preventDefault());
  worker.postMessage(start, []);
  return true;
}

function memoryUsage(): ReturnType<Host["memoryUsage"]> {
  const { rss, heapUsed } = Deno.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed };
}

/** EFD_CLOEXEC and EFD_NONBLOCK of Linux. */
const EFD_FLAGS = 0o2004000;

function denoPoller(calls: DenoCalls): Poller {
  const cell = one();
  const spare = one();
  return new Poller({
    eventfd: () => calls.eventfd(0, EFD_FLAGS),
    poll: async (entries, count) => void (await calls.poll(entries, count, -1)),
    raise: (fd) => void calls.write(fd, cell, cell.length),
    clear: (fd) => void calls.read(fd, spare, spare.length),
  });
}

/** A name as text. One that is not UTF-8 cannot be told to Deno, whose own lists show it with replacement characters. */
function nodePath(name: string): string {
  const text = textOfName(name);
  if (text.includes("\ufffd")) throw Object.assign(new Error("name"), { code: "EILSEQ" });
  return text;
}

function osName(): Host["os"] {
  const { os } = Deno.build;
  return os === "linux" || os === "darwin" || os === "windows" ? os : "other";
}

/** One of node's modules, loaded now. */
function builtin(name: string): unknown {
  const { process } = globalThis as unknown as { process: { getBuiltinModule(name: string): unknown } };
  return process.getBuiltinModule(name);
}

/** Pipes and sockets by descriptor where libc can be called; everything else through Deno. */
function openStdio(foreign: LazyFfi): ByteStream {
  if (foreign.calls !== null && foreign.isStream(0) && foreign.isStream(1)) return new FdStream(foreign.calls, 0, 1);
  return new DuplexStream({
    read: (buffer) => Deno.stdin.read(buffer),
    write: (chunk) => Deno.stdout.write(chunk),
    closeWrite: () => Promise.resolve(),
    close: () => undefined,
  });
}

const broken = new Set<number>();

/**
 * Writes all bytes. A full pipe is waited for; one that nobody reads any more is no reason to end a transfer (as in
 * rsync); any other failure is reported once.
 */
function print(fd: 1 | 2, bytes: Uint8Array): void {
  const output = fd === 1 ? Deno.stdout : Deno.stderr;
  let done = 0;
  while (done < bytes.length && !broken.has(fd)) {
    try {
      done += output.writeSync(bytes.subarray(done));
    } catch (error) {
      const { name, message } = error as Error;
      if (name === "WouldBlock") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      else if (name !== "Interrupted") {
        broken.add(fd);
        if (name === "BrokenPipe") return;
        const what = fd === 1 ? "standard output" : "standard error";
        throw new TransportError(`cannot write to ${what}: ${message}`, ExitCode.messageIo);
      }
    }
  }
}

/** Asks on the controlling terminal; null without one, at end of file or on interruption. */
function readPassword(prompt: string): string | null {
  const stty = (mode: string): void => {
    new Deno.Command("stty", { args: ["-F", "/dev/tty", mode], stderr: "null" }).outputSync();
  };
  try {
    const tty = Deno.openSync("/dev/tty", { read: true, write: true });
    const byte = new Uint8Array(1);
    tty.writeSync(new TextEncoder().encode(prompt));
    stty("-echo");
    try {
      return readLine(() => (tty.readSync(byte) === 1 ? byte[0] : -1));
    } finally {
      stty("echo");
      tty.writeSync(Uint8Array.of(10));
      tty.close();
    }
  } catch {
    return null;
  }
}

/** A child by Deno.Command, without foreign functions: slower, and arguments must be UTF-8. */
function spawnCommand(options: SpawnOptions): ChildProcess {
  const [command, ...args] = passableArgv(options.argv);
  const env = { ...Deno.env.toObject() };
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (value === null) delete env[name];
    else env[name] = value;
  }
  const stderr = options.stderr === "ignore" ? "null" : "inherit";
  const child = startCommand(command, { args, env, clearEnv: true, stdin: "piped", stdout: "piped", stderr });
  return {
    pid: child.pid,
    stream: new DuplexStream(webStreams(child.stdout, child.stdin)),
    exited: child.status.then(({ code, signal }) => (signal === null ? code : 128 - code)),
    kill: (signal) => child.kill(Object.keys(SIGNALS).find((name) => SIGNALS[name] === signal) ?? "SIGTERM"),
  };
}

function startCommand(command: string, options: object): ReturnType<DenoCommand["spawn"]> {
  try {
    return new Deno.Command(command, options).spawn();
  } catch (error) {
    const { name, message } = error as Error;
    const why = name === "NotFound" ? "No such file or directory (2)" : message;
    throw new TransportError(`Failed to exec ${command}: ${why}`, ExitCode.ipc, { cause: error });
  }
}

/** TCP by Deno.connect; an address family or a local address needs node:net, because Deno.connect has neither. */
async function connect(options: ConnectOptions, foreign: LazyFfi): Promise<ByteStream> {
  if (options.family !== 0 || options.localAddress !== undefined) {
    return connectSocket(builtin("node:net") as typeof import("node:net"), options, () => foreign.ffi, false);
  }
  const attempt = Deno.connect({ hostname: options.hostname, port: options.port });
  const { late, stop } = deadline(options.timeoutMs, () => timeoutError(options));
  try {
    const connection = await Promise.race([attempt, late]);
    connection.setNoDelay(true);
    if (options.socketOptions) setConnectionOptions(foreign.ffi, connection, options.socketOptions);
    const stream = new DuplexStream(connection, connection.remoteAddr.hostname);
    stream.acknowledge = acknowledger(foreign.ffi, descriptorOf(foreign.ffi, connection));
    return stream;
  } catch (error) {
    attempt.then((connection) => connection.close(), () => undefined);
    throw error instanceof WsyncError ? error : connectError(options, named(error as Error));
  } finally {
    stop();
  }
}

/** Gives a Deno error the code that node's would have, which the wording goes by. */
function named(error: Error): Error {
  const codes: Record<string, string> = {
    ConnectionRefused: "ECONNREFUSED", TimedOut: "ETIMEDOUT", ConnectionReset: "ECONNRESET",
    AddrNotAvailable: "EADDRNOTAVAIL",
  };
  const lookup = /failed to lookup address/.test(error.message) ? "ENOTFOUND" : undefined;
  return Object.assign(denoError(error), { message: error.message, code: lookup ?? codes[error.name] });
}

function onSignal(signals: Parameters<Host["onSignal"]>[0], handler: (signal: number) => void): () => void {
  const listeners = signals.map((name) => [name, () => handler(SIGNALS[name])] as const);
  for (const [name, listener] of listeners) Deno.addSignalListener(name, listener);
  return () => listeners.forEach(([name, listener]) => Deno.removeSignalListener(name, listener));
}

/** Sets the name that ps shows as the command; its arguments stay as they are. */
function setTitle(title: string): void {
  try {
    Deno.writeTextFileSync("/proc/self/comm", title.slice(0, COMM_BYTES));
  } catch {
    // Cosmetic, and not there on every system.
  }
}
