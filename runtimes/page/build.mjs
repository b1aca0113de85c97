/**
 * Builds the page into one folder, build/page: `node runtimes/page/build.mjs`. Everything in it is static; any server
 * will do.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const out = join(root, "build/page");

/** The kernels, compiled where the sources are newer than what is there. */
function kernels() {
  const wasm = join(root, "build/wsync.wasm");
  const made = statSync(wasm, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(join(root, "assembly")).map((name) => statSync(join(root, "assembly", name)).mtimeMs);
  if (made < Math.max(...sources)) {
    execFileSync(process.execPath, [join(root, "assembly/build.mjs")], { cwd: root, stdio: "inherit" });
  }
  return readFileSync(wasm).toString("base64");
}

/** Builds the page and returns its folder. */
export async function buildPage() {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await build({
    absWorkingDir: root, entryPoints: ["main", "worker", "transferworker"].map((name) => join(here, `${name}.ts`)),
    outdir: out, bundle: true,
    format: "esm", platform: "browser", target: "es2022", minify: true, legalComments: "none", logLevel: "warning",
    define: { WSYNC_KERNELS: JSON.stringify(kernels()) },
  });
  for (const name of ["index.html", "page.css"]) cpSync(join(here, name), join(out, name));
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await buildPage());
