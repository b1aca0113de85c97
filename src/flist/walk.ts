/**
 * The sender's file list: arguments and directories become rows and wire entries (upstream flist.c: send_file_list,
 * send_extra_file_list, send_directory, send_implied_dirs, send_file_entry's bookkeeping).
 *
 * A walk works in steps: each reads about one directory, appends its entries to `out` and returns, so that the session
 * can drain `out` in between without a wait per file. Directories are opened below a held descriptor of the transfer
 * root and may not lead out of it; their entries are statted relative to the open directory by the address of their
 * name.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { cleanName } from "../filter/paths.ts";
import { FileFlag, IoError, Ndx, WireLimit } from "../protocol/constants.ts";
import type { Writer } from "../protocol/cursor.ts";
import { newStat, type FileSystem, type StatRecord } from "../posix/filesystem.ts";
import { parseArgument, type NameKind } from "./arguments.ts";
import { type FlistCounts } from "./counts.ts";
import type { FileList } from "./filelist.ts";
import { type Lookahead } from "./lookahead.ts";
import { FileType, RowMaker, type FilterLevel, type MakeOptions, type WalkFilters } from "./makefile.ts";
import { RootSet, type TransferRoot, type WalkRoots } from "./roots.ts";
import type { SegmentView } from "./segments.ts";
import { RowSender, type RowSenderParts } from "./sendrow.ts";
import { sortAndClean } from "./clean.ts";

/** Settings of the sender's walk, named as in options/options.ts. */
export interface WalkOptions extends MakeOptions {
  readonly recurse: boolean;
  readonly relative: boolean;
  readonly impliedDirs: boolean;
  /** 1: ignore missing arguments, 2: have the receiver delete them. */
  readonly missingArgs: number;
  readonly ignoreErrors: boolean;
  /** A --delete-during or -delay run, which old receivers cannot be told to stop. */
  readonly deleteDuring: boolean;
  /** --chmod on the sending side; not called for symlinks. */
  readonly tweakMode?: (mode: number) => number;
}

/** What a sender of lists works with. */
export interface FlistSenderParts extends RowSenderParts {
  readonly fs: FileSystem;
  readonly options: WalkOptions;
  readonly filters: WalkFilters;
  readonly view: SegmentView;
  readonly dirs: WalkRoots;
  /** Writes an index of this direction (protocol/ndx.ts). */
  readonly writeNdx: (out: Writer, ndx: number) => void;
  /** Absolute working directory. */
  readonly cwd: string;
  /** Rows are known by the numbers they travelled with (--iconv). */
  readonly keepsNumbers: boolean;
  readonly fullName?: (rootPath: string, path: string) => string;
  /** Lists directories before their turn; absent where nobody can. */
  readonly lookahead?: Lookahead;
}

/** A path below an implied directory that still has to be walked, with how its argument ended. */
interface RelativeName {
  readonly path: string;
  readonly kind: NameKind;
}

const { topDir, contentDir, impliedDir, duplicate } = FileFlag;

/** Builds and sends the lists of one conversation. */
export class FlistSender {
  readonly places: RootSet;
  readonly counts: FlistCounts;
  private readonly p: FlistSenderParts;
  private readonly maker: RowMaker;
  private readonly rows: RowSender;
  private readonly spare: StatRecord = newStat();
  private work: Generator<void, void> | null = null;
  // Incremental recursion: the directory to expand next, its depth, and names below implied directories.
  private sendDirNdx = -1;
  /** The walk has left the place where it began. */
  private placed = false;
  private sendDirDepth = -1;
  private readonly relNames: RelativeName[][] = [];
  private lastImplied = { root: -1, path: "", names: -1 };

  constructor(parts: FlistSenderParts) {
    this.p = parts;
    this.places = new RootSet(parts.fs, parts.dirs, parts.cwd);
    const { pin } = parts.dirs;
    this.maker = new RowMaker(
      parts.fs, { ...parts.options }, parts.filters, parts.report, parts.fullName,
      pin && ((path, silent) => pin(this.places.present, path, silent)),
    );
    this.rows = new RowSender(parts, this.maker);
    this.counts = this.rows.counts;
  }

  /** io_error bits so far. */
  get ioError(): number {
    return this.maker.ioError;
  }

