/**
 * Deleting what the sender does not have: before, during, after, or noted during and done after. Also making way for
 * an item of another type. Upstream generator.c:delete_in_dir, do_delete_pass, do_delayed_deletions.
 */
import { type Attributes } from "../files/attrs.ts";
import { type Backups } from "../files/backup.ts";
import { type Place } from "../files/confine.ts";
import { type PartialDir } from "../files/partial.ts";
import { isDirectory } from "../files/perms.ts";
import { DelFlag, type Remover } from "../files/remove.ts";
import { type DirLister } from "../flist/dirlist.ts";
import { type FileList } from "../flist/filelist.ts";
import { type WalkFilters } from "../flist/makefile.ts";
import { findRow, rowDepth } from "../flist/nameorder.ts";
import { newStat, type StatRecord } from "../posix/filesystem.ts";
import { FileFlag, IoError } from "../protocol/constants.ts";
import { type Session } from "../session/session.ts";
import { type Destination } from "./destination.ts";
import { showList } from "./listtrace.ts";

const S_IWUSR = 0o200;

/** When deletions happen; "none" without --delete. */
export type DeleteMode = "none" | "before" | "during" | "delay" | "after";

interface Delayed {
  readonly path: string;
  readonly mode: number;
  readonly flags: number;
}

/** What deletion works with. */
export interface DeletionParts {
  readonly session: Session;
  readonly destination: Destination;
  readonly remover: Remover;
  readonly lister: DirLister;
  readonly filters: WalkFilters;
  readonly attributes: Attributes;
  readonly backups: Backups | null;
  readonly partialDir: PartialDir | null;
}

export class Deletion {
  readonly mode: DeleteMode;
  readonly backups: Backups | null;
  readonly partials: { readonly partialDir: PartialDir | null };
  private readonly p: DeletionParts;
  private readonly delayed: Delayed[] = [];
  private readonly stat = newStat();
  /** Devices of the transfer's top directories, which --one-file-system confines deletion to. */
  private readonly topDevices = new Set<string>();
  private currentDevice = "";
  private warned = false;

  constructor(parts: DeletionParts) {
    this.p = parts;
    this.backups = parts.backups;
    this.partials = { partialDir: parts.partialDir };
    this.mode = deleteModeOf(parts.session);
  }

  /** Deletions are made, or noted, directory by directory as the generator passes. */
  get during(): boolean {
    return this.mode === "during" || this.mode === "delay";
  }

  get wanted(): boolean {
    return this.mode !== "none";
  }

  /** Nothing is deleted after the last phase has begun; upstream EARLY_DELETE_DONE_MSG. */
  get endsEarly(): boolean {
    return this.mode !== "delay" && this.mode !== "after";
  }

  /** Deletions that --max-delete prevented. */
  get skipped(): number {
    return this.p.remover.counts.skipped;
  }

  /**
   * Removes what stands in the way of an item of another type. Its owner's write permission is added first where that
   * is ours to do. False (reported) when that failed.
   */
  makeWay(path: string, { mode, uid }: { readonly mode: number; readonly uid: number }, delFor: number): boolean {
    const { options, amRoot, fs } = this.p.session;
    let flags = delFor | (this.wanted || options.force ? DelFlag.recurse : 0);
    if (!(mode & S_IWUSR) && !amRoot && uid === fs.euid) flags |= DelFlag.noUidWrite;
    const gone = this.p.remover.deleteItem(path, mode, flags) === "success";
    if (gone && isDirectory(mode)) this.p.destination.root.forget(path);
    return gone;
  }

  /** --delete-missing-args: removes what an argument names that the sender does not have, unless a rule keeps it. */
  removeNamed(path: string, mode: number): void {
    const { remover, filters, destination } = this.p;
    if (!filters.isEmpty && filters.isExcluded(path, false, "all")) return;
    remover.deleteItem(path, mode, this.wanted || this.p.session.options.force ? DelFlag.recurse : 0);
    if (isDirectory(mode)) destination.root.forget(path);
  }

  /** The whole pass of --delete-before and --delete-after. */
  pass(list: FileList): void {
    const { session, destination, filters } = this.p;
    if (session.dryRun > 1 || session.options.listOnly) return;
    for (let place = 0; place < list.used; place++) {
      const row = list.rowAt(place);
      if (!list.isActive(row) || !list.isDir(row)) continue;
      const path = list.path(row);
      if ((list.flags[row] & FileFlag.contentDir) === 0) {
        filters.changeDir(path, rowDepth(list, row));
        continue;
      }
      const { root } = destination;
      const top = (list.flags[row] & FileFlag.topDir) !== 0;
      if (top && session.log.debug("DEL", 1)) session.log.infoLine(`deleting in ${path}\n`);
      const found = session.options.keepDirlinks ? root.stat(path, this.stat) : root.lstat(path, this.stat);
      if (found < 0 || !isDirectory(this.stat.mode)) continue;
      this.deleteIn(list, list, row, path);
    }
    this.leave();
    // Clears the line that the count of entries was shown in.
    if (session.log.info("FLIST", 2) && !session.amServer) session.log.infoLine(`${" ".repeat(20)}\r`);
  }

