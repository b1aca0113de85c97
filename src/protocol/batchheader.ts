/**
 * The start of a batch file (labels `batch-flags`, `version`, `compat-flags`, `checksum-seed`). Upstream
 * batch.c:write_stream_flags, read_stream_flags, check_batch_flags; main.c:client_run.
 *
 * A batch file is the sender's side of a conversation: stream flags, then what setup_protocol wrote (the version
 * int, from protocol 30 compat flags, the seed), then file list and tokens.
 */
import { ProtocolVersion } from "./constants.ts";
import { ProtocolError } from "../errors.ts";
import type { Cursor, Writer } from "./cursor.ts";
import { readVarint, writeVarint } from "./integers.ts";

/** One option that shapes the stream, and the protocol it joined the bitmap with. */
export interface BatchFlag {
  readonly bit: number;
  readonly name: BatchFlagName;
  /** As in upstream's messages. */
  readonly text: string;
  readonly since: number;
}

export type BatchFlagName =
  | "recurse" | "preserveUid" | "preserveGid" | "preserveLinks" | "preserveDevices" | "preserveHardLinks"
  | "checksum" | "dirs" | "compress" | "iconv" | "preserveAcls" | "preserveXattrs" | "inplace" | "append"
  | "appendVerify";

/** The bitmap, bit by bit. */
export const BATCH_FLAGS: readonly BatchFlag[] = [
  { bit: 0, name: "recurse", text: "--recurse (-r)", since: 0 },
  { bit: 1, name: "preserveUid", text: "--owner (-o)", since: 0 },
  { bit: 2, name: "preserveGid", text: "--group (-g)", since: 0 },
  { bit: 3, name: "preserveLinks", text: "--links (-l)", since: 0 },
  { bit: 4, name: "preserveDevices", text: "--devices (-D)", since: 0 },
  { bit: 5, name: "preserveHardLinks", text: "--hard-links (-H)", since: 0 },
  { bit: 6, name: "checksum", text: "--checksum (-c)", since: 0 },
  { bit: 7, name: "dirs", text: "--dirs (-d)", since: 29 },
  { bit: 8, name: "compress", text: "--compress (-z)", since: 29 },
  { bit: 9, name: "iconv", text: "--iconv", since: 30 },
  { bit: 10, name: "preserveAcls", text: "--acls (-A)", since: 30 },
  { bit: 11, name: "preserveXattrs", text: "--xattrs (-X)", since: 30 },
  { bit: 12, name: "inplace", text: "--inplace", since: 30 },
  { bit: 13, name: "append", text: "--append", since: 30 },
  { bit: 14, name: "appendVerify", text: "--append-verify", since: 30 },
];

/** Which stream-shaping options a batch was written with. */
export type BatchFlags = Readonly<Record<BatchFlagName, boolean>>;

/** What the handshake settled. */
export interface BatchStart {
  readonly version: number;
  /** 0 before protocol 30. */
  readonly compatFlags: number;
  readonly checksumSeed: number;
}

export interface BatchHeader extends BatchStart {
  readonly flags: BatchFlags;
}

/** Flags that a batch of this version says nothing about keep the value the options gave them. */
export function batchFlagsOf(version: number): readonly BatchFlag[] {
  return BATCH_FLAGS.filter((flag) => version >= flag.since);
}

/**
 * Reads the header up to the seed. A version that we do not speak is ProtocolError 2 (label `version`); bits past the
 * table mean nothing. Batches carry no name lists: their names are old-style or forced.
 */
export function readBatchHeader(cursor: Cursor, ours: number): BatchHeader {
  const bits = cursor.i32le();
  const version = cursor.i32le();
  if (version > ours) {
    const text = `The protocol version in the batch file is too new (${version} > ${ours}).`;
    throw new ProtocolError("version", text, 2, cursor.offset - 4);
  }
  if (version < ProtocolVersion.leastSane) {
    const text = "protocol version mismatch -- is your shell clean?";
    const error = new ProtocolError("version", text, 2, cursor.offset - 4);
    throw error.advise("(see the rsync manpage for an explanation)");
  }
  if (version < ProtocolVersion.oldest) {
    throw new ProtocolError("version", `batch file of unsupported protocol ${version}`, 2, cursor.offset - 4);
  }
  const flags = {} as Record<BatchFlagName, boolean>;
  for (const { bit, name, since } of BATCH_FLAGS) flags[name] = version >= since && (bits & (1 << bit)) !== 0;
  const compatFlags = version >= 30 ? readVarint(cursor) : 0;
  return { flags, version, compatFlags, checksumSeed: cursor.i32le() };
}

/** The stream flags, which stand first. Upstream writes every bit it knows, whatever the version. */
export function writeBatchFlags(out: Writer, flags: BatchFlags): void {
  let bits = 0;
  for (const { bit, name } of BATCH_FLAGS) if (flags[name]) bits |= 1 << bit;
  out.i32le(bits);
}

/** The rest of the header, written once the handshake is over. */
export function writeBatchStart(out: Writer, start: BatchStart): void {
  out.i32le(start.version);
  if (start.version >= 30) writeVarint(out, start.compatFlags);
  out.i32le(start.checksumSeed);
}
