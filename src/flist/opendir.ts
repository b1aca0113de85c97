/**
 * Opening a source directory for listing so that no symlink leads the walk out of the transfer root (upstream flist.c:
 * secure_opendir, syscall.c: secure_relative_open).
 */
import type { FileSystem } from "../posix/filesystem.ts";

/** A directory that arguments are relative to: what upstream changes into (F_PATHNAME). */
export interface TransferRoot {
  /** Absolute path. */
  readonly path: string;
  /** The path as the user gave it, cleaned. */
  readonly given: string;
  /** Descriptor for at-calls, possibly without the right to read. */
  readonly fd: number;
}

const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_BENEATH = 0x08;
/** The kernel answers EAGAIN when a rename raced its check; a few tries settle it. */
const MOST_TRIES = 8;

/**
 * Opens directory `path` below `rootFd` for reading. `confined`: symlinks inside the root are followed, ones that
 * leave it refused (-EXDEV), where the kernel can tell; without openat2 no symlink is followed at all. An absolute
 * path is the operator's own and starts at "/". Returns a descriptor or -errno.
 */
export function openBelow(fs: FileSystem, rootFd: number, path: string, confined: boolean): number {
  const { O, AT, E } = fs.constants;
  const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
  if (!confined) return fs.openat(path.startsWith("/") ? AT.FDCWD : rootFd, fs.cstr(path), flags, 0);
  if (path.startsWith("/")) return openAbsolute(fs, path);
  if (!fs.capabilities.openat2) return openByElements(fs, rootFd, path);
  let result = -E.EAGAIN;
  for (let tries = 0; tries < MOST_TRIES && result === -E.EAGAIN; tries++) {
    result = fs.openat2(rootFd, fs.cstr(path), flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
  }
  return result === -E.ENOSYS ? openByElements(fs, rootFd, path) : result;
}

function openAbsolute(fs: FileSystem, path: string): number {
  const { O, AT } = fs.constants;
  const root = fs.openat(AT.FDCWD, fs.cstr("/"), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
  if (root < 0) return root;
  const fd = openBelow(fs, root, path.replace(/^\/+/, "") || ".", true);
  fs.close(root);
  return fd;
}

/** Walks one element at a time, following no symlink. */
function openByElements(fs: FileSystem, rootFd: number, path: string): number {
  const { O, E } = fs.constants;
  const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC | O.NOFOLLOW;
  const elements = path.split("/").filter((element) => element !== "" && element !== ".");
  if (elements.includes("..")) return -E.EXDEV;
  let fd = fs.openat(rootFd, fs.cstr("."), flags, 0);
  for (const element of elements) {
    if (fd < 0) return fd;
    const next = fs.openat(fd, fs.cstr(element), flags, 0);
    fs.close(fd);
    fd = next;
  }
  return fd;
}
