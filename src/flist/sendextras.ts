/**
 * ACLs and extended attributes behind the entries of a sent file list (upstream flist.c:send_file1, its part on them;
 * acls.c:send_acl; xattrs.c:send_xattr).
 *
 * They are read before the entry is written, since a file whose attributes cannot be read is left out of the list.
 */
import { type Acl, type AclType, EMPTY_ACL } from "../protocol/acl.ts";
import { type SentAcls } from "../protocol/aclstore.ts";
import type { Writer } from "../protocol/cursor.ts";
import { type WireXattr } from "../protocol/xattr.ts";
import { EMPTY_XATTRS, type SentXattrs } from "../protocol/xattrstore.ts";
import type { FileList } from "./filelist.ts";
import { FileType } from "./makefile.ts";

/** A file of the list as messages call it. */
export interface NamedFile {
  /** Its path below the root of the transfer. */
  readonly path: () => string;
  /** Its whole path in quotes. */
  readonly label: () => string;
}

/** Reads what a file has; see files/acls.ts and files/xattrs.ts. Null when that failed, which is reported. */
export interface ExtrasSource {
  acl(dirFd: number, name: number, type: AclType, mode: number, file: NamedFile): Acl | null;
  xattrs(dirFd: number, name: number, file: NamedFile): readonly WireXattr[] | null;
}

/** What sending them takes. */
export interface SentExtrasParts {
  readonly source: ExtrasSource;
  /** Null without --acls. */
  readonly acls: SentAcls | null;
  /** Null without --xattrs. */
  readonly xattrs: SentXattrs | null;
  readonly preserveLinks: boolean;
  readonly preserveDevices: boolean;
  readonly preserveSpecials: boolean;
}

/** The extras of one entry after the other. */
export class SentExtras {
  private readonly p: SentExtrasParts;
  private access: Acl = EMPTY_ACL;
  private defaults: Acl = EMPTY_ACL;
  private xattrs: readonly WireXattr[] = EMPTY_XATTRS;

  constructor(parts: SentExtrasParts) {
    this.p = parts;
  }

  /** Reads what a file of this mode has; false when that failed. */
  read(dirFd: number, name: number, mode: number, file: NamedFile): boolean {
    const { acls, source, xattrs } = this.p;
    this.access = this.defaults = EMPTY_ACL;
    this.xattrs = EMPTY_XATTRS;
    if (!this.hasKind(mode)) return true;
    if (acls !== null && (mode & FileType.mask) !== FileType.symlink) {
      const access = source.acl(dirFd, name, "access", mode, file);
      const defaults = access !== null && isDir(mode) ? source.acl(dirFd, name, "default", mode, file) : EMPTY_ACL;
      if (access === null || defaults === null) return false;
      this.access = access;
      this.defaults = defaults;
    }
    if (xattrs === null) return true;
    const found = source.xattrs(dirFd, name, file);
    this.xattrs = found ?? EMPTY_XATTRS;
    return found !== null;
  }

  /** Writes what was read behind the entry of `row`, and notes the set of xattrs for requests. */
  write(out: Writer, list: FileList, row: number): void {
    const { acls, xattrs } = this.p;
    const mode = list.mode[row];
    if (acls !== null && (mode & FileType.mask) !== FileType.symlink) {
      acls.write(out, "access", this.access, mode);
      if (isDir(mode)) acls.write(out, "default", this.defaults, mode);
    }
    if (xattrs !== null) list.want("xattrNdx")[row] = xattrs.write(out, this.xattrs);
  }

  /** Of types that the options leave out, nothing is read. */
  private hasKind(mode: number): boolean {
    const { preserveLinks, preserveDevices, preserveSpecials } = this.p;
    const type = mode & FileType.mask;
    if (type === FileType.symlink) return preserveLinks;
    if (type === FileType.fifo || type === FileType.socket) return preserveSpecials;
    return type === FileType.character || type === FileType.block ? preserveDevices : type !== 0;
  }
}

function isDir(mode: number): boolean {
  return (mode & FileType.mask) === FileType.directory;
}
