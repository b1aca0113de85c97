/**
 * Trouble that is nobody's lie: strange greetings, silence, full disks, files that vanish, kills at any moment.
 *
 * Each ends with rsync's exit code, says what happened, and leaves old files whole. Stock rsync in wsync's place
 * (WSYNC_UNDER_TEST) passes too.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing, quote, scratch, wsync } from "../_programs.ts";
import { finished, plainEnvironment, run } from "../_run.ts";

const reason = missing("node");
const program = wsync("node") ?? "";
const asRoot = process.getuid?.() === 0;

/** A daemon that sends `hello` and then says nothing more; `hangUp` closes after it. */
async function daemonThatSays(hello: string, hangUp: boolean): Promise<{ port: number; stop: () => void }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(hello);
    if (hangUp) socket.end();
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  return { port, stop: () => void server.close() };
}

/** What a daemon may open with, and the exit codes that answer it. */
const openings: readonly (readonly [title: string, hello: string, codes: readonly number[]])[] = [
  ["nothing", "", [5, 10, 12]],
  ["another protocol's banner", "SSH-2.0-OpenSSH_9.6\r\n", [2, 5, 12]],
  ["a greeting without a version", "@RSYNCD: \n", [2, 5, 12]],
  ["a version from the stone age", "@RSYNCD: 10.0\n@RSYNCD: OK\n", [2, 5, 12]],
  ["a version that is no number", "@RSYNCD: xx.y\n", [2, 5, 12]],
  ["an error", "@RSYNCD: 31.0 md5\n@ERROR: come back later\n", [5]],
  ["a line without end", `@RSYNCD: 31.0 ${"md5 ".repeat(100_000)}`, [2, 5, 10, 12]],
  ["an early goodbye", "@RSYNCD: 31.0 md5\n@RSYNCD: EXIT\n", [0, 5, 12]],
  ["OK and then nothing", "@RSYNCD: 31.0 md5\n@RSYNCD: OK\n", [12]],
];

/** Version words that open a remote-shell conversation. */
const versions: readonly (readonly [title: string, opening: string])[] = [
  ["a login message", "Welcome to example.org, have a nice day\\n"],
  ["a version far too old", "\\012\\000\\000\\000"],
  ["a version far too new", "\\377\\000\\000\\000"],
  ["three bytes", "\\037\\000\\000"],
];

/** A folder for one test. */
function room(): string {
  return mkdtempSync(join(scratch, "trouble-"));
}

/** A source with one 4 MiB file, and a destination with an older, different one. */
function bigPair(top: string): { source: string; dest: string; old: Buffer; fresh: Buffer } {
  const [source, dest] = [join(top, "source"), join(top, "dest")];
  const [old, fresh] = [Buffer.alloc(4 << 20, "old"), Buffer.alloc(4 << 20, "fresh")];
  for (const dir of [source, dest]) mkdirSync(dir);
  writeFileSync(join(source, "file"), fresh);
  writeFileSync(join(dest, "file"), old);
  return { source, dest, old, fresh };
}

