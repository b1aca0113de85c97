/**
 * --copy-as: from here on the process is another user's. What the operator's files say has been read by now. Upstream
 * main.c:become_copy_as_user.
 */
import { ExitCode, UsageError } from "../errors.ts";
import { type Session } from "../session/session.ts";

/** Becomes the user of --copy-as, if it was given. Throws UsageError (1). */
export function becomeCopyAsUser(session: Session): void {
  const { copyAs } = session.options;
  if (copyAs === null) return;
  try {
    become(session, copyAs);
  } finally {
    // The other side of a local transfer goes on, if only to hear why this one ends.
    session.localLink?.settleIdentity();
  }
}

function become(session: Session, copyAs: string): void {
  const { fs, log } = session;
  if (log.debug("CMD", 2)) log.infoLine(`[${session.who}] copy_as=${copyAs}\n`);
  const colon = copyAs.indexOf(":");
  const user = colon < 0 ? copyAs : copyAs.slice(0, colon);
  const group = colon < 0 ? null : copyAs.slice(colon + 1);
  const uid = idOf(user, (name) => fs.userId(name));
  if (uid < 0) throw new UsageError(`Invalid copy-as user: ${user}`);
  const gid = group === null ? fs.groupOfUser(uid) : idOf(group, (name) => fs.groupId(name));
  if (gid < 0 && group === null) throw new UsageError(`rsync: [${session.who}] getpwuid failed: Success (0)`);
  if (gid < 0) throw new UsageError(`Invalid copy-as group: ${group}`);
  const failed = fs.becomeUser(uid, gid, group === null ? user : null);
  if (failed !== null) {
    const reason = `${fs.strerror(failed.errno)} (${failed.errno})`;
    throw new UsageError(`rsync: [${session.who}] ${failed.call} failed: ${reason}`, ExitCode.syntax);
  }
  noteIdentity(session);
}

/** Takes over what the process has become, on the other side of a local transfer too. */
export function noteIdentity(session: Session): void {
  session.amRoot = session.fs.euid === 0 ? 1 : 0;
}

/** A number as it stands, or the id of a name; -1 when there is none. */
function idOf(text: string, lookUp: (name: string) => number): number {
  if (text === "") return -1;
  return /^[0-9]+$/.test(text) ? Number(text) >>> 0 : lookUp(text);
}
