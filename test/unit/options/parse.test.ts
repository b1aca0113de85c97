import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import { incRecurseAllowed } from "../../../src/options/finish.ts";
import { parseArguments, type ParseContext } from "../../../src/options/parse.ts";
import { OPTION_ROWS, type OptionRow } from "../../../src/options/table.ts";
import { EVERYTHING, context, optionsOf, transferOf } from "./_context.ts";
import { VERDICT_CASES } from "./verdict.cases.ts";

function verdict(argv: readonly string[]): { exitCode: number; text: string } {
  try {
    parseArguments(argv, context());
    return { exitCode: 0, text: "" };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { exitCode: error.exitCode, text: error.message };
  }
}

describe("stock rsync's verdict", () => {
  it.each(VERDICT_CASES)("$options", ({ options, exitCode, text }) => {
    expect(verdict(["-n", ...options, "ed/", "ed2/"])).toEqual({ exitCode, text });
  });
});

describe("popt's ways", () => {
  it("takes bundled letters, the last with its argument in any of three forms", () => {
    for (const words of [["-avB700"], ["-avB=700"], ["-avB", "700"]]) {
      const options = optionsOf([...words, "a", "b"]);
      expect(options).toMatchObject({ recurse: 1, verbose: 1, blockSize: 700, args: ["a", "b"] });
    }
  });

  it("takes -f'- x' with its blank", () => {
    expect(optionsOf(["-f- x", "a", "b"]).filters).toEqual([{ kind: "filter", value: "- x" }]);
  });

  it("takes --name=value and --name value, and an empty value", () => {
    expect(optionsOf(["--suffix=.x", "a", "b"]).suffix).toBe(".x");
    expect(optionsOf(["--suffix", ".x", "a", "b"]).suffix).toBe(".x");
    expect(optionsOf(["--timeout=", "a", "b"]).timeout).toBe(0);
  });

  it("mixes options and words, and ends the options at --", () => {
    expect(optionsOf(["a", "-r", "b", "--", "-c", "--"]).args).toEqual(["a", "b", "-c", "--"]);
  });

  it("takes an argument that looks like an option", () => {
    expect(optionsOf(["--exclude", "--stats", "a", "b"])).toMatchObject({
      stats: 0, filters: [{ kind: "exclude", value: "--stats" }],
    });
  });

  it("lets later options override earlier ones", () => {
    expect(optionsOf(["-a", "--no-r", "--no-D", "a", "b"])).toMatchObject({
      recurse: 0, preserveDevices: false, preserveSpecials: false, preservePerms: true,
    });
    expect(optionsOf(["--no-r", "-a", "a", "b"]).recurse).toBe(1);
  });

  it("reads integers as strtoll does", () => {
    expect(optionsOf(["--timeout=0x1f", "a", "b"]).timeout).toBe(31);
    expect(optionsOf(["--timeout=010", "a", "b"]).timeout).toBe(8);
    expect(optionsOf(["--checksum-seed=-7", "a", "b"]).checksumSeed).toBe(-7);
  });

  it("names a missing argument", () => {
    expect(verdict(["a", "--rsh"])).toEqual({ exitCode: 1, text: "rsync: --rsh: missing argument" });
    expect(verdict(["-avB"])).toEqual({ exitCode: 1, text: "rsync: -avB: missing argument" });
  });
});

