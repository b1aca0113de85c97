/**
 * Batch files between wsync and stock rsync, in both directions: what one wrote the other replays, from the file or by
 * its script, to the same tree; and a replay that meets an unexpected destination says and does the same.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, type Runtime, scratch, wsync } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { fakeShell, type Server, startDaemon } from "../_servers.ts";
import { age, compare, type CompareOptions, describeTree, makeTree } from "../_trees.ts";

const top = join(scratch, "batch");
const work = join(top, "work");
const shell = fakeShell();
const reason = peer === null ? "no stock rsync (apt-get install rsync)" : missing("node");
let daemon: Server;

/** Options that writer and reader are given. */
const optionSets: readonly string[] = [
  "-a --delete", "-aH --no-i-r --delete -i", "-aH --delete-after", "-az", "-ac --inplace", "-a --partial-dir=.p -W",
  "-ai --protocol=31", "-av --protocol=30 --delay-updates", "-aHz --protocol=29", "-a --protocol=28 --delete",
  "-aH --protocol=27", "-a --exclude=*.txt --exclude=/odd/ --delete",
];

type Program = "stock" | Runtime;

const pairs: readonly (readonly [Program, Program])[] =
  [["node", "stock"], ["stock", "node"], ["node", "node"], ["deno", "bun"], ["bun", "deno"]];

const pathOf = (program: Program): string => (program === "stock" ? peer! : wsync(program)!);

/** Makes the writer's and the reader's destinations anew. */
function prepare(): void {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  for (const name of ["written", "read"]) execFileSync("cp", ["-a", join(top, "aged"), join(work, name)]);
}

function expectClean({ code, stderr }: Outcome): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

const runIn = (words: readonly string[]): Promise<Outcome> => run(words, { cwd: work });

/** Differences from the source that the options do not explain. */
function differences(dest: string, options: string): string[] {
  const compared: CompareOptions = {
    hardLinks: options.includes("H"), times: /protocol=(27|28|29|30)/.test(options) ? "s" : "ns",
  };
  const source = describeTree(join(top, "source"), compared);
  const excluded = options.includes("--exclude");
  const isExcluded = (path: string): boolean => excluded && (path.endsWith(".txt") || path.startsWith("odd"));
  for (const path of source.keys()) if (isExcluded(path)) source.delete(path);
  const lines = compare(source, describeTree(join(work, dest), compared));
  return lines.filter((line) => !line.startsWith("extra ") || (options.includes("--delete") && !excluded));
}

