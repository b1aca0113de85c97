/** The worked examples, run on each runtime as somebody's program would be, with the package found by its name. */
import {
  cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runtimeWords } from "../_binaries.mjs";
import { missing, projectRoot, type Runtime, scratch } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { compare, describeTree, makeTree } from "../_trees.ts";

const runtimes: readonly Runtime[] = ["node", "deno", "bun"];

describe.each(runtimes)("worked examples on %s", (runtime) => {
  const top = join(scratch, `examples-${runtime}`);
  const at = (...names: string[]): string => join(top, ...names);
  const reason = missing(runtime);

  beforeAll(() => {
    mkdirSync(at("node_modules"), { recursive: true });
    symlinkSync(projectRoot, at("node_modules/wsync"));
    cpSync(join(projectRoot, "test/examples"), at("examples"), { recursive: true });
    writeFileSync(at("package.json"), '{ "type": "module", "dependencies": { "wsync": "*" } }');
    makeTree(at("source"));
  });

  const example = (name: string, ...words: string[]): Promise<Outcome> =>
    run([...(runtimeWords(runtime) ?? []), at(`examples/${name}.mjs`), ...words], { cwd: top });

  test.skipIf(reason !== "")("mirror", async () => {
    mkdirSync(at("mirror"));
    writeFileSync(at("mirror/extra"), "to be deleted");
    writeFileSync(at("source/left-out.tmp"), "");
    const { code, stdout } = await example("mirror", at("source"), at("mirror"));
    expect(code).toBe(0);
    expect(stdout).toContain("*deleting   extra");
    expect(stdout).toMatch(/>f\+{9} sizes\/f700\n/);
    expect(stdout).toMatch(/\n\d+ files, \d+ bytes for \d+\n$/);
    expect(existsSync(at("mirror/left-out.tmp"))).toBe(false);
    expect(existsSync(at("mirror/extra"))).toBe(false);
    const failed = await example("mirror", at("nowhere"), at("mirror"));
    expect([failed.code, failed.stderr.includes("nowhere")]).toEqual([23, true]);
  });

  test.skipIf(reason !== "")("delta", async () => {
    const old = Buffer.alloc(500_000, "some text that repeats, with numbers: ");
    for (let i = 0; i < old.length; i += 11) old[i] = (i * i) % 251;
    writeFileSync(at("old"), old);
    writeFileSync(at("new"), Buffer.concat([Buffer.from("in front"), old.subarray(0, 300_000), old.subarray(310_000)]));
    const { code, stdout, stderr } = await example("delta", at("old"), at("new"), at("result"));
    expect([code, stderr]).toEqual([0, ""]);
    expect(Number(/^(\d+) new bytes/.exec(stdout)![1])).toBeLessThan(8_000);
    expect(readFileSync(at("result")).equals(readFileSync(at("new")))).toBe(true);
  });

  test.skipIf(reason !== "")("backup", async () => {
    // As with rsync, a new directory whose time is in the right second keeps its nanoseconds: not this second, then.
    utimesSync(at("source"), 1_000_000_000, 1_000_000_000.5);
    for (const round of [1, 2, 3]) {
      if (round === 2) writeFileSync(at("source/perms/m644"), "changed");
      const { code, stdout, stderr } = await example("backup", at("source"), at("backups"), "2");
      expect([code, stderr]).toEqual([0, ""]);
      if (round > 1) expect(stdout).toMatch(round === 2 ? /: 1 of \d+ files/ : /: 0 of \d+ files/);
    }
    const kept = readdirSync(at("backups")).sort();
    expect(kept).toHaveLength(2);
    expect(compare(describeTree(at("source")), describeTree(at("backups", kept[1])))).toEqual([]);
    const [one, two] = kept.map((name) => statSync(at("backups", name, "sizes/f65536")).ino);
    expect(two).toBe(one);
  });

  test.skipIf(reason !== "")("serve", async () => {
    const { code, stdout, stderr } = await example("serve", at("source/sizes"));
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("\nf65536 65536\n");
    expect(stdout).toContain("rsync allowed access on module inbox");
  });

  test.skipIf(reason !== "")("watch", async () => {
    const { code, stdout } = await example("watch", at("source"), at("watched"));
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n[12] updated, in sync: true\n$/);
    expect(readFileSync(at("watched/made-meanwhile"), "utf8")).toBe("and copied at once");
  });
});
