/** Turns a list of matrix cases into vitest tests, or into skips that say why. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, type Binary, type Runtime } from "../_programs.ts";
import { sshMissing, startSshd } from "../_servers.ts";
import { type Bench, type Case, setUp, titleOf, tryCase } from "./matrix.ts";

/** Why a list of cases cannot run here, or "". */
function obstacle(runtime: Runtime | Binary, cases: readonly Case[]): string {
  if (peer === null) return "no stock rsync (apt-get install rsync)";
  if (cases.some((one) => one.transport === "ssh") && sshMissing !== "") return sshMissing;
  return missing(runtime);
}

/** Defines one test a case, two at a time, on trees and a daemon of their own. */
export function defineMatrix(name: string, runtime: Runtime | Binary, cases: readonly Case[]): void {
  const reason = obstacle(runtime, cases);
  if (reason !== "") {
    const title = `${name}: ${cases.length} cases [${reason}]`;
    if (process.env.CI === "true") it(title, () => expect.fail(reason));
    else it.skip(title, () => undefined);
    return;
  }
  describe.concurrent(name, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await setUp(name.replaceAll(/\W+/g, "-"));
      if (cases.some((one) => one.transport === "ssh")) bench.ssh = await startSshd();
    }, 30_000);
    afterAll(() => bench?.stop());
    it.each(cases.map((one) => [titleOf(one), one] as const))("%s", async (_title, one) => {
      await tryCase(bench, runtime, one);
    }, 90_000);
  });
}
