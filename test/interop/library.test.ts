/** The library on each runtime, against stock rsync and rdiff. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runtimeWords } from "../_binaries.mjs";
import { peer, projectRoot, scratch, whereIs } from "../_programs.ts";
import { run } from "../_run.ts";
import { fakeShell, type Server, startDaemon, writeSecret } from "../_servers.ts";
import { compare, describeTree, makeTree } from "../_trees.ts";

const program = join(projectRoot, "test/interop/_libraryprogram.mjs");
const variants = [
  { title: "Node.js", runtime: "node", library: "library.node.js" },
  { title: "Node.js, by require", runtime: "node", library: "wsync.node.cjs" },
  { title: "Deno", runtime: "deno", library: "library.deno.js" },
  { title: "Bun", runtime: "bun", library: "library.bun.js" },
] as const;

const source = join(scratch, "library-source");
let daemon: Server;

beforeAll(async () => {
  makeTree(source);
  for (const name of ["out", "tar"]) mkdirSync(join(scratch, name));
  daemon = await startDaemon(peer!, {
    source: { path: source },
    out: { path: join(scratch, "out"), "read only": "no" },
    secret: { path: source, "auth users": "joe", "secrets file": writeSecret("library-secrets", "joe:pass word\n") },
  });
});
afterAll(() => daemon?.stop());

const url = (path: string): string => `rsync://127.0.0.1:${daemon.port}/${path}`;

for (const { title, runtime, library } of variants) {
  const words = runtimeWords(runtime);
  const id = library.replaceAll(".", "-");

  async function task<T>(name: string, settings: object): Promise<T> {
    const argv = [...words!, program, join(projectRoot, "dist", library), JSON.stringify({ name, ...settings })];
    const { code, stdout, stderr } = await run(argv);
    if (code !== 0) throw new Error(`${title} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout.toString()) as T;
  }

  describe.skipIf(words === null || peer === null)(`the library on ${title}`, () => {
    const target = (name: string): string => join(scratch, `${id}-${name}`);

    test.skipIf(whereIs("rdiff") === null)("signature, delta and patch of files, which rdiff reads", async () => {
      const out = target("delta");
      mkdirSync(out);
      const old = new Uint8Array(3_000_000).map((_, i) => (i * i) >> 7);
      const now = old.slice(5_000);
      now.fill(9, 1_000_000, 1_000_100);
      writeFileSync(join(out, "old"), old);
      writeFileSync(join(out, "new"), now);
      const paths = { basis: join(out, "old"), data: join(out, "new"), out };
      const rsync = await task<{ literalBytes: number }>("files", { ...paths, options: { byteLength: 3_000_000 } });
      expect(Buffer.compare(readFileSync(join(out, "result")), now)).toBe(0);
      expect(rsync.literalBytes).toBeLessThan(20_000);
      await task("files", { ...paths, options: { format: "rdiff" } });
      execFileSync("rdiff", ["patch", join(out, "old"), join(out, "delta"), join(out, "theirs")]);
      expect(Buffer.compare(readFileSync(join(out, "theirs")), now)).toBe(0);
    });

    test("a tree on this disk, as rsync -a copies it", async () => {
      const { events } = await task<{ events: string[] }>("sync", {
        source: `${source}/`, target: target("local"), options: { archive: true, hardLinks: true },
      });
      expect(compare(describeTree(source), describeTree(target("local")))).toEqual([]);
      expect(events).toEqual(expect.arrayContaining(["start", "file", "summary"]));
    });

    test("over a remote shell, to a stock server", async () => {
      await task("sync", {
        source: `${source}/`, target: `host:${target("shell")}`,
        options: { archive: true, hardLinks: true, compress: true, rsh: fakeShell(), rsyncPath: peer },
      });
      expect(compare(describeTree(source), describeTree(target("shell")))).toEqual([]);
    });

    test("from a daemon into memory, and from there to a daemon", async () => {
      const options = { archive: true, hardLinks: true, numericIds: true };
      const { pulled, again } = await task<Record<"pulled" | "again", { stats: { transferredFiles: number } }>>(
        "throughMemory", { source: url("source/"), target: url(`out/${id}`), options },
      );
      expect(compare(describeTree(source), describeTree(join(scratch, "out", id)))).toEqual([]);
      expect(pulled.stats.transferredFiles).toBeGreaterThan(5);
      expect(again.stats.transferredFiles).toBe(0);
    });

    test("an archive to a daemon", async () => {
      const tar = join(scratch, "tar", `${id}.tar`);
      execFileSync("tar", ["--format=pax", "-cf", tar, "-C", source, "."]);
      const options = { archive: true, hardLinks: true };
      await task("archive", { archive: tar, target: url(`out/tar-${id}`), options });
      expect(compare(describeTree(source), describeTree(join(scratch, "out", `tar-${id}`)))).toEqual([]);
    });

    test("passwords, and errors with exit code and path", async () => {
      const secret = `rsync://joe@127.0.0.1:${daemon.port}/secret/`;
      const right = { source: secret, target: target("secret"), options: { archive: true, password: "pass word" } };
      await task("sync", right);
      const wrong = { source: secret, target: target("no"), options: { archive: true, password: "wrong" } };
      expect(await task("fails", wrong)).toMatchObject({ known: true, name: "TransportError", exitCode: 5 });
      const missing = { source: `${source}/not-there`, target: target("no"), options: { archive: true } };
      expect(await task("fails", missing)).toMatchObject({
        known: true, name: "PartialError", exitCode: 23, path: `${source}/not-there`,
      });
      const usage = { source: `${source}/`, target: target("no"), options: { nonsense: true } };
      expect(await task("fails", usage)).toMatchObject({ known: true, name: "UsageError", exitCode: 1 });
      const stuck = {
        source: "host:dir", target: target("no"), options: { rsh: fakeShell("exec sleep 20 #") }, abortMs: 300,
      };
      expect(await task("fails", stuck)).toMatchObject({ known: true, name: "AbortError", exitCode: 20 });
    });

    test("serves modules of the disk and of memory to stock rsync", async () => {
      const writable = target("served");
      mkdirSync(writable);
      const settings = { name: "serve", source, writable };
      const argv = [...words!, program, join(projectRoot, "dist", library), JSON.stringify(settings)];
      const child = spawn(argv[0], argv.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const port = Number((await lines.next()).value);
      const env = { RSYNC_PASSWORD: "pass word" };
      const rsync = (...args: string[]) =>
        run([peer!, ...args.map((arg) => arg.replace("@@/", `127.0.0.1:${port}/`))], { env });
      try {
        const listing = /^source +\ta tree\nwritable +\t\nmemory +\t\n$/;
        expect((await rsync("rsync://@@/")).stdout).toMatch(listing);
        const pulled = await rsync("-aH", "rsync://joe@@@/source/", `${target("pulled")}/`);
        expect(pulled).toMatchObject({ code: 0 });
        expect(compare(describeTree(source), describeTree(target("pulled")))).toEqual([]);
        expect(await rsync("-aHz", `${source}/`, "rsync://@@/writable/sub/")).toMatchObject({ code: 0 });
        expect(compare(describeTree(source), describeTree(join(writable, "sub")))).toEqual([]);
        expect(await rsync("-a", `${source}/`, "rsync://@@/memory/")).toMatchObject({ code: 0 });
        expect(await rsync("-a", "--delete", `${target("pulled")}/`, "rsync://@@/memory/")).toMatchObject({ code: 0 });
        const refused = await rsync("-a", `${source}/`, "rsync://joe@@@/source/");
        expect(refused.stderr).toContain("module is read only");
      } finally {
        child.stdin.end();
      }
      const told = JSON.parse((await lines.next()).value as string) as { paths: string[]; events: { type: string }[] };
      expect(told.paths).toHaveLength(describeTree(source).size - 1);
      expect(told.events.filter(({ type }) => type === "connect")).toHaveLength(6);
    });

    test("keeps a target up to date", async () => {
      const from = target("watched");
      mkdirSync(from);
      writeFileSync(join(from, "first"), "first");
      const types = await task<string[]>("watch", {
        source: `${from}/`, target: target("kept"), file: "second", options: { archive: true, watchDelay: 0.05 },
      });
      expect(readFileSync(join(target("kept"), "second"), "utf8")).toContain("while the watch was on");
      expect(types).toEqual(expect.arrayContaining(["watch", "round", "file", "end"]));
    });

    test("a hundred runs in one process", async () => {
      const bytes = await task<number>("often", { count: 100 });
      expect(bytes).toBeLessThan(1 << 30);
    });
  });
}
