/**
 * What a session on a daemon knows of its module: whom it serves, what it may do, and where the module begins. Upstream
 * keeps it in module_id, module_dir, module_dirlen, module_dirfd and daemon_filter_list.
 */
import { type Confined } from "../files/confine.ts";
import { type IdDatabase } from "../flist/idmap.ts";
import { sanitizePath } from "../filter/paths.ts";
import { type FilterList } from "../filter/rules.ts";

/** One module as one client uses it. */
export interface ModuleScope {
  readonly name: string;
  /** The module's directory outside any chroot, for %P. */
  readonly path: string;
  /** The module's directory as this process sees it, without a closing slash: "" when it is the root directory. */
  readonly dir: string;
  /** The module's directory, opened before privileges were dropped; what clients name is resolved from it. */
  readonly root: Confined;
  /** Paths have to be kept below `dir`: no chroot does it. Upstream sanitize_paths. */
  readonly confined: boolean;
  /** The module has a root directory of its own. */
  readonly chrooted: boolean;
  readonly readOnly: boolean;
  readonly writeOnly: boolean;
  /** Users and groups have no names here, as with --numeric-ids, which the other side does not know of. */
  readonly numericIds: boolean;
  /** Files that cannot be read do not exist for the client. */
  readonly ignoreNonreadable: boolean;
  /** "insecure links": symlinks are followed wherever they lead. */
  readonly insecureLinks: boolean;
  /** The daemon's own rules for names. */
  readonly filters: FilterList;
  /** "incoming chmod" or "outgoing chmod", whichever goes with the role. */
  readonly chmod: string;
  /** --temp-dir for clients that name none: "temp dir"; a path in the module as theirs would be. */
  readonly tempDir: string | null;
  /** Users and groups by the name converter; null: by the system's databases. */
  readonly names: IdDatabase | null;
  /** The client, as log lines name it. */
  readonly host: string;
  readonly address: string;
  /** Who has authenticated, "" for nobody. */
  readonly user: string;
  /** "log format" where transfers are logged, else null. */
  readonly logFormat: string | null;
  /** Seconds from "timeout" that the client is told of, 0 for none. */
  readonly timeout: number;
}

/** A path, absolute or relative to the module's directory, as one below it: what `root` takes. */
export function insideModule({ dir }: ModuleScope, path: string): string {
  const inside = path === dir || path.startsWith(`${dir}/`) ? path.slice(dir.length) : path;
  return inside.replace(/^\/+/, "") || ".";
}

/**
 * A path of an option that is relative to `directory`, as the client may mean it: not out of the module, where no
 * root directory of its own sees to that.
 */
export function clientPath(module: ModuleScope | null, directory: string, path: string): string {
  if (module === null || !module.confined) return path;
  const inside = insideModule(module, directory);
  const depth = inside === "." ? 0 : inside.split("/").length;
  return sanitizePath(path, { root: module.dir, depth });
}

/** A path as the client knows it: from the module's directory on. */
export function moduleName(module: ModuleScope, path: string): string {
  const inside = insideModule(module, path);
  return inside === "." ? "" : inside;
}

/**
 * A path as error messages show it to the client: with a slash in front when `rootPath`, where the transfer starts,
 * lies below the module's directory. Upstream util1.c:full_fname.
 */
export function quotedInModule(module: ModuleScope, path: string, rootPath: string): string {
  const slash = insideModule(module, rootPath) === "." ? "" : "/";
  return `"${slash}${moduleName(module, path)}" (in ${module.name})`;
}
