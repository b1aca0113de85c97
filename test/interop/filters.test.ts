/**
 * Random filter rules over random trees: wsync must copy and delete what stock rsync does, and explain it in the same
 * words. Rules of all kinds and modifiers, in options, in files and in files per directory, for either side.
 *
 * WSYNC_FILTERS=FROM+COUNT tries other seeds than the usual ones.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, peer, peerVersion, scratch, wsync } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { fakeShell } from "../_servers.ts";
import { Dice } from "./_dice.ts";

const [from, count] = (process.env.WSYNC_FILTERS ?? "1+40").split("+").map(Number);
const isReference = peer !== null && peerVersion.version.startsWith("3.5");
const reason = isReference ? missing("node") : "stock rsync 3.5 is not here (apt-get install rsync)";
const work = join(scratch, "filters");

const NAMES = ["a", "b", "ab", "a.c", "b.o", "x~", "core", "Ab", "a b", ".h", "t[1]", "ü"] as const;
const DIRS = ["d", "e", "de", "d.x", "sub"] as const;
const PIECES = [
  "a", "b", "*", "?", "**", "[ab]", "[!a]", "*.c", "*.o", "ab", "core", "x~", "[[:alpha:]]", "a*b", "\\*", "t\\[1]",
] as const;
/** Rules that stand for lists of their own. */
const LISTS = [
  "merge WORK/rules", ". WORK/rules", ".- WORK/patterns", ".+ WORK/patterns", ".w WORK/words", ".s WORK/rules",
  "dir-merge .f", ": .f", ":e .f", ":n .f", ":- .f", ":w- .f", ":s .f", ":/ .f", ": /../.f", ":C", "-C", "clear", "!",
] as const;
const PREFIXES = [
  "-", "-", "-", "+", "+", "exclude", "include", "H", "S", "P", "R", "hide", "show", "protect", "risk", "-s", "-r",
  "+s", "+r", "-!", "+!", "-/", "+/", "-p", "-,s", "P!", "H,!", "exclude,p",
] as const;

function pathOf(dice: Dice): string {
  const dirs = Array.from({ length: dice.below(3) }, () => dice.pick(DIRS));
  return [...dirs, dice.pick(NAMES)].join("/");
}

function patternOf(dice: Dice): string {
  const parts = Array.from({ length: 1 + (dice.chance(40) ? dice.below(3) : 0) }, () =>
    dice.pick([dice.pick(PIECES), dice.pick(DIRS), dice.pick(NAMES)]));
  const end = dice.pick(["", "", "", "/", "/*", "/**", "/***"]);
  return `${dice.chance(25) ? "/" : ""}${parts.join("/")}${end}`;
}

function ruleOf(dice: Dice): string {
  if (dice.chance(18)) return dice.pick(LISTS).replace("WORK", work);
  return `${dice.pick(PREFIXES)}${dice.pick([" ", "_"])}${patternOf(dice)}`;
}

/** What a rules file per directory or a merge file holds: nothing that reads further files. */
function linesOf(dice: Dice, make: (one: Dice) => string): string {
  return `${Array.from({ length: 1 + dice.below(4) }, () => make(dice)).join("\n")}\n`;
}

const plainRule = (dice: Dice): string => `${dice.pick(PREFIXES)} ${patternOf(dice)}`;

function put(path: string, text: string): void {
  mkdirSync(dirname(join(work, path)), { recursive: true });
  writeFileSync(join(work, path), text);
}

/** A source, a destination with other names besides, and the files that rules name. */
function makeWorld(dice: Dice): void {
  rmSync(work, { recursive: true, force: true });
  for (const side of ["src", "dst"]) {
    mkdirSync(join(work, side), { recursive: true });
    for (let at = 0; at < 40; at++) put(`${side}/${pathOf(dice)}${dice.pick(["", "", ".0", ".1"])}`, "");
    for (const dir of ["", "d/", "sub/", "d/e/"]) {
      if (dice.chance(60)) put(`${side}/${dir}.f`, linesOf(dice, plainRule));
      if (dice.chance(20)) put(`${side}/${dir}.cvsignore`, `${patternOf(dice)} ${dice.pick(NAMES)}\n`);
    }
  }
  put("rules", linesOf(dice, plainRule));
  put("patterns", linesOf(dice, patternOf));
  put("words", `${plainRule(dice).replace(" ", "_")} ${plainRule(dice).replace(" ", "_")}\n`);
}

function optionsOf(dice: Dice): string[] {
  const rules = Array.from({ length: 1 + dice.below(6) }, () => {
    const kind = dice.below(10);
    if (kind < 6) return `--filter=${ruleOf(dice)}`;
    if (kind < 8) return `--exclude=${patternOf(dice)}`;
    return kind === 8 ? `--include=${patternOf(dice)}` : `--exclude-from=${work}/patterns`;
  });
  const extra = [
    ["-F", 10], ["-FF", 5], ["-C", 12], ["--delete-excluded", 25], ["-m", 12], ["-R", 8], ["--no-i-r", 20],
  ] as const;
  return [...rules, ...extra.filter(([, percent]) => dice.chance(percent)).map(([word]) => word)];
}

/** Of a run that comes to nothing only the first line is certain. */
function outcomeOf({ code, stdout, stderr }: Outcome): object {
  const errors = stderr.replace(/ at [\w.]+\(\d+\) \[(\w+)=[\d.]+\]/g, " [$1]").split("\n");
  const hasEnded = [0, 23, 24, 25].includes(code ?? -1);
  const lines = stdout.split("\n").filter((line) => !/^(sent|total|opening)/.test(line)).sort();
  return { code, stdout: hasEnded ? lines : [], stderr: hasEnded ? errors.sort() : errors[0] };
}

describe.skipIf(reason !== "")(`random filter rules as stock rsync applies them${reason && ` [${reason}]`}`, () => {
  let shell = "";
  beforeAll(() => {
    shell = fakeShell();
  });
  it.each(Array.from({ length: count }, (_, at) => from + at))("seed %i", async (seed) => {
    const dice = new Dice(seed);
    makeWorld(dice);
    for (let round = 0; round < 2; round++) {
      const options = optionsOf(dice);
      const way = dice.below(4);
      const protocol = `--protocol=${dice.pick([32, 32, 31, 30, 29, 28])}`;
      const words = (server: string): string[] => {
        const far = way < 2 ? [] : ["-e", shell, `--rsync-path=${server}`, protocol];
        const ends = [way === 3 ? `host:${work}/src/` : "src/", way === 2 ? `host:${work}/dst/` : "dst/"];
        return ["-nrii", "--delete", dice.chance(50) ? "-vv" : "-v", ...options, ...far, ...ends];
      };
      const line = words("SERVER");
      const [theirs, ours] = [peer!, wsync("node")!].map((program) =>
        [program, ...line.map((word) => word.replace("SERVER", program))]);
      const expected = { line, ...outcomeOf(await run(theirs, { cwd: work })) };
      expect({ line, ...outcomeOf(await run(ours, { cwd: work })) }).toEqual(expected);
    }
  });
});
