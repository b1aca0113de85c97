/**
 * Where the runtimes' executables are. The packages bun and deno keep them in a platform package and move or link them
 * by an install script; both places are looked at, so that the tests run whether or not install scripts did.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = join(dirname(dirname(fileURLToPath(import.meta.url))), "node_modules");

const places = {
  deno: { scope: "@deno", inside: "deno", moved: "deno/deno" },
  bun: { scope: "@oven", inside: "bin/bun", moved: "bun/bin/bun.exe" },
};

function runs(path) {
  if (!existsSync(path)) return false;
  try {
    return /\d/.test(execFileSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  } catch {
    return false;
  }
}

/** The words that start a runtime, all permissions granted, before the script's name; null when it is not here. */
export function runtimeWords(runtime) {
  if (runtime === "node") return [process.execPath];
  const { scope, inside, moved } = places[runtime];
  const platforms = existsSync(join(packages, scope)) ? readdirSync(join(packages, scope)) : [];
  const installed = [join(packages, moved), ...platforms.map((name) => join(packages, scope, name, inside))];
  const onPath = (process.env.PATH ?? "").split(":").map((dir) => join(dir, runtime));
  const binary = [...installed, ...onPath].find(runs);
  if (binary === undefined) return null;
  return runtime === "deno" ? [binary, "run", "-A", "--no-lock"] : [binary];
}
