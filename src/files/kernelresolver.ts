/**
 * Resolving a path in one system call, openat2, where the kernel has it. What it refuses may still be allowed: the
 * component walk of walk.ts looks at it again, and can tell why not.
 */
import { type FileSystem } from "../posix/filesystem.ts";
import { PATH_MAX } from "./walk.ts";

const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;

/** Calls of openat2 through no symlink at all. Results are descriptors or -errno. */
export class KernelResolver {
  /** False once the kernel, or a sandbox around us, turned out not to have the call. */
  usable: boolean;
  private readonly fs: FileSystem;

  constructor(fs: FileSystem, usable: boolean) {
    this.fs = fs;
    this.usable = usable && fs.capabilities.openat2;
  }

  /** A path that stays below `dirFd`. */
  beneath(dirFd: number, path: string, flags: number): number {
    return this.open(dirFd, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
  }

  /** Any path; -ELOOP when there is a symlink in it. */
  withoutLinks(dirFd: number, path: string, flags: number, mode: number): number {
    const perms = flags & this.fs.constants.O.CREAT ? mode : 0;
    return this.open(dirFd, path, flags, perms, RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
  }

  private open(dirFd: number, path: string, flags: number, mode: number, rules: number): number {
    const { E, O } = this.fs.constants;
    if (!this.usable) return -E.ENOSYS;
    if (path.length >= PATH_MAX) return -E.ENAMETOOLONG;
    const result = this.fs.openat2(dirFd, this.fs.cstr(path), flags | O.CLOEXEC, mode, rules);
    // A sandbox says EPERM; so does an immutable file, for which the walk will say it again.
    if (result !== -E.ENOSYS && result !== -E.EPERM) return result;
    this.usable = false;
    return -E.ENOSYS;
  }
}
