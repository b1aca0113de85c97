import { describe, expect, it } from "vitest";
import { daemonHelpText, helpText } from "../../../src/options/help.ts";
import { OPTION_ROWS } from "../../../src/options/table.ts";
import { versionJson, versionText } from "../../../src/options/version.ts";
import { EVERYTHING } from "./_context.ts";

describe("versionText", () => {
  it("tells program, protocol and abilities", () => {
    const text = versionText(EVERYTHING);
    expect(text).toMatch(/^wsync {2}version \d+\.\d+\.\d+ {2}protocol version 32\n/);
    expect(text).toContain("64-bit files, 64-bit inums, 64-bit timestamps, 64-bit long ints,");
    expect(text).toContain("optional secluded-args");
    expect(text).toContain("no crtimes");
    expect(text).toContain("    xxh128 xxh3 xxh64 (xxhash) md5 md4 sha1 none\n");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe("versionJson", () => {
  it("is JSON with rsync's members, one blank behind each colon", () => {
    const text = versionJson(EVERYTHING);
    const names = ["ACLs", "ACL_at", "xattrs", "atimes", "hardlink_specials", "hardlink_symlinks", "symtimes"];
    for (const name of names) expect(text).toContain(`"${name}": true`);
    expect(text).toContain('"crtimes": false');
    expect(JSON.parse(text)).toMatchObject({
      program: "wsync",
      protocol: "32.0",
      capabilities: { file_bits: 64, secluded_args: "optional", batchfiles: true, prealloc: true, stop_at: true },
      optimizations: { SIMD_roll: true },
      checksum_list: EVERYTHING.checksums,
      compress_list: EVERYTHING.compressors,
      daemon_auth_list: EVERYTHING.daemonAuth,
    });
  });
});

describe("helpText", () => {
  it("names every option: the available ones with a text, the others as missing", () => {
    const [available, missing] = helpText(EVERYTHING).split("Not in this version:");
    for (const { long, short, help, available: here } of OPTION_ROWS) {
      if (help === null) continue;
      const name = long === null ? `-${short}` : `--${long}`;
      expect(here === false ? missing : available).toMatch(new RegExp(`(^|\\s)${name}\\b`, "m"));
    }
    expect(available).toMatch(/Usage: wsync .*rsync/s);
  });

  it("fits a terminal", () => {
    for (const line of helpText(EVERYTHING).split("\n")) expect(line.length).toBeLessThanOrEqual(110);
  });
});

describe("daemonHelpText", () => {
  it("lists the daemon's own options", () => {
    for (const name of ["--config=FILE", "--no-detach", "--dparam=NAME=VALUE, -M"]) {
      expect(daemonHelpText(EVERYTHING)).toContain(name);
    }
  });
});