  /** Rows of the list that is being made. */
  get listed(): number {
    return this.rows.list.used;
  }

  /** Adds io_error bits from elsewhere, such as a file that could not be opened. */
  addIoError(bits: number): void {
    this.maker.ioError |= bits;
  }

  /** Starts the first list. Throws UsageError for an argument with ".." where --relative forbids it. */
  begin(args: readonly string[]): void {
    this.useRoot(null);
    this.rows.list = this.p.segments.create();
    this.work = this.walkArguments(args);
  }

  /** Does one directory's worth of the first list; true while there is more to do. Drain `out` between steps. */
  step(): boolean {
    if (this.work === null) return false;
    if (this.work.next().done === true) this.work = null;
    return this.work !== null;
  }

  /**
   * Sends the list of one more directory while fewer than `atLeast` rows lie ahead of the reader (-1: one list more
   * than there is). True while still more are wanted. Upstream send_extra_file_list.
   */
  extra(atLeast: number): boolean {
    const { segments, view } = this.p;
    if (segments.eof) return false;
    const ahead = view.total - view.oldTotal;
    const wanted = atLeast < 0 ? ahead + 1 : atLeast;
    if (ahead >= wanted) return false;
    this.sendNextDirectory();
    return !segments.eof && view.total - view.oldTotal < wanted;
  }

  /** The root of a row. */
  rootOf(list: FileList, row: number): TransferRoot {
    return this.places.all[list.extra.pathRoot?.[row] ?? 0];
  }

  /** A row's absolute path, as error messages show it. */
  fullName(list: FileList, row: number): string {
    return this.maker.fullName(this.rootOf(list, row).path, list.path(row));
  }

  /** Closes descriptors and frees memory. */
  close(): void {
    this.places.close();
    this.maker.release();
  }

  // The first list.

  private *walkArguments(args: readonly string[]): Generator<void, void> {
    const { context, options } = this.p;
    const flags = options.recurse ? contentDir : 0;
    const state = { dotDirSent: false };
    for (const arg of args) yield* this.walkArgument(arg, flags, state);
    this.finishFirst(context.incRecurse);
  }

  private *walkArgument(arg: string, flags: number, state: { dotDirSent: boolean }): Generator<void, void> {
    const { options } = this.p;
    const { dir, path, kind, leadingDot } = parseArgument(arg, options.relative);
    if (!this.useRoot(dir)) return;
    if (leadingDot && !state.dotDirSent) {
      state.dotDirSent = true;
      this.sendPath(".", (flags | impliedDir) & ~contentDir, "all", false);
    }
    this.p.dirs.name(this.places.present, path, kind !== "normal" && kind !== "solo");
    const kindOrMissing = this.statArgument(path, kind);
    if (kindOrMissing === null) return;
    if (this.sendParents(path, kindOrMissing, flags)) return;
    const { stat } = this.maker;
    Object.assign(stat, this.spare);
    this.maker.deviceLo = stat.devLo;
    this.maker.deviceHi = stat.devHi;
    if (kind === "solo" || (!options.recurse && !(options.dirs && kind !== "normal"))) {
      this.sendPath(path, kind === "solo" ? 0 : flags, "none", true);
      return;
    }
    const row = this.sendPath(path, topDir | contentDir | flags, "none", true);
    if (row >= 0) yield* this.walkTop(row, path, kind);
  }

  /** Descends into an argument: at once, or later for a directory of incremental recursion. */
  private *walkTop(row: number, path: string, kind: NameKind): Generator<void, void> {
    if (!this.p.context.incRecurse) {
      if (this.rows.list.isDir(row)) yield* this.descend(row);
    } else if (kind === "dotdir") {
      if (this.sendDirDepth < 0) {
        this.sendDirDepth = 0;
        this.p.filters.changeDir(path, 0);
      }
      this.scan(path, this.p.options.recurse ? contentDir : 0);
      yield;
    }
  }

