/**
 * How a session treats paths: what the options say about symlinks, and telling the user once about each link that was
 * not followed.
 */
import { ExitCode, ProtocolError, UsageError, WsyncError } from "../errors.ts";
import { Boundary } from "../files/boundary.ts";
import { Confined, type Place } from "../files/confine.ts";
import { type ConfinePolicy } from "../files/confinepolicy.ts";
import { directoryState } from "../files/mkdirs.ts";
import { NamedDir, openRoot, operatorPaths, refusalText } from "../files/operator.ts";
import { type LinkRule, type Refusal } from "../files/walk.ts";
import { type Options } from "../options/options.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type Log, LogCode } from "../session/log.ts";
import { insideModule, type ModuleScope, quotedInModule } from "../session/module.ts";
import { type Session } from "../session/session.ts";
import { SourceRoots } from "./sourceroots.ts";

/** The setting of rsyncd.conf that goes with --insecure-links. */
const MODULE_REMEDY = '"insecure links = yes"';

/** The policy below the destination or a source: nothing leads out of it. */
export function transferPolicy(session: Session): ConfinePolicy {
  return { ...commonPolicy(session), links: followsAll(session) ? "insecure" : "beneath" };
}

/**
 * The policy for what the operator names. `bounded`: --confine-root counts. On a daemon it is the client who names
 * things, and the module is always the bound.
 */
export function operatorPolicy(session: Session, bounded: boolean): ConfinePolicy {
  const { fs, options, module } = session;
  const within = module ? moduleBoundary(module) : bounded ? boundaryOf(fs, options) : null;
  return { ...commonPolicy(session, within), links: followsAll(session) ? "insecure" : "trusted" };
}

function commonPolicy(session: Session, within: Boundary | null = null): Omit<ConfinePolicy, "links"> {
  const { dryRun, options } = session;
  const refused = teller(session, within);
  return { dryRun: dryRun > 0, noatime: options.openNoatime, within, refused, quote: quoterOf(session) };
}

function quoterOf({ module }: Session): ConfinePolicy["quote"] {
  return module === null ? undefined : (path, rootPath) => quotedInModule(module, path, rootPath);
}

/** The operator's directories of a receiver: --backup-dir and its like, relative to the destination. */
export function boundedPlaces(session: Session, destination: Confined): Confined {
  const opened = openRoot(destination, ".", operatorPolicy(session, true));
  if (typeof opened !== "number") return session.own(opened);
  throw new WsyncError(`cannot open the destination: ${session.fs.strerror(-opened)}`, ExitCode.fileSelect);
}

/** A sender's directories. */
export function sourceRoots(session: Session): SourceRoots {
  const { fs, options, module } = session;
  const listed = options.filesFrom !== null;
  const within = listed ? boundaryOf(fs, options) : null;
  return new SourceRoots(fs, {
    follows: options.copyLinks || options.copyUnsafeLinks || options.copyDirlinks || followsAll(session),
    relative: options.relative > 0, listed, within, refused: teller(session, within), quote: quoterOf(session),
    module: module?.confined && !module.insecureLinks
      ? { root: module.root, inside: (path) => insideModule(module, path) } : null,
  });
}

/** --backup-dir. Throws UsageError (1) or WsyncError (11) when something else is in its place. Upstream do_recv. */
export function backupDir(session: Session, operator: Confined, path: string): NamedDir {
  const { fs, log } = session;
  const { ENOENT, ELOOP } = fs.constants.E;
  const dir = session.own(new NamedDir(operator, path, transferPolicy(session)));
  const shown = path.length > 1 ? path.replace(/\/+$/, "") : path;
  const state = dir.state();
  if (state === "other") throw new UsageError(`The backup-dir is not a directory: ${shown}`);
  // A link that was not followed has been told; each backup fails by itself.
  const fatal = typeof state === "number" && state !== -ENOENT && state !== -ELOOP;
  if (fatal) throw new WsyncError(`Failed to stat ${shown}: ${fs.strerror(-state)}`, ExitCode.fileIo);
  if (log.info("BACKUP", 1)) log.infoLine(`${state === "directory" ? "" : "(new) "}backup_dir is ${shown}\n`);
  return dir;
}

