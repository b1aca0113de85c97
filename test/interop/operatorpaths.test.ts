/**
 * Symlinks in paths that the user names: followed when root or the user owns them, refused when a stranger does, always
 * followed with --insecure-links. Stock rsync on the same input leaves the same trees and exit codes; wsync also says
 * which link it was, whose, and what would follow it. On the way to a source rsync 3.5.0 follows fewer.
 */
import { lchownSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing, peer, peerVersion, type Runtime, scratch, wsync } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { compare, describeTree } from "../_trees.ts";

const isRoot = process.getuid!() === 0;
const reason = peer === null ? "no stock rsync (apt-get install rsync)"
  : !peerVersion.version.startsWith("3.5.") ? `rsync ${peerVersion.version} has another policy`
  : isRoot ? "" : "needs root to make links of other users";
const STRANGER = 4321;

/** Options whose path leads through the symlink "link" to "outside", and whether a refusal is told. */
const named: Readonly<Record<string, readonly string[]>> = {
  "--backup-dir": ["-ab", "--backup-dir=../link", "src/", "dst/"],
  "--backup-dir below it": ["-ab", "--backup-dir=../link/deep", "src/", "dst/"],
  "--backup-dir with --inplace": ["-ab", "--inplace", "--no-W", "--backup-dir=TOP/link", "src/", "dst/"],
  "--temp-dir": ["-a", "--temp-dir=TOP/link", "src/", "dst/"],
  "--partial-dir": ["-a", "--delay-updates", "--partial-dir=TOP/link/deep", "src/", "dst/"],
  "--link-dest": ["-a", "--link-dest=../link", "src/", "new/"],
  "--copy-dest": ["-a", "--copy-dest=../link/", "src/", "new/"],
  "--compare-dest": ["-a", "--compare-dest=TOP/link", "src/", "new/"],
  "--files-from": ["-a", "--files-from=link/names", "src/", "dst/"],
  "--exclude-from": ["-a", "--exclude-from=link/names", "src/", "dst/"],
  "a merge file": ["-a", "--filter=. link/rules", "src/", "dst/"],
  "a merge file per directory": ["-a", "--filter=: .rules", "src/", "dst/"],
  "the destination": ["-a", "src/", "link/"],
  "below the destination": ["-a", "src/", "link/deep"],
  "a single file's destination": ["-a", "src/f", "link/g"],
};

/** Makes the tree; `owner` gets the symlinks. */
function prepare(top: string, owner: number): void {
  rmSync(top, { recursive: true, force: true });
  for (const dir of ["src/sub", "dst", "outside"]) mkdirSync(join(top, dir), { recursive: true });
  for (const [path, text] of [
    ["src/f", "new data"], ["src/g", "other"], ["src/sub/h", "h"], ["dst/f", "old"], ["outside/f", "new data"],
    ["outside/names", "g\n"], ["outside/rules", "- g\n"],
  ]) {
    writeFileSync(join(top, path), text);
    utimesSync(join(top, path), 1_000_000_000, text === "old" ? 900_000_000 : 1_000_000_000);
  }
  for (const [link, target] of [["link", "outside"], ["src/sub/.rules", "../../outside/rules"]]) {
    symlinkSync(target, join(top, link));
    lchownSync(join(top, link), owner, owner);
  }
  writeFileSync(join(top, "src/sub/g"), "hidden by the rules");
}

async function outcome(program: string, words: readonly string[], owner: number, extra: readonly string[]): Promise<{
  ran: Outcome; tree: Map<string, string>;
}> {
  const top = join(scratch, "operator");
  prepare(top, owner);
  const ran = await run([program, ...extra, ...words.map((word) => word.replace("TOP", top))], { cwd: top });
  const tree = describeTree(top, { times: "none", hardLinks: true });
  return { ran, tree };
}

/** Where we are stricter: rsync makes "deep" through the stranger's link, or ends with 0 though files are missing. */
const stricter = ["below the destination", "--partial-dir"];

const told =
  /refusing to follow symlink "(link|\.rules)" -> ".*outside.*" in ".*" \(owned by uid 4321\): .*--insecure-links/;

