/** "pid file": written, locked as long as the daemon runs, and removed when it ends. Upstream create_pid_file. */
import { ExitCode, WsyncError } from "../errors.ts";
import { newStat } from "../posix/filesystem.ts";
import { type DaemonContext } from "./context.ts";

const FILE_MODE = 0o664;
const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
/** A file that is longer holds something else. */
const MOST_BYTES = 32;
const LOCK_BYTES = 4;

/** A pid file that is ours. */
export interface PidFile {
  remove(): void;
}

/** Writes the file; null when the path is "". Throws WsyncError (11) when it is in use or cannot be written. */
export function createPidFile(context: DaemonContext, path: string): PidFile | null {
  if (path === "") return null;
  const { operator, platform } = context;
  const { fs } = platform;
  const slash = path.lastIndexOf("/");
  const dir = slash < 0 ? "." : path.slice(0, slash) || "/";
  const name = path.slice(slash + 1);
  const dirFd = operator.openFollowing(dir, fs.constants.O.RDONLY | fs.constants.O.DIRECTORY, 0);
  if (dirFd < 0) {
    const reason = `${fs.strerror(-dirFd)} (${-dirFd})`;
    throw new WsyncError(`failed to open pid-file directory "${dir}": ${reason}`, ExitCode.fileIo);
  }
  const failed = (what: string, errno: number): WsyncError => {
    fs.close(dirFd);
    return new WsyncError(`failed to ${what} pid file ${path}: ${fs.strerror(errno)}`, ExitCode.fileIo);
  };
  const fault = write(context, dirFd, name);
  if (typeof fault !== "number") throw failed(fault.what, fault.errno);
  return {
    remove() {
      fs.unlinkat(dirFd, fs.cstr(name), 0);
    },
  };
}

/** The open and locked file, or what could not be done with it. */
function write(context: DaemonContext, dirFd: number, name: string): number | { what: string; errno: number } {
  const { platform, system } = context;
  const { fs, host } = platform;
  const { O, E } = fs.constants;
  const stat = newStat();
  const there = fs.fstatat(dirFd, fs.cstr(name), stat, false) >= 0;
  const regular = there && (stat.mode & TYPE_MASK) === REGULAR;
  if (there && !regular) {
    const removed = fs.unlinkat(dirFd, fs.cstr(name), 0);
    if (removed < 0) return { what: "unlink", errno: -removed };
  }
  const fd = fs.openat(dirFd, fs.cstr(name), O.RDWR | O.CREAT | O.NOFOLLOW | O.CLOEXEC, FILE_MODE);
  if (fd < 0) return { what: regular ? "open" : "create", errno: -fd };
  if (system !== null && !system.lock(fd, 0, LOCK_BYTES, "process")) return { what: "lock", errno: E.EAGAIN };
  const opened = newStat();
  const looked = fs.fstat(fd, opened);
  if (looked < 0) return { what: "fstat opened", errno: -looked };
  if (opened.size > MOST_BYTES) return { what: "find small", errno: E.EFBIG };
  fs.fstatat(dirFd, fs.cstr(name), stat, false);
  if (stat.inoLo !== opened.inoLo || stat.inoHi !== opened.inoHi || stat.devLo !== opened.devLo) {
    return { what: "verify stat info for", errno: E.EEXIST };
  }
  const cut = fs.ftruncate(fd, 0);
  if (cut < 0) return { what: "truncate", errno: -cut };
  const text = `${host.pid}\n`;
  const ptr = fs.memory.alloc(text.length);
  fs.memory.writeLatin1(ptr, text);
  const written = fs.pwrite(fd, ptr, text.length, 0);
  fs.memory.release(ptr);
  return written < 0 ? { what: "write", errno: -written } : fd;
}
