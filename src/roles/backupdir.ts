/** --backup-dir is looked at before the transfer. Upstream main.c:do_recv. */
import { ExitCode, UsageError, WsyncError } from "../errors.ts";
import { type Place } from "../files/confine.ts";
import { isDirectory } from "../files/perms.ts";
import { newStat } from "../posix/filesystem.ts";
import { type Session } from "../session/session.ts";

/** Throws UsageError (1) when it is no directory, WsyncError (11) when that cannot be told. It may still be missing. */
export function checkBackupDir(session: Session, { root, path }: Place): void {
  const { fs, log } = session;
  const stat = newStat();
  const found = root.stat(path, stat);
  if (found < 0 && found !== -fs.constants.E.ENOENT) {
    throw new WsyncError(`Failed to stat ${path}: ${fs.strerror(-found)}`, ExitCode.fileIo);
  }
  if (found >= 0 && !isDirectory(stat.mode)) throw new UsageError(`The backup-dir is not a directory: ${path}`);
  if (log.info("BACKUP", 1)) log.infoLine(`${found < 0 ? "(new) " : ""}backup_dir is ${path}\n`);
}
