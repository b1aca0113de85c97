/**
 * Builds what npm installs: the kernels (build/wsync.wasm) and one bundle a runtime (dist/).
 *
 * The command bundles carry the WebAssembly bytes inside, as base64 in the constant WSYNC_KERNELS, so that starting
 * wsync costs one read; on Node, whose compiler would take longer than everything else, three: node.ts, the program
 * and its compiled code. Unbundled runs (tests, `deno run runtimes/deno.ts`) find the constant undefined and read
 * build/wsync.wasm. The package koffi stays outside the Node bundle, because it loads a native file; it is required
 * only when libc is first called. Runs under plain Node with no install script of any dependency.
 *
 * Usage: node runtimes/build.mjs [--no-minify] [--no-types]
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildTypes } from "./_buildtypes.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const minify = !process.argv.includes("--no-minify");
const types = !process.argv.includes("--no-types");

const onNode = { platform: "node", banner: "#!/usr/bin/env node", target: "node20" };
const onDeno = { platform: "node", banner: "#!/usr/bin/env -S deno run -A", target: "deno2" };
const onBun = { platform: "node", banner: "#!/usr/bin/env bun", target: "esnext" };
/** What import.meta.url is to a bundle that is no module. */
const MODULE_URL = 'const WSYNC_URL = require("node:url").pathToFileURL(__filename).href;';

/** One bundle each: the entry file, where it goes, how esbuild treats it and its first line. */
const bundles = [
  { entry: "runtimes/node.ts", out: "dist/wsync.js", ...onNode },
  { entry: "runtimes/_nodeprogram.ts", out: "dist/wsync.node.cjs", ...onNode, banner: "", format: "cjs" },
  { entry: "runtimes/deno.ts", out: "dist/wsync.deno.js", ...onDeno },
  { entry: "runtimes/bun.ts", out: "dist/wsync.bun.js", ...onBun },
  { entry: "runtimes/_nodetools.ts", out: "dist/inotify.node.cjs", ...onNode, banner: "", format: "cjs" },
  ...["inotifywait", "inotifywatch"].flatMap((tool) => [
    { entry: `runtimes/${tool}.node.ts`, out: `dist/wsync-${tool}.js`, ...onNode },
    { entry: `runtimes/${tool}.deno.ts`, out: `dist/wsync-${tool}.deno.js`, ...onDeno },
    { entry: `runtimes/${tool}.bun.ts`, out: `dist/wsync-${tool}.bun.js`, ...onBun },
  ]),
  { entry: "runtimes/library.node.ts", out: "dist/library.node.js", ...onNode, banner: "" },
  { entry: "runtimes/library.node.ts", out: "dist/library.node.cjs", ...onNode, banner: MODULE_URL, format: "cjs" },
  { entry: "runtimes/library.deno.ts", out: "dist/library.deno.js", ...onDeno, banner: "" },
  { entry: "runtimes/library.bun.ts", out: "dist/library.bun.js", ...onBun, banner: "" },
];

/** Compiles assembly/ and returns the module's bytes. */
function buildKernels() {
  execFileSync(process.execPath, [join(root, "assembly/build.mjs")], { cwd: root, stdio: "inherit" });
  return readFileSync(join(root, "build/wsync.wasm"));
}

/** Constants of a bundle. One that is no module is told its address. */
function definitions({ format }, kernels) {
  const address = format === "cjs" ? { "import.meta.url": "WSYNC_URL" } : {};
  return { WSYNC_KERNELS: JSON.stringify(kernels.toString("base64")), ...address };
}

/** Has V8 keep the code it compiles for a small run, beside the Node bundle. Without it wsync only starts later. */
function keepCompiledCode() {
  const scratch = mkdtempSync(join(tmpdir(), "wsync-build-"));
  try {
    const env = { ...process.env, WSYNC_CODE_CACHE: "write" };
    const words = [join(root, "dist/wsync.js"), "-a", join(root, "src/protocol"), scratch];
    execFileSync(process.execPath, words, { env, stdio: "inherit" });
    // Where there is no inotify the tool says so and ends, which serves too.
    const tool = [join(root, "dist/wsync-inotifywait.js"), "-q", "-t", "1", "--format", "%w%f", "-r", scratch];
    spawnSync(process.execPath, tool, { env, stdio: "ignore" });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function buildBundle(bundle, kernels) {
  await build({
    absWorkingDir: root,
    entryPoints: [bundle.entry],
    outfile: bundle.out,
    bundle: true,
    format: bundle.format ?? "esm",
    platform: bundle.platform,
    target: bundle.target,
    minify,
    legalComments: "none",
    external: ["koffi", "bun:*", "node:*"],
    define: definitions(bundle, kernels),
    banner: bundle.banner ? { js: bundle.banner } : {},
    logLevel: "warning",
  });
  if (bundle.banner.startsWith("#!")) chmodSync(join(root, bundle.out), 0o755);
}

rmSync(join(root, "dist"), { recursive: true, force: true });
mkdirSync(join(root, "dist"), { recursive: true });
const kernels = buildKernels();
const present = bundles.filter((bundle) => existsSync(join(root, bundle.entry)));
await Promise.all(present.map((bundle) => buildBundle(bundle, kernels)));
keepCompiledCode();
if (types) await buildTypes(root, ["runtimes/library.node.ts", "runtimes/library.deno.ts", "runtimes/library.bun.ts"]);
