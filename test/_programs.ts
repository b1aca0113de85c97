/**
 * Which programs the tests run: wsync under each runtime, and the stock rsync it is measured against.
 *
 * WSYNC_UNDER_TEST names a program to put in wsync's place (stock rsync itself validates the suite that way);
 * WSYNC_PEER names the rsync to talk to, otherwise the one on PATH. Each program is used through a small executable
 * file, because rsync's --rsync-path and remote shells want one word.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DENO_CONFINED, DENO_PERMISSIONS } from "../runtimes/compile.mjs";
import { runtimeWords } from "./_binaries.mjs";

/** The project's top folder. */
export const projectRoot: string = dirname(dirname(fileURLToPath(import.meta.url)));

/** The runtimes wsync is tested on. */
export type Runtime = "node" | "deno" | "bun";

/** The first executable of that name on PATH or in the system's sbin, or null. */
export function whereIs(name: string): string | null {
  const dirs = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  return dirs.map((dir) => join(dir, name)).find((path) => path.startsWith("/") && existsSync(path)) ?? null;
}

/** Programs that are one file, and Deno with no more rights than that file has. */
export type Binary = "bun-binary" | "node-binary" | "deno-confined";

function binaryCommand(binary: Binary): string[] | null {
  if (binary !== "deno-confined") {
    const path = join(projectRoot, "build/bin", `wsync-${binary.replace("-binary", "")}`);
    return existsSync(path) ? [path] : null;
  }
  const deno = runtimeWords("deno");
  const bundle = join(projectRoot, "dist/wsync.deno.js");
  return deno === null ? null : [deno[0], "run", ...DENO_CONFINED, ...DENO_PERMISSIONS, bundle];
}

/** The words that start a bundle under a runtime; null when runtime or bundle is missing. */
export function bundleCommand(runtime: Runtime | Binary, program = "wsync"): string[] | null {
  if (runtime.includes("-")) return binaryCommand(runtime as Binary);
  return scriptCommand(runtime as Runtime, program);
}

function scriptCommand(runtime: Runtime, program: string): string[] | null {
  const words = runtimeWords(runtime);
  const top = runtime === "node" ? readableTop() : projectRoot;
  const bundle = join(top, "dist", runtime === "node" ? `${program}.cjs` : `${program}.${runtime}.js`);
  return words === null || !existsSync(bundle) ? null : [...words, bundle];
}

/** Some tests start wsync as an ordinary user, who may not enter a checkout in root's home: Node's bundle is copied. */
function readableTop(): string {
  const open = (dir: string): boolean => dir === "/" || ((statSync(dir).mode & 1) !== 0 && open(dirname(dir)));
  if (process.getuid?.() !== 0 || open(projectRoot) || !existsSync(join(projectRoot, "dist"))) return projectRoot;
  const copy = join(process.env.WSYNC_SCRATCH ?? scratch, "program");
  if (existsSync(copy)) return copy;
  const making = mkdtempSync(`${copy}-`);
  for (const part of ["dist", "node_modules/koffi", "node_modules/@koromix"]) {
    cpSync(join(projectRoot, part), join(making, part), { recursive: true });
  }
  chmodSync(making, 0o755);
  try {
    renameSync(making, copy);
  } catch {
    rmSync(making, { recursive: true, force: true }); // Another worker was faster.
  }
  return copy;
}

/** A scratch folder of this test process, inside the one that test/_globalsetup.ts removes at the end. */
export const scratch: string = makeScratch();

function makeScratch(): string {
  const base = process.env.WSYNC_SCRATCH ?? tmpdir();
  const path = mkdtempSync(join(base, "worker-"));
  chmodSync(path, 0o755);
  return path;
}

/** Writes an executable script and returns its path. */
export function writeScript(name: string, text: string): string {
  mkdirSync(join(scratch, "bin"), { recursive: true });
  const path = join(scratch, "bin", name);
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

/** Quotes a word for sh. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

const wrappers = new Map<Runtime | Binary, string | null>();

/** One executable file that runs the program under test on a runtime, or null when it cannot run here. */
export function wsync(runtime: Runtime | Binary): string | null {
  let wrapper = wrappers.get(runtime);
  if (wrapper === undefined) {
    const command = process.env.WSYNC_UNDER_TEST?.split(" ") ?? bundleCommand(runtime);
    const exec = command === null ? null : `#!/bin/sh\nexec ${command.map(quote).join(" ")} "$@"\n`;
    wrapper = exec === null ? null : writeScript(`wsync-${runtime}`, exec);
    wrappers.set(runtime, wrapper);
  }
  return wrapper;
}

/** Why a runtime cannot be tested, or "". */
export function missing(runtime: Runtime | Binary): string {
  return wsync(runtime) === null ? `${runtime}: no ${runtime} binary or no bundle in dist/ (npm run build)` : "";
}

/** The stock rsync, or null. */
export const peer: string | null = process.env.WSYNC_PEER ?? whereIs("rsync");

/** The peer's own version and the newest protocol it speaks; zeros without a peer. */
export const peerVersion: { version: string; protocol: number } = readVersion();

function readVersion(): { version: string; protocol: number } {
  if (peer === null) return { version: "", protocol: 0 };
  const text = execFileSync(peer, ["--version"], { encoding: "utf8" });
  const found = /version v?(\S+)\s+protocol version (\d+)/.exec(text);
  return { version: found?.[1] ?? "", protocol: Number(found?.[2] ?? 0) };
}
