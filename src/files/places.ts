/** Calls that name two places, each below a root of its own. */
import { type Place } from "./confine.ts";

/**
 * Renames from one root to another, or within one. What was held of either path is forgotten; with `plainFile` the
 * caller knows that neither names a directory, which saves the search.
 */
export function renamePlace(from: Place, to: Place, plainFile = false): number {
  if (from.root.policy.dryRun) return 0;
  const { fs } = from.root;
  const fromFd = from.root.locate(from.path);
  if (fromFd < 0) return fromFd;
  const fromName = from.root.located;
  const toFd = to.root.locate(to.path);
  if (toFd < 0) return toFd;
  const result = fs.renameat(fromFd, fs.cstr(fromName), toFd, fs.cstr(to.root.located));
  if (result >= 0) {
    from.root.forgetName(from.path, plainFile);
    to.root.forgetName(to.path, plainFile);
  }
  return result;
}

/** Hard-links an existing name (never what a symlink points at) to a new one. */
export function linkPlace(from: Place, to: Place): number {
  if (from.root.policy.dryRun) return 0;
  const { fs } = from.root;
  const fromFd = from.root.locate(from.path);
  if (fromFd < 0) return fromFd;
  const fromName = from.root.located;
  const toFd = to.root.locate(to.path);
  if (toFd < 0) return toFd;
  return fs.linkat(fromFd, fs.cstr(fromName), toFd, fs.cstr(to.root.located), 0);
}
