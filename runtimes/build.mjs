/**
 * Builds what npm installs: the kernels (build/wsync.wasm) and one bundle a runtime (dist/).
 *
 * The command bundles carry the WebAssembly bytes inside, as base64 in the constant WSYNC_KERNELS, so that starting
 * wsync costs one read; on Node and Bun, whose compilers would take longer than everything else, three: a loader, the
 * program and its compiled code. Unbundled runs (tests, `deno run runtimes/deno.ts`) find the constant undefined and
 * read build/wsync.wasm. The package koffi stays outside the Node bundle, because it loads a native file; it is
 * required only when libc is first called. Runs under plain Node with no install script of any dependency.
 *
 * Usage: node runtimes/build.mjs [--no-minify] [--no-types]
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { runtimeWords } from "../test/_binaries.mjs";
import { buildDocs } from "./_builddocs.mjs";
import { buildHelpers } from "./_buildhelpers.mjs";
import { buildTypes } from "./_buildtypes.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const minify = !process.argv.includes("--no-minify");
const types = !process.argv.includes("--no-types");

/** What import.meta.url is to a bundle that is no module: what its loader says, or its own file's address. */
const MODULE_URL = 'if (typeof WSYNC_URL === "undefined") '
  + 'var WSYNC_URL = require("node:url").pathToFileURL(__filename).href;';
const TOOLS = ["inotifywait", "inotifywatch", "rrsync"];

/**
 * Node's programs are no modules, so that V8 can keep their compiled code. Nor are their loaders, because modules take
 * Node five milliseconds to start; dist/wsync.js is the one that can be imported.
 */
const nodeScripts = { "wsync.node": "runtimes/_nodeprogram.ts", "inotify.node": "runtimes/_nodetools.ts" };
const nodeLoaders = Object.fromEntries([
  ["wsync", "runtimes/node.ts"], ...TOOLS.map((tool) => [`wsync-${tool}`, `runtimes/${tool}.node.ts`]),
]);
/** What Bun's loaders load, unless they find it compiled. */
const bunPrograms = { "program.bun": "runtimes/_bunprogram.ts", "inotify.bun": "runtimes/_buntools.ts" };
const bunLoaders = Object.fromEntries([
  ["wsync.bun", "runtimes/wsync.bun.ts"], ...TOOLS.map((tool) => [`wsync-${tool}.bun`, `runtimes/${tool}.bun.ts`]),
]);
/** All other entries share their code: they are built together, and what several use is in dist/chunks. */
const modules = Object.fromEntries([
  ...["node", "deno", "bun"].map((runtime) => [`library.${runtime}`, `runtimes/library.${runtime}.ts`]),
  ["library.browser", "runtimes/browser.ts"],
  ["delta.native", "runtimes/delta.native.ts"],
  ["delta.browser", "runtimes/delta.browser.ts"],
  ["wsync.deno", "runtimes/deno.ts"], ...TOOLS.map((tool) => [`wsync-${tool}.deno`, `runtimes/${tool}.deno.ts`]),
  ...Object.entries(bunPrograms),
]);
/** First lines of what is run as a command. */
const interpreters = {
  js: "#!/usr/bin/env node",
  cjs: "#!/usr/bin/env node",
  deno: "#!/usr/bin/env -S deno run -A",
  bun: "#!/usr/bin/env bun",
};

/** Compiles assembly/ and returns the module's bytes. */
function buildKernels() {
  execFileSync(process.execPath, [join(root, "assembly/build.mjs")], { cwd: root, stdio: "inherit" });
  return readFileSync(join(root, "build/wsync.wasm"));
}

/** Has a runtime, if it is here, keep the code it compiles beside its bundles. Without it wsync only starts later. */
function keepCompiledCode(runtime, extension) {
  const [command, ...before] = runtimeWords(runtime) ?? [];
  if (command === undefined) return;
  const scratch = mkdtempSync(join(tmpdir(), "wsync-build-"));
  try {
    const env = { ...process.env, WSYNC_CODE_CACHE: "write" };
    const words = [join(root, `dist/wsync${extension}`), "-a", join(root, "src/protocol"), scratch];
    execFileSync(command, [...before, ...words], { env, stdio: "inherit" });
    // Where there is no inotify the tool says so and ends, which serves too.
    const tool = join(root, `dist/wsync-inotifywait${extension}`);
    const toolWords = ["-q", "-t", "1", "--format", "%w%f", "-r", scratch];
    spawnSync(command, [...before, tool, ...toolWords], { env, stdio: "ignore" });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Builds entries, a record of names in dist and files. */
function bundle(entryPoints, kernels, settings) {
  const { define = {}, ...rest } = settings;
  return build({
    absWorkingDir: root, entryPoints, outdir: "dist", bundle: true, platform: "node", minify, legalComments: "none",
    external: ["koffi", "bun:*", "node:*"], logLevel: "warning",
    define: { WSYNC_KERNELS: JSON.stringify(kernels.toString("base64")), ...helpers, ...define }, ...rest,
  });
}

/** Gives the commands their first line, and lets them be run. */
function makeCommands() {
  const scripts = Object.keys(nodeLoaders).map((name) => `${name}.cjs`);
  const others = ["wsync", ...Object.keys({ ...bunLoaders, ...modules })].map((name) => `${name}.js`);
  for (const name of [...scripts, ...others].filter((each) => each.startsWith("wsync"))) {
    const file = join(root, "dist", name);
    const runtime = name.split(".")[1];
    writeFileSync(file, `${interpreters[runtime]}\n${readFileSync(file, "utf8")}`);
    chmodSync(file, 0o755);
  }
}

/** Tells these files of dist from those of another build. */
function digestOf(...names) {
  const hash = createHash("sha256");
  for (const name of names) hash.update(readFileSync(join(root, "dist", name)));
  return hash.digest("hex").slice(0, 8);
}

rmSync(join(root, "dist"), { recursive: true, force: true });
mkdirSync(join(root, "dist"), { recursive: true });
const kernels = buildKernels();
const helpers = await buildHelpers();
const script = {
  format: "cjs", target: "node20", outExtension: { ".js": ".cjs" }, banner: { js: MODULE_URL },
  define: { "import.meta.url": "WSYNC_URL" },
};
await Promise.all([
  bundle(nodeScripts, kernels, script),
  bundle(nodeLoaders, kernels, script),
  bundle({ wsync: nodeLoaders.wsync }, kernels, { format: "esm", target: "node20" }),
  bundle(modules, kernels, { format: "esm", target: "es2023", splitting: true, chunkNames: "chunks/[hash]" }),
]);
// The chunks that they import are named by what is in them.
const ofThisBuild = JSON.stringify(digestOf(...Object.keys(bunPrograms).map((name) => `${name}.js`)));
await bundle(bunLoaders, kernels, { format: "esm", target: "es2023", define: { WSYNC_BUILD: ofThisBuild } });
makeCommands();
await buildDocs(root);
keepCompiledCode("node", ".cjs");
keepCompiledCode("bun", ".bun.js");
if (types) {
  const entries = Object.entries(modules).filter(([name]) => /^(library|delta)/.test(name));
  await buildTypes(root, entries.map(([, file]) => file));
}
