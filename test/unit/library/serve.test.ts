import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { createHost } from "../../../runtimes/_nodehost.ts";
import { PartialError, TransportError, UsageError } from "../../../src/errors.ts";
import { type Duplex } from "../../../src/library/duplex.ts";
import { MemoryFiles } from "../../../src/library/files.ts";
import { runServe, type ServeEvent, type ServeOptions, type Serving } from "../../../src/library/serve.ts";
import { type ServedModules } from "../../../src/library/servedmodules.ts";
import { runSync, type SyncEvent, type SyncOptions } from "../../../src/library/sync.ts";
import { removeTree, tempDir } from "../files/_fs.ts";

const host = createHost();
const dir = tempDir("serve");
afterAll(() => removeTree(dir));

const servers: Serving[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** Both ends of a connection. */
function pair(): readonly [Duplex, Duplex] {
  const [up, down] = [new TransformStream<Uint8Array>(), new TransformStream<Uint8Array>()];
  return [{ readable: down.readable, writable: up.writable }, { readable: up.readable, writable: down.writable }];
}

async function start(modules: ServedModules, options: ServeOptions = {}): Promise<{
  server: Serving; events: ServeEvent[]; through: Pick<SyncOptions, "connect">;
}> {
  const events: ServeEvent[] = [];
  const server = await runServe(host, null, modules, { onEvent: (event) => events.push(event), ...options });
  servers.push(server);
  const connect = (): Duplex => {
    const [near, far] = pair();
    void server.accept(far);
    return near;
  };
  return { server, events, through: { connect } };
}

function sample(): MemoryFiles {
  const files = new MemoryFiles();
  files.write("docs/readme.txt", "hello\n", { mtime: 1_700_000_000 });
  files.write("docs/secret.key", "k", { mtime: 1_700_000_000 });
  files.write("big.bin", new Uint8Array(300_000).map((_, i) => i * 7), { mtime: 1_650_000_000 });
  return files;
}

test("modules are listed, pulled from and pushed to, in memory on both sides", async () => {
  const store = new MemoryFiles();
  const { events, through } = await start({
    read: { path: { files: sample(), path: "/docs" }, comment: "to read", exclude: "*.key" },
    write: { path: { files: store }, readOnly: false },
    hidden: { path: { files: store }, list: false },
  }, { motd: "welcome\n" });
  const listed: SyncEvent[] = [];
  await runSync(host, "memory::", null, { ...through, onEvent: (event) => listed.push(event) });
  expect(listed.filter(({ type }) => type === "module")).toMatchObject([
    { name: "read", comment: "to read" }, { name: "write" },
  ]);
  expect(JSON.stringify(listed)).toContain("welcome");
  const near = new MemoryFiles();
  await runSync(host, "memory::read/", { files: near }, { archive: true, ...through });
  expect(near.list().map(({ path }) => path)).toEqual(["readme.txt"]);
  await runSync(host, { files: sample() }, "memory::write/sub/", { archive: true, ...through });
  expect(store.read("sub/big.bin")).toEqual(sample().read("big.bin"));
  const again = await runSync(host, { files: sample() }, "memory::write/sub/", { archive: true, ...through });
  expect(again.stats!.transferredFiles).toBe(0);
  const refused = runSync(host, { files: near }, "memory::read/", { archive: true, ...through });
  await expect(refused).rejects.toThrow(/module is read only/);
  const codes = () => events.flatMap((one) => (one.type === "close" ? [one.exitCode] : []));
  await expect.poll(codes).toEqual([0, 0, 0, 0, 1]);
});

test("a directory of the disk, and no way out of it", async () => {
  const root = join(dir, "module");
  mkdirSync(root);
  writeFileSync(join(root, "file"), "inside");
  writeFileSync(join(dir, "outside"), "outside");
  const { through } = await start({ disk: { path: root, readOnly: false } });
  const near = new MemoryFiles();
  await runSync(host, "here::disk/", { files: near }, { archive: true, ...through });
  expect(near.list().map(({ path }) => path)).toEqual(["file"]);
  const climbing = runSync(host, "here::disk/../outside", { files: near }, { ...through });
  await expect(climbing).rejects.toThrow();
  expect(near.list().map(({ path }) => path)).toEqual(["file"]);
});

test("users and passwords, and what each may do", async () => {
  const store = new MemoryFiles();
  const { through, events } = await start({
    m: { path: { files: store }, users: { joe: "täglich 1", eve: { password: "p2", access: "rw" } } },
  });
  const push = (user: string, password: string) =>
    runSync(host, { files: sample() }, `${user}@memory::m/`, { archive: true, password, ...through });
  await expect(push("joe", "wrong")).rejects.toThrow(/auth failed on module m/);
  await expect(push("nobody", "p2")).rejects.toThrow(/auth failed on module m/);
  await expect(push("joe", "täglich 1")).rejects.toThrow(/read only/);
  await push("eve", "p2");
  expect(store.list()).toHaveLength(4);
  expect(JSON.stringify(events)).not.toContain("täglich 1");
});

test("access rules go by the address, and connections are counted", async () => {
  const { server } = await start(
    { m: { path: { files: sample() }, hostsAllow: "10.0.0.0/8" } }, { maxConnections: 1 },
  );
  const from = (address: string) => ({
    connect: (): Duplex => {
      const [near, far] = pair();
      void server.accept(far, address);
      return near;
    },
  });
  const pull = (address: string) =>
    runSync(host, "memory::m/", { files: new MemoryFiles() }, { archive: true, ...from(address) });
  await expect(pull("192.0.2.1")).rejects.toThrow(/access denied to m from .* \(192\.0\.2\.1\)/);
  await pull("10.1.2.3");
  const [, far] = pair();
  void server.accept(far);
  await expect(pull("10.1.2.3")).rejects.toThrow(/max connections \(1\) reached/);
});

test("closing ends what is under way, in order", async () => {
  const files = new MemoryFiles();
  files.write("huge", new Uint8Array(20_000_000).map((_, i) => i * i));
  const { server, through, events } = await start({ m: { path: { files } } });
  const pull = runSync(host, "memory::m/", { files: new MemoryFiles() }, {
    archive: true, bwlimit: 1000, ...through,
  });
  pull.catch(() => {});
  await expect.poll(() => events.some((event) => event.type === "log" && event.text.includes("rsync on")))
    .toBe(true);
  await server.close();
  await expect(pull).rejects.toThrow(TransportError);
  expect(events.at(-1)).toMatchObject({ type: "close", exitCode: 20 });
  const late = runSync(host, "memory::m/", { files: new MemoryFiles() }, { archive: true, ...through });
  await expect(late).rejects.toThrow();
});

test("several clients at a time", async () => {
  const store = new MemoryFiles();
  const { through } = await start({ m: { path: { files: store }, readOnly: false } });
  await Promise.all([0, 1, 2, 3].map(async (n) => {
    const own = new MemoryFiles();
    own.write("file", new Uint8Array(200_000).fill(n));
    await runSync(host, { files: own }, `memory::m/${n}/`, { archive: true, ...through });
  }));
  for (const n of [0, 1, 2, 3]) expect(new Set(store.read(`${n}/file`))).toEqual(new Set([n]));
});

test("what is no module is an error of usage", async () => {
  const files = new MemoryFiles();
  const wrong: readonly unknown[] = [
    { "a/b": { path: { files } } },
    { m: { path: { files }, users: {} } },
    { m: { path: { files }, users: { "a:rw": "x" } } },
    { m: { path: { files }, users: { joe: "a\nroot:b" } } },
    { m: { path: { files }, readOnly: "no" } },
    { m: { path: { files }, timeout: 1.5 } },
    { m: { path: { files }, preXferExec: "rm -rf /" } },
    { m: { path: { files }, uid: "root" } },
    { m: { path: { files }, nonsense: 1 } },
    { m: { path: { files }, port: 1 } },
  ];
  for (const modules of wrong) {
    await expect(runServe(host, null, modules as ServedModules)).rejects.toThrow(UsageError);
  }
  await expect(runServe(host, null, { m: { path: { files } } }, { port: 0 })).rejects.toThrow(UsageError);
});

test("errors of single files cross the connection", async () => {
  const { through } = await start({ m: { path: { files: sample() } } });
  const missing = runSync(host, "memory::m/not-there", { files: new MemoryFiles() }, { ...through });
  await expect(missing).rejects.toThrow(PartialError);
});
