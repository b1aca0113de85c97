/**
 * Starting and size: each bundle and single-file program beside the runtime's empty program and stock rsync.
 *
 * Programs take turns in every round; the figures are the quickest of their wall times from spawn to exit, in
 * milliseconds, as nothing but the machine's other work makes a start slower. "copy" copies one small file to a new
 * place. Single-file programs are those in build/bin (`npm run compile`).
 *
 * Usage: node bench/run.mjs start [-- --rounds=N]
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { runtimeWords } from "../test/_binaries.mjs";

const RUNTIMES = ["node", "deno", "bun"] as const;
const smoke = process.argv.includes("--smoke");
const rounds = smoke ? 1 : Number(/^--rounds=(\d+)$/m.exec(process.argv.slice(2).join("\n"))?.[1] ?? 15);
const scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wsync-start-"));

interface Row {
  readonly name: string;
  /** Words that start it; null for what is no program of its own. */
  readonly argv: readonly string[] | null;
  /** Arguments are wsync's and rsync's. */
  readonly copies: boolean;
  /** Files that make it up. */
  readonly files: readonly string[];
}

/** What is measured here, as far as it is there. */
function rowsHere(): Row[] {
  const rows: Row[] = [];
  const rsync = spawnSync("sh", ["-c", "command -v rsync"], { encoding: "utf8" }).stdout.trim();
  if (rsync !== "") rows.push({ name: "rsync", argv: [rsync], copies: true, files: [rsync] });
  for (const runtime of RUNTIMES) {
    const words = runtimeWords(runtime);
    if (words === null) continue;
    const empty = join(scratch, runtime === "node" ? "empty.cjs" : "empty.mjs");
    writeFileSync(empty, "");
    const bundle = join("dist", runtime === "node" ? "wsync.cjs" : `wsync.${runtime}.js`);
    rows.push({ name: `${runtime}, empty program`, argv: [...words, empty], copies: false, files: [] });
    const files = bundleFiles(runtime, bundle);
    rows.push({ name: `${runtime}, bundle`, argv: [...words, bundle], copies: true, files });
    const single = join("build/bin", `wsync-${runtime}`);
    if (!existsSync(single)) continue;
    rows.push({ name: `${runtime}, single file`, argv: [single], copies: true, files: [single] });
  }
  return rows;
}

/** A bundle and what it loads. */
function bundleFiles(runtime: string, bundle: string): string[] {
  if (runtime === "node") return [bundle, "dist/wsync.node.cjs"];
  const found = new Set([bundle, ...(runtime === "bun" ? ["dist/program.bun.js"] : [])]);
  for (const file of found) {
    for (const [, name] of readFileSync(file, "latin1").matchAll(/["']\.{1,2}\/((?:chunks\/)?\w+\.js)["']/g)) {
      found.add(join("dist", name.startsWith("chunks/") ? name : `chunks/${name}`));
    }
  }
  return [...found].filter((file) => existsSync(file));
}

function milliseconds(argv: readonly string[]): number {
  const before = process.hrtime.bigint();
  execFileSync(argv[0], argv.slice(1), { stdio: "ignore" });
  return Number(process.hrtime.bigint() - before) / 1e6;
}

function quickest(times: readonly number[]): string {
  if (times.length === 0) return "";
  const least = Math.min(...times);
  return least.toFixed(least < 10 ? 1 : 0);
}

function size(files: readonly string[]): string {
  if (files.length === 0) return "";
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  return bytes < 10 << 20 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

/** Library bundles and the page: what is sent to a browser, compressed. */
function printDownloads(): void {
  console.log("\n| for browsers | size | with gzip |\n|---|---|---|");
  const pages = existsSync("build/page") ? readdirSync("build/page").map((name) => join("build/page", name)) : [];
  const entries: readonly (readonly [string, readonly string[]])[] = [
    ["wsync/delta", bundleFiles("browser", "dist/delta.browser.js")],
    ["wsync", bundleFiles("browser", "dist/library.browser.js")],
    ...(pages.length > 0 ? [["the page, all of it", pages] as const] : []),
  ];
  for (const [name, files] of entries) {
    const packed = files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
    console.log(`| ${name} | ${size(files)} | ${(packed / 1024).toFixed(0)} KiB |`);
  }
}

try {
  const rows = rowsHere();
  const times = new Map(rows.map(({ name }) => [name, { version: [] as number[], copy: [] as number[] }]));
  mkdirSync(join(scratch, "source"));
  writeFileSync(join(scratch, "source/file"), "a file");
  for (let round = 0; round <= rounds; round++) {
    for (const { name, argv, copies } of rows) {
      const version = milliseconds(copies ? [...argv!, "--version"] : argv!);
      const target = join(scratch, "target");
      rmSync(target, { recursive: true, force: true });
      const copy = copies ? milliseconds([...argv!, "-a", `${join(scratch, "source")}/`, `${target}/`]) : 0;
      // The first round warms the page cache.
      if (round === 0) continue;
      times.get(name)!.version.push(version);
      if (copies) times.get(name)!.copy.push(copy);
    }
  }
  console.log(`${cpus()[0]?.model ?? "unknown processor"} x ${cpus().length}, ${rounds} rounds\n`);
  console.log("| program | size | `--version`, ms | copy, ms |\n|---|---|---|---|");
  for (const { name, files } of rows) {
    const { version, copy } = times.get(name)!;
    console.log(`| ${name} | ${size(files)} | ${quickest(version)} | ${quickest(copy)} |`);
  }
  printDownloads();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
