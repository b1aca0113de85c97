/**
 * Both ends of a file list for tests: a sender over a real directory, a receiver of its bytes.
 */
import { Writer, Cursor } from "../../../src/protocol/cursor.ts";
import type { FlistFields, ProtocolContext } from "../../../src/protocol/context.ts";
import { Ndx } from "../../../src/protocol/constants.ts";
import { NdxReader, NdxWriter } from "../../../src/protocol/ndx.ts";
import { ListHandover } from "../../../src/flist/handover.ts";
import { IdevTable } from "../../../src/flist/hardlink.ts";
import { ReceiverIds, SenderIds } from "../../../src/flist/idmap.ts";
import type { WalkFilters } from "../../../src/flist/makefile.ts";
import { FlistReceiver, type ReceiveOptions } from "../../../src/flist/receive.ts";
import { Segments, type SegmentView } from "../../../src/flist/segments.ts";
import { FlistSender, type WalkOptions } from "../../../src/flist/walk.ts";
import { SourceRoots } from "../../../src/roles/sourceroots.ts";
import { diskFs, testMemory, type DiskFs } from "./diskfs.ts";

const NO_FILTERS: WalkFilters = {
  isEmpty: true, isExcluded: () => false, push: () => null, pop: () => {}, changeDir: () => {}, setRoot: () => {},
  ignorePerishable: false, notePerishable: () => {},
};

export function contextOf(version: number, incRecurse: boolean): ProtocolContext {
  return {
    version, incRecurse, varintFlistFlags: version >= 32, safeFlist: version >= 31, id0Names: version >= 32,
  } as ProtocolContext;
}

export function fieldsOf(changes: Partial<FlistFields> = {}): FlistFields {
  return {
    preserveUid: true, preserveGid: true, preserveDevices: true, preserveSpecials: true, preserveLinks: true,
    preserveHardLinks: false, preserveAtimes: false, preserveCrtimes: false, preserveAcls: false, preserveXattrs: false,
    checksumLength: 0, numericIds: false, relativePaths: false, ...changes,
  };
}

export interface SentList {
  bytes: Uint8Array;
  sender: FlistSender;
  segments: Segments;
  view: SegmentView;
  fs: DiskFs;
  /** The segments as they were handed over. */
  lists: ListHandover;
  /** Messages, each with its kind in front. */
  lines: string[];
}

/** Sends the whole list of `args` as seen from `cwd`. */
export function sendList(
  cwd: string, args: string[], context: ProtocolContext, fields: FlistFields, options: Partial<WalkOptions> = {},
  filters: WalkFilters = NO_FILTERS,
): SentList {
  const fs = diskFs(testMemory());
  const segments = new Segments(fs.memory, context.incRecurse);
  const view = segments.view();
  const out = new Writer();
  const ndx = new NdxWriter(context.version);
  const lists = new ListHandover();
  lists.isOpen = true;
  const lines: string[] = [];
  const note = (kind: string) => (text: string | number, more?: string | number): void => {
    lines.push(`${kind} ${text}${more === undefined ? "" : ` ${more}`}`);
  };
  const sender = new FlistSender({
    fs, context, fields, filters, segments, view, ids: new SenderIds(fs), out, cwd,
    report: {
      sysError: note("sys"), error: note("error"), warning: note("warning"), info: note("info"), detail: note("detail"),
      ioError: note("io"),
    },
    writeNdx: (to, value) => ndx.write(to, value),
    extras: null,
    handover: lists,
    names: null,
    keepsNumbers: false,
    keepsChecksums: false,
    dirs: new SourceRoots(fs, {
      follows: options.copyLinks === true || options.copyUnsafeLinks === true || options.copyDirlinks === true,
      relative: options.relative === true, listed: false, within: null, module: null,
      refused: (refusal) => note("refused")(refusal.path),
    }),
    checksum: fields.checksumLength > 0 ? (_fd, _name, stat, into) => void into.fill(stat.size & 0xff, 0,
      fields.checksumLength) : null,
    options: {
      recurse: true, dirs: true, relative: false, impliedDirs: true, missingArgs: 0, ignoreErrors: false,
      deleteDuring: false, oneFileSystem: 0, copyLinks: false, copyUnsafeLinks: false,
      copyDirlinks: false, mungeLinks: false, preserveAtimes: false, ...options,
    },
  });
  sender.begin(args);
  while (sender.step());
  while (sender.extra(1e9));
  return { bytes: out.view().slice(), sender, segments, view, fs, lists, lines };
}

export interface ReceivedList {
  receiver: FlistReceiver;
  segments: Segments;
  view: SegmentView;
}

/**
 * Receives a whole list, `chunk` bytes at a time; or takes it from its sender (`lists`) and skips its bytes. Throws
 * when the list ends before its bytes or after them.
 */
export function receiveList(
  bytes: Uint8Array, context: ProtocolContext, fields: FlistFields, options: Partial<ReceiveOptions> = {}, chunk = 1e9,
  lists: ListHandover | null = null,
): ReceivedList {
  const fs = diskFs(testMemory());
  const segments = new Segments(fs.memory, context.incRecurse);
  const view = segments.view();
  const ids = new ReceiverIds(fs, {
    amRoot: true, numericIds: fields.numericIds, usermap: null, groupmap: null, id0Names: context.id0Names,
      ownGroups: [0],
  });
  const receiver = new FlistReceiver({
    context, fields, segments, ids, inodes: context.version < 30 ? new IdevTable() : null, extras: null,
    names: null,
    options: { recurse: true, relative: false, ignoreErrors: false, deleteMissingArgs: false, pruneEmptyDirs: false,
      keepsNumbers: false,
      ...options },
  });
  const ndx = new NdxReader(context.version);
  const cursor = new Cursor(bytes, 0, Math.min(chunk, bytes.length));
  const readOne = (dirNdx: number): void => {
    receiver.begin(dirNdx);
    if (lists !== null) {
      cursor.pos += lists.next!.byteLength;
      receiver.adopt(lists.next!, new SenderIds(fs));
      lists.taken();
      return;
    }
    while (receiver.feed(cursor) === null) {
      if (cursor.end === bytes.length) throw new Error("the list ends early");
      cursor.end = Math.min(cursor.end + chunk, bytes.length);
    }
  };
  readOne(-1);
  while (context.incRecurse && !segments.eof) {
    cursor.end = Math.min(cursor.end + 8, bytes.length);
    const next = ndx.read(cursor);
    if (next === Ndx.flistEof) segments.eof = true;
    else readOne(Ndx.flistOffset - next);
  }
  if (context.incRecurse && cursor.pos !== bytes.length) throw new Error("bytes are left over");
  return { receiver, segments, view };
}

/** The rows of all segments: "ndx path". Directories end in a slash, cleared rows are "-". */
export function rowsOf(view: SegmentView): string[] {
  const rows: string[] = [];
  for (let list = view.first; list !== null; list = list.next) {
    for (let row = 0; row < list.used; row++) {
      const text = list.isActive(row) ? list.path(row) + (list.isDir(row) ? "/" : "") : "-";
      rows.push(`${list.ndxStart + row} ${text}`);
    }
  }
  return rows;
}
