/**
 * rsync's exit codes by what causes them: wsync ends with the code that stock rsync ends with, for the same cause.
 *
 * Which side of a broken connection notices first is chance; stock rsync is asked again then, and each of its answers
 * is good. Not here: 6, 13 and 21, which take a full disk or a broken system, and 15, 16, 19, which are about rsync's
 * own processes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server as NetServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, peerVersion, type Runtime, scratch, writeScript, wsync } from "../_programs.ts";
import { finished, plainEnvironment, run } from "../_run.ts";
import { fakeShell, freePort, type Server, startDaemon, writeSecret } from "../_servers.ts";

const isReference = peer !== null && peerVersion.version.startsWith("3.5");
const work = join(scratch, "exitcodes");
const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
const BIG = 3_000_000;

/** Fresh trees: a small file, one that takes a while at a low --bwlimit, and names to delete. */
function prepare(): void {
  rmSync(work, { recursive: true, force: true });
  for (const dir of ["src", "dst", "big"]) mkdirSync(join(work, dir), { recursive: true });
  for (const name of ["src/a", "src/b", "dst/c", "dst/d", "dst/e", "file"]) writeFileSync(join(work, name), name);
  writeFileSync(join(work, "big/first"), Buffer.alloc(BIG, 7));
  writeFileSync(join(work, "big/second"), "soon gone");
}

interface Ports {
  daemon: number;
  /** Nobody listens. */
  closed: number;
  /** Accepts and says nothing. */
  silent: number;
  /** Accepts and resets. */
  resetting: number;
}

const ports: Ports = { daemon: 0, closed: 0, silent: 0, resetting: 0 };
const secret = join(scratch, "exit.wrong");
const shell = (text: string): string => writeScript(`exit-${text.replace(/\W/g, "")}`, `#!/bin/sh\n${text}\n`);

/**
 * A shell that has ended some time before its pipes do. rsync tells of a shell's code only when the shell has ended by
 * the time that it meets the end of its input.
 */
const endedShell = (text: string): string => shell(`exec 3<&0; sleep 0.3 2>/dev/null & ${text}`);

/** Causes that need no more than a command line: "code title" and the words. */
const CAUSES: Readonly<Record<string, () => string>> = {
  "0 a copy": () => "-a src/ dst/",
  "1 an unknown option": () => "--nope src/ dst/",
  "1 options that do not go together": () => "-a --append -W src/ dst/",
  "1 two remote ends": () => "-a host:a host:b",
  "2 a protocol too old": () => "-a --protocol=19 src/ dst/",
  "2 a protocol too new": () => "-a --protocol=99 src/ dst/",
  "2 a shell that talks": () => `-a -e ${shell("echo Welcome, dear user; cat >/dev/null")} host:src/ dst/`,
  "3 two files onto one": () => "-a src/a src/b file",
  "3 a directory onto a file": () => "-a src/a src file",
  "4 an unknown checksum": () => "-a --checksum-choice=nope src/ dst/",
  "4 an unknown compressor": () => "-az --compress-choice=nope src/ dst/",
  "4 an unknown charset": () => "-a --iconv=nope,utf8 src/ dst/",
  "5 an unknown module": () => `-a rsync://127.0.0.1:${ports.daemon}/nope/ dst/`,
  "5 a wrong password": () => `-a --password-file=${secret} rsync://u@127.0.0.1:${ports.daemon}/auth/ dst/`,
  "5 a path without a module": () => `-a rsync://127.0.0.1:${ports.daemon}//x/ dst/`,
  "10 a refused connection": () => `-a rsync://127.0.0.1:${ports.closed}/m/ dst/`,
  "10 or 12 a reset": () => `-a rsync://127.0.0.1:${ports.resetting}/m/ dst/`,
  "10 an unknown host": () => "-a rsync://no-such-host.invalid/m/ dst/",
  "11 a directory that cannot be made": () => "-a src/ no/such/place/",
  "11 a rules file that is not there": () => "-a --exclude-from=nope src/ dst/",
  "11 a batch that is not there": () => "-a --read-batch=nope dst/",
  "12 a far side that goes away": () => `-a -e ${shell("exit 0")} host:src/ dst/`,
  "12 a far side that goes away in the middle": () => `-a -e ${shell("head -c 4 >/dev/null")} src/ host:dst/`,
  "14 a shell that is not there": () => "-a -e /no/such/shell host:src/ dst/",
  "23 a missing source": () => "-a src/ nope dst/",
  "23 a missing source of a daemon": () => `-a rsync://127.0.0.1:${ports.daemon}/work/nope dst/`,
  "25 too many deletions": () => "-a --delete --max-delete=1 src/ dst/",
  "30 a far side that says nothing": () => `-a --timeout=1 -e ${shell("exec sleep 3")} host:src/ dst/`,
  "30 a daemon that says nothing": () => `-a --timeout=1 rsync://127.0.0.1:${ports.silent}/m/ dst/`,
  "124 a shell that fails": () => `-a -e ${endedShell("exit 124")} host:src/ dst/`,
  "125 a shell that fails otherwise": () => `-a -e ${endedShell("exit 125")} host:src/ dst/`,
  "126 a far program that cannot be run": () => `-a -e ${fakeShell()} --rsync-path=/etc/passwd host:src/ dst/`,
  "127 a far program that is not there": () => `-a -e ${fakeShell()} --rsync-path=/no/such host:src/ dst/`,
  "255 ssh without a connection": () => `-a -e ${endedShell("exit 255")} host:src/ dst/`,
  "a shell that is killed": () => `-a -e ${endedShell("kill -9 $$")} host:src/ dst/`,
};

