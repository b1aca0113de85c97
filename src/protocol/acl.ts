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
/** Upstream's mark for a part that is not there, in a byte. */
const NO_ENTRY = 0x80;

/** Which of a file's ACLs. */
export type AclType = "access" | "default";

/** A permission set for one named user or group. */
export interface AclName {
  readonly id: number;
  readonly isUser: boolean;
  /** rwx bits; more of them only with --fake-super, which keeps what it gets. */
  readonly access: number;
  /** The id's name, sent with incremental recursion unless ids are numeric; else null. */
  readonly name: string | null;
}

/** The parts of an ACL; null where one is not sent, or not there. */
export interface Acl {
  readonly userObj: number | null;
  readonly groupObj: number | null;
  readonly maskObj: number | null;
  readonly otherObj: number | null;
  readonly names: readonly AclName[];
}

/** No part at all: what the mode alone tells, or an absent default ACL. */
export const EMPTY_ACL: Acl = { userObj: null, groupObj: null, maskObj: null, otherObj: null, names: [] };

/**
 * Reads ACLs, each in several pieces, since thousands of names are legal: `step` takes one piece and leaves the cursor
 * behind it. One reader serves a conversation.
 */
export class AclReader {
  /** After the last piece: the ACL's index among those of its type (0 is the first), or -1 for a new one in `acl`. */
  index = -1;
  acl: Acl = EMPTY_ACL;
  private readonly anyBits: boolean;
  private type: AclType = "access";
  private known = 0;
  /** Named entries to come; -1 before the head. */
  private left = -1;
  private names: AclName[] = [];

  /** `anyBits`: permissions past rwx pass (--fake-super stores other systems' ACLs). */
  constructor(anyBits: boolean) {
    this.anyBits = anyBits;
  }

  /** Starts an ACL. `known`: number of ACLs of this type met so far. */
  begin(known: number, type: AclType): void {
    this.known = known;
    this.type = type;
    this.left = -1;
  }

  /** Reads a piece; true when it was the last. Throws ProtocolError 12 for a bad index or permission, 2 for a count. */
  step(cursor: Cursor): boolean {
    if (this.left < 0) return this.readHead(cursor);
    this.names.push(this.readNamed(cursor));
    return --this.left === 0;
  }

  private readHead(cursor: Cursor): boolean {
    const ndx = readVarint(cursor);
    if (ndx < 0 || ndx > this.known) {
      const text = `recv_acl_index: ${this.type} ACL index ${ndx} > ${this.known}`;
      throw new ProtocolError("acl-ndx", text, ExitCode.streamIo, cursor.offset);
    }
    this.index = ndx - 1;
    if (ndx > 0) return true;
    const flags = cursor.u8();
    const userObj = this.readPart(cursor, flags & PART.userObj);
    const groupObj = this.readPart(cursor, flags & PART.groupObj);
    const maskObj = this.readPart(cursor, flags & PART.maskObj);
    const otherObj = this.readPart(cursor, flags & PART.otherObj);
    const count = flags & PART.names
      ? readVarintBounded(cursor, 0, WireLimit.aclCount, "acl-count", "ACL count") : 0;
    this.names = [];
    this.acl = { userObj, groupObj, maskObj, otherObj, names: this.names };
    this.left = count;
    return count === 0;
  }

  private readPart(cursor: Cursor, present: number): number | null {
    if (present === 0) return null;
    const access = this.checked(cursor, readVarint(cursor)) & 0xff;
    return access === NO_ENTRY ? null : access;
  }

  private readNamed(cursor: Cursor): AclName {
    const id = readVarint(cursor) >>> 0;
    const word = readVarint(cursor);
    const access = this.checked(cursor, word >>> 2);
    const name = word & NAME.follows ? readName(cursor) : null;
    return { id, isUser: (word & NAME.isUser) !== 0, access, name };
  }

  private checked(cursor: Cursor, access: number): number {
    if (this.anyBits || (access & ~VALID_BITS) === 0) return access;
    const text = `recv_acl_access: value out of range: ${(access >>> 0).toString(16)}`;
    throw new ProtocolError("acl-access", text, ExitCode.streamIo, cursor.offset);
  }
}

function readName(cursor: Cursor): string {
  const bytes = cursor.take(cursor.u8());
  return latin1(bytes, 0, bytes.length);
}

/** Names an ACL that was sent before, by its index among those of its type. */
export function writeAclIndex(out: Writer, index: number): void {
  writeVarint(out, index + 1);
}

/** Upstream acls.c:send_rsync_acl. A name of more than 255 bytes cannot be sent and is left out. */
export function writeAcl(out: Writer, acl: Acl): void {
  const { userObj, groupObj, maskObj, otherObj, names } = acl;
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

function writeName(out: Writer, entry: AclName): void {
  const name = entry.name !== null && entry.name.length <= 0xff ? entry.name : null;
  writeVarint(out, entry.id);
  writeVarint(out, (entry.access << 2) | (entry.isUser ? NAME.isUser : 0) | (name === null ? 0 : NAME.follows));
  if (name === null) return;
  out.u8(name.length);
  out.latin1(name);
}
