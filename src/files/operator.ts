/**
 * Paths that the operator names: the destination, the files and directories of options. They may lead anywhere, but
 * only through symlinks that root or the running user owns; --insecure-links follows them all, and --confine-root (or
 * a daemon's module) says where some of them have to end. Upstream syscall.c:ona_open, owner_walk_parent.
 */
import { type FileSystem } from "../posix/filesystem.ts";
import { type Boundary } from "./boundary.ts";
import { Confined, joinPath, type Place } from "./confine.ts";
import { type ConfinePolicy } from "./confinepolicy.ts";
import { directoryState, makePath } from "./mkdirs.ts";
import { directoryFlags, type Refusal } from "./walk.ts";

/**
 * Absolute paths and those relative to the working directory `cwd`. -errno when that cannot be opened.
 */
export function operatorPaths(
  fs: FileSystem, cwd: string, policy: ConfinePolicy = { links: "trusted" },
): Confined | number {
  const flags = directoryFlags(fs) & ~fs.constants.O.NOFOLLOW;
  const fd = fs.openat(fs.constants.AT.FDCWD, fs.cstr(cwd), flags, 0);
  return fd < 0 ? fd : new Confined(fs, fd, cwd, policy);
}

/** Opens `path` (an operator's) as the root of a transfer. -errno, with `operator.refusal` for a refused link. */
export function openRoot(operator: Confined, path: string, policy: ConfinePolicy): Confined | number {
  const fd = openRootFd(operator, path);
  return fd < 0 ? fd : new Confined(operator.fs, fd, joinPath(operator.rootPath, path), policy);
}

function openRootFd(operator: Confined, path: string): number {
  const { fs } = operator;
  const { O } = fs.constants;
  const held = operator.dirFd(path === "" ? "." : path);
  return held < 0 ? held : fs.openat(held, fs.cstr("."), O.PATH | O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
}

/**
 * A directory the operator names, to hold paths of a peer: its own path goes by the operator's rule, what lies below it
 * by `policy`. It is opened when it is first needed and there.
 */
export class NamedDir {
  /** As the operator gave it. */
  readonly path: string;
  private readonly operator: Confined;
  private readonly policy: ConfinePolicy;
  private root: Confined | null = null;

  constructor(operator: Confined, path: string, policy: ConfinePolicy) {
    this.operator = operator;
    this.path = path;
    this.policy = policy;
  }

  /** Where a path lies. While the directory cannot be opened, its own place is what fails. */
  place(path: string): Place {
    const root = this.openedRoot();
    return root ? { root, path } : { root: this.operator, path: this.shown(path) };
  }

  private openedRoot(): Confined | null {
    const { operator, root } = this;
    if (root !== null) {
      if (!root.maybeMoved) return root;
      const fd = openRootFd(operator, this.path);
      if (fd < 0) return null;
      root.replaceRoot(fd);
      return root;
    }
    const opened = openRoot(operator, this.path, this.policy);
    if (typeof opened === "number") return null;
    operator.sharesWith(opened);
    return (this.root = opened);
  }

  /** The path as messages have it. */
  shown(path: string): string {
    return joinPath(this.path, path);
  }

  /** Makes what is missing of the directory: how many were made, or -errno. */
  make(): number {
    return makePath(this.operator, this.path);
  }

  /** What stands at its path now. */
  state(): ReturnType<typeof directoryState> {
    return directoryState(this.operator, this.path);
  }

  close(): void {
    this.root?.close();
  }
}

/** The refusal that the last call met, for the end of an error message; "" when it failed for another reason. */
export function refusalHint(operator: Confined): string {
  return operator.refusal ? refusalText(operator.fs, operator.refusal, operator.policy.within) : "";
}

/** What to tell the user about a refused path: the link, its owner, and what would allow it ("--insecure-links"). */
export function refusalText(
  fs: FileSystem, refusal: Refusal, within: Boundary | null = null, remedy = "--insecure-links",
): string {
  const { path, link, target, ownerUid, reason } = refusal;
  if (reason === "outside") {
    const by = link === "" ? "" : ` by symlink "${link}" -> "${target}"`;
    return `refusing "${path}": it leads out of "${within?.path ?? ""}"${by}`;
  }
  if (link === "") return `refusing "${path}": it leads outside the transfer`;
  const owner = fs.userName(ownerUid);
  const owned = `owned by ${owner === null ? "" : `${owner}, `}uid ${ownerUid}`;
  const what = `refusing to follow symlink "${link}" -> "${target}" in "${path}" (${owned})`;
  if (reason === "replaced") return `${what}: it has taken a directory's place`;
  if (reason === "loop") return `${what}: too many levels of symlinks`;
  const why = reason === "untrusted" ? "its owner is neither root nor you" : "it leads outside the transfer";
  return `${what}: ${why}; ${remedy} would follow it`;
}
