/**
 * --iconv against stock rsync, at either end and on every runtime: names, symlink targets, arguments and names from
 * lists in another charset, in which they also sort differently; and what is said of names that cannot be converted.
 */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, type Runtime, scratch, wsync } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { fakeShell, type Server, startDaemon } from "../_servers.ts";
import { compare, type CompareOptions, describeTree } from "../_trees.ts";

const top = join(scratch, "iconv");
const source = join(top, "source");
const shell = fakeShell();
const reason = peer === null ? "no stock rsync (apt-get install rsync)" : missing("node");
const utf8 = { LC_ALL: "C.UTF-8" };
let daemon: Server;

/** A tree of Russian names: in KOI8-R they sort by the Latin letters they sound like. */
function makeRussianTree(): void {
  const names = ["яблоко", "ёж", "Щука", "ана нас", "цапля", "Юла", "эхо", "бобр", "Ф", "жук", "latin", "Ананас"];
  for (const dir of ["", "Щи", "щи", "Щи/яма", "ю", "ю/б"]) {
    mkdirSync(join(source, dir), { recursive: true });
    names.forEach((name, at) => {
      const path = join(source, dir, name);
      if (at % 4 === 3) symlinkSync(names[at - 1], path);
      else writeFileSync(path, `${dir} ${name}`.repeat(at));
    });
  }
  linkSync(join(source, "яблоко"), join(source, "Щи/груша"));
  linkSync(join(source, "яблоко"), join(source, "ю/вишня"));
  linkSync(join(source, "ю/эхо"), join(source, "ю/б/гул"));
  settle(source);
}

/** Gives everything a time in the past: rsync leaves times alone that differ by less than a second. */
function settle(root: string): void {
  execFileSync("find", [root, "-exec", "touch", "-h", "-d", "2020-02-02 02:02:02.5", "{}", "+"]);
}

/** Converts a tree of KOI8-R names back with stock rsync and compares it with the source. */
async function differences(dest: string, options: CompareOptions = { hardLinks: true }): Promise<string[]> {
  const back = join(top, "back");
  rmSync(back, { recursive: true, force: true });
  expectClean(await run([peer!, "-aH", "--iconv=koi8-r,utf8", `${dest}/`, `${back}/`], { env: utf8 }));
  return compare(describeTree(source, options), describeTree(back, options));
}

function expectClean({ code, stderr }: Outcome): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

let runs = 0;

const fresh = (): string => join(top, `dest${runs++}`);

/** Client and server. */
type Program = "stock" | Runtime;

const pathOf = (program: Program): string => (program === "stock" ? peer! : wsync(program)!);

const pairs: readonly (readonly [Program, Program])[] =
  [["node", "stock"], ["stock", "node"], ["node", "node"], ["deno", "stock"], ["stock", "bun"]];

