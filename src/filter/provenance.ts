/**
 * Where the text of a rule came from. A peer may choose which file is merged, so a message never shows what a file
 * says: it shows the place instead, and not even that when the file's own name was read from a file. Upstream
 * exclude.c:rule_src_where, rule_text.
 */

/** A file whose rules are being read. */
export interface RuleSource {
  /** Its name, or null when that was itself read from a file. */
  readonly file: string | null;
  /** Its name in any case, for the eyes of whoever may see all. */
  readonly path: string;
  /** Where a file with a hidden name was named, if that is known. */
  readonly namedAt: string | null;
  /** Line being read, from 1; -1 where words count instead of lines. */
  line: number;
}

/** Where a rule came from and what it says, for whoever may see all. */
export interface RuleOrigin {
  /** The rule as it was written. */
  readonly text: string;
  /** The file it was read from, and its line there (-1: a word), or null. */
  readonly file: string | null;
  readonly line: number;
  /** The option or environment variable that gave it, or null. */
  readonly given: string | null;
}

/** The source for a file named by a rule from `parent` (null: not from a file that is being read). */
export function sourceOf(path: string, hidden: boolean, parent: RuleSource | null): RuleSource {
  return { file: hidden ? null : path, path, namedAt: hidden && parent ? placeOf(parent) : null, line: 0 };
}

/** Words for the place; null stands for a file that was read and closed before. */
export function placeOf(source: RuleSource | null): string {
  if (source === null || source.file === null) {
    return source?.namedAt ? `a file named at ${source.namedAt}` : "a file read earlier";
  }
  return source.line < 0 ? source.file : `${source.file} line ${source.line}`;
}
