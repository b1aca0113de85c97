/**
 * Loads a Bun program of dist/, from the copy that Bun compiled of it before if there is one: reading the program anew
 * would be most of what starting wsync costs. The copy is kept in a folder beside the program, by the build or by the
 * first run of this version of Bun; where that cannot be written, wsync only starts later.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";

/** The part of Bun that is used. */
interface BunApi {
  readonly version: string;
  readonly revision: string;
  build(settings: object): Promise<{
    readonly outputs: readonly { readonly path: string; arrayBuffer(): Promise<ArrayBuffer> }[];
  }>;
}

declare const Bun: BunApi;

interface BunMeta {
  readonly dir: string;
  require(path: string): unknown;
}

const meta = import.meta as unknown as BunMeta;

/** A program: `run` is all that it does, whose exit code `end` hands to the system. */
interface BunProgram {
  run(...words: never[]): Promise<number>;
  end(code: number): never;
}

/** A few digits that tell one build of the programs from another. Set by runtimes/build.mjs. */
declare const WSYNC_BUILD: string;

/** Runs the program of the file `name`, which lies beside this module, and ends the process. */
export async function runProgram<P extends BunProgram>(name: string, ...words: Parameters<P["run"]>): Promise<never> {
  const source = `${meta.dir}/${name}`;
  const kept = `${source}.${process.arch}-${Bun.version}-${Bun.revision.slice(0, 8)}-${WSYNC_BUILD}.cache`;
  const compiled = loaded(`${kept}/${name}`);
  const place = compiled === null && !existsSync(kept) && process.env.WSYNC_CODE_CACHE !== "off" ? placeOf() : "";
  const program = (compiled ?? meta.require(source)) as P;
  const code = await program.run(...(words as never[]));
  // At the end, when nobody waits for the program's work any more; not by a process that has become another one by it.
  if (place !== "" && place === placeOf()) await keep(source, kept);
  return program.end(code);
}

/** Who this is, and what this module's directory is: a process may have changed its user or its root. "": unknown. */
function placeOf(): string {
  try {
    const { dev, ino } = statSync(meta.dir);
    return [process.geteuid?.(), dev, ino].join();
  } catch {
    return "";
  }
}

/** The module of that file, or null when there is none or it is none. */
function loaded(file: string): unknown {
  try {
    return meta.require(file);
  } catch {
    return null;
  }
}

/** Has Bun compile the program into a folder, which appears in one step, so that nobody reads half of it. */
async function keep(source: string, folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  try {
    mkdirSync(draft, { mode: 0o755 });
    // An empty folder says that this version of Bun cannot, so that it is not asked again.
    if (!(await compile(source, draft))) for (const name of readdirSync(draft)) rmSync(`${draft}/${name}`);
    renameSync(draft, folder);
  } catch {
    // Somebody else's folder, or another process was first.
    discard(draft);
  }
}

function discard(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Where nothing may be removed, nothing was made.
  }
}

/** Whether what came out works: it does not with every version of Bun. What Bun compiles ahead is no module. */
async function compile(source: string, folder: string): Promise<boolean> {
  try {
    const { outputs } = await Bun.build({
      entrypoints: [source], target: "bun", format: "cjs", bytecode: true, minify: { syntax: true, whitespace: true },
    });
    const files = outputs.map(({ path }) => `${folder}/${path.slice(path.lastIndexOf("/") + 1)}`);
    for (const [i, output] of outputs.entries()) {
      writeFileSync(files[i], new Uint8Array(await output.arrayBuffer()), { mode: 0o644 });
    }
    return files.length === 2 && loaded(files[0]) !== null;
  } catch {
    return false;
  }
}
