/**
 * What the generator does with one row: looks at its place in the destination and hands it to the part that knows
 * its type. Upstream generator.c:recv_generator.
 *
 * `process` is synchronous; only a regular file with a basis comes back as a request, whose block sums the caller
 * sends with `request`, since they may be many.
 */
import { ProtocolError } from "../errors.ts";
import { fileKind, type FileKind } from "../files/basis.ts";
import { isRegular } from "../files/perms.ts";
import { makeParents } from "../files/mkdirs.ts";
import { type FileList } from "../flist/filelist.ts";
import { findRow, rowDepth } from "../flist/nameorder.ts";
import { FileFlag } from "../protocol/constants.ts";
import { DirectoryEntries } from "./directories.ts";
import { FileEntries, type SumRequest } from "./fileentries.ts";
import { LinkEntries } from "./linkentries.ts";
import { ListEntries } from "./listentries.ts";
import { NodeEntries } from "./nodeentries.ts";
import { type Item, type Scene, type Subtree } from "./scene.ts";

export class Entries {
  /** 0 while files are first looked at; see Generator. */
  phase = 0;
  readonly soloName: string | null;
  readonly tweaksDirs: boolean;
  readonly wholeFile: boolean;
  private readonly scene: Scene;
  private readonly directories: DirectoryEntries;
  private readonly files: FileEntries;
  private readonly links: LinkEntries;
  private readonly nodes: NodeEntries;
  private readonly listing: ListEntries | null;
  /** --debug=genr tells of every row. */
  private readonly traced: boolean;
  private readonly item: Item;
  private readonly impliedDirsMissing: boolean;
  private lastDirId = -1;
  /**
   * What is at hand lies in a directory that this run has made, so that nothing is there. With --backup something may
   * have been moved to it.
   */
  private parentIsNew = false;
  private priorDir: string | null = null;
  /** Files that are as they should be concern nothing but `pass`. */
  private readonly passes: boolean;
  /** The row whose place `pass` has looked at already, or -1. */
  private looked = -1;

  constructor(scene: Scene) {
    const { session, destination, receiving } = scene;
    const { options } = session;
    this.scene = scene;
    this.soloName = destination.soloName;
    this.tweaksDirs = !(options.listOnly || this.soloName !== null || session.dryRun > 0);
    this.links = new LinkEntries(scene);
    this.files = new FileEntries(scene, this.links);
    this.links.basis = this.files.basis;
    this.directories = new DirectoryEntries(scene, this.tweaksDirs, this.files.basis);
    this.nodes = new NodeEntries(scene, this.links);
    this.traced = session.log.debug("GENR", 1);
    this.listing = options.listOnly ? new ListEntries(session) : null;
    this.wholeFile = this.files.wholeFile;
    this.item = { list: receiving.segments.dirList, row: 0, ndx: 0 };
    this.passes = passesUnchanged(scene);
    this.impliedDirsMissing = options.relative > 0 && !options.impliedDirs && session.context.version < 30;
  }

  begin(): void {
    this.files.begin();
  }

  /**
   * Of the regular files at rows [from, to), how many at the beginning are as they should be: most rows of most runs,
   * which nothing but this loop looks at.
   */
  pass(list: FileList, from: number, to: number): number {
    const { scene, item, files } = this;
    if (!this.passes || scene.skipDir) return 0;
    item.list = list;
    for (let row = from; row < to; row++) {
      if (!isRegular(list.mode[row])) return row - from;
      item.row = row;
      this.look(item, "regular");
      if (scene.exists && files.isAsWanted(list, row)) continue;
      this.looked = row;
      return row - from;
    }
    return to - from;
  }

  get needsTouchUp(): boolean {
    return this.directories.needsTouchUp;
  }

  /** The rows of `list` come next, in order. */
  enter(list: FileList): void {
    this.scene.ahead?.enter(list);
  }

