/**
 * Building the file list from the wire: entries become rows, names are checked, ids mapped, directories noted
 * (upstream flist.c: recv_file_list, the second half of recv_file_entry; uidlist.c: recv_id_list).
 *
 * A name from the peer must be clean and relative (absolute only with --relative, whose leading slash is dropped
 * after sorting), may hold no "..", and in a segment of incremental recursion must lie in the directory that the
 * segment was announced for. Anything else ends the session.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { cleanName } from "../filter/paths.ts";
import { FileFlag, IoError } from "../protocol/constants.ts";
import type { FlistFields, ProtocolContext } from "../protocol/context.ts";
import { NEED_MORE, type Cursor } from "../protocol/cursor.ts";
import { FlistEntryReader, WireEntry } from "../protocol/flistentry.ts";
import { readIdName, type IdName } from "../protocol/idlist.ts";
import { countType, newFlistCounts, type FlistCounts } from "./counts.ts";
import type { FileList } from "./filelist.ts";
import { copyRows, type HandedSegment, type RowIds } from "./handover.ts";
import type { IdevTable } from "./hardlink.ts";
import type { ReceiverIds, SenderIds } from "./idmap.ts";
import { ExtrasReceiver, type ReceivedExtras } from "./receiveextras.ts";
import { ReceivedNames } from "./receivednames.ts";
import type { Segments } from "./segments.ts";
import type { NameConversion } from "./sentnames.ts";
import { cleanList } from "./clean.ts";
import { rowDepth } from "./nameorder.ts";
import { sortList } from "./sort.ts";

const SLASH = 0x2f;
const DOT = 0x2e;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

/** The few settings that shape a received list. */
export interface ReceiveOptions {
  readonly recurse: boolean;
  readonly relative: boolean;
  readonly ignoreErrors: boolean;
  /** --delete-missing-args: entries of mode 0 are legal. */
  readonly deleteMissingArgs: boolean;
  readonly pruneEmptyDirs: boolean;
  /** Rows are known by the numbers they travelled with (--iconv). */
  readonly keepsNumbers: boolean;
  /** For --prune-empty-dirs: directories that a filter hides are kept. */
  readonly isExcludedDir?: (path: string) => boolean;
  /** --chmod on the receiving side; not called for symlinks. */
  readonly tweakMode?: (mode: number) => number;
  /** Symlink targets as stored (--munge-links). `depth`: how many directories of the transfer the link is below. */
  readonly tweakLink?: (target: Uint8Array, depth: number) => Uint8Array;
  /**
   * Checks a name against what was asked for (upstream's implied and server filters); throws ProtocolError 4. Not
   * called for the transfer root.
   */
  readonly accept?: (path: string, isDir: boolean) => void;
  /** True when `accept` takes whatever lies in a directory ("" for the root), so that its names need not be shown. */
  readonly acceptsAllIn?: (dir: string) => boolean;
  /** True for a directory that is only the parent of what was asked for (exclude.c:is_implied_parent_dir). */
  readonly isImpliedParent?: (path: string) => boolean;
}

/** What a receiver of lists works with. */
export interface FlistReceiverParts {
  readonly context: ProtocolContext;
  readonly fields: FlistFields;
  readonly options: ReceiveOptions;
  readonly segments: Segments;
  readonly ids: ReceiverIds;
  /** Groups hard links before protocol 30; null otherwise. */
  readonly inodes: IdevTable | null;
  /** Null without --acls and --xattrs. */
  readonly extras: ReceivedExtras | null;
  /** Null without --iconv. */
  readonly names: NameConversion | null;
}

type Phase = "idle" | "entries" | "extras" | "users" | "groups" | "ioError";

