/** One directory below another, for callers that hold none: a watcher, whose directories come and go. */
import { type FileSystem } from "../posix/filesystem.ts";
import { KernelResolver } from "./kernelresolver.ts";
import { PATH_MAX, Walk } from "./walk.ts";

/** A descriptor of directory `path` ("" for `rootFd` itself) for listing, or -errno. No symlink leads out. */
export function openBelow(fs: FileSystem, rootFd: number, path: string): number {
  const { O, E } = fs.constants;
  const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
  if (path === "") return fs.openat(rootFd, fs.cstr("."), flags, 0);
  const direct = new KernelResolver(fs, true).beneath(rootFd, path, flags);
  if (direct >= 0 || direct === -E.ENOENT) return direct;
  const buffer = fs.memory.alloc(PATH_MAX);
  const dir = new Walk(fs, rootFd, false, buffer).run(path, null);
  fs.memory.release(buffer);
  if (dir < 0) return dir;
  const fd = fs.openat(dir, fs.cstr("."), flags, 0);
  fs.close(dir);
  return fd;
}