  /** `process`, and the sums if the row wants any. */
  async handle(list: FileList, row: number, ndx: number): Promise<void> {
    const request = this.process(list, row, ndx);
    if (request) await this.request(request);
  }

  async request(request: SumRequest): Promise<void> {
    const { log } = this.scene.session;
    if (log.debug("DELTASUM", 3)) {
      log.infoLine(`gen mapped ${this.scene.path(this.item)} of size ${request.byteLength}\n`);
    }
    if (log.debug("DELTASUM", 2)) log.infoLine(`generating and sending sums for ${this.item.ndx}\n`);
    await this.files.sendSums(request);
  }

  /** Asks again for a file that arrived damaged, whatever the options said about skipping it. */
  async redo(list: FileList, row: number, ndx: number): Promise<void> {
    this.files.redoing = true;
    await this.handle(list, row, ndx);
    this.files.redoing = false;
  }

  /** A hard-link leader is in place, or never will be. */
  linkFinished(list: FileList, row: number, ndx: number, failed: boolean): void {
    if (failed) this.links.skip({ list, row, ndx });
    else this.links.finish({ list, row, ndx }, null);
  }

  touchUpDir(dirList: FileList, row: number): void {
    this.directories.touchUp(dirList, row);
  }

  touchUpDirs(list: FileList): void {
    for (let row = 0; row < list.used; row++) this.directories.touchUp(list, row);
  }

  /** Brings one row up to date as far as that needs no contents from the sender. */
  process(list: FileList, row: number, ndx: number): SumRequest | null {
    const { item } = this;
    item.list = list;
    item.row = row;
    item.ndx = ndx;
    const kind = fileKind(list.mode[row]);
    if (this.traced) this.scene.session.log.infoLine(`recv_generator(${this.scene.path(item)},${ndx})\n`);
    if (this.listing) return this.listing.print(item, kind, this.isContents(item, kind));
    if (this.isSkipped(item, kind) || this.isHidden(item, kind)) return null;
    if (this.looked !== row) this.look(item, kind);
    this.looked = -1;
    if (this.isMissingArgument(item)) {
      if (this.scene.exists) this.scene.deletion.removeNamed(this.scene.path(item), this.scene.stat.mode);
      return null;
    }
    if (this.isPassedOver(item, kind)) return null;
    if (kind === "directory") {
      if (this.isContents(item, kind)) this.directories.prepare(item);
      else if (this.directories.complete(item, this.phase)) this.priorDir = this.scene.path(item);
      return null;
    }
    this.settleMode(item);
    if (this.links.follows(item)) return null;
    return this.dispatch(item, kind);
  }

  private dispatch(item: Item, kind: FileKind): SumRequest | null {
    const { options } = this.scene.session;
    if (kind === "symlink" && options.preserveLinks) this.links.symlink(item);
    else if (this.nodes.wants(kind)) this.nodes.create(item, kind);
    else if (kind !== "regular") this.nodes.skip(item);
    else return this.files.process(item);
    return null;
  }

  /** --delete-missing-args: the row stands for an argument that names nothing on the sender. */
  private isMissingArgument(item: Item): boolean {
    return item.list.mode[item.row] === 0 && this.scene.session.options.missingArgs === 2;
  }

  /** With incremental recursion: a directory met among its siblings, whose own turn comes with its contents. */
  private isContents(item: Item, kind: FileKind): boolean {
    const { segments } = this.scene.receiving;
    return kind === "directory" && segments.incRecurse && item.list !== segments.dirList;
  }

  private isBelow(item: Item, tree: Subtree): boolean {
    if (rowDepth(item.list, item.row) <= tree.depth) return false;
    return !this.impliedDirsMissing || item.list.path(item.row).startsWith(tree.path + "/");
  }

