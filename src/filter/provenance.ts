/**
 * Where the text of a rule came from. A peer may choose which file is merged, so a message never shows what a file
 * says: it shows the place instead, and not even that when the file's own name was read from a file. Upstream
 * exclude.c:rule_src_where, rule_text.
 */

/** A file whose rules are being read. */
export interface RuleSource {
  /** Its name, or null when that was itself read from a file. */
  readonly file: string | null;
  /** Where a file with a hidden name was named, if that is known. */
  readonly namedAt: string | null;
  /** Line being read, from 1; -1 where words count instead of lines. */
  line: number;
}

/** The source for a file named by a rule from `parent` (null: not from a file that is being read). */
export function sourceOf(path: string, hidden: boolean, parent: RuleSource | null): RuleSource {
  return { file: hidden ? null : path, namedAt: hidden && parent ? placeOf(parent) : null, line: 0 };
}

/** Words for the place; null stands for a file that was read and closed before. */
export function placeOf(source: RuleSource | null): string {
  if (source === null || source.file === null) {
    return source?.namedAt ? `a file named at ${source.namedAt}` : "a file read earlier";
  }
  return source.line < 0 ? source.file : `${source.file} line ${source.line}`;
}
