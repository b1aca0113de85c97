/**
 * POSIX ACLs of files: reading, comparing and setting them through the kernel's two attributes, or with --fake-super
 * through two of rsync's own. Upstream acls.c: get_rsync_acl, set_rsync_acl, change_sacl_perms, default_perms_for_dir;
 * lib/acl.c.
 *
 * An access ACL in memory has no parts (EMPTY_ACL) where the mode tells everything. A mask stands for the mode's group
 * bits, so neither its value nor the owner's and the others' permissions are compared.
 */
import { type FileSystem } from "../posix/filesystem.ts";
import { type Acl, type AclName, type AclType, EMPTY_ACL } from "../protocol/acl.ts";
import { sortNames } from "../protocol/aclstore.ts";
import { CHMOD_BITS, isDirectory, S_ISGID, S_ISUID, S_ISVTX } from "./perms.ts";
import { type FileReporter } from "./report.ts";
import { call, type PathNames, RSYNC_PREFIX, type XattrPlace } from "./xattrs.ts";

/** Layout of system.posix_acl_*: a version, then entries of tag, permissions and id, little endian. */
const VERSION = 2;
const HEAD_BYTES = 4;
const ENTRY_BYTES = 8;
const Tag = { userObj: 1, user: 2, groupObj: 4, group: 8, mask: 16, other: 32 } as const;
const NO_ID = 0xffffffff;

/** Layout of --fake-super's attributes: four words for the objects, then id and permissions of each name. */
const OBJECT_BYTES = 16;
const FAKE_NO_ENTRY = 0x80;
const FAKE_IS_USER = 0x80000000;

/** What the kernel bears for an attribute's value. */
const MAX_BYTES = 65536;
const ACCESS_BITS = 0o777;
const GROUP_AND_OTHERS = 0o077;

const ATTRIBUTE = { access: "system.posix_acl_access", default: "system.posix_acl_default" } as const;
const FAKE_ATTRIBUTE = { access: `${RSYNC_PREFIX}%aacl`, default: `${RSYNC_PREFIX}%dacl` } as const;
/** As messages name them. */
const TYPE_NAME = { access: "ACL_TYPE_ACCESS", default: "ACL_TYPE_DEFAULT" } as const;

/** Reads and sets the ACLs of one side's files. */
export class AclFiles {
  private readonly fs: FileSystem;
  private readonly fake: boolean;
  private readonly reporter: FileReporter;
  /** One value, and the names of the two attributes, where libc can read them. */
  private readonly value: number;
  private readonly attributes: Record<AclType, number>;

  /** `fake`: --fake-super, which keeps ACLs in attributes that any owner may set. */
  constructor(fs: FileSystem, fake: boolean, reporter: FileReporter) {
    const { memory } = fs;
    this.fs = fs;
    this.fake = fake;
    this.reporter = reporter;
    this.value = memory.alloc(MAX_BYTES);
    const names = fake ? FAKE_ATTRIBUTE : ATTRIBUTE;
    const at = memory.alloc(128);
    this.attributes = { access: at, default: at + 64 };
    memory.writeCString(this.attributes.access, names.access);
    memory.writeCString(this.attributes.default, names.default);
  }

  /**
   * An ACL of the file at `place`, whose mode is `mode`; null (reported) when it cannot be read. `follow`: of what a
   * symlink points at. `path` is for messages.
   */
  read(place: XattrPlace, type: AclType, mode: number, path: () => string, follow = false): Acl | null {
    const { fs } = this;
    const { E } = fs.constants;
    const attribute = this.attributes[type];
    const length = fs.getXattr(place.fd, place.name, attribute, this.value, MAX_BYTES, follow && !this.fake);
    // What --fake-super cannot read, it has not stored.
    if (this.fake && length < 0) return EMPTY_ACL;
    if (length === -E.ENODATA || length === -E.EOPNOTSUPP || length === -E.ENOSYS || length === -E.EINVAL) {
      return EMPTY_ACL;
    }
    const acl = length < 0 ? null : this.fake ? this.decodeFake(length, mode) : this.decode(length);
    if (acl === null && !this.fake) {
      const errno = length < 0 ? -length : E.EINVAL;
      this.reporter.failed("errorXfer", errno, `get_acl: xacl_get(${path()}, ${TYPE_NAME[type]})`);
    }
    return acl === null || type === "default" || acl.maskObj !== null || acl.names.length > 0 ? acl : EMPTY_ACL;
  }

