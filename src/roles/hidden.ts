/**
 * What a daemon's own rules keep from a client that sends: names it may not write, and directories that its options may
 * not name. Upstream main.c: get_local_name, do_server_recv; options.c:parse_arguments; util1.c:partial_dir_fname.
 */
import { ExitCode, UsageError, WsyncError } from "../errors.ts";
import { type Filters } from "../filter/mergefiles.ts";
import { sanitizePath } from "../filter/paths.ts";
import { type Options } from "../options/options.ts";
import { type ModuleScope } from "../session/module.ts";
import { type Session } from "../session/session.ts";

const REJECTION = "Your options have been rejected by the server.";

/** Is a path below the destination kept from clients? */
export type HiddenTest = (path: string, isDir: boolean) => boolean;

/** The test for a session; null when nothing is hidden. */
export function hiddenTest({ module }: Session, filters: Filters): HiddenTest | null {
  if (module === null || module.filters.isEmpty) return null;
  return (path, isDir) => path !== "." && filters.isExcluded(path, isDir, "server");
}

/** Throws WsyncError (3) when the destination of a client's command line is hidden. */
export function checkDestination(session: Session, filters: Filters, word: string | null): void {
  const hidden = hiddenTest(session, filters);
  if (hidden === null || word === null) return;
  const name = sanitizePath(word, { root: session.module!.dir || "/", keepDots: true }).replace(/\/\.?$/, "");
  if (!hidden(name, false) && !hidden(name, true)) return;
  throw new WsyncError(`ERROR: daemon has excluded destination "${word}"`, ExitCode.fileSelect);
}

/** Throws UsageError when an option names a directory that is hidden. */
export function checkDirectories(session: Session, filters: Filters): void {
  const { partialDir, basisDirs } = session.options;
  const hidden = hiddenTest(session, filters);
  if (hidden === null) return;
  const named = basisDirs.map(({ path }) => path);
  if (partialDir?.startsWith("/")) named.push(partialDir);
  if (named.some((path) => hidden(nameInModule(session.module!, path), true))) throw new UsageError(REJECTION);
}

/** Why a client's options cannot be had, or null: they name a file or directory that is hidden. */
export function hiddenOption(options: Options, module: ModuleScope, hidden: HiddenTest): WsyncError | null {
  const dirs = options.sender ? [] : [options.tempDir, options.backupDir];
  const files = options.filters.filter(({ kind }) => kind.endsWith("-from")).map(({ value }) => value);
  const own = options.filesFrom !== null && options.filesFromHost === null && options.filesFrom !== "-";
  if (own) files.push(options.filesFrom!);
  const rejects = (path: string | null, isDir: boolean): boolean =>
    path !== null && (path === "" || hidden(nameInModule(module, path), isDir));
  const rejected = dirs.some((path) => rejects(path, true)) || files.some((path) => rejects(path, false));
  return rejected ? new UsageError(`rsync: ${REJECTION}`) : null;
}

/** A path in an option as the daemon's rules see it. An absolute one in the root directory stays absolute. */
function nameInModule({ dir }: ModuleScope, path: string): string {
  const clean = sanitizePath(path, { root: "/" });
  return dir !== "" && clean.startsWith(`${dir}/`) ? clean.slice(dir.length) : clean;
}
