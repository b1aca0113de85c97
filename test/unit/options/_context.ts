/** A parse context for tests, and the table with every option switched on. */
import { parseArguments, type ParseContext, type Parsed } from "../../../src/options/parse.ts";
import { type Options } from "../../../src/options/options.ts";
import { OPTION_ROWS, type OptionRow } from "../../../src/options/table.ts";
import { type Capabilities } from "../../../src/options/version.ts";

export const EVERYTHING: Capabilities = {
  symlinks: true, symlinkTimes: true, hardlinks: true, hardlinkSpecials: true, hardlinkSymlinks: true, ipv6: true,
  atimes: true, crtimes: false, batchFiles: true, inplace: true, append: true, acls: true, aclAt: true, xattrs: true,
  iconv: true, preallocate: true, stopAt: true,
  checksums: ["xxh128", "xxh3", "xxh64", "md5", "md4", "sha1", "none"],
  compressors: ["zstd", "lz4", "zlibx", "zlib", "none"],
  daemonAuth: ["sha512", "sha256", "sha1", "md5", "md4"],
  runtime: "test 1.0", fileAccess: "memory",
};

const ALL_ROWS: readonly OptionRow[] = OPTION_ROWS.map((row) =>
  ({ ...row, available: undefined, unsupported: undefined }));

/** 2026-11-22 12:00:00 UTC. */
export const NOW = 1795348800;

export function context(env: Readonly<Record<string, string>> = {}): ParseContext {
  return {
    env: (name) => env[name],
    capabilities: () => EVERYTHING,
    now: () => NOW,
    rows: ALL_ROWS,
    splitHost: (text) => {
      const colon = text.indexOf(":");
      return colon < 0 ? null : { host: text.slice(0, colon), path: text.slice(colon + 1) };
    },
  };
}

/** Options of a command line that starts a transfer; fails the test when it asks for something else. */
export function optionsOf(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Options {
  return transferOf(parseArguments(argv, context(env)));
}

export function transferOf(parsed: Parsed): Options {
  if (parsed.action !== "run") throw new Error(`expected a transfer, got ${parsed.action}`);
  return parsed.options;
}
