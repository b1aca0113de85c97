/**
 * --munge-links: a symlink is stored with a prefix that leads nowhere, so that it cannot be followed where it lies;
 * the sending side takes the prefix off again. Upstream flist.c: recv_file_entry, readlink_stat.
 */
import { sanitizePath } from "../filter/paths.ts";
import { bytesOf, latin1 } from "../memory.ts";

/** What stands in front of a stored target. No directory of this name may exist. */
export const MUNGE_PREFIX = "/rsyncd-munged/";

const PREFIX_BYTES = Uint8Array.from(MUNGE_PREFIX, (c) => c.charCodeAt(0));

/** A target as a module stores it that is no root directory of its own: it does not lead out by its text. */
export function sanitized(target: Uint8Array, depth: number): Uint8Array {
  if (target.length === 0) return target;
  return bytesOf(sanitizePath(latin1(target, 0, target.length), { root: "", depth }));
}

/** A target as it is stored. */
export function munged(target: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PREFIX_BYTES.length + target.length);
  bytes.set(PREFIX_BYTES);
  bytes.set(target, PREFIX_BYTES.length);
  return bytes;
}
