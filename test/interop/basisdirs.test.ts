/**
 * --link-dest, --copy-dest and --compare-dest against stock rsync: the same trees, the same inodes shared with the
 * basis directories, the same lines (in any order: two processes of rsync write them) and exit codes.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, peer, peerVersion, type Runtime, scratch, wsync } from "../_programs.ts";
import { run } from "../_run.ts";
import { fakeShell } from "../_servers.ts";
import { age, compare, describeTree, makeTree } from "../_trees.ts";

const top = join(scratch, "basisdirs");
const shell = fakeShell();
const reason = peer === null ? "no stock rsync (apt-get install rsync)" : "";
const kinds = ["link", "copy", "compare"] as const;

/** Options of a run; NEW starts without a destination, otherwise there is an outdated one. */
const runs: readonly string[] = [
  "-a NEW", "-aH NEW", "-aHii", "-aHii NEW", "-avv NEW", "-ai --no-whole-file NEW", "-ai --inplace NEW",
  "-aHnii NEW", "-rii NEW", "-aIi", "-ai --backup --backup-dir=.saved", "-ai --protocol=29 NEW",
  "-av --protocol=28 NEW", "-ai --partial-dir=.pieces", "-ai --delay-updates NEW", "-ac --no-times -i NEW",
  "-aH --remove-source-files",
];

/** What one run left behind. */
interface Result {
  readonly code: number | null;
  readonly lines: string[];
  readonly all: Map<string, string>;
  readonly made: Map<string, string>;
}

/** Makes source, basis directories and destination anew, alike for every program. */
function prepare(work: string, fresh: boolean): void {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  for (const name of ["src", "alt1", "alt2"]) execFileSync("cp", ["-a", join(top, name), join(work, name)]);
  if (fresh) mkdirSync(join(work, "dst"));
  else execFileSync("cp", ["-a", join(top, "dst"), join(work, "dst")]);
}

function mask(output: string): string[] {
  return output.split("\n").filter((line) => !/^(sent |total size is |opening connection)/.test(line)).sort();
}

/** Runs a program on the tree; `remote` is the program on the far side, "" for a local copy. */
async function result(program: string, kind: string, words: string, remote: string, push: boolean): Promise<Result> {
  const work = join(top, "work");
  prepare(work, words.endsWith(" NEW"));
  const far = remote === "" ? [] : ["-e", shell, `--rsync-path=${remote}`];
  const [from, to] = [join(work, "src/"), join(work, "dst/")];
  const ends = remote === "" ? [from, to] : push ? [from, `host:${to}`] : [`host:${from}`, to];
  const options = words.replace(" NEW", "").split(" ");
  const basis = [`--${kind}-dest=../alt1`];
  if (!words.includes("=28")) basis.push(`--${kind}-dest=${join(work, "alt2")}`);
  const outcome = await run([program, ...options, ...basis, ...far, ...ends], { cwd: top });
  return {
    code: outcome.code, lines: mask(outcome.stdout + outcome.stderr),
    all: describeTree(work, { times: "none", hardLinks: true }),
    made: options[0].startsWith("-a") && kind !== "compare" && !words.includes("no-times") && !words.includes("n")
      ? timesOf(join(work, "dst")) : new Map(),
  };
}

/** Everything but directories, whose times --backup leaves alone. */
function timesOf(root: string): Map<string, string> {
  return new Map([...describeTree(root)].filter(([, line]) => !line.startsWith("dir")));
}

function expectSame(ours: Result, theirs: Result): void {
  expect(ours.code).toBe(theirs.code);
  expect(ours.lines).toEqual(theirs.lines);
  expect(compare(theirs.all, ours.all)).toEqual([]);
  expect(compare(theirs.made, ours.made)).toEqual([]);
}

function makeTrees(): void {
  mkdirSync(top);
  makeTree(join(top, "src"), 3);
  for (const name of ["alt1", "alt2", "dst"]) execFileSync("cp", ["-a", join(top, "src"), join(top, name)]);
  age(join(top, "alt1"), 4);
  age(join(top, "dst"), 5);
  chmodSync(join(top, "alt2/deep"), 0o700);
  chmodSync(join(top, "alt2/links/target"), 0o600);
}

describe.skipIf(reason !== "")(`basis directories${reason === "" ? "" : ` [${reason}]`}`, () => {
  beforeAll(makeTrees);
  const cases = kinds.flatMap((kind) => runs.map((words) => [kind, words] as const));
  const reference = peerVersion.version.startsWith("3.5");

  it.skipIf(!reference).each(cases)("--%s-dest, local copy: %s", async (kind, words) => {
    const theirs = await result(peer!, kind, words, "", false);
    expectSame(await result(wsync("node")!, kind, words, "", false), theirs);
  });

  const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
  const remote = runtimes.flatMap((runtime) => kinds.map((kind) => [runtime, kind] as const));
  it.each(remote)("%s: --%s-dest, pull from and push by stock rsync", async (runtime, kind) => {
    expect(missing(runtime)).toBe("");
    const program = wsync(runtime)!;
    for (const words of ["-aHi NEW", "-ai"]) {
      const theirs = await result(peer!, kind, words, peer!, false);
      expectSame(await result(program, kind, words, peer!, false), theirs);
      const pushed = await result(peer!, kind, words, peer!, true);
      expectSame(await result(peer!, kind, words, program, true), pushed);
    }
  });

  it("a basis directory that is not there is a warning", async () => {
    const work = join(top, "work");
    prepare(work, true);
    const words = ["-a", "--link-dest=../absent", join(work, "src/links/"), join(work, "dst/")];
    const outcome = await run([wsync("node")!, ...words], { cwd: top });
    expect(outcome.code).toBe(0);
    expect(outcome.stderr + outcome.stdout).toContain(`--link-dest arg does not exist: ${work}/dst/../absent`);
  });
});
