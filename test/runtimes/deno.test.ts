import { join } from "node:path";
import { DENO_NODE_FS, DENO_SOCKETS, NODE_FS } from "./_skips.ts";
import { conformance, ROOT } from "./_start.ts";

const deno = join(ROOT, "node_modules/.bin/deno");
const program = join(ROOT, "test/runtimes/_deno.ts");

conformance({ title: "Deno with FFI", command: [deno, "run", "--allow-all", program], fileSystem: "libc", skips: DENO_SOCKETS });
conformance({
  title: "Deno without FFI", command: [deno, "run", "--allow-all", program], env: { WSYNC_NO_FFI: "1" }, fileSystem: "node:fs",
  skips: { ...NODE_FS, ...DENO_NODE_FS, ...DENO_SOCKETS },
});