/** Receives the segments of one conversation, one after the other. */
export class FlistReceiver {
  /** io_error bits that the sender reported so far. */
  ioError = 0;
  readonly counts: FlistCounts = newFlistCounts();
  /** Told of each name that has come, for --debug=flist2; null when nobody asks. */
  named: ((path: string) => void) | null = null;
  /** Told of rows that are hard links to other rows, for --debug=hlink; null when nobody asks. */
  linked: ((ndx: number, first: number, here: boolean) => void) | null = null;
  /** Told of names that have come twice, for --debug=dup; null when nobody asks. */
  dropped: ((path: string, ndx: number) => void) | null = null;
  private readonly p: FlistReceiverParts;
  private readonly reader: FlistEntryReader;
  private readonly entry = new WireEntry();
  private readonly extras: ExtrasReceiver | null;
  private readonly names: ReceivedNames | null;
  /** Directories without a name here, by their rows in the directory list: what lies in them has none either. */
  private readonly unnamedDirs = new Set<number>();
  private readonly pair: IdName = { id: 0, name: "" };
  private phase: Phase = "idle";
  private list: FileList | null = null;
  private dirNdx = -1;
  private groupFlags = 0;
  // The directory of the last row: its path's bytes as received, and its index.
  private lastDir: Uint8Array = new Uint8Array(0);
  private lastDirId = 0;
  // Directory index that was last found to be the announced one, and one in which every name is accepted.
  private goodDirId = -1;
  private openDirId = -1;
  private inoCount = 0;
  // Protocols before 30 mark only the roots; what lies below one has contents too.
  private inDeleteTree = false;
  private deleteTreeLength = 0;

  constructor(parts: FlistReceiverParts) {
    this.p = parts;
    this.reader = new FlistEntryReader(parts.context, parts.fields, {
      user: (id, name) => this.user(id, name),
      group: (id, name) => this.group(id, name),
      sibling: (ndx, entry) => this.sibling(ndx, entry),
      missingArgs: parts.options.deleteMissingArgs,
    });
    const { context, extras, fields, ids } = parts;
    const maps = { user: context.incRecurse && !fields.numericIds, group: context.incRecurse && ids.mapsAclGroups };
    this.names = parts.names === null ? null : new ReceivedNames(parts.names);
    this.extras = extras === null ? null : new ExtrasReceiver(extras, ids, maps);
  }

  /** Starts a segment: -1 for the first list, else the directory (row of `segments.dirList`) it was announced for. */
  begin(dirNdx: number): void {
    const { segments } = this.p;
    if (dirNdx >= 0) this.announce(dirNdx);
    this.list = segments.create();
    this.dirNdx = dirNdx;
    this.goodDirId = -1;
    this.openDirId = -1;
    this.phase = "entries";
  }

  /**
   * Consumes what is there of the segment. Returns the finished list, sorted, cleaned and part of the chain, or null
   * when more bytes are needed; the cursor then stands at the start of the unfinished item. Throws ProtocolError.
   */
  feed(cursor: Cursor): FileList | null {
    let mark = cursor.pos;
    try {
      for (;;) {
        mark = cursor.pos;
        if (this.step(cursor)) return this.publish();
      }
    } catch (error) {
      if (error !== NEED_MORE) throw error;
      cursor.pos = mark;
      return null;
    }
  }

  /** Takes a segment over from its sender, in place of its bytes. `names`: those of its ids, as they would come. */
  adopt(segment: HandedSegment, names: SenderIds): FileList {
    const list = this.list!;
    const { counts } = this;
    copyRows(segment.list, list, this.p.fields, this.idsOf(names));
    counts.numFiles += list.used;
    for (let row = 0; row < list.used; row++) countType(counts, list.mode[row], list.size[row]);
    this.noteIoError(segment.ioError);
    return this.publish(true);
  }

  private idsOf(names: SenderIds): RowIds {
    const { numericIds } = this.p.fields;
    return {
      user: (id) => this.user(id, numericIds ? null : names.user(id)),
      group: (id) => this.group(id, numericIds ? null : names.group(id)),
      groupFlags: (to) => this.p.ids.groupFlags(to),
    };
  }

  /** Reads one item; true when the list is complete. */
  private step(cursor: Cursor): boolean {
    switch (this.phase) {
      case "entries": return this.readEntry(cursor);
      case "extras":
        if (this.extras!.step(cursor)) this.phase = "entries";
        return false;
      case "users": return this.readUser(cursor);
      case "groups": return this.readGroup(cursor);
      case "ioError":
        this.noteIoError(cursor.i32le());
        return true;
      case "idle":
        throw new ProtocolError("flist", "a file list that was not announced", ExitCode.protocol);
    }
  }

  private readEntry(cursor: Cursor): boolean {
    const list = this.list!;
    const { entry } = this;
    if (this.reader.read(cursor, entry, list.ndxStart, list.used) === "entry") {
      this.store(list, entry, cursor);
      if (this.extras?.begin(list, list.used - 1)) this.phase = "extras";
      return false;
    }
    this.noteIoError(this.reader.ioError);
    return this.afterEntries();
  }

