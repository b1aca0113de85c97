/**
 * Ending a file's transfer: back up the old version, give the temporary file its attributes through its descriptor,
 * rename it into place. At every moment the name holds the old file or the new one. Upstream rsync.c:finish_transfer
 * and util1.c:robust_rename.
 */
import { AttrFlag, type Attributes, type XattrBasis } from "./attrs.ts";
import { type Confined, type Place } from "./confine.ts";
import { copyFile, type CopySettings } from "./copyfile.ts";
import { type PartialDir } from "./partial.ts";
import { renamePlace } from "./places.ts";
import { type BackupMaker, type Remover } from "./remove.ts";
import { type FileReporter } from "./report.ts";
import { type FileRows } from "./rows.ts";

const RENAME_TRIES = 4;

/** The options that ending a transfer depends on. */
export interface CommitSettings {
  readonly copying: CopySettings;
  /** --partial-dir, or null. */
  readonly partialDir: PartialDir | null;
}

/** One finished file. */
export interface FinishRequest {
  readonly rows: FileRows;
  readonly row: number;
  /** Where it goes, mostly the row's own path. */
  readonly path: string;
  /** The temporary file; null when the data was written in place. */
  readonly temp: Place | null;
  /** Its descriptor, which `finish` closes; -1 when it is closed already. */
  readonly fd: number;
  /** Where the partial file is kept, or null. */
  readonly partial: Place | null;
  /** False when the transfer failed and only a partial file is kept: its time must not look finished. */
  readonly okToSetTime: boolean;
  /** An old version is about to be replaced: the time for its backup. */
  readonly overwritingBasis: boolean;
  /** The old version whose xattrs may serve, or null to leave xattrs alone. */
  readonly basis: XattrBasis;
}

/** The outcome. "backup-failed" ends the run with code 11, as upstream's. */
export type FinishResult = "ok" | "failed" | "backup-failed";

/** Puts finished files of one destination in place. */
export class Committer {
  private readonly root: Confined;
  private readonly attrs: Attributes;
  private readonly remover: Remover;
  private readonly backups: BackupMaker | null;
  private readonly settings: CommitSettings;
  private readonly reporter: FileReporter;

  constructor(
    root: Confined, attrs: Attributes, remover: Remover, backups: BackupMaker | null, settings: CommitSettings,
    reporter: FileReporter,
  ) {
    this.root = root;
    this.attrs = attrs;
    this.remover = remover;
    this.backups = backups;
    this.settings = settings;
    this.reporter = reporter;
  }

  /** Puts the file in place. Failures are reported; the temporary file is then gone or kept as the partial file. */
  finish(request: FinishRequest): FinishResult {
    const to: Place = { root: this.root, path: request.path };
    const flags = attrFlags(request);
    if (request.temp === null) return this.finishInPlace(request, to, flags);
    if (this.backups && request.overwritingBasis && this.backups.make(request.path, false) === 0) {
      if (request.fd >= 0) this.root.fs.close(request.fd);
      request.temp.root.unlink(request.temp.path);
      return "backup-failed";
    }
    if (request.fd >= 0) {
      this.attrs.setFd(request.fd, request.temp, request.rows, request.row, null, flags, request.basis);
      const closed = this.root.fs.close(request.fd);
      if (closed < 0) {
        const { root, path } = request.temp;
        this.reporter.failed("errorXfer", -closed, `close failed on ${root.quoted(path)}`);
        request.temp.root.unlink(request.temp.path);
        return "failed";
      }
    } else {
      this.attrs.setPlace(request.temp, request.rows, request.row, null, flags, request.basis);
    }
    return this.moveInto(request, request.temp, to, flags);
  }

  private finishInPlace(request: FinishRequest, to: Place, flags: number): FinishResult {
    this.trace(`finishing ${request.path}`);
    if (request.fd < 0) {
      this.attrs.setPlace(to, request.rows, request.row, null, flags, request.basis);
      return "ok";
    }
    this.attrs.setFd(request.fd, to, request.rows, request.row, null, flags, request.basis);
    const closed = this.root.fs.close(request.fd);
    if (closed >= 0) return "ok";
    this.reporter.failed("errorXfer", -closed, `close failed on ${to.root.quoted(to.path)}`);
    return "failed";
  }

