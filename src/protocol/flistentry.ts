/**
 * One entry of the file list on the wire, both directions, protocols 27 to 32 (upstream flist.c: send_file_entry,
 * recv_file_entry, write_end_of_flist).
 *
 * Fields in order: `flist-xflags`, `flist-name-offset`, `flist-name-length`, `flist-name`, `flist-hlink-ndx` (30 on),
 * `flist-size`, `flist-mtime`, `flist-mtime-nsec` (31 on), `flist-crtime`, `flist-mode`, `flist-atime`, `flist-uid`
 * and its name, `flist-gid` and its name, `flist-rdev`, `flist-link`, `flist-hlink-dev` and `-ino` (before 30),
 * `flist-checksum`. A flag bit says "same as the entry before" for name prefix, mode, ids and times, so each direction
 * of a conversation has one reader or writer, which lives as long as the conversation.
 *
 * The reader commits that state only when the entry is whole: on NEED_MORE the caller rewinds and reads it again.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { XmitFlag, WireLimit } from "./constants.ts";
import type { FlistFields, ProtocolContext } from "./context.ts";
import type { Cursor, Writer } from "./cursor.ts";
import {
  readVarint, readVarintBounded, readVarlong, readVarlong30, writeVarint, writeVarint30, writeVarlong,
  writeVarlong30,
} from "./integers.ts";

const S_IFMT = 0o170000;
const S_IFSOCK = 0o140000;
const S_IFLNK = 0o120000;
const S_IFREG = 0o100000;
const S_IFBLK = 0o060000;
const S_IFDIR = 0o040000;
const S_IFCHR = 0o020000;
const S_IFIFO = 0o010000;

const {
  topDir, sameMode, sameRdevPre28, extendedFlags, sameUid, sameGid, sameName, longName, sameTime, sameRdevMajor,
  noContentDir, hlinked, sameDevPre30, userNameFollows, rdevMinor8Pre30, groupNameFollows, hlinkFirst, ioErrorEndList,
  modNsec, sameAtime, crtimeEqMtime,
} = XmitFlag;

/** Longest prefix that can be taken over from the name before. */
const MAX_SHARED = 255;

/** One file-list entry: a mutable record used for every entry in turn, so that no entry allocates. */
export class WireEntry {
  /** The whole path as sent; bytes [0, nameLength) count. */
  readonly name = new Uint8Array(WireLimit.path);
  nameLength = 0;
  /** File type and permissions. 0 stands for a missing argument (--delete-missing-args). */
  mode = 0;
  size = 0;
  mtime = 0;
  mtimeNsec = 0;
  atime = 0;
  crtime = 0;
  uid = 0;
  gid = 0;
  rdevMajor = 0;
  rdevMinor = 0;
  /** Symlink target, bytes [0, linkLength). */
  readonly link = new Uint8Array(WireLimit.path);
  linkLength = 0;
  readonly checksum = new Uint8Array(WireLimit.digest);
  /** Directories: a root of the transfer. Before protocol 30 it is the only flag of the two. */
  topDir = false;
  /** Directories, protocol 30 on: contents are not part of the transfer. With topDir: an implied directory. */
  noContentDir = false;
  /** One of several hard links. */
  hlinked = false;
  /** Protocol 30 on: ndx of the group's first file, -1 when this is it. */
  hlinkNdx = -1;
  /** Before protocol 30: device and inode in 32-bit halves. The device is one more than stat's, so never 0. */
  devLo = 0;
  devHi = 0;
  inoLo = 0;
  inoHi = 0;
  /** Reader only: how many leading bytes of the name were taken over from the entry before. */
  sharedLength = 0;
}

/** What an FlistEntryReader asks of the list it fills. */
export interface FlistEntryHooks {
  /** Maps a user id that was just received, with its name when one came along, to the id to store. */
  user(id: number, name: string | null): number;
  /** Maps a group id likewise. */
  group(id: number, name: string | null): number;
  /** Fills `entry` (all but name and flags) from an earlier row of the same segment: an abbreviated hard link. */
  sibling(ndx: number, entry: WireEntry): void;
  /** True when a mode of 0 is legal (--delete-missing-args). */
  readonly missingArgs?: boolean;
}