  /**
   * Gives a file an ACL, and with an access ACL the permissions of `mode`. `before`: its present mode. Returns the mode
   * that it has then, or -1 after a reported failure.
   */
  set(place: XattrPlace, type: AclType, acl: Acl, before: number, mode: number, names: PathNames): number {
    if (type === "default" && acl.userObj === null) return this.removeDefault(place, names.toPath) ? before : -1;
    if (this.fake) return this.setFake(place, type, acl, names.toLabel) ? before : -1;
    const safe = safeMode(before, mode);
    const length = type === "access" ? this.encodeAccess(acl, safe) : this.encodeDefault(acl);
    const result = length < 0 ? length
      : this.fs.setXattr(place.fd, place.name, this.attributes[type], this.value, length);
    if (result < 0) {
      this.reporter.failed("errorXfer", -result, `set_acl: xacl_set(${names.toPath()}, ${TYPE_NAME[type]})`);
      return -1;
    }
    return type === "access" ? (before & ~ACCESS_BITS) | (safe & ACCESS_BITS) : before;
  }

  /** The permissions that the default ACL of a directory gives new files, or -errno; -ENODATA without one. */
  defaultPerms(fd: number, name: number): number {
    const { fs } = this;
    const length = fs.getXattr(fd, name, this.attributes.default, this.value, MAX_BYTES);
    if (length < 0) return length;
    const acl = this.decode(length);
    if (acl === null || acl.userObj === null) return -fs.constants.E.ENODATA;
    return (acl.userObj << 6) | ((acl.maskObj ?? acl.groupObj ?? 0) << 3) | (acl.otherObj ?? 0);
  }

  private removeDefault(place: XattrPlace, path: () => string): boolean {
    const result = this.fs.removeXattr(place.fd, place.name, this.attributes.default);
    if (result >= 0 || result === -this.fs.constants.E.ENODATA) return true;
    this.reporter.failed("errorXfer", -result, `set_acl: sys_acl_delete_def_file(${path()})`);
    return false;
  }

  /** The ACL in the value buffer, null when it is none. */
  private decode(length: number): Acl | null {
    const { view } = this.fs.memory;
    const at = this.value;
    if (length < HEAD_BYTES || (length - HEAD_BYTES) % ENTRY_BYTES !== 0 || view.getUint32(at, true) !== VERSION) {
      return null;
    }
    const objects: Record<number, number> = {};
    const names: AclName[] = [];
    for (let entry = at + HEAD_BYTES; entry < at + length; entry += ENTRY_BYTES) {
      const tag = view.getUint16(entry, true);
      const access = view.getUint16(entry + 2, true) & 7;
      if (tag === Tag.user || tag === Tag.group) {
        names.push({ id: view.getUint32(entry + 4, true), isUser: tag === Tag.user, access, name: null });
      } else {
        objects[tag] ??= access;
      }
    }
    const part = (tag: number): number | null => objects[tag] ?? null;
    return {
      userObj: part(Tag.userObj), groupObj: part(Tag.groupObj), maskObj: part(Tag.mask), otherObj: part(Tag.other),
      names: sortNames(names),
    };
  }

  /** An access ACL for a mode: what the ACL leaves out, the mode tells. The value's length, or -errno. */
  private encodeAccess(acl: Acl, mode: number): number {
    const group = (mode >> 3) & 7;
    const mask = acl.maskObj === null ? null : group;
    return this.encode(acl.names, (mode >> 6) & 7, acl.groupObj ?? group, mask, mode & 7);
  }

  private encodeDefault(acl: Acl): number {
    return this.encode(acl.names, acl.userObj ?? 0, acl.groupObj ?? 0, acl.maskObj, acl.otherObj ?? 0);
  }

  /** Writes the value in the order that the kernel wants. */
  private encode(names: readonly AclName[], user: number, group: number, mask: number | null, other: number): number {
    if (HEAD_BYTES + (names.length + 4) * ENTRY_BYTES > MAX_BYTES) return -this.fs.constants.E.E2BIG;
    const { view } = this.fs.memory;
    view.setUint32(this.value, VERSION, true);
    let at = this.value + HEAD_BYTES;
    const put = (tag: number, access: number, id: number): void => {
      view.setUint16(at, tag, true);
      view.setUint16(at + 2, access & 7, true);
      view.setUint32(at + 4, id, true);
      at += ENTRY_BYTES;
    };
    put(Tag.userObj, user, NO_ID);
    for (const { isUser, access, id } of names) if (isUser) put(Tag.user, access, id);
    put(Tag.groupObj, group, NO_ID);
    for (const { isUser, access, id } of names) if (!isUser) put(Tag.group, access, id);
    if (mask !== null) put(Tag.mask, mask, NO_ID);
    put(Tag.other, other, NO_ID);
    return at - this.value;
  }

