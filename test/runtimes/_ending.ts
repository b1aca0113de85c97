/** Starts a helper thread, blocks for as many milliseconds as the argument says, and ends the process. */
import process from "node:process";
import { createHost } from "../../runtimes/_nodehost.ts";

const REGION_BYTES = 65536;
const host = createHost();
if (host.ffi === null) throw new Error(host.ffiMissing);
const buffer = new SharedArrayBuffer(REGION_BYTES);
if (!host.startHelper!({ task: "files", buffer, base: 0, arch: host.arch, control: 0, ring: 256, scratch: 4096 })) {
  throw new Error("no helper");
}
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.argv[2]));
process.exit(0);
