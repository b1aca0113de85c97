/**
 * A scripted peer: the bytes that a sender, honest or lying, sends to a receiver of protocol 31 for one small tree.
 *
 * Without the compat flag for negotiated names both sides fall back to MD5, so a whole conversation is known in
 * advance and can be sent at once, cut anywhere, or told with a lie in one place.
 */
import { createHash } from "node:crypto";
import { ItemFlag, MessageTag, Ndx } from "../../src/protocol/constants.ts";
import { contextFrom } from "../../src/protocol/handshake.ts";
import type { FlistFields, ProtocolContext } from "../../src/protocol/context.ts";
import { Writer } from "../../src/protocol/cursor.ts";
import { FlistEntryWriter, WireEntry } from "../../src/protocol/flistentry.ts";
import { writeMessage } from "../../src/protocol/mux.ts";
import { NdxWriter } from "../../src/protocol/ndx.ts";
import { newSumHead, type SumHead, writeSumHead } from "../../src/protocol/sumhead.ts";
import { writeEndStats } from "../../src/protocol/stats.ts";

/** The protocol version that scripts speak. */
export const scriptVersion = 31;

/** What both sides of a script have agreed on. */
export const context: ProtocolContext = contextFrom({
  version: scriptVersion, compatFlags: 0, amServer: true, amSender: true, clientInfo: "", canSetSymlinkTimes: true,
  checksumSeed: 1, transferChecksum: "md5", fileChecksum: "md5", compress: "none", compressLevel: 0,
});

/** The fields of an entry under -rlt. */
export const fields: FlistFields = {
  preserveUid: false, preserveGid: false, preserveDevices: false, preserveSpecials: false, preserveLinks: true,
  preserveHardLinks: false, preserveAtimes: false, preserveCrtimes: false, preserveAcls: false, preserveXattrs: false,
  checksumLength: 0, numericIds: false, relativePaths: false,
};

/** An entry of a scripted file list. */
export interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly size?: number;
  readonly link?: string;
}

/** The only file with contents in an honest script. */
export const fileData: Buffer = Buffer.from("contents of the scripted file\n".repeat(20));

/** The honest list: the root and one file, whose ndx is 1. */
export const honestList: readonly Entry[] = [
  { name: ".", mode: 0o40755 }, { name: "f", mode: 0o100644, size: fileData.length },
];

/** What a script may tell differently; everything else stays honest. */
export interface Lie {
  readonly list?: readonly Entry[];
  /** Replaces the encoded file list. */
  readonly rawList?: (out: Writer) => void;
  readonly ndx?: number;
  readonly iflags?: number;
  /** Written after iflags. */
  readonly attrs?: (out: Writer) => void;
  readonly sumHead?: Partial<SumHead>;
  /** Replaces the tokens and their end. */
  readonly tokens?: (out: Writer) => void;
  readonly digest?: Uint8Array;
  /** Replaces everything after the file's digest. */
  readonly ending?: (out: Writer) => void;
  /** Bytes put on the wire, unframed, before the first frame or after the list. */
  readonly beforeFrames?: Uint8Array;
  readonly afterList?: Uint8Array;
}

/** Frames bytes as multiplexed data. */
export function framed(bytes: Uint8Array): Uint8Array {
  const out = new Writer();
  for (let at = 0; at < bytes.length; at += 4000) writeMessage(out, MessageTag.data, bytes.subarray(at, at + 4000));
  return out.view().slice();
}

function writeList(out: Writer, list: readonly Entry[]): void {
  const writer = new FlistEntryWriter(context, fields, null);
  for (const one of list) {
    const entry = new WireEntry();
    entry.name.set(Buffer.from(one.name, "latin1"));
    entry.nameLength = one.name.length;
    entry.mode = one.mode;
    entry.size = one.size ?? 0;
    entry.mtime = 1_000_000_000;
    entry.link.set(Buffer.from(one.link ?? "", "latin1"));
    entry.linkLength = one.link?.length ?? 0;
    writer.write(out, entry, 0);
  }
  writer.end(out, 0);
}

function writeFile(out: Writer, ndx: NdxWriter, lie: Lie): void {
  ndx.write(out, lie.ndx ?? 1);
  out.u16le(lie.iflags ?? ItemFlag.transfer);
  lie.attrs?.(out);
  writeSumHead(out, { ...newSumHead(), ...lie.sumHead });
  if (lie.tokens !== undefined) {
    lie.tokens(out);
  } else {
    out.i32le(fileData.length);
    out.put(fileData);
    out.i32le(0);
  }
  out.put(lie.digest ?? createHash("md5").update(fileData).digest());
}

function writeEnding(out: Writer, ndx: NdxWriter, withStats: boolean): void {
  for (let phase = 0; phase < 3; phase++) ndx.write(out, Ndx.done);
  if (withStats) {
    const stats = { totalRead: 1, totalWritten: 1, totalSize: 1, flistBuildTimeMs: 1, flistXferTimeMs: 1 };
    writeEndStats(out, stats, scriptVersion);
  }
  ndx.write(out, Ndx.done);
}

/** All bytes of a sender after the handshake. A server sends statistics, a client does not. */
export function senderScript(lie: Lie, asServer: boolean): Uint8Array {
  const list = new Writer();
  if (lie.rawList !== undefined) lie.rawList(list);
  else writeList(list, lie.list ?? honestList);
  const rest = new Writer();
  const ndx = new NdxWriter(scriptVersion);
  writeFile(rest, ndx, lie);
  if (lie.ending !== undefined) lie.ending(rest);
  else writeEnding(rest, ndx, asServer);
  const none = new Uint8Array(0);
  return Buffer.concat([lie.beforeFrames ?? none, framed(list.view()), lie.afterList ?? none, framed(rest.view())]);
}
