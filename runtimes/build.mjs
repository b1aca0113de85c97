/**
 * Builds what npm installs: the kernels (build/wsync.wasm) and one bundle a runtime (dist/).
 *
 * The command bundles carry the WebAssembly bytes inside, as base64 in the constant WSYNC_KERNELS, so that starting
 * wsync costs one read. Unbundled runs (tests, `deno run runtimes/deno.ts`) find the constant undefined and read
 * build/wsync.wasm. The package koffi stays outside the Node bundle, because it loads a native file; it is required
 * only when libc is first called. Runs under plain Node with no install script of any dependency.
 *
 * Usage: node runtimes/build.mjs [--no-minify] [--no-types]
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const minify = !process.argv.includes("--no-minify");
const types = !process.argv.includes("--no-types");

const onNode = { platform: "node", banner: "#!/usr/bin/env node", target: "node20" };
const onDeno = { platform: "node", banner: "#!/usr/bin/env -S deno run -A", target: "deno2" };
const onBun = { platform: "node", banner: "#!/usr/bin/env bun", target: "esnext" };
const anywhere = { platform: "neutral", banner: "", target: "es2023" };

/** One bundle each: the entry file, where it goes, how esbuild treats it and its first line. */
const bundles = [
  { entry: "runtimes/node.ts", out: "dist/wsync.js", ...onNode },
  { entry: "runtimes/deno.ts", out: "dist/wsync.deno.js", ...onDeno },
  { entry: "runtimes/bun.ts", out: "dist/wsync.bun.js", ...onBun },
  { entry: "src/index.ts", out: "dist/index.js", ...anywhere },
];

/** Compiles assembly/ and returns the module's bytes. */
function buildKernels() {
  execFileSync(process.execPath, [join(root, "assembly/build.mjs")], { cwd: root, stdio: "inherit" });
  return readFileSync(join(root, "build/wsync.wasm"));
}

async function buildBundle(bundle, kernels) {
  await build({
    absWorkingDir: root,
    entryPoints: [bundle.entry],
    outfile: bundle.out,
    bundle: true,
    format: "esm",
    platform: bundle.platform,
    target: bundle.target,
    minify,
    legalComments: "none",
    external: ["koffi", "bun:*", "node:*"],
    define: bundle.platform === "node" ? { WSYNC_KERNELS: JSON.stringify(kernels.toString("base64")) } : {},
    banner: bundle.banner ? { js: bundle.banner } : {},
    logLevel: "warning",
  });
  if (bundle.banner) chmodSync(join(root, bundle.out), 0o755);
}

/** Declarations for library users. A type error does not stop an installation: `npm run types` is what judges. */
function buildTypes() {
  const language = ["--target", "es2023", "--lib", "es2023,dom", "--module", "esnext", "--moduleResolution", "bundler"];
  const emit = ["--declaration", "--emitDeclarationOnly", "--rewriteRelativeImportExtensions", "--noCheck"];
  const where = ["--rootDir", "src", "--outDir", "dist/types", "--ignoreConfig", "src/index.ts"];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, ...language, ...emit, ...where], { cwd: root, stdio: "inherit" });
  const createHost = [
    'import type { Host } from "./host.js";', "",
    "/** The Host of the runtime that this bundle is for. */",
    "export declare function createHost(): Host;", "",
  ];
  writeFileSync(join(root, "dist/types/createhost.d.ts"), createHost.join("\n"));
}

rmSync(join(root, "dist"), { recursive: true, force: true });
mkdirSync(join(root, "dist"), { recursive: true });
const kernels = buildKernels();
const present = bundles.filter((bundle) => existsSync(join(root, bundle.entry)));
await Promise.all(present.map((bundle) => buildBundle(bundle, kernels)));
if (types && existsSync(join(root, "src/index.ts"))) buildTypes();
