/** Foreign functions on Deno, and the part of Deno's interface that the Host touches. */
import { type Ffi, type FfiFunction, type FfiSignature, type FfiType } from "../src/host.ts";
import { bindAll, cString, lazyFunctions } from "./_ffi.ts";
import { type SpawnCalls } from "./_denospawn.ts";
import { Epoll, type EpollCalls } from "./_epoll.ts";
import { type Duplex } from "./_denostreams.ts";

type Pointer = object | null;
type Native = (...args: unknown[]) => number | bigint;

interface Definition {
  readonly parameters: readonly string[];
  readonly result: string;
  readonly nonblocking?: boolean;
}

interface DenoOutput {
  isTerminal(): boolean;
  write(chunk: Uint8Array): Promise<number>;
  writeSync(chunk: Uint8Array): number;
}

interface DenoFile {
  readSync(buffer: Uint8Array): number | null;
  writeSync(chunk: Uint8Array): number;
  close(): void;
}

/** A child process made ready by Deno.Command. */
export interface DenoCommand {
  spawn(): {
    readonly pid: number;
    readonly stdin: WritableStream<Uint8Array>;
    readonly stdout: ReadableStream<Uint8Array>;
    readonly status: Promise<{ readonly code: number; readonly signal: string | null }>;
    kill(signal: string): void;
  };
  outputSync(): unknown;
}

/** A TCP connection. */
export interface DenoConnection extends Duplex {
  readonly localAddr: { readonly port: number };
  readonly remoteAddr: { readonly hostname: string; readonly port: number };
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean): void;
}

/** The part of Deno that is used. */
export interface DenoApi {
  readonly version: { readonly deno: string };
  readonly build: { readonly os: string; readonly arch: string; readonly standalone?: boolean };
  readonly pid: number;
  readonly args: readonly string[];
  readonly permissions: { querySync(o: { name: string }): { readonly state: string } };
  readonly mainModule: string;
  readonly env: { get(name: string): string | undefined; toObject(): Record<string, string> };
  readonly stdin: { isTerminal(): boolean; read(buffer: Uint8Array): Promise<number | null> };
  readonly stdout: DenoOutput;
  readonly stderr: DenoOutput;
  readonly Command: new (command: string, options: object) => DenoCommand;
  readonly UnsafePointer: {
    of(view: Uint8Array): Pointer;
    value(pointer: Pointer): number | bigint;
    create(address: bigint): Pointer;
  };
  readonly UnsafePointerView: new (pointer: Pointer) => { getInt32(): number };
  dlopen(library: string, symbols: Record<string, Definition>): { readonly symbols: Record<string, Native> };
  connect(o: { hostname: string; port: number }): Promise<DenoConnection>;
  openSync(path: string, o: { read: boolean; write: boolean }): DenoFile;
  readFileSync(path: string | URL): Uint8Array;
  writeTextFileSync(path: string, text: string): void;
  execPath(): string;
  cwd(): string;
  chdir(path: string): void;
  umask(mask: number): number;
  uid(): number | null;
  gid(): number | null;
  exit(code: number): never;
  memoryUsage(): { readonly rss: number; readonly heapUsed: number };
  addSignalListener(name: string, listener: () => void): void;
  removeSignalListener(name: string, listener: () => void): void;
}

declare const Deno: DenoApi;

const DENO_TYPES: Readonly<Record<FfiType, string>> = {
  i32: "i32", u32: "u32", i64: "i64", u64: "u64", ptr: "usize", void: "void",
};

const i32 = (...parameters: string[]): Definition => ({ parameters, result: "i32" });
const waiting = (...parameters: string[]): Definition => ({ parameters, result: "i32", nonblocking: true });

/** Functions of streams and children; views are passed as they are. Those that may wait run on another thread. */
const STREAM_TABLE: Readonly<Record<Exclude<keyof DenoCalls, "errno" | "addressOf" | "poller">, Definition>> = {
  read: i32("i32", "buffer", "usize"),
  write: i32("i32", "buffer", "usize"),
  close: i32("i32"),
  shutdown: i32("i32", "i32"),
  fcntl: i32("i32", "i32", "i32"),
  poll: waiting("buffer", "usize", "i32"),
  epoll_create1: i32("i32"),
  epoll_ctl: i32("i32", "i32", "i32", "buffer"),
  epoll_wait: waiting("i32", "buffer", "i32", "i32"),
  eventfd: i32("u32", "i32"),
  eventfd_write: i32("i32", "u64"),
  eventfd_read: i32("i32", "buffer"),
  accept4: i32("i32", "usize", "usize", "i32"),
  setsockopt: i32("i32", "i32", "i32", "buffer", "u32"),
  pipe2: i32("buffer", "i32"),
  posix_spawnp: i32("buffer", "buffer", "buffer", "buffer", "buffer", "buffer"),
  posix_spawn_file_actions_init: i32("buffer"),
  posix_spawn_file_actions_adddup2: i32("buffer", "i32", "i32"),
  posix_spawn_file_actions_addopen: i32("buffer", "i32", "buffer", "i32", "u32"),
  posix_spawn_file_actions_destroy: i32("buffer"),
  posix_spawnattr_init: i32("buffer"),
  posix_spawnattr_setflags: i32("buffer", "i32"),
  posix_spawnattr_setsigdefault: i32("buffer", "buffer"),
  waitpid: waiting("i32", "buffer", "i32"),
  kill: i32("i32", "i32"),
};

