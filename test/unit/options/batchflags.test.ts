import { describe, expect, it } from "vitest";
import { adoptBatchFlags, batchFlags } from "../../../src/options/batchflags.ts";
import { optionsOf } from "./_context.ts";

/** What adopting a batch written with `theirs` does to options of `ours`. */
function adopt(theirs: string, ours: string, version: number) {
  const parse = (words: string) => optionsOf([...words.split(" ").filter(Boolean), "a", "b"]);
  const options = parse(ours);
  const told: string[] = [];
  adoptBatchFlags(options, batchFlags(parse(theirs)), version, (text) => told.push(text));
  return { options, told };
}

describe("batch flags", () => {
  it("change nothing when the options are those of the batch", () => {
    expect(adopt("-aHAXc --inplace", "-aHAXc --inplace", 32).told).toEqual([]);
  });

  it("make the options those of the batch and tell each change", () => {
    const { options, told } = adopt("-aH", "-vz", 32);
    expect(options).toMatchObject({ recurse: 1, preserveUid: true, preserveLinks: true, preserveHardLinks: 1 });
    expect(options).toMatchObject({ dirs: 1, compress: false });
    expect(told).toEqual([
      "Setting the --recurse (-r) option to match the batchfile.\n",
      "Setting the --owner (-o) option to match the batchfile.\n",
      "Setting the --group (-g) option to match the batchfile.\n",
      "Setting the --links (-l) option to match the batchfile.\n",
      "Setting the --devices (-D) option to match the batchfile.\n",
      "Setting the --hard-links (-H) option to match the batchfile.\n",
      "Setting the --dirs (-d) option to match the batchfile.\n",
      "Clearing the --compress (-z) option to match the batchfile.\n",
    ]);
  });

  it("leave alone what the batch's protocol does not record", () => {
    expect(adopt("-r --inplace -z", "-r", 28).options).toMatchObject({ inplace: false, compress: false, dirs: 1 });
    expect(adopt("-r --inplace -z", "-r", 29).options).toMatchObject({ inplace: false, compress: true });
    expect(adopt("-r --append-verify", "-r", 30).options).toMatchObject({ inplace: true, append: 2 });
    expect(adopt("", "-r", 28).options).toMatchObject({ recurse: 0, dirs: 0 });
  });

  it("insist on the user's word for --iconv", () => {
    expect(() => adopt("--iconv=utf8", "", 30)).toThrow("Please specify the --iconv option to use this batch file.");
    expect(() => adopt("", "--iconv=utf8", 30)).toThrow("Do not specify the --iconv option to use this batch file.");
  });
});