  /** What follows the entries: id lists without incremental recursion, an io_error before protocol 30. */
  private afterEntries(): boolean {
    const { context, fields } = this.p;
    if (context.incRecurse) return true;
    const ids = !fields.numericIds;
    if (ids && (fields.preserveUid || fields.preserveAcls) && this.phase === "entries") this.phase = "users";
    else if (ids && (fields.preserveGid || fields.preserveAcls) && this.phase !== "groups") this.phase = "groups";
    else if (context.version < 30) this.phase = "ioError";
    else return true;
    return false;
  }

  private readUser(cursor: Cursor): boolean {
    const { context, ids } = this.p;
    const more = readIdName(cursor, context, this.pair);
    if (more || context.id0Names) ids.addUser(this.pair.id, this.pair.name);
    return more ? false : this.afterEntries();
  }

  private readGroup(cursor: Cursor): boolean {
    const { context, ids } = this.p;
    const more = readIdName(cursor, context, this.pair);
    if (more || context.id0Names) ids.addGroup(this.pair.id, this.pair.name);
    return more ? false : this.afterEntries();
  }

  private noteIoError(bits: number): void {
    if (!this.p.options.ignoreErrors) this.ioError |= bits & 7;
  }

  /** Checks that a directory may get a segment now, and notes that it did. */
  private announce(dirNdx: number): void {
    const { dirList } = this.p.segments;
    const refuse = (text: string): never => {
      throw new ProtocolError("flist-dir-ndx", `refusing ${text}`, ExitCode.protocol);
    };
    if (dirNdx >= dirList.used) refuse(`invalid dir_ndx ${dirNdx} >= ${dirList.used}`);
    if (!dirList.isActive(dirNdx) && !this.unnamedDirs.has(dirNdx)) refuse(`flist for cleared dir_ndx ${dirNdx}`);
    if ((dirList.flags[dirNdx] & FileFlag.gotDirFlist) !== 0) refuse(`malicious duplicate flist for dir ${dirNdx}`);
    dirList.flags[dirNdx] |= FileFlag.gotDirFlist;
  }

  private user(id: number, name: string | null): number {
    const { context, ids } = this.p;
    if (name !== null) return ids.addUser(id, name);
    return context.incRecurse && ids.mapsUsers ? ids.matchUser(id) : id;
  }

  private group(id: number, name: string | null): number {
    const { context, ids } = this.p;
    this.groupFlags = 0;
    if (name === null && !(context.incRecurse && ids.mapsGroups)) return id;
    const to = name !== null ? ids.addGroup(id, name) : ids.matchGroup(id);
    this.groupFlags = ids.groupFlags(to);
    return to;
  }

  /** Fills an abbreviated hard link from the row it refers to. */
  private sibling(ndx: number, entry: WireEntry): void {
    const list = this.list!;
    const { fields } = this.p;
    const row = ndx - list.ndxStart;
    const { extra } = list;
    entry.size = list.size[row];
    entry.mtime = list.mtime[row];
    entry.mtimeNsec = list.mtimeNsec[row];
    entry.mode = list.mode[row];
    entry.atime = extra.atime?.[row] ?? 0;
    entry.crtime = extra.crtime?.[row] ?? 0;
    entry.uid = list.uid[row];
    entry.gid = list.gid[row];
    entry.rdevMajor = extra.rdevMajor?.[row] ?? 0;
    entry.rdevMinor = extra.rdevMinor?.[row] ?? 0;
    entry.linkLength = extra.linkLength?.[row] ?? 0;
    const u8 = list.memory.u8;
    const target = extra.linkTarget?.[row] ?? 0;
    if (entry.linkLength > 0) entry.link.set(u8.subarray(target, target + entry.linkLength));
    const sum = extra.checksum?.[row] ?? 0;
    if (sum > 0) entry.checksum.set(u8.subarray(sum, sum + fields.checksumLength));
  }

