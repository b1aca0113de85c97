/**
 * Compiles the kernels: `node assembly/build.mjs [--wat]`.
 *
 * Writes build/wsync.wasm, which imports a shared memory (env.memory, up to 4 GiB). `--wat` adds the text.
 * The declared initial memory is the least the module accepts; a host may pass a larger one.
 */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const flags = ["assembly/index.ts", "--baseDir", root, "--outFile", "build/wsync.wasm"];
flags.push("-O3", "--converge", "--noAssert", "--runtime", "stub", "--enable", "simd", "--enable", "bulk-memory");
flags.push("--importMemory", "--noExportMemory", "--initialMemory", "1", "--maximumMemory", "65536");
flags.push("--enable", "threads", "--sharedMemory");
if (process.argv.includes("--wat")) flags.push("--textFile", "build/wsync.wat");

mkdirSync(join(root, "build"), { recursive: true });
const { error, stderr } = await main(flags);
if (error) {
  console.error(stderr.toString());
  process.exit(1);
}
