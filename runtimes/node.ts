/**
 * The command on Node.js: loads dist/wsync.node.cjs together with the code that V8 compiled for it when it was built.
 * Compiling the bundle anew would be most of what starting wsync costs. Code of another version of V8 is refused by it
 * and simply not used. Importing this file elsewhere gives the Host without running anything.
 */
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import type * as Program from "./_nodeprogram.ts";

type Loader = (module: { exports: unknown }, require: unknown, url: string) => void;

const bundle = fileURLToPath(new URL("wsync.node.cjs", import.meta.url));
const compiled = `${bundle}.cache`;

function compiledCode(): Buffer | undefined {
  try {
    return readFileSync(compiled);
  } catch {
    return undefined;
  }
}

function load(): typeof Program {
  const source = `(function (module, require, WSYNC_URL) {${readFileSync(bundle, "latin1")}\n})`;
  const script = new Script(source, { filename: "wsync.js", cachedData: compiledCode() });
  const module = { exports: {} };
  (script.runInThisContext() as Loader)(module, createRequire(bundle), import.meta.url);
  // The build runs the program once, so that what a usual run calls is compiled too.
  if (process.env.WSYNC_CODE_CACHE === "write") {
    process.once("exit", () => writeFileSync(compiled, script.createCachedData()));
  }
  return module.exports as typeof Program;
}

function isProgram(): boolean {
  try {
    return realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
  } catch {
    return false;
  }
}

const program = load();

/** The Host of this runtime. */
export const createHost = program.createHost;

if (isProgram()) program.start();
