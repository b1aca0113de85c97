/**
 * Making the directories of a path. Upstream util1.c:make_path.
 */
import { newStat } from "../posix/filesystem.ts";
import { type Confined } from "./confine.ts";
import { ACCESS_PERMS, isDirectory, isSymlink } from "./perms.ts";

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
  const state = directoryState(root, dir);
  return state === "directory" ? 0 : state === "other" ? -root.fs.constants.E.ENOTDIR : state;
}

/**
 * What stands at a path: a directory, perhaps behind symlinks that may be followed, or something else. -errno when
 * nothing does, or when a symlink may not be followed.
 */
export function directoryState(root: Confined, path: string): "directory" | "other" | number {
  const stat = newStat();
  const found = root.lstat(path, stat);
  if (found < 0) return found;
  if (isDirectory(stat.mode)) return "directory";
  if (!isSymlink(stat.mode)) return "other";
  const fd = root.dirFd(path);
  return fd >= 0 ? "directory" : fd === -root.fs.constants.E.ENOTDIR ? "other" : fd;
}
