/**
 * `npm run compile`: single-file programs in build/bin, one for each runtime that can make one, with their sizes and
 * how long each takes to start beside the runtime's empty program.
 *
 * Each is made from a bundle alone, in an empty folder, so that nothing of node_modules comes along. `deno compile`
 * takes its base binary (denort) from the network unless it has it already; without a network, DENORT_BIN names one.
 *
 * Usage: node runtimes/compile.mjs [deno] [bun] [node]
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { runtimeWords } from "../test/_binaries.mjs";
import { buildHelpers } from "./_buildhelpers.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "build/bin");
const ROUNDS = 9;

/**
 * What the program needs on Deno: libc for files (which is everything a user may do), its environment, remote shells,
 * daemons. Deno's own files are not used, so it may not read or write.
 */
export const DENO_PERMISSIONS = ["--allow-ffi", "--allow-env", "--allow-run", "--allow-net"];
/** And that it runs from the bundle alone. */
export const DENO_CONFINED = ["--no-prompt", "--no-remote", "--no-npm", "--cached-only", "--no-config", "--no-lock"];

/** The marker that Node looks for in itself, and that postject turns. */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

function run(argv, options = {}) {
  const env = { ...process.env, NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(argv[0], argv.slice(1), { encoding: "utf8", env, ...options });
  return { ok: status === 0, text: `${stdout ?? ""}${stderr ?? ""}` };
}

/** A runtime's binary, without the words that a script would be started with. */
function binaryOf(runtime) {
  return runtimeWords(runtime)?.[0] ?? null;
}

/** Builds the whole program into one file. */
export async function bundleWhole(entry, outfile, settings = {}) {
  const kernels = readFileSync(join(root, "build/wsync.wasm")).toString("base64");
  const { define = {}, ...rest } = settings;
  await build({
    absWorkingDir: root, entryPoints: [entry], outfile, bundle: true, format: "esm", platform: "node", target: "es2023",
    minify: true, legalComments: "none", external: ["koffi", "bun:*", "node:*"], logLevel: "warning",
    define: { WSYNC_KERNELS: JSON.stringify(kernels), ...(await buildHelpers()), ...define }, ...rest,
  });
}

async function compileDeno(scratch, program) {
  const deno = binaryOf("deno");
  if (deno === null) return "there is no deno here";
  await bundleWhole("runtimes/deno.ts", join(scratch, "wsync.deno.js"));
  const words = ["compile", "--quiet", "--no-remote", "--no-npm", "--no-config", "--no-lock", ...DENO_PERMISSIONS];
  const done = run([deno, ...words, "--output", program, "wsync.deno.js"], { cwd: scratch });
  return done.ok ? "" : denoTrouble(done.text);
}

/** Says what is missing where it is the base binary, and otherwise what deno says. */
export function denoTrouble(text) {
  const url = /https:\/\/\S+?denort\S+?\.zip/.exec(text)?.[0];
  if (url === undefined) return text.trim();
  const version = /\/(v[\d.]+)\//.exec(url)?.[1] ?? "the same version";
  return [
    `deno compile could not fetch its base binary from ${url}.`,
    `  Where there is no network: unpack that file elsewhere, and set DENORT_BIN to the denort inside (of ${version}),`,
    "  as in: DENORT_BIN=/path/to/denort npm run compile -- deno",
  ].join("\n");
}

async function compileBun(scratch, program) {
  const bun = binaryOf("bun");
  if (bun === null) return "there is no bun here";
  await bundleWhole("runtimes/bun.ts", join(scratch, "wsync.bun.js"));
  const words = ["build", "--compile", "--bytecode", "--format=esm", "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig", "wsync.bun.js", "--outfile", program];
  const done = run([bun, ...words], { cwd: scratch });
  return done.ok ? "" : done.text.trim();
}

/** Where koffi keeps its native file for this system, or null. */
function koffiFile() {
  const { platform, arch } = process;
  const file = join(root, `node_modules/@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`);
  return existsSync(file) ? file : null;
}

async function compileNode(scratch, program) {
  const koffi = koffiFile();
  const main = join(scratch, "wsync.cjs");
  await bundleWhole("runtimes/sea.ts", main, {
    format: "cjs", target: "node20", define: { "import.meta.url": "WSYNC_URL" },
    banner: { js: 'const WSYNC_URL = require("node:url").pathToFileURL(process.execPath).href;' },
  });
  const config = {
    main, output: join(scratch, "wsync.blob"), disableExperimentalSEAWarning: true, useCodeCache: true,
    assets: koffi === null ? {} : { "koffi.node": koffi },
  };
  writeFileSync(join(scratch, "sea.json"), JSON.stringify(config));
  const made = run([process.execPath, "--experimental-sea-config", join(scratch, "sea.json")]);
  if (!made.ok) return made.text.trim();
  copyFileSync(process.execPath, program);
  chmodSync(program, 0o755);
  const postject = join(root, "node_modules/postject/dist/cli.js");
  const put = run([process.execPath, postject, program, "NODE_SEA_BLOB", config.output, "--sentinel-fuse", FUSE]);
  return put.ok ? "" : put.text.trim();
}

/** Milliseconds from start to end, the median of some rounds. */
function startMs(argv) {
  const times = Array.from({ length: ROUNDS }, () => {
    const before = process.hrtime.bigint();
    execFileSync(argv[0], argv.slice(1), { stdio: "ignore" });
    return Number(process.hrtime.bigint() - before) / 1e6;
  });
  return times.sort((a, b) => a - b)[ROUNDS >> 1];
}

/** The runtime's program that does nothing. */
function emptyProgram(runtime, scratch) {
  const file = join(scratch, "empty.js");
  writeFileSync(file, "");
  return [...runtimeWords(runtime), file];
}

const targets = { deno: compileDeno, bun: compileBun, node: compileNode };

/** Makes one program. Returns its path, or why there is none. */
export async function compile(runtime) {
  mkdirSync(out, { recursive: true });
  const program = join(out, `wsync-${runtime}`);
  rmSync(program, { force: true });
  const scratch = mkdtempSync(join(tmpdir(), "wsync-compile-"));
  try {
    const trouble = await targets[runtime](scratch, program);
    if (trouble !== "") return { program: null, trouble };
    const mebibytes = statSync(program).size / 2 ** 20;
    const [own, empty] = [startMs([program, "--version"]), startMs(emptyProgram(runtime, scratch))];
    return { program, trouble: "", mebibytes, own, empty };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function compileAll(names) {
  if (!existsSync(join(root, "build/wsync.wasm"))) throw new Error("there are no kernels in build/: npm run build");
  let failures = 0;
  for (const name of names) {
    const { program, trouble, mebibytes, own, empty } = await compile(name);
    if (program === null) {
      failures++;
      console.log(`${name}: ${trouble}`);
    } else {
      const start = `--version in ${own.toFixed(0)} ms, ${name}'s empty program in ${empty.toFixed(0)} ms`;
      console.log(`${name}: ${program}, ${mebibytes.toFixed(1)} MiB, ${start}`);
    }
  }
  process.exitCode = failures > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const named = process.argv.slice(2);
  const unknown = named.find((name) => !(name in targets));
  if (unknown !== undefined) throw new Error(`nothing is known of a runtime called ${unknown}`);
  await compileAll(named.length > 0 ? named : Object.keys(targets));
}
