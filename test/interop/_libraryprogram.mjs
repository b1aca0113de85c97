/**
 * A program that uses the library, started by library.test.ts on each runtime: the library's file and a task as JSON.
 * Prints what came out as JSON.
 */
import { createReadStream, createWriteStream, existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Writable } from "node:stream";

const [library, text] = process.argv.slice(-2);
const task = JSON.parse(text);
const wsync = library.endsWith(".cjs") ? createRequire(import.meta.url)(library) : await import(`file://${library}`);

/** Writes a web stream to a file. */
const save = (stream, path) => stream.pipeTo(Writable.toWeb(createWriteStream(path)));

const tasks = {
  /** Signature, delta and patch of files, by streams. */
  async files({ basis, data, out, options }) {
    await save(wsync.signature(createReadStream(basis), { ...options, byteLength: undefined }), `${out}/sig`);
    const sums = await wsync.openFile(`${out}/sig`);
    let stats;
    const delta = wsync.delta(sums, createReadStream(data), { onStats: (all) => (stats = all) });
    await save(delta, `${out}/delta`);
    await sums.close();
    const old = await wsync.openFile(basis);
    await save(wsync.patch(old, createReadStream(`${out}/delta`)), `${out}/result`);
    await old.close();
    return stats;
  },
  /** One transfer. */
  async sync({ source, target, options }) {
    const events = [];
    const result = await wsync.sync(source, target, { ...options, onEvent: (event) => events.push(event.type) });
    return { result, events: [...new Set(events)] };
  },
  /** A daemon's module into memory, and from there to another place. */
  async throughMemory({ source, target, options }) {
    const files = new wsync.MemoryFiles();
    const pulled = await wsync.sync(source, { files }, options);
    const again = await wsync.sync(source, { files }, options);
    await wsync.sync({ files }, target, options);
    return { pulled, again, count: files.list().length };
  },
  /** An archive to a daemon. */
  async archive({ archive, target, options }) {
    const files = new wsync.TarFile(archive);
    const result = await wsync.sync({ files }, target, options);
    files.close();
    return result;
  },
  /** Serves modules until standard input ends; the port comes first. */
  async serve({ source, writable, options }) {
    const memory = new wsync.MemoryFiles();
    const events = [];
    const server = await wsync.serve({
      source: { path: source, comment: "a tree", users: { joe: "pass word" } },
      writable: { path: writable, readOnly: false, mungeSymlinks: false },
      memory: { path: { files: memory }, readOnly: false },
    }, { ...options, port: 0, onEvent: (event) => events.push(event) });
    console.log(server.port);
    process.stdin.resume();
    await new Promise((resolve) => process.stdin.once("end", resolve));
    await server.close();
    return { events, paths: memory.list().map(({ path }) => path) };
  },
  /** Watches until the target has what the source gets meanwhile. */
  async watch({ source, target, options, file }) {
    const types = new Set();
    const watching = wsync.watch(source, target, { ...options, onEvent: (event) => types.add(event.type) });
    let wrote = false;
    for (;;) {
      const { targets } = watching.status();
      const settled = targets.every(({ state, rounds }) => state === "in sync" && rounds > 0);
      if (settled && wrote && existsSync(`${target}/${file}`)) break;
      if (settled && !wrote) {
        writeFileSync(`${source}/${file}`, "written while the watch was on");
        wrote = true;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await watching.stop();
    return [...types];
  },
  /** How a transfer fails. */
  async fails({ source, target, options, abortMs }) {
    const signal = abortMs === undefined ? undefined : AbortSignal.timeout(abortMs);
    try {
      await wsync.sync(source, target, { ...options, signal });
      return null;
    } catch (error) {
      const { name, exitCode, path, message } = error;
      return { name, exitCode, path, message, known: error instanceof wsync.WsyncError };
    }
  },
  /** Many runs in one process. */
  async often({ count }) {
    for (let n = 0; n < count; n++) {
      const from = new wsync.MemoryFiles();
      from.write("file", `contents ${n}`);
      const to = new wsync.MemoryFiles();
      await wsync.sync({ files: from }, { files: to }, { archive: true });
      if (new TextDecoder().decode(to.read("file")) !== `contents ${n}`) throw new Error("not what was written");
    }
    return process.memoryUsage().rss;
  },
};

console.log(JSON.stringify((await tasks[task.name](task)) ?? null));
