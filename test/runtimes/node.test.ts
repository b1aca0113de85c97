import { NODE_FS, NO_SOCKET_OPTIONS } from "./_skips.ts";
import { bundle, conformance } from "./_start.ts";

const program = await bundle("_node");
const command = [process.execPath, program];

conformance({ title: "Node.js with koffi", command, fileSystem: "libc" });
conformance({
  title: "Node.js without FFI", command, env: { WSYNC_NO_FFI: "1" }, fileSystem: "node:fs",
  skips: { ...NODE_FS, ...NO_SOCKET_OPTIONS },
});