describe.skipIf(reason !== "").concurrent(`trouble${reason === "" ? "" : ` [${reason}]`}`, () => {
  it.each(openings)("a daemon that opens with %s", async (_title, hello, codes) => {
    const top = room();
    const daemon = await daemonThatSays(hello, true);
    const outcome = await run([program, "-r", "--timeout=5", `rsync://127.0.0.1:${daemon.port}/mod/`, `${top}/`]);
    daemon.stop();
    expect(codes).toContain(outcome.code);
    if (outcome.code !== 0) expect(outcome.stderr).not.toBe("");
    expect(outcome.stderr).not.toMatch(/\bat .*\.(js|ts):\d+/);
    expect(readdirSync(top)).toEqual([]);
  });
  it.each(versions)("a remote shell that opens with %s", async (_title, opening) => {
    const top = room();
    const shell = `sh -c ${quote(`printf '${opening}'`)}`;
    const outcome = await run([program, "-r", "--timeout=5", "-e", shell, "host:x/", `${top}/`]);
    expect([2, 12]).toContain(outcome.code);
    expect(outcome.stderr).toMatch(/shell clean|version|protocol|closed/);
    expect(readdirSync(top)).toEqual([]);
  });
  it("a silent daemon runs into --timeout with exit code 30", async () => {
    const daemon = await daemonThatSays("@RSYNCD: 31.0 md5\n@RSYNCD: OK\n", false);
    const outcome = await run([program, "-r", "--timeout=2", `rsync://127.0.0.1:${daemon.port}/mod/`, `${room()}/`]);
    daemon.stop();
    expect(outcome.code).toBe(30);
    expect(outcome.elapsedMs).toBeLessThan(10_000);
  });
  const orders = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
  it.each(orders)("%s with --partial keeps what has come, looking old", async (signal) => {
    const { source, dest, fresh } = bigPair(room());
    rmSync(join(dest, "file"));
    const words = [program, "-a", "--partial", "--no-whole-file", "--bwlimit=1024", `${source}/`, `${dest}/`];
    const child = spawn(words[0], words.slice(1), { stdio: ["ignore", "ignore", "pipe"], env: plainEnvironment() });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("latin1")));
    const ended = finished(child, 20_000, words);
    const begun = (): boolean => readdirSync(dest).some((name) => statSync(join(dest, name)).size > 0);
    while (!begun()) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill(signal);
    const [code] = await ended;
    expect({ code, names: readdirSync(dest) }).toEqual({ code: 20, names: ["file"] });
    expect(stderr).toMatch(/received SIGINT, SIGTERM, or SIGHUP \(code 20\)/);
    const left = readFileSync(join(dest, "file"));
    expect(left.length).toBeGreaterThan(0);
    expect(fresh.subarray(0, left.length).equals(left)).toBe(true);
    expect(Math.floor(statSync(join(dest, "file")).mtimeMs / 1000)).toBe(0);
  });
  it.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)("%s leaves the old file or the new one", async (signal) => {
    for (const delayMs of [150, 300, 450]) {
      const { source, dest, old, fresh } = bigPair(room());
      const words = [program, "-a", "--no-whole-file", "--bwlimit=4096", `${source}/`, `${dest}/`];
      const child = spawn(words[0], words.slice(1), { stdio: "ignore", env: plainEnvironment() });
      const ended = finished(child, 20_000, words);
      setTimeout(() => child.kill(signal), delayMs);
      const [code] = await ended;
      const left = readFileSync(join(dest, "file"));
      expect(left.equals(old) || left.equals(fresh)).toBe(true);
      if (signal === "SIGKILL" || code === 0 || code === null) continue;
      expect(code).toBe(20);
      expect(readdirSync(dest)).toEqual(["file"]);
    }
  });
  it.skipIf(!asRoot)("a full disk costs exit code 11 or 23 and keeps the old file [needs root to mount]", async () => {
    const top = room();
    const { source, old } = bigPair(top);
    const disk = join(top, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
    try {
      writeFileSync(join(disk, "file"), old.subarray(0, 1000));
      const outcome = await run([program, "-a", `${source}/`, `${disk}/`]);
      expect([11, 23]).toContain(outcome.code);
      expect(outcome.stderr).toMatch(/No space left on device/);
      expect(readFileSync(join(disk, "file"))).toEqual(old.subarray(0, 1000));
      expect(readdirSync(disk)).toEqual(["file"]);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
  it.skipIf(asRoot)("an unreadable source costs exit code 23, and the rest arrives [needs an ordinary user]",
    async () => {
    const top = room();
    const { source, dest, fresh } = bigPair(top);
    writeFileSync(join(source, "secret"), "x");
    chmodSync(join(source, "secret"), 0);
    const outcome = await run([program, "-a", `${source}/`, `${dest}/`]);
    expect(outcome.code).toBe(23);
    expect(outcome.stderr).toMatch(/secret.*Permission denied/);
    expect(readFileSync(join(dest, "file")).equals(fresh)).toBe(true);
  });
  it("a file that vanishes after it was listed costs exit code 24, and the rest arrives", async () => {
    const top = room();
    const [source, dest] = [join(top, "source"), join(top, "dest")];
    for (const dir of [source, dest]) mkdirSync(dir);
    for (const name of ["a", "b", "c"]) writeFileSync(join(source, name), Buffer.alloc(1 << 20, name));
    const words = [program, "-a", "--no-whole-file", "--bwlimit=1024", `${source}/`, `${dest}/`];
    const child = spawn(words[0], words.slice(1), { stdio: ["ignore", "ignore", "pipe"], env: plainEnvironment() });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("latin1")));
    const ended = finished(child, 30_000, words);
    while (readdirSync(dest).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    execFileSync("rm", [join(source, "c")]);
    const [code] = await ended;
    expect({ code, stderr }).toEqual({ code: 24, stderr: expect.stringMatching(/vanished.*c/) });
    expect([existsSync(join(dest, "a")), existsSync(join(dest, "b")), existsSync(join(dest, "c"))])
      .toEqual([true, true, false]);
  });
});
