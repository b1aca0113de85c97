/**
 * The directories of --compare-dest, --copy-dest and --link-dest: operator's paths, made absolute from the
 * destination, searched in order. Upstream main.c:check_alt_basis_dirs, generator.c:basis_link_stat.
 */
import { type Confined, type Place } from "../files/confine.ts";
import { isDirectory } from "../files/perms.ts";
import { type BasisDir } from "../options/options.ts";
import { newStat } from "../posix/filesystem.ts";
import { type Session } from "../session/session.ts";
import { type Destination } from "./destination.ts";

/** See the head of this file. */
export class BasisDirs {
  readonly kind: BasisDir["kind"];
  /** Resolves the operator's paths: a symlink counts only when a trusted user owns it. */
  readonly root: Confined;
  private readonly paths: readonly string[];

  /** Warns of each directory that is not there. */
  constructor(session: Session, root: Confined, destination: Destination) {
    const { basisDirs } = session.options;
    this.root = root;
    this.kind = basisDirs[0].kind;
    this.paths = basisDirs.map(({ path }) => absolute(path, destination.directory, session.dryRun > 1));
    for (const path of this.paths) this.warn(session, path);
  }

  get count(): number {
    return this.paths.length;
  }

  /** Where the file that is `path` below the destination stands in one of the directories. */
  placeOf(index: number, path: string): Place {
    return { root: this.root, path: `${this.paths[index]}/${path}` };
  }

  private warn(session: Session, path: string): void {
    const stat = newStat();
    const option = `--${this.kind}-dest`;
    if (this.root.stat(path, stat) < 0) session.log.warning(`${option} arg does not exist: ${path}\n`);
    else if (!isDirectory(stat.mode)) session.log.warning(`${option} arg is not a dir: ${path}\n`);
  }
}

/**
 * `unmade`: a dry run did not make the destination, so that one leading ".." is taken off by name; any other means
 * what it would in a real run.
 */
function absolute(path: string, directory: string, unmade: boolean): string {
  const clean = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
  if (clean.startsWith("/")) return clean;
  if (!unmade || !clean.startsWith("../")) return join(directory, clean);
  return join(directory.slice(0, directory.lastIndexOf("/")), clean.slice(3));
}

function join(directory: string, path: string): string {
  return directory.endsWith("/") ? directory + path : `${directory}/${path}`;
}