describe("what follows from all options", () => {
  it("lists when there is one argument", () => {
    expect(optionsOf(["a"])).toMatchObject({ listOnly: 1, dirs: 1 });
    expect(optionsOf(["--list-only", "a", "b"]).listOnly).toBe(2);
    expect(optionsOf(["a", "b"])).toMatchObject({ listOnly: 0, dirs: 0 });
  });

  it("keeps implied directories only with --relative", () => {
    expect(optionsOf(["a", "b"]).impliedDirs).toBe(false);
    expect(optionsOf(["-R", "a", "b"]).impliedDirs).toBe(true);
  });

  it("protects backups from --delete", () => {
    expect(optionsOf(["-ab", "--delete", "a", "b"]).filters)
      .toEqual([{ kind: "filter", value: "P *~", impliedBy: "--backup" }]);
    expect(optionsOf(["-ab", "--delete", "--backup-dir=x", "a", "b"]).filters).toEqual([]);
    expect(optionsOf(["-ab", "a", "b"])).toMatchObject({ suffix: "~", omitDirTimes: true, omitDirTimesImplied: true });
  });

  it("chooses the format of the item lines", () => {
    expect(optionsOf(["-r", "a", "b"]).outFormat).toBeNull();
    expect(optionsOf(["-v", "a", "b"])).toMatchObject({ outFormat: "%n%L", logBeforeTransfer: true });
    expect(optionsOf(["-i", "a", "b"])).toMatchObject({ outFormat: "%i %n%L", outFormatHasItemize: 1 });
    expect(optionsOf(["--out-format=%n %b", "a", "b"]).logBeforeTransfer).toBe(false);
    expect(optionsOf(["--progress", "a", "b"])).toMatchObject({ outFormat: "%n%L" });
    expect(optionsOf(["--progress", "a", "b"]).levels.info).toMatchObject({ FLIST: 2, PROGRESS: 1, NAME: 1 });
    expect(optionsOf(["--info=progress2", "a", "b"]).outFormat).toBeNull();
  });

  it("remembers --from0 for the rule files behind it", () => {
    expect(optionsOf(["--exclude-from=x", "-0", "--include-from=y", "a", "b"]).filters).toEqual([
      { kind: "exclude-from", value: "x" },
      { kind: "include-from", value: "y", from0: true },
    ]);
  });

  it("turns -F into rules once each", () => {
    expect(optionsOf(["-FFF", "a", "b"]).filters.map(({ value }) => value)).toEqual([
      ": /.rsync-filter", "- .rsync-filter",
    ]);
  });

  it("makes a partial directory tidy, and does without one that is the destination", () => {
    expect(optionsOf(["--partial-dir=a/../b/./c/", "a", "b"])).toMatchObject({ partialDir: "b/c", partial: true });
    expect(optionsOf(["--partial-dir=.", "a", "b"])).toMatchObject({ partialDir: null, partial: true });
  });

  it("leaves incremental recursion to those that can have it", () => {
    const allowed = (...argv: string[]): boolean => incRecurseAllowed(optionsOf([...argv, "a", "b"]), false);
    expect(allowed("-r")).toBe(true);
    expect(allowed("-d")).toBe(false);
    expect(allowed("-r", "--no-i-r")).toBe(false);
    expect(allowed("-r", "--delete-after")).toBe(false);
    expect(incRecurseAllowed(optionsOf(["-r", "--delete-after", "a", "b"]), true)).toBe(true);
    expect(incRecurseAllowed(optionsOf(["--server", "-re.LsfxCIvu", ".", "b"]), true)).toBe(false);
    expect(incRecurseAllowed(optionsOf(["--server", "-re.iLsfxCIvu", ".", "b"]), true)).toBe(true);
  });

  it("splits the host off --files-from", () => {
    const argv = ["--files-from=:list", "a", "b"];
    expect(optionsOf(argv)).toMatchObject({ filesFrom: "list", filesFromHost: "", relative: 1, dirs: 1 });
    const refusal = "rsync: The --files-from sent to the server cannot specify a host.";
    expect(verdict(["--server", ...argv]).text).toBe(refusal);
    expect(verdict(["--files-from=h:-", "a", "b"]).text).toBe("rsync: Invalid --files-from remote filename");
    expect(verdict(["--files-from=x", "a"]).exitCode).toBe(1);
  });
});

describe("the environment", () => {
  it("gives defaults where the command line is silent", () => {
    expect(optionsOf(["--partial", "a", "b"], { RSYNC_PARTIAL_DIR: ".p" }).partialDir).toBe(".p");
    expect(optionsOf(["a", "b"], { RSYNC_PARTIAL_DIR: ".p" }).partialDir).toBeNull();
    expect(optionsOf(["a", "b"], { RSYNC_PROTECT_ARGS: "1" }).secludedArgs).toBe(1);
    expect(optionsOf(["--no-s", "a", "b"], { RSYNC_PROTECT_ARGS: "1" }).secludedArgs).toBe(0);
    expect(optionsOf(["a", "b"], { RSYNC_OLD_ARGS: "2" })).toMatchObject({ oldArgs: 2, secludedArgs: 0 });
    expect(optionsOf(["-s", "a", "b"], { RSYNC_OLD_ARGS: "1" })).toMatchObject({ oldArgs: 0, secludedArgs: 1 });
    expect(optionsOf(["a", "b"], { RSYNC_MAX_ALLOC: "2G" }).maxAlloc).toBe(2 ** 31);
    expect(optionsOf(["a", "b"], { RSYNC_ICONV: "utf8" }).iconv).toBe("utf8");
    expect(optionsOf(["--no-iconv", "a", "b"], { RSYNC_ICONV: "utf8" }).iconv).toBeNull();
  });
});

