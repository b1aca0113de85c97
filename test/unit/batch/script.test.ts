/** Replay scripts; the expected texts are stock rsync 3.5.0's for the same words, but for the program's name. */
import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import { batchScript } from "../../../src/batch/script.ts";

const script = (words: readonly string[], paths: readonly string[], more = {}): string => batchScript({
  program: ["wsync"], words: [...words, ...paths], paths, destination: paths[paths.length - 1], rules: [], from0: false,
  version: 32, ...more,
});

describe("batchScript", () => {
  it("keeps the options, renames the batch and lets the destination be given", () => {
    expect(script(["-avH", "--write-batch=B"], ["s/", "d/"])).toBe("'wsync' '-avH' --read-batch='B' ${1:-'d/'}\n");
    expect(script(["-a", "--only-write-batch", "B"], ["s", "d"])).toBe("'wsync' '-a' --read-batch 'B' ${1:-'d'}\n");
  });

  it("hands the rules over in a here document instead of the filter options", () => {
    const words = ["-a", "-f", "- *.o", "--exclude=foo/", "--include-from", "x", "--filter", "P y", "--write-batch=B"];
    expect(script(words, ["s", "d"], { rules: ["- *.o", "- foo/"] }))
      .toBe("'wsync' --filter='._-' '-a' --read-batch='B' ${1:-'d'} <<'#E#'\n- *.o\n- foo/\n#E#\n");
    expect(script(["--write-batch=B", "-0"], ["s", "d"], { rules: ["- a", "+ b"], from0: true }))
      .toBe("'wsync' --filter='._-' --read-batch='B' '-0' ${1:-'d'} <<'#E#'\n- a\0+ b\0;\n#E#\n");
    expect(script(["--write-batch=B"], ["s", "d"], { rules: ["- a"], version: 28 })).toContain("--exclude-from='-'");
  });

  it("leaves out only those words that were paths, from the end", () => {
    expect(script(["-e", "d", "--write-batch=B"], ["s", "d"])).toBe("'wsync' '-e' 'd' --read-batch='B' ${1:-'d'}\n");
  });

  it("keeps everything from the shell but a plain option's name", () => {
    expect(script(["--out-format=%i it's", "--write-batch=B"], ["s", "d`x`"], {}))
      .toBe("'wsync' --out-format='%i it'\\''s' --read-batch='B' ${1:-'d`x`'}\n");
    expect(script(["--write-batch=B"], ["s", "-x$(y)=z/"])).toContain("${1:-'-x$(y)=z/'}");
  });

  it("refuses a rule that would break out of the here document", () => {
    expect(() => script(["--write-batch=B"], ["s", "d"], { rules: ["- a\n#E#\ntouch x"] })).toThrow(UsageError);
  });
});
