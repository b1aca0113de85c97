/**
 * Which directory, or which single name, the files go to. Upstream main.c:get_local_name.
 */
import { ExitCode, UsageError, WsyncError } from "../errors.ts";
import { Confined } from "../files/confine.ts";
import { makeParents, makePath } from "../files/mkdirs.ts";
import { isDirectory } from "../files/perms.ts";
import { type FileList } from "../flist/filelist.ts";
import { type Segments } from "../flist/segments.ts";
import { newStat } from "../posix/filesystem.ts";
import { FileFlag } from "../protocol/constants.ts";
import { type Session } from "../session/session.ts";
import { Destination } from "./destination.ts";
import { operatorPolicy, sessionFiles, transferPolicy } from "./operatorpaths.ts";

const ACCESS_PERMS = 0o777;

/** What is known of the list when the destination is chosen. */
export interface ListFacts {
  readonly list: FileList;
  /** Rows of all segments so far. */
  readonly total: number;
  readonly segments: Segments;
}

/** Resolves the destination word of a command line from the working directory. */
export class DestinationFinder {
  private readonly session: Session;
  /** The working directory, from which the operator's path is resolved. */
  private readonly operator: Confined;
  private readonly cwd: string;

  constructor(session: Session, cwd: string) {
    this.session = session;
    this.cwd = cwd;
    const operator = sessionFiles(session, cwd, { ...operatorPolicy(session, false), dryRun: false });
    if (typeof operator === "number") throw this.failure(`change_dir#4 "${cwd}" failed`, -operator);
    this.operator = session.own(operator);
  }

  /** Finds, or makes, the destination that `word` names. Null: the working directory (a listing). */
  find(word: string | null, facts: ListFacts): Destination {
    const { session, operator } = this;
    if (session.log.debug("RECV", 1)) {
      session.log.infoLine(`get_local_name count=${facts.total} ${word ?? "(NULL)"}\n`);
    }
    if (word === null || session.options.listOnly) return this.enter(".");
    let path = word === "" ? "." : word;
    const stat = newStat();
    let found = operator.stat(path, stat);
    if (session.options.mkpath && found < 0 && (path.includes("/") || facts.total > 1)) {
      this.makePath(path, facts);
      found = operator.stat(path, stat);
    }
    if (found >= 0 && isDirectory(stat.mode)) return this.enter(path);
    this.checkReplaceable(path, found, facts);
    const trailingSlash = path.endsWith("/");
    if (facts.total <= 1 && !trailingSlash) return this.single(path);
    if (trailingSlash) path = path.replace(/\/+$/, "") || "/";
    if (found >= 0) throw new UsageError("ERROR: destination path is not a directory");
    return this.make(path, facts);
  }

  private makePath(path: string, facts: ListFacts): void {
    const { session, operator } = this;
    const whole = facts.total > 1 && !path.endsWith("/");
    const dir = path.replace(/\/+$/, "");
    const made = whole || path.endsWith("/") ? makePath(operator, dir) : makeParents(operator, path);
    if (made < 0) throw this.failure(`mkdir ${operator.quoted(path)} failed`, -made, ExitCode.fileIo);
    if (made === 0 || !this.tellsNames()) return;
    const shown = whole || path.endsWith("/") ? dir : path.slice(0, path.lastIndexOf("/"));
    session.log.infoLine(`created ${made} director${made === 1 ? "y" : "ies"} for ${shown}\n`);
  }

  private checkReplaceable(path: string, found: number, facts: ListFacts): void {
    const { session, operator } = this;
    const { E } = session.fs.constants;
    if (found >= 0) {
      if (facts.total > 1) {
        const text = "ERROR: destination must be a directory when copying more than 1 file";
        throw new UsageError(text, ExitCode.fileSelect);
      }
      if (facts.total === 1 && facts.list.isDir(facts.list.firstRow)) {
        throw new UsageError("ERROR: cannot overwrite non-directory with a directory", ExitCode.fileSelect);
      }
    } else if (found !== -E.ENOENT) {
      throw this.failure(`ERROR: cannot stat destination ${operator.quoted(path)}`, -found, ExitCode.fileSelect);
    }
  }

  /** A single file onto a name of its own. */
  private single(path: string): Destination {
    const slash = path.lastIndexOf("/");
    if (slash < 0) return new Destination(this.open("."), path);
    const dir = path.slice(0, slash) || "/";
    const { session } = this;
    if (session.options.dryRun && session.options.mkpath && this.operator.stat(dir, newStat()) < 0) {
      session.dryRun++;
      return new Destination(this.open("."), path.slice(slash + 1));
    }
    return new Destination(this.open(dir, 3), path.slice(slash + 1));
  }

  private make(path: string, facts: ListFacts): Destination {
    const { session, operator } = this;
    const { list } = facts;
    if (session.dryRun === 0) {
      const made = operator.mkdir(path, ACCESS_PERMS);
      if (made < 0) throw this.failure(`mkdir ${operator.quoted(path)} failed`, -made, ExitCode.fileIo);
    }
    if (list.high >= list.low && list.basename(list.firstRow) === ".") {
      facts.segments.orFlags(list, list.firstRow, FileFlag.dirCreated);
    }
    if (this.tellsNames()) session.log.infoLine(`created directory ${path}\n`);
    if (session.dryRun === 0) return this.enter(path);
    session.dryRun++;
    return new Destination(this.open("."), null, operator.fullName(path));
  }

  private tellsNames(): boolean {
    const { session } = this;
    return session.log.info("NAME", 1) || session.options.outFormatHasItemize > 0;
  }

  private enter(path: string): Destination {
    return new Destination(this.open(path), null);
  }

  /** Opens a directory the operator named as a confined root. `step` is upstream's number for it. */
  private open(path: string, step = 1): Confined {
    const { session, operator, cwd } = this;
    const { fs } = session;
    const opened = operator.openDirectory(path);
    if (opened < 0) throw this.failure(`change_dir#${step} ${operator.quoted(path)} failed`, -opened);
    if (session.log.debug("CHDIR", 1)) {
      session.log.infoLine(`[${session.who}] change_dir(${operator.fullName(path).replace(/\/+\.?$/, "") || "/"})\n`);
    }
    const clean = path === "." ? cwd : operator.fullName(path).replace(/\/+\.?$/, "") || "/";
    return session.own(new Confined(fs, opened, clean, transferPolicy(session)));
  }

  private failure(text: string, errno: number, code: number = ExitCode.fileSelect): WsyncError {
    const { fs, who } = this.session;
    return new WsyncError(`rsync: [${who}] ${text}: ${fs.strerror(errno)} (${errno})`, code);
  }
}
