/**
 * Which of rsync's server options a restricted shell lets through, as data. Upstream: support/rrsync, whose list is
 * that of what rsync's clients send, and a few spellings more for other programs.
 */

/** What an option's argument is, and so what has to be checked of it. */
export type ArgumentKind =
  /** There is none. */
  | "none"
  /** A word that names nothing in the file system. */
  | "word"
  /** A path that only a receiving server uses. */
  | "receiver-path"
  /** A path that either side uses. */
  | "path"
  /** The option is known, and never accepted. */
  | "refused";

/** Letters that may stand in a cluster. */
export const CLUSTER_LETTERS = "ACDEHIJKLNORSUWXbcdgklmnopqrtuvxyz";
/** Letters that take a number. */
export const NUMBER_LETTERS = "@B";
/** Known but refused: secluded arguments would bring words that nobody checks. */
export const REFUSED_LETTERS = "s";
/** Refused below a directory that is not the root: they follow symlinks, which may lead out of it. */
export const FOLLOWING_LETTERS = "KLk";

const BY_KIND: Readonly<Record<ArgumentKind, string>> = {
  none: `append copy-unsafe-links delay-updates delete delete-after delete-before delete-delay delete-during
    delete-excluded delete-missing-args dirs existing fake-super force from0 fsync fuzzy group hard-links ignore-errors
    ignore-existing ignore-missing-args ignore-times inplace links list-only mkpath msgs2stderr munge-links new-compress
    no-W no-implied-dirs no-msgs2stderr no-r no-relative no-specials numeric-ids old-compress one-file-system
    open-noatime owner partial perms preallocate recursive remove-sent-files remove-source-files safe-links sender
    server size-only specials stats super times use-qsort`,
  word: `block-size bwlimit checksum-choice checksum-seed compress-choice compress-level compress-threads groupmap iconv
    info log-format max-alloc max-delete max-size min-size modify-window only-write-batch skip-compress stderr suffix
    timeout usermap`,
  "receiver-path": "backup-dir compare-dest copy-dest link-dest partial-dir temp-dir",
  path: "files-from log-file",
  refused: "copy-devices daemon debug no-munge-links write-devices",
};

/** Every long option that is known, by name without dashes. */
export const LONG_OPTIONS: ReadonlyMap<string, ArgumentKind> = new Map(
  Object.entries(BY_KIND).flatMap(([kind, names]) =>
    names.split(/\s+/).map((name) => [name, kind as ArgumentKind] as const)),
);

/** What a missing directory of these options gets when it is made: as rsync makes it. */
export const MADE_DIRECTORIES: ReadonlyMap<string, number> = new Map([
  ["--backup-dir", 0o777], ["--partial-dir", 0o700],
]);
/** A missing directory of these is an empty one. */
export const BASIS_DIRECTORIES: ReadonlySet<string> = new Set(["--compare-dest", "--copy-dest", "--link-dest"]);
/** Those that -no-overwrite refuses, as they write to, move or remove other files than the transferred ones. */
export const OVERWRITING_OPTIONS: ReadonlySet<string> = new Set([
  "log-file", "partial-dir", "delay-updates", "backup-dir",
]);
/** And its letter: publishing a backup replaces what had its name. */
export const OVERWRITING_LETTERS = "b";
