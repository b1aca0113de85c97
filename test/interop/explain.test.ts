/**
 * --explain: what it says of every name agrees with what stock rsync would do to it, it names the rule that decides,
 * and it changes nothing.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, type Runtime, scratch, wsync } from "../_programs.ts";
import { run } from "../_run.ts";
import { fakeShell, type Server, startDaemon } from "../_servers.ts";
import { age, compare, describeTree, makeTree } from "../_trees.ts";

const top = join(scratch, "explain");
const source = join(top, "source");
const aged = join(top, "aged");
const shell = fakeShell();
let daemon: Server;

interface Explanation {
  readonly type: string;
  readonly path: string;
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly rules: readonly object[];
  readonly sender: string;
  readonly receiver: string;
}

/** Options that decide differently about the same two trees. */
const optionLists: readonly (readonly string[])[] = [
  ["-a"], ["-aH", "--delete"], ["-rtc", "--delete", "--exclude=*.txt"], ["-rlu", "--existing", "--safe-links"],
  ["-a", "--ignore-existing", "--max-size=1000", "--delete-excluded", "--exclude=/deep/a/b"],
  ["-aR", "--prune-empty-dirs", "--include=*/", "--include=f*", "--exclude=*"],
  ["-dt", "--delete", "--filter=protect zz*"], ["-aI", "--size-only", "--min-size=50", "--delete", "--max-delete=1"],
];

const ways: Readonly<Record<string, readonly string[]>> = {
  local: ["SRC", "DST"],
  push: ["-e", "SHELL", "--rsync-path=PEER", "SRC", "host:DST"],
  pull: ["-e", "SHELL", "--rsync-path=PEER", "host:SRC", "DST"],
  "push to a daemon": ["SRC", "rsync://127.0.0.1:PORT/rw/aged/"],
  "pull from a daemon": ["rsync://127.0.0.1:PORT/rw/source/", "DST"],
};

