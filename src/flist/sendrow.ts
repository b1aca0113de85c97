/**
 * A file becomes a row and a wire entry (upstream flist.c: send_file_name, the bookkeeping of send_file_entry).
 */
import { FileFlag, IoError } from "../protocol/constants.ts";
import type { FlistFields, ProtocolContext } from "../protocol/context.ts";
import type { Writer } from "../protocol/cursor.ts";
import { FlistEntryWriter, WireEntry } from "../protocol/flistentry.ts";
import { writeIdList } from "../protocol/idlist.ts";
import type { StatRecord } from "../posix/filesystem.ts";
import { countType, newFlistCounts, type FlistCounts } from "./counts.ts";
import type { FileList } from "./filelist.ts";
import { IdevTable } from "./hardlink.ts";
import { type ListHandover } from "./handover.ts";
import type { SenderIds } from "./idmap.ts";
import { FileType, type FilterLevel, type RowMaker, type WalkReport } from "./makefile.ts";
import type { Segments } from "./segments.ts";
import type { SentExtras } from "./sendextras.ts";
import { type NameConversion, SentNames } from "./sentnames.ts";

const { topDir, contentDir, impliedDir } = FileFlag;

/** What sending a row takes. */
export interface RowSenderParts {
  readonly context: ProtocolContext;
  readonly fields: FlistFields;
  readonly options: { readonly tweakMode?: (mode: number) => number };
  readonly segments: Segments;
  readonly ids: SenderIds;
  readonly out: Writer;
  readonly report: WalkReport;
  /** Null without --acls and --xattrs. */
  readonly extras: SentExtras | null;
  /** Null without --iconv. */
  readonly names: NameConversion | null;
  /** Where a receiver in this process finds each segment, null for any other. */
  readonly handover: ListHandover | null;
  /** --checksum: the digest of a file into `into`, zeros when it cannot be read; else null. */
  readonly checksum: ((dirFd: number, name: number, stat: StatRecord, into: Uint8Array) => void) | null;
  /** Rows keep their checksums, for %C in a line about an item. */
  readonly keepsChecksums: boolean;
}

/** Sends rows of one directory after another. */
export class RowSender {
  private readonly writer: FlistEntryWriter;
  readonly inodes = new IdevTable((devLo, devHi) => this.p.report.trace?.device(devLo, devHi));
  readonly counts: FlistCounts = newFlistCounts();
  /** The segment being built. */
  list!: FileList;
  /** Index of the root that paths are relative to. */
  root = 0;
  /** Bytes in front of each name of the present directory, as this side has it. */
  prefixLength = 0;
  private readonly p: RowSenderParts;
  private readonly maker: RowMaker;
  private readonly entry = new WireEntry();
  /** The newest row. */
  private readonly file = {
    path: (): string => this.list.path(this.list.used - 1),
    label: (): string => this.maker.show(this.list.path(this.list.used - 1)),
  };
  private dirId = -1;
  private readonly names: SentNames | null;
  /** Bytes of the segment so far, what follows a row for ACLs and xattrs not counted. */
  private byteLength = 0;
  private endErrors = 0;

  constructor(parts: RowSenderParts, maker: RowMaker) {
    this.p = parts;
    this.maker = maker;
    this.names = parts.names === null ? null : new SentNames(parts.names);
    this.writer = new FlistEntryWriter(parts.context, parts.fields, parts.fields.numericIds ? null : parts.ids);
  }

  /** Makes `dir` the directory that the next rows belong to. */
  enterDir(dir: string): void {
    this.dirId = this.p.segments.dirs.intern(dir);
    const prefix = dir === "" || dir === "/" ? dir : dir + "/";
    const { name } = this.entry;
    if (this.names) this.names.enterDir(prefix, name);
    else for (let i = 0; i < prefix.length; i++) name[i] = prefix.charCodeAt(i);
    this.prefixLength = prefix.length;
  }

  /** Makes one row and its wire entry (arguments as RowMaker.make takes them). Row or -1. */
  add(
    dirFd: number, statName: number, base: number, length: number, flags: number, level: FilterLevel, given: boolean,
  ): number {
    const { list, maker } = this;
    const row = maker.make(list, dirFd, statName, base, length, this.dirId, flags, level, given);
    if (row < 0) return -1;
    const type = list.mode[row] & FileType.mask;
    const { tweakMode } = this.p.options;
    if (tweakMode !== undefined && type !== FileType.symlink && list.mode[row] !== 0) {
      list.mode[row] = tweakMode(list.mode[row]);
    }
    if (type === FileType.symlink && this.p.fields.preserveLinks && maker.linkLength === 0) return this.dropRow(row);
    if (this.root !== 0 || list.extra.pathRoot !== undefined) list.want("pathRoot")[row] = this.root;
    if (type === FileType.regular && this.p.checksum !== null) {
      this.p.checksum(maker.placeFd, maker.placeName, maker.stat, this.entry.checksum);
      if (this.p.keepsChecksums) this.keepChecksum(row);
    }
    const { extras, out } = this.p;
    const isNamed = this.fillName(type, base, length);
    if (!isNamed || (extras !== null && !extras.read(maker.placeFd, maker.placeName, list.mode[row], this.file))) {
      maker.ioError |= IoError.general;
      list.used--;
      return -1;
    }
    this.fillEntry(row, type);
    const before = out.length;
    this.writer.write(out, this.entry, list.ndxStart);
    this.byteLength += out.length - before;
    extras?.write(out, list, row);
    countType(this.counts, list.mode[row], list.size[row]);
    return row;
  }