  /**
   * Stats an argument into `spare` and lets filters judge it. Returns its kind ("missing" for one to be deleted), or
   * null when it is left out.
   */
  private statArgument(path: string, kind: NameKind): NameKind | null {
    const { filters, options, report, fs } = this.p;
    const { maker, spare } = this;
    const ENOENT = fs.constants.E.ENOENT;
    const follow = options.copyDirlinks || (kind !== "normal" && kind !== "solo");
    let error = -this.statPath(path, spare, follow);
    const isDir = (): boolean => (spare.mode & FileType.mask) === FileType.directory;
    if (error <= 0) {
      const hidden = !filters.isEmpty && kind !== "dotdir" && filters.isExcluded(path, isDir(), "server");
      error = hidden || this.parentHidden(path) ? ENOENT : 0;
    }
    if (error !== 0) {
      if (error === ENOENT && options.missingArgs === 1) return null;
      if (error !== ENOENT || options.missingArgs === 0) {
        if (error !== ENOENT) maker.ioError |= IoError.general;
        report.sysError(`link_stat ${maker.show(path)} failed`, error);
        return null;
      }
      Object.assign(spare, newStat());
      return "missing";
    }
    if (kind !== "dotdir" && !filters.isEmpty && filters.isExcluded(path, isDir(), "all")) return null;
    if (!isDir() || options.dirs) return kind;
    report.info(`skipping directory ${path}`);
    return null;
  }

