/**
 * Extended attributes of files: reading a file's set as it is compared and sent, giving a file a set, copying one.
 * Upstream xattrs.c: rsync_xal_get, rsync_xal_set, copy_xattrs, receive_xattr's rules for names.
 *
 * Without filter rules for attributes the system namespace is left out (ACLs have an option of their own), and for an
 * ordinary user's receiver all but the user namespace. Attributes are reached through an open file, or by a held
 * directory and a name, never through a symlink.
 */
import { type Digest } from "../checksum/digest.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { WireLimit } from "../protocol/constants.ts";
import { FULL_VALUE_BYTES, type WireXattr } from "../protocol/xattr.ts";
import { EMPTY_XATTRS, type StoredXattr, storedXattr } from "../protocol/xattrstore.ts";
import { type FileReporter } from "./report.ts";

const USER = "user.";
const SYSTEM = "system.";
/** Where --fake-super keeps what it must not set, and attributes of other namespaces. */
export const RSYNC_PREFIX = "user.rsync.";
const NAMES_BYTES = 1024;
const VALUE_BYTES = 65536;
/** More than the longest name that travels, with the prefix of --fake-super. */
const ATTRIBUTE_BYTES = WireLimit.xattrName + 64;

/** What decides which attributes count. */
export interface XattrRules {
  /** Upstream am_root: 1 root, 0 an ordinary user, -1 --fake-super. */
  readonly amRoot: -1 | 0 | 1;
  readonly amSender: boolean;
  /** -XX: rsync's own attributes are copied like any other. */
  readonly ownToo: boolean;
  /** The filter rules; merge files may bring some for attributes at any time. */
  readonly filters: { readonly hasXattrRules: boolean; isXattrExcluded(name: string): boolean };
}

/** A file whose attributes are meant: `name` in the directory `fd`, or with `name` 0 the open file `fd`. */
export interface XattrPlace {
  readonly fd: number;
  /** Address of the NUL-terminated name. */
  readonly name: number;
  /** False for types that upstream reaches by path; only for messages. */
  readonly isHeld?: boolean;
}

/** A file as messages name it: by its path, and by its whole path in quotes. */
export interface PathNames {
  readonly toPath: () => string;
  readonly toLabel: () => string;
}

/** Reads and sets attributes by one side's rules. */
export class XattrFiles {
  private readonly fs: FileSystem;
  private readonly digest: Digest;
  /** Length of the digests of long values. */
  readonly digestBytes: number;
  private readonly rules: XattrRules;
  private readonly reporter: FileReporter;
  private readonly names = { ptr: 0, byteLength: 0 };
  private readonly value = { ptr: 0, byteLength: 0 };
  /** An attribute's name for libc: places may hold one of the file system's few slots for names. */
  private readonly attribute: number;

  constructor(fs: FileSystem, digest: Digest, rules: XattrRules, reporter: FileReporter) {
    this.fs = fs;
    this.digest = digest;
    this.digestBytes = digest.byteLength;
    this.rules = rules;
    this.reporter = reporter;
    this.attribute = fs.memory.alloc(ATTRIBUTE_BYTES);
  }

