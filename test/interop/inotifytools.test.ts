/**
 * wsync-inotifywait and wsync-inotifywatch on every runtime beside Debian's inotify-tools: the same operations, event
 * for event and line for line.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync, chmodSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, symlinkSync,
  truncateSync, unlinkSync, utimesSync, writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { whereIs } from "../_programs.ts";
import { play, type Scene, type Seen } from "./_inotify.ts";

const here = describe.skipIf(whereIs("inotifywait") === null);

/** Everybody left the same behind as the stock tool, which is returned. */
function same(all: readonly Seen[]): Seen {
  const [stock, ...ours] = all;
  const plain = ({ code, signal, stdout, stderr }: Seen): object => ({ code, signal, stdout, stderr });
  for (const one of ours) expect({ who: one.who, ...plain(one) }).toEqual({ who: one.who, ...plain(stock) });
  expect(ours.length).toBeGreaterThan(0);
  return stock;
}

const life: Scene["steps"] = [
  (dir) => mkdirSync(join(dir, "t/a")),
  (dir) => writeFileSync(join(dir, "t/a/f"), "text"),
  (dir) => readFileSync(join(dir, "t/a/f")),
  (dir) => appendFileSync(join(dir, "t/a/f"), "more"),
  (dir) => chmodSync(join(dir, "t/a/f"), 0o600),
  (dir) => utimesSync(join(dir, "t/a/f"), 1, 2),
  (dir) => truncateSync(join(dir, "t/a/f"), 1),
  (dir) => {
    linkSync(join(dir, "t/a/f"), join(dir, "t/hard"));
    symlinkSync("x", join(dir, "t/soft"));
  },
  (dir) => mkdirSync(join(dir, "t/b")),
  (dir) => mkdirSync(join(dir, "t/b/c")),
  (dir) => renameSync(join(dir, "t/a/f"), join(dir, "t/b/c/g")),
  (dir) => renameSync(join(dir, "t/b"), join(dir, "t/d")),
  (dir) => writeFileSync(join(dir, "t/d/c/h"), "behind the rename"),
  (dir) => renameSync(join(dir, "t/d"), join(dir, "outside")),
  (dir) => writeFileSync(join(dir, "outside/i"), "out of sight"),
  (dir) => renameSync(join(dir, "outside"), join(dir, "t/back")),
  (dir) => writeFileSync(join(dir, "t/back/j"), ""),
  (dir) => unlinkSync(join(dir, "t/hard")),
  (dir) => rmdirSync(join(dir, "t/a")),
];
const start = (dir: string): void => mkdirSync(join(dir, "t"));
const odd = [" lead", 'quo"te', "com,ma", "trail ", "new\nline", "plain"];
const oddSteps: Scene["steps"] = odd.map((name) => (dir) => writeFileSync(join(dir, "t", name), "x"));

