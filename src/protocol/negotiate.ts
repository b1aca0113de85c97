/**
 * Choosing checksums and compression by name (labels `checksum-list`, `compress-list`). Upstream
 * compat.c:negotiate_the_strings, send_negotiate_str, recv_negotiate_str, parse_nni_str; checksum.c:
 * parse_checksum_choice; token.c:init_compression_level.
 *
 * Each side sends a space-separated list; the client's order decides. A side that forced a choice sends no list, and
 * options tell the server. Peers without lists ("old style") get md5 (md4 before protocol 30) and zlib, provided the
 * environment's list allows it.
 */
import { ExitCode, ProtocolError, UsageError } from "../errors.ts";
import type { ChecksumName, CompressName } from "./context.ts";
import { WireLimit } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";
import { readVstring, writeVstring } from "./integers.ts";

/** Names of one kind in order of preference, best first. */
export interface NameTable {
  /** "checksum", "compress" or "daemon auth checksum", as messages and labels say. */
  readonly type: string;
  readonly names: readonly string[];
  /** Other spellings, and the name each stands for. */
  readonly aliases: Readonly<Record<string, string>>;
}

/** Transfer checksums. */
export const CHECKSUMS: NameTable = {
  type: "checksum",
  names: ["xxh128", "xxh3", "xxh64", "md5", "md4", "sha1", "none"],
  aliases: { xxhash: "xxh64" },
};

/** Digests a daemon and its client may prove a password with. */
export const AUTH_DIGESTS: NameTable = {
  type: "daemon auth checksum",
  names: ["sha512", "sha256", "sha1", "md5", "md4"],
  aliases: {},
};

/** Every compressor, best first. */
export const COMPRESSORS: readonly CompressName[] = ["zstd", "lz4", "zlibx", "zlib", "none"];

/** Compressors this run has: `available` from src/compress; "none" is always there. */
export function compressTable(available: readonly CompressName[]): NameTable {
  const names = COMPRESSORS.filter((name) => name === "none" || available.includes(name));
  return { type: "compress", names, aliases: {} };
}

/** The table's own name for `name` in any case and spelling, or null. */
export function lookUp(table: NameTable, name: string): string | null {
  const lower = name.toLowerCase();
  const own = Object.hasOwn(table.aliases, lower) ? table.aliases[lower] : lower;
  return table.names.includes(own) ? own : null;
}

/** This side's part of a negotiation. */
export interface Offer {
  readonly table: NameTable;
  /** The list as it is sent. */
  readonly text: string;
  /** Acceptable names, most wanted first. */
  readonly order: readonly string[];
}

/** Which side we are and what the environment says. */
export interface OfferSettings {
  readonly amServer: boolean;
  /** RSYNC_CHECKSUM_LIST or RSYNC_COMPRESS_LIST, if set. "A & B": A is a client's list, B a server's. */
  readonly environment: string | undefined;
  /** A batch is being written: only old-style names will do. */
  readonly writeBatch: boolean;
  readonly version: number;
}

/** The environment's list for this side, or null. Upstream compat.c:getenv_nstr. */
function environmentList(table: NameTable, o: OfferSettings): string | null {
  let text = o.environment;
  if (o.writeBatch) text = table.type === "compress" ? "zlib" : o.version >= 30 ? "md5" : "md4";
  if (text === undefined) return null;
  const ampersand = text.indexOf("&");
  return o.amServer && ampersand >= 0 ? text.slice(ampersand + 1) : text;
}

/** The known names of a list without duplicates; sawAny tells a list of unknown names from an empty one. */
function parseList(table: NameTable, list: string): { text: string; order: string[]; sawAny: boolean } {
  const ampersand = list.indexOf("&");
  const words = (ampersand < 0 ? list : list.slice(0, ampersand)).split(/\s+/).filter((word) => word !== "");
  const order: string[] = [];
  const sent: string[] = [];
  for (const word of words) {
    const name = lookUp(table, word);
    if (name === null || order.includes(name)) continue;
    if (sent.join(" ").length + 1 + word.length >= WireLimit.nameList) break;
    order.push(name);
    sent.push(word.toLowerCase() === name ? word : name);
  }
  return { text: sent.join(" "), order, sawAny: words.length > 0 };
}

/** What we send and accept. Unknown names in the environment's list are left out; if none is left, nothing matches. */
export function makeOffer(table: NameTable, o: OfferSettings): Offer {
  const list = environmentList(table, o);
  const parsed = list === null ? null : parseList(table, list);
  if (parsed !== null && parsed.sawAny) {
    return { table, text: parsed.text === "" ? "INVALID" : parsed.text, order: parsed.order };
  }
  const order = o.amServer ? table.names : table.names.filter((name) => name !== "none");
  return { table, text: order.join(" "), order };
}

/** Labels `checksum-list`, `compress-list`: a vstring of less than 256 bytes. */
export function readNameList(cursor: Cursor, table: NameTable): string {
  return readVstring(cursor, WireLimit.nameList, labelOf(table));
}

/** Upstream compat.c:send_negotiate_str. */
export function writeNameList(out: Writer, offer: Offer): void {
  writeVstring(out, offer.text);
}

/** The list that a peer without negotiation is taken to have sent. */
export function oldStyleList(table: NameTable, version: number): string {
  if (table.type === "compress") return "zlib";
  return version >= 30 ? "md5" : "md4";
}

/**
 * The name both sides end with: the most wanted of our order that the peer lists. Throws ProtocolError 4
 * (`checksum-list`, `compress-list`, `auth-list`) when there is none; a negotiating server leaves the words to the
 * client. `negotiated`: whether lists crossed.
 */
