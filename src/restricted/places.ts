/** Directories that a receiving server will make or look into: made here, where no transfer can have put a symlink. */
import { UsageError } from "../errors.ts";
import { type Root } from "./root.ts";

const PRIVATE = 0o700;

/**
 * Makes the missing directories of a real path below the root, one component at a time and through no symlink, and
 * holds the last; the name that stands for it.
 */
export function makeDirectory(root: Root, real: string, mode: number, named: string): string {
  const { fs } = root;
  let fd = openAt(root, root.path, undefined, named);
  const below = real.slice(root.path.length).split("/").filter((name) => name !== "");
  for (const name of below) {
    if (name === "." || name === "..") throw new UsageError(`bad receiver option path: ${named}`);
    const made = fs.mkdirat(fd, fs.cstr(name), mode);
    if (made < 0 && made !== -fs.constants.E.EEXIST) {
      throw new UsageError(`unable to create receiver option dir: ${named} ${fs.strerror(-made)}`);
    }
    const next = openAt(root, name, fd, named);
    fs.close(fd);
    fd = next;
  }
  return root.hold(fd, named);
}

/** Holds a directory that is empty and has no name any more, in place of one that does not exist. */
export function emptyDirectory(root: Root, pid: number, named: string): string {
  const { fs } = root;
  const top = openAt(root, root.path, undefined, named);
  const name = `.rrsync-empty-basis.${pid}`;
  const made = fs.mkdirat(top, fs.cstr(name), PRIVATE);
  if (made < 0 && made !== -fs.constants.E.EEXIST) {
    throw new UsageError(`unable to create basis placeholder: ${named} ${fs.strerror(-made)}`);
  }
  const fd = openAt(root, name, top, named);
  const removed = fs.unlinkat(top, fs.cstr(name), fs.constants.AT.REMOVEDIR);
  fs.close(top);
  // While it has a name, somebody may fill it.
  if (removed < 0 && removed !== -fs.constants.E.ENOENT) {
    throw new UsageError(`unable to detach basis placeholder: ${named} ${fs.strerror(-removed)}`);
  }
  if (fs.readDir(fd, () => {}) > 0) throw new UsageError(`basis placeholder is not empty: ${named}`);
  root.held.push(fd);
  return `/proc/self/fd/${fd}`;
}

function openAt(root: Root, name: string, at: number | undefined, named: string): number {
  const { O } = root.fs.constants;
  const fd = root.open(name, O.RDONLY | O.DIRECTORY | O.NOFOLLOW, at);
  if (fd >= 0) return fd;
  throw new UsageError(`receiver option path is not a usable directory: ${named} ${root.fs.strerror(-fd)}`);
}
