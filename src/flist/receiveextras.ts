/**
 * What follows an entry of the file list with --acls and --xattrs: its ACLs and its set of extended attributes, each
 * in full or by number (upstream flist.c:recv_file_entry, its end; acls.c:receive_acl; xattrs.c:receive_xattr).
 *
 * They are read in pieces, as they may be longer than an input buffer.
 */
import { type Acl, type AclName, AclReader, type AclType } from "../protocol/acl.ts";
import { type ReceivedAcls, sortNames } from "../protocol/aclstore.ts";
import type { Cursor } from "../protocol/cursor.ts";
import { type WireXattr, XATTR_LIMITS, XattrSetReader } from "../protocol/xattr.ts";
import { type ReceivedXattrs, type StoredXattr } from "../protocol/xattrstore.ts";
import type { FileList } from "./filelist.ts";
import type { ReceiverIds } from "./idmap.ts";

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

/** What receiving them takes. */
export interface ReceivedExtras {
  /** Null without --acls. */
  readonly acls: ReceivedAcls | null;
  /** Permissions past rwx pass (--fake-super). */
  readonly anyAccess: boolean;
  /** Null without --xattrs. */
  readonly xattrs: ReceivedXattrs | null;
  /** Length of the digests of long values. */
  readonly digestBytes: number;
  /** A set as this side keeps it: its own names, sorted. */
  readonly kept: (xattrs: readonly WireXattr[]) => readonly StoredXattr[];
}

type Part = AclType | "xattrs" | "none";

/** Reads the extras of one entry after the other. */
export class ExtrasReceiver {
  private readonly p: ReceivedExtras;
  private readonly ids: ReceiverIds;
  private readonly mapsIds: { readonly user: boolean; readonly group: boolean };
  private readonly aclReader: AclReader;
  private readonly xattrReader: XattrSetReader;
  private part: Part = "none";
  private list!: FileList;
  private row = 0;

  /** `mapsIds`: ids without a name are mapped at once, as with incremental recursion. */
  constructor(
    parts: ReceivedExtras, ids: ReceiverIds, mapsIds: { readonly user: boolean; readonly group: boolean },
  ) {
    this.p = parts;
    this.ids = ids;
    this.mapsIds = mapsIds;
    this.aclReader = new AclReader(parts.anyAccess);
    this.xattrReader = new XattrSetReader(parts.digestBytes, XATTR_LIMITS);
  }

  /** Starts with what follows the entry of a row; false when nothing does. */
  begin(list: FileList, row: number): boolean {
    this.list = list;
    this.row = row;
    const isLink = (list.mode[row] & S_IFMT) === S_IFLNK;
    this.part = this.p.acls !== null && !isLink ? this.beginAcl("access") : this.beginXattrs();
    return this.part !== "none";
  }

  /** Reads a piece; true when the entry's last was read. May throw NEED_MORE, or ProtocolError. */
  step(cursor: Cursor): boolean {
    if (this.part === "xattrs") {
      if (this.xattrReader.step(cursor)) this.endXattrs();
    } else if (this.part !== "none" && this.aclReader.step(cursor)) {
      this.endAcl(this.part);
    }
    return this.part === "none";
  }

  private beginAcl(type: AclType): Part {
    this.aclReader.begin(this.p.acls!.count(type), type);
    return type;
  }

  private beginXattrs(): Part {
    if (this.p.xattrs === null) return "none";
    this.xattrReader.begin(this.p.xattrs.count);
    return "xattrs";
  }

  private endAcl(type: AclType): void {
    const { aclReader, list, row } = this;
    const mode = list.mode[row];
    const known = aclReader.index;
    const index = known >= 0 ? known : this.p.acls!.add(type, this.localAcl(aclReader.acl), mode);
    list.want(type === "access" ? "aclNdx" : "defAclNdx")[row] = index;
    const isDir = (mode & S_IFMT) === S_IFDIR;
    this.part = type === "access" && isDir ? this.beginAcl("default") : this.beginXattrs();
  }

  private endXattrs(): void {
    const { xattrReader, list, row } = this;
    const known = xattrReader.index;
    const index = known >= 0 ? known : this.p.xattrs!.add(this.p.kept(xattrReader.xattrs));
    list.want("xattrNdx")[row] = index;
    this.part = "none";
  }

  /** The ACL with ids mapped as far as that is possible before the lists of names. */
  private localAcl(acl: Acl): Acl {
    if (acl.names.length === 0) return acl;
    return { ...acl, names: sortNames(acl.names.map((entry) => ({ ...entry, id: this.localId(entry), name: null }))) };
  }

  private localId({ id, isUser, name }: AclName): number {
    const { ids, mapsIds } = this;
    if (name !== null) return isUser ? ids.addUser(id, name) : ids.addGroup(id, name);
    if (isUser) return mapsIds.user ? ids.matchUser(id) : id;
    return mapsIds.group ? ids.matchGroup(id) : id;
  }
}
