/**
 * --version and -VV: what this program is and can do here.
 *
 * The JSON has the members that rsync 3.5.0's `-VV` prints, under the same names, since scripts (and rsync's own test
 * suite) decide by them. The facts come in as data: only the caller knows the runtime. Upstream: usage.c.
 */
import { PROTOCOL_VERSION } from "./options.ts";

/** This program's version. */
export const WSYNC_VERSION = "0.1.0";

/** The rsync whose behaviour it follows. */
const RSYNC_VERSION = "3.5.0";

/** What this build can do on this runtime and system. */
export interface Capabilities {
  readonly symlinks: boolean;
  readonly symlinkTimes: boolean;
  readonly hardlinks: boolean;
  readonly hardlinkSpecials: boolean;
  readonly hardlinkSymlinks: boolean;
  readonly ipv6: boolean;
  readonly atimes: boolean;
  readonly crtimes: boolean;
  readonly batchFiles: boolean;
  readonly inplace: boolean;
  readonly append: boolean;
  readonly acls: boolean;
  /** ACLs are set through a held descriptor, never through a path. */
  readonly aclAt: boolean;
  readonly xattrs: boolean;
  readonly iconv: boolean;
  readonly preallocate: boolean;
  readonly stopAt: boolean;
  /** Checksum, compression and daemon-authentication names in order of preference. */
  readonly checksums: readonly string[];
  readonly compressors: readonly string[];
  readonly daemonAuth: readonly string[];
  /** Runtime and version ("node 20.20.0"), and how files are reached ("libc", "node:fs"). */
  readonly runtime: string;
  readonly fileAccess: string;
}

/** One capability: its JSON name and value. Text is printed from the same list. */
type Fact = readonly [name: string, value: boolean | number | string];

const WIDTH = 75;

function capabilityFacts(able: Capabilities): Fact[] {
  return [
    ["file_bits", 64], ["inum_bits", 64], ["timestamp_bits", 64], ["long_int_bits", 64],
    ["socketpairs", true], ["symlinks", able.symlinks], ["symtimes", able.symlinkTimes],
    ["hardlinks", able.hardlinks], ["hardlink_specials", able.hardlinkSpecials],
    ["hardlink_symlinks", able.hardlinkSymlinks], ["IPv6", able.ipv6], ["atimes", able.atimes],
    ["batchfiles", able.batchFiles], ["inplace", able.inplace], ["append", able.append], ["ACLs", able.acls],
    ["ACL_at", able.aclAt], ["xattrs", able.xattrs], ["secluded_args", "optional"], ["iconv", able.iconv],
    ["prealloc", able.preallocate], ["stop_at", able.stopAt], ["crtimes", able.crtimes],
  ];
}

function optimizationFacts(): Fact[] {
  return [["SIMD_roll", true], ["asm_roll", false], ["openssl_crypto", false], ["asm_MD5", false]];
}

/** The text of --version. */
export function versionText(able: Capabilities): string {
  return [
    `wsync  version ${WSYNC_VERSION}  protocol version ${PROTOCOL_VERSION}`,
    `rsync ${RSYNC_VERSION} rebuilt for the JavaScript runtimes`,
    `Running on ${able.runtime}; files are reached through ${able.fileAccess}`,
    "Capabilities:",
    ...wrap(capabilityFacts(able).map(factWords)),
    "Optimizations:",
    ...wrap(optimizationFacts().map(factWords)),
    "Checksum list:",
    `    ${able.checksums.join(" ").replace(/\bxxh64\b/, "xxh64 (xxhash)")}`,
    "Compress list:",
    `    ${able.compressors.join(" ")}`,
    "Daemon auth list:",
    `    ${able.daemonAuth.join(" ")}`,
    "",
    "Free software under the MIT licence, without any warranty.",
    "",
  ].join("\n");
}

/** The JSON of -VV. */
export function versionJson(able: Capabilities): string {
  const members = [
    line("program", "wsync"),
    line("version", WSYNC_VERSION),
    line("rsync_version", RSYNC_VERSION),
    line("protocol", `${PROTOCOL_VERSION}.0`),
    line("runtime", able.runtime),
    line("file_access", able.fileAccess),
    object("capabilities", capabilityFacts(able)),
    object("optimizations", optimizationFacts()),
    list("checksum_list", able.checksums),
    list("compress_list", able.compressors),
    list("daemon_auth_list", able.daemonAuth),
    line("license", "MIT"),
    line("caveat", "wsync comes without any warranty"),
  ];
  return `{\n${members.join(",\n")}\n}\n`;
}

function line(name: string, value: string): string {
  return `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`;
}

function object(name: string, facts: readonly Fact[]): string {
  const members = facts.map(([key, value]) => `"${key}": ${JSON.stringify(value)}`);
  return `  "${name}": {\n${wrap(members).join("\n")}\n  }`;
}

function list(name: string, words: readonly string[]): string {
  return `  "${name}": [\n    ${words.map((word) => JSON.stringify(word)).join(", ")}\n  ]`;
}

/** "64-bit files", "no crtimes", "optional secluded-args". */
function factWords([name, value]: Fact): string {
  if (typeof value === "number") return `${value}-bit ${name.slice(0, -"_bits".length).replaceAll("_", " ")}s`;
  const words = name.replaceAll("_", "-");
  return value === true ? words : value === false ? `no ${words}` : `${value} ${words}`;
}

/** Joins items by commas into indented lines of at most WIDTH columns. */
function wrap(items: readonly string[]): string[] {
  const lines: string[] = [];
  let current = "   ";
  items.forEach((item, at) => {
    const word = ` ${item}${at < items.length - 1 ? "," : ""}`;
    if (current.length + word.length > WIDTH && current.trim() !== "") {
      lines.push(current);
      current = "   ";
    }
    current += word;
  });
  return [...lines, current];
}
