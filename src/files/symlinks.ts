/** Which symlinks lead out of the tree they are in. Upstream util1.c:unsafe_symlink. */

const LEADING_UP = /^(?:\.\.\/+)+/;

/**
 * True for a target that is absolute, empty, or climbs above the transfer root from the link at `path` (relative to
 * that root). A ".." anywhere but at the start is unsafe too, since what lies before it may itself be a link.
 */
export function isUnsafeSymlink(target: string, path: string): boolean {
  if (target === "" || target.startsWith("/")) return true;
  if (target.replace(LEADING_UP, "").includes("/../")) return true;
  if (target.length > 3 && target.endsWith("/..")) return true;
  let depth = marginOf(path);
  for (const part of target.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return true;
  }
  return false;
}

/** How many levels a link at `path` may climb. */
function marginOf(path: string): number {
  let depth = 0;
  for (const part of path.split("/").slice(0, -1)) {
    if (part === "..") depth = 0;
    else if (part !== "" && part !== ".") depth++;
  }
  return depth;
}
