/** The helper threads' programs as texts, which the bundles carry because a single file has no other file to start. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Builds them; returns the constants for esbuild's `define`, by the names that the hosts look for. */
export async function buildHelpers() {
  const entries = await Promise.all(["node", "deno", "bun"].map(async (runtime) => {
    const { outputFiles } = await build({
      absWorkingDir: root, entryPoints: [join("runtimes", `helper.${runtime}.ts`)], write: false, bundle: true,
      minify: true, legalComments: "none", platform: "node", target: "es2022", external: ["koffi", "bun:*", "node:*"],
      format: runtime === "deno" ? "esm" : "cjs", logLevel: "warning",
    });
    return [`WSYNC_${runtime.toUpperCase()}_HELPER`, JSON.stringify(outputFiles[0].text)];
  }));
  return Object.fromEntries(entries);
}