here("inotifywait", { timeout: 120_000 }, () => {
  test.concurrent("a recursive watch through a whole life, every event", async () => {
    const seen = same(await play({ words: ["-m", "-r", "t"], before: start, steps: life, end: "SIGTERM" }));
    expect(seen.stdout.split("\n").length).toBeGreaterThan(50);
  });
  test.concurrent("chosen events in CSV, with names that need quotes", async () => {
    const words = ["-q", "-m", "-c", "-e", "create,close", "--event", "DELETE", "t"];
    same(await play({ words, before: start, steps: oddSteps, end: "SIGTERM" }));
  });
  test.concurrent("a format with every conversion", async () => {
    const words = ["-qm", "--format", "%w|%f|%e|%:e|%%|%0|%q|%T", "--timefmt", "%Y-%j", "t"];
    same(await play({ words, before: start, steps: oddSteps, end: "SIGTERM" }));
  });
  test.concurrent("a format without a line end, cookies of the two halves alike", async () => {
    const all = await play({
      words: ["-qm", "--no-newline", "--format", "%c;", "-e", "move", "t"],
      before: (dir) => (start(dir), writeFileSync(join(dir, "t/a"), "")),
      steps: [(dir) => renameSync(join(dir, "t/a"), join(dir, "t/b"))], end: "SIGTERM",
    });
    for (const { stdout } of all) expect(stdout).toMatch(/^([0-9a-f]+);\1;$/);
  });
  test.concurrent("patterns", async () => {
    for (const words of [["--exclude", "o.?a|\\.x$"], ["--includei", "QUO[\"[:alpha:]]+t"], ["--excludei", "^t/P"]]) {
      same(await play({ words: ["-qm", ...words, "t"], before: start, steps: oddSteps, end: "SIGTERM" }));
    }
  });
  test.concurrent("the first event ends it: exit code 0, or 1 when it was not asked for", async () => {
    const file = (dir: string): void => writeFileSync(join(dir, "f"), "x");
    const read = { words: ["f"], before: file, steps: [(dir: string) => void readFileSync(join(dir, "f"))] };
    expect(same(await play(read)).code).toBe(0);
    const gone = { words: ["-e", "modify", "f"], before: file, steps: [(dir: string) => unlinkSync(join(dir, "f"))] };
    expect(same(await play(gone)).code).toBe(1);
  });
  test.concurrent("nothing happens in time: exit code 2", async () => {
    expect(same(await play({ words: ["-t", "1", "-e", "delete", "."] })).code).toBe(2);
  });
  test.concurrent("symlinks are followed, or not with -P", async () => {
    const before = (dir: string): void => {
      start(dir);
      symlinkSync("t", join(dir, "link"));
    };
    const steps: Scene["steps"] = [(dir) => writeFileSync(join(dir, "t/x"), ""), (dir) => rmSync(join(dir, "link"))];
    for (const words of [["-m", "link"], ["-m", "-P", "link"], ["-m", "-r", "link"]]) {
      same(await play({ words, before, steps, end: "SIGTERM" }));
    }
  });
  test.concurrent("paths from a file, and some left out", async () => {
    const before = (dir: string): void => {
      for (const name of ["t/in/deep", "t/out/deep", "u"]) mkdirSync(join(dir, name), { recursive: true });
      writeFileSync(join(dir, "list"), "t\n@t/out\n\n@\n");
    };
    const steps: Scene["steps"] = ["t/x", "t/in/deep/x", "t/out/deep/x", "u/x"]
      .map((name) => (dir) => writeFileSync(join(dir, name), ""));
    same(await play({ words: ["-m", "-r", "--fromfile", "list", "u"], before, steps, end: "SIGTERM" }));
  });
  test.concurrent("events into a file; quiet twice prints none", async () => {
    const steps: Scene["steps"] = [(dir) => writeFileSync(join(dir, "t/x"), "")];
    same(await play({ words: ["-m", "-qq", "t"], before: start, steps, end: "SIGTERM" }));
    const dirs: string[] = [];
    const before = (dir: string): void => void (start(dir), dirs.push(dir));
    same(await play({ words: ["-m", "-o", "log", "t"], before, steps, end: "SIGTERM" }));
    for (const dir of dirs) expect(readFileSync(join(dir, "log"), "utf8")).toContain("t/ CREATE x\n");
  });
  test.concurrent("a file system that is unmounted", async () => {
    const dirs: string[] = [];
    const before = (dir: string): void => {
      start(dir);
      if (spawnSync("mount", ["-t", "tmpfs", "none", join(dir, "t")]).status === 0) dirs.push(dir);
    };
    const unmount = (dir: string): void => void spawnSync("umount", [join(dir, "t")]);
    const seen = same(await play({ words: ["-e", "unmount", "t"], before, steps: [unmount] }));
    if (dirs.length > 0) expect(seen.stdout).toContain("UNMOUNT");
    else expect(process.getuid?.(), "a super-user can mount").not.toBe(0);
  });
  test.concurrent("wrong command lines", async () => {
    const wrong = [
      [], ["-e", "none", "."], ["-z"], ["--nothing"], ["--format"], ["-t", "x", "."], ["-t", "", "."],
      ["-t", "1y", "."], ["-t", "99999999999999999999", "."], ["--exclude", "a", "--excludei", "b", "."],
      ["--include", "a", "--exclude", "b", "."], ["--include", "a", "--includei", "b", "."],
      ["-c", "--format", "x", "."], ["--no-newline", "."], ["--timefmt", "x", "."], ["--format", "%T", "."],
      ["-d", "."], ["-o", "a", "-o", "b", "."], ["--fromfile", "a", "--fromfile", "b"], ["-f", "."],
      ["--exclude", "(", "."], ["--include", "[", "."], ["no/such/file"], ["-r", "no/such/file"],
      ["--fromfile", "none"], ["--csv=1", "."], ["--ex=a", "."], ["-d", "-o", "none", "."],
      ["--format", "", "--no-newline", "."], ["--ti=1", "."],
    ];
    for (const words of wrong) {
      expect([words, same(await play({ words, runtimes: ["node"] })).code]).toEqual([words, 1]);
    }
  });
  test.concurrent("in the background, with its log and nothing on the terminal", async () => {
    const dirs: string[] = [];
    const before = (dir: string): void => {
      start(dir);
      writeFileSync(join(dir, "log"), "");
      dirs.push(dir);
    };
    const words = ["-d", "-o", "log", "-t", "3"];
    const all = await Promise.all([0].map(() => play({ words: [...words, "t"], before })));
    expect(all[0].map(({ code, stdout }) => [code, stdout]).slice(1)).toEqual(all[0].slice(1).map(() => [0, ""]));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    for (const dir of dirs) writeFileSync(join(dir, "t/x"), "");
    await new Promise((resolve) => setTimeout(resolve, 500));
    // The stock tool changes to "/" and then finds no relative path, so its log stays empty.
    for (const dir of dirs.slice(1)) expect(readFileSync(join(dir, "log"), "utf8")).toContain("t/ CREATE x\n");
  });
});