/** Values that an entry's flags refer back to. */
interface Last {
  mode: number;
  mtime: number;
  atime: number;
  uid: number;
  gid: number;
  rdevMajor: number;
  rdevMinor: number;
  devLo: number;
  devHi: number;
}

function newLast(): Last {
  return { mode: 0, mtime: 0, atime: 0, uid: 0, gid: 0, rdevMajor: 0, rdevMinor: 0, devLo: 0, devHi: 0 };
}

function isDevice(mode: number): boolean {
  const type = mode & S_IFMT;
  return type === S_IFCHR || type === S_IFBLK;
}

function isSpecial(mode: number): boolean {
  const type = mode & S_IFMT;
  return type === S_IFSOCK || type === S_IFIFO;
}

/** True for the one of the seven file types that POSIX knows. */
function isKnownType(mode: number): boolean {
  const type = mode & S_IFMT;
  return type === S_IFREG || type === S_IFDIR || type === S_IFLNK || isDevice(mode) || isSpecial(mode);
}

/** Reads the entries of one direction. */
export class FlistEntryReader {
  /** io_error bits that came with the last "end". */
  ioError = 0;
  private readonly context: ProtocolContext;
  private readonly fields: FlistFields;
  private readonly hooks: FlistEntryHooks;
  private readonly last: Last = newLast();
  private readonly lastName = new Uint8Array(WireLimit.path);
  private lastLength = 0;
  // Names that came with the entry being read; handed to the hooks when it is whole.
  private userName: string | null = null;
  private groupName: string | null = null;
  private lo = 0;
  private hi = 0;

  constructor(context: ProtocolContext, fields: FlistFields, hooks: FlistEntryHooks) {
    this.context = context;
    this.fields = fields;
    this.hooks = hooks;
  }

  /**
   * Reads one entry, or the end of the list. `ndxStart` and `used`: ndx of the segment's first row and its row count
   * so far, for hard-link references. Throws NEED_MORE or ProtocolError.
   */
  read(cursor: Cursor, entry: WireEntry, ndxStart: number, used: number): "entry" | "end" {
    const flags = this.readFlags(cursor);
    if (flags < 0) return "end";
    this.readName(cursor, entry, flags);
    entry.topDir = (flags & topDir) !== 0;
    entry.hlinked = this.fields.preserveHardLinks && (flags & hlinked) !== 0;
    const first = entry.hlinkNdx = this.readHlinkNdx(cursor, flags, ndxStart + used);
    if (first >= ndxStart) this.hooks.sibling(first, entry);
    else this.readBody(cursor, entry, flags);
    entry.noContentDir = (flags & noContentDir) !== 0 && this.context.version >= 30
      && (entry.mode & S_IFMT) === S_IFDIR;
    if (entry.size < 0) {
      this.fail(cursor, "flist-size", "Offset underflow: file-length is negative", ExitCode.unsupported);
    }
    this.commit(entry, flags, first >= ndxStart);
    return "entry";
  }

  /** The flags, or -1 at the end of the list with `ioError` set. Label `flist-xflags`. */
  private readFlags(cursor: Cursor): number {
    const { version, varintFlistFlags, safeFlist } = this.context;
    if (varintFlistFlags) {
      const flags = readVarint(cursor);
      return flags === 0 ? this.end(readVarint(cursor)) : flags >>> 0;
    }
    let flags = cursor.u8();
    if (flags === 0) return this.end(0);
    if (version >= 28 && (flags & extendedFlags) !== 0) flags |= cursor.u8() << 8;
    if (version < 28 || flags !== (extendedFlags | ioErrorEndList)) return flags;
    if (!safeFlist) this.fail(cursor, "flist-xflags", `Invalid flist flag: ${flags.toString(16)}`, ExitCode.protocol);
    return this.end(readVarint(cursor));
  }

  private end(ioError: number): number {
    this.ioError = ioError & 7;
    return -1;
  }

