/**
 * Making the directories of a path. Upstream util1.c:make_path.
 */
import { newStat } from "../posix/filesystem.ts";
import { type Confined } from "./confine.ts";
import { ACCESS_PERMS, isDirectory } from "./perms.ts";

/**
 * Makes what is missing of the directory `path`, each with mode 0777 less the umask. Returns how many were made, or
 * -errno; -ENOTDIR when something else stands in the way. Under dryRun nothing is made and the missing ones counted.
 */
export function makePath(root: Confined, path: string): number {
  const { E } = root.fs.constants;
  const missing: string[] = [];
  let at = path.replace(/\/+$/, "");
  while (at !== "" && at !== ".") {
    const state = lookAt(root, at);
    if (state === 0) break;
    if (state !== -E.ENOENT) return state;
    missing.push(at);
    const slash = at.lastIndexOf("/");
    if (slash === 0) break;
    at = slash < 0 ? "" : at.slice(0, slash).replace(/\/+$/, "");
  }
  for (let i = missing.length - 1; i >= 0; i--) {
    const result = root.mkdir(missing[i], ACCESS_PERMS);
    if (result < 0 && result !== -E.EEXIST) return result;
  }
  return missing.length;
}

/** As `makePath` for the directory that holds `path`. */
export function makeParents(root: Confined, path: string): number {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? 0 : makePath(root, path.slice(0, slash));
}

/** 0: a directory (or a link to one) is there; otherwise -errno, -ENOENT when nothing is. */
function lookAt(root: Confined, dir: string): number {
  const stat = newStat();
  const result = root.stat(dir, stat);
  if (result < 0) return result;
  return isDirectory(stat.mode) ? 0 : -root.fs.constants.E.ENOTDIR;
}
