import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createHost } from "../../../runtimes/_nodehost.ts";
import { UsageError } from "../../../src/errors.ts";
import { type Duplex } from "../../../src/library/duplex.ts";
import { MemoryFiles } from "../../../src/library/files.ts";
import { runServe } from "../../../src/library/serve.ts";
import { runWatch } from "../../../src/library/watch.ts";
import { type WatchEvent } from "../../../src/watch/events.ts";
import { removeTree, tempDir } from "../files/_fs.ts";

const host = createHost();
const dir = tempDir("librarywatch");
afterAll(() => removeTree(dir));

test("changes arrive at two targets until the watch is stopped", async () => {
  const source = join(dir, "source");
  mkdirSync(source);
  writeFileSync(join(source, "a"), "one");
  const targets = [join(dir, "t1"), join(dir, "t2")];
  const types = new Set<string>();
  const abort = new AbortController();
  const watching = runWatch(host, `${source}/`, targets, {
    archive: true, watchDelay: 0.05, signal: abort.signal, onEvent: (event) => types.add(event.type),
  });
  const both = (name: string): string[] => targets.map((target) => {
    try {
      return readFileSync(join(target, name), "utf8");
    } catch {
      return "";
    }
  });
  await expect.poll(() => both("a"), { timeout: 15_000 }).toEqual(["one", "one"]);
  appendFileSync(join(source, "a"), " two");
  writeFileSync(join(source, "b"), "new");
  await expect.poll(() => [...both("a"), ...both("b")], { timeout: 15_000 })
    .toEqual(["one two", "one two", "new", "new"]);
  await expect.poll(() => watching.status().targets.map(({ state }) => state), { timeout: 15_000 })
    .toEqual(["in sync", "in sync"]);
  abort.abort();
  await watching.ended;
  expect([...types]).toEqual(expect.arrayContaining(["watch", "round", "file", "end"]));
});

test("a place in memory to a module in memory", async () => {
  const [from, to] = [new MemoryFiles(), new MemoryFiles()];
  from.write("a", "one");
  const server = await runServe(host, null, { m: { path: { files: to }, readOnly: false } });
  const connect = (): Duplex => {
    const [up, down] = [new TransformStream<Uint8Array>(), new TransformStream<Uint8Array>()];
    void server.accept({ readable: up.readable, writable: down.writable });
    return { readable: down.readable, writable: up.writable };
  };
  const watching = runWatch(host, { files: from }, "memory::m/", {
    archive: true, watchDelay: 0.05, watchPoll: 0.1, connect,
  });
  const names = (): string[] => to.list().map(({ path }) => path);
  await expect.poll(names, { timeout: 15_000 }).toEqual(["a"]);
  from.write("b/c", "two");
  await expect.poll(names, { timeout: 15_000 }).toEqual(["a", "b", "b/c"]);
  await watching.stop();
  await server.close();
});

test("what cannot be watched is an error of usage", async () => {
  const memory = { files: new MemoryFiles() };
  expect(() => runWatch(host, "source/", [], { archive: true })).toThrow(UsageError);
  expect(() => runWatch(host, memory, join(dir, "x"), { archive: true })).toThrow(UsageError);
  expect(() => runWatch(host, join(dir, "not-there"), join(dir, "x"), { archive: true })).toThrow(UsageError);
  expect(() => runWatch(host, dir, join(dir, "x"), {})).toThrow(/recursive/);
});

test("an error of the caller's ends the watch", async () => {
  const source = join(dir, "other");
  mkdirSync(source);
  const watching = runWatch(host, `${source}/`, join(dir, "t3"), {
    archive: true,
    onEvent: (event: { type: string }) => {
      if ((event as WatchEvent).type === "round") throw new RangeError("enough");
    },
  });
  await expect(watching.ended).rejects.toThrow("enough");
});