  /** Makes a row of an entry. */
  private store(list: FileList, entry: WireEntry, cursor: Cursor): void {
    const { options } = this.p;
    if (options.tweakMode && (entry.mode & S_IFMT) !== S_IFLNK && entry.mode !== 0) {
      entry.mode = options.tweakMode(entry.mode);
    }
    const isDir = (entry.mode & S_IFMT) === S_IFDIR;
    const row = list.addRow();
    list.flags[row] = 0;
    if (this.storeName(list, row, entry, cursor)) {
      this.checkPlace(list, row, cursor);
      this.checkWanted(list, row, isDir, cursor);
    } else {
      // Nothing may wait for a link that is never made.
      entry.hlinked = false;
    }
    list.mode[row] = entry.mode;
    list.size[row] = entry.size;
    list.mtime[row] = entry.mtime;
    list.mtimeNsec[row] = entry.mtimeNsec;
    if (entry.mtimeNsec !== 0) list.flags[row] |= FileFlag.modNsec;
    list.uid[row] = entry.uid;
    list.gid[row] = entry.gid;
    list.flags[row] |= this.groupFlags;
    if (isDir) list.flags[row] |= this.dirFlags(list, row, entry);
    this.storeExtras(list, row, entry);
    if (this.named) this.named(list.path(row));
    this.counts.numFiles++;
    countType(this.counts, entry.mode, entry.size);
  }

  /**
   * Stores the name in its two parts; false when it has none in this side's charset. The common case, a clean name in
   * the last row's directory, makes no string.
   */
  private storeName(list: FileList, row: number, entry: WireEntry, cursor: Cursor): boolean {
    let bytes: Uint8Array = entry.name;
    let length = entry.nameLength;
    if (this.names) {
      const named = this.names.name(bytes, length);
      if (named === null) return this.leaveUnnamed(list, row);
      bytes = named;
      length = named.length;
    }
    if (!isCleanName(bytes, length, this.p.options.relative)) {
      bytes = this.cleaned(bytes, length, cursor);
      length = bytes.length;
    }
    const slash = lastSlash(bytes, length);
    list.setName(row, bytes, slash + 1, length);
    list.dir[row] = slash < 0 ? 0 : this.dirOf(list, bytes, slash);
    return true;
  }

  /** The row keeps its number and counts for nothing else. */
  private leaveUnnamed(list: FileList, row: number): false {
    this.ioError |= IoError.general;
    list.namePtr[row] = list.nameLength[row] = 0;
    list.dir[row] = 0;
    return false;
  }

  /** A name that needs cleaning, cleaned; an unsafe one ends the session. */
  private cleaned(bytes: Uint8Array, length: number, cursor: Cursor): Uint8Array {
    const name = latin1(bytes, 0, length);
    const clean = cleanName(name, { refuseDotDot: true });
    if (clean === null || (!this.p.options.relative && clean.startsWith("/"))) {
      throw unsafe(cursor, `ABORTING due to unsafe pathname from sender: ${name}`);
    }
    // A bare root is the transfer root under --relative.
    const text = clean === "/" ? "/." : clean;
    return Uint8Array.from(text, (c) => c.charCodeAt(0));
  }

  /** Index of the directory bytes[0, slash), "/" when that is empty. */
  private dirOf(list: FileList, bytes: Uint8Array, slash: number): number {
    const last = this.lastDir;
    let same = last.length === slash && this.lastDirId !== 0;
    for (let i = slash - 1; same && i >= 0; i--) same = bytes[i] === last[i];
    if (!same) {
      this.lastDir = bytes.slice(0, slash);
      this.lastDirId = list.dirs.intern(slash === 0 ? "/" : latin1(bytes, 0, slash));
    }
    return this.lastDirId;
  }

  /** With incremental recursion every row lies in the announced directory. */
  private checkPlace(list: FileList, row: number, cursor: Cursor): void {
    const { context, options, segments } = this.p;
    if (!context.incRecurse || list.dir[row] === this.goodDirId) return;
    let dir = list.dirname(row);
    if (options.relative && dir.startsWith("/")) dir = dir.slice(1);
    const announced = this.dirNdx >= 0 ? segments.dirList.path(this.dirNdx) : "";
    if (dir !== announced) {
      throw unsafe(cursor, `ABORTING due to invalid path from sender: ${dir}/${list.basename(row)}`);
    }
    this.goodDirId = list.dir[row];
  }

  /** The root must be a directory; other names must be ones that were asked for. */
  private checkWanted(list: FileList, row: number, isDir: boolean, cursor: Cursor): void {
    const dot = list.nameLength[row] === 1 && list.memory.u8[list.namePtr[row]] === DOT;
    if (dot && (list.dir[row] === 0 || list.dirname(row) === "/")) {
      if (isDir) return;
      const text = `ERROR: rejecting non-directory transfer-root entry: ${list.path(row)}`;
      throw new ProtocolError("flist-mode", text, ExitCode.protocol, cursor.offset);
    }
    const { accept, acceptsAllIn } = this.p.options;
    if (accept === undefined || list.dir[row] === this.openDirId) return;
    if (acceptsAllIn?.(list.dirname(row)) === true) this.openDirId = list.dir[row];
    else accept(list.path(row), isDir);
  }

