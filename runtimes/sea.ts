/** The program as Node's single executable: its code and koffi's native file are inside. */
import { closeSync, openSync, writeSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { main } from "../src/cli.ts";
import { type Koffi } from "./_koffi.ts";
import { createHost } from "./_nodehost.ts";
import { require } from "./_nodelike.ts";

/** open(2): a file without a name, for reading and writing. Linux. */
const O_TMPFILE_RDWR = 0o20200002;

/** The part of node:sea that is used. */
interface Sea {
  getRawAsset(name: string): ArrayBuffer;
}

/**
 * Loads koffi from inside the executable. The system maps native code from files only, so it gets one without a name,
 * which nobody else can reach and which is gone with the process.
 */
function embeddedKoffi(): Koffi {
  const bytes = new Uint8Array((require("node:sea") as Sea).getRawAsset("koffi.node"));
  let failure: unknown;
  for (const dir of [tmpdir(), "/dev/shm", homedir()]) {
    try {
      return loadNameless(dir, bytes);
    } catch (error) {
      // No such files there, or none that may be executed: the next directory may do.
      failure = error;
    }
  }
  throw failure;
}

function loadNameless(dir: string, bytes: Uint8Array): Koffi {
  const fd = openSync(dir, O_TMPFILE_RDWR, 0o600);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    const module = { exports: {} as Koffi };
    process.dlopen(module, `/proc/self/fd/${fd}`);
    return module.exports;
  } finally {
    closeSync(fd);
  }
}

const host = createHost(embeddedKoffi);
void main(host).then((code) => host.exit(code));
