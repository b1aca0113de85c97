/**
 * The differential test: random trees, random options of updating, deleting, backing up and keeping attributes; wsync
 * must leave, print and return what stock rsync 3.5 does from equal beginnings. A title holds all that is needed to try
 * its case again.
 *
 * Seeds from a million on are of rich trees: names of any bytes, sockets, nanoseconds, ACLs and extended attributes,
 * under options that keep, map and filter them.
 *
 * WSYNC_DIFFERENTIAL=FROM+COUNT,... tries other seeds than the usual ones; WSYNC_DIFFERENTIAL_RUNTIME runs them
 * elsewhere than on Node.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, peer, peerVersion, type Runtime, scratch, wsync } from "../_programs.ts";
import { fakeShell } from "../_servers.ts";
import { comparisonOf, differences, RICH_SEEDS, titleOf } from "./_diffrun.ts";

const USUAL = `1+40,${RICH_SEEDS}+40,1000652+1`;
const ranges = (process.env.WSYNC_DIFFERENTIAL ?? USUAL).split(",").map((range) => range.split("+").map(Number));
const runtime = (process.env.WSYNC_DIFFERENTIAL_RUNTIME ?? "node") as Runtime;
const work = join(scratch, "differential");
const isReference = peer !== null && peerVersion.version.startsWith("3.5");
const reason = isReference ? missing(runtime) : "stock rsync 3.5 is not here (apt-get install rsync)";

describe.skipIf(reason !== "")(`wsync and rsync from equal trees${reason === "" ? "" : ` [${reason}]`}`, () => {
  const programs = { wsync: wsync(runtime) ?? "", stock: peer ?? "", shell: "" };
  beforeAll(() => {
    mkdirSync(work, { recursive: true });
    programs.shell = fakeShell();
  });
  const cases = ranges.flatMap(([from, count]) => Array.from({ length: count }, (_, at) => comparisonOf(from + at)));
  it.each(cases.map((one) => [titleOf(one), one] as const))("%s", async (_title, one) => {
    expect(await differences(one, programs, join(work, "trees"))).toEqual([]);
  });
});
