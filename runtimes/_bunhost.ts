/** The Host of Bun. Foreign functions come from bun:ffi. */
import { writeFileSync } from "node:fs";
import { WsyncError } from "../src/errors.ts";
import {
  type ByteStream, type ChildProcess, type ConnectOptions, type Ffi, type HelperStart, type Host, type HostSockets,
  type SpawnOptions,
} from "../src/host.ts";
import { passableArgv } from "./_argv.ts";
import { type BunFfi, bunFfi, LIBC_NAMES } from "./_bunffi.ts";
import { BunDescriptorStream, type BunSocket, BunSocketStream, type FileSink, SinkStream } from "./_bunstreams.ts";
import { connectError, connectSocket, deadline, timeoutError } from "./_connect.ts";
import { childEnv, exitStatus, makeHost, require, spawnError, startThread } from "./_nodelike.ts";
import { one, Poller } from "./_poller.ts";
import { acknowledger } from "./_quickack.ts";
import { setSocketOptions } from "./_sockopts.ts";

/** The part of Bun that is used. */
interface BunApi {
  readonly stdin: { stream(): ReadableStream<Uint8Array> };
  readonly stdout: { writer(): FileSink };
  spawn(argv: readonly string[], options: object): BunChild;
  connect(options: object): Promise<BunSocket>;
  listen(options: object): { stop(closeConnections: boolean): void };
}

interface BunChild {
  readonly pid: number;
  readonly stdin: FileSink;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly exited: Promise<number>;
  readonly exitCode: number | null;
  readonly signalCode: string | null;
  kill(signal: number): void;
}

declare const Bun: BunApi;

const COMM_BYTES = 15;

/** Builds the Host. Libraries are opened when first used. */
export function createHost(): Host {
  let ffi: Ffi | null | undefined;
  let missing = "";
  const loadFfi = (): Ffi | null => {
    if (ffi !== undefined) return ffi;
    try {
      if (process.env.WSYNC_NO_FFI) throw new Error("WSYNC_NO_FFI is set");
      ffi = bunFfi(require("bun:ffi") as BunFfi);
    } catch (error) {
      missing = `Bun cannot call libc: ${(error as Error).message.split("\n")[0]}`;
      ffi = null;
    }
    return ffi;
  };
  let poller: Poller | null = null;
  return makeHost({
    runtime: "bun",
    // A compiled program is its own interpreter.
    ...(process.argv[1]?.startsWith("/$bunfs/") ? { self: [process.execPath] } : {}),
    runtimeVersion: process.versions.bun ?? "",
    get ffi() {
      return loadFfi();
    },
    get ffiMissing() {
      return loadFfi() === null ? missing : "";
    },
    startHelper,
    stdio: () => new SinkStream(Bun.stdin.stream(), Bun.stdout.writer()),
    setTitle,
    spawn,
    connect: (options) => connect(options, loadFfi),
    get sockets() {
      return loadFfi() === null ? null : bunSockets;
    },
    readWaiter(fd) {
      if (loadFfi() === null) return null;
      return (poller ??= workerPoller(loadFfi()!)).waiter(fd);
    },
  });
}

/** The helper's program as text, in bundles only. Set by runtimes/build.mjs. */
declare const WSYNC_BUN_HELPER: string | undefined;

function startHelper(start: HelperStart): boolean {
  const bundled = typeof WSYNC_BUN_HELPER === "string";
  return startThread(bundled ? WSYNC_BUN_HELPER : new URL("./helper.bun.ts", import.meta.url), start);
}

/** The thread that waits: a worker, because bun:ffi calls only from the thread that it is on. */
const POLL_WORKER = `
const { dlopen, ptr } = require("bun:ffi");
let poll = null;
for (const name of ${JSON.stringify(LIBC_NAMES)}) {
  try {
    poll ??= dlopen(name, { poll: { args: ["ptr", "u64", "i32"], returns: "i32" } }).symbols.poll;
  } catch {}
}
self.onmessage = ({ data: [entries, count] }) => {
  poll(ptr(new Uint8Array(entries.buffer)), count, -1);
  postMessage(0);
};`;

interface PollWorker {
  addEventListener(name: string, listener: (event: { message?: string }) => void): void;
  postMessage(message: unknown, transfer: unknown[]): void;
  ref(): void;
  unref(): void;
}

declare const Worker: new (url: string) => PollWorker;

/** EFD_CLOEXEC and EFD_NONBLOCK of Linux. */
const EFD_FLAGS = 0o2004000;

