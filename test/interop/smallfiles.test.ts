/**
 * Many small new files, so many that a helper thread joins in: the same tree as stock rsync's, and when files cannot be
 * made the same lines and the same exit code, on each runtime; from this process, and pulled from or pushed by rsync.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync, linkSync, lutimesSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, peer, type Runtime, scratch, wsync } from "../_programs.ts";
import { fakeShell } from "../_servers.ts";
import { finished, type Outcome, plainEnvironment, run } from "../_run.ts";
import { compare, describeTree } from "../_trees.ts";

const asRoot = process.getuid?.() === 0;
const FILES = 2400;
const FOLDERS = 12;
let source = "";
const shell = fakeShell();

/** Where the files come from: the same process, an rsync behind a remote shell, or an rsync in front of it. */
type Way = "local" | "pull" | "push";

/** The words by which `program` receives into `dir`. */
function wordsOf(way: Way, program: string, options: readonly string[], dir: string): string[] {
  if (way === "local") return [program, ...options, `${source}/`, `${dir}/`];
  const [client, server] = way === "pull" ? [program, peer!] : [peer!, program];
  const places = way === "pull" ? [`here:${source}/`, `${dir}/`] : [`${source}/`, `here:${dir}/`];
  return [client, ...options, "-e", shell, `--rsync-path=${server}`, ...places];
}

/** Names that a temporary name is made from in a way of its own, and contents around the size that is small. */
function oddFiles(dir: string): void {
  const long = [160, 200, 215, 216, 255].map((length) => "n".repeat(length));
  const names = [".dot", "..dots", "trailing.", "-dash", "new\nline", ...long];
  names.forEach((name, i) => writeFileSync(join(dir, name), `odd ${i}`));
  for (const size of [0, 1, 32768, 32769, 65535, 65536, 65537, 200_000]) {
    writeFileSync(join(dir, `size${size}`), Buffer.alloc(size, "x"));
  }
  writeFileSync(join(dir, "linked"), "two names");
  linkSync(join(dir, "linked"), join(dir, "other"));
  symlinkSync("linked", join(dir, "symlink"));
}

beforeAll(() => {
  source = join(mkdtempSync(join(scratch, "small-")), "source");
  for (let i = 0; i < FILES; i++) {
    const dir = join(source, `dir${i % FOLDERS}`, i % 3 === 0 ? "deeper" : "");
    if (i < 3 * FOLDERS) mkdirSync(dir, { recursive: true });
    const path = join(dir, `file${i}`);
    writeFileSync(path, `contents of ${i}`.repeat(i % 50));
    chmodSync(path, [0o644, 0o600, 0o755, 0o444, 0o4711][i % 5]);
    lutimesSync(path, 1_000_000_000, 1_000_000_000 + i + 0.25);
  }
  oddFiles(join(source, "dir0"));
  if (asRoot) execFileSync("chown", ["-R", "1234:4321", join(source, "dir3")]);
  const touch = ["touch", "-h", "-d", "2002-02-02 02:02:02.123456789", "{}", "+"];
  execFileSync("find", [source, "-newermt", "2010-01-01", "-exec", ...touch]);
});

/** Runs both programs into folders of their own, which `prepare` makes ready. */
async function both(
  way: Way, program: string, options: readonly string[], prepare: (dir: string) => void = (dir) => mkdirSync(dir),
): Promise<{ ours: Outcome; theirs: Outcome; dirs: readonly [string, string] }> {
  const top = mkdtempSync(join(scratch, "small-"));
  const dirs = [join(top, "ours"), join(top, "theirs")] as const;
  const results: Outcome[] = [];
  for (const [dir, word] of [[dirs[0], program], [dirs[1], peer!]] as const) {
    prepare(dir);
    results.push(await run(wordsOf(way, word, options, dir)));
  }
  return { ours: results[0], theirs: results[1], dirs };
}

const mountTmpfs = (options: string) => (dir: string): void => {
  mkdirSync(dir);
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", dir]);
};

const temporary = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((name) => /\.[A-Za-z0-9]{6}$/.test(name));

const cases: readonly [Runtime, Way][] = [
  ["node", "local"], ["deno", "local"], ["bun", "local"], ["node", "pull"], ["deno", "pull"], ["bun", "pull"],
  ["node", "push"],
];

