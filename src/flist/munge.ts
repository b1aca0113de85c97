/**
 * --munge-links: a symlink is stored with a prefix that leads nowhere, so that it cannot be followed where it lies;
 * the sending side takes the prefix off again. Upstream flist.c: recv_file_entry, readlink_stat.
 */

/** What stands in front of a stored target. No directory of this name may exist. */
export const MUNGE_PREFIX = "/rsyncd-munged/";

const PREFIX_BYTES = Uint8Array.from(MUNGE_PREFIX, (c) => c.charCodeAt(0));

/** A target as it is stored. */
export function munged(target: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PREFIX_BYTES.length + target.length);
  bytes.set(PREFIX_BYTES);
  bytes.set(target, PREFIX_BYTES.length);
  return bytes;
}
