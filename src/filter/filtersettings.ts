/** What the filter rules of one side depend on. */
import type { FilterList, FilterRule } from "./rules.ts";

/** What -C excludes, from rsync(1). */
export const CVS_DEFAULTS = "RCS SCCS CVS CVS.adm RCSLOG cvslog.* tags TAGS .make.state .nse_depinfo *~ #* .#* ,* "
  + "_$* *$ *.old *.bak *.BAK *.orig *.rej .del-* *.a *.olb *.o *.obj *.so *.exe *.Z *.elc *.ln core .svn/ .git/ .hg/ "
  + ".bzr/";

/** One filter option in command-line order (options/options.ts: FilterArgument). */
export interface FilterOption {
  readonly kind: "filter" | "exclude" | "include" | "exclude-from" | "include-from";
  readonly value: string;
  /** The option that stands for it, where it is not the kind. */
  readonly impliedBy?: string;
  /** Lines of a file that it names end in NUL: --from0 stood before it. */
  readonly from0?: boolean;
  /** What --protocol stood before it; absent: none, since no version has been agreed on by then. */
  readonly protocol?: number;
  /** Level of --debug=filter when it was given. */
  readonly traced?: number;
}

/** What the rules of a session depend on. */
export interface FilterSettings {
  readonly amSender: boolean;
  readonly amServer: boolean;
  /** Both ends are this program on this machine: rules are not sent. */
  readonly localServer: boolean;
  readonly deleteMode: boolean;
  readonly deleteExcluded: boolean;
  readonly pruneEmptyDirs: boolean;
  readonly cvsExclude: boolean;
  /** --from0: lines end in NUL. */
  readonly from0: boolean;
  /** Absolute directory that names are relative to at first. */
  readonly cwd: string;
  /** On a daemon: its own rules, and the module's directory ("" for the root), to which paths in rules are relative. */
  readonly daemon?: FilterList;
  readonly moduleDir?: string;
  /** Merge files outside the module's directory are out of reach. */
  readonly confined?: boolean;
  readonly home: string | null;
  /** $CVSIGNORE. */
  readonly cvsIgnore: string | null;
  /** A merge file's bytes, or -errno. The path is absolute, or "-" for standard input on a client. */
  readonly readFile: (path: string) => Uint8Array | number;
  readonly strerror: (errno: number) => string;
  /** An error line that does not end the run. */
  readonly error: (text: string) => void;
  /** --debug=filter lines, or null; and the level of it. */
  readonly debug: ((text: string) => void) | null;
  readonly debugLevel?: number;
  /** Told of each decision about a name, to explain it; null (or absent) when nobody asks. */
  readonly judged?: ((name: string, isDir: boolean, rule: FilterRule) => void) | null;
  /** Role name in debug lines. */
  readonly who: string;
}