  /** The generator has come to a directory: row `row` of `dirs`, whose contents are in `list`. */
  enter(list: FileList, dirs: FileList, row: number): void {
    const path = dirs.path(row);
    if (dirs.flags[row] & FileFlag.contentDir) this.deleteIn(list, dirs, row, path);
    else this.p.filters.changeDir(path, rowDepth(dirs, row));
  }

  /** The generator has left the last directory. */
  leave(): void {
    this.p.filters.changeDir(null, 0);
  }

  /** Deletions that were put off to the end. */
  finish(first: FileList | null): void {
    if (this.mode === "delay") {
      for (const item of this.delayed) this.deleteDelayed(item);
      this.delayed.length = 0;
    } else if (this.mode === "after" && this.p.destination.soloName === null && first && first.used > 0) {
      this.pass(first);
    }
  }

  /**
   * Gives a copied backup the attributes of the file `path` that it keeps, which `stat` describes; xattrs only where
   * they did not come with the bytes.
   */
  finishCopy(place: Place, path: string, stat: StatRecord, withXattrs: boolean): void {
    const { attributes, destination } = this.p;
    const from = { root: destination.root, path };
    if (withXattrs) attributes.copyXattrs(from, place);
    attributes.setLike(place, from, stat, 0);
  }

  private deleteDelayed(item: Delayed): void {
    const { destination, remover } = this.p;
    if (destination.root.lstat(item.path, this.stat) < 0) return;
    remover.deleteItem(item.path, this.stat.mode, item.flags);
  }

  /** After an error on the sender its list may lack files, so nothing is deleted on the strength of it. */
  private mustNotDelete(): boolean {
    const { session, lister, remover } = this.p;
    session.ioError |= lister.ioError | (remover.sawError ? IoError.general : 0);
    if ((session.ioError & IoError.general) === 0 || session.options.ignoreErrors) return false;
    if (!this.warned) session.log.infoLine("IO error encountered -- skipping file deletion\n");
    this.warned = true;
    return true;
  }

  private deleteIn(list: FileList, dirs: FileList, row: number, path: string): void {
    const { session, filters, lister, destination } = this.p;
    if (session.log.debug("DEL", 2)) session.log.infoLine(`delete_in_dir(${path})\n`);
    if (this.mustNotDelete()) return;
    filters.changeDir(path, rowDepth(dirs, row));
    const { root } = destination;
    const fd = root.openDirectory(path === "." ? "" : path);
    if (fd < 0) {
      lister.unopened(path, -fd);
      return;
    }
    if (this.staysOnDevice(fd, dirs.flags[row])) {
      const found = lister.list(fd, path, "all");
      if (session.log.debug("FLIST", 3)) showList(session, "generator", found, null);
      this.deleteMissing(found, list);
      found.release();
    }
    session.fs.close(fd);
  }

  /** --one-file-system: only the devices of the top directories are cleaned. */
  private staysOnDevice(fd: number, flags: number): boolean {
    const { session, lister } = this.p;
    if (session.options.oneFileSystem === 0) return true;
    if (session.fs.fstat(fd, this.stat) < 0) return false;
    const { devLo, devHi } = this.stat;
    const device = `${devHi}:${devLo}`;
    if (flags & FileFlag.topDir) this.topDevices.add(device);
    else if (device !== this.currentDevice && !this.topDevices.has(device)) return false;
    this.currentDevice = device;
    lister.setDevice(devLo, devHi);
    return true;
  }

  private deleteMissing(found: FileList, list: FileList): void {
    const { session, remover, destination } = this.p;
    const { version } = session.context;
    for (let row = found.used - 1; row >= 0; row--) {
      if (!found.isActive(row)) continue;
      const path = found.path(row);
      if (found.flags[row] & FileFlag.mountDir && found.isDir(row)) {
        if (session.log.info("MOUNT", 1)) session.log.infoLine(`cannot delete mount point: ${path}\n`);
        continue;
      }
      if (findRow(list, path, -1, version) >= 0) continue;
      const mode = found.mode[row];
      let flags: number = DelFlag.recurse;
      if (!(mode & S_IWUSR) && !session.amRoot && found.flags[row] & FileFlag.ownedByUs) flags |= DelFlag.noUidWrite;
      if (this.mode === "delay") {
        this.delayed.push({ path, mode, flags });
        continue;
      }
      remover.deleteItem(path, mode, flags);
      if (isDirectory(mode)) destination.root.forget(path);
    }
  }
}

/** When this run deletes; old protocols do it before the transfer unless told. Upstream compat.c:setup_protocol. */
export function deleteModeOf(session: Session): DeleteMode {
  const { options, context } = session;
  if (options.deleteBefore) return "before";
  if (options.deleteAfter) return "after";
  if (options.deleteDuring > 0) return options.deleteDuring === 2 ? "delay" : "during";
  if (!options.deleteMode && !options.deleteExcluded) return "none";
  return context.version < 30 ? "before" : "during";
}
