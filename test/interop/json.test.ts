/**
 * --json against stock rsync: the events of every kind of transfer tell what stock rsync's -i tells, and standard
 * output holds nothing else.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, type Runtime, scratch, wsync } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { fakeShell, type Server, startDaemon } from "../_servers.ts";
import { age, makeTree } from "../_trees.ts";

const top = join(scratch, "json");
const source = join(top, "source");
const shell = fakeShell();
let daemon: Server;

type Event = Readonly<Record<string, unknown>>;

/** The events of a run; each line of its output has to be one. */
function eventsOf(outcome: Outcome): Event[] {
  const lines = outcome.stdout.split("\n");
  expect(lines.pop()).toBe("");
  return lines.map((line) => JSON.parse(Buffer.from(line, "latin1").toString("utf8")) as Event);
}

/** A name of an event as bytes, latin1. */
function name(event: Event, field: string): string {
  const bytes = event[`${field}Bytes`];
  if (typeof bytes === "string") return Buffer.from(bytes, "base64").toString("latin1");
  return Buffer.from((event[field] ?? "") as string).toString("latin1");
}

/** What -i prints for an event; names are escaped as rsync does with -8. */
function itemLine(event: Event): string | null {
  const slash = event.kind === "directory" ? "/" : "";
  const escaped = (text: string): string => [...text].map((c) => (c < " " && c !== "\t"
    ? `\\#${c.charCodeAt(0).toString(8).padStart(3, "0")}` : c)).join("");
  if (event.type === "delete") return `*deleting   ${escaped(name(event, "path"))}${slash}`;
  if (event.type !== "file") return null;
  const arrow = event.target === null ? "" : event.kind === "symlink" ? " -> " : " => ";
  return escaped(`${event.itemize as string} ${name(event, "path")}${slash}${arrow}${name(event, "target")}`);
}

function fresh(): string {
  const work = join(top, "work");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  execFileSync("cp", ["-a", join(top, "aged"), join(work, "dst")]);
  return join(work, "dst");
}

/** Ways to transfer, as words behind the options; PROGRAM is the other end. */
const ways: Readonly<Record<string, readonly string[]>> = {
  local: ["SRC/", "DST/"],
  push: ["-e", "SHELL", "--rsync-path=PEER", "SRC/", "host:DST/"],
  pull: ["-e", "SHELL", "--rsync-path=PEER", "host:SRC/", "DST/"],
  "push to a daemon": ["SRC/", "rsync://127.0.0.1:PORT/rw/dst/"],
  "pull from a daemon": ["rsync://127.0.0.1:PORT/ro/source/", "DST/"],
};

function words(way: readonly string[], destination: string): string[] {
  const values: Record<string, string> = {
    SRC: source, DST: destination, SHELL: shell, PEER: peer!, PORT: `${daemon.port}`,
  };
  return way.map((word) => word.replaceAll(/[A-Z]{3,}/g, (key) => values[key] ?? key));
}

function runtimeTests(runtime: Runtime): void {
  const program = wsync(runtime)!;
  const json = async (...argv: string[]): Promise<Outcome> => run([program, "--json", ...argv], { cwd: top });

  it.each(Object.entries(ways))("%s: the same items as stock rsync's -i", async (_name, way) => {
    const options = ["-aHii8", "--delete"];
    const theirs = await run([peer!, ...options, ...words(way, fresh())], { cwd: top });
    const ours = await json(...options, ...words(way, fresh()));
    const events = eventsOf(ours);
    const items = events.map(itemLine).filter((line) => line !== null);
    expect(items.toSorted()).toEqual(theirs.stdout.split("\n").filter((line) => /^[<>ch.*]/.test(line)).toSorted());
    expect(events[0]).toMatchObject({ type: "start", dryRun: false });
    expect(events.at(-1)).toMatchObject({ type: "summary", exitCode: 0, protocol: 32, stats: { deletedFiles: 3 } });
    expect(ours.stderr).toBe("");
  });

  it("tells of progress and statistics, and prints neither", async () => {
    const events = eventsOf(await json("-a", "--progress", "--stats", `${source}/`, `${fresh()}/`));
    const files = events.filter(({ type, action }) => type === "file" && action === "transfer");
    const ends = events.filter(({ type, offset, size }) => type === "progress" && offset === size);
    expect(files.length).toBeGreaterThan(0);
    expect(ends.length).toBe(files.length);
    expect(events.at(-1)).toMatchObject({ stats: { transferredFiles: files.length } });
  });

  it("gives errors as events and on standard error", async () => {
    const ours = await json("-a", join(top, "absent"), `${fresh()}/`);
    const text = `rsync: [sender] link_stat "${join(top, "absent")}" failed: No such file or directory (2)`;
    expect(eventsOf(ours)).toContainEqual({ type: "error", severity: "error", text });
    expect(eventsOf(ours).at(-1)).toMatchObject({ type: "summary", exitCode: 23 });
    expect(ours.stderr).toContain(text);
    expect(ours.code).toBe(23);
  });

  it("ends a run that never started with a summary", async () => {
    const ours = await json("-a", `rsync://127.0.0.1:${daemon.port}/absent/`, `${fresh()}/`);
    expect(eventsOf(ours).map(({ type }) => type)).toEqual(["start", "error", "summary"]);
    expect(eventsOf(ours).at(-1)).toMatchObject({ exitCode: 5, protocol: null, stats: null });
  });

  it("lists files and modules", async () => {
    const listed = eventsOf(await json("-r", `${source}/deep/`)).filter(({ type }) => type === "list");
    expect(listed.map(({ path }) => path)).toContain("a/b/c/file1.txt");
    const modules = eventsOf(await json(`rsync://127.0.0.1:${daemon.port}/`)).filter(({ type }) => type === "module");
    expect(modules).toEqual([
      { type: "module", name: "ro", comment: "read only" }, { type: "module", name: "rw", comment: "" },
    ]);
  });
}

const reason = peer === null ? "no stock rsync (apt-get install rsync)" : "";

describe.skipIf(reason !== "")(`--json${reason === "" ? "" : ` [${reason}]`}`, () => {
  beforeAll(async () => {
    mkdirSync(top);
    makeTree(source, 3);
    execFileSync("cp", ["-a", source, join(top, "aged")]);
    age(join(top, "aged"), 4);
    mkdirSync(join(top, "work"));
    daemon = await startDaemon(peer!, {
      ro: { path: top, comment: "read only", "read only": "yes" },
      rw: { path: join(top, "work"), "read only": "no" },
    });
  });
  afterAll(() => daemon?.stop());

  for (const runtime of ["node", "deno", "bun"] as const) {
    describe.skipIf(missing(runtime) !== "")(runtime, () => runtimeTests(runtime));
  }
});