  /**
   * The file's attributes, sorted by name, long values as digests; null (reported) when they cannot be read. `label`:
   * the path in quotes, for messages.
   */
  read(place: XattrPlace, label: () => string): readonly WireXattr[] | null {
    const names = this.list(place, label);
    if (names === null) return null;
    const { amRoot, amSender } = this.rules;
    const wanted = names.filter((name) => this.counts(name, !amSender && amRoot === 0) && !this.isOwn(name));
    if (wanted.length === 0) return EMPTY_XATTRS;
    const xattrs: WireXattr[] = [];
    for (const name of wanted) {
      const byteLength = this.load(place, name, label);
      if (byteLength < 0) return null;
      xattrs.push({ name, byteLength, data: this.loaded(byteLength) });
    }
    return xattrs.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** One value in full, or null (reported): what a receiver asks for. */
  readValue(place: XattrPlace, name: string, label: () => string): Uint8Array | null {
    const byteLength = this.load(place, name, label);
    return byteLength < 0 ? null : this.fs.memory.bytes(this.value.ptr, byteLength).slice();
  }

  /**
   * Gives a file the attributes of a set and takes away what is not in it. A long value that never travelled is looked
   * for in `basis`, the old version of the file (which may be the file itself). Returns whether anything was set.
   */
  apply(
    place: XattrPlace, wanted: readonly StoredXattr[], basis: XattrPlace | null, label: () => string,
  ): boolean {
    const names = this.list(place, label);
    if (names === null) return false;
    let changed = false;
    for (const xattr of wanted) {
      const known = xattr.value;
      const value = known ?? this.fromBasis(xattr, basis, label);
      // What was found in the file itself is there already.
      if (value === null || (known === null && basis === place)) continue;
      if (this.set(place, xattr.name, this.stage(value), value.length, label)) changed = true;
    }
    for (const name of names) {
      if (!this.counts(name, this.rules.amRoot <= 0) || (this.rules.amRoot < 0 && isFakeSuperName(name))) continue;
      if (wanted.some((xattr) => xattr.name === name)) continue;
      if (this.remove(place, name, label)) changed = true;
    }
    return changed;
  }

  /** Copies all attributes of one file to another. False after a reported failure. */
  copy(from: XattrPlace, to: XattrPlace, fromLabel: () => string, toLabel: () => string): boolean {
    const names = this.list(from, fromLabel);
    if (names === null) return false;
    for (const name of names) {
      if (!this.counts(name, !this.rules.amSender && this.rules.amRoot <= 0)) continue;
      const byteLength = this.load(from, name, fromLabel);
      if (byteLength < 0) return false;
      const result = this.fs.setXattr(to.fd, to.name, this.named(name), this.value.ptr, byteLength);
      if (result >= 0) continue;
      this.reporter.failed("errorXfer", -result, `copy_xattrs: fsetxattr(${toLabel()},"${name}") failed`);
      return false;
    }
    return true;
  }

  /**
   * A received set under the names that it is stored by here, sorted; what this side does not keep is left out.
   * Upstream receive_xattr.
   */
  received(xattrs: readonly WireXattr[]): readonly StoredXattr[] {
    const { amRoot, filters, ownToo } = this.rules;
    const stored: StoredXattr[] = [];
    xattrs.forEach((xattr, i) => {
      let { name } = xattr;
      if (filters.hasXattrRules && filters.isXattrExcluded(name)) return;
      if (amRoot <= 0 && !name.startsWith(USER)) {
        if (amRoot === 0 && !filters.hasXattrRules) return;
        name = RSYNC_PREFIX + name;
      }
      if (!ownToo && isOwnName(name)) return;
      stored.push(storedXattr(name, xattr, i + 1));
    });
    return stored.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** Whether the filter rules, or without any the namespaces, let an attribute count. */
  private counts(name: string, userOnly: boolean): boolean {
    const { filters } = this.rules;
    if (filters.hasXattrRules) return !filters.isXattrExcluded(name);
    return userOnly ? name.startsWith(USER) : !name.startsWith(SYSTEM);
  }

  /** rsync's own attributes, which do not travel: all of them from a sender, those of --fake-super under it. */
  private isOwn(name: string): boolean {
    if (!isOwnName(name)) return false;
    const { amRoot, amSender, ownToo } = this.rules;
    if (amSender && !ownToo) return true;
    return amRoot < 0 && isFakeSuperName(name);
  }


  /** All names of a file's attributes, or null (reported). Without support for attributes there are none. */
  private list(place: XattrPlace, label: () => string): readonly string[] | null {
    const { fs, names } = this;
    const { E } = fs.constants;
    this.makeRoom(names, NAMES_BYTES);
    let length = fs.listXattr(place.fd, place.name, names.ptr, names.byteLength);
    while (length === -E.ERANGE) {
      const needed = fs.listXattr(place.fd, place.name, 0, 0);
      if (needed < 0) {
        length = needed;
        break;
      }
      this.makeRoom(names, needed + NAMES_BYTES);
      length = fs.listXattr(place.fd, place.name, names.ptr, names.byteLength);
    }
    if (length === 0 || length === -E.EOPNOTSUPP) return NO_NAMES;
    if (length < 0) {
      const text = `get_xattr_names: llistxattr(${label()},${names.byteLength}) failed`;
      this.reporter.failed("errorXfer", -length, text);
      return null;
    }
    return fs.memory.readLatin1(names.ptr, length - 1).split("\0");
  }

  /** Reads a value into the value buffer; its length, or -1 (reported). */
  private load(place: XattrPlace, name: string, label: () => string): number {
    const length = this.get(place, name);
    if (length >= 0) return length;
    this.reporter.failed("errorXfer", -length, `get_xattr_data: lgetxattr(${label()},"${name}",0) failed`);
    return -1;
  }

  /** As `load`, -errno for a failure. */
  private get(place: XattrPlace, name: string): number {
    const { fs, value } = this;
    this.makeRoom(value, VALUE_BYTES);
    const attribute = this.named(name);
    let length = fs.getXattr(place.fd, place.name, attribute, value.ptr, value.byteLength);
    while (length === -fs.constants.E.ERANGE) {
      const needed = fs.getXattr(place.fd, place.name, attribute, 0, 0);
      if (needed < 0) return needed;
      this.makeRoom(value, needed);
      length = fs.getXattr(place.fd, place.name, attribute, value.ptr, value.byteLength);
    }
    return length;
  }

  /** The value that was just read, or its digest. */
  private loaded(byteLength: number): Uint8Array {
    const { digest, fs, value } = this;
    if (byteLength <= FULL_VALUE_BYTES) return fs.memory.bytes(value.ptr, byteLength).slice();
    const sum = new Uint8Array(digest.byteLength);
    digest.init();
    digest.update(value.ptr, byteLength);
    digest.final(sum, 0);
    return sum;
  }

  /** A value that the sender need not send again, or null (reported). */
  private fromBasis(xattr: StoredXattr, basis: XattrPlace | null, label: () => string): Uint8Array | null {
    const byteLength = basis === null ? -1 : this.get(basis, xattr.name);
    const sum = byteLength === xattr.byteLength ? this.loaded(byteLength) : null;
    if (sum === null || sum.some((byte, i) => byte !== xattr.data[i])) {
      this.reporter.print("error", `Missing abbreviated xattr value, ${xattr.name}, for ${label()}`);
      return null;
    }
    xattr.value = this.fs.memory.bytes(this.value.ptr, byteLength).slice();
    return xattr.value;
  }

  /** Copies a value to where libc can read it. */
  private stage(bytes: Uint8Array): number {
    const { fs, value } = this;
    this.makeRoom(value, Math.max(bytes.length, VALUE_BYTES));
    fs.memory.u8.set(bytes, value.ptr);
    return value.ptr;
  }

  private named(name: string): number {
    this.fs.memory.writeCString(this.attribute, name);
    return this.attribute;
  }

  private set(place: XattrPlace, name: string, ptr: number, byteLength: number, label: () => string): boolean {
    const result = this.fs.setXattr(place.fd, place.name, this.named(name), ptr, byteLength);
    if (result >= 0) return true;
    this.reporter.failed("errorXfer", -result, `rsync_xal_set: ${call(place)}setxattr(${label()},"${name}") failed`);
    return false;
  }

  private remove(place: XattrPlace, name: string, label: () => string): boolean {
    const result = this.fs.removeXattr(place.fd, place.name, this.named(name));
    if (result >= 0) return true;
    this.reporter.failed("errorXfer", -result, `rsync_xal_set: ${call(place)}removexattr(${label()},"${name}") failed`);
    return false;
  }

  private makeRoom(buffer: { ptr: number; byteLength: number }, byteLength: number): void {
    if (buffer.byteLength >= byteLength) return;
    const { memory } = this.fs;
    if (buffer.ptr !== 0) memory.release(buffer.ptr);
    buffer.ptr = memory.alloc(byteLength);
    buffer.byteLength = byteLength;
  }
}

const NO_NAMES: readonly string[] = [];

function isOwnName(name: string): boolean {
  return name.startsWith(RSYNC_PREFIX) && name[RSYNC_PREFIX.length] === "%";
}

/** What --fake-super itself keeps. */
function isFakeSuperName(name: string): boolean {
  return isOwnName(name) && ["stat", "aacl", "dacl"].includes(name.slice(RSYNC_PREFIX.length + 1));
}

/** The letter by which messages tell the system call. */
export function call(place: XattrPlace): "f" | "l" {
  return place.name === 0 || place.isHeld === true ? "f" : "l";
}
