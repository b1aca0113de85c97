/**
 * Wild cards in the paths that a client asks for: the daemon expands them, leaving out what its filters hide. Upstream
 * util1.c: glob_expand, glob_expand_module.
 */
import { expandPattern, type GlobTree } from "../files/glob.ts";
import { cleanName, sanitizePath } from "../filter/paths.ts";

/** How paths are taken. */
export interface GlobOptions {
  readonly module: string;
  /** Paths are kept within the module by their text; else its root directory does that. */
  readonly sanitize: boolean;
  /** One word is one path (--secluded-args); else it may hold several, each behind " MODULE/". */
  readonly whole: boolean;
}

/** The paths that a word stands for. One that matches nothing stands for itself. */
export function expandWord(word: string, tree: GlobTree, { module, sanitize, whole }: GlobOptions): string[] {
  const text = word.startsWith(module) ? word.slice(module.length) : word;
  const parts = whole ? [text] : text.split(` ${module}/`);
  return parts.flatMap((part, i) => {
    if (part === "" && (i > 0 || !whole)) return [];
    const clean = sanitize ? sanitizePath(part, { root: "", keepDots: true })
      : cleanName(part, { keepDotDirs: true, keepTrailingSlash: true, collapseDotDot: true })!;
    return expandPattern(clean, tree);
  });
}
