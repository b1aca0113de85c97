/**
 * The directories of --compare-dest, --copy-dest and --link-dest: operator's paths, made absolute from the
 * destination, searched in order. Upstream main.c:check_alt_basis_dirs, generator.c:basis_link_stat.
 */
import { type Confined, type Place } from "../files/confine.ts";
import { NamedDir } from "../files/operator.ts";
import { type BasisDir } from "../options/options.ts";
import { clientPath } from "../session/module.ts";
import { type Session } from "../session/session.ts";
import { type Destination } from "./destination.ts";
import { transferPolicy } from "./operatorpaths.ts";

/** See the head of this file. */
export class BasisDirs {
  readonly kind: BasisDir["kind"];
  /** Resolves the directories' own paths: a symlink counts only when a trusted user owns it. */
  readonly operator: Confined;
  private readonly dirs: readonly NamedDir[];

  /** Warns of each directory that is not there. */
  constructor(session: Session, operator: Confined, destination: Destination) {
    const { basisDirs } = session.options;
    this.operator = operator;
    this.kind = basisDirs[0].kind;
    const { directory } = destination;
    const paths = basisDirs.map(({ path }) => {
      return absolute(clientPath(session.module, directory, path), directory, session.dryRun > 1);
    });
    this.dirs = paths.map((path) => session.own(new NamedDir(operator, path, transferPolicy(session))));
    for (const dir of this.dirs) this.warn(session, dir);
  }

  get count(): number {
    return this.dirs.length;
  }

  /** Where the file that is `path` below the destination stands in one of the directories. */
  placeOf(index: number, path: string): Place {
    return this.dirs[index].place(path);
  }

  /** The same as one absolute path. */
  pathOf(index: number, path: string): string {
    return this.dirs[index].shown(path);
  }

  private warn(session: Session, dir: NamedDir): void {
    const { ELOOP } = session.fs.constants.E;
    const state = dir.state();
    const option = `--${this.kind}-dest`;
    // A refused link has been told already.
    if (state === "directory" || state === -ELOOP) return;
    const trouble = state === "other" ? "is not a dir" : "does not exist";
    session.log.warning(`${option} arg ${trouble}: ${dir.path}\n`);
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