  /** Labels `flist-name-offset`, `flist-name-length`, `flist-name`. */
  private readName(cursor: Cursor, entry: WireEntry, flags: number): void {
    const shared = (flags & sameName) !== 0 ? cursor.u8() : 0;
    const own = (flags & longName) !== 0 ? this.readLongLength(cursor) : cursor.u8();
    if (own < 0 || own >= WireLimit.path - shared) {
      const text = `overflow: xflags=0x${flags.toString(16)} l1=${shared} l2=${own >>> 0}`;
      this.fail(cursor, "flist-name-length", text, ExitCode.malloc);
    }
    cursor.need(own);
    const { name } = entry;
    const { lastName } = this;
    // Bytes past the end of the last name do not exist: as in C, the name is cut at the first NUL.
    const kept = Math.min(shared, this.lastLength);
    for (let i = 0; i < kept; i++) name[i] = lastName[i];
    const { bytes, pos } = cursor;
    for (let i = 0; i < own; i++) {
      const byte = bytes[pos + i];
      if (byte === 0) this.fail(cursor, "flist-name", "a NUL byte inside a file name", ExitCode.unsupported);
      name[kept + i] = byte;
    }
    if (kept + own === 0) this.fail(cursor, "flist-name", "an empty file name", ExitCode.unsupported);
    cursor.pos = pos + own;
    entry.sharedLength = kept;
    entry.nameLength = kept + own;
  }

  private readLongLength(cursor: Cursor): number {
    return this.context.version < 30 ? cursor.i32le() : readVarint(cursor);
  }

  /** The group's first ndx for a follower of protocol 30 on, else -1. Label `flist-hlink-ndx`. */
  private readHlinkNdx(cursor: Cursor, flags: number, nextNdx: number): number {
    if (this.context.version < 30 || (flags & (hlinked | hlinkFirst)) !== hlinked) return -1;
    const ndx = readVarint(cursor);
    if (ndx < 0 || ndx >= nextNdx) {
      this.fail(cursor, "flist-hlink-ndx", `hard-link reference out of range: ${ndx} (${nextNdx})`, ExitCode.protocol);
    }
    return ndx;
  }

  /** Everything behind the name of an entry that is not abbreviated. */
  private readBody(cursor: Cursor, entry: WireEntry, flags: number): void {
    const { context, fields, last } = this;
    const { version } = context;
    entry.size = readVarlong30(cursor, 3, version);
    entry.mtime = (flags & sameTime) !== 0 ? last.mtime
      : version >= 30 ? readVarlong(cursor, 4) : cursor.i32le() >>> 0;
    entry.mtimeNsec = (flags & modNsec) !== 0
      ? readVarintBounded(cursor, 0, WireLimit.nsec, "flist-mtime-nsec", "modtime_nsec") : 0;
    if (fields.preserveCrtimes) {
      entry.crtime = (flags & crtimeEqMtime) !== 0 ? entry.mtime : readVarlong(cursor, 4);
    }
    entry.mode = (flags & sameMode) !== 0 ? last.mode : this.readMode(cursor);
    const isDir = (entry.mode & S_IFMT) === S_IFDIR;
    entry.atime = last.atime;
    if (fields.preserveAtimes && !isDir && (flags & sameAtime) === 0) entry.atime = readVarlong(cursor, 4);
    this.readIds(cursor, entry, flags);
    this.readRdev(cursor, entry, flags);
    this.readTail(cursor, entry, flags);
  }

  /** Label `flist-mode`: one of the seven types, or 0 where missing arguments may be deleted. */
  private readMode(cursor: Cursor): number {
    const mode = cursor.i32le() >>> 0;
    if (!isKnownType(mode) && !(mode === 0 && this.hooks.missingArgs === true)) {
      this.fail(cursor, "flist-mode", `invalid file mode 0${mode.toString(8)}`, ExitCode.protocol);
    }
    return mode;
  }

  /** Labels `flist-uid`, `flist-gid` with the names that incremental recursion sends inline. */
  private readIds(cursor: Cursor, entry: WireEntry, flags: number): void {
    const { fields, last } = this;
    const inline = this.context.version >= 30;
    this.userName = this.groupName = null;
    entry.uid = last.uid;
    if (fields.preserveUid && (flags & sameUid) === 0) {
      entry.uid = (inline ? readVarint(cursor) : cursor.i32le()) >>> 0;
      if (inline && (flags & userNameFollows) !== 0) this.userName = readShortName(cursor);
    }
    entry.gid = last.gid;
    if (fields.preserveGid && (flags & sameGid) === 0) {
      entry.gid = (inline ? readVarint(cursor) : cursor.i32le()) >>> 0;
      if (inline && (flags & groupNameFollows) !== 0) this.groupName = readShortName(cursor);
    }
  }