  /** Row flags of a directory, from the entry's two bits (30 on) or from the roots met before it. */
  private dirFlags(list: FileList, row: number, entry: WireEntry): number {
    const { topDir, contentDir, impliedDir } = FileFlag;
    const implied = this.p.options.isImpliedParent?.(list.path(row)) === true;
    if (this.p.context.version >= 30) {
      if (implied) return impliedDir;
      if (!entry.noContentDir) return entry.topDir ? topDir | contentDir : contentDir;
      return entry.topDir ? impliedDir : 0;
    }
    if (entry.topDir) {
      if (implied) return impliedDir;
      this.enterDeleteTree(list, row, entry);
      return topDir | contentDir;
    }
    if (!this.inDeleteTree) return 0;
    const length = this.deleteTreeLength;
    const inside = !this.p.options.relative || length === 0
      || (entry.sharedLength >= length && entry.name[length] === SLASH);
    this.inDeleteTree = inside;
    return inside ? contentDir : 0;
  }

  private enterDeleteTree(list: FileList, row: number, entry: WireEntry): void {
    const { name, nameLength } = entry;
    this.inDeleteTree = this.p.options.recurse;
    const isRoot = list.dir[row] === 0 && nameLength === 1 && name[0] === DOT;
    this.deleteTreeLength = isRoot ? 0 : nameLength;
    if (this.p.options.relative && nameLength > 2 && name[nameLength - 1] === DOT && name[nameLength - 2] === SLASH) {
      this.deleteTreeLength -= 2;
    }
  }

  private storeExtras(list: FileList, row: number, entry: WireEntry): void {
    const { fields } = this.p;
    const type = entry.mode & S_IFMT;
    if (fields.preserveAtimes && type !== S_IFDIR) list.want("atime")[row] = entry.atime;
    if (fields.preserveCrtimes) list.want("crtime")[row] = entry.crtime;
    if (type === S_IFCHR || type === S_IFBLK) {
      list.want("rdevMajor")[row] = fields.preserveDevices ? entry.rdevMajor : 0;
      list.want("rdevMinor")[row] = fields.preserveDevices ? entry.rdevMinor : 0;
    }
    if (type === S_IFLNK && entry.linkLength > 0) this.storeLink(list, row, entry);
    if (entry.hlinked) this.storeGroup(list, row, entry, type);
    if (fields.checksumLength > 0 && type === S_IFREG) this.storeChecksum(list, row, entry);
  }

  private storeLink(list: FileList, row: number, entry: WireEntry): void {
    const { tweakLink } = this.p.options;
    const abbreviated = entry.hlinkNdx >= list.ndxStart;
    if (abbreviated || (tweakLink === undefined && this.names === null)) {
      list.setLinkTarget(row, entry.link, 0, entry.linkLength);
      return;
    }
    let target: Uint8Array = entry.link.subarray(0, entry.linkLength);
    if (this.names) {
      const converted = this.names.link(entry.link, entry.linkLength, () => list.path(row));
      if (converted === null) {
        this.leaveUnnamed(list, row);
        return;
      }
      target = converted;
    }
    if (tweakLink !== undefined) target = tweakLink(target, rowDepth(list, row) - 1);
    list.setLinkTarget(row, target, 0, target.length);
  }

  /** Column `hlink`: the number of the row's group of hard links. */
  private storeGroup(list: FileList, row: number, entry: WireEntry, type: number): void {
    const { inodes } = this.p;
    let group = entry.hlinkNdx < 0 ? list.ndxStart + row : entry.hlinkNdx;
    if (this.linked && entry.hlinkNdx >= 0) this.linked(list.ndxStart + row, group, group >= list.ndxStart);
    if (inodes !== null) {
      group = inodes.findOrAdd(entry.devLo, entry.devHi, entry.inoLo, entry.inoHi, this.inoCount);
      if (group < 0) group = this.inoCount++;
    }
    list.want("hlink")[row] = group;
    if (type !== S_IFDIR) list.flags[row] |= FileFlag.hlinked;
  }