/** Throws UsageError (1) or WsyncError (11) when --temp-dir is not there. Upstream main.c:do_recv. */
export function checkTempDir({ fs }: Session, { root, path }: Place): void {
  const { ENOENT, ELOOP } = fs.constants.E;
  const state = directoryState(root, path);
  if (state === "directory" || state === -ELOOP) return;
  if (state === "other") throw new UsageError(`The temp-dir is not a directory: ${path}`);
  if (state === -ENOENT) throw new UsageError(`The temp-dir does not exist: ${path}`);
  throw new WsyncError(`Failed to stat temp-dir ${path}: ${fs.strerror(-state)}`, ExitCode.fileIo);
}

/** The operator's files of a program that has no session yet. The caller closes it. */
export function operatorFiles(fs: FileSystem, cwd: string, options: Options): Confined {
  const opened = operatorPaths(fs, cwd, { links: linkRule(options) });
  if (typeof opened !== "number") return opened;
  throw new UsageError(`rsync: getcwd(): ${fs.strerror(-opened)} (${-opened})`, ExitCode.fileSelect);
}

/** The files that a client's rules are read from, before there is a session. The caller closes it. */
export function ruleFiles(fs: FileSystem, cwd: string, options: Options, log: Log): Confined {
  const within = boundaryOf(fs, options);
  const refused = (refusal: Refusal): void => log.warning(`${refusalText(fs, refusal, within)}\n`);
  const opened = operatorPaths(fs, cwd, { links: linkRule(options), within, refused });
  if (typeof opened !== "number") return opened;
  throw new UsageError(`rsync: getcwd(): ${fs.strerror(-opened)} (${-opened})`, ExitCode.fileSelect);
}

/** Paths relative to a directory of the session, absolute; a module's is reached from the descriptor of the module. */
export function sessionFiles(
  session: Session, cwd: string, policy: ConfinePolicy, fs: FileSystem = session.fs,
): Confined | number {
  const { module } = session;
  if (module === null) return operatorPaths(fs, cwd, policy);
  const fd = module.root.openDirectory(insideModule(module, cwd));
  return fd < 0 ? fd : new Confined(fs, fd, cwd, policy);
}

/** The files that rules and lists are read from, relative to `cwd`; a server's peer may have chosen them. */
export function boundedFiles(session: Session, cwd: string, fs: FileSystem = session.fs): Confined {
  const opened = sessionFiles(session, cwd, { ...operatorPolicy(session, true), dryRun: false }, fs);
  if (typeof opened !== "number") return session.own(opened);
  const text = `rsync: [${session.who}] change_dir "${cwd}" failed: ${fs.strerror(-opened)} (${-opened})`;
  throw new WsyncError(text, ExitCode.fileSelect);
}

function followsAll({ module, options }: Session): boolean {
  return module?.insecureLinks ?? options.insecureLinks;
}

/** Nothing where the root directory is the module's: there is no way out of that. */
function moduleBoundary({ confined, root }: ModuleScope): Boundary | null {
  return confined ? new Boundary(root.fs, root.rootFd, root.rootPath) : null;
}

function linkRule({ insecureLinks }: Options): LinkRule {
  return insecureLinks ? "insecure" : "trusted";
}

function boundaryOf(fs: FileSystem, { confineRoot }: Options): Boundary | null {
  if (confineRoot === null) return null;
  const { O, AT } = fs.constants;
  const fd = fs.openat(AT.FDCWD, fs.cstr(confineRoot), O.PATH | O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
  const boundary = new Boundary(fs, fd, confineRoot);
  if (fd >= 0) fs.close(fd);
  return boundary;
}

/** Tells the user about refused links, about each only once. */
function teller(session: Session, within: Boundary | null = null): (refusal: Refusal, root: Confined) => void {
  const { module, log, toldRefusals } = session;
  return (refusal, root) => {
    const text = refusalText(session.fs, refusal, within, module === null ? undefined : MODULE_REMEDY);
    if (toldRefusals.has(text)) return;
    toldRefusals.add(text);
    if (module === null) return log.warning(`${text}\n`);
    // Where the module lies and what its links lead to is for the daemon's log alone.
    log.write(LogCode.log, `${text}\n`);
    log.warning(`refusing ${root.quoted(refusal.path)}: it is reached by a symlink that may not be followed\n`);
  };
}

/**
 * A partial file that cannot be reached within its daemon's module ends the run when it would be updated in place: the
 * client's --partial-dir, or its claim to have sent on such a basis, leads elsewhere. Upstream receiver.c:recv_files.
 */
export function checkPartialBasis({ module, context, log }: Session, path: string): void {
  if (module === null || !context.inplacePartialDir) return;
  log.error(`rsync: refusing unconfined partial basis for ${path}\n`);
  throw new ProtocolError("fnamecmp-type", "");
}
