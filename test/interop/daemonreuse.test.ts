/**
 * Processes of the daemon that serve more than one connection: which do, and that nothing of one connection is left for
 * the next. Which process served is told by the daemon's log.
 */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, type Runtime, scratch, wsync } from "../_programs.ts";
import { run } from "../_run.ts";
import { type Server, startDaemon } from "../_servers.ts";

const asRoot = process.getuid!() === 0;
const peerMissing = peer === null ? "no stock rsync (apt-get install rsync)" : "";

const runtimes = (["node", "deno", "bun"] as const).filter((name: Runtime) => missing(name) === "");

interface Line {
  readonly pid: number;
  readonly session?: string;
  readonly text: string;
}

describe.skipIf(peerMissing !== "").each(runtimes)(`processes of the daemon, on %s ${peerMissing}`, (runtime) => {
  const top = join(scratch, `reuse-${runtime}`);
  const log = join(top, "log");
  let server: Server;
  let seen = 0;

  /** Log lines of the sessions since the last call: one list of lines for each "rsync on" or "rsync to". */
  const sessions = async (count: number): Promise<Line[]> => {
    for (let tries = 0; tries < 400; tries++) {
      const lines = readFileSync(log, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as Line);
      const found = lines.filter(({ text }) => /^sent \d/.test(text)).slice(seen);
      if (found.length >= count) {
        seen += found.length;
        // Its process may be on its way back to the others.
        await new Promise((resolve) => setTimeout(resolve, 100));
        return found;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("not in time: the sessions' lines in the log");
  };
  const url = (module: string): string => `rsync://127.0.0.1:${server.port}/${module}/`;
  const pull = async (module: string, ...words: string[]): Promise<number | null> => {
    const dest = join(top, "got");
    const { code } = await run([peer!, "-a", ...words, url(module), `${dest}/`]);
    return code;
  };

  beforeAll(async () => {
    mkdirSync(join(top, "module"), { recursive: true });
    for (let i = 0; i < 20; i++) writeFileSync(join(top, "module", `f${i}`), `contents ${i}`.repeat(1000));
    const path = join(top, "module");
    server = await startDaemon(wsync(runtime)!, {
      plain: { path, "read only": "no" }, second: { path, exclude: "f1", "max connections": "2" },
      commands: { path, "pre-xfer exec": `echo $RSYNC_MODULE_NAME >>${top}/told` },
      ...(asRoot ? { nobody: { path, uid: "65534", gid: "65534" }, jail: { path, "use chroot": "yes" } } : {}),
    }, { "log file": log, "json log": "yes" });
  });
  afterAll(() => server.stop());

  it("a process serves one connection after the other, each by its own module and with its own session", async () => {
    for (const module of ["plain", "second", "plain", "second"]) {
      expect(await pull(module, "--delete")).toBe(0);
      const names = readdirSync(join(top, "got"));
      expect(names.length).toBe(module === "plain" ? 20 : 19);
    }
    const served = await sessions(4);
    expect(new Set(served.map(({ pid }) => pid)).size).toBe(1);
    expect(new Set(served.map(({ session }) => session)).size).toBe(4);
  });

  it("a client's small packets are acknowledged at once", async () => {
    // A stock client writes its words one by one: each delayed acknowledgement takes 40 ms, and there are two of them.
    const took: number[] = [];
    for (let i = 0; i < 12; i++) {
      const started = performance.now();
      expect((await run([peer!, "--list-only", `${url("plain")}f1`])).code).toBe(0);
      took.push(performance.now() - started);
    }
    expect(Math.min(...took)).toBeLessThan(75);
    await sessions(12);
  });

  it("a process that was busy for long goes on before one that was started in its place", async () => {
    for (const words of [["--bwlimit=100", "--ignore-times", "--whole-file"], [], []]) {
      expect(await pull("plain", ...words)).toBe(0);
    }
    expect(new Set((await sessions(3)).map(({ pid }) => pid)).size).toBe(1);
  });

  it("nothing is left open, and its memory does not grow with each", async () => {
    const rss = (pid: number): number =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
    const filesOf = (pid: number): string[] => readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return target.startsWith(top) ? [target] : [];
    });
    expect(await pull("plain", "--ignore-times")).toBe(0);
    const [{ pid }] = await sessions(1);
    const before = rss(pid);
    const count = 15;
    for (let i = 0; i < count; i++) expect(await pull("plain", "--ignore-times")).toBe(0);
    const served = await sessions(count);
    expect(served.filter((line) => line.pid === pid).length).toBe(count);
    expect(filesOf(pid)).toEqual([]);
    // A session has more than a mebibyte of buffers.
    expect(rss(pid) - before).toBeLessThan(count * 1024);
  });

  it("pushes too", async () => {
    const source = join(top, "source");
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, "pushed"), "new");
    for (let i = 0; i < 3; i++) {
      expect((await run([peer!, "-a", "--ignore-times", `${source}/`, `${url("plain")}pushed/`])).code).toBe(0);
    }
    const served = await sessions(3);
    expect(new Set(served.map(({ pid }) => pid)).size).toBe(1);
  });

  const alone = ["commands", ...(asRoot ? ["nobody", "jail"] : [])];
  it.each(alone)("what changes a process, or has commands, ends with it: %s", async (module) => {
    for (let i = 0; i < 2; i++) {
      expect(await pull(module, "--delete")).toBe(0);
      expect(await pull("plain", "--delete")).toBe(0);
    }
    const served = await sessions(4);
    const changed = served.filter((_, i) => i % 2 === 0).map(({ pid }) => pid);
    const others = served.filter((_, i) => i % 2 === 1).map(({ pid }) => pid);
    expect(new Set(changed).size).toBe(2);
    // The process may have served such as change nothing before, and none after.
    for (const [i, pid] of changed.entries()) expect(others.slice(i)).not.toContain(pid);
  });
});