const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
describe.skipIf(reason !== "").each(runtimes)(`paths the user names, on %s ${reason}`, (runtime) => {
  const absent = missing(runtime);
  // Every option on Node; what differs between runtimes is the calls, which the first few make all of.
  const cases = Object.keys(named).slice(0, runtime === "node" ? undefined : 3);
  const rows = cases.flatMap((title) => [0, STRANGER].flatMap((owner) =>
    [[], ["--insecure-links"]].map((extra) => ({ title, owner, extra }))));
  it.skipIf(absent !== "").each(rows)("$title through a link of uid $owner $extra", async ({ title, owner, extra }) => {
    const words = named[title];
    const refused = owner === STRANGER && extra.length === 0;
    const ours = await outcome(wsync(runtime)!, words, owner, extra);
    expect(told.test(ours.ran.stderr)).toBe(refused);
    if (refused) {
      expect([...ours.tree.keys()].filter((path) => path.startsWith("outside/")).sort())
        .toEqual(["outside/f", "outside/names", "outside/rules"]);
      if (stricter.includes(title)) return expect(ours.ran.code).not.toBe(0);
    }
    const theirs = await outcome(peer!, words, owner, extra);
    expect(ours.ran.code).toBe(theirs.ran.code);
    // A failed backup ends the run at once, and how much was done by then is chance.
    if (theirs.ran.code !== 11) expect(compare(theirs.tree, ours.tree)).toEqual([]);
  });
});

describe.skipIf(peer === null)("files without a path", () => {
  const lines = [
    "-a --files-from=<(echo g) src/ dst/", "-a --exclude-from=<(echo g) src/ dst/",
    "-a --files-from=/dev/stdin src/ dst/ < <(echo g)",
    "-a --filter='. /dev/fd/3' src/ dst/ 3< <(echo - g)",
  ];
  const cases = runtimes.flatMap((runtime) => lines.map((line) => [runtime, line] as const));
  it.each(cases)("%s: %s", async (runtime, line) => {
    const outcomes = [];
    for (const program of [peer!, wsync(runtime)!]) {
      const top = join(scratch, "pipes");
      prepare(top, 0);
      const ran = await run(["bash", "-c", `"$0" ${line}`, program], { cwd: top });
      outcomes.push({ code: ran.code, stderr: ran.stderr, tree: describeTree(join(top, "dst"), { times: "none" }) });
    }
    expect(outcomes[0].code).toBe(0);
    expect(outcomes[1]).toEqual(outcomes[0]);
  });
});

/** Sources behind symlinks: options, the links' owner, whether the files arrive. */
const sources: readonly (readonly [title: string, words: string, owner: number, arrives: boolean])[] = [
  ["an argument's directory", "-aR start/abs/", 0, true],
  ["a directory above an argument", "-aR start/./abs/sub/h", 0, true],
  ["a directory above an absolute argument", "-aR TOP/start/abs/sub", 0, true],
  ["above an argument, without incremental recursion", "-aR --no-i-r start/abs/sub", 0, true],
  ["above an argument, a stranger's", "-aR start/abs/sub", STRANGER, false],
  ["above an argument, a stranger's that stays inside", "-aR start/rel/sub", STRANGER, true],
  ["above an argument, a stranger's, --insecure-links", "-aR --insecure-links start/abs/sub", STRANGER, true],
  ["the directory to start from, a stranger's", "-a start/abs/", STRANGER, true],
  ["above a listed name", "-ar --files-from=names start", 0, true],
  ["above a listed name, a stranger's", "-ar --files-from=names start", STRANGER, false],
  ["above a listed name, out of --confine-root", "-ar --files-from=start/names --confine-root=TOP/start start", 0,
    false],
];

describe.skipIf(!isRoot).each(runtimes)("symlinks on the way to a source, on %s", (runtime) => {
  const rows = sources.slice(0, runtime === "node" ? undefined : 5);
  it.skipIf(missing(runtime) !== "").each(rows)("%s", async (_title, words, owner, arrives) => {
    const top = join(scratch, "sources");
    rmSync(top, { recursive: true, force: true });
    for (const dir of ["start", "real/sub", "dst"]) mkdirSync(join(top, dir), { recursive: true });
    writeFileSync(join(top, "real/sub/h"), "h");
    for (const path of ["names", "start/names"]) writeFileSync(join(top, path), "abs/sub\n");
    for (const [link, target] of [["start/abs", join(top, "real")], ["start/rel", "../real"]]) {
      symlinkSync(target, join(top, link));
      lchownSync(join(top, link), owner, owner);
    }
    const argv = words.split(" ").map((word) => word.replace("TOP", top));
    const ran = await run([wsync(runtime)!, ...argv, "dst/"], { cwd: top });
    const tree = describeTree(join(top, "dst"), { times: "none" });
    const files = [...tree.keys()].filter((path) => path.endsWith("sub/h"));
    expect({ code: ran.code, files: files.length }).toEqual({ code: arrives ? 0 : 23, files: arrives ? 1 : 0 });
    const refusal = /^refusing (to follow symlink "abs" -> ".*real" .*owned by uid 4321|".*": it leads out of)/;
    if (arrives) expect(ran.stderr).toBe("");
    else expect(ran.stderr).toMatch(refusal);
  });
});
