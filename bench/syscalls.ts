/**
 * System calls per file, with and without attributes: wsync beside stock rsync over the same trees, counted by
 * `strace -f` (all processes and threads of a local run).
 *
 * What a run costs at all, a runtime's start for one, is taken off by counting twice: per file is the difference
 * between a large and a small tree, divided by the difference of their files. Calls that are about memory, threads and
 * waiting are left out of "about files", for they go with time and not with work.
 *
 * Usage: node bench/run.mjs [--smoke] syscalls -- [--runtime=node,deno,bun] [--calls]
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runtimeWords } from "../test/_binaries.mjs";
import { putExtras } from "../test/interop/_diffextras.ts";

const argument = (name: string, otherwise: string): string =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const smoke = process.argv.includes("--smoke");
const showCalls = process.argv.includes("--calls");
/** Files of the two trees. */
const SIZES = smoke ? [100, 200] : [200, 1000];
const FILES_PER_DIR = 25;
const MTIME = 1_400_000_000;

/** Calls that come with threads, memory and waiting, not with files. */
const NOT_FILES = new RegExp("^(futex|mprotect|mmap|munmap|mremap|madvise|brk|epoll_\\w+|p?poll|p?select6?|clock_\\w+"
  + "|sched_\\w+|nanosleep|rt_sig\\w+|wait4|clone3?|restart_syscall|getpid|gettid|membarrier|prctl|eventfd2"
  + "|socketpair|ioctl|rseq|set_\\w+|exit|exit_group|kill|tgkill|io_uring_\\w+)$");

const top = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wsync-syscalls-"));
process.on("exit", () => rmSync(top, { recursive: true, force: true }));

/** An ACL with one named user, in the kernel's form. */
const acl = Uint8Array.from([
  2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 210, 4, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
  16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
]);

/** `count` small files, each with an ACL and an extended attribute, every tenth a hard link to the one before. */
function makeTree(path: string, count: number): void {
  const extras = [{ name: "system.posix_acl_access", value: acl }, { name: "user.note", value: Buffer.from("a note") }];
  for (let i = 0; i < count; i++) {
    const dir = join(path, `d${Math.floor(i / FILES_PER_DIR)}`);
    if (i % FILES_PER_DIR === 0) mkdirSync(dir, { recursive: true });
    const file = join(dir, `f${i}`);
    if (i % 10 === 9) linkSync(join(dir, `f${i - 1}`), file);
    else {
      writeFileSync(file, `contents of file ${i}\n`.repeat(20));
      putExtras(file, extras, MTIME, MTIME, i);
    }
  }
}

type Counts = Map<string, number>;

/** System calls by name. Not by -c: that leaves out calls which strace is too old to name, as getxattrat may be. */
function countCalls(command: readonly string[]): Counts {
  const trace = join(top, "trace");
  const run = spawnSync("strace", ["-f", "-o", trace, ...command], { stdio: ["ignore", "ignore", "inherit"] });
  if (run.status !== 0) throw new Error(`${command.join(" ")}: exit ${run.status}`);
  const counts: Counts = new Map();
  for (const [, name] of readFileSync(trace, "latin1").matchAll(/^\d+ +(\w+)\(/gm)) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Calls of one more file. */
function perFile(program: readonly string[], options: string, unchanged: boolean): Counts {
  const [small, large] = SIZES.map((size) => {
    const dest = join(top, "dest");
    rmSync(dest, { recursive: true, force: true });
    if (unchanged) execFileSync("cp", ["-a", join(top, `tree${size}`), dest]);
    return countCalls([...program, ...options.split(" "), `${join(top, `tree${size}`)}/`, `${dest}/`]);
  });
  const more = SIZES[1] - SIZES[0];
  const names = new Set([...small.keys(), ...large.keys()]);
  return new Map([...names].map((name) => [name, ((large.get(name) ?? 0) - (small.get(name) ?? 0)) / more]));
}

function sum(counts: Counts, aboutFiles: boolean): number {
  return [...counts].reduce((total, [name, calls]) => total + (aboutFiles && NOT_FILES.test(name) ? 0 : calls), 0);
}

function named(counts: Counts): string {
  const rows = [...counts].filter(([name, calls]) => Math.abs(calls) >= 0.02 && !NOT_FILES.test(name));
  return rows.sort((a, b) => b[1] - a[1]).map(([name, calls]) => `${name} ${calls.toFixed(2)}`).join(", ");
}

const stock = [process.env.WSYNC_PEER ?? "rsync"];
const programs = argument("runtime", "node").split(",").map((runtime) => ({
  name: `wsync on ${runtime}`,
  command: [...runtimeWords(runtime)!, resolve("dist", runtime === "node" ? "wsync.cjs" : `wsync.${runtime}.js`)],
}));

if (spawnSync("strace", ["-V"]).status !== 0) {
  console.log("no strace: nothing counted");
} else {
  for (const size of SIZES) makeTree(join(top, `tree${size}`), size);
  const heads = [{ name: "rsync", command: stock }, ...programs];
  console.log(`| calls a file about files (all) | ${heads.map(({ name }) => name).join(" | ")} |`);
  console.log(`|---|${heads.map(() => "---|").join("")}`);
  for (const unchanged of [false, true]) {
    for (const options of ["-r", "-a", "-aHAX", "-aHAX --checksum"]) {
      const results = heads.map(({ command }) => perFile(command, options, unchanged));
      const cells = results.map((counts) => `${sum(counts, true).toFixed(1)} (${sum(counts, false).toFixed(1)})`);
      console.log(`| ${options}, ${unchanged ? "nothing to do" : "new"} | ${cells.join(" | ")} |`);
      if (showCalls) results.forEach((counts, at) => console.log(`    ${heads[at].name}: ${named(counts)}`));
    }
  }
}