  /** Label `flist-rdev`: devices, and up to protocol 30 sockets and fifos too. */
  private readRdev(cursor: Cursor, entry: WireEntry, flags: number): void {
    const { fields, last } = this;
    const { version } = this.context;
    entry.rdevMajor = last.rdevMajor;
    entry.rdevMinor = last.rdevMinor;
    const device = isDevice(entry.mode);
    const sent = (fields.preserveDevices && device)
      || (fields.preserveSpecials && isSpecial(entry.mode) && version < 31);
    if (sent) {
      if (version < 28) {
        if ((flags & sameRdevPre28) === 0) splitRdev(entry, cursor.i32le() >>> 0);
      } else {
        if ((flags & sameRdevMajor) === 0) entry.rdevMajor = this.readLongLength(cursor) >>> 0;
        entry.rdevMinor = version >= 30 ? readVarint(cursor) >>> 0
          : (flags & rdevMinor8Pre30) !== 0 ? cursor.u8() : cursor.i32le() >>> 0;
      }
      entry.size = 0;
    } else if (device) {
      entry.size = 0;
    } else if (version < 28) {
      entry.rdevMajor = entry.rdevMinor = 0;
    }
  }

  /** Labels `flist-link`, `flist-hlink-dev`, `flist-hlink-ino`, `flist-checksum`. */
  private readTail(cursor: Cursor, entry: WireEntry, flags: number): void {
    const { fields } = this;
    const { version } = this.context;
    const type = entry.mode & S_IFMT;
    entry.linkLength = 0;
    if (fields.preserveLinks && type === S_IFLNK) this.readLink(cursor, entry);
    if (version < 28 && fields.preserveHardLinks && type === S_IFREG) entry.hlinked = true;
    if (entry.hlinked && version < 30) this.readInode(cursor, entry, flags);
    if (fields.checksumLength > 0 && (type === S_IFREG || version < 28)) {
      entry.checksum.set(cursor.take(fields.checksumLength));
    }
  }

  private readLink(cursor: Cursor, entry: WireEntry): void {
    const length = this.readLongLength(cursor);
    if (length < 0 || length >= WireLimit.path) {
      this.fail(cursor, "flist-link", `overflow: linkname_len=${length}`, ExitCode.malloc);
    }
    const bytes = cursor.take(length);
    if (bytes.indexOf(0) >= 0) this.fail(cursor, "flist-link", "a NUL byte inside a symlink", ExitCode.unsupported);
    entry.link.set(bytes);
    entry.linkLength = length;
  }

  private readInode(cursor: Cursor, entry: WireEntry, flags: number): void {
    entry.devLo = this.last.devLo;
    entry.devHi = this.last.devHi;
    if ((flags & sameDevPre30) === 0 || this.context.version < 28) {
      this.readHalves(cursor);
      entry.devLo = this.lo;
      entry.devHi = this.hi;
    }
    this.readHalves(cursor);
    entry.inoLo = this.lo;
    entry.inoHi = this.hi;
  }

  /** A longint as two halves in `lo` and `hi`, since inode numbers use all 64 bits. */
  private readHalves(cursor: Cursor): void {
    const short = cursor.i32le();
    const isLong = short === -1;
    this.lo = (isLong ? cursor.i32le() : short) >>> 0;
    this.hi = isLong ? cursor.i32le() >>> 0 : short < 0 ? 0xffffffff : 0;
  }

  /** Takes the whole entry over as what the next one refers to, and maps its ids. */
  private commit(entry: WireEntry, flags: number, abbreviated: boolean): void {
    const { fields, last, lastName } = this;
    if (!abbreviated) this.mapIds(entry, flags);
    last.mode = entry.mode;
    last.mtime = entry.mtime;
    if (fields.preserveAtimes && (entry.mode & S_IFMT) !== S_IFDIR) last.atime = entry.atime;
    last.uid = entry.uid;
    last.gid = entry.gid;
    // Further names of what is no device do not speak of device numbers.
    if (!abbreviated || isDevice(entry.mode)) {
      last.rdevMajor = entry.rdevMajor;
      last.rdevMinor = entry.rdevMinor;
    }
    if (entry.hlinked && this.context.version < 30) {
      last.devLo = entry.devLo;
      last.devHi = entry.devHi;
    }
    for (let i = entry.sharedLength; i < entry.nameLength; i++) lastName[i] = entry.name[i];
    this.lastLength = entry.nameLength;
  }

