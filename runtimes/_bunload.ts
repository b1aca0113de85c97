/**
 * Loads a Bun program of dist/, from the copy that Bun compiled of it before if there is one: reading the program anew
 * would be most of what starting wsync costs. The copy is kept in a folder beside the program, by the build or by the
 * first run of this version of Bun; where that cannot be written, wsync only starts later.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";

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

/** A program: `run` is all that it does, whose exit code `end` hands to the system. */
interface BunProgram {
  run(...words: never[]): Promise<number>;
  end(code: number): never;
}

/** A few digits that tell one build of the programs from another. Set by runtimes/build.mjs. */
declare const WSYNC_BUILD: string;

/** Runs the program of the file `name`, which lies beside this module, and ends the process. */
export async function runProgram<P extends BunProgram>(name: string, ...words: Parameters<P["run"]>): Promise<never> {
  const { dir, require } = import.meta as unknown as BunMeta;
  const source = `${dir}/${name}`;
  const kept = `${source}.${process.arch}-${Bun.version}-${Bun.revision.slice(0, 8)}-${WSYNC_BUILD}.cache`;
  const missing = !existsSync(kept);
  const program = require(missing ? source : `${kept}/${name}`) as P;
  const code = await program.run(...(words as never[]));
  // At the end, when nobody waits for the program's work any more.
  if (missing && process.env.WSYNC_CODE_CACHE !== "off") await keep(source, kept);
  return program.end(code);
}

/** Has Bun compile the program into a folder, which appears in one step, so that nobody reads half of it. */
async function keep(source: string, folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  try {
    mkdirSync(draft, { mode: 0o755 });
    // Bun compiles ahead what is no module.
    const { outputs } = await Bun.build({
      entrypoints: [source], target: "bun", format: "cjs", bytecode: true, minify: { syntax: true, whitespace: true },
    });
    for (const output of outputs) {
      const file = `${draft}/${output.path.slice(output.path.lastIndexOf("/") + 1)}`;
      writeFileSync(file, new Uint8Array(await output.arrayBuffer()), { mode: 0o644 });
    }
    renameSync(draft, folder);
  } catch {
    // Somebody else's folder, or another process was first: the next run compiles anew or finds it.
    rmSync(draft, { recursive: true, force: true });
  }
}
