import { describe, expect, test } from "vitest";
import { optionWords } from "../../../src/library/options.ts";

describe("options by name", () => {
  test.each([
    [{ archive: true, delete: false, dryRun: false, relative: false, times: undefined },
      ["--archive", "--no-relative"]],
    [{ verbose: 2, exclude: ["*.o", "b c"], bwlimit: 100 }, ["--verbose", "--verbose", "--exclude=*.o", "--exclude=b c",
      "--bwlimit=100"]],
  ])("%j", (options, words) => {
    expect(optionWords(options)).toEqual(words);
  });

  test.each([
    [{ noSuchThing: true }, "unknown option"], [{ exclude: true }, "takes a value"],
    [{ archive: "yes" }, "is true, false"], [{ daemon: true }, "unknown option"], [{ verbose: 10 }, "is true, false"],
  ])("%j is refused", (options, reason) => {
    expect(() => optionWords(options)).toThrow(reason);
  });
});
