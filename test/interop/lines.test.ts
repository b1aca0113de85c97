/**
 * Output line by line: hundreds of command lines, each for stock rsync and for wsync over equal trees, local, through a
 * remote shell and with a daemon, into pipes and on a terminal.
 *
 * A run takes its share of them; WSYNC_LINES=all takes them all, WSYNC_LINES=N others.
 */
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, peerVersion, whereIs, wsync } from "../_programs.ts";
import { fakeShell, type Server, startDaemon } from "../_servers.ts";
import { Dice } from "./_dice.ts";
import { comparable, linesOf, type Side, type Way, WAYS, work } from "./_lines.ts";
import { LINES, LISTINGS, ON_TERMINAL } from "./lines.cases.ts";

const isReference = peer !== null && peerVersion.version.startsWith("3.5");
const reason = isReference ? missing("node") : "stock rsync 3.5 is not here (apt-get install rsync)";
const share = process.env.WSYNC_LINES ?? "1";
const dice = new Dice(share === "all" ? 1 : Number(share));

/** How many command lines of the tables are tried each way. */
const COUNTS: Readonly<Record<Way, number>> = { local: 60, push: 20, pull: 20, "daemon push": 15, "daemon pull": 15 };
const TERMINAL_COUNT = 6;

/** Lines for debugging that wsync does not have all of, at least one way around. */
const OWN_WORDS = new Set([
  "-a --debug=flist3", "-a --debug=flist4", "-avvvv", "-a --debug=hash", "-a --debug=nstr2", "-a --debug=proto",
  "-a --debug=filter3 --exclude=*.o", "-a --debug=deltasum3 --no-W",
]);

/** What once went wrong is tried in every run. */
const ALWAYS: readonly (readonly [Way, string])[] = [
  ["local", "-a --out-format="], ["daemon pull", "-aiC"], ["daemon pull", "-ai SRCabsent SRC DST"],
];

const lines = [...LINES, ...LISTINGS].filter((line) => !OWN_WORDS.has(line));

function some(count: number, list: readonly string[]): string[] {
  if (share === "all") return [...list];
  const rest = [...list];
  return Array.from({ length: count }, () => rest.splice(dice.below(rest.length), 1)[0]);
}

describe.skipIf(reason !== "")(`every line of output as stock rsync prints it${reason && ` [${reason}]`}`, () => {
  const daemons: Server[] = [];
  const sides: Side[] = [];
  beforeAll(async () => {
    mkdirSync(work, { recursive: true });
    const shell = fakeShell();
    for (const program of [peer!, wsync("node")!]) {
      daemons.push(await startDaemon(program, { work: { path: work, "read only": "no" } }));
      sides.push({ client: program, server: program, port: daemons[daemons.length - 1].port, shell });
    }
  });
  afterAll(() => daemons.forEach((daemon) => daemon.stop()));

  async function expectSame(line: string, way: Way, terminal = false): Promise<void> {
    const [theirs, ours] = [await linesOf(line, way, sides[0], terminal), await linesOf(line, way, sides[1], terminal)];
    expect(comparable(ours, line)).toEqual(comparable(theirs, line));
  }

  describe.each(Object.keys(WAYS) as Way[])("%s", (way) => {
    // A daemon without a charset refuses --iconv, and may have hung up before its client has heard that.
    const possible = lines.filter((line) => !way.startsWith("daemon") || !line.includes("--iconv"));
    const always = ALWAYS.filter(([where]) => where === way).map(([, line]) => line);
    it.each([...new Set([...always, ...some(COUNTS[way], possible)])])("%s", (line) => expectSame(line, way));
  });
  it.skipIf(whereIs("script") === null).each(some(TERMINAL_COUNT, ON_TERMINAL))("on a terminal: %s", (line) =>
    expectSame(line, "local", true));
});
