import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createHost } from "../../../runtimes/_nodehost.ts";
import { withPlainMemory } from "../../../src/checksum/kernels.ts";
import { FileError, PartialError, TransportError, UsageError, WsyncError } from "../../../src/errors.ts";
import { MemoryFiles, TarFiles } from "../../../src/library/files.ts";
import { runSync, type SyncEvent, type SyncOptions } from "../../../src/library/sync.ts";
import { describeTree } from "../../_trees.ts";
import { removeTree, tempDir } from "../files/_fs.ts";

const host = createHost();
const dir = tempDir("sync");
afterAll(() => removeTree(dir));

function sample(): MemoryFiles {
  const files = new MemoryFiles();
  files.write("docs/readme.txt", "hello\n", { mtime: 1_700_000_000.25 });
  files.write("docs/täglich.txt", "ä", { mode: 0o600, mtime: 1_600_000_000 });
  files.write("big.bin", new Uint8Array(300_000).map((_, i) => i * 7), { mtime: 1_650_000_000 });
  files.makeDirectory("empty");
  return files;
}

test("from memory to memory, and again with nothing to do", async () => {
  const from = sample();
  const to = new MemoryFiles();
  const events: SyncEvent[] = [];
  const first = await runSync(host, { files: from }, { files: to }, { archive: true, onEvent: (e) => events.push(e) });
  // Directories are as old as this second on both sides, which is the same time to rsync.
  const inSeconds = (files: MemoryFiles) => files.list().map((one) => ({ ...one, mtime: Math.floor(one.mtime) }));
  expect(inSeconds(to)).toEqual(inSeconds(from));
  expect(to.read("big.bin")).toEqual(from.read("big.bin"));
  expect(first.stats!.transferredFiles).toBe(3);
  expect(events.map((event) => event.type)).toContain("file");
  expect(events.filter((event) => event.type === "file").map((event) => event.path)).toContain("docs/täglich.txt");
  const again = await runSync(host, { files: from }, { files: to }, { archive: true });
  expect(again.stats!.transferredFiles).toBe(0);
});

test("between memory and disk, in both directions", async () => {
  const from = sample();
  const target = join(dir, "disk");
  await runSync(host, { files: from, path: "/docs" }, `${target}/`, { archive: true });
  expect(readFileSync(join(target, "docs/täglich.txt"), "utf8")).toBe("ä");
  const back = new MemoryFiles();
  await runSync(host, `${target}/docs/`, { files: back, path: "in/there" }, { archive: true, mkpath: true });
  const paths = back.list().map((entry) => entry.path);
  expect(paths).toEqual(["in", "in/there", "in/there/readme.txt", "in/there/täglich.txt"]);
  expect(back.list().find((entry) => entry.path.endsWith("readme.txt"))!.mtime).toBeCloseTo(1_700_000_000.25, 6);
});

test("a dry run says what would happen, and does nothing", async () => {
  const to = new MemoryFiles();
  const paths: string[] = [];
  const onEvent = (event: SyncEvent): void => void (event.type === "file" && paths.push(event.path));
  const result = await runSync(host, { files: sample() }, { files: to }, { recursive: true, dryRun: true, onEvent });
  expect(result.dryRun).toBe(true);
  expect(paths).toContain("docs/readme.txt");
  expect(to.list()).toEqual([]);
});

test("a listing", async () => {
  const paths: string[] = [];
  const onEvent = (event: SyncEvent): void => void (event.type === "list" && paths.push(event.path));
  await runSync(host, { files: sample() }, null, { recursive: true, onEvent });
  expect(paths).toEqual(expect.arrayContaining([".", "docs/readme.txt", "empty"]));
});

test("options: filters in order, deletion, limits", async () => {
  const to = new MemoryFiles();
  to.write("old.txt", "x");
  const options: SyncOptions = { archive: true, delete: true, include: ["*.txt", "*/"], exclude: "*" };
  await runSync(host, { files: sample() }, { files: to }, options);
  expect(to.list().map((entry) => entry.path)).toEqual(["docs", "docs/readme.txt", "docs/täglich.txt", "empty"]);
});

test("wrong options are errors of usage, with rsync's exit code", async () => {
  const wrong: readonly SyncOptions[] = [
    { nonsense: true }, { archive: "yes" }, { delete: -1 }, { exclude: true }, { server: true },
  ];
  for (const options of wrong) {
    const run = runSync(host, { files: sample() }, { files: new MemoryFiles() }, options);
    await expect(run, JSON.stringify(options)).rejects.toThrow(UsageError);
    await expect(run).rejects.toMatchObject({ exitCode: 1 });
  }
});

