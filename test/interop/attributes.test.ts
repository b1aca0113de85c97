/**
 * Options about attributes and devices against stock rsync, one by one: what is left behind, the lines and the exit
 * code, over local copies, and with stock rsync at either end of a push and a pull.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync, existsSync, lutimesSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { missing, peer, peerVersion, type Runtime, scratch, wsync } from "../_programs.ts";
import { run } from "../_run.ts";
import { fakeShell, startDaemon } from "../_servers.ts";
import { masked, treeOf } from "./_diffrun.ts";

const top = join(scratch, "attributes");
const isRoot = process.getuid?.() === 0;
const isReference = peer !== null && peerVersion.version.startsWith("3.5");
const reason = isReference ? "" : "no stock rsync 3.5 (apt-get install rsync)";
const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
let shell = "";

type Way = "local" | "push" | "pull";

/** A small tree with old access times, a symlink, a fifo and a name like one of the destination's. */
function makeTrees(): void {
  rmSync(top, { recursive: true, force: true });
  mkdirSync(join(top, "src/d"), { recursive: true });
  mkdirSync(join(top, "dst/d"), { recursive: true });
  const text = Buffer.from(Array.from({ length: 60_000 }, (_, at) => (at * at * 31 + (at >> 7)) & 0xff));
  writeFileSync(join(top, "src/report-2.txt"), text);
  writeFileSync(join(top, "dst/report-1.txt"), text.subarray(0, 50_000));
  writeFileSync(join(top, "dst/unlike.bin"), "nothing alike");
  for (const name of ["src/a", "src/d/b", "dst/a"]) writeFileSync(join(top, name), "the same");
  symlinkSync("a", join(top, "src/link"));
  execFileSync("mkfifo", [join(top, "src/fifo")]);
  for (const name of ["src/report-2.txt", "src/a", "src/d/b", "src/fifo", "dst/a"]) {
    utimesSync(join(top, name), new Date("1999-03-04T05:06:07Z"), new Date("2011-01-01T00:00:00.5Z"));
  }
  utimesSync(join(top, "dst/a"), 5, new Date("2011-01-01T00:00:00.5Z"));
  lutimesSync(join(top, "src/link"), new Date("1999-03-04T05:06:07Z"), 1e9);
  for (const name of ["src/d", "src", "dst"]) utimesSync(join(top, name), 1e9, 1e9);
}

/** Runs `program`, with `far` at the other end, and describes what is there afterwards. */
async function result(program: string, far: string, way: Way, words: string): Promise<string[]> {
  makeTrees();
  const remote = way === "local" ? [] : ["-e", shell, `--rsync-path=${far}`];
  const ends = { local: ["src/", "dst/"], push: ["src/", `host:${top}/dst/`], pull: [`host:${top}/src/`, "dst/"] }[way];
  const outcome = await run([program, ...words.split(" "), ...remote, ...ends], { cwd: top });
  const tree = [...treeOf(top, true)].map(([path, line]) => `${path}: ${line}`);
  return [`exit ${outcome.code}`, ...masked(outcome.stdout + outcome.stderr, top), ...tree];
}

const cases: readonly string[] = [
  "-aiU", "-aiUU", "-rtiU -@-1", "-ai --open-noatime", "-aiUc", "-aiH -U --inplace", "-ai --drop-D", "-ai --no-drop-D",
  "-ai --munge-links", "-ai -M--munge-links", "-rli --munge-links --safe-links", "--old-dirs -i",
  "-ai --preallocate", "-ai --preallocate -S", "-ai --preallocate --inplace --no-W", "-aiy --no-W --debug=FUZZY2",
  "-aiyy --no-W",
  "-aiy -W", "-riy --no-W", "-aiy --no-W --delete-after", "-ai --fsync", "-aiy --compare-dest=../none",
];

describe.skipIf(reason !== "")(`attributes${reason === "" ? "" : ` [${reason}]`}`, () => {
  beforeAll(() => {
    mkdirSync(top, { recursive: true });
    shell = fakeShell();
  });

  it.each(cases)("local: %s", async (words) => {
    const theirs = await result(peer!, peer!, "local", words);
    expect(await result(wsync("node")!, "", "local", words)).toEqual(theirs);
  });

  const remote = runtimes.flatMap((runtime) => (["push", "pull"] as const).map((way) => [runtime, way] as const));
  it.each(remote)("%s: %s with stock rsync at the other end", async (runtime, way) => {
    expect(missing(runtime)).toBe("");
    const program = wsync(runtime)!;
    for (const words of ["-aiUU", "-ai --munge-links", "-aiy --no-W", "-ai --preallocate -S"]) {
      const theirs = await result(peer!, peer!, way, words);
      expect(await result(program, peer!, way, words), `client ${words}`).toEqual(theirs);
      expect(await result(peer!, program, way, words), `server ${words}`).toEqual(theirs);
    }
  });

  it.each([28, 29, 30, 31])("access times over protocol %d", async (protocol) => {
    const words = `-aiU --protocol=${protocol}`;
    const theirs = await result(peer!, peer!, "pull", words);
    expect(await result(wsync("node")!, peer!, "pull", words)).toEqual(theirs);
    expect(await result(peer!, wsync("node")!, "pull", words)).toEqual(theirs);
  });

  it.each(runtimes)("%s: what a daemon's module does to modes and symlinks", async (runtime) => {
    expect(missing(runtime)).toBe("");
    const modules = {
      in: { path: join(top, "dst"), "read only": "no", "incoming chmod": "Fo-r,g=u,Da-s,o=" },
      out: { path: join(top, "src"), "outgoing chmod": "F640,D+t" },
      wrong: { path: join(top, "src"), "outgoing chmod": "F999" },
      munging: { path: join(top, "dst"), "read only": "no", "munge symlinks": "yes" },
    };
    const seen: string[][] = [];
    for (const program of [peer!, wsync(runtime)!]) {
      makeTrees();
      const daemon = await startDaemon(program, modules);
      const url = (name: string): string => `rsync://127.0.0.1:${daemon.port}/${name}/`;
      for (const words of [
        `-ai src/ ${url("in")}`, `-ri src/ ${url("in")}`, `-ri --chmod=u+s ${url("out")} dst/`,
        `-ai ${url("wrong")} dst/`, `-ai src/ ${url("munging")}`,
      ]) {
        makeTrees();
        const outcome = await run([peer!, ...words.split(" ")], { cwd: top });
        const tree = [...treeOf(top, false)].map(([path, line]) => `${path}: ${line}`);
        seen.push([`${outcome.code}`, ...masked(outcome.stdout + outcome.stderr, top), ...tree]);
      }
      daemon.stop();
    }
    const half = seen.length / 2;
    expect(seen.slice(half)).toEqual(seen.slice(0, half));
  });

  it.each(runtimes)("%s: creation times are refused in rsync's words", async (runtime) => {
    const outcome = await run([wsync(runtime)!, "-aN", "src/", "dst/"], { cwd: top });
    const [line] = outcome.stderr.split("\n");
    expect([outcome.code, line]).toEqual([1, "rsync: This rsync does not support --crtimes (-N)"]);
  });
});

