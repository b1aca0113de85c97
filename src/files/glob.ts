/**
 * Wild cards in paths that no shell has seen: those of --secluded-args, and those a daemon is asked for. Upstream
 * util1.c:glob_match.
 */
import { wildmatch } from "../filter/wildmatch.ts";

/** The tree that paths are looked up in. */
export interface GlobTree {
  /** What a path is; null when there is nothing. */
  look(path: string): "directory" | "other" | null;
  /** Names in a directory, without "." and ".."; none when it cannot be read. */
  list(path: string): readonly string[];
  /** Do the daemon's filters hide it? */
  isHidden(path: string, isDir: boolean): boolean;
}

/** The paths that a clean path with wild cards stands for. One that matches nothing stands for itself. */
export function expandPattern(pattern: string, tree: GlobTree): string[] {
  const found: string[] = [];
  new Glob(tree, found).match(pattern, "", "");
  return found.length > 0 ? found : [pattern];
}

class Glob {
  private readonly tree: GlobTree;
  private readonly found: string[];

  constructor(tree: GlobTree, found: string[]) {
    this.tree = tree;
    this.found = found;
  }

  /** Matches the rest of a pattern below `path`; `name` is that path as filters know it, without "./". */
  match(pattern: string, path: string, name: string): void {
    const dots = /^(?:\.\/)+/.exec(pattern)?.[0] ?? "";
    const bare = pattern.slice(dots.length);
    const slash = bare.indexOf("/");
    const element = slash < 0 ? bare : bare.slice(0, slash);
    const rest = slash < 0 ? null : bare.slice(slash + 1);
    const below = path + dots;
    if (!/[*?[]/.test(element)) {
      this.enter(element, rest, below, name, false);
      return;
    }
    for (const entry of this.tree.list(below === "" ? "." : below)) {
      if (wildmatch(element, entry)) this.enter(entry, rest, below, name, true);
    }
  }

  private enter(element: string, rest: string | null, path: string, name: string, matched: boolean): void {
    const whole = path + element;
    if (matched || (rest !== null && element !== "")) {
      const kind = this.tree.look(whole);
      if (kind === null || (rest !== null && kind !== "directory")) return;
      if (this.tree.isHidden(name + element, kind === "directory")) return;
    }
    if (rest === null) this.found.push(whole);
    else this.match(rest, `${whole}/`, `${name}${element}/`);
  }
}
