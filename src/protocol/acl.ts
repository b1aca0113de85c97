/**
 * POSIX ACLs within a file-list entry (labels `acl-ndx`, `acl-flags`, `acl-access`, `acl-count`, `acl-id`,
 * `acl-name`). Upstream acls.c:send_rsync_acl, recv_rsync_acl, send_ida_entries, recv_ida_entries. Protocol 30 on.
 *
 * An entry carries its access ACL and, for a directory, its default ACL. An ACL that was sent before is named by its
 * index among those of its type. Permission sets that the mode already tells are left out by the sender.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { WireLimit } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";
import { readVarint, readVarintBounded, writeVarint } from "./integers.ts";

/** Bits of `acl-flags`: which parts follow. */
const PART = { userObj: 1, groupObj: 2, maskObj: 4, otherObj: 8, names: 16 } as const;

/** Low bits of a named entry's access word, below the shifted permissions. */
const NAME = { follows: 1, isUser: 2 } as const;

/** rwx. */
const VALID_BITS = 7;

/** A permission set for one named user or group. */
export interface WireAclName {
  readonly id: number;
  readonly isUser: boolean;
  /** rwx bits. */
  readonly access: number;
  /** The id's name, sent with incremental recursion unless ids are numeric; else null. */
  readonly name: string | null;
}

/** The parts of an ACL; null where one is not sent. */
export interface WireAcl {
  readonly userObj: number | null;
  readonly groupObj: number | null;
  readonly maskObj: number | null;
  readonly otherObj: number | null;
  readonly names: readonly WireAclName[];
}

/** An ACL by index (0 is the first of its type ever sent), or in full. */
export type WireAclRef =
  | { readonly kind: "known"; readonly index: number }
  | { readonly kind: "new"; readonly acl: WireAcl };

/**
 * Reads one ACL. `known`: number of ACLs of this type met so far; `type`: "access" or "default", for messages.
 * Throws ProtocolError 12 for a bad index or permission, 2 for a bad count.
 */
export function readAcl(cursor: Cursor, known: number, type: "access" | "default"): WireAclRef {
  const ndx = readVarint(cursor);
  if (ndx < 0 || ndx > known) {
    const text = `recv_acl_index: ${type} ACL index ${ndx} > ${known}`;
    throw new ProtocolError("acl-ndx", text, ExitCode.streamIo, cursor.offset);
  }
  if (ndx > 0) return { kind: "known", index: ndx - 1 };
  const flags = cursor.u8();
  const part = (bit: number): number | null => (flags & bit ? checkedAccess(cursor, readVarint(cursor)) : null);
  const userObj = part(PART.userObj);
  const groupObj = part(PART.groupObj);
  const maskObj = part(PART.maskObj);
  const otherObj = part(PART.otherObj);
  const names = flags & PART.names ? readNames(cursor) : [];
  return { kind: "new", acl: { userObj, groupObj, maskObj, otherObj, names } };
}

function readNames(cursor: Cursor): WireAclName[] {
  const count = readVarintBounded(cursor, 0, WireLimit.aclCount, "acl-count", "ACL count");
  const names: WireAclName[] = [];
  for (let i = 0; i < count; i++) {
    const id = readVarint(cursor) >>> 0;
    const word = readVarint(cursor);
    const access = checkedAccess(cursor, word >>> 2);
    const name = word & NAME.follows ? readName(cursor) : null;
    names.push({ id, isUser: (word & NAME.isUser) !== 0, access, name });
  }
  return names;
}

function readName(cursor: Cursor): string {
  const bytes = cursor.take(cursor.u8());
  return latin1(bytes, 0, bytes.length);
}

function checkedAccess(cursor: Cursor, access: number): number {
  if ((access & ~VALID_BITS) === 0) return access;
  const text = `recv_acl_access: value out of range: ${(access >>> 0).toString(16)}`;
  throw new ProtocolError("acl-access", text, ExitCode.streamIo, cursor.offset);
}

/** Upstream acls.c:send_rsync_acl. A name of more than 255 bytes cannot be sent and is left out. */
export function writeAcl(out: Writer, ref: WireAclRef): void {
  if (ref.kind === "known") {
    writeVarint(out, ref.index + 1);
    return;
  }
  const { userObj, groupObj, maskObj, otherObj, names } = ref.acl;
  const objects = [userObj, groupObj, maskObj, otherObj];
  let flags = names.length > 0 ? PART.names : 0;
  objects.forEach((access, i) => (flags |= access === null ? 0 : 1 << i));
  writeVarint(out, 0);
  out.u8(flags);
  for (const access of objects) if (access !== null) writeVarint(out, access);
  if (names.length === 0) return;
  writeVarint(out, names.length);
  for (const entry of names) writeName(out, entry);
}

function writeName(out: Writer, entry: WireAclName): void {
  const name = entry.name !== null && entry.name.length <= 0xff ? entry.name : null;
  writeVarint(out, entry.id);
  writeVarint(out, (entry.access << 2) | (entry.isUser ? NAME.isUser : 0) | (name === null ? 0 : NAME.follows));
  if (name === null) return;
  out.u8(name.length);
  out.latin1(name);
}
