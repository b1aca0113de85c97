/**
 * Bundles the benchmarks for Node and runs them one after the other.
 *
 * Usage: node bench/run.mjs [--smoke] [NAME...] [-- ARGUMENTS]   (NAME: a file of this folder without .ts)
 * With --smoke each runs shortly, to see that it still works; no figure decides anything then.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const split = process.argv.indexOf("--");
const words = process.argv.slice(2, split < 0 ? undefined : split);
const rest = split < 0 ? [] : process.argv.slice(split + 1);
const smoke = words.includes("--smoke");
const all = readdirSync(here).filter((name) => /^[^_].*\.ts$/.test(name)).map((name) => name.replace(".ts", ""));
const chosen = words.filter((word) => !word.startsWith("--"));

// What a machine's set-up loads into every start of a runtime is not what is measured: certificates of a company's own
// take Node 30 ms.
const plain = { ...process.env };
for (const name of ["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS"]) delete plain[name];
let failed = 0;
mkdirSync(join(root, "build"), { recursive: true });
for (const name of chosen.length > 0 ? chosen : all) {
  const outfile = join(root, "build", `bench-${name}.mjs`);
  buildSync({
    entryPoints: [join(here, `${name}.ts`)], outfile, bundle: true, format: "esm", platform: "node", target: "node20",
    external: ["koffi"], logLevel: "warning",
  });
  console.log(`\n# ${name}`);
  const env = smoke ? { ...plain, WSYNC_BENCH_SMOKE: "1", ROUNDS: "1" } : plain;
  const flags = smoke ? ["--smoke", ...rest] : rest;
  const run = spawnSync(process.execPath, [outfile, ...flags], { cwd: root, stdio: "inherit", env });
  if (run.status !== 0) failed++;
}
console.log(failed === 0 ? "\nall benchmarks ran" : `\n${failed} benchmarks failed`);
process.exitCode = failed === 0 ? 0 : 1;
