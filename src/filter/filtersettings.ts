/** What the filter rules of one side depend on. */
import type { FilterList } from "./rules.ts";

/** One filter option in command-line order (options/options.ts: FilterArgument). */
export interface FilterOption {
  readonly kind: "filter" | "exclude" | "include" | "exclude-from" | "include-from" | "cvs-exclude" | "F";
  readonly value: string;
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
  /** Role name in debug lines. */
  readonly who: string;
}