  /** Ends the segment's bytes; io_error bits go along. */
  end(errors: number): void {
    const { out } = this.p;
    const before = out.length;
    this.writer.end(out, errors);
    this.byteLength += out.length - before;
    this.endErrors = errors;
  }

  /** Gives the segment, which has been ended and sorted, to a receiver that copies it. */
  handOver(): void {
    this.p.handover?.give({ list: this.list, byteLength: this.byteLength, ioError: this.endErrors });
    this.byteLength = 0;
  }

  private keepChecksum(row: number): void {
    const { list } = this;
    const { checksumLength } = this.p.fields;
    const sums = list.want("checksum");
    const ptr = list.arena(checksumLength);
    list.memory.u8.set(this.entry.checksum.subarray(0, checksumLength), ptr);
    sums[row] = ptr;
  }

  private dropRow(row: number): number {
    this.maker.ioError |= IoError.general;
    this.p.report.error(`skipping symlink with 0-length value: ${this.maker.show(this.list.path(row))}`);
    this.list.used--;
    return -1;
  }

  /** Name and symlink target in the form in which they travel; false when there is none, which has been told. */
  private fillName(type: number, base: number, length: number): boolean {
    const { entry, list, maker, prefixLength, names } = this;
    const { u8 } = list.memory;
    const { linkPtr, linkLength } = maker;
    const isLink = type === FileType.symlink;
    entry.linkLength = isLink ? linkLength : 0;
    if (names === null) {
      for (let i = 0; i < length; i++) entry.name[prefixLength + i] = u8[base + i];
      entry.nameLength = prefixLength + length;
      if (isLink) for (let i = 0; i < linkLength; i++) entry.link[i] = u8[linkPtr + i];
      return true;
    }
    entry.nameLength = names.convertName(u8, base, base + length, entry.name, this.file.path);
    if (entry.nameLength < 0) return false;
    if (isLink) entry.linkLength = names.convertLink(u8, linkPtr, linkPtr + linkLength, entry.link, this.file.label);
    return entry.linkLength >= 0;
  }

  private fillEntry(row: number, type: number): void {
    const { entry, list, maker } = this;
    const { stat } = maker;
    entry.mode = list.mode[row];
    entry.size = list.size[row];
    entry.mtime = list.mtime[row];
    entry.mtimeNsec = list.mtimeNsec[row];
    entry.atime = stat.atime;
    entry.crtime = stat.mtime;
    entry.uid = stat.uid;
    entry.gid = stat.gid;
    entry.rdevMajor = stat.rdevMajor;
    entry.rdevMinor = stat.rdevMinor;
    if (type === FileType.directory) this.fillDirFlags(list.flags[row]);
    this.fillLinks(row, type);
  }

  private fillDirFlags(flags: number): void {
    const { entry } = this;
    const content = (flags & contentDir) !== 0;
    const implied = (flags & impliedDir) !== 0;
    if (this.p.context.version < 30) {
      entry.topDir = (flags & topDir) !== 0;
      entry.noContentDir = false;
    } else {
      entry.topDir = content ? (flags & topDir) !== 0 : implied;
      entry.noContentDir = !content;
    }
  }

  /** The names of ids, after a list. */
  sendIds(): void {
    const { context, fields, ids, out } = this.p;
    const root = context.id0Names ? ids.rootNames() : { user: "", group: "" };
    if (fields.preserveUid || fields.preserveAcls) writeIdList(out, context, ids.users(), root.user);
    if (fields.preserveGid || fields.preserveAcls) writeIdList(out, context, ids.groups(), root.group);
  }

  /** Hard links: the group's first ndx from protocol 30 on, device (plus one) and inode before. */
  private fillLinks(row: number, type: number): void {
    const { entry, list } = this;
    const { stat } = this.maker;
    const { version } = this.p.context;
    entry.hlinkNdx = -1;
    entry.hlinked = this.p.fields.preserveHardLinks
      && (version >= 28 ? type !== FileType.directory && stat.nlink > 1 : type === FileType.regular);
    if (!entry.hlinked) return;
    if (version >= 30) {
      const { devLo, devHi, inoLo, inoHi } = stat;
      const ndx = list.ndxStart + row;
      entry.hlinkNdx = this.inodes.findOrAdd(devLo, devHi, inoLo, inoHi, ndx);
      const { trace } = this.p.report;
      if (trace && entry.hlinkNdx >= 0) trace.linked(ndx, entry.hlinkNdx, entry.hlinkNdx >= list.ndxStart);
      else if (trace) trace.inode(ndx, stat);
      return;
    }
    entry.devLo = (stat.devLo + 1) >>> 0;
    entry.devHi = entry.devLo === 0 ? (stat.devHi + 1) >>> 0 : stat.devHi;
    entry.inoLo = stat.inoLo;
    entry.inoHi = stat.inoHi;
  }
}