/** All of them, with the one poller over them. */
export interface DenoCalls extends SpawnCalls, EpollCalls {
  poll(entries: Int32Array, count: number, timeoutMs: number): Promise<number>;
  accept4(fd: number, address: number, length: number, flags: number): number;
  setsockopt(fd: number, level: number, option: number, value: Int32Array, byteLength: number): number;
}

/** Opens libc at the first use and remembers why it could not. */
export class LazyFfi {
  missing = "";
  private loaded: Ffi | null | undefined;
  private streamCalls: DenoCalls | null | undefined;

  get ffi(): Ffi | null {
    if (this.loaded !== undefined) return this.loaded;
    try {
      if (Deno.env.get("WSYNC_NO_FFI")) throw new Error("WSYNC_NO_FFI is set");
      if (!mayCall()) throw new Error("no permission (--allow-ffi)");
      this.loaded = denoFfi();
    } catch (error) {
      this.missing = `Deno cannot call libc: ${(error as Error).message.split("\n")[0]}`;
      this.loaded = null;
    }
    return this.loaded;
  }

  /** Functions for streams and children; null without FFI and off Linux, whose numbers they use. */
  get calls(): DenoCalls | null {
    if (this.streamCalls !== undefined) return this.streamCalls;
    const { ffi } = this;
    this.streamCalls = ffi === null || Deno.build.os !== "linux" ? null : bindStreamCalls(ffi);
    return this.streamCalls;
  }

  /** Whether a standard descriptor is a pipe or a socket. */
  isStream(fd: number): boolean {
    const readlink = this.ffi?.dlopen(null, { readlink: { args: ["ptr", "ptr", "u64"], result: "i32" } })?.readlink;
    if (!readlink || !this.ffi) return false;
    const target = cString("?".repeat(16));
    const length = readlink(this.ffi.addressOf(cString(`/proc/self/fd/${fd}`)), this.ffi.addressOf(target), 16);
    const text = new TextDecoder().decode(target.subarray(0, Math.max(0, length)));
    return text.startsWith("pipe:") || text.startsWith("socket:");
  }
}

function mayCall(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** Throws when permission is denied. The library "" is the program, whose scope holds libc and what is preloaded. */
export function denoFfi(): Ffi {
  const { symbols } = Deno.dlopen("", {
    dlsym: { parameters: ["usize", "buffer"], result: "usize" },
    __errno_location: { parameters: [], result: "usize" },
  });
  const errnoView = new Deno.UnsafePointerView(Deno.UnsafePointer.create(BigInt(symbols.__errno_location())));
  const has = (name: string): boolean => symbols.dlsym(0, cString(name)) !== 0n;
  const bind = (library: string) => (name: string, signature: FfiSignature) => bindOne(library, name, signature);
  return {
    dlopen(library, wanted) {
      if (library === null) return lazyFunctions(wanted, has, bind(""));
      try {
        Deno.dlopen(library, {});
      } catch {
        return null;
      }
      return bindAll(wanted, bind(library));
    },
    addressOf: (view) => Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(view))),
    errno: () => errnoView.getInt32(),
  };
}

/** Results of 64 bits come as BigInt and are made numbers; no hot call has one. */
function bindOne(library: string, name: string, { args, result }: FfiSignature): FfiFunction {
  const definition = { parameters: args.map((type) => DENO_TYPES[type]), result: DENO_TYPES[result] };
  const native = Deno.dlopen(library, { [name]: definition }).symbols[name];
  if (result === "i32" || result === "u32" || result === "void") return native as FfiFunction;
  return (...words) => Number(native(...words));
}

/** Binds each function of STREAM_TABLE when it is first called. */
function bindStreamCalls(ffi: Ffi): DenoCalls {
  const calls: Record<string, unknown> = { errno: ffi.errno, addressOf: ffi.addressOf };
  for (const [name, definition] of Object.entries(STREAM_TABLE)) {
    calls[name] = (...args: unknown[]) => {
      const native = Deno.dlopen("", { [name]: definition }).symbols[name];
      calls[name] = native;
      return native(...args);
    };
  }
  let poller: Epoll | null = null;
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  Object.defineProperty(calls, "poller", { get: () => (poller ??= new Epoll(calls as unknown as DenoCalls, arch)) });
  return calls as unknown as DenoCalls;
}
