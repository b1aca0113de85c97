/** The Host of Node.js. Foreign functions come from koffi, loaded at the first use. */
import { awaitHelper } from "../src/helper.ts";
import { type Ffi, type HelperStart, type Host } from "../src/host.ts";
import { compileLess } from "./_compileless.ts";
import { connectSocket } from "./_connect.ts";
import { type Koffi, koffiFfi, loadKoffi } from "./_koffi.ts";
import { makeHost, print, require, startThread } from "./_nodelike.ts";
import { nodeSockets } from "./_nodesockets.ts";
import { one, Poller } from "./_poller.ts";
import { quickPrinter } from "./_quickprint.ts";
import { random } from "./_random.ts";

/** EFD_CLOEXEC and EFD_NONBLOCK of Linux. */
const EFD_FLAGS = 0o2004000;

/**
 * Builds the Host. Cheap: modules and koffi are loaded when first used. A single-executable program brings its own
 * koffi. `ownProcess`: nobody else's code runs in this process.
 */
export function createHost(embedded?: () => Koffi, ownProcess = false): Host {
  const koffi = (): Koffi => {
    if (process.env.WSYNC_NO_FFI) throw new Error("WSYNC_NO_FFI is set");
    return embedded ? embedded() : loadKoffi(import.meta.url);
  };
  let ffi: Ffi | null | undefined;
  let missing = "";
  let ending = false;
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
  const quickly = quickPrinter(() => ffi);
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
    startHelper: (start) => !embedded && startHelper(start, () => !ending, ownProcess ? compileLess : undefined),
    // An ordinary end spends some 20 ms on waiting for threads that compile, and on taking the heap apart.
    endAtOnce(code) {
      if (!ffi) return;
      ending = true;
      process.emit("exit", code);
      koffi().load(null).func("_exit", "void", ["int"])(code);
    },
    connect: (options) => connectSocket(require("node:net"), options, loadFfi, true),
    get sockets() {
      return loadFfi() === null ? null : nodeSockets;
    },
    print(fd, bytes) {
      const printed = quickly(fd, bytes);
      if (printed < bytes.length) print(fd, printed === 0 ? bytes : bytes.subarray(printed));
    },
    random: (bytes) => void (fillRandomly(ffi, bytes) || random(bytes)),
    readWaiter(fd) {
      if (loadFfi() === null) return null;
      return (poller ??= koffiPoller(koffi())).waiter(fd);
    },
  });
}

/** Has libc fill `bytes`, where it is open already: Node takes three milliseconds to load a generator of its own. */
function fillRandomly(ffi: Ffi | null | undefined, bytes: Uint8Array): boolean {
  const { getrandom } = ffi?.dlopen(null, { getrandom: { args: ["ptr", "u64", "u32"], result: "i64" } }) ?? {};
  const own = new Uint8Array(new ArrayBuffer(bytes.length));
  if (getrandom?.(ffi!.addressOf(own), own.length, 0) !== own.length) return false;
  bytes.set(own);
  return true;
}

/** The helper's program as text, which only a bundle has. Set by runtimes/build.mjs. */
declare const WSYNC_NODE_HELPER: string | undefined;

/** A process that ends in the ordinary way while a thread loads koffi would be aborted. */
function startHelper(start: HelperStart, endsOrdinarily: () => boolean, online?: () => void): boolean {
  if (typeof WSYNC_NODE_HELPER !== "string") return false;
  const beforeExit = (): void => {
    if (endsOrdinarily()) awaitHelper(start);
  };
  return startThread(WSYNC_NODE_HELPER, { start, url: import.meta.url }, { beforeExit, online });
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