describe.skipIf(reason !== "" || !isRoot)("as root", () => {
  beforeAll(() => (shell = fakeShell()));
  beforeEach(makeTrees);

  it.each(runtimes)("%s: --copy-as makes files as another user, and refuses one that is not there", async (runtime) => {
    expect(missing(runtime)).toBe("");
    writeFileSync(join(top, "src/secret"), "x", { mode: 0o600 });
    openDestination();
    const words = ["-r", "--copy-as=nobody:nogroup", "src/", "dst/"];
    const outcome = await run([wsync(runtime)!, ...words], { cwd: top });
    expect(outcome.code).toBe(23);
    expect(outcome.stderr).toContain(`[sender] send_files failed to open "${top}/src/secret": Permission denied (13)`);
    const { uid, gid } = statSync(join(top, "dst/d/b"));
    expect({ uid, gid }).toEqual({ uid: 65534, gid: 65534 });
    const wrong = await run([wsync(runtime)!, "-r", "--copy-as=nobody-of-that-name", "src/", "dst/"], { cwd: top });
    expect([wrong.code, wrong.stderr.split("\n")[0]]).toEqual([1, "Invalid copy-as user: nobody-of-that-name"]);
  });

  it("--copy-as acts on one side of a connection alone", async () => {
    openDestination();
    const push = ["-M--copy-as=daemon", "src/", `host:${top}/dst/`];
    const pull = ["--copy-as=daemon", `host:${top}/src/`, "dst/"];
    for (const words of [push, pull]) {
      const outcome = await run([wsync("node")!, "-r", "-e", shell, `--rsync-path=${peer}`, ...words], { cwd: top });
      const other = await run([peer!, "-r", "-e", shell, `--rsync-path=${wsync("node")}`, ...words], { cwd: top });
      expect([outcome.code, other.code]).toEqual([0, 0]);
      expect(statSync(join(top, "dst/d/b")).uid).toBe(1);
      rmSync(join(top, "dst/d"), { recursive: true });
    }
  });

  it("--copy-devices reads and --write-devices writes a block device", async () => {
    const device = attachLoop(join(top, "image"), 102_400);
    if (device === null) return;
    try {
      execFileSync("cp", ["-a", device, join(top, "src/disk")]);
      const words = ["-r", "--copy-devices", "--devices", "src/", "dst/"];
      expect((await run([wsync("node")!, ...words], { cwd: top })).code).toBe(0);
      expect(readFileSync(join(top, "dst/disk")).equals(readFileSync(join(top, "image")))).toBe(true);
      for (const [at, extra] of ["--no-W", "-W", "-b"].entries()) {
        const bytes = Buffer.alloc(102_400, at + 65);
        writeFileSync(join(top, "new"), bytes);
        const outcome = await run([wsync("node")!, "-I", "--write-devices", extra, "new", device], { cwd: top });
        expect([outcome.code, outcome.stderr]).toEqual([0, ""]);
        expect(readFileSync(device).equals(bytes), extra).toBe(true);
        rmSync(`${device}~`, { force: true });
      }
    } finally {
      execFileSync("losetup", ["-d", device]);
    }
  });
});

/** An empty destination that everybody may write into. */
function openDestination(): void {
  rmSync(join(top, "dst"), { recursive: true });
  mkdirSync(join(top, "dst"));
  chmodSync(join(top, "dst"), 0o777);
}

/** A loop device over a new file, or null where there are none. */
function attachLoop(image: string, byteLength: number): string | null {
  if (!existsSync("/dev/loop-control") || !readdirSync("/dev").some((name) => /^loop\d/.test(name))) return null;
  writeFileSync(image, Buffer.alloc(byteLength, "device "));
  try {
    return execFileSync("losetup", ["--show", "-f", image], { encoding: "utf8" }).trim();
  } catch {
    return null;
  }
}
