import { join } from "node:path";
import { NODE_FS, NO_SOCKET_OPTIONS } from "./_skips.ts";
import { conformance, ROOT } from "./_start.ts";

const bun = join(ROOT, "node_modules/.bin/bun");
const program = join(ROOT, "test/runtimes/_bun.ts");

conformance({ title: "Bun with FFI", command: [bun, program], fileSystem: "libc" });
conformance({ title: "Bun without FFI", command: [bun, program], env: { WSYNC_NO_FFI: "1" }, fileSystem: "node:fs",
  skips: { ...NODE_FS, ...NO_SOCKET_OPTIONS },
});