  private storeChecksum(list: FileList, row: number, entry: WireEntry): void {
    const sums = list.want("checksum");
    const { checksumLength } = this.p.fields;
    const ptr = list.arena(checksumLength);
    list.memory.u8.set(entry.checksum.subarray(0, checksumLength), ptr);
    sums[row] = ptr;
  }

  /** Finishes the segment: maps ids, orders and cleans it, enters its directories, joins it to the chain. */
  private publish(isSorted = false): FileList {
    const list = this.list!;
    const { context, options, segments } = this.p;
    this.phase = "idle";
    this.list = null;
    if (!context.incRecurse) this.mapAllIds(list);
    if (!isSorted) sortList(list, context.version, options.keepsNumbers);
    const dirRows = context.incRecurse ? this.enterDirs(list) : [];
    cleanList(list, {
      version: context.version, amSender: false, incRecurse: context.incRecurse, stripRoot: options.relative,
      pruneEmptyDirs: options.pruneEmptyDirs, isExcludedDir: options.isExcludedDir, dropped: this.dropped,
    });
    this.syncDirs(list, dirRows);
    list.parentNdx = this.dirNdx >= 0 ? this.dirNdx : this.startsWithRoot(list) ? 0 : -1;
    segments.publish(list);
    if (!context.incRecurse) segments.eof = true;
    return list;
  }

  private mapAllIds(list: FileList): void {
    const { extras, fields, ids } = this.p;
    if (extras?.acls && ids.mapsAcls) extras.acls.mapIds((id) => ids.matchUser(id), (id) => ids.matchGroup(id));
    if (fields.preserveUid && ids.mapsUsers) {
      for (let row = 0; row < list.used; row++) list.uid[row] = ids.matchUser(list.uid[row]);
    }
    if (!fields.preserveGid || !ids.mapsGroups) return;
    for (let row = 0; row < list.used; row++) {
      const to = ids.matchGroup(list.gid[row]);
      list.gid[row] = to;
      list.flags[row] |= ids.groupFlags(to);
    }
  }

  /** Copies the directories of a sorted segment to the directory list, cleared ones still among them. */
  private enterDirs(list: FileList): number[] {
    const { dirList } = this.p.segments;
    const rows: number[] = [];
    for (let row = 0; row < list.used; row++) {
      if (!list.isDir(row)) continue;
      rows.push(row);
      const ndx = dirList.copyRow(list, row);
      list.want("dirNdx")[row] = ndx;
      if (!list.isActive(row)) this.unnamedDirs.add(ndx);
    }
    return rows;
  }

  /** Carries over to the directory list what cleaning changed. */
  private syncDirs(list: FileList, rows: readonly number[]): void {
    const { dirList } = this.p.segments;
    const ndxs = list.extra.dirNdx;
    for (const row of rows) {
      const ndx = ndxs![row];
      if (!list.isActive(row)) dirList.clear(ndx);
      dirList.dir[ndx] = list.dir[row];
      dirList.flags[ndx] = list.flags[row];
    }
  }

  /** Does a first segment begin with the transfer root "."? */
  private startsWithRoot(list: FileList): boolean {
    const { context, segments } = this.p;
    if (!context.incRecurse) return false;
    return list.used > 0 && segments.dirList.used > 0 && list.nameLength[list.firstRow] === 1
      && list.memory.u8[list.namePtr[list.firstRow]] === DOT;
  }
}

function unsafe(cursor: Cursor, text: string): ProtocolError {
  return new ProtocolError("flist-name", text, ExitCode.unsupported, cursor.offset);
}

/** True for a name without empty, "." or ".." elements ("." alone passes) and, unless allowed, leading slash. */
function isCleanName(bytes: Uint8Array, length: number, absolute: boolean): boolean {
  let start = 0;
  for (let i = 0; i <= length; i++) {
    if (i < length && bytes[i] !== SLASH) continue;
    const size = i - start;
    if (size === 0 && !(i === 0 && absolute && length > 1)) return false;
    if (size <= 2 && size > 0 && bytes[start] === DOT && (size === 1 || bytes[start + 1] === DOT)) {
      return length === 1 && size === 1;
    }
    start = i + 1;
  }
  return true;
}

function lastSlash(bytes: Uint8Array, length: number): number {
  let at = length - 1;
  while (at >= 0 && bytes[at] !== SLASH) at--;
  return at;
}
