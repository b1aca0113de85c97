/** "refuse options": wild cards, negation, aliases, and options that follow from others. */
import { describe, expect, it } from "vitest";
import { wildmatch } from "../../../src/filter/wildmatch.ts";
import { parseClientWords } from "../../../src/options/parse.ts";
import { Refusals } from "../../../src/options/refusals.ts";
import { OPTION_ROWS } from "../../../src/options/table.ts";
import { context } from "./_context.ts";

function verdict(list: string, words: readonly string[], charset = false): string {
  const unmatched: string[] = [];
  const refusals = new Refusals(OPTION_ROWS, list, charset, wildmatch, (item) => unmatched.push(item));
  const parsed = parseClientWords(["--server", ...words, "--", ".", "x"], { ...context(), refusals });
  if (parsed.action !== "run") return parsed.action;
  const refused = parsed.fault?.message.replace("rsync: The server is configured to refuse ", "") ?? "ok";
  return [refused, ...unmatched.map((item) => `unmatched ${item}`)].join(" ");
}

describe("refuse options", () => {
  it.each([
    ["", ["-avz"], "ok"],
    ["c", ["-avc"], "--checksum (-c)"],
    ["checksum", ["-c"], "--checksum (-c)"],
    ["delete", ["-r", "--delete"], "--delete"],
    ["delete", ["-r", "--delete-after"], "--delete"],
    ["delete", ["-r", "--delete-excluded"], "--delete"],
    ["delete", ["--sender", "--remove-source-files"], "--delete"],
    ["delete", ["--remove-source-files"], "ok"],
    ["delete-*", ["--sender", "--remove-source-files"], "ok"],
    ["delete-* !delete-during", ["-r", "--delete-during"], "ok"],
    ["delete-* !delete-during", ["-r", "--delete-before"], "--delete-before"],
    ["delete-before delete-during", ["-r", "--delete"], "--delete-before"],
    ["delete-during", ["-r", "--del"], "--del"],
    ["delete-duri*", ["-r", "--del"], "ok"],
    ["compress", ["-z"], "--compress (-z)"],
    ["compress", ["--compress-level=3"], "--compress (-z)"],
    ["a", ["-r"], "--recursive (-r)"],
    ["archive", ["-a"], "--archive (-a)"],
    ["archive*", ["-r"], "ok"],
    ["* !a !v", ["-vrlptgoD"], "ok"],
    ["* !a !v", ["-vz"], "--compress (-z)"],
    ["*", ["-n", "-e.iLsfxCIvu", "--log-format=%i", "--sender"], "ok"],
    ["* !verbose", ["--no-verbose"], "--no-verbose"],
    ["partial", ["--inplace"], "--partial"],
    ["inplace", ["--append"], "--inplace"],
    ["", ["--insecure-links"], "--insecure-links"],
    ["!insecure-links", ["--insecure-links"], "--insecure-links"],
    ["!log-file", ["--log-file=x"], "--log-file"],
    ["", ["--copy-devices"], "--copy-devices"],
    ["", ["--write-devices"], "--write-devices"],
    ["!*", ["--write-devices"], "--write-devices"],
    ["frobnicate", ["-v"], "ok unmatched frobnicate"],
  ])("%s with %j: %s", (list, words, expected) => expect(verdict(list, words)).toBe(expected));
  it("--iconv goes by the charset, and can be made a duty", () => {
    expect(verdict("", ["--iconv=utf8"])).toBe("--iconv");
    expect(verdict("no-iconv", ["-v"], true)).toBe("--no-iconv");
  });
  it("what was parsed before the fault is kept", () => {
    const refusals = new Refusals(OPTION_ROWS, "delete", false, wildmatch, () => {});
    const parsed = parseClientWords(["--server", "--sender", "-re.iLsfxCIvu", "--delete"], { ...context(), refusals });
    expect(parsed).toMatchObject({
      action: "run", options: { server: true, sender: true, clientInfo: ".iLsfxCIvu" }, fault: expect.any(Error),
    });
  });
});