/** One name more than --max-alloc=1m has room for: upstream takes 8 bytes for each of twice as many then. */
const HUGE = 65_537;

/** A program that listens and never accepts: once its queue is full, connections hang. */
const DEAF = `
const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  require("node:fs").writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
});`;

async function codeOf(program: string, words: string): Promise<number | null> {
  prepare();
  return (await run([program, ...words.split(" ")], { cwd: work, timeoutMs: 30_000 })).code;
}

/** The code of wsync is one that stock rsync ends with. */
async function expectSame(program: string, words: string): Promise<void> {
  const ours = await codeOf(program, words);
  const theirs: (number | null)[] = [];
  for (let tries = 0; tries < 4 && !theirs.includes(ours); tries++) theirs.push(await codeOf(peer!, words));
  expect(theirs).toContain(ours);
}

/** Runs a slow copy and does something in its middle. Resolves to the code and what the destination holds. */
async function inTheMiddle(
  program: string, words: readonly string[], act: (child: ChildProcess) => void,
): Promise<{ code: number | null; left: string[] }> {
  prepare();
  const argv = [program, ...words, "--bwlimit=1500", "big/", "dst/"];
  const child = spawn(argv[0], argv.slice(1), { cwd: work, env: plainEnvironment(), stdio: "ignore" });
  const ended = finished(child, 30_000, argv);
  const hasBegun = (): boolean => readdirSync(join(work, "dst"), { recursive: true, encoding: "utf8" })
    .some((name) => name.includes("first") && statSync(join(work, "dst", name)).size > 0);
  while (child.exitCode === null && !hasBegun()) await new Promise((resolve) => setTimeout(resolve, 10));
  act(child);
  const [code] = await ended;
  const left = readdirSync(join(work, "dst"), { recursive: true, encoding: "utf8" }).sort()
    .filter((name) => !/^[cde]$/.test(name));
  return { code, left };
}