export function settle(offer: Offer, peerList: string, o: { amServer: boolean; negotiated: boolean }): string {
  const theirs = new Set<string>();
  for (const word of peerList.split(" ")) {
    const name = lookUp(offer.table, word);
    if (name !== null) theirs.add(name);
  }
  const name = offer.order.find((wanted) => theirs.has(wanted));
  if (name !== undefined) return name;
  const [peer, own] = o.amServer ? ["Client", "Server"] : ["Server", "Client"];
  const ours = offer.order.length > 0 ? offer.order.join(" ") : "INVALID";
  const text = o.amServer && o.negotiated ? "" :
    `Failed to negotiate a ${offer.table.type} choice.\n${peer} list: ${peerList}\n${own} list: ${ours}`;
  throw new ProtocolError(labelOf(offer.table), text, ExitCode.unsupported);
}

function labelOf(table: NameTable): string {
  return table.type === "daemon auth checksum" ? "auth-list" : `${table.type}-list`;
}

/** What decides a choice, besides negotiation. */
export interface ChoiceSettings {
  /** Name that crossed lists agreed on, else null. */
  readonly negotiated: string | null;
  /** --checksum-choice or --compress-choice, else null. */
  readonly forced: string | null;
  readonly amServer: boolean;
  readonly environment: string | undefined;
  readonly version: number;
}

/**
 * Digests of the transfer and of --checksum. A forced choice may name two, "XFER,FILE"; "auto" and no choice at all
 * mean md5, or before protocol 30 the old MD4. Throws UsageError 4 for an unknown or refused name. Upstream
 * checksum.c:parse_checksum_choice, parse_csum_name.
 */
export function checksumChoice(o: ChoiceSettings): { transfer: ChecksumName; file: ChecksumName } {
  if (o.negotiated !== null) {
    return { transfer: o.negotiated as ChecksumName, file: o.negotiated as ChecksumName };
  }
  const comma = o.forced?.indexOf(",") ?? -1;
  const transfer = checksumByName(comma < 0 ? o.forced : o.forced!.slice(0, comma), o.version);
  const file = comma < 0 ? transfer : checksumByName(o.forced!.slice(comma + 1), o.version);
  if (o.amServer && o.forced !== null) checkAgainstEnvironment(CHECKSUMS, [transfer, file], o);
  return { transfer, file };
}

function checksumByName(name: string | null, version: number): ChecksumName {
  if (name === null || name.toLowerCase() === "auto") return version >= 30 ? "md5" : "md4-old";
  const own = lookUp(CHECKSUMS, name);
  if (own === null) throw new UsageError(`unknown checksum name: ${name}`, ExitCode.unsupported);
  return own as ChecksumName;
}

/** A server's environment list also limits what a client may force. Upstream compat.c:validate_choice_vs_env. */
function checkAgainstEnvironment(table: NameTable, names: readonly string[], o: ChoiceSettings): void {
  const list = environmentList(table, { ...o, writeBatch: false });
  if (list === null || list.trim() === "") return;
  const { order } = parseList(table, list);
  const allowed = (name: string): boolean => order.includes(name.startsWith("md4") ? "md4" : name);
  if (names.every(allowed)) return;
  const text = `Your --${table.type}-choice value (${o.forced}) was refused by the server.`;
  throw new UsageError(text, ExitCode.unsupported);
}

/**
 * The compressor. `wanted`: -z or its like was given. Throws UsageError 4 for an unknown, absent or refused name.
 * Upstream compat.c:parse_compress_choice.
 */
export function compressChoice(table: NameTable, wanted: boolean, o: ChoiceSettings): CompressName {
  if (o.negotiated !== null) return o.negotiated as CompressName;
  if (o.forced === null) return wanted ? "zlib" : "none";
  const own = lookUp(table, o.forced);
  if (own === null) throw new UsageError(`unknown compress name: ${o.forced}`, ExitCode.unsupported);
  if (o.amServer) checkAgainstEnvironment(table, [own], o);
  return own as CompressName;
}

/** Levels of each compressor; `off` is the level that turns it off, null when none does. */
const LEVELS: Readonly<Record<CompressName, { least: number; most: number; usual: number; off: number | null }>> = {
  zlib: { least: 1, most: 9, usual: 6, off: 0 },
  zlibx: { least: 1, most: 9, usual: 6, off: 0 },
  zstd: { least: -131072, most: 22, usual: 3, off: null },
  lz4: { least: 0, most: 0, usual: 0, off: null },
  none: { least: 0, most: 0, usual: 0, off: null },
};

/**
 * The level in effect, and "none" where the level turns compression off. `requested` null: --compress-level was not
 * given. Upstream token.c:init_compression_level.
 */
export function compressLevel(name: CompressName, requested: number | null): { name: CompressName; level: number } {
  const { least, most, usual, off } = LEVELS[name];
  const unset = requested === null || (name === "zstd" && requested === 0) || (usual === 6 && requested === -1);
  if (unset) return { name, level: usual };
  if (requested === off) return { name: "none", level: 0 };
  return { name, level: Math.max(least, Math.min(most, requested)) };
}

/**
 * The digest of daemon authentication, given the list in the peer's greeting (null: an old peer sent none, and then
 * "md4-old" is MD4 in its old seeding). Throws as `settle` does. Upstream compat.c:negotiate_daemon_auth.
 */
export function authDigestChoice(peerList: string | null, version: number, amServer: boolean): string {
  const offer: Offer = { table: AUTH_DIGESTS, text: AUTH_DIGESTS.names.join(" "), order: AUTH_DIGESTS.names };
  const name = settle(offer, peerList ?? oldStyleList(AUTH_DIGESTS, version), { amServer, negotiated: false });
  return peerList === null && name === "md4" ? "md4-old" : name;
}
