/** Tidying of a path without looking at the disk (upstream util1.c:clean_fname). */

/** Drops "." and empty parts and, with `collapse` (CFN_COLLAPSE_DOT_DOT_DIRS), takes back "dir/..". "" becomes ".". */
export function cleanPath(path: string, collapse: boolean): string {
  const rooted = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    const last = parts[parts.length - 1];
    if (collapse && part === ".." && rooted && last === undefined) continue;
    if (collapse && part === ".." && last !== undefined && last !== "..") parts.pop();
    else parts.push(part);
  }
  return rooted ? "/" + parts.join("/") : parts.join("/") || ".";
}
