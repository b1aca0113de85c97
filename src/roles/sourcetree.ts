/**
 * The sender's source: its file list, sent in steps, and its files, in directories that SourceRoots confines. Upstream
 * sender.c:sender_open_confined, flist.c:send_extra_file_list.
 */
import { type Confined, type Place } from "../files/confine.ts";
import { type FileList } from "../flist/filelist.ts";
import { type SegmentView, type Segments } from "../flist/segments.ts";
import { type FlistSender } from "../flist/walk.ts";
import { ProtocolError } from "../errors.ts";
import { ListProgress } from "../session/listprogress.ts";
import { type Session } from "../session/session.ts";
import { showList, showListsEnd } from "./listtrace.ts";
import { type SourceRoots } from "./sourceroots.ts";

/** Flags that open a source file: not through a symlink, unless the options follow those of files, anywhere. */
export function readFlags(session: Session): number {
  const { O } = session.fs.constants;
  const follows = followsFiles(session) && !session.module?.confined;
  return O.RDONLY | O.CLOEXEC | (follows ? 0 : O.NOFOLLOW) | (session.options.openNoatime ? O.NOATIME : 0);
}

function followsFiles({ options }: Session): boolean {
  return options.copyLinks || options.copyUnsafeLinks;
}

export class SourceTree {
  readonly segments: Segments;
  readonly view: SegmentView;
  private readonly session: Session;
  private readonly sender: FlistSender;
  private readonly dirs: SourceRoots;
  private readonly readFlags: number;
  private readonly followsFiles: boolean;
  /** The last list that --debug=flist3 has shown. */
  private shown: FileList | null = null;

  constructor(session: Session, sender: FlistSender, dirs: SourceRoots, segments: Segments, view: SegmentView) {
    this.session = session;
    this.sender = sender;
    this.dirs = dirs;
    this.segments = segments;
    this.view = view;
    this.readFlags = readFlags(session);
    this.followsFiles = followsFiles(session);
  }

  /** Sends the first list, one directory at a time. */
  async sendFirst(args: readonly string[]): Promise<void> {
    const { session, sender } = this;
    const { output, stats } = session;
    const started = session.host.monotonic();
    const before = output.written;
    const progress = new ListProgress(session);
    progress.start("building");
    sender.begin(args);
    progress.count(0);
    while (sender.step()) {
      progress.count(sender.listed - 1);
      output.spill();
      if (output.congested) await output.drain();
      const turn = session.breathe();
      if (turn) await turn;
    }
    stats.flistBuildTime = Math.round(session.host.monotonic() - started) || 1;
    // As rsync counts: only what has left for the other side by now.
    stats.flistSize = output.written - before;
    this.count();
    progress.finish(this.view.first?.used ?? 0);
    this.examine();
    if (session.log.debug("FLIST", 2)) session.log.infoLine("send_file_list done\n");
    if (this.segments.eof) showListsEnd(session, "sender");
    if (!session.amServer && session.log.debug("FLIST", 3)) session.log.infoLine("file list sent\n");
  }

  /** --debug=flist3 and --explain want the lists that have been made since the last call. */
  private examine(): void {
    const { session } = this;
    const shows = session.log.debug("FLIST", 3);
    if (!shows && session.explainer === null) return;
    let list = this.shown === null ? this.view.first : this.shown.next;
    for (; list !== null; list = list.next) {
      if (shows) showList(session, "sender", list, (rows, row) => this.rootPath(rows, row));
      session.explainer?.sawList(list);
      this.shown = list;
    }
  }

  /** Must more of the list be sent before the next request is served? */
  needsMore(lookahead: number): boolean {
    return !this.segments.eof && this.view.total - this.view.oldTotal < lookahead;
  }

  /** Sends further segments until the list is `lookahead` rows ahead. */
  async sendAhead(lookahead: number): Promise<void> {
    const { session } = this;
    const { output, stats } = session;
    const before = output.written;
    for (let more = true; more; ) {
      more = this.sender.extra(lookahead);
      this.examine();
      output.spill();
      if (output.congested) await output.drain();
      const turn = session.breathe();
      if (turn) await turn;
    }
    if (this.segments.eof) showListsEnd(session, "sender");
    stats.flistSize += output.written - before;
    this.count();
  }

  /** The row an ndx stands for: one of the segment, or the directory the segment belongs to. */
  entryOf(segment: FileList, ndx: number): { list: FileList; row: number } {
    const row = ndx - segment.ndxStart;
    const { dirList } = this.segments;
    const found = row >= 0 ? { list: segment, row } : { list: dirList, row: segment.parentNdx };
    if (found.row < 0 || found.row >= found.list.used || !found.list.isActive(found.row)) {
      throw new ProtocolError("ndx", `refusing transfer of cleared file index ${ndx}`);
    }
    return found;
  }

  /** Opens a row's file for reading; a descriptor or -errno. */
  open(list: FileList, row: number): number {
    const { fs, module } = this.session;
    const root = this.rootOf(list, row);
    if (this.followsFiles && module?.confined) {
      return root.openFollowing(list.path(row), this.readFlags & ~fs.constants.O.NOFOLLOW, 0);
    }
    const dirFd = root.rowDirFd(list, row);
    return dirFd < 0 ? dirFd : fs.openat(dirFd, list.namePtr[row], this.readFlags, 0);
  }

  /** A row's file below its root. */
  placeOf(list: FileList, row: number): Place {
    return { root: this.rootOf(list, row), path: list.path(row) };
  }

  /** A row's file for calls by directory and name; the directory's descriptor is -errno when it cannot be reached. */
  pinned(list: FileList, row: number): { readonly fd: number; readonly name: number } {
    return { fd: this.rootOf(list, row).rowDirFd(list, row), name: list.namePtr[row] };
  }

  /** A row's path as error messages show it. */
  fullName(list: FileList, row: number): string {
    return this.sender.fullName(list, row);
  }

  /** --debug=chdir: names are relative to the row's root now. */
  enter(list: FileList, row: number): void {
    if (this.session.log.debug("CHDIR", 1)) this.sender.enterRootOf(list, row);
  }

  /** A row's path as debugging lines show it: behind the directory that its argument named. */
  shownPath(list: FileList, row: number): string {
    const root = this.rootPath(list, row);
    return root === null ? list.path(row) : `${root}/${list.path(row)}`;
  }

  /** The directory a row's name starts from, as the user gave it, or null for the working directory. */
  rootPath(list: FileList, row: number): string | null {
    const root = list.extra.pathRoot?.[row] ?? 0;
    return root === 0 ? null : this.sender.places.all[root].given;
  }

  close(): void {
    this.sender.close();
  }

  private rootOf(list: FileList, row: number): Confined {
    return this.dirs.of(this.sender.rootOf(list, row));
  }

  private count(): void {
    const { stats } = this.session;
    const { counts } = this.sender;
    stats.numFiles = counts.numFiles;
    stats.numDirs = counts.numDirs;
    stats.numSymlinks = counts.numLinks;
    stats.numDevices = counts.numDevices;
    stats.numSpecials = counts.numSpecials;
    stats.totalSize = counts.totalSize;
    this.session.ioError |= this.sender.ioError;
  }
}