describe("a server", () => {
  it("takes the client's cluster and keeps what -e tells", () => {
    const options = optionsOf(["--server", "--sender", "-vlogDtpre.iLsfxCIvu", "--log-format=%i%I", ".", "x"]);
    expect(options).toMatchObject({
      server: true, sender: true, verbose: 1, recurse: 2, preserveLinks: true, clientInfo: ".iLsfxCIvu",
      outFormatHasItemize: 2, logBeforeTransfer: false, args: [".", "x"], listOnly: 0,
    });
  });

  it("passes over --info words that it does not know", () => {
    expect(optionsOf(["--server", "--info=skip,future", ".", "x"]).levels.info.SKIP).toBe(1);
  });

  it("reads secluded arguments in a second pass over the same record", () => {
    const first = parseArguments(["--server", "-slogDtpre.iLsfxCIvu"], context());
    if (first.action !== "secluded") throw new Error(first.action);
    const options = transferOf(first.resume(["--partial", "--delete", ".", "a b"]));
    expect(options).toMatchObject({ recurse: 2, partial: true, deleteMode: true, args: [".", "a b"] });
  });
});

describe("what this version does not have", () => {
  const without = ["fuzzy", "acls", "iconv"];
  const rows = OPTION_ROWS.map((row) => ({ ...row, available: without.includes(row.long ?? "") ? false : undefined }));
  const limited: ParseContext = { ...context(), rows: rows as readonly OptionRow[] };

  it("is refused by name with exit code 1", () => {
    expect(() => parseArguments(["--fuzzy", "a", "b"], limited)).toThrow(
      new UsageError("rsync: --fuzzy (-y) is not available in this version of wsync"),
    );
    expect(() => parseArguments(["-ay", "a", "b"], limited)).toThrow("rsync: -y is not available");
    expect(() => parseArguments(["--server", "-ye.f", ".", "b"], limited)).toThrow("rsync: on remote machine: -y is");
  });

  it("is refused in rsync's words when no system can do it", () => {
    const real = { ...context(), rows: undefined };
    const text = "does not support --crtimes (-N)";
    expect(() => parseArguments(["-aN", "a", "b"], real)).toThrow(`rsync: This rsync ${text}`);
    expect(() => parseArguments(["--server", "--crtimes", ".", "b"], real)).toThrow(`rsync: The server ${text}`);
    expect(parseArguments(["--no-crtimes", "--no-N", "a", "b"], real).action).toBe("run");
  });

  it("may be switched off", () => {
    expect(parseArguments(["--no-fuzzy", "--no-acls", "--no-iconv", "a", "b"], limited).action).toBe("run");
  });
});

describe("texts instead of a transfer", () => {
  it("prints help, also for a lone -hh or -h", () => {
    for (const argv of [["--help"], ["-h"], ["-hh"], ["-a", "--help", "--bogus"]]) {
      const help = parseArguments(argv, context());
      expect(help).toMatchObject({ action: "print", text: expect.stringContaining("Usage:") });
    }
    expect(optionsOf(["-h", "a"]).humanReadable).toBe(2);
  });

  it("prints the version after all options were looked at", () => {
    const version = parseArguments(["--version", "-a"], context());
    expect(version).toMatchObject({ action: "print", text: expect.stringContaining("protocol version 32") });
    expect(verdict(["--version", "--bogus"]).exitCode).toBe(1);
    const json = parseArguments(["-VV"], context());
    expect(json).toMatchObject({ action: "print", text: expect.stringContaining('"ACLs": true') });
  });

  it("lists the flags of --info and --debug", () => {
    for (const kind of ["info", "debug"]) {
      const list = parseArguments([`--${kind}=help`, "--bogus"], context());
      expect(list).toMatchObject({ action: "print", text: expect.stringContaining("FLIST") });
    }
  });

  it("shows the usage to --sender without --server", () => {
    expect(verdict(["--sender"])).toMatchObject({ exitCode: 1, text: expect.stringContaining("Usage:") });
  });
});

describe("daemon mode", () => {
  it("has its own options and help", () => {
    const help = parseArguments(["--daemon", "--help"], context());
    expect(help).toMatchObject({ action: "print", text: expect.stringMatching(/rsync --daemon.*--no-detach/s) });
    expect(verdict(["--daemon", "-a"]).text).toMatch(/^rsync: -a: unknown option \(in daemon mode\)\n\(Type/);
    expect(verdict(["--no-detach"]).text).toMatch(/^Daemon option\(s\) used without --daemon\.\n/);
    expect(verdict(["--daemon", "--dparam", "x"]).text).toMatch(/^--dparam value is missing an '=': x\n/);
  });

  it("is not for a daemon's clients", () => {
    const fromClient = { ...context(), fromClient: true };
    expect(() => parseArguments(["--server", "--daemon", "."], fromClient)).toThrow("cannot switch it to daemon mode");
  });
});

describe("capabilities", () => {
  it("decide which compressions may be named", () => {
    const poor = { ...context(), capabilities: () => ({ ...EVERYTHING, compressors: ["zlib", "none"] }) };
    expect(() => parseArguments(["--zc=zstd", "a", "b"], poor)).toThrow("unknown compress name: zstd");
    expect(transferOf(parseArguments(["--zc=zlib", "a", "b"], poor)).compress).toBe(true);
  });
});