describe.each(cases)("small files on %s, %s", (runtime: Runtime, way: Way) => {
  const reason = missing(runtime);
  const program = wsync(runtime) ?? "";
  const optionSets = way === "local"
    ? [["-aH"], ["-rl"], ["-rltpE", "--chmod=Fg+w", "--no-inc-recursive"], ["-a", "--delete", "-i"]]
    : [["-aH"], ["-rlpE", "--no-inc-recursive", "--checksum-choice=md5"], ["-ai"], ["-a", "--info=name"],
      ["-aP", "--no-inc-recursive"]];
  it.skipIf(reason !== "").each(optionSets)("%s %s %s", async (...options: string[]) => {
    const { ours, theirs, dirs } = await both(way, program, options);
    const told = ({ code, stdout, stderr }: Outcome): unknown => {
      return { code, stdout: stdout.replace(/ +[\d.]+.B\/s +\d+:\d\d:\d\d/g, " RATE"), stderr };
    };
    expect(told(ours)).toEqual(told(theirs));
    const how = { times: /^-rl(pE)?$/.test(options[0]) ? "none" : "ns", hardLinks: options[0] === "-aH" } as const;
    expect(compare(describeTree(dirs[1], how), describeTree(dirs[0], how))).toEqual([]);
  });

  it.skipIf(reason !== "" || !asRoot)("no inodes left: each file is told of, the rest is whole", async () => {
    // The directories are there: whether a generator makes its last one before the receiver's last file is chance.
    const { ours, theirs, dirs } = await both(way, program, ["-a"], (dir) => {
      mountTmpfs("size=64m,nr_inodes=1000")(dir);
      for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
        const path = join(dir, relative(source, join(entry.parentPath, entry.name)));
        if (entry.isDirectory()) mkdirSync(path, { recursive: true });
      }
    });
    try {
      expect(ours.code).toBe(theirs.code);
      expect(ours.code).toBe(23);
      const kinds = (text: string): string[] => {
        const lines = text.replace(/"[^"]*"/g, '"NAME"').replace(/\(code 23\).*/, "(code 23)").split("\n");
        return [...new Set(lines)].sort();
      };
      expect(kinds(ours.stderr)).toEqual(kinds(theirs.stderr));
      expect(temporary(dirs[0])).toEqual([]);
      const [wanted, got] = [describeTree(source, { perms: false }), describeTree(dirs[0], { perms: false })];
      const files = [...got].filter(([, line]) => line.startsWith("file"));
      expect(files.length).toBeGreaterThan(500);
      expect(files.filter(([path, line]) => wanted.get(path) !== line)).toEqual([]);
    } finally {
      for (const dir of dirs) execFileSync("umount", [dir]);
    }
  });

  it.skipIf(reason !== "")("an interrupted run leaves whole files only", async () => {
    const dest = join(mkdtempSync(join(scratch, "small-")), "dest");
    mkdirSync(dest);
    const words = wordsOf(way, program, ["-a"], dest);
    const child = spawn(words[0], words.slice(1), { stdio: "ignore", env: plainEnvironment() });
    const ended = finished(child, 60_000, words);
    const begun = (): boolean => child.exitCode !== null || readdirSync(dest).length > FOLDERS / 3;
    while (!begun()) await new Promise((resolve) => setTimeout(resolve, 2));
    child.kill("SIGINT");
    // It may have been done already.
    expect([0, 20]).toContain((await ended)[0]);
    expect(temporary(dest)).toEqual([]);
    const wanted = describeTree(source, { perms: false });
    const files = [...describeTree(dest, { perms: false })].filter(([, line]) => line.startsWith("file"));
    expect(files.filter(([path, line]) => wanted.get(path) !== line)).toEqual([]);
  });

  it.skipIf(reason !== "" || !asRoot || way === "push")("a full disk ends the run with exit code 11", async () => {
    const { ours, theirs, dirs } = await both(way, program, ["-a"], mountTmpfs("size=4m"));
    try {
      expect(ours.code).toBe(theirs.code);
      expect(ours.code).toBe(11);
      expect(ours.stderr).toMatch(/^rsync: \[receiver\] write failed on ".*": No space left on device \(28\)$/m);
      expect(temporary(dirs[0])).toEqual([]);
    } finally {
      for (const dir of dirs) execFileSync("umount", [dir]);
    }
  });
});