describe.skipIf(reason !== "")(`--iconv${reason === "" ? "" : ` [${reason}]`}`, () => {
  beforeAll(async () => {
    mkdirSync(source, { recursive: true });
    makeRussianTree();
    daemon = await startDaemon(peer!, { koi: { path: top, charset: "koi8-r", "read only": "no" } });
    expectClean(await run([peer!, "-aH", "--iconv=utf8,koi8-r", `${source}/`, join(top, "koi/")], { env: utf8 }));
  });
  afterAll(() => daemon?.stop());

  describe.each(pairs)("%s to %s", (client, server) => {
    const absent = [client, server].map((one) => (one === "stock" ? "" : missing(one))).join("");
    const far = ["-e", shell, `--rsync-path=${pathOf(server)}`];
    const ours = (words: readonly string[], env = utf8): Promise<Outcome> =>
      run([pathOf(client), ...words], { env, cwd: top });

    it.skipIf(absent !== "").each(["-aH", "-aH --no-i-r", "-aHz --protocol=30", "-aHs"])(`pushes with %s${absent}`,
      async (options) => {
        const dest = fresh();
        const words = [...options.split(" "), "--iconv=utf8,koi8-r", ...far];
        expectClean(await ours([...words, `${source}/`, `host:${dest}/`]));
        expect(await differences(dest, { hardLinks: true, times: options.includes("30") ? "s" : "ns" })).toEqual([]);
        const again = await ours([...words, "-i", `${source}/`, `host:${dest}/`]);
        expect(again).toMatchObject({ code: 0, stdout: "", stderr: "" });
      });

    it.skipIf(absent !== "")(`pulls into the charset of the locale's user${absent}`, async () => {
      const dest = fresh();
      expectClean(await ours(["-aH", "--iconv=koi8-r,utf8", ...far, `host:${source}/`, `${dest}/`], { LC_ALL: "C" }));
      expect(await differences(dest)).toEqual([]);
      const back = fresh();
      expectClean(await ours(["-aH", "--iconv=.,koi8-r", ...far, `host:${dest}/`, `${back}/`]));
      expect(compare(describeTree(source), describeTree(back))).toEqual([]);
    });

    it.skipIf(absent !== "")(`converts secluded arguments and lists of names${absent}`, async () => {
      const list = join(top, "list");
      writeFileSync(list, "Щи/яма\nю/эхо\nёж\n");
      const results: string[][] = [];
      for (const program of [peer!, pathOf(client)]) {
        const [dest, byName] = [fresh(), fresh()];
        const words = ["-aHs", "--iconv=utf8,koi8-r", ...far];
        const listed = [`--files-from=${list}`, `host:${top}/koi/`, dest];
        expectClean(await run([program, ...words, ...listed], { env: utf8 }));
        expectClean(await run([program, ...words, `host:${top}/koi/[Щщ]*`, `host:${top}/koi/ёж`, byName],
          { env: utf8 }));
        settle(dest);
        settle(byName);
        results.push([...describeTree(dest), ...describeTree(byName)].map((entry) => entry.join(" ")));
      }
      expect(results[1]).toEqual(results[0]);
    });
  });

  it("speaks UTF-8 with a daemon whose module has a charset", async () => {
    const dest = fresh();
    const url = `rsync://127.0.0.1:${daemon.port}/koi`;
    expectClean(await run([wsync("node")!, "-aH", "--iconv=.", `${url}/koi/`, `${dest}/`], { env: utf8 }));
    expect(compare(describeTree(source, { hardLinks: true }), describeTree(dest, { hardLinks: true }))).toEqual([]);
    const pushed = fresh();
    const to = `${url}/${pushed.slice(top.length + 1)}/`;
    expectClean(await run([wsync("node")!, "-aH", "--iconv=utf8", `${source}/`, to], { env: utf8 }));
    expect(await differences(pushed)).toEqual([]);
  });

  /** Commands whose lines, exit codes and trees must be stock rsync's; both run on the tree of mixed names. */
  it.each([
    "-aHi --iconv=utf8,iso-8859-1 --no-i-r mixed/ DEST/", "-aHi --iconv=utf8,utf8 mixed/ DEST/",
    "-aHi --iconv=iso-8859-1,utf8 mixed/ DEST/", "-aHi --iconv=nosuch,utf8 mixed/ DEST/",
    "-aHi --iconv=utf8,eucjp mixed/sub DEST/", "-avH --delete --iconv=utf8,iso-8859-1 --no-i-r mixed/ DEST/",
    "-avH --delete --iconv=utf8,iso-8859-1 mixed/sub/ DEST/", "-aHi --iconv=- mixed/ DEST/",
  ])("refuses and converts like stock rsync: %s", async (command) => {
    const mixed = join(top, "mixed");
    rmSync(mixed, { recursive: true, force: true });
    execFileSync("sh", ["-c", `mkdir -p "$0/sub" "$0/日本"; cd "$0"; echo 1 >täst; echo 2 >"$(printf 'bad\\377')"
      ln -s täst link; ln -s 日本 far; echo 3 >日本/x; echo 4 >日本y; echo 5 >sub/ünï; ln täst sub/hard`, mixed]);
    settle(mixed);
    const results: unknown[] = [];
    for (const program of [peer!, wsync("node")!]) {
      const dest = join(top, "mixed-dest");
      rmSync(dest, { recursive: true, force: true });
      execFileSync("sh", ["-c", 'mkdir "$0"; touch "$0/extra" "$0/$(printf \'\\344\')"', dest]);
      const words = command.replace("DEST", dest).split(" ");
      const { code, stdout, stderr } = await run([program, ...words], { env: utf8, cwd: top });
      const lines = `${stdout}${stderr}`.split("\n").filter((line) => !/^(sent |total size|.*SIGUSR1)/.test(line))
        .map((line) => line.replace(/ at [\w.]+\(\d+\) \[\w+=.*/, ""));
      // Each of rsync's processes may print the last line.
      const tree = describeTree(dest, { times: "none", hardLinks: true });
      results.push({ code, lines: [...new Set(lines)].sort(), tree });
    }
    expect(results[1]).toEqual(results[0]);
  });
});
