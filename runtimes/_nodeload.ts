/**
 * Loads a Node bundle of dist/ together with the code that V8 compiled for it when it was built: compiling it anew
 * would be most of what starting wsync costs. Code of another version of V8 is refused by it and simply not used.
 */
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

type Loader = (module: { exports: unknown }, require: unknown, url: string) => void;

function compiledCode(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** The exports of the bundle `name`, which lies beside the module at `url`. */
export function load<T>(name: string, url: string): T {
  const bundle = fileURLToPath(new URL(name, url));
  const compiled = `${bundle}.cache`;
  const source = `(function (module, require, WSYNC_URL) {${readFileSync(bundle, "latin1")}\n})`;
  const script = new Script(source, { filename: name.replace(".node.cjs", ".js"), cachedData: compiledCode(compiled) });
  const module = { exports: {} };
  (script.runInThisContext() as Loader)(module, createRequire(bundle), url);
  // The build runs the program once, so that what a usual run calls is compiled too.
  if (process.env.WSYNC_CODE_CACHE === "write") {
    process.once("exit", () => writeFileSync(compiled, script.createCachedData()));
  }
  return module.exports as T;
}

/** Whether the module at `url` is the program that was started, and not imported. */
export function isProgram(url: string): boolean {
  try {
    return realpathSync(process.argv[1]) === fileURLToPath(url);
  } catch {
    return false;
  }
}
