/** Opening a file that is written into as it stands. Upstream receiver.c:recv_files, open_readonly_inplace. */
import { type Place } from "../files/confine.ts";
import { CHMOD_BITS, isRegular, S_IWUSR } from "../files/perms.ts";
import { type FileReporter } from "../files/report.ts";
import { newStat } from "../posix/filesystem.ts";
import { type Session } from "../session/session.ts";

/** A descriptor for writing into the file at `place`, made if need be; -1 after a reported failure. */
export function openInPlace(session: Session, place: Place, reporter: FileReporter): number {
  const { O, E } = session.fs.constants;
  let fd = place.root.open(place.path, O.WRONLY | O.CREAT, 0o600);
  // Some kernels refuse O_CREAT on another user's file in a sticky directory, but not plain writing.
  if (fd === -E.EACCES) fd = place.root.open(place.path, O.WRONLY, 0);
  if (fd === -E.EACCES) fd = openReadOnly(session, place);
  if (fd >= 0) return fd;
  reporter.failed("errorXfer", -fd, `open ${place.root.quoted(place.path)} failed`);
  return -1;
}

/** Opens an own file for writing that forbids it: its mode allows it just that long. -errno otherwise. */
function openReadOnly(session: Session, place: Place): number {
  const { root, path } = place;
  const { fs } = session;
  const { O, E } = fs.constants;
  const probe = root.open(path, O.RDONLY | O.NOFOLLOW, 0);
  // What may not even be read is reached by its name; but in a daemon's module that may have become another file's.
  if (probe < 0 && (probe !== -E.EACCES || session.module)) return probe;
  const stat = newStat();
  const looked = probe < 0 ? root.lstat(path, stat) : fs.fstat(probe, stat);
  const mode = stat.mode & CHMOD_BITS;
  const change = (bits: number): number => (probe < 0 ? root.chmod(path, bits) : fs.fchmod(probe, bits));
  let fd = -E.EACCES;
  if (looked >= 0 && isRegular(stat.mode) && (mode & S_IWUSR) === 0 && change(mode | S_IWUSR) >= 0) {
    fd = root.open(path, O.WRONLY | O.NOFOLLOW, 0);
    const restored = change(mode);
    if (restored < 0) {
      if (fd >= 0) fs.close(fd);
      fd = restored;
    }
  }
  if (probe >= 0) fs.close(probe);
  return fd;
}
