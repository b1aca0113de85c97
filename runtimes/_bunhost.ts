/** The Host of Bun. Foreign functions come from bun:ffi. */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { WsyncError } from "../src/errors.ts";
import {
  type ByteStream, type ChildProcess, type ConnectOptions, type Ffi, type FfiFunction, type FfiSignature, type FfiType,
  type Host, type HostSockets, type SpawnOptions,
} from "../src/host.ts";
import { passableArgv } from "./_argv.ts";
import { BunDescriptorStream, type BunSocket, BunSocketStream, type FileSink, SinkStream } from "./_bunstreams.ts";
import { connectError, connectSocket, deadline, timeoutError } from "./_connect.ts";
import { bindAll, cString, lazyFunctions } from "./_ffi.ts";
import { childEnv, exitStatus, makeHost, require, spawnError } from "./_nodelike.ts";
import { one, Poller } from "./_poller.ts";
import { setSocketOptions } from "./_sockopts.ts";

interface Definition {
  readonly args: readonly string[];
  readonly returns: string;
  readonly ptr?: number;
}

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

/** The part of bun:ffi that is used. */
interface BunFfi {
  dlopen(library: string, symbols: Record<string, Definition>): { readonly symbols: Record<string, FfiFunction> };
  linkSymbols(symbols: Record<string, Definition>): { readonly symbols: Record<string, FfiFunction> };
  ptr(view: Uint8Array): number;
  readonly read: { i32(address: number, offset: number): number };
}

const BUN_TYPES: Readonly<Record<FfiType, string>> = {
  i32: "i32", u32: "u32", i64: "i64_fast", u64: "u64_fast", ptr: "ptr", void: "void",
};

const COMM_BYTES = 15;
const LIBC_NAMES = ["libc.so.6", "libc.so", "libSystem.B.dylib"];

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

/** bun:ffi cannot open the program's own scope, so libc is opened by name and its dlsym searches that scope. */
function bunFfi(bun: BunFfi): Ffi {
  const { dlsym, __errno_location } = openLibc(bun);
  const errnoAddress = __errno_location();
  const link = (name: string, { args, result }: FfiSignature): FfiFunction => {
    const definition = { ...definitionOf(args, result), ptr: dlsym(0, bun.ptr(cString(name))) };
    return widen(bun.linkSymbols({ [name]: definition }).symbols[name], result);
  };
  return {
    dlopen(library, symbols) {
      if (library === null) return lazyFunctions(symbols, (name) => has(dlsym, bun, name), link);
      const bind = (name: string, { args, result }: FfiSignature): FfiFunction =>
        widen(bun.dlopen(library, { [name]: definitionOf(args, result) }).symbols[name], result);
      const functions = bindAll(symbols, bind);
      return Object.keys(functions).length > 0 ? functions : null;
    },
    addressOf: (view) => bun.ptr(view),
    errno: () => bun.read.i32(errnoAddress, 0),
  };
}

function openLibc(bun: BunFfi): Record<"dlsym" | "__errno_location", FfiFunction> {
  for (const name of LIBC_NAMES) {
    try {
      return bun.dlopen(name, {
        dlsym: { args: ["ptr", "ptr"], returns: "ptr" },
        __errno_location: { args: [], returns: "ptr" },
      }).symbols as Record<"dlsym" | "__errno_location", FfiFunction>;
    } catch {
      // The next name may be this system's.
    }
  }
  throw new Error(`none of ${LIBC_NAMES.join(", ")} can be opened`);
}

function has(dlsym: FfiFunction, bun: BunFfi, name: string): boolean {
  const address = dlsym(0, bun.ptr(cString(name)));
  return address !== null && address !== 0;
}

function definitionOf(args: readonly FfiType[], result: FfiType): Definition {
  return { args: args.map((type) => BUN_TYPES[type]), returns: BUN_TYPES[result] };
}

/** A 64-bit result outside the safe integers comes as BigInt, and a null pointer as null. */
function widen(call: FfiFunction, result: FfiType): FfiFunction {
  if (result === "i32" || result === "u32" || result === "void") return call;
  return (...args) => Number(call(...args));
}