function words(way: readonly string[], from = `${source}/`, to = `${aged}/`): string[] {
  const values: Record<string, string> = {
    SRC: from, DST: to, SHELL: shell, PEER: peer!, PORT: `${daemon.port}`,
  };
  return way.map((word) => word.replaceAll(/[A-Z]{3,}/g, (key) => values[key] ?? key));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** What a line of `rsync -nii` says would become of a name, and the name. */
function verdictOf(line: string): readonly [name: string, verdict: string] | null {
  const found = /^(\*deleting {2}|[<>ch.][fdLDS]\S*) +(.*?)\/?(?: (?:=>|->) .*)?$/.exec(line);
  if (found === null) return null;
  const [, what, name] = found;
  if (line.startsWith("h") && !line.includes(" => ")) return [name, "up to date"];
  if (what.startsWith("*")) return [name, "deleted"];
  const first = { "<": "transferred", ">": "transferred", c: "created", h: "linked", ".": "" }[what[0]]!;
  return [name, first !== "" ? first : what.length > 2 ? "updated" : "up to date"];
}

function runtimeTests(runtime: Runtime): void {
  const program = wsync(runtime)!;

  async function explain(argv: readonly string[], names: readonly string[]): Promise<Explanation[]> {
    const asked = names.map((name) => `--explain=${name}`);
    const outcome = await run([program, "--json", ...asked, ...argv], { cwd: top });
    const events = outcome.stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Explanation);
    return events.filter(({ type }) => type === "explain");
  }

  async function expectAgreement(way: readonly string[], options: readonly string[]): Promise<void> {
    const before = describeTree(aged);
    const theirs = await run([peer!, "-nii", ...options, ...words(way)], { cwd: top });
    const told = new Map(theirs.stdout.split("\n").flatMap((line) => {
      const verdict = verdictOf(line);
      return verdict === null ? [] : [verdict];
    }));
    const all = [...new Set([...describeTree(source).keys(), ...before.keys()])];
    const prefix = options.includes("-aR") ? `${source.slice(1)}/` : "";
    const names = all.filter((name) => /^[\w./ -]+$/.test(name)).map((name) => prefix + name);
    const explained = await explain([...options, ...words(way)], names);
    expect(explained.map(({ path }) => path)).toEqual(names);
    for (const { path, verdict, reasons } of explained) {
      const left = expect.stringMatching(/^(skipped|excluded|kept|refused|not there|unknown)$/) as string;
      expect({ path, verdict }).toEqual({ path, verdict: told.get(path) ?? left });
      expect(reasons.length, path).toBeGreaterThan(0);
    }
    expect(compare(before, describeTree(aged))).toEqual([]);
  }

  it("names the rule with its file and line, and what differs", async () => {
    const [from, to, rules] = [join(top, "from"), join(top, "to"), join(top, "rules")];
    for (const dir of [from, to]) {
      rmSync(dir, { recursive: true, force: true });
      write(join(dir, "same"), "same");
      write(join(dir, "x.o"), dir);
    }
    write(rules, "# objects\n- *.o\nP /kept\n");
    write(join(from, "sub/.rules"), "- secret\n");
    write(join(from, "sub/secret"), "hidden");
    write(join(from, "grown"), "longer");
    write(join(from, "big"), "a larger one");
    write(join(to, "grown"), "short");
    write(join(to, "kept"), "kept");
    write(join(to, "sub/secret"), "old");
    write(join(to, "gone"), "gone");
    symlinkSync("/etc/passwd", join(from, "away"));
    const names = ["same", "x.o", "sub/secret", "grown", "big", "kept", "gone", "away", "none", `${to}/gone`];
    const outcome = await run([
      program, "-rlc", "--delete", "--safe-links", "--max-size=10", `--filter=. ${rules}`, "--filter=: .rules",
      ...names.map((name) => `--explain=${name}`), `${from}/`, `${to}/`,
    ], { cwd: top });
    expect({ code: outcome.code, stderr: outcome.stderr }).toEqual({ code: 0, stderr: "" });
    const gone = ["gone: deleted", "  the sender does not have it",
      "  the receiver has it, and the sender does not offer it (--delete)"];
    expect(outcome.stdout.split("\n")).toEqual([
      "same: up to date", "  size and checksum are the same on both sides",
      "x.o: excluded", `  rule "- *.o" (${rules} line 2) leaves it out`,
      `  rule "- *.o" (${rules} line 2) protects it on the receiver`,
      "sub/secret: deleted", `  rule "- secret" (${from}/sub/.rules line 1) leaves it out`,
      "  the receiver has it, and the sender does not offer it (--delete)",
      "  no rule protects it: the receiver reads the rules in its own directories",
      "grown: transferred", "  checksum differs", "  size differs: 6 on the sender, 5 on the receiver",
      "  its modification time is not kept (no --times)",
      "big: skipped", "  it is larger than --max-size allows",
      "kept: kept", "  the sender does not have it", `  rule "P /kept" (${rules} line 3) protects it on the receiver`,
      ...gone,
      "away: skipped", "  it is a symlink that leads out of the transfer (--safe-links)",
      "none: not there", "  the sender does not have it", "  the receiver does not have it",
      ...gone, "",
    ]);
  });

  it("says what it cannot know of the other side", async () => {
    const sees = async (way: readonly string[], name: string): Promise<Explanation> =>
      (await explain(["-a", "--exclude=*.txt", "--delete", ...words(way)], [name]))[0];
    expect(await sees(ways.pull, "deep/absent")).toMatchObject({
      verdict: "unknown", sender: "unknown", receiver: "absent", reasons: [
        "the sender does not offer it: it has no such name, or reasons that are not known here",
        "the receiver does not have it",
      ],
    });
    expect(await sees(ways.push, "deep/absent")).toMatchObject({
      verdict: "not there", sender: "absent", receiver: "unknown", reasons: [
        "the sender does not have it", "the receiver does not delete it: it has no such name, or does not say why",
      ],
    });
    expect(await sees(ways.pull, "deep/a.txt")).toMatchObject({ verdict: "excluded", sender: "unknown", rules: [
      { side: "sender", path: "deep/a.txt", effect: "exclude", rule: "*.txt", option: "--exclude", file: null },
    ] });
  });

  it("wants a destination, and no other mode", async () => {
    const outcome = await run([program, "--explain=a", `${source}/`], { cwd: top });
    expect(outcome.stderr).toContain("--explain needs a destination\n");
    expect(outcome.code).toBe(1);
    const watching = await run([program, "--explain=a", "--watch", `${source}/`, aged], { cwd: top });
    expect(watching.stderr).toContain("--explain cannot be used with --watch\n");
  });

  const lists = runtime === "node" ? optionLists : optionLists.slice(1, 2);
  const named = lists.map((list) => [list.join(" "), list] as const);
  it.each(named)("agrees with stock rsync: %s", async (_name, options) => {
    await expectAgreement(ways.local, options);
  });

  it.each(Object.keys(ways).slice(1))("agrees with stock rsync: %s", async (way) => {
    await expectAgreement(ways[way], ["-aH", "--delete", "--exclude=*.txt", "--safe-links"]);
  });
}
describe.skipIf(peer === null)("--explain", () => {
  beforeAll(async () => {
    mkdirSync(top);
    makeTree(source, 3);
    execFileSync("cp", ["-a", source, aged]);
    age(aged, 4);
    daemon = await startDaemon(peer!, { rw: { path: top, "read only": "no", "use chroot": "no" } });
  });
  afterAll(() => daemon?.stop());
  for (const runtime of ["node", "deno", "bun"] as const) {
    describe.skipIf(missing(runtime) !== "")(runtime, () => runtimeTests(runtime));
  }
});