  // The same for --fake-super.

  private decodeFake(length: number, mode: number): Acl | null {
    const { view } = this.fs.memory;
    const at = this.value;
    if (length < OBJECT_BYTES || (length - OBJECT_BYTES) % ENTRY_BYTES !== 0) return null;
    const object = (offset: number, shift: number): number => {
      const access = view.getUint32(at + offset, true) & 0xff;
      return access === FAKE_NO_ENTRY ? (mode >> shift) & 7 : access;
    };
    const mask = view.getUint32(at + 8, true) & 0xff;
    const names: AclName[] = [];
    for (let entry = at + OBJECT_BYTES; entry < at + length; entry += ENTRY_BYTES) {
      const word = view.getUint32(entry + 4, true);
      const isUser = word >= FAKE_IS_USER;
      names.push({ id: view.getUint32(entry, true), isUser, access: word & 0x7fffffff, name: null });
    }
    return {
      userObj: object(0, 6), groupObj: object(4, 3), maskObj: mask === FAKE_NO_ENTRY ? null : mask,
      otherObj: object(12, 0), names,
    };
  }

  private setFake(place: XattrPlace, type: AclType, acl: Acl, label: () => string): boolean {
    const length = OBJECT_BYTES + acl.names.length * ENTRY_BYTES;
    const { fs } = this;
    const { E } = fs.constants;
    let result = -E.E2BIG;
    if (length <= MAX_BYTES) {
      const { view } = fs.memory;
      [acl.userObj, acl.groupObj, acl.maskObj, acl.otherObj].forEach((access, i) => {
        view.setUint32(this.value + 4 * i, access ?? FAKE_NO_ENTRY, true);
      });
      acl.names.forEach(({ id, isUser, access }, i) => {
        const at = this.value + OBJECT_BYTES + i * ENTRY_BYTES;
        view.setUint32(at, id, true);
        view.setUint32(at + 4, isUser ? access + FAKE_IS_USER : access, true);
      });
      result = fs.setXattr(place.fd, place.name, this.attributes[type], this.value, length);
    }
    if (result >= 0) return true;
    const what = `${call(place)}setxattr(${label()},"${FAKE_ATTRIBUTE[type]}")`;
    this.reporter.failed("errorXfer", -result, `set_xattr_acl: ${what} failed`);
    return false;
  }
}

/**
 * Whether a file's access ACL is the wanted one but for what the mode tells; `mode` is the wanted one. Upstream
 * rsync_acl_equal_enough.
 */
export function sameAccess(there: Acl, wanted: Acl, mode: number): boolean {
  if ((there.maskObj === null) !== (wanted.maskObj === null)) return false;
  if (there.maskObj !== null && there.groupObj !== (wanted.groupObj ?? ((mode >> 3) & 7))) return false;
  return sameNames(there.names, wanted.names);
}

/** Whether two default ACLs are the same. Upstream rsync_acl_equal. */
export function sameAcl(a: Acl, b: Acl): boolean {
  return a.userObj === b.userObj && a.groupObj === b.groupObj && a.maskObj === b.maskObj && a.otherObj === b.otherObj
    && sameNames(a.names, b.names);
}

function sameNames(a: readonly AclName[], b: readonly AclName[]): boolean {
  return a.length === b.length && a.every((one, i) => {
    const other = b[i];
    return one.id === other.id && one.isUser === other.isUser && one.access === other.access;
  });
}

/**
 * The mode whose permissions an ACL may grant at once: none for others while a sticky bit is still missing or a
 * set-id bit still there.
 */
function safeMode(before: number, mode: number): number {
  const goesOff = before & ~mode & CHMOD_BITS;
  const risky = isDirectory(mode) ? mode & ~before & S_ISVTX : goesOff & (S_ISUID | S_ISGID);
  return risky !== 0 ? mode & ~GROUP_AND_OTHERS : mode;
}