  private mapIds(entry: WireEntry, flags: number): void {
    const { fields, hooks } = this;
    if (fields.preserveUid && (flags & sameUid) === 0) entry.uid = hooks.user(entry.uid, this.userName);
    if (fields.preserveGid && (flags & sameGid) === 0) entry.gid = hooks.group(entry.gid, this.groupName);
  }

  private fail(cursor: Cursor, label: string, text: string, exitCode: number): never {
    throw new ProtocolError(label, text, exitCode, cursor.offset);
  }
}

/** A name behind one length byte; "" says that the sender knows none. */
function readShortName(cursor: Cursor): string {
  const bytes = cursor.take(cursor.u8());
  return latin1(bytes, 0, bytes.length);
}

/** Splits a 32-bit device number of protocol 27 as Linux does. */
function splitRdev(entry: WireEntry, rdev: number): void {
  entry.rdevMajor = (rdev >>> 8) & 0xfff;
  entry.rdevMinor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
}

/** The 32-bit device number of protocol 27. */
function joinRdev(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

function writeHalves(out: Writer, lo: number, hi: number): void {
  if (hi === 0 && lo <= 0x7fffffff) {
    out.i32le(lo);
    return;
  }
  out.i32le(-1);
  out.i32le(lo);
  out.i32le(hi);
}

/** Where an FlistEntryWriter finds the names it sends along with ids it has not sent before. */
export interface FlistIdNames {
  /** The user's name the first time this id is asked for, else null. */
  user(id: number): string | null;
  group(id: number): string | null;
}

/** Writes the entries of one direction. */
export class FlistEntryWriter {
  private readonly context: ProtocolContext;
  private readonly fields: FlistFields;
  private readonly names: FlistIdNames | null;
  private readonly last: Last = newLast();
  private readonly lastName = new Uint8Array(WireLimit.path);
  private lastLength = 0;
  private userName: string | null = null;
  private groupName: string | null = null;

  /** `names`: null with --numeric-ids. */
  constructor(context: ProtocolContext, fields: FlistFields, names: FlistIdNames | null) {
    this.context = context;
    this.fields = fields;
    this.names = names;
  }

  /** Appends one entry. `ndxStart`: ndx of the segment's first row; links to rows from there on are abbreviated. */
  write(out: Writer, entry: WireEntry, ndxStart: number): void {
    const shared = this.sharedPrefix(entry);
    const own = entry.nameLength - shared;
    let flags = this.stateFlags(entry);
    if (shared > 0) flags |= sameName;
    if (own > MAX_SHARED) flags |= longName;
    flags = this.writeFlags(out, flags, entry.mode);
    this.writeName(out, entry, flags, shared, own);
    const follower = this.context.version >= 30 && entry.hlinked && entry.hlinkNdx >= 0;
    if (follower) writeVarint(out, entry.hlinkNdx);
    if (!follower || entry.hlinkNdx < ndxStart) this.writeBody(out, entry, flags);
    this.lastLength = entry.nameLength;
  }

  /** Ends a list. `ioError`: bits to tell the receiver, 0 for none; needs the safe file list. */
  end(out: Writer, ioError: number): void {
    if (this.context.varintFlistFlags) {
      writeVarint(out, 0);
      writeVarint(out, ioError);
    } else if (ioError !== 0) {
      out.u16le(extendedFlags | ioErrorEndList);
      writeVarint(out, ioError);
    } else {
      out.u8(0);
    }
  }

  /** Length of the prefix shared with the last name; stores the rest of the new one. */
  private sharedPrefix(entry: WireEntry): number {
    const { lastName } = this;
    const { name, nameLength } = entry;
    const most = Math.min(MAX_SHARED, this.lastLength, nameLength);
    let shared = 0;
    while (shared < most && name[shared] === lastName[shared]) shared++;
    for (let i = shared; i < nameLength; i++) lastName[i] = name[i];
    return shared;
  }

  /** The flags that say what is as before; brings the state up to date. */
  private stateFlags(entry: WireEntry): number {
    const { fields, last } = this;
    const { version } = this.context;
    let flags = dirFlags(entry, version);
    if (entry.mode === last.mode) flags |= sameMode;
    last.mode = entry.mode;
    flags |= this.rdevFlags(entry) | this.idFlags(entry);
    if (entry.mtime === last.mtime) flags |= sameTime;
    last.mtime = entry.mtime;
    if (entry.mtimeNsec !== 0 && version >= 31) flags |= modNsec;
    if (fields.preserveAtimes && (entry.mode & S_IFMT) !== S_IFDIR) {
      if (entry.atime === last.atime) flags |= sameAtime;
      last.atime = entry.atime;
    }
    if (fields.preserveCrtimes && entry.crtime === entry.mtime) flags |= crtimeEqMtime;
    return entry.hlinked ? flags | this.hlinkFlags(entry) : flags;
  }

  private rdevFlags(entry: WireEntry): number {
    const { fields, last } = this;
    const { version } = this.context;
    if (fields.preserveDevices && isDevice(entry.mode)) {
      const same = entry.rdevMajor === last.rdevMajor;
      const sameMinor = entry.rdevMinor === last.rdevMinor;
      last.rdevMajor = entry.rdevMajor;
      last.rdevMinor = entry.rdevMinor;
      if (version < 28) return same && sameMinor ? sameRdevPre28 : 0;
      return (same ? sameRdevMajor : 0) | (version < 30 && entry.rdevMinor <= 0xff ? rdevMinor8Pre30 : 0);
    }
    if (fields.preserveSpecials && isSpecial(entry.mode) && version < 31) {
      // Fifos and sockets have no number, but their place on the wire exists up to protocol 30: send the cheapest.
      if (version < 28) return sameRdevPre28;
      last.rdevMinor = 0;
      return version < 30 ? sameRdevMajor | rdevMinor8Pre30 : sameRdevMajor;
    }
    if (version < 28) last.rdevMajor = last.rdevMinor = 0;
    return 0;
  }

  private idFlags(entry: WireEntry): number {
    const { fields, last, names } = this;
    const inline = this.context.incRecurse;
    const started = this.lastLength > 0;
    let flags = 0;
    this.userName = this.groupName = null;
    if (!fields.preserveUid || (entry.uid === last.uid && started)) flags |= sameUid;
    else if (names !== null) {
      this.userName = names.user(entry.uid);
      if (inline && this.userName !== null) flags |= userNameFollows;
    }
    last.uid = fields.preserveUid ? entry.uid : last.uid;
    if (!fields.preserveGid || (entry.gid === last.gid && started)) flags |= sameGid;
    else if (names !== null) {
      this.groupName = names.group(entry.gid);
      if (inline && this.groupName !== null) flags |= groupNameFollows;
    }
    last.gid = fields.preserveGid ? entry.gid : last.gid;
    return flags;
  }

  private hlinkFlags(entry: WireEntry): number {
    const { last } = this;
    const { version } = this.context;
    if (version >= 30) return entry.hlinkNdx < 0 ? hlinked | hlinkFirst : hlinked;
    const same = entry.devLo === last.devLo && entry.devHi === last.devHi;
    last.devLo = entry.devLo;
    last.devHi = entry.devHi;
    return same && version >= 28 ? hlinked | sameDevPre30 : hlinked;
  }

  /** Writes the flags, never as a zero that would end the list, and returns what was written. */
  private writeFlags(out: Writer, flags: number, mode: number): number {
    const isDir = (mode & S_IFMT) === S_IFDIR;
    if (this.context.varintFlistFlags) {
      writeVarint(out, flags !== 0 ? flags : extendedFlags);
    } else if (this.context.version >= 28) {
      if (flags === 0 && !isDir) flags |= topDir;
      if ((flags & 0xff00) !== 0 || flags === 0) {
        flags |= extendedFlags;
        out.u16le(flags);
      } else {
        out.u8(flags);
      }
    } else {
      if ((flags & 0xff) === 0) flags |= isDir ? longName : topDir;
      out.u8(flags);
    }
    return flags;
  }

  private writeName(out: Writer, entry: WireEntry, flags: number, shared: number, own: number): void {
    if ((flags & sameName) !== 0) out.u8(shared);
    if ((flags & longName) !== 0) writeVarint30(out, own, this.context.version);
    else out.u8(own);
    const at = out.reserve(own);
    const { bytes } = out;
    const { name } = entry;
    for (let i = 0; i < own; i++) bytes[at + i] = name[shared + i];
    out.length = at + own;
  }

  private writeBody(out: Writer, entry: WireEntry, flags: number): void {
    const { fields } = this;
    const { version } = this.context;
    const isDir = (entry.mode & S_IFMT) === S_IFDIR;
    writeVarlong30(out, entry.size, 3, version);
    if ((flags & sameTime) === 0) {
      if (version >= 30) writeVarlong(out, entry.mtime, 4);
      else out.i32le(entry.mtime);
    }
    if (version >= 31 && (flags & modNsec) !== 0) writeVarint(out, entry.mtimeNsec);
    if (fields.preserveCrtimes && (flags & crtimeEqMtime) === 0) writeVarlong(out, entry.crtime, 4);
    if ((flags & sameMode) === 0) out.i32le(entry.mode);
    if (fields.preserveAtimes && !isDir && (flags & sameAtime) === 0) writeVarlong(out, entry.atime, 4);
    if (fields.preserveUid && (flags & sameUid) === 0) {
      this.writeId(out, entry.uid, flags & userNameFollows, this.userName);
    }
    if (fields.preserveGid && (flags & sameGid) === 0) {
      this.writeId(out, entry.gid, flags & groupNameFollows, this.groupName);
    }
    this.writeRdev(out, entry, flags);
    this.writeTail(out, entry, flags);
  }

  private writeId(out: Writer, id: number, nameFollows: number, name: string | null): void {
    if (this.context.version < 30) {
      out.i32le(id);
      return;
    }
    writeVarint(out, id);
    if (nameFollows === 0 || name === null) return;
    const cut = name.slice(0, 255);
    out.u8(cut.length);
    out.latin1(cut);
  }

  private writeRdev(out: Writer, entry: WireEntry, flags: number): void {
    const { fields } = this;
    const { version } = this.context;
    const special = fields.preserveSpecials && isSpecial(entry.mode) && version < 31;
    if (!special && !(fields.preserveDevices && isDevice(entry.mode))) return;
    const minor = special ? 0 : entry.rdevMinor;
    if (version < 28) {
      if ((flags & sameRdevPre28) === 0) out.i32le(joinRdev(entry.rdevMajor, minor));
      return;
    }
    if ((flags & sameRdevMajor) === 0) writeVarint30(out, entry.rdevMajor, version);
    if (version >= 30) writeVarint(out, minor);
    else if ((flags & rdevMinor8Pre30) !== 0) out.u8(minor);
    else out.i32le(minor);
  }

  private writeTail(out: Writer, entry: WireEntry, flags: number): void {
    const { fields } = this;
    const { version } = this.context;
    const type = entry.mode & S_IFMT;
    if (fields.preserveLinks && type === S_IFLNK) {
      writeVarint30(out, entry.linkLength, version);
      out.put(entry.link.subarray(0, entry.linkLength));
    }
    if (entry.hlinked && version < 30) {
      if (version < 28 || (flags & sameDevPre30) === 0) writeHalves(out, entry.devLo, entry.devHi);
      writeHalves(out, entry.inoLo, entry.inoHi);
    }
    if (fields.checksumLength > 0 && (type === S_IFREG || version < 28)) {
      if (type === S_IFREG) out.put(entry.checksum.subarray(0, fields.checksumLength));
      else for (let i = 0; i < fields.checksumLength; i++) out.u8(0);
    }
  }
}

/** Flags that a directory starts with: whether it is a root, has contents here, or is only implied by a path. */
function dirFlags(entry: WireEntry, version: number): number {
  if ((entry.mode & S_IFMT) !== S_IFDIR) return 0;
  if (version < 30) return entry.topDir ? topDir : 0;
  return (entry.topDir ? topDir : 0) | (entry.noContentDir ? noContentDir : 0);
}
