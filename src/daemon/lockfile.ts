/**
 * "max connections": each connection holds a lock on four bytes of a file. Upstream connection.c:claim_connection.
 *
 * The locks belong to the open file, so they count connections of one process, and one process can hand its lock to
 * another together with the descriptor; those of stock rsync, which belong to processes, exclude them all the same.
 */
import { type DaemonContext } from "./context.ts";

const SLOT_BYTES = 4;
const LOCK_MODE = 0o600;

/** A descriptor that holds a slot, or why there is none: an errno, or 0 when all slots are taken. */
export function claimConnection(
  { platform, system, operator }: DaemonContext, path: string, most: number,
): number | { readonly errno: number } {
  const { fs } = platform;
  const { O, E } = fs.constants;
  if (system === null) return { errno: E.ENOSYS };
  const fd = operator.openFollowing(path, O.RDWR | O.CREAT, LOCK_MODE);
  if (fd < 0) return { errno: -fd };
  for (let slot = 0; slot < most; slot++) {
    if (system.lock(fd, slot * SLOT_BYTES, SLOT_BYTES, "file")) return fd;
  }
  fs.close(fd);
  return { errno: 0 };
}
