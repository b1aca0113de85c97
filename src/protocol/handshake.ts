/**
 * Agreeing on a version and on features (labels `version`, `compat-flags`, `checksum-seed`). Upstream
 * compat.c:setup_protocol, check_sub_protocol.
 *
 * Pure steps; the session drives them in this order: each side sends its version as an int and takes the lower one;
 * from protocol 30 the server sends compat flags, made from the letters of the client's `-e.LsfxCIvu` ("client
 * info"); then the lists of negotiate.ts cross; last the server sends the checksum seed as an int. contextFrom turns
 * the outcome into the value that every codec takes.
 */
import { ProtocolError, UsageError } from "../errors.ts";
import { type ChecksumName, CompatFlag, type CompressName, type ProtocolContext } from "./context.ts";
import { ProtocolVersion } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";
import { readVarint, writeVarint } from "./integers.ts";

/** What a server can do, for its compat flags. */
export interface ServerAbilities {
  /** Options allow incremental recursion on this side. */
  readonly allowIncRecurse: boolean;
  readonly canSetSymlinkTimes: boolean;
  /** Symlink contents can be converted between character sets. */
  readonly iconv: boolean;
}

/** Label `version`. Upstream io.c:read_int at the start of setup_protocol. */
export function readVersion(cursor: Cursor): number {
  return cursor.i32le();
}

/** Upstream io.c:write_int at the start of setup_protocol. */
export function writeVersion(out: Writer, version: number): void {
  out.i32le(version);
}

/**
 * The version both sides speak, given ours (already lowered by --protocol) and the peer's. Throws ProtocolError 2
 * (label `version`) when the peer's number is noise, or when one side is too old or forced too high for the other.
 */
export function agreeVersion(ours: number, theirs: number, amServer: boolean): number {
  if (theirs < ProtocolVersion.leastSane || theirs > ProtocolVersion.mostSane) {
    const error = new ProtocolError("version", "protocol version mismatch -- is your shell clean?");
    throw error.advise("(see the rsync manpage for an explanation)");
  }
  const version = Math.min(ours, theirs);
  const side = amServer ? "Server" : "Client";
  if (version < ProtocolVersion.oldest) {
    throw new ProtocolError("version", `--protocol must be at least ${ProtocolVersion.oldest} on the ${side}.`);
  }
  if (version > ProtocolVersion.newest) {
    throw new ProtocolError("version", `--protocol must be no more than ${ProtocolVersion.newest} on the ${side}.`);
  }
  return version;
}

/**
 * The highest version a server may offer, given that client info starts with VERSION.SUB when the client is a
 * pre-release. Upstream compat.c:check_sub_protocol.
 */
export function offerableVersion(ours: number, clientInfo: string): number {
  const match = /^\s*(\d+)[^.]*\.(\d+)/.exec(clientInfo);
  const theirs = match ? Number(match[1]) : 0;
  const theirSub = match ? Number(match[2]) : 0;
  if (theirs === 0 || theirSub === 0) return ours;
  if (theirs < ours) return theirs - 1;
  return theirs > ours || theirSub === ProtocolVersion.sub ? ours : ours - 1;
}

/** The client-info text of `-e` ("." first, for no pre-release version). Upstream options.c:maybe_add_e_option. */
export function clientInfoText(version: number, abilities: ServerAbilities): string {
  if (version < 30) return "";
  const letters = [
    abilities.allowIncRecurse ? "i" : "",
    abilities.canSetSymlinkTimes ? "L" : "",
    abilities.iconv ? "s" : "",
  ];
  return `.${letters.join("")}fxCIvu`;
}

/** Whether the client of this server can take a list in segments ('i'). Upstream compat.c:set_allow_inc_recurse. */
export function clientTakesIncRecurse(clientInfo: string): boolean {
  return clientInfo.includes("i");
}

const LETTER_FLAGS: readonly (readonly [string, number])[] = [
  ["f", CompatFlag.safeFlist],
  ["x", CompatFlag.avoidXattrOptim],
  ["C", CompatFlag.checksumSeedFix],
  ["I", CompatFlag.inplacePartialDir],
  ["u", CompatFlag.id0Names],
  ["v", CompatFlag.varintFlistFlags],
];

/** CompatFlag bits a server sends, from protocol 30 on. `allowIncRecurse` must already include the client's 'i'. */
export function serverCompatFlags(clientInfo: string, abilities: ServerAbilities, writeBatch = false): number {
  let flags = abilities.allowIncRecurse ? CompatFlag.incRecurse : 0;
  if (abilities.canSetSymlinkTimes) flags |= CompatFlag.symlinkTimes;
  if (abilities.iconv) flags |= CompatFlag.symlinkIconv;
  for (const [letter, flag] of LETTER_FLAGS) if (clientInfo.includes(letter)) flags |= flag;
  if (clientInfo.includes("V") && !writeBatch) flags |= CompatFlag.varintFlistFlags;
  return flags;
}

/** Label `compat-flags`. A varint also reads the single byte that pre-release servers sent. */
export function readCompatFlags(cursor: Cursor): number {
  return readVarint(cursor);
}

