/**
 * Devices as if they were files: --copy-devices reads them, --write-devices writes into them. Their stat records have
 * no length. Upstream flist.c: make_file (its part on copy_devices), get_device_size.
 */
import { S_IFREG } from "../files/perms.ts";
import { type StatRecord } from "../posix/filesystem.ts";
import { type Session } from "../session/session.ts";
import { readFlags } from "./sourcetree.ts";

const SEEK_SET = 0;
const SEEK_END = 2;
const ACCESS_PERMS = 0o777;

/** Length of an open device; 0, reported, when it cannot be told. `path` is for the message. */
export function deviceLength(session: Session, fd: number, path: string): number {
  const { fs, log } = session;
  const report = (what: string, errno: number): void => {
    log.error(`rsync: [${session.who}] failed to ${what}: ${path}: ${fs.strerror(errno)} (${errno})\n`);
  };
  const length = fs.lseek(fd, 0, SEEK_END);
  if (length < 0) {
    report("get device size via seek", -length);
    return 0;
  }
  const back = fs.lseek(fd, 0, SEEK_SET);
  if (back < 0) report("seek device back to start", -back);
  return length;
}

/**
 * Makes a device's stat record that of a file with the device's contents. A device's own time says nothing about
 * those, so that the file counts as changed just now.
 */
export function deviceAsFile(session: Session): (dirFd: number, name: number, stat: StatRecord, path: string) => void {
  const { fs, host } = session;
  return (dirFd, name, stat, path) => {
    const fd = stat.size === 0 ? fs.openat(dirFd, name, readFlags(session) | noFollow(session), 0) : -1;
    if (fd >= 0) {
      stat.size = deviceLength(session, fd, path);
      fs.close(fd);
    }
    stat.mode = S_IFREG | (stat.mode & ACCESS_PERMS);
    stat.mtime = Math.floor(host.now() / 1000);
  };
}

function noFollow({ fs, options }: Session): number {
  return options.copyLinks || options.copyUnsafeLinks ? 0 : fs.constants.O.NOFOLLOW;
}