  private moveInto(request: FinishRequest, temp: Place, to: Place, flags: number): FinishResult {
    const { E } = this.root.fs.constants;
    this.trace(`renaming ${temp.path} to ${to.path}`);
    const result = this.rename(temp, to);
    if (result >= 0) return "ok";
    if (result !== -E.EXDEV) return this.notMoved(request, temp, to, "rename", -result);
    return this.copyAcross(request, temp, to, flags);
  }

  /** A line of --debug=recv. */
  private trace(text: string): void {
    if (this.reporter.wants?.("RECV", 1)) this.reporter.print("info", text);
  }

  /** Renames, with upstream's way round a program that is being executed. -errno otherwise. */
  rename(from: Place, to: Place): number {
    const { E } = this.root.fs.constants;
    for (let tries = 0; tries < RENAME_TRIES; tries++) {
      const result = renamePlace(from, to, true);
      if (result !== -E.ETXTBSY) return result;
      if (this.remover.unlinkBusy(to.path, to.root) < 0) return result;
    }
    return -E.ETXTBSY;
  }

  /** The temporary file is on another device: copy beside the target (or over it), then set attributes again. */
  private copyAcross(request: FinishRequest, temp: Place, to: Place, flags: number): FinishResult {
    const { partialDir, copying } = this.settings;
    const { rows, row } = request;
    const staged = request.partial && !request.partial.path.startsWith("/") ? request.partial : null;
    if (staged && partialDir && !partialDir.make(staged)) return this.notMoved(request, temp, to, "copy", 0);
    const copyTo = staged ?? to;
    const copied = copyFile(temp, copyTo, rows.mode[row], copying, this.reporter);
    if (copied < 0) return this.notMoved(request, temp, to, "copy", -copied);
    temp.root.unlink(temp.path);
    this.attrs.setPlace(copyTo, rows, row, null, flags, request.basis);
    if (!staged) return "ok";
    const renamed = renamePlace(staged, to, true);
    if (renamed < 0) {
      this.reporter.failed("errorXfer", -renamed, `rename ${staged.root.quoted(staged.path)} -> "${to.path}"`);
      return "failed";
    }
    partialDir?.removeIfEmpty(staged);
    return "ok";
  }

  private notMoved(request: FinishRequest, temp: Place, to: Place, what: string, errno: number): FinishResult {
    const name = temp.root.quoted(temp.path);
    this.reporter.failed("errorXfer", errno, `${what} ${name} -> "${to.path}"`);
    const { partial } = request;
    const kept = partial !== null && what === "rename" && this.rename(temp, partial) >= 0;
    if (!kept) temp.root.unlink(temp.path);
    return "failed";
  }

  /**
   * Keeps an unfinished temporary file: at `path` itself with --partial, in the partial directory otherwise. False
   * (reported) when it could not be kept; it is then removed. Upstream receiver.c and cleanup.c under keep_partial.
   */
  keepPartial(request: FinishRequest): boolean {
    const { temp, partial } = request;
    if (temp === null) return this.finish(request) === "ok";
    const { partialDir } = this.settings;
    if (partial && partialDir && !partialDir.make(partial)) {
      if (request.fd >= 0) this.root.fs.close(request.fd);
      const what = request.okToSetTime ? "completed" : "partial";
      this.reporter.print("errorXfer", `Unable to create partial-dir for ${request.path} -- discarding ${what} file.`);
      temp.root.unlink(temp.path);
      return false;
    }
    const target = partial ?? { root: this.root, path: request.path };
    // Without a partial directory the pieces replace the old file, which --backup then has to keep.
    if (partial === null && this.backups && request.overwritingBasis) this.backups.make(request.path, false);
    if (request.fd >= 0) {
      this.attrs.setFd(request.fd, temp, request.rows, request.row, null, attrFlags(request), request.basis);
      this.root.fs.close(request.fd);
    }
    return this.moveInto({ ...request, fd: -1, partial: null }, temp, target, attrFlags(request)) === "ok";
  }
}

function attrFlags(request: FinishRequest): number {
  return request.okToSetTime ? AttrFlag.accurateTime : AttrFlag.skipMtime | AttrFlag.skipAtime;
}
