/** Reserving a file's space before it is written: --preallocate. Upstream syscall.c:do_fallocate. */
import { type FileSystem, newStat } from "../posix/filesystem.ts";

const KEEP_SIZE = 1;
const BLOCK_BYTES = 512;

/**
 * Reserves blocks for about `byteLength` bytes at the start of an open file. Returns how far the file then has blocks,
 * or -errno. Holes can only be punched below a file's length, so that with `sparse` the length grows too.
 */
export function preallocate(fs: FileSystem, fd: number, byteLength: number, sparse: boolean): number {
  // Never the length that is wanted in the end: some file systems would take the file for complete.
  const length = byteLength % 2 === 1 ? byteLength + 1 : byteLength - 1;
  const result = fs.fallocate(fd, sparse ? 0 : KEEP_SIZE, 0, length);
  if (result < 0 || !sparse) return result < 0 ? result : length;
  const stat = newStat();
  return fs.fstat(fd, stat) < 0 ? length : stat.blocks * BLOCK_BYTES;
}
