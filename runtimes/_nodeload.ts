/**
 * Loads a Node bundle of dist/ together with the code that V8 compiled for it before: compiling it anew would be most
 * of what starting wsync costs. The code is kept beside the bundle, by the build or by the first run of this version
 * of V8; where that folder cannot be written, wsync only starts later.
 */
import { readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
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
  const compiled = `${bundle}.${process.arch}-${process.versions.v8}.cache`;
  const source = `(function (module, require, WSYNC_URL) {${readFileSync(bundle, "latin1")}\n})`;
  const cachedData = compiledCode(compiled);
  const script = new Script(source, { filename: name.replace(".node.cjs", ".js"), cachedData });
  const module = { exports: {} };
  (script.runInThisContext() as Loader)(module, createRequire(bundle), url);
  // At the end, when what a usual run calls is compiled too. The build asks for it.
  const wanted = process.env.WSYNC_CODE_CACHE;
  const missing = cachedData === undefined || script.cachedDataRejected;
  if (wanted === "write" || (missing && wanted !== "off")) process.once("exit", () => keep(script, compiled));
  return module.exports as T;
}

/** Writes the compiled code in one step, so that nobody reads half of it. */
function keep(script: Script, file: string): void {
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, script.createCachedData());
    renameSync(draft, file);
  } catch {
    // Somebody else's folder: the next run compiles anew.
  }
}

/** Whether the module at `url` is the program that was started, and not imported. */
export function isProgram(url: string): boolean {
  try {
    return realpathSync(process.argv[1]) === fileURLToPath(url);
  } catch {
    return false;
  }
}
