/**
 * The permissions that new files get without --perms: 0777 less the umask, or what the default ACL of their directory
 * says. Upstream acls.c:default_perms_for_dir.
 */
import { type AclFiles } from "./acls.ts";
import { type Confined } from "./confine.ts";
import { ACCESS_PERMS } from "./perms.ts";
import { type FileReporter } from "./report.ts";
import { type DirTable } from "./rows.ts";

/** Answers for one directory after another. */
export class DefaultPerms {
  /** What the umask leaves. */
  readonly plain: number;
  private readonly root: Confined;
  private readonly acls: AclFiles | null;
  private readonly reporter: FileReporter;
  private readonly debug: boolean;
  private lastId = -1;
  private last: number;

  /** `acls`: null where the system has none. `debug`: --debug=acl. */
  constructor(root: Confined, acls: AclFiles | null, umask: number, reporter: FileReporter, debug: boolean) {
    this.root = root;
    this.acls = acls;
    this.plain = this.last = ACCESS_PERMS & ~umask;
    this.reporter = reporter;
    this.debug = debug;
  }

  /** The permissions for files of a directory of the list. */
  of(table: DirTable, id: number): number {
    if (this.acls === null) return this.plain;
    if (id !== this.lastId) {
      this.lastId = id;
      this.last = this.look(this.acls, table, id);
    }
    return this.last;
  }

  private look(acls: AclFiles, table: DirTable, id: number): number {
    const { fs, policy } = this.root;
    const { E } = fs.constants;
    const dirFd = this.root.dirFdById(table, id);
    // The system's answer for what is no directory.
    const lost = dirFd === -E.ENOTDIR ? -E.EACCES : dirFd;
    const perms = dirFd < 0 ? lost : acls.defaultPerms(dirFd, fs.cstr("."));
    const dir = table.names[id] === "" ? "." : table.names[id];
    if (perms >= 0) {
      if (this.debug) {
        this.reporter.print("info", `got ACL-based default perms ${perms.toString(8)} for directory ${dir}`);
      }
      return perms;
    }
    const quiet = [E.ENODATA, E.EINVAL, E.EOPNOTSUPP, E.ENOSYS];
    // A directory that may not be entered takes no files, whatever its ACL says.
    if (dirFd >= 0) quiet.push(E.EACCES);
    if (!quiet.includes(-perms) && !(policy.dryRun === true && perms === -E.ENOENT)) {
      const what = `default_perms_for_dir: sys_acl_get_file(${dir}, ACL_TYPE_DEFAULT)`;
      this.reporter.print("warning", `${what}: ${fs.strerror(-perms)}, falling back on umask`);
    }
    return this.plain;
  }
}