  /** Part of a directory whose contents are skipped. */
  private isSkipped(item: Item, kind: FileKind): boolean {
    const { scene } = this;
    if (!scene.skipDir) return false;
    if (!this.isBelow(item, scene.skipDir)) {
      scene.skipDir = null;
      return false;
    }
    if (kind === "directory") scene.receiving.segments.orFlags(item.list, item.row, FileFlag.missingDir);
    else this.links.skip(item);
    return true;
  }

  /** A daemon's own rules forbid the row. */
  private isHidden(item: Item, kind: FileKind): boolean {
    const { scene } = this;
    if (scene.hidden === null) return false;
    const isDir = kind === "directory";
    const path = scene.path(item);
    if (!scene.hidden(path, isDir)) return false;
    if (this.isContents(item, kind)) return true;
    if (!isDir) this.links.skip(item);
    const what = isDir ? "directory" : "file";
    scene.session.log.errorXfer(`ERROR: daemon refused to receive ${what} "${path}"\n`);
    if (isDir) {
      scene.session.log.error("*** Skipping any contents from this failed directory ***\n");
      this.skipContents(item);
    }
    return true;
  }

  private skipContents({ list, row }: Item): void {
    this.scene.skipDir = { depth: rowDepth(list, row), path: list.path(row) };
    this.scene.receiving.segments.orFlags(list, row, FileFlag.missingDir);
  }

  /** Finds out what stands at the row's place. */
  private look(item: Item, kind: FileKind): void {
    const { scene } = this;
    const { session, destination, stat } = scene;
    const { options } = session;
    if (session.dryRun > 1 || (scene.dryMissingDir && this.isBelow(item, scene.dryMissingDir))) {
      this.lastDirId = -1;
      scene.fuzzy?.leave();
      scene.exists = false;
      scene.statErrno = session.fs.constants.E.ENOENT;
      return;
    }
    scene.dryMissingDir = null;
    const dirId = item.list.dir[item.row];
    if (dirId !== this.lastDirId) this.enterParent(item, dirId);
    if (this.parentIsNew && !this.files.redoing && (kind !== "directory" || this.isContents(item, kind))) {
      scene.exists = false;
      scene.statErrno = session.fs.constants.E.ENOENT;
      return;
    }
    let result: number;
    if (options.keepDirlinks && kind === "directory") result = this.statThroughLink(item);
    else if (this.scene.ahead?.lstat(item.list, item.row, stat)) result = 0;
    else result = destination.lstat(item.list, item.row, stat);
    scene.exists = result >= 0;
    scene.statErrno = -result;
  }

  /** --keep-dirlinks: a symlink to a directory counts as that directory. */
  private statThroughLink(item: Item): number {
    const { destination, stat } = this.scene;
    const path = this.scene.path(item);
    const followed = destination.root.stat(path, stat);
    if (followed >= 0 && fileKind(stat.mode) === "directory") return followed;
    return destination.root.lstat(path, stat);
  }

  /** A new parent directory: it must be one the sender listed, and must exist with --no-implied-dirs. */
  private enterParent(item: Item, dirId: number): void {
    const { scene } = this;
    const { session, destination } = scene;
    const { options, context } = session;
    const dir = item.list.dirs.names[dirId];
    const listed = context.incRecurse || dir === "" || dir === "/" || this.holdsPrior(dir) || this.soloName !== null;
    if (!listed) this.checkParent(item, dir);
    const bare = options.relative > 0 && !options.impliedDirs && dir !== "" && this.soloName === null;
    if (bare && item.list.mode[item.row] !== 0) {
      if (destination.root.stat(dir, scene.stat) < 0) {
        const made = makeParents(destination.root, scene.path(item));
        if (made < 0) scene.failed(`recv_generator: mkdir ${destination.fullName(dir)} failed`, -made);
        destination.root.forget(dir);
      }
    }
    if (!options.preservePerms) {
      scene.defaultPerms = scene.dirPerms.of(item.list.dirs, this.soloName === null ? dirId : 0);
    }
    scene.fuzzy?.leave();
    this.lastDirId = dirId;
    this.parentIsNew = dir === this.directories.newest && !options.backup;
  }

