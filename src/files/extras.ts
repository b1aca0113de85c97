/**
 * ACLs and extended attributes of list rows: what a file has, whether that is what its row wants, and giving it that.
 * Upstream rsync.c:set_file_attrs and generator.c:itemize, their parts on ACLs and xattrs.
 *
 * What was read of a file is kept in its stat record, so that comparing, reporting and setting read it once. Which row
 * wants what is told by two stores that mirror the peer's numbering.
 */
import { type StatRecord } from "../posix/filesystem.ts";
import { type Acl, EMPTY_ACL } from "../protocol/acl.ts";
import { type ReceivedAcls } from "../protocol/aclstore.ts";
import { EMPTY_XATTRS, type ReceivedXattrs, type StoredXattr } from "../protocol/xattrstore.ts";
import { type AclFiles, sameAccess, sameAcl } from "./acls.ts";
import { isDevice, isDirectory, isSpecial, isSymlink } from "./perms.ts";
import { type FileRows } from "./rows.ts";
import { type PathNames, type XattrFiles, type XattrPlace } from "./xattrs.ts";

/** For which types of file the options ask. */
interface ExtrasSettings {
  readonly preserveLinks: boolean;
  readonly preserveDevices: boolean;
  readonly preserveSpecials: boolean;
  readonly dryRun: boolean;
}

/** What a file is to get: null leaves that kind alone. */
export interface WantedExtras {
  accessAcl: Acl | null;
  defaultAcl: Acl | null;
  xattrs: readonly StoredXattr[] | null;
}

/** The parts that the options switch on; null for what is off. */
export interface ExtrasParts {
  readonly acls: AclFiles | null;
  readonly xattrs: XattrFiles | null;
  readonly receivedAcls: ReceivedAcls;
  readonly receivedXattrs: ReceivedXattrs;
}

/** See the head of this file. */
export class Extras {
  readonly parts: ExtrasParts;
  private readonly settings: ExtrasSettings;

  constructor(parts: ExtrasParts, settings: ExtrasSettings) {
    this.parts = parts;
    this.settings = settings;
  }

  /** Takes what a row wants. */
  want(wanted: WantedExtras, rows: FileRows, row: number): void {
    const { receivedAcls, receivedXattrs, xattrs } = this.parts;
    wanted.accessAcl = receivedAcls.get("access", rows.extra.aclNdx?.[row] ?? -1);
    wanted.defaultAcl = receivedAcls.get("default", rows.extra.defAclNdx?.[row] ?? -1);
    const set = rows.extra.xattrNdx?.[row] ?? -1;
    wanted.xattrs = xattrs === null || set < 0 ? null : receivedXattrs.get(set);
  }

  /** Takes the ACLs of a file that is there, as a copy of it wants them. */
  wantStat(wanted: WantedExtras, stat: StatRecord): void {
    wanted.accessAcl = stat.accessAcl;
    wanted.defaultAcl = stat.defaultAcl;
    wanted.xattrs = null;
  }

  /** Reads the ACLs of the file that `stat` describes, unless they are known. `path` is for messages. */
  loadAcls(place: XattrPlace, stat: StatRecord, path: () => string): void {
    const { acls } = this.parts;
    if (acls === null || stat.accessAcl !== null) return;
    if (!this.hasKind(stat.mode) || isSymlink(stat.mode)) {
      stat.accessAcl = EMPTY_ACL;
      return;
    }
    stat.accessAcl = acls.read(place, "access", stat.mode, path);
    if (isDirectory(stat.mode) && stat.accessAcl) stat.defaultAcl = acls.read(place, "default", stat.mode, path);
  }

  /** Reads the xattrs likewise. `label` is the path in quotes. */
  loadXattrs(place: XattrPlace, stat: StatRecord, label: () => string): void {
    const { xattrs } = this.parts;
    if (xattrs === null || stat.xattrs !== null) return;
    const readable = this.hasKind(stat.mode);
    stat.xattrs = (readable ? xattrs.read(place, label) : null) ?? EMPTY_XATTRS;
  }

  /** Whether a row wants other ACLs than were loaded. */
  aclsDiffer(rows: FileRows, row: number, stat: StatRecord): boolean {
    const { receivedAcls } = this.parts;
    const mode = rows.mode[row];
    const access = receivedAcls.get("access", rows.extra.aclNdx?.[row] ?? -1);
    if (access !== null && !isSameAccess(stat, access, mode)) return true;
    if (!isDirectory(mode)) return false;
    const defaults = receivedAcls.get("default", rows.extra.defAclNdx?.[row] ?? -1);
    return defaults !== null && !isSameDefault(stat, defaults);
  }

  /** Whether a row wants other xattrs than were loaded; `stat` null: nothing is there yet. */
  xattrsDiffer(rows: FileRows, row: number, stat: StatRecord | null): boolean {
    const { receivedXattrs } = this.parts;
    return receivedXattrs.differs(rows.extra.xattrNdx?.[row] ?? -1, stat?.xattrs ?? EMPTY_XATTRS);
  }

  /**
   * Sets the ACLs that differ from the loaded ones, and with an access ACL the permissions of `mode`, which then show
   * in `stat`. Returns 1 when something changed, 0 when not, -1 after a reported failure. Upstream set_acl.
   */
  setAcls(place: XattrPlace, wanted: WantedExtras, stat: StatRecord, mode: number, names: PathNames): number {
    const { acls } = this.parts;
    if (acls === null) return 0;
    let changed = 0;
    const { accessAcl, defaultAcl } = wanted;
    if (accessAcl !== null && !isSameAccess(stat, accessAcl, mode)) {
      changed = 1;
      const now = this.settings.dryRun ? stat.mode : acls.set(place, "access", accessAcl, stat.mode, mode, names);
      if (now < 0) return -1;
      stat.mode = now;
    }
    if (!isDirectory(mode) || defaultAcl === null || isSameDefault(stat, defaultAcl)) return changed;
    if (this.settings.dryRun) return 1;
    return acls.set(place, "default", defaultAcl, stat.mode, mode, names) < 0 ? -1 : 1;
  }

  /** Of the types that the options leave out, nothing is read. */
  private hasKind(mode: number): boolean {
    const { preserveLinks, preserveDevices, preserveSpecials } = this.settings;
    if (isSymlink(mode)) return preserveLinks;
    if (isSpecial(mode)) return preserveSpecials;
    return isDevice(mode) ? preserveDevices : mode !== 0;
  }
}

function isSameAccess(stat: StatRecord, wanted: Acl, mode: number): boolean {
  return stat.accessAcl !== null && sameAccess(stat.accessAcl, wanted, mode);
}

function isSameDefault(stat: StatRecord, wanted: Acl): boolean {
  return stat.defaultAcl !== null && sameAcl(stat.defaultAcl, wanted);
}