here("inotifywatch", { timeout: 120_000 }, () => {
  const steps: Scene["steps"] = [...life!, (dir) => writeFileSync(join(dir, "t/z"), "")];
  test.concurrent("tables", async () => {
    const some = [
      ["-r"], ["-r", "-z", "-v", "-a", "create"], ["-r", "-d", "total", "-e", "create,delete,modify"],
      ["-a", "total", "-z", "-t", "900", "-v"], ["-r", "-d", "delete"],
    ];
    await Promise.all(some.map(async (words) => {
      const scene = { words: [...words, "t"], before: start, steps, end: "SIGINT" } as const;
      const seen = same(await play({ tool: "inotifywatch", ...scene }));
      expect(seen.stdout).toMatch(/^total /);
    }));
  });
  test.concurrent("no events, and the end of the time", async () => {
    same(await play({ tool: "inotifywatch", words: ["-t", "1", "-e", "delete", "."] }));
  });
  test.concurrent("wrong command lines", async () => {
    const wrong = [
      [], ["-a", "move", "."], ["-a", "close", "."], ["-a", "none", "."], ["-d", "none", "."],
      ["-a", "total", "-d", "total", "."], ["-e", "create", "-a", "delete", "."], ["-t", "x", "."], ["no/such/file"],
      ["-r", "-v", "no/such/file"], ["-q", "."],
    ];
    for (const words of wrong) {
      expect([words, same(await play({ tool: "inotifywatch", words, runtimes: ["node"] })).code])
        .toEqual([words, 1]);
    }
  });
});

here("beyond inotify-tools", { timeout: 120_000 }, () => {
  const ours = async (scene: Scene): Promise<Seen[]> => (await play(scene)).slice(1);
  test.concurrent("--version", async () => {
    for (const { code, stdout } of await ours({ words: ["--version"] })) {
      expect(code).toBe(0);
      expect(stdout).toMatch(/^wsync-inotifywait \d+\.\d+\.\d+ \(as of inotify-tools 3\.22\)\n$/);
    }
  });
  test.concurrent("--json pairs the halves of a rename", async () => {
    const all = await ours({
      words: ["-qmr", "--json", "-e", "move", "t"],
      before: (dir) => (start(dir), mkdirSync(join(dir, "t/a"))),
      steps: [(dir) => renameSync(join(dir, "t/a"), join(dir, "t/b"))], end: "SIGTERM",
    });
    for (const { stdout } of all) {
      const [from, to] = stdout.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(from.events).toEqual(["MOVED_FROM", "ISDIR"]);
      expect(to).toMatchObject({ events: ["MOVED_TO", "ISDIR"], cookie: from.cookie, from: "t/a", to: "t/b" });
    }
  });
  test.concurrent("fanotify sees the same files, for a super-user", async () => {
    const asRoot = process.getuid?.() === 0;
    const all = await ours({
      words: ["-m", "-r", "-F", "-e", "create,delete", "t"], before: start, end: "SIGTERM",
      steps: [
        (dir) => mkdirSync(join(dir, "t/d")), (dir) => writeFileSync(join(dir, "t/d/f"), ""),
        (dir) => unlinkSync(join(dir, "t/d/f")),
      ],
    });
    for (const { stdout, stderr } of all) {
      if (asRoot) expect(stdout).toMatch(/t\/ CREATE,ISDIR d\n.*t\/d\/ CREATE f\n.*t\/d\/ DELETE f\n$/);
      else expect(stderr).toContain("fanotify watch requires admin privileges");
    }
  });
});

test("the tools are started by name", () => {
  const { bin } = JSON.parse(readFileSync("package.json", "utf8")) as { bin: Record<string, string> };
  for (const name of ["wsync-inotifywait", "wsync-inotifywatch"]) {
    expect(existsSync(bin[name])).toBe(true);
    expect(execFileSync(process.execPath, [bin[name], "--version"], { encoding: "utf8" })).toContain(name);
  }
});
