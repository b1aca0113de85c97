/** Tidying of a path given as an option (upstream util1.c:clean_fname with CFN_COLLAPSE_DOT_DOT_DIRS). */

/** Drops "." and empty parts and takes back "dir/..", without looking at the disk. "" becomes ".". */
export function cleanPath(path: string): string {
  const rooted = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    const last = parts[parts.length - 1];
    if (part === ".." && rooted && last === undefined) continue;
    if (part === ".." && last !== undefined && last !== "..") parts.pop();
    else parts.push(part);
  }
  return rooted ? "/" + parts.join("/") : parts.join("/") || ".";
}
