import { join } from "node:path";
import { DENO_NODE_FS, DENO_SOCKETS, NODE_FS } from "./_skips.ts";
import { conformance, ROOT } from "./_start.ts";

const deno = join(ROOT, "node_modules/.bin/deno");
const program = join(ROOT, "test/runtimes/_deno.ts");

conformance({
  title: "Deno with FFI", command: [deno, "run", "--allow-all", program], fileSystem: "libc", skips: DENO_SOCKETS,
});
// Everything but --allow-ffi. The suite's children are started with all permissions; without them Deno keeps /dev shut.
const permissions = ["read", "write", "env", "run", "net", "sys"].map((name) => `--allow-${name}`);
conformance({
  title: "Deno without permission to call libc", command: [deno, "run", "--no-prompt", ...permissions, program],
  fileSystem: "node:fs", scratch: "/tmp",
  skips: { ...NODE_FS, ...DENO_NODE_FS, ...DENO_SOCKETS },
});
