/**
 * Trees so large that a helper thread looks at directories ahead: the same lines as stock rsync's, locally, as the
 * sender of a push and as the receiver of a pull, on each runtime, whatever has changed and whichever directories
 * cannot be read.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, peer, type Runtime, scratch, wsync } from "../_programs.ts";
import { run } from "../_run.ts";

const FOLDERS = 60;
const FILES = 130;
let top = "";

const folder = (i: number): string => join(top, "source", `top${i % 4}`, `middle${i % 12}`, `folder${i}`);

beforeAll(() => {
  top = mkdtempSync(join(scratch, "ahead-"));
  for (let i = 0; i < FOLDERS; i++) {
    mkdirSync(folder(i), { recursive: true });
    for (let k = 0; k < FILES; k++) writeFileSync(join(folder(i), `file${k}`), `${i} ${k}`);
  }
  for (let k = 0; k < 1500; k++) writeFileSync(join(top, "source/top3", `many${k}`), "");
  const twins = [1, 4, 7].map((i) => [join(folder(i), "file20"), join(folder(i), "file21")]);
  for (const twin of twins.flat()) {
    writeFileSync(twin, "the same");
    utimesSync(twin, 1_100_000_000, 1_100_000_000);
  }
  execFileSync("cp", ["-a", join(top, "source"), join(top, "copy")]);
  // In the copy they are one file, so that what is done to the first name is done to the second.
  for (const [first, second] of twins.map((pair) => pair.map((path) => path.replace("/source/", "/copy/")))) {
    rmSync(second);
    linkSync(first, second);
    utimesSync(first, 1_000_000_000, 1_000_000_000);
  }
  for (let i = 0; i < FOLDERS; i += 3) {
    writeFileSync(join(folder(i), "file7"), "longer than before");
    utimesSync(join(folder(i), "file8"), 1_000_000_000, 1_000_000_000);
    rmSync(join(folder(i), "file9"));
    symlinkSync("nowhere", join(folder(i), "file9"));
    chmodSync(join(folder(i), "file10"), 0o600);
  }
  chmodSync(folder(50), 0o111);
  chmodSync(folder(51), 0o444);
});

describe.each<Runtime>(["node", "deno", "bun"])("directories listed ahead on %s", (runtime) => {
  const program = wsync(runtime)!;
  const optionSets = ["-ain", "-ain --delete", "-aiLn", "-aiHnc --exclude=file1*", "-ain --no-inc-recursive"];
  it.skipIf(missing(runtime) !== "").each(optionSets)("%s", async (options) => {
    const words = [...options.split(" "), `${join(top, "source")}/`, `${join(top, "copy")}/`];
    const ours = await run([program, ...words]);
    const theirs = await run([peer!, ...words]);
    expect(ours.stdout.split("\n").length).toBeGreaterThan(FOLDERS);
    expect(ours.stdout).toBe(theirs.stdout);
    expect(ours.code).toBe(theirs.code);
    const withoutPlace = (text: string): string => text.replace(/ at \S+\(\d+\) \[(\w+)=[\d.]+\]/, " [$1]");
    expect(withoutPlace(ours.stderr)).toBe(withoutPlace(theirs.stderr));
  });

  const pulls = it.skipIf(missing(runtime) !== "").each(["-ain", "-aiuc", "-ain --delete"]);
  pulls("a pull from stock rsync, %s", async (options) => {
    writeFileSync(join(top, "shell"), "#!/bin/sh\nshift\nexec \"$@\"\n", { mode: 0o755 });
    const shell = ["--rsync-path", peer!, "-e", join(top, "shell")];
    const words = [...options.split(" "), ...shell, `host:${join(top, "source")}/`];
    const ends = ["ours", "theirs"].map((name) => join(top, name));
    for (const end of ends) execFileSync("cp", ["-a", join(top, "copy"), end]);
    const ours = await run([program, ...words, `${ends[0]}/`]);
    const theirs = await run([peer!, ...words, `${ends[1]}/`]);
    expect(ours.stdout.split("\n").length).toBeGreaterThan(FOLDERS);
    expect([ours.code, ours.stdout]).toEqual([theirs.code, theirs.stdout]);
    expect((await run([peer!, "-ainc", "--delete", `${ends[0]}/`, `${ends[1]}/`])).stdout).toBe("");
    for (const end of ends) rmSync(end, { recursive: true });
  });

  it.skipIf(missing(runtime) !== "")("a push to stock rsync", async () => {
    const words = ["-ai", "--rsync-path", peer!, "-e", join(top, "shell"), `${join(top, "source")}/`];
    writeFileSync(join(top, "shell"), "#!/bin/sh\nshift\nexec \"$@\"\n", { mode: 0o755 });
    const ends = ["ours", "theirs"].map((name) => join(top, name));
    for (const end of ends) execFileSync("cp", ["-a", join(top, "copy"), end]);
    const ours = await run([program, ...words, `host:${ends[0]}/`]);
    const theirs = await run([peer!, ...words, `host:${ends[1]}/`]);
    expect(ours.code).toBe(theirs.code);
    expect(ours.stdout).toBe(theirs.stdout);
    expect((await run([peer!, "-ainc", "--delete", `${ends[0]}/`, `${ends[1]}/`])).stdout).toBe("");
    for (const end of ends) rmSync(end, { recursive: true });
  });
});
