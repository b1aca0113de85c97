/**
 * The Host of a browser: a page's worker (or the page itself, for what takes little time). There are no processes,
 * sockets, signals or terminals; connections are what the caller brings (`sync`'s `connect`), files are DirectoryFiles,
 * MemoryFiles or TarFiles.
 */
import { ExitCode, UsageError } from "../src/errors.ts";
import { type Host } from "../src/host.ts";
import { embeddedKernels } from "./_browserdelta.ts";
import { random } from "./_random.ts";

function missing(what: string): UsageError {
  return new UsageError(`there is no way to ${what} in a browser`, ExitCode.unsupported);
}

/** Builds the Host. */
export function createHost(): Host {
  const userAgent = typeof navigator === "undefined" ? "" : navigator.userAgent;
  return {
    runtime: "browser", runtimeVersion: userAgent, os: "other", arch: "other", pid: 1, argv: [], self: [],
    env: () => undefined,
    environment: () => ({}),
    cwd: () => "/",
    ffi: null, ffiMissing: "a browser cannot call libc",
    files: {
      nodeFs: null,
      readFile: () => {
        throw missing("read a file by its path");
      },
    },
    kernels: embeddedKernels,
    stdio: () => {
      throw missing("read standard input");
    },
    print: () => {},
    isTerminal: () => false,
    readPassword: async () => null,
    spawn: () => {
      throw missing("start a remote shell");
    },
    connect: async () => {
      throw missing("open a socket without `connect`");
    },
    lookup: {
      reverse: async () => ({ error: "a browser does not ask for names" }),
      forward: async () => ({ error: "a browser does not ask for names" }),
    },
    sockets: null,
    onSignal: () => () => {},
    setTitle: () => {},
    exit: () => {
      throw missing("end the process");
    },
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: (ms) => (ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : turn()),
    random,
    memoryUsage: () => ({ residentBytes: 0, heapBytes: 0 }),
    zlib: null,
  };
}

/** One turn of the event loop; a timer of 0 would take four milliseconds after a while. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    }, { once: true });
    port1.start();
    port2.postMessage(null, []);
  });
}
