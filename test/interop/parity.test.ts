/**
 * Parity of the command line: hundreds of argument vectors, read off the option table and written out in
 * parity.cases.ts, tried live with stock rsync. `rsync -e ./echo-args` and wsync must start the same server with the
 * same words, or refuse with the same words and exit code.
 *
 * A run takes its share of the generated vectors; WSYNC_PARITY=all takes them all, WSYNC_PARITY=N other ones.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OPTION_ROWS, type OptionRow } from "../../src/options/table.ts";
import { peer, peerVersion, scratch } from "../_programs.ts";
import { Dice } from "./_dice.ts";
import { echoShell, type Vector, vectorOf, verdictsOf } from "./_parity.ts";
import { ALIASED, ALIASES, ARGUMENTS, COMBINATIONS, ENDS, ENVIRONMENTS, LEFT_OUT, SERVERS } from "./parity.cases.ts";

const isReference = peer !== null && peerVersion.version.startsWith("3.5");
const reason = isReference ? "" : "stock rsync 3.5 is not here (apt-get install rsync)";
const share = process.env.WSYNC_PARITY ?? "1";
const dice = new Dice(share === "all" ? 1 : Number(share));

/** Of an option's spellings, and of random command lines, this many are tried. */
const SPELLINGS = share === "all" ? Infinity : 3;
const RANDOM_LINES = share === "all" ? 2000 : 100;

/** A home whose owner has defined options. */
const home = join(scratch, "aliased");

const PUSH = ["src", "host:dst"];
const PULL = ["host:src", "dst"];

/** What words stand for. */
const values: Readonly<Record<string, string>> = {
  BATCH: join(scratch, "batch"), SHELL: echoShell, ABSENT: join(scratch, "absent"),
};
const filled = (word: string): string => word.replace(/BATCH|SHELL|ABSENT/, (name) => values[name]);

const rows = OPTION_ROWS.filter((row) => !row.own && !LEFT_OUT.has(row.long ?? ""));

function namesOf({ long, short, aliases = [] }: OptionRow): string[] {
  return [...(long === null ? [] : [long, ...aliases]).map((name) => `--${name}`), ...(short ? [`-${short}`] : [])];
}

/** All ways to write an option: bare, twice, with an argument it may not take, negated, before and after that. */
function switchForms(row: OptionRow): string[][] {
  const names = namesOf(row);
  const negated = (row.no ?? []).map((name) => `--${name}`);
  return [
    ...names.flatMap((name) => [[name], [name, name], [`${name}=x`]]),
    ...(row.short === undefined ? [] : [[`-${row.short}${row.short}`]]),
    ...negated.flatMap((name) => [[name], [`${name}=x`], [names[0], name], [name, names[0]]]),
  ];
}

function argumentForms(row: OptionRow): string[][] {
  const texts = ARGUMENTS[row.long!];
  const [first, ...further] = namesOf(row);
  const attached = further.filter((name) => name.length === 2);
  return [
    ...texts.map((text) => [`${first}=${text}`]), [first, texts[0]], [first],
    ...further.flatMap((name) => [[name, texts[0]], [`${name}=${texts[0]}`]]),
    ...attached.flatMap((name) => texts.flatMap((text) => [[`${name}${text}`], [`-v${name.slice(1)}`, text]])),
    ...(row.no ?? []).flatMap((name) => [[`--${name}`], [`--${name}=x`], [`${first}=${texts[0]}`, `--${name}`]]),
  ];
}

const formsOf = (row: OptionRow): string[][] =>
  (row.argument === undefined ? switchForms(row) : argumentForms(row)).map((words) => words.map(filled));

/** Some of the values, without repetition. */
function some<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  const rest = [...list];
  return Array.from({ length: count }, () => rest.splice(dice.below(rest.length), 1)[0]);
}

/** The words between a shell that echoes and two ends. */
const between = (words: readonly string[], ends: readonly string[], env: Vector["env"] = {}): Vector =>
  ({ env, words: ["-e", echoShell, ...words, ...ends] });

async function expectSame(vectors: readonly Vector[]): Promise<void> {
  const different = [];
  for (const vector of vectors) {
    const { ours, theirs } = await verdictsOf(vector);
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) different.push({ vector, ours, theirs });
  }
  expect(different.map(({ vector, ours }) => ({ ...vector, ...ours })))
    .toEqual(different.map(({ vector, theirs }) => ({ ...vector, ...theirs })));
}

/** Both ways around. */
const bothWays = ({ env, words }: Vector): Vector[] =>
  [PUSH, PULL].map((ends) => between(words.map(filled), ends, env));

function randomLine(): Vector {
  const forms = Array.from({ length: 2 + dice.below(5) }, () => dice.pick(formsOf(dice.pick(rows))));
  return between([...(dice.chance(60) ? ["-a"] : []), ...forms.flat()], dice.pick([PUSH, PULL]));
}

describe.skipIf(reason !== "")(`the command line read as stock rsync reads it${reason && ` [${reason}]`}`, () => {
  it.each(rows.map((row) => [namesOf(row).join(" "), row] as const))("%s", async (_names, row) => {
    const forms = some(formsOf(row), SPELLINGS);
    await expectSame(forms.flatMap((words) => [between(words, PUSH), between(["-a", ...words], PULL)]));
  });
  it.each(COMBINATIONS)("%s", (line) => expectSame(bothWays(vectorOf(line))));
  it.each(ENVIRONMENTS)("%s", (line) => expectSame(bothWays(vectorOf(line))));
  it.each(ENDS)("ends: %s", (line) => {
    const { env, words } = vectorOf(line);
    return expectSame([{ env, words: ["-e", echoShell, ...words.map(filled)] }]);
  });
  it.each(ALIASED)("aliases: %s", (line) => {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, ".popt"), ALIASES);
    const { env, words } = vectorOf(line);
    return expectSame(bothWays({ env: { ...env, HOME: home }, words }));
  });
  it.each(SERVERS)("%s", (line) => expectSame([vectorOf(line)]));
  it("random command lines", () => expectSame(Array.from({ length: RANDOM_LINES }, randomLine)));
});