describe.skipIf(!isReference)("exit codes as stock rsync's", () => {
  let daemon: Server;
  const servers: NetServer[] = [];
  const listen = (port: number, met: (socket: Socket) => void): Promise<void> => new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      met(socket);
    });
    servers.push(server.listen(port, "127.0.0.1", () => resolve()));
  });
  beforeAll(async () => {
    prepare();
    writeSecret("exit.wrong", "wrong\n");
    const secrets = writeSecret("exit.secrets", "u:right\n");
    daemon = await startDaemon(peer!, {
      work: { path: work }, auth: { path: work, "auth users": "u", "secrets file": secrets },
    });
    ports.daemon = daemon.port;
    for (const name of ["closed", "silent", "resetting"] as const) ports[name] = await freePort();
    await listen(ports.silent, () => undefined);
    await listen(ports.resetting, (socket) => socket.resetAndDestroy());
  });
  afterAll(() => {
    daemon?.stop();
    for (const server of servers) server.close();
  });

  it.skipIf(missing("node") !== "").each(Object.keys(CAUSES))("%s", (title) =>
    expectSame(wsync("node")!, CAUSES[title]()));

  it.skipIf(missing("node") !== "")("35 a daemon that does not accept", async () => {
    const deaf = spawn(process.execPath, ["-e", DEAF], { stdio: ["ignore", "pipe", "inherit"] });
    const port = await new Promise<string>((resolve) => deaf.stdout.once("data", (text) => resolve(String(text))));
    const queued = Array.from({ length: 6 }, () => connect(Number(port), "127.0.0.1").on("error", () => undefined));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const words = `-a --contimeout=1 rsync://127.0.0.1:${port}/m/ dst/`;
    const codes = [await codeOf(peer!, words), await codeOf(wsync("node")!, words)];
    for (const socket of queued) socket.destroy();
    deaf.kill("SIGKILL");
    expect(codes).toEqual([35, 35]);
  });

  it.skipIf(missing("node") !== "")("22 a list that takes more than --max-alloc at once", async () => {
    const huge = join(scratch, "exit-huge");
    mkdirSync(huge);
    for (let i = 0; i < HUGE; i++) writeFileSync(join(huge, `f${i}`), "");
    for (const [limit, code] of [["1m", 22], ["1200k", 0]] as const) {
      const words = `-an --no-i-r --max-alloc=${limit} ${huge}/ dst/`;
      expect([limit, await codeOf(peer!, words), await codeOf(wsync("node")!, words)]).toEqual([limit, code, code]);
    }
    rmSync(huge, { recursive: true });
  });

  const spread = [
    "2 a shell that talks", "5 an unknown module", "10 a refused connection", "12 a far side that goes away",
    "23 a missing source", "25 too many deletions", "30 a far side that says nothing",
    "127 a far program that is not there",
  ];
  describe.each(["deno", "bun"] as const)("on %s", (runtime) => {
    it.skipIf(missing(runtime) !== "").each(spread)("%s", (title) => expectSame(wsync(runtime)!, CAUSES[title]()));
  });

  describe.each(runtimes)("in the middle, on %s", (runtime) => {
    const program = wsync(runtime)!;
    const signals = runtime === "node" ? (["SIGINT", "SIGTERM", "SIGHUP"] as const) : (["SIGINT"] as const);
    const keeping = ["-a", "-a --partial", "-a --partial-dir=.part", "-a --inplace"];
    const cases = signals.flatMap((signal) => keeping.map((words) => [signal, words] as const));
    it.skipIf(missing(runtime) !== "").each(cases)("20: %s with %s", async (signal, words) => {
      const act = (child: ChildProcess): void => void child.kill(signal);
      const ours = await inTheMiddle(program, words.split(" "), act);
      expect(ours.code).toBe(20);
      // rsync's processes now and then end before they have tidied up.
      const theirs: unknown[] = [];
      for (let tries = 0; tries < 4 && JSON.stringify(theirs[theirs.length - 1]) !== JSON.stringify(ours); tries++) {
        theirs.push(await inTheMiddle(peer!, words.split(" "), act));
      }
      expect(theirs).toContainEqual(ours);
    });
    it.skipIf(missing(runtime) !== "")("24: a file that vanishes before its turn", async () => {
      const act = (): void => rmSync(join(work, "big/second"));
      const theirs = await inTheMiddle(peer!, ["-a"], act);
      const ours = await inTheMiddle(program, ["-a"], act);
      expect(ours).toEqual(theirs);
      expect(ours).toEqual({ code: 24, left: ["first"] });
    });
  });
});