  /** Is it the directory that was completed last, or one above it, which must have been listed for that one? */
  private holdsPrior(dir: string): boolean {
    const { priorDir } = this;
    return priorDir !== null && (priorDir === dir || priorDir.startsWith(`${dir}/`));
  }

  private checkParent(item: Item, dir: string): void {
    const { session } = this.scene;
    const { list } = item;
    const row = findRow(list, dir, -1, session.context.version);
    if (row >= 0 && list.isDir(row)) return;
    if (this.isMissingArgument(item) && (row < 0 || list.mode[row] === 0)) {
      if (row < 0) session.log.error(`WARNING: parent dir is absent in the file list: ${dir}\n`);
      return;
    }
    throw new ProtocolError("flist-name", `ABORTING due to invalid path from sender: ${list.path(item.row)}`);
  }

  /** --existing and --ignore-existing. */
  private isPassedOver(item: Item, kind: FileKind): boolean {
    const { scene } = this;
    const { session, exists } = scene;
    const { options, fs } = session;
    const contents = this.isContents(item, kind);
    if (this.files.redoing) return false;
    if (options.existing && !exists && scene.statErrno === fs.constants.E.ENOENT) {
      if (contents) return true;
      this.notCreated(item, kind);
      return true;
    }
    if (!options.ignoreExisting || !exists) return false;
    if (kind === "directory" && fileKind(scene.stat.mode) === "directory") return false;
    if (session.log.info("SKIP", 1) && !contents) {
      session.log.infoLine(`${scene.path(item)} exists${this.existsHow(item, kind)}\n`);
    }
    this.links.skip(item);
    return true;
  }

  private notCreated(item: Item, kind: FileKind): void {
    const { scene } = this;
    const path = scene.path(item);
    if (kind === "directory") this.skipContents(item);
    else this.links.skip(item);
    if (!scene.session.log.info("SKIP", 1)) return;
    scene.session.log.infoLine(`not creating new ${kind === "directory" ? "directory" : "file"} "${path}"\n`);
  }

  private existsHow(item: Item, kind: FileKind): string {
    const { session, stat, attributes } = this.scene;
    if (!session.log.info("SKIP", 2)) return "";
    if (fileKind(stat.mode) !== kind) return " (type change)";
    if (!this.files.isCurrent(item, kind)) return session.options.checksum ? " (sum change)" : " (file change)";
    const place = { root: this.scene.destination.root, path: this.scene.path(item) };
    return attributes.unchanged(item.list, item.row, stat, place) ? " (uptodate)" : " (attr change)";
  }

  /** Without --perms the mode follows the file that is there, or the umask. */
  private settleMode(item: Item): void {
    const { session, exists, stat } = this.scene;
    if (session.options.preservePerms) return;
    const there = exists && fileKind(stat.mode) !== "directory";
    const { list, row } = item;
    const sent = list.mode[row];
    list.mode[row] = this.directories.plainMode(sent, there);
    if (list.mode[row] !== sent) list.want("sentMode")[row] ||= sent;
  }
}

/** Do the options ask nothing about a file but whether its size, time, mode and owner are right? */
function passesUnchanged(scene: Scene): boolean {
  const { session, destination, itemizing, itemizer, hidden, basisDirs, hardLinks, deletion } = scene;
  const { options, log } = session;
  if (!options.preservePerms || options.checksum || options.ignoreExisting || options.update) return false;
  if (options.listOnly || options.removeSourceFiles > 0 || options.maxSize >= 0 || options.minSize >= 0) return false;
  if (destination.soloName !== null || log.debug("GENR", 1) || (itemizing && !itemizer.skipsUnchanged)) return false;
  return hidden === null && basisDirs === null && hardLinks === null && deletion.partials.partialDir === null;
}
