/**
 * The sender's source: its file list, sent in steps, and its files, opened below the root their argument named.
 * A source file is opened without following a symlink, not even one that has taken a directory's place since the scan,
 * unless the options follow links. Upstream sender.c:sender_open_confined, flist.c:send_extra_file_list.
 */
import { type FileSystem } from "../posix/filesystem.ts";
import { Confined, type Place } from "../files/confine.ts";
import { type FileList } from "../flist/filelist.ts";
import { openBelow } from "../flist/opendir.ts";
import { type SegmentView, type Segments } from "../flist/segments.ts";
import { type FlistSender } from "../flist/walk.ts";
import { ProtocolError } from "../errors.ts";
import { ListProgress } from "../session/listprogress.ts";
import { type Session } from "../session/session.ts";
import { showList, showListsEnd } from "./listtrace.ts";

export class SourceTree {
  readonly segments: Segments;
  readonly view: SegmentView;
  private readonly session: Session;
  private readonly sender: FlistSender;
  private readonly follows: boolean;
  private readonly confined = new Map<number, Confined>();
  /** "/" once it was needed. */
  private slash: Confined | null = null;
  /** The last list that --debug=flist3 has shown. */
  private shown: FileList | null = null;

  constructor(session: Session, sender: FlistSender, segments: Segments, view: SegmentView) {
    const { options } = session;
    this.session = session;
    this.sender = sender;
    this.segments = segments;
    this.view = view;
    this.follows = options.copyLinks || options.copyUnsafeLinks || options.copyDirlinks || options.insecureLinks;
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
    this.trace();
    if (session.log.debug("FLIST", 2)) session.log.infoLine("send_file_list done\n");
    if (this.segments.eof) showListsEnd(session, "sender");
    if (!session.amServer && session.log.debug("FLIST", 3)) session.log.infoLine("file list sent\n");
  }

  /** --debug=flist3: the lists that have been made since the last call. */
  private trace(): void {
    const { session } = this;
    if (!session.log.debug("FLIST", 3)) return;
    let list = this.shown === null ? this.view.first : this.shown.next;
    for (; list !== null; list = list.next) {
      showList(session, "sender", list, (rows, row) => this.rootPath(rows, row));
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
      this.trace();
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
    const { fs } = this.session;
    const { O } = fs.constants;
    const path = list.path(row);
    const root = this.sender.rootOf(list, row);
    if (this.follows) return this.openFollowing(fs, root.fd, path);
    if (path.startsWith("/")) {
      const dir = openBelow(fs, root.fd, path.slice(0, path.lastIndexOf("/")) || "/", true);
      if (dir < 0) return dir;
      const fd = fs.openat(dir, list.namePtr[row], O.RDONLY | O.NOFOLLOW | O.CLOEXEC, 0);
      fs.close(dir);
      return fd;
    }
    return this.confine(root.fd, root.path).openRow(list, row, O.RDONLY, 0);
  }

  /** A row's file below its confined root; an absolute path (--relative) is resolved from "/". */
  placeOf(list: FileList, row: number): Place {
    const path = list.path(row);
    if (path.startsWith("/")) return { root: this.filesystemRoot(), path: path.replace(/^\/+/, "") };
    const root = this.sender.rootOf(list, row);
    return { root: this.confine(root.fd, root.path), path };
  }

  /** A row's file for calls by directory and name; the directory's descriptor is -errno when it cannot be reached. */
  pinned(list: FileList, row: number): { readonly fd: number; readonly name: number } {
    const { fs } = this.session;
    const root = this.sender.rootOf(list, row);
    if (this.follows) {
      const path = list.path(row);
      return { fd: path.startsWith("/") ? fs.constants.AT.FDCWD : root.fd, name: fs.cstr(path) };
    }
    const place = this.placeOf(list, row);
    const fd = place.root.locate(place.path);
    return { fd, name: fs.cstr(place.root.located) };
  }

  /** A row's path as error messages show it. */
  fullName(list: FileList, row: number): string {
    return `"${this.sender.fullPath(list, row)}"`;
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
    return root === 0 ? null : this.sender.roots[root].given;
  }

  close(): void {
    this.slash?.close();
    this.sender.close();
  }

  private openFollowing(fs: FileSystem, rootFd: number, path: string): number {
    const { O, AT } = fs.constants;
    return fs.openat(path.startsWith("/") ? AT.FDCWD : rootFd, fs.cstr(path), O.RDONLY | O.CLOEXEC, 0);
  }

  private filesystemRoot(): Confined {
    const { fs } = this.session;
    const { O, AT } = fs.constants;
    this.slash ??= this.confine(fs.openat(AT.FDCWD, fs.cstr("/"), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0), "/");
    return this.slash;
  }

  private confine(fd: number, path: string): Confined {
    let root = this.confined.get(fd);
    if (!root) {
      root = new Confined(this.session.fs, fd, path, { links: "beneath" });
      this.confined.set(fd, root);
    }
    return root;
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