  /** --relative: a parent that the daemon's filters hide (flist.c:path_is_daemon_excluded). */
  private parentHidden(path: string): boolean {
    const { filters, options } = this.p;
    if (!options.relative || filters.isEmpty) return false;
    for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) {
      if (filters.isExcluded(path.slice(0, at), true, "server")) return true;
    }
    return false;
  }

  /** Sends implied directories of an argument. True when the rest of the argument waits for its directory's turn. */
  private sendParents(path: string, kind: NameKind, flags: number): boolean {
    const { context, options } = this.p;
    if (context.incRecurse && options.relative) {
      let at = path.indexOf("/", 1);
      if (at < 0) return false;
      if (at === 1 && path[0] === ".") {
        // "./x/y": the directory to wait for is "./x"; for "./x" itself nothing waits.
        const next = path.indexOf("/", 2);
        if (next < 0) {
          this.sendImplied(path, at, flags, kind);
          return false;
        }
        at = next;
      }
      this.sendImplied(path, at, flags, kind);
      return true;
    }
    const implied = options.impliedDirs || (options.relative && context.version >= 30);
    const slash = path.lastIndexOf("/");
    if (implied && slash > 0) this.sendImplied(path, slash, flags, "normal");
    return false;
  }

  /**
   * Sends the directories of path[0, limit) that were not sent before (flist.c:send_implied_dirs). `start`: with
   * incremental recursion, where the elements begin that the present directory does not cover.
   */
  private sendImplied(path: string, limit: number, flags: number, kind: NameKind, start = 0): void {
    const impliedFlags = (flags | impliedDir) & ~(topDir | contentDir);
    const head = path.slice(0, limit);
    if (!this.p.context.incRecurse) {
      this.sendMissingParents(head, impliedFlags);
      return;
    }
    const { lastImplied } = this;
    if (lastImplied.root !== this.rows.root || lastImplied.path !== head) {
      const row = this.withDirs(() => this.sendChain(head, start, impliedFlags));
      const names = row >= 0 && this.rows.list.isDir(row) ? this.relNames.push([]) - 1 : -1;
      if (names >= 0) this.rows.list.want("relNames")[row] = names;
      this.lastImplied = { root: this.rows.root, path: head, names };
    }
    const { names } = this.lastImplied;
    if (names >= 0) this.relNames[names].push({ path: path.slice(limit + 1), kind });
  }

  /** Without incremental recursion: sends what `head` does not share with the last implied path. */
  private sendMissingParents(head: string, flags: number): void {
    const last = this.lastImplied.path;
    if (last === head || last.startsWith(head + "/")) return;
    let start = 0;
    let depth = 0;
    for (let i = 0; i < head.length && head[i] === last[i]; i++) {
      if (head[i] !== "/") continue;
      start = i;
      depth++;
    }
    this.withDirs(() => this.sendChain(head, start, flags, depth));
    this.lastImplied = { root: this.rows.root, path: head, names: -1 };
  }

  /** Sends every directory of `head` that ends behind `start`, entering its merge files; the row of the last. */
  private sendChain(head: string, start: number, flags: number, startDepth = 0): number {
    const { context, filters } = this.p;
    let depth = startDepth;
    let row = -1;
    for (let at = head.indexOf("/", start + 1); ; at = head.indexOf("/", at + 1)) {
      const part = at < 0 ? head : head.slice(0, at);
      row = this.sendPath(part, flags, "server", false);
      depth++;
      if (!context.incRecurse && row >= 0 && this.rows.list.isDir(row)) filters.changeDir(part, depth);
      if (at < 0) return row;
    }
  }

  /** Implied directories are followed and listed whatever the options say. */
  private withDirs<T>(action: () => T): T {
    const { options } = this.maker;
    const { copyLinks, dirs } = options;
    options.copyLinks = options.dirs = true;
    try {
      return action();
    } finally {
      options.copyLinks = copyLinks;
      options.dirs = dirs;
    }
  }

  private finishFirst(incRecurse: boolean): void {
    const { context, fields, options, out, report, segments, view } = this.p;
    const { list } = this.rows;
    const errors = options.ignoreErrors ? 0 : this.ioError;
    this.endList(errors);
    if (fields.preserveHardLinks && context.version >= 30 && !incRecurse) this.rows.inodes.clear();
    this.clean(list);
    this.rows.handOver();
    if (!fields.numericIds && !incRecurse) this.rows.sendIds();
    if (context.version < 30) out.i32le(errors);
    else if (!context.safeFlist && errors !== 0) report.ioError(errors);
    this.counts.numFiles = list.used;
    if (!incRecurse) {
      segments.publish(list);
      segments.eof = true;
      return;
    }
    this.sendDirDepth = 1;
    this.sendDirNdx = segments.linkDirs(list, -1);
    list.parentNdx = list.used > 0 && list.basename(list.firstRow) === "." ? 0 : -1;
    segments.publish(list);
    if (this.sendDirNdx < 0) this.sendEof();
    else if (view.total === 1) this.sendNextDirectory();
  }

  /** Marks the end of a list; io_error goes along where the protocol has a place for it. */
  private endList(errors: number): void {
    const { context, options } = this.p;
    if (errors !== 0 && !context.safeFlist && options.deleteDuring && context.incRecurse) {
      const text = "FATAL I/O ERROR: dying to avoid a --delete-during issue with a pre-3.0.7 receiver.";
      throw new WsyncError(text, ExitCode.unsupported);
    }
    this.rows.end(context.safeFlist ? errors : 0);
  }

  private clean(list: FileList): void {
    const { version, incRecurse } = this.p.context;
    const inPlace = this.p.keepsNumbers;
    sortAndClean(list, { version, incRecurse, inPlace, amSender: true, stripRoot: false, pruneEmptyDirs: false });
  }

  // Later lists of incremental recursion.

  /** Sends the contents of the next directory, together with its duplicates, and moves on in the tree. */
  private sendNextDirectory(): void {
    const { context, options, out, report, segments } = this.p;
    const { dirList, tree } = segments;
    const errorsBefore = this.ioError;
    const list = (this.rows.list = segments.create());
    this.p.writeNdx(out, Ndx.flistOffset - this.sendDirNdx);
    list.parentNdx = this.sendDirNdx;
    this.sendContents(this.sendDirNdx);
    let previous = this.sendDirNdx;
    let next = tree.nextSibling(previous);
    while (next >= 0 && (dirList.flags[next] & duplicate) !== 0) {
      const sameRoot = dirList.extra.pathRoot?.[next] === dirList.extra.pathRoot?.[list.parentNdx];
      if (sameRoot && (dirList.flags[previous] & contentDir) !== 0) dirList.flags[next] &= ~contentDir;
      this.sendDirNdx = previous = next;
      this.sendContents(next);
      next = tree.nextSibling(next);
    }
    this.endList(this.ioError === errorsBefore || options.ignoreErrors ? 0 : this.ioError);
    this.clean(list);
    this.rows.handOver();
    segments.linkDirs(list, this.sendDirNdx);
    segments.publish(list);
    this.counts.numFiles += list.used;
    this.moveOn();
    this.lookAhead(list.used);
    if (this.ioError !== errorsBefore && context.version === 30 && !options.ignoreErrors) report.ioError(this.ioError);
  }

  /** Steps to the directory to send next: first child, next sibling, or the next sibling of a parent. */
  private moveOn(): void {
    const { tree } = this.p.segments;
    const child = tree.firstChild(this.sendDirNdx);
    if (child >= 0) {
      this.sendDirNdx = child;
      this.sendDirDepth++;
      return;
    }
    while (tree.nextSibling(this.sendDirNdx) < 0) {
      this.sendDirNdx = tree.parent(this.sendDirNdx);
      if (this.sendDirNdx < 0) {
        this.sendEof();
        this.p.filters.changeDir(null, 0);
        return;
      }
      this.sendDirDepth--;
    }
    this.sendDirNdx = tree.nextSibling(this.sendDirNdx);
  }

  private lookAhead(entries: number): void {
    const { lookahead, segments, dirs, options, report } = this.p;
    if (!lookahead || segments.eof || report.trace || options.oneFileSystem > 0) return;
    lookahead.count(entries);
    const open = (ndx: number): number => dirs.list(this.places.present, segments.dirList.path(ndx));
    lookahead.plan(segments, this.sendDirNdx, this.places.index, open);
  }

  private sendEof(): void {
    this.p.writeNdx(this.p.out, Ndx.flistEof);
    this.p.segments.eof = true;
  }

  /** Lists a directory of the directory list, and the argument names that waited for it (flist.c:send1extra). */
  private sendContents(dirNdx: number): void {
    const { filters, options, segments } = this.p;
    const { dirList } = segments;
    const path = dirList.path(dirNdx);
    this.enterRoot(dirList.extra.pathRoot?.[dirNdx] ?? 0);
    filters.changeDir(path, this.sendDirDepth);
    if ((dirList.flags[dirNdx] & contentDir) !== 0) {
      if (options.oneFileSystem > 0 && !this.noteDevice(path)) return;
      this.scan(path, contentDir, this.p.lookahead?.take(dirNdx));
    }
    const names = dirList.extra.relNames?.[dirNdx] ?? -1;
    if (names < 0) return;
    for (const { path: rest, kind } of this.relNames[names]) this.sendRelative(path, rest, kind);
    this.relNames[names] = [];
  }

  private noteDevice(path: string): boolean {
    const { maker, spare } = this;
    const error = -this.statPath(path, spare, this.p.options.copyDirlinks);
    if (error > 0) {
      this.statFailed(path, true, error);
      return false;
    }
    maker.deviceLo = spare.devLo;
    maker.deviceHi = spare.devHi;
    return true;
  }

  /** One argument name below an implied directory whose turn has come. */
  private sendRelative(dir: string, rest: string, kind: NameKind): void {
    const path = `${dir}/${rest}`;
    const slash = rest.indexOf("/");
    if (slash >= 0) {
      this.sendImplied(path, dir.length + 1 + slash, contentDir, kind, dir.length + 1);
      return;
    }
    const given = kind !== "normal" && kind !== "solo";
    if (given) {
      const { stat } = this.maker;
      if (kind === "missing") Object.assign(stat, newStat());
      else {
        const error = -this.statPath(path, stat, true);
        if (error > 0) {
          this.statFailed(path, true, error);
          return;
        }
      }
    }
    this.sendPath(path, kind === "solo" ? 0 : topDir | contentDir, "all", given);
  }

  /** Reports a failed stat (flist.c:interpret_stat_error). */
  private statFailed(path: string, isDir: boolean, errno: number): void {
    const { report, fs } = this.p;
    if (errno === fs.constants.E.ENOENT) {
      this.maker.ioError |= IoError.vanished;
      report.warning(`${isDir ? "directory" : "file"} has vanished: ${this.maker.show(path)}`);
    } else {
      this.maker.ioError |= IoError.general;
      report.sysError(`link_stat ${this.maker.show(path)} failed`, errno);
    }
  }

  // Directories and rows.

  /** Lists a directory row and, without incremental recursion, everything below it. */
  private *descend(row: number): Generator<void, void> {
    const { list } = this.rows;
    if ((list.flags[row] & FileFlag.mountDir) !== 0) return;
    const path = list.path(row);
    const { filters, options } = this.p;
    const token = filters.push(path);
    const start = list.used;
    this.scan(path, options.recurse ? contentDir : 0);
    yield;
    const end = options.recurse ? list.used : start;
    for (let below = start; below < end; below++) if (list.isDir(below)) yield* this.descend(below);
    filters.pop(token);
  }

  /** Adds a row for each entry of a directory (flist.c:send_directory). `opened`: its descriptor or -errno. */
  private scan(path: string, flags: number, opened?: number): void {
    const { fs } = this.p;
    const fd = opened ?? this.p.dirs.list(this.places.present, path);
    if (fd < 0) {
      this.openFailed(path, -fd);
      return;
    }
    this.rows.enterDir(path === "." ? "" : path.endsWith("/.") ? path.slice(0, -2) || "/" : path);
    const room = WireLimit.path - this.rows.prefixLength;
    const result = fs.readDir(fd, (name, length) => {
      if (length >= room) this.tooLong(path, name, length, room);
      else this.rows.add(fd, name, name, length, flags, "all", false);
    });
    if (result < 0) this.sysError(`readdir(${this.maker.show(path)})`, -result);
    fs.close(fd);
  }

  private openFailed(path: string, errno: number): void {
    if (errno === this.p.fs.constants.E.ENOENT) this.statFailed(path, true, errno);
    else this.sysError(`opendir ${this.maker.show(path)} failed`, errno);
  }

  private sysError(text: string, errno: number): void {
    this.maker.ioError |= IoError.general;
    this.p.report.sysError(text, errno);
  }

  private tooLong(path: string, name: number, length: number, room: number): void {
    this.maker.ioError |= IoError.general;
    const text = this.p.fs.memory.readLatin1(name, length);
    this.p.report.error(`filename overflows max-path len by ${length - room + 1}: ${path}/${text}`);
  }

  /** Adds a row for a path below the current root. `given`: the maker's stat record is filled. Row or -1. */
  private sendPath(path: string, flags: number, level: FilterLevel, given: boolean): number {
    if (path.length >= WireLimit.path) {
      this.maker.ioError |= IoError.general;
      this.p.report.error(`skipping overly long name: ${path}`);
      return -1;
    }
    const clean = cleanName(path)!;
    const slash = clean.lastIndexOf("/");
    this.rows.enterDir(slash < 0 ? "" : slash === 0 ? "/" : clean.slice(0, slash));
    const dirFd = this.places.locate(clean);
    if (dirFd < 0) return this.maker.unreachable(-dirFd, clean, level);
    // Only a directory (perhaps behind a symlink) or a missing name is taken as statted; others may be symlinks.
    const { mode } = this.maker.stat;
    const known = given && (mode === 0 || (mode & FileType.mask) === FileType.directory);
    const name = this.places.namePtr;
    return this.rows.add(dirFd, name, name, clean.length - slash - 1, flags, level, known);
  }

  /** stat of a path below the current root: 0 or -errno. */
  private statPath(path: string, stat: StatRecord, followDirLinks: boolean): number {
    const dirFd = this.places.locate(path);
    return dirFd < 0 ? dirFd : this.maker.linkStat(dirFd, this.places.namePtr, stat, followDirLinks, () => path);
  }

  /** Makes `dir` (null: the working directory) the root of what follows; false, reported, when it cannot be opened. */
  private useRoot(dir: string | null): boolean {
    const { cwd } = this.p;
    const index = this.places.use(dir);
    if (index < 0) this.sysError(`change_dir ${this.maker.fullName(cwd, dir ?? cwd)} failed`, -index);
    else this.enterRoot(index);
    return index >= 0;
  }

  /** Names are relative to a row's root from now on: as upstream goes there to send a file. */
  enterRootOf(list: FileList, row: number): void {
    this.enterRoot(list.extra.pathRoot?.[row] ?? 0);
  }

  private enterRoot(index: number): void {
    const { path } = this.places.all[index];
    this.places.index = index;
    this.rows.root = index;
    if (this.maker.rootPath === path) return;
    this.maker.rootPath = path;
    this.p.filters.setRoot(path);
    if (index > 0 || this.placed) this.p.report.trace?.entered(path);
    this.placed = true;
  }
}
