/** The manual page and the shell completions, in dist/: made from the option table as the sources have it now. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { bashCompletion, fishCompletion, zshCompletion } from "./_completions.mjs";
import { manPage } from "./_manpage.mjs";

/** What the sources know of the command line. */
async function factsOf(root) {
  const { outputFiles } = await build({
    entryPoints: [join(root, "src/manual.ts")], bundle: true, format: "esm", write: false, logLevel: "error",
  });
  const text = Buffer.from(outputFiles[0].text).toString("base64");
  const { FACTS } = await import(`data:text/javascript;base64,${text}`);
  return FACTS;
}

/** Writes dist/wsync.1 and dist/completions/. */
export async function buildDocs(root) {
  const facts = await factsOf(root);
  const folder = join(root, "dist/completions");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(root, "dist/wsync.1"), manPage(facts));
  const shells = { "wsync.bash": bashCompletion, "_wsync": zshCompletion, "wsync.fish": fishCompletion };
  for (const [name, make] of Object.entries(shells)) writeFileSync(join(folder, name), make(facts.rows, facts.words));
}
