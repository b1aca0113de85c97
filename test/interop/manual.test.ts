/** The manual page and the shell completions that the build makes from the option table. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OPTION_ROWS, type OptionRow } from "../../src/options/table.ts";
import { projectRoot, scratch, whereIs } from "../_programs.ts";
import { run } from "../_run.ts";

const dist = (name: string): string => join(projectRoot, "dist", name);
const listed = OPTION_ROWS.filter((row) => row.help !== null);

function spellings({ long, short, aliases = [], no = [] }: OptionRow): string[] {
  const longs = long === null ? [] : [long, ...aliases];
  return [...[...longs, ...no].map((name) => `--${name}`), ...(short === undefined ? [] : [`-${short}`])];
}

const without = (program: string): string => (whereIs(program) === null ? ` [no ${program}]` : "");

describe("wsync.1", () => {
  const page = readFileSync(dist("wsync.1"), "utf8").replaceAll("\\-", "-");

  it("has every option, in every spelling", () => {
    const terms = page.split("\n").filter((line) => line.startsWith(".B -"))
      .flatMap((line) => line.slice(3).split(", ").map((one) => one.split("=")[0]));
    expect(listed.flatMap(spellings).filter((name) => !terms.includes(name))).toEqual([]);
  });

  it.skipIf(without("mandoc") !== "")(`pleases mandoc${without("mandoc")}`, async () => {
    const { stdout, stderr } = await run(["mandoc", "-Tlint", "-Wwarning", dist("wsync.1")]);
    // A date would have to be typed in.
    const lines = `${stdout}${stderr}`.split("\n").filter((line) => line !== "" && !line.includes("missing date"));
    expect(lines).toEqual([]);
  });

  it.skipIf(without("man") !== "")(`pleases man${without("man")}`, async () => {
    const env = { MANWIDTH: "80" };
    const { code, stdout, stderr } = await run(["man", "--warnings", "-l", dist("wsync.1")], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("--delete-during, --del");
  });
});

describe("completion", () => {
  /** What bash makes of the last word of a line. */
  async function inBash(words: readonly string[]): Promise<string[]> {
    const script = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _wsync; printf "%s\\n" "${COMPREPLY[@]}"';
    const argv = ["bash", "-c", script, dist("completions/wsync.bash"), ...words];
    const { stdout, stderr } = await run(argv, { cwd: join(projectRoot, "src") });
    expect(stderr).toBe("");
    return stdout.split("\n").filter((line) => line !== "");
  }

  it("bash knows every long option", async () => {
    const found = (await inBash(["wsync", "--"])).map((name) => name.replace("=", ""));
    const wanted = listed.flatMap(spellings).filter((name) => name.startsWith("--"));
    expect([...found].sort()).toEqual([...wanted].sort());
  });

  it.each([
    ["--delete-d", ["--delete-delay", "--delete-during"]], ["--compress-choice zl", ["zlib", "zlibx"]],
    ["--compress-choice=zl", ["zlib", "zlibx"]], ["--compress-choice = zl", ["zlib", "zlibx"]],
    ["--stderr e", ["errors"]], ["--info prog", ["progress"]], ["--exclude-from cli", ["cli.ts", "client"]],
    ["--link-dest cli", ["client"]], ["-av cli", ["cli.ts", "client"]], ["-B 7", []], ["--bwlimit=1", []],
  ] as const)("bash: %s", async (line, wanted) => {
    expect((await inBash(["wsync", ...line.split(" ")])).sort()).toEqual([...wanted]);
  });

  it.skipIf(without("fish") !== "")(`fish${without("fish")}`, async () => {
    const ask = async (line: string): Promise<string[]> => {
      const script = `source ${dist("completions/wsync.fish")}; complete -C '${line}'`;
      const { stdout, stderr } = await run(["fish", "--no-config", "-c", script], { env: { HOME: scratch } });
      expect(stderr).toBe("");
      return stdout.split("\n").filter((text) => text !== "").map((text) => text.split("\t")[0]);
    };
    const wanted = listed.flatMap(spellings).filter((name) => name.startsWith("--"));
    const found = (await ask("wsync --")).map((name) => name.replace("=", ""));
    expect(wanted.filter((name) => !found.includes(name))).toEqual([]);
    expect(await ask("wsync --compress-choice zli")).toEqual(["zlib", "zlibx"]);
  });

  it.skipIf(without("zsh") !== "")(`zsh${without("zsh")}`, async () => {
    const script = '_arguments() { print -rl -- "$@" }; source "$0"';
    const { stdout, stderr } = await run(["zsh", "-f", "-c", script, dist("completions/_wsync")]);
    expect(stderr).toBe("");
    const found = stdout.split("\n").map((line) => /^\*(-[^[=+]+)/.exec(line)?.[1]);
    expect(listed.flatMap(spellings).filter((name) => !found.includes(name))).toEqual([]);
    expect(stdout).toContain("*--compress-choice=[");
  });
});