/** A client with the pre-release letter 'V' expects one plain byte. */
export function writeCompatFlags(out: Writer, flags: number, clientInfo: string): void {
  if (clientInfo.includes("V")) out.u8(flags);
  else writeVarint(out, flags);
}

/** Whether lists of names cross next. A server goes by the letter 'v', a client by the flag; never from a batch. */
export function negotiatesNames(o: { amServer: boolean; version: number; clientInfo: string; compatFlags: number;
  readBatch: boolean }): boolean {
  if (o.version < 30 || o.readBatch) return false;
  return o.amServer ? o.clientInfo.includes("v") : (o.compatFlags & CompatFlag.varintFlistFlags) !== 0;
}

/** Outcome of the handshake and negotiation, as contextFrom takes it. */
export interface HandshakeResult {
  readonly version: number;
  /** 0 before protocol 30. */
  readonly compatFlags: number;
  readonly amServer: boolean;
  readonly amSender: boolean;
  /** On a server the client's; "" on a client. */
  readonly clientInfo: string;
  /** This side, should it be the receiver, can set a symlink's time. */
  readonly canSetSymlinkTimes: boolean;
  readonly checksumSeed: number;
  readonly transferChecksum: ChecksumName;
  readonly fileChecksum: ChecksumName;
  readonly compress: CompressName;
  readonly compressLevel: number;
}

/** The frozen context of a conversation. */
export function contextFrom(result: HandshakeResult): ProtocolContext {
  const { version, compatFlags } = result;
  const has = (flag: number): boolean => (compatFlags & flag) !== 0;
  return Object.freeze({
    version,
    compatFlags,
    incRecurse: has(CompatFlag.incRecurse),
    varintFlistFlags: has(CompatFlag.varintFlistFlags),
    safeFlist: has(CompatFlag.safeFlist) || version >= 31,
    id0Names: has(CompatFlag.id0Names),
    properSeedOrder: has(CompatFlag.checksumSeedFix),
    inplacePartialDir: has(CompatFlag.inplacePartialDir),
    xattrOptim: version >= 31 && !has(CompatFlag.avoidXattrOptim),
    receiverSymlinkTimes: receiverSymlinkTimes(result),
    checksumSeed: result.checksumSeed,
    transferChecksum: result.transferChecksum,
    fileChecksum: result.fileChecksum,
    compress: result.compress,
    compressLevel: result.compressLevel,
  });
}

/**
 * A receiver knows itself, but says so only where the sender itemizes; a sender learns it from 'L' or the flag, which
 * there are from protocol 30 on.
 */
function receiverSymlinkTimes(result: HandshakeResult): boolean {
  if (!result.amSender) return result.canSetSymlinkTimes && result.version >= 29;
  if (result.version < 30) return false;
  return result.amServer ? result.clientInfo.includes("L") : (result.compatFlags & CompatFlag.symlinkTimes) !== 0;
}

/** Options whose meaning a version restricts. */
export interface VersionBoundOptions {
  readonly acls: boolean;
  readonly xattrs: boolean;
  readonly crtimes: boolean;
  readonly fuzzy: boolean;
  readonly inplace: boolean;
  readonly pruneEmptyDirs: boolean;
  /** Number of --compare-dest, --copy-dest or --link-dest directories, and which option it is. */
  readonly basisDirCount: number;
  readonly basisDirOption: string;
  readonly localServer: boolean;
  readonly allowIncRecurse: boolean;
  readonly readBatch: boolean;
}

/**
 * Refuses options that the agreed version cannot carry, with upstream's words: ProtocolError 2, label `version`, or
 * UsageError 1 for a segmented list that this side's options exclude. Upstream compat.c:setup_protocol.
 */
export function checkVersionBounds(version: number, compatFlags: number, o: VersionBoundOptions): void {
  const refuse = (wanted: boolean, what: string, least: number): void => {
    if (!wanted || version >= least) return;
    throw new ProtocolError("version", `${what} requires protocol ${least} or higher (negotiated ${version}).`);
  };
  refuse(o.acls && !o.localServer, "--acls", 30);
  refuse(o.xattrs && !o.localServer, "--xattrs", 30);
  refuse(o.fuzzy, "--fuzzy", 29);
  refuse(o.basisDirCount > 0 && o.inplace, `${o.basisDirOption} with --inplace`, 29);
  refuse(o.basisDirCount > 1, `Using more than one ${o.basisDirOption} option`, 29);
  refuse(o.pruneEmptyDirs, "--prune-empty-dirs", 29);
  if (version < 30) return;
  if (o.crtimes && (compatFlags & CompatFlag.varintFlistFlags) === 0) {
    throw new ProtocolError("compat-flags", "Both rsync versions must be at least 3.2.0 for --crtimes.");
  }
  if ((compatFlags & CompatFlag.incRecurse) !== 0 && !o.allowIncRecurse) {
    const what = o.readBatch ? "batch file" : "connection";
    throw new UsageError(`Incompatible options specified for inc-recursive ${what}.`);
  }
}
