/**
 * What npm gets: the tarball's contents and size, and a project that installs it and uses it by name, from a module, a
 * script, TypeScript and a bundler, and as a command, on each runtime.
 */
import { execFileSync } from "node:child_process";
import {
  mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { runtimeWords } from "../_binaries.mjs";
import { peer, projectRoot, scratch, whereIs } from "../_programs.ts";
import { run } from "../_run.ts";
import { compare, describeTree, makeTree } from "../_trees.ts";

interface PackReport {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

const dir = mkdtempSync(join(scratch, "package-"));
const app = join(dir, "app");
const own = join(app, "node_modules/wsync");
const source = join(dir, "source");
let report: PackReport;

beforeAll(() => {
  const words = ["pack", "--json", "--ignore-scripts", "--pack-destination", dir];
  const text = execFileSync("npm", words, { cwd: projectRoot, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  [report] = Object.values(JSON.parse(text) as Record<string, PackReport>);
  mkdirSync(own, { recursive: true });
  execFileSync("tar", ["-xzf", join(dir, report.filename), "--strip-components=1", "-C", own]);
  // What npm would fetch for it is here already.
  for (const name of ["koffi", "@koromix"]) {
    symlinkSync(join(projectRoot, "node_modules", name), join(app, "node_modules", name));
  }
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", type: "module", private: true }));
  makeTree(source);
}, 60_000);

describe("the package", () => {
  test("has what it needs and nothing of the tests, in less than a megabyte", () => {
    const paths = report.files.map(({ path }) => path);
    expect(report.size).toBeLessThan(1_000_000);
    const programs = ["dist/wsync.js", "dist/wsync.cjs", "dist/wsync.node.cjs", "dist/program.bun.js"];
    for (const needed of ["README.md", "LICENSE", ...programs, "dist/library.node.js"]) {
      expect(paths).toContain(needed);
    }
    expect(paths.filter((path) => /^(test|bench|assembly|src|runtimes|\.)/.test(path))).toEqual([]);
    const sources = paths.filter((path) => /\.(ts|map|cache|wasm)$/.test(path));
    expect(sources.filter((path) => !/^dist\/types\/.*\.d\.ts$/.test(path))).toEqual([]);
    const { exports, bin } = createRequire(import.meta.url)(join(own, "package.json")) as {
      exports: object; bin: Record<string, string>;
    };
    const named = [...JSON.stringify(exports).matchAll(/"\.\/((?:dist|package)[^"]*)"/g)].map(([, path]) => path);
    expect(named.length).toBeGreaterThan(8);
    for (const path of [...named, ...Object.values(bin)]) expect(paths).toContain(path);
  });

  test("declares types that TypeScript takes, options by name among them", () => {
    writeFileSync(join(app, "use.ts"), `
      import { delta, MemoryFiles, patch, PartialError, signature, sync, type SyncResult } from "wsync";
      const files = new MemoryFiles();
      const result: SyncResult = await sync("from/", { files }, {
        archive: true, exclude: ["*.o"], maxSize: "10m", onEvent: (event) => console.log(event.type),
      });
      const sums: ReadableStream<Uint8Array> = signature(new Uint8Array(5), { format: "rdiff", hash: "md4" });
      console.log(result.stats?.literalData, delta(sums, new Blob([])), patch(new Uint8Array(1), sums), PartialError);
    `);
    writeFileSync(join(app, "wrong.ts"), `
      import { sync } from "wsync";
      await sync("from/", "to/", { archiv: true });
    `);
    const check = (file: string, resolution: string): string => {
      const words = ["--noEmit", "--strict", "--target", "es2023", "--lib", "es2023,dom", "--ignoreConfig"];
      const module = resolution === "bundler" ? "esnext" : "nodenext";
      const tsc = join(projectRoot, "node_modules/typescript/bin/tsc");
      try {
        execFileSync(process.execPath, [tsc, ...words, "--module", module, "--moduleResolution", resolution, file], {
          cwd: app, encoding: "utf8",
        });
        return "";
      } catch (error) {
        return (error as { stdout: string }).stdout;
      }
    };
    for (const resolution of ["bundler", "nodenext"]) {
      expect(check("use.ts", resolution)).toBe("");
      expect(check("wrong.ts", resolution)).toMatch(/'archiv' does not exist in type/);
    }
  });

  test("is one that bundlers shake: what is not used is left out", async () => {
    const size = async (text: string, platform: "browser" | "node"): Promise<number> => {
      const { outputFiles } = await build({
        stdin: { contents: text, resolveDir: app }, bundle: true, minify: true, format: "esm", write: false, platform,
        external: ["koffi", "bun:*", "node:*"], logLevel: "silent",
      });
      return outputFiles[0].contents.length;
    };
    for (const platform of ["browser", "node"] as const) {
      const whole = await size('import * as all from "wsync"; console.log(all);', platform);
      const part = await size('import { signature } from "wsync"; console.log(signature);', platform);
      const delta = await size('import { signature } from "wsync/delta"; console.log(signature);', platform);
      const least = await size('import { UsageError } from "wsync"; console.log(UsageError);', platform);
      expect(whole).toBeGreaterThan(400_000);
      expect(part).toBeLessThan(80_000);
      expect(delta).toBeLessThan(80_000);
      expect(least).toBeLessThan(20_000);
    }
  });
});

const PROGRAM = `
  const { MemoryFiles, sync, signature, collect } = await import("wsync");
  const files = new MemoryFiles();
  const { stats } = await sync(process.argv[2], { files }, { archive: true });
  const sums = await collect(signature(new Uint8Array(10_000), { format: "rdiff" }));
  console.log(JSON.stringify([stats.transferredFiles > 0, files.list().length > 3, sums.length]));
`;

for (const runtime of ["node", "deno", "bun"] as const) {
  const words = runtimeWords(runtime);

  describe.skipIf(words === null || peer === null)(`the installed package on ${runtime}`, () => {
    test("is imported by its name", async () => {
      writeFileSync(join(app, "use.mjs"), PROGRAM);
      const start = runtime === "deno" ? [...words!, "--node-modules-dir=manual"] : words!;
      const { code, stdout, stderr } = await run([...start, join(app, "use.mjs"), `${source}/`], { cwd: app });
      expect([code, stderr]).toEqual([0, ""]);
      expect(JSON.parse(stdout.toString())).toEqual([true, true, 12 + 36 * Math.ceil(10_000 / 256)]);
    });

    test("is a command", async () => {
      const bundle = join(own, "dist", runtime === "node" ? "wsync.cjs" : `wsync.${runtime}.js`);
      expect(statSync(bundle).mode & 0o111).toBe(0o111);
      const target = join(dir, `command-${runtime}`);
      const { code, stderr } = await run([...words!, bundle, "-aH", `${source}/`, `${target}/`]);
      expect([code, stderr]).toEqual([0, ""]);
      expect(compare(describeTree(source), describeTree(target))).toEqual([]);
    });
  });
}

test("require works on Node", () => {
  const text = 'const { sync, signature } = require("wsync"); console.log(typeof sync, typeof signature);';
  writeFileSync(join(app, "use.cjs"), text);
  expect(execFileSync(process.execPath, ["use.cjs"], { cwd: app, encoding: "utf8" })).toBe("function function\n");
});

test("the first run on Node keeps its compiled code, and a folder that cannot be written does no harm", () => {
  const words = [join(own, "dist/wsync.cjs"), "--version"];
  const start = (): string => execFileSync(process.execPath, words, { encoding: "utf8" });
  expect(start()).toContain("protocol version 32");
  const { arch, versions } = process;
  const cache = join(own, `dist/wsync.node.cjs.${arch}-${versions.v8}.cache`);
  expect(readFileSync(cache).length).toBeGreaterThan(100_000);
  expect(start()).toContain("protocol version 32");

  // Neither is it made in vain by a run that has V8 compile less (runtimes/_compileless.ts).
  const many = join(app, "many");
  for (let d = 0; d < 100; d++) {
    mkdirSync(join(many, `d${d}`), { recursive: true });
    for (let i = 0; i < 100; i++) writeFileSync(join(many, `d${d}/f${i}`), "");
  }
  const copy = [join(own, "dist/wsync.cjs"), "-a", `${many}/`, join(app, "many-copy/")];
  execFileSync(process.execPath, copy);
  rmSync(cache);
  execFileSync(process.execPath, copy);
  const { ino } = statSync(cache);
  execFileSync(process.execPath, copy);
  expect(statSync(cache).ino).toBe(ino);
});

const bun = runtimeWords("bun");

test.skipIf(bun === null)("first runs on Bun keep its compiled code, and damage to it does no harm", async () => {
  const dist = join(own, "dist");
  const kept = (): string[] => readdirSync(dist).filter((name) => name.startsWith("program.bun.js."));
  const start = (env: Record<string, string> = {}): ReturnType<typeof run> =>
    run([...bun!, join(dist, "wsync.bun.js"), "--version"], { env });
  for (const name of kept()) rmSync(join(dist, name), { recursive: true });
  const runs = [await start({ WSYNC_CODE_CACHE: "off" })];
  expect(kept()).toEqual([]);
  runs.push(...await Promise.all([start(), start(), start()]));
  // One of them was first, and nothing is left of what the others made.
  const [folder, ...others] = kept();
  expect([folder, others]).toEqual([expect.stringMatching(/^program\.bun\.js\.[^.]+-\d+\.\d+\.[\w.-]+\.cache$/), []]);
  const compiled = join(dist, folder, "program.bun.js.jsc");
  const bytes = readFileSync(compiled);
  expect(bytes.length).toBeGreaterThan(1_000_000);
  const used = await start({ BUN_JSC_verboseDiskCache: "1" });
  expect(used.stderr).toContain("Cache hit");
  runs.push(used);
  for (const damaged of [bytes.subarray(0, 1_000_000), bytes.fill(0x5a, 500_000, 500_100), Buffer.alloc(0)]) {
    writeFileSync(compiled, damaged);
    runs.push(await start());
  }
  writeFileSync(join(dist, folder, "program.bun.js"), "({");
  runs.push(await start());
  const texts = runs.map(({ code, stdout }) => [code, stdout.toString()]);
  expect(texts[0]).toEqual([0, expect.stringContaining("protocol version 32")]);
  expect(texts.every((text) => `${text}` === `${texts[0]}`)).toBe(true);
}, 60_000);

test.skipIf(whereIs("npx") === null)("npx runs the command from the tarball", async () => {
  const words = ["npx", "--yes", "--offline", `--package=${join(dir, report.filename)}`, "wsync", "--version"];
  const cacheless = await run(words, { cwd: dir, timeoutMs: 100_000 });
  // Without a network npm may lack koffi's tarball: that is npm's to say, and then nothing of ours has run.
  if (cacheless.code !== 0) expect(cacheless.stderr).toMatch(/ENOTCACHED|npm (ERR!|error)/);
  else expect(cacheless.stdout.toString()).toContain("protocol version 32");
});
