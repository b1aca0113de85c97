/**
 * Programs that are one file: made by `npm run compile`, then used as client, server and daemon against stock rsync,
 * with nothing of the project near them.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleWhole, compile, DENO_CONFINED, DENO_PERMISSIONS } from "../../runtimes/compile.mjs";
import { runtimeWords } from "../_binaries.mjs";
import { type Binary, missing, peer, scratch } from "../_programs.ts";
import { run } from "../_run.ts";
import { fakeShell, startDaemon } from "../_servers.ts";
import { compare, describeTree, makeTree } from "../_trees.ts";
import { defineMatrix } from "./_define.ts";
import { fullMatrix, pairwise, variants } from "./matrix.ts";

const source = join(scratch, "binaries-source");
const deno = runtimeWords("deno")?.[0] ?? null;
const dir = mkdtempSync(join(scratch, "binaries-"));

/** A few cases of each transport, in the newest protocol. */
const cases = pairwise(fullMatrix(["local", "shell", "daemon"], Object.keys(variants).slice(0, 4), [32]));

for (const [runtime, binary] of [["bun", "bun-binary"], ["node", "node-binary"]] as const) {
  const made = runtimeWords(runtime) === null ? null : await compile(runtime);

  describe.skipIf(peer === null || made?.program === null)(`the ${runtime} binary`, () => {
    let program: string;
    const target = (name: string): string => join(dir, `${binary}-${name}`);
    beforeAll(() => {
      if (!existsSync(source)) makeTree(source);
      expect(made!.trouble).toBe("");
      program = join(dir, `rsync-${runtime}`);
      copyFileSync(made!.program!, program);
    });

    test("needs nothing on the far side but itself", async () => {
      const bare = ["env", "-i", "PATH=/usr/bin:/bin", "HOME=/"];
      const words = ["-aH", `--rsync-path=${program}`, `--rsh=${fakeShell()}`];
      const push = await run([...bare, peer!, ...words, `${source}/`, `host:${target("push")}/`]);
      expect([push.code, push.stderr]).toEqual([0, ""]);
      expect(compare(describeTree(source), describeTree(target("push")))).toEqual([]);
      const pull = await run([...bare, peer!, ...words, `host:${source}/`, `${target("pull")}/`]);
      expect([pull.code, pull.stderr]).toEqual([0, ""]);
      expect(compare(describeTree(source), describeTree(target("pull")))).toEqual([]);
    });

    test("is the restricted shell of a login", async () => {
      const login = join(dir, `login-${binary}`);
      const text = `#!/bin/sh\nshift\nSSH_ORIGINAL_COMMAND="$*" exec ${program} --rrsync ${dir}\n`;
      writeFileSync(login, text, { mode: 0o755 });
      const push = await run([peer!, "-aH", `--rsh=${login}`, `${source}/`, `host:${binary}-restricted/`]);
      expect([push.code, push.stderr]).toEqual([0, ""]);
      expect(compare(describeTree(source), describeTree(target("restricted")))).toEqual([]);
      const refused = await run([peer!, "-r", `--rsh=${login}`, "host:../..", `${target("refused")}/`]);
      expect(refused.stderr).toContain("do not use .. in arg");
    });

    test("is a daemon, for stock rsync and for itself", async () => {
      mkdirSync(target("module"));
      const daemon = await startDaemon(program, {
        source: { path: source }, module: { path: target("module"), "read only": "no" },
      });
      try {
        const url = (path: string): string => `rsync://127.0.0.1:${daemon.port}/${path}`;
        for (const [who, client] of [["stock", peer!], ["itself", program]]) {
          const pull = await run([client, "-aH", url("source/"), `${target(`from-${who}`)}/`]);
          expect([pull.code, pull.stderr], who).toEqual([0, ""]);
          expect(compare(describeTree(source), describeTree(target(`from-${who}`)))).toEqual([]);
          const push = await run([client, "-aH", `${source}/`, url(`module/${who}/`)]);
          expect([push.code, push.stderr], who).toEqual([0, ""]);
          expect(compare(describeTree(source), describeTree(join(target("module"), who)))).toEqual([]);
        }
      } finally {
        daemon.stop();
      }
    });

    test("reaches files through libc", () => {
      expect(execFileSync(program, ["-VV"], { encoding: "utf8" })).toContain('"file_access": "libc"');
    });
  });
  if (missing(binary) === "") defineMatrix(`${runtime} binary, some pairs`, binary, cases);
}

describe.skipIf(deno === null)("deno compile", () => {
  const bundle = join(dir, "wsync.deno.js");
  beforeAll(() => bundleWhole("runtimes/deno.ts", bundle));

  test("has one file to take in, and node's own modules", () => {
    const text = execFileSync(deno!, ["info", "--json", "--no-config", "--no-lock", bundle], { encoding: "utf8" });
    const { modules } = JSON.parse(text) as { modules: { kind: string; specifier: string }[] };
    const files = modules.filter(({ specifier }) => !specifier.startsWith("node:"));
    expect(files.map(({ specifier }) => specifier)).toEqual([`file://${bundle}`]);
  });

  test("makes a program of the base binary that DENORT_BIN names, without node_modules", () => {
    // Deno itself stands in for its base binary: what comes out cannot run as ours, but holds what ours would.
    const program = join(dir, "wsync-deno");
    const words = ["compile", "--quiet", ...DENO_CONFINED.filter((word) => !/prompt|cached/.test(word))];
    const made = spawnSync(deno!, [...words, ...DENO_PERMISSIONS, "--output", program, bundle], {
      encoding: "utf8", env: { ...process.env, DENORT_BIN: deno!, HTTPS_PROXY: "http://127.0.0.1:1" },
    });
    expect([made.status, made.stderr]).toEqual([0, ""]);
    const added = statSync(program).size - statSync(deno!).size;
    expect(added).toBeGreaterThan(readFileSync(bundle).length);
    expect(added).toBeLessThan(readFileSync(bundle).length + (8 << 20));
  });

  test("without a network says what is missing and how to bring it", async () => {
    const before = { ...process.env };
    Object.assign(process.env, { DENO_DIR: join(dir, "deno"), HTTPS_PROXY: "http://127.0.0.1:1" });
    try {
      const { program, trouble } = await compile("deno");
      expect(program).toBeNull();
      expect(trouble).toMatch(/could not fetch its base binary from https:\/\/dl\.deno\.land\/\S+denort\S+\.zip\./);
      expect(trouble).toMatch(/set DENORT_BIN to the denort inside \(of v2\.\d+\.\d+\)/);
    } finally {
      process.env = before;
    }
  });
});

const confined: Binary = "deno-confined";
defineMatrix("deno with the permissions of its binary, some pairs", confined, cases);