function workerPoller(ffi: Ffi): Poller {
  const { eventfd, read, write } = ffi.dlopen(null, {
    eventfd: { args: ["u32", "i32"], result: "i32" },
    read: { args: ["i32", "ptr", "u64"], result: "i32" },
    write: { args: ["i32", "ptr", "u64"], result: "i32" },
  })!;
  const cell = one();
  const spare = one();
  const url = URL.createObjectURL(new Blob([POLL_WORKER], { type: "application/javascript" }));
  const worker = new Worker(url);
  let settle: { resolve(): void; reject(error: Error): void } | null = null;
  worker.addEventListener("message", () => settle?.resolve());
  worker.addEventListener("error", ({ message }) => settle?.reject(new Error(message ?? "the waiting thread failed")));
  return new Poller({
    eventfd: () => eventfd(0, EFD_FLAGS),
    poll: (entries, count) => new Promise((resolve, reject) => {
      settle = { resolve, reject };
      worker.postMessage([entries, count], []);
    }),
    raise: (fd) => void write(fd, ffi.addressOf(cell), cell.length),
    clear: (fd) => void read(fd, ffi.addressOf(spare), spare.length),
    keepAlive: (on) => (on ? worker.ref() : worker.unref()),
  });
}

function spawn(options: SpawnOptions): ChildProcess {
  const argv = passableArgv(options.argv);
  let child: BunChild;
  try {
    const stderr = options.stderr ?? "inherit";
    child = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", stderr, env: childEnv(options.env) });
  } catch (error) {
    throw spawnError(argv[0], error as Error);
  }
  const stream = new SinkStream(child.stdout, child.stdin);
  return {
    pid: child.pid,
    stream,
    exited: child.exited.then(() => {
      stream.peerGone();
      return exitStatus(child.exitCode, child.signalCode);
    }),
    kill: (signal) => child.kill(signal),
  };
}

/** TCP by Bun.connect; an address family or a local address needs node:net, because Bun.connect has neither. */
async function connect(options: ConnectOptions, ffi: () => Ffi | null): Promise<ByteStream> {
  if (options.family !== 0 || options.localAddress !== undefined) {
    return connectSocket(require("node:net"), options, ffi, false);
  }
  const stream = new BunSocketStream();
  const { hostname, port, timeoutMs } = options;
  const attempt = Bun.connect({ hostname, port, allowHalfOpen: true, socket: stream.handlers });
  const { late, stop } = deadline(timeoutMs, () => timeoutError(options));
  try {
    const socket = await Promise.race([attempt, late]);
    socket.setNoDelay(true);
    if (options.socketOptions) setSocketOptions(ffi(), socket.fd, options.socketOptions);
    stream.acknowledge = acknowledger(ffi(), socket.fd);
    return stream.attach(socket);
  } catch (error) {
    attempt.then((socket) => socket.terminate(), () => undefined);
    throw error instanceof WsyncError ? error : connectError(options, error as Error);
  } finally {
    stop();
  }
}

/** Bun opens a socket of a given descriptor within the call, before its promise resolves. */
const bunSockets: HostSockets = {
  adopt(fd) {
    const stream = new BunDescriptorStream(fd);
    const open = (socket: BunSocket): void => void stream.attach(socket);
    Bun.connect({ fd, allowHalfOpen: true, socket: { ...stream.handlers, open } }).catch(() => undefined);
    return stream;
  },
  accept(fd, handler) {
    const streams = new WeakMap<BunSocket, BunDescriptorStream>();
    const of = (socket: BunSocket): BunDescriptorStream["handlers"] | undefined => streams.get(socket)?.handlers;
    const handlers = {
      open: (socket: BunSocket) => {
        socket.pause();
        socket.setNoDelay(true);
        const stream = new BunDescriptorStream(socket.fd).attach(socket);
        streams.set(socket, stream);
        handler(stream);
      },
      data: (socket: BunSocket, chunk: Uint8Array) => of(socket)?.data(socket, chunk),
      drain: (socket: BunSocket) => of(socket)?.drain(),
      end: (socket: BunSocket) => of(socket)?.end(),
      close: (socket: BunSocket, error?: Error) => of(socket)?.close(socket, error),
      error: (socket: BunSocket, error: Error) => of(socket)?.error(socket, error),
    };
    const listener = Bun.listen({ fd, allowHalfOpen: true, socket: handlers });
    return () => listener.stop(false);
  },
};

/** Sets the name that ps shows as the command; Bun keeps process.title to itself. */
function setTitle(title: string): void {
  try {
    writeFileSync("/proc/self/comm", title.slice(0, COMM_BYTES));
  } catch {
    // Cosmetic, and not there on every system.
  }
}
