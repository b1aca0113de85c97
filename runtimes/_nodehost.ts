/** The Host of Node.js. Foreign functions come from koffi, loaded at the first use. */
import process from "node:process";
import { type Ffi, type FfiFunction, type FfiSignature, type FfiType, type Host } from "../src/host.ts";
import { connectSocket } from "./_connect.ts";
import { bindAll, lazyFunctions } from "./_ffi.ts";
import { makeHost, require } from "./_nodelike.ts";
import { nodeSockets } from "./_nodesockets.ts";
import { one, Poller } from "./_poller.ts";

type AsyncFunction = FfiFunction & { async(...args: unknown[]): void };

interface Library {
  func(name: string, result: string, args: string[]): AsyncFunction;
}

type Dlsym = (handle: number, name: string) => number | bigint;

/** The part of koffi that is used. */
export interface Koffi {
  load(library: string | null, options?: { deep: boolean }): Library;
  address(view: Uint8Array): bigint;
  errno(): number;
}

const KOFFI_TYPES: Readonly<Record<FfiType, string>> = {
  i32: "int32_t", u32: "uint32_t", i64: "int64_t", u64: "uint64_t", ptr: "uintptr_t", void: "void",
};

/** EFD_CLOEXEC and EFD_NONBLOCK of Linux. */
const EFD_FLAGS = 0o2004000;

/**
 * Builds the Host. Cheap: modules and koffi are loaded when first used. A single-executable program brings its own
 * koffi.
 */
export function createHost(embedded?: () => Koffi): Host {
  const koffi = (): Koffi => {
    if (process.env.WSYNC_NO_FFI) throw new Error("WSYNC_NO_FFI is set");
    return embedded ? embedded() : loadKoffi();
  };
  let ffi: Ffi | null | undefined;
  let missing = "";
  const loadFfi = (): Ffi | null => {
    if (ffi !== undefined) return ffi;
    try {
      ffi = koffiFfi(koffi());
    } catch (error) {
      missing = `koffi cannot be loaded: ${(error as Error).message.split("\n")[0]}`;
      ffi = null;
    }
    return ffi;
  };
  let poller: Poller | null = null;
  return makeHost({
    runtime: "node",
    ...(embedded ? { self: [process.execPath] } : {}),
    runtimeVersion: process.versions.node,
    get ffi() {
      return loadFfi();
    },
    get ffiMissing() {
      return loadFfi() === null ? missing : "";
    },
    connect: (options) => connectSocket(require("node:net"), options, loadFfi, true),
    get sockets() {
      return loadFfi() === null ? null : nodeSockets;
    },
    readWaiter(fd) {
      if (loadFfi() === null) return null;
      return (poller ??= koffiPoller(koffi())).waiter(fd);
    },
  });
}

/** poll(2) runs on a thread of libuv's pool, which node joins when it ends: it must have returned by then. */
function koffiPoller(koffi: Koffi): Poller {
  const library = koffi.load(null);
  const poll = library.func("poll", "int", ["uintptr_t", "ulong", "int"]);
  const eventfd = library.func("eventfd", "int", ["uint32_t", "int"]);
  const write = library.func("write", "int64_t", ["int", "uintptr_t", "size_t"]);
  const read = library.func("read", "int64_t", ["int", "uintptr_t", "size_t"]);
  const cell = one();
  const spare = one();
  const addressOf = (view: Uint8Array): number => Number(koffi.address(view));
  const poller = new Poller({
    eventfd: () => eventfd(0, EFD_FLAGS),
    poll: (entries, count) => new Promise((resolve, reject) => {
      const address = addressOf(new Uint8Array(entries.buffer));
      poll.async(address, count, -1, (error: Error | null) => {
        // The entries stay referenced until the thread is done with them.
        if (error && entries.length > 0) reject(error);
        else resolve();
      });
    }),
    raise: (fd) => void write(fd, addressOf(cell), cell.length),
    clear: (fd) => void read(fd, addressOf(spare), spare.length),
  });
  process.on("exit", () => poller.endAll());
  return poller;
}

/** koffi's native file is asked for first: koffi's own entry takes five milliseconds longer to find the same file. */
function loadKoffi(): Koffi {
  const { platform, arch } = process;
  try {
    return require(`@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`) as Koffi;
  } catch {
    return require("koffi") as Koffi;
  }
}

function koffiFfi(koffi: Koffi): Ffi {
  const bind = (library: Library) => (name: string, { args, result }: FfiSignature) =>
    library.func(name, KOFFI_TYPES[result], args.map((type) => KOFFI_TYPES[type]));
  return {
    dlopen(name, symbols) {
      try {
        // Node exports a zlib of its own: a library must bind to itself first, or the system's libz calls that one.
        const library = koffi.load(name, { deep: name !== null });
        if (name !== null) return bindAll(symbols, bind(library));
        const dlsym = library.func("dlsym", "uintptr_t", ["uintptr_t", "str"]) as unknown as Dlsym;
        return lazyFunctions(symbols, (symbol) => Number(dlsym(0, symbol)) !== 0, bind(library));
      } catch {
        return null;
      }
    },
    addressOf: (view) => Number(koffi.address(view)),
    errno: () => koffi.errno(),
  };
}
