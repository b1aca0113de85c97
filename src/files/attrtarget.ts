/**
 * The file whose attributes are being compared or set: an open file, or a name in a held directory. One object is
 * aimed at one file after the other, so that no file costs one.
 */
import { type FileSystem } from "../posix/filesystem.ts";
import { type Confined } from "./confine.ts";
import { isDirectory, isFifo, isRegular } from "./perms.ts";
import { type FileRows } from "./rows.ts";
import { type XattrPlace } from "./xattrs.ts";

/** One component of a path is no longer on any system. */
const NAME_BYTES = 1024;

/** What the calls of one file act on: a descriptor, or a held directory and a name. */
export class AttrTarget {
  root: Confined;
  fd = -1;
  dirFd = -1;
  /** Address of the name, or 0 when `name` has to be written out for each call. */
  namePtr = 0;
  name = "";
  /** For messages; made from the row only when one is printed. */
  path: string | null = null;
  rows: FileRows | null = null;
  row = 0;
  /** The file as extended attributes are reached. */
  readonly place: { fd: number; name: number; isHeld: boolean } = { fd: -1, name: 0, isHeld: true };
  readonly toLabel = (): string => this.label();
  readonly toPath = (): string => this.shortLabel();
  /** Room for a name that has no address of its own; 0 before it was needed. */
  private nameRoom = 0;

  constructor(root: Confined) {
    this.root = root;
  }

  /** Brings `place` up to date. Calls by name are as good as those on an open file, and messages name them so. */
  locate(fs: FileSystem, mode: number): XattrPlace {
    const { place } = this;
    place.fd = this.fd >= 0 ? this.fd : this.dirFd;
    place.name = this.fd >= 0 ? 0 : this.namePtr !== 0 ? this.namePtr : this.keepName(fs);
    place.isHeld = isRegular(mode) || isDirectory(mode) || isFifo(mode);
    return place;
  }

  private keepName(fs: FileSystem): number {
    if (this.nameRoom === 0) this.nameRoom = fs.memory.alloc(NAME_BYTES);
    fs.memory.writeCString(this.nameRoom, this.name.slice(0, NAME_BYTES - 1));
    return this.nameRoom;
  }

  label(): string {
    const path = this.path ?? this.rows!.path(this.row);
    return this.root.quoted(path);
  }

  shortLabel(): string {
    return this.path ?? this.rows!.path(this.row);
  }

  ptr(fs: FileSystem): number {
    return this.namePtr !== 0 ? this.namePtr : fs.cstr(this.name);
  }
}