test("a missing source is a partial failure, with its path", async () => {
  const sources = [join(dir, "nowhere"), join(dir, "neither")];
  const run = runSync(host, sources, { files: new MemoryFiles() }, { archive: true });
  const error = await run.catch((reason: unknown) => reason) as PartialError;
  expect(error).toBeInstanceOf(PartialError);
  expect(error).toMatchObject({ exitCode: 23, path: join(dir, "nowhere") });
  expect(error.failures.map(({ path, errno }) => [path, errno])).toEqual([
    [join(dir, "nowhere"), 2], [join(dir, "neither"), 2],
  ]);
  expect(error.failures[0]).toBeInstanceOf(FileError);
});

test("nobody listens: a transport error with exit code 10", async () => {
  const run = runSync(host, "rsync://127.0.0.1:1/module/", { files: new MemoryFiles() });
  await expect(run).rejects.toBeInstanceOf(TransportError);
  await expect(run).rejects.toMatchObject({ exitCode: 10 });
});

test("an abort ends the run with exit code 20, and nothing half-written stays", async () => {
  const from = new MemoryFiles();
  for (let n = 0; n < 300; n++) from.write(`dir/${n}.bin`, new Uint8Array(20_000).fill(n));
  const to = new MemoryFiles();
  const controller = new AbortController();
  let count = 0;
  const onEvent = (event: SyncEvent): void => {
    if (event.type === "file" && ++count === 20) controller.abort(new Error("enough"));
  };
  const run = runSync(host, { files: from }, { files: to }, { archive: true, signal: controller.signal, onEvent });
  const error = await run.catch((reason: unknown) => reason) as WsyncError;
  expect(error).toBeInstanceOf(WsyncError);
  expect(error).toMatchObject({ exitCode: 20, name: "AbortError", cause: new Error("enough") });
  const made = to.list();
  expect(made.length).toBeLessThan(300);
  for (const entry of made) expect(entry.path).not.toMatch(/\/\./);
  const before = new AbortController();
  before.abort();
  await expect(runSync(host, { files: from }, { files: to }, { signal: before.signal })).rejects.toMatchObject({
    exitCode: 20,
  });
});

test("over a memory that is not shared, as in browsers, and with a delta", async () => {
  const plain = Object.create(host, {
    runtime: { value: "browser" }, kernels: { value: () => withPlainMemory(host.kernels()) },
  }) as typeof host;
  const from = new MemoryFiles();
  for (let n = 0; n < 200; n++) from.write(`d${n % 7}/file${n}`, new Uint8Array(n * 97).map((_, i) => (i * n) >> 3));
  from.write("big", new Uint8Array(3_000_000).map((_, i) => (i * i) >> 9));
  const to = new MemoryFiles();
  to.write("big", from.read("big").subarray(5));
  const options = { archive: true, wholeFile: false, checksumChoice: "md5" };
  const { stats } = await runSync(plain, { files: from }, { files: to }, options);
  expect(stats!.matchedData).toBeGreaterThan(2_990_000);
  for (const { path, kind } of from.list()) {
    if (kind === "file") expect(Buffer.compare(to.read(path), from.read(path)), path).toBe(0);
  }
});

test("an archive as the source, and as a target that refuses", async () => {
  const source = join(dir, "for-tar");
  mkdirSync(join(source, "sub"), { recursive: true });
  writeFileSync(join(source, "sub/file"), "contents");
  writeFileSync(join(source, "x".repeat(120)), "long name");
  symlinkSync("sub/file", join(source, "link"));
  utimesSync(join(source, "sub/file"), 1.5e9, 1.5e9 + 0.5);
  for (const format of ["ustar", "gnu", "pax"]) {
    const name = format === "ustar" ? ["--exclude=x*"] : [];
    execFileSync("tar", [`--format=${format}`, ...name, "-cf", join(dir, "t.tar"), "-C", source, "."]);
    const archive = new TarFiles(readFileSync(join(dir, "t.tar")));
    const target = join(dir, `from-${format}`);
    await runSync(host, { files: archive }, target, { archive: true });
    const options = { mtimes: format === "pax" } as never;
    const want = describeTree(source, options);
    if (format === "ustar") want.delete("x".repeat(120));
    expect([...describeTree(target, options).keys()].sort()).toEqual([...want.keys()].sort());
    expect(readFileSync(join(target, "sub/file"), "utf8")).toBe("contents");
    const refused = runSync(host, `${source}/`, { files: archive, path: "new" }, { archive: true });
    await expect(refused).rejects.toBeInstanceOf(WsyncError);
  }
  expect(existsSync(join(dir, "from-pax/link"))).toBe(true);
});
