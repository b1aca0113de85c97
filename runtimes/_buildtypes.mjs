/**
 * Declarations for library users, in dist/types. rsync's options are listed there one by one, from the option table, so
 * that an editor knows them; in the sources the table itself is the list.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const language = ["--target", "es2023", "--lib", "es2023,dom", "--module", "esnext", "--moduleResolution", "bundler"];
const emit = ["--declaration", "--emitDeclarationOnly", "--rewriteRelativeImportExtensions", "--noCheck"];

/** The option table with the property names of src/library/options.ts, as the sources have it now. */
async function optionTable(root) {
  const { outputFiles } = await build({
    entryPoints: [join(root, "src/binding.ts")], bundle: true, format: "esm", write: false, logLevel: "error",
  });
  const { OPTION_ROWS, propertyOf } = await import(`data:text/javascript;base64,${toBase64(outputFiles[0].text)}`);
  return OPTION_ROWS.map((row) => ({ row, name: propertyOf(row) })).filter(({ row, name }) =>
    name !== null && row.available !== false);
}

function toBase64(text) {
  return Buffer.from(text).toString("base64");
}

/** One property with its doc comment. */
function property({ row, name }) {
  const spelling = row.short === undefined ? `--${row.long}` : `--${row.long}, -${row.short}`;
  const words = [spelling, row.help].filter(Boolean).join(": ");
  return `    /** ${words}. */\n    readonly ${name}?: ${row.argument === undefined ? "Switch" : "Argument"};\n`;
}

/** Writes the declarations of `entries`. A type error does not stop an installation: `npm run types` is what judges. */
export async function buildTypes(root, entries) {
  const where = ["--rootDir", ".", "--outDir", "dist/types", "--types", "node", "--ignoreConfig", ...entries];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, ...language, ...emit, ...where], { cwd: root, stdio: "inherit" });
  const path = join(root, "dist/types/src/library/options.d.ts");
  const text = readFileSync(path, "utf8");
  const listed = (await optionTable(root)).map(property).join("");
  const declared = /(interface TransferOptions \{\n)[^}]*\}/;
  if (!declared.test(text)) throw new Error("TransferOptions is not declared as it was");
  writeFileSync(path, text.replace(declared, (_, head) => `${head}${listed}}`));
}
