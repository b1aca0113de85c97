/** getopt_long as glibc's: order, abbreviations, errors. */
import { expect, test } from "vitest";
import { getopt, type OptionSpec } from "../../../../src/watch/tools/getopt.ts";

const spec: OptionSpec = {
  program: "tool", letters: "ab:", posix: false,
  long: [
    { name: "alpha", value: "a" }, { name: "beta", value: "b", argument: true }, { name: "betray", value: "x" },
    { name: "same", value: "s" }, { name: "samestuff", value: "s" },
  ],
};

function all(words: string[], more: Partial<OptionSpec> = {}): [string[], string[]] {
  const rest: string[] = [];
  const found = [...getopt(words, { ...spec, ...more }, rest)]
    .map((one) => (one.kind === "error" ? one.message : `${one.value}=${one.argument}`));
  return [found, rest];
}

test("options and words mix, -- ends the options", () => {
  expect(all(["w1", "-a", "w2", "--beta=1", "--beta", "2", "-b3", "-ab", "4", "-", "--", "-a"]))
    .toEqual([["a=", "b=1", "b=2", "b=3", "a=", "b=4"], ["w1", "w2", "-", "-a"]]);
  expect(all(["-a", "w1", "-a"], { posix: true })).toEqual([["a="], ["w1", "-a"]]);
});

test("long names may be shortened while they are clear", () => {
  expect(all(["--al", "--sam"])[0]).toEqual(["a=", "s="]);
  expect(all(["--be=1"])[0]).toEqual(["tool: option '--be=1' is ambiguous; possibilities: '--beta' '--betray'"]);
});

test("errors are glibc's and end the reading", () => {
  expect(all(["--none", "-a"])[0]).toEqual(["tool: unrecognized option '--none'"]);
  expect(all(["-az"])[0]).toEqual(["a=", "tool: invalid option -- 'z'"]);
  expect(all(["--alpha=1"])[0]).toEqual(["tool: option '--alpha' doesn't allow an argument"]);
  expect(all(["--beta"])[0]).toEqual(["tool: option '--beta' requires an argument"]);
  expect(all(["-b"])[0]).toEqual(["tool: option requires an argument -- 'b'"]);
  expect(all(["-:"])[0]).toEqual(["tool: invalid option -- ':'"]);
});
