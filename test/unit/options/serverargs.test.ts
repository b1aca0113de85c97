import { describe, expect, it } from "vitest";
import {
  clientInfoWord, openServerArguments, secludedServerArguments, serverArguments,
} from "../../../src/options/serverargs.ts";
import { optionsOf } from "./_context.ts";
import { SERVER_ARGUMENT_CASES } from "./serverargs.cases.ts";

/** Splits at spaces, keeping what stands in single quotes together. */
function words(text: string): string[] {
  return (text.match(/(?:'[^']*'|\S)+/g) ?? []).map((word) => word.replaceAll("'", ""));
}

describe("serverArguments equals stock rsync's", () => {
  it.each(SERVER_ARGUMENT_CASES)("%s", (line) => {
    const [options, push, pull] = line.split(" | ");
    const sent = (args: readonly string[], sender: boolean): string => {
      const parsed = optionsOf([...words(options), ...args]);
      const make = parsed.secludedArgs > 0 ? openServerArguments : serverArguments;
      return make(parsed, { sender }).join(" ");
    };
    expect(sent(["src", "host:dst"], true)).toBe(`--server ${push}`.trim());
    expect(sent(["host:src", "dst"], false)).toBe(`--server --sender ${pull}`.trim());
  });
});

describe("secluded arguments", () => {
  it("keeps all but the cluster and the charset out of sight", () => {
    const options = optionsOf(["-as", "--iconv=utf8,latin1", "--partial", "-M--x", "a", "h:b"]);
    expect(openServerArguments(options, { sender: true }).slice(2)).toEqual(["--iconv=latin1"]);
    expect(secludedServerArguments(options, { sender: true })).toEqual(["--partial", "--x"]);
  });
});

describe("clientInfoWord", () => {
  it("leaves out symlink times where the system cannot set them", () => {
    const options = optionsOf(["-a", "a", "h:b"]);
    expect(clientInfoWord(options, { sender: true, symlinkTimes: false })).toBe("e.isfxCIvu");
  });

  it("does not exist before protocol 30", () => {
    expect(clientInfoWord(optionsOf(["-a", "--protocol=29", "a", "h:b"]), { sender: true })).toBe("");
  });
});