describe.skipIf(reason !== "")(`batch files${reason === "" ? "" : ` [${reason}]`}`, () => {
  beforeAll(async () => {
    mkdirSync(top);
    makeTree(join(top, "source"), 5);
    execFileSync("cp", ["-a", join(top, "source"), join(top, "aged")]);
    age(join(top, "aged"), 6);
    daemon = await startDaemon(peer!, { all: { path: top, "read only": "no" } });
  });
  afterAll(() => daemon?.stop());

  describe.each(pairs)("written by %s, read by %s", (writer, reader) => {
    const [first, second] = [writer, reader].map((program) => (program === "stock" ? "" : missing(program)));
    const absent = first || second;
    const sets = writer === "deno" || writer === "bun" ? optionSets.slice(0, 2) : optionSets;
    it.skipIf(absent !== "").each(sets)(`%s${absent}`, async (options) => {
      for (const only of ["", "only-"]) {
        prepare();
        const words = options.split(" ");
        const to = only === "" ? "written/" : "read/";
        expectClean(await runIn([pathOf(writer), ...words, `--${only}write-batch=B`, `${top}/source/`, to]));
        if (only === "") expect(differences("written", options)).toEqual([]);
        else expect(describeTree(join(work, "read"))).toEqual(describeTree(join(top, "aged")));
        expectClean(await runIn([pathOf(reader), ...words, "--read-batch=B", "read/"]));
        expect(differences("read", options)).toEqual([]);
      }
    });

    it.skipIf(absent !== "")(`through a remote shell and by the script${absent}`, async () => {
      prepare();
      const remote = [`--rsh=${shell}`, `--rsync-path=${pathOf(reader)}`];
      const words = ["-a", "--delete", "-f", "P kept*", ...remote];
      expectClean(await runIn([pathOf(writer), ...words, "--write-batch=B", `host:${top}/source/`, "written/"]));
      expect(differences("written", "-a --delete")).toEqual([]);
      writeFileSync(join(work, "read", "kept here"), "");
      expectClean(await runIn(["sh", "./B.sh", "read/"]));
      rmSync(join(work, "read", "kept here"));
      utimesSync(join(work, "read"), 1_500_000_000, 1_500_000_000.25);
      expect(differences("read", "-a --delete")).toEqual([]);
    });
  });

  it("reads what a push to a daemon wrote, from standard input", async () => {
    prepare();
    const url = `rsync://127.0.0.1:${daemon.port}/all/work/written/`;
    expectClean(await runIn([wsync("node")!, "-a", "--delete", "--write-batch=B", `${top}/source/`, url]));
    expect(differences("written", "-a --delete")).toEqual([]);
    execFileSync("cp", [join(work, "B"), join(top, "pushed")]);
    for (const program of [peer!, wsync("node")!]) {
      prepare();
      execFileSync("cp", [join(top, "pushed"), join(work, "B")]);
      expectClean(await runIn(["sh", "-c", `'${program}' -a --delete --read-batch=- read/ <B`]));
      expect(differences("read", "-a --delete")).toEqual([]);
    }
  });

  /** Runs a replay with both programs on equal destinations. */
  async function same(words: string, change: () => void): Promise<void> {
    const results: unknown[] = [];
    for (const program of [peer!, wsync("node")!]) {
      prepare();
      execFileSync("cp", [join(top, "B"), join(work, "B")]);
      change();
      const { code, stdout, stderr } = await runIn([program, ...words.split(" ")]);
      const lines = `${stdout}${stderr}`.split("\n")
        .filter((line) => !/^(sent |total size)/.test(line))
        // Debian's rsync takes a FIFO for a batch too.
        .map((line) => line.replace("is neither a regular file nor a FIFO", "is not a regular file"))
        .map((line) => line.replace(/ at [\w.]+\(\d+\) \[.*/, "").replace(/^rsync: \[\w+\]/, "rsync:"));
      results.push({ code, lines: lines.sort(), tree: describeTree(join(work, "read"), { times: "none" }) });
    }
    expect(results[1]).toEqual(results[0]);
  }

  describe("replays like stock rsync where the destination is not the expected one", () => {
    beforeAll(async () => {
      prepare();
      expectClean(await runIn([peer!, "-a", "--write-batch=B", `${top}/source/`, "written/"]));
      execFileSync("cp", [join(work, "B"), join(top, "B")]);
    });
    const nothing = (): void => undefined;
    const upToDate = (): void => void execFileSync("cp", ["-a", `${top}/source/.`, join(work, "read")]);
    const tooOld = (): void => utimesSync(join(work, "read", "perms", "m644"), 7, 7);
    it("nothing to do", () => same("-ai --read-batch=B read/", upToDate));
    it("a file that the batch does not hold", () => same("-ai --no-i-r --read-batch=B read/", () => {
      upToDate();
      tooOld();
    }));
    it("options left out", () => same("-rv --read-batch=B read/", nothing));
    it("a dry run", () => same("-avn --read-batch=B read/", nothing));
    it("not recursive", () => same("-lv --read-batch=B read/", nothing));
    it("an older protocol", () => same("-a --protocol=30 --read-batch=B read/", nothing));
    it("no such file", () => same("-a --read-batch=absent read/", nothing));
    it("a directory", () => same("-a --read-batch=written read/", nothing));
    it("a file that is no batch", () => same("-a --read-batch=read/sizes/f1400 read/", nothing));
    it("an empty file", () => same("-a --read-batch=read/sizes/f0 read/", nothing));
    it("a remote destination", () => same("-a --read-batch=B host:read/", nothing));
    it("a place where no batch can be", () => same("-a --write-batch=absent/B read/ written/", nothing));
  });

  it("ends with a message when the batch is cut short, and keeps what is complete", async () => {
    prepare();
    const whole = readFileSync(join(top, "B"));
    for (const length of [3, 9, 500, whole.length - 20]) {
      writeFileSync(join(work, "B"), whole.subarray(0, length));
      const { code, stderr } = await runIn([wsync("node")!, "-a", "--read-batch=B", "read/"]);
      expect([code, stderr]).toEqual([12, expect.stringContaining("connection unexpectedly closed")]);
    }
  });
});
