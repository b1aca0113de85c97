/**
 * Copying a whole file by the kernel's shortest way: shared extents, then copy_file_range, then read and write through
 * linear memory. Upstream util1.c:copy_file copies by read and write only.
 */
import { type FileSystem, newStat } from "../posix/filesystem.ts";
import { type Place } from "./confine.ts";
import { INITIAL_ACCESS_PERMS, S_IWUSR } from "./perms.ts";
import { preallocate } from "./preallocate.ts";
import { type FileReporter, type LogCode } from "./report.ts";
import { type XattrFiles } from "./xattrs.ts";

const BUFFER_BYTES = 256 * 1024;
/** One copy_file_range call: large enough to be rare, small enough for a signal to be heard soon on a slow disk. */
const RANGE_BYTES = 16 * 1024 * 1024;

/**
 * Copies all of `from` to the start of the empty file `to`. Returns the byte count or -errno. Without `byKernel` bytes
 * are read and written, into blocks that are there.
 */
export function copyContents(fs: FileSystem, from: number, to: number, byKernel = true): number {
  const steps = byKernel ? copySteps(fs, from, to) : copyByBuffer(fs, from, to, 0);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** `copyContents` in steps, each of which yields how many bytes are there by then. */
export function* copySteps(fs: FileSystem, from: number, to: number): Generator<number, number> {
  const ranged = fs.capabilities.copyFileRange ? yield* copyByRange(fs, from, to) : 0;
  return ranged < 0 ? ranged : yield* copyByBuffer(fs, from, to, ranged);
}

/** FICLONE: 0 when all of `from` is now shared with `to`, else -errno and nothing has changed. */
export function cloneContents(fs: FileSystem, from: number, to: number): number {
  return fs.capabilities.reflink ? fs.reflink(from, to) : -fs.constants.E.ENOSYS;
}

/** Bytes copied before end of file or before the kernel declined; what is left is for `copyByBuffer`. */
function* copyByRange(fs: FileSystem, from: number, to: number): Generator<number, number> {
  const { E } = fs.constants;
  let offset = 0;
  for (;;) {
    const count = fs.copyFileRange(from, offset, to, offset, RANGE_BYTES);
    if (count > 0) {
      offset += count;
      yield offset;
      continue;
    }
    // A full or failing disk is an error; any other refusal means that these two files cannot be copied this way.
    if (count === -E.ENOSPC || count === -E.EDQUOT || count === -E.EIO || count === -E.EFBIG) return count;
    return offset;
  }
}

function* copyByBuffer(fs: FileSystem, from: number, to: number, start: number): Generator<number, number> {
  const buffer = fs.memory.alloc(BUFFER_BYTES);
  let offset = start;
  try {
    for (;;) {
      const count = fs.pread(from, buffer, BUFFER_BYTES, offset);
      if (count <= 0) return count < 0 ? count : offset;
      const written = fs.pwrite(to, buffer, count, offset);
      if (written < 0) return written;
      offset += written;
      yield offset;
    }
  } finally {
    fs.memory.release(buffer);
  }
}

/** How whole files are copied. */
export interface CopySettings {
  readonly fsync: boolean;
  readonly preallocate: boolean;
  readonly sparse: boolean;
  /** Null without --xattrs, which a copy gets with its contents. */
  readonly xattrs: XattrFiles | null;
}

/**
 * Copies the file at `from` to `to`, replacing what is there, with the owner permissions of `mode`. Failures are
 * reported; returns 0 or -errno. Upstream copy_file with its unlink_and_reopen.
 */
export function copyFile(from: Place, to: Place, mode: number, settings: CopySettings, reporter: FileReporter): number {
  const { fs } = from.root;
  const { O, E } = fs.constants;
  const source = from.root.open(from.path, O.RDONLY, 0);
  if (source < 0) return told(reporter, source, "open", from);
  const gone = to.root.unlink(to.path);
  if (gone < 0 && gone !== -E.ENOENT) {
    fs.close(source);
    return told(reporter, gone, "unlink", to);
  }
  const rights = settings.xattrs ? mode | S_IWUSR : mode;
  const target = to.root.open(to.path, O.WRONLY | O.CREAT | O.TRUNC | O.EXCL, rights & INITIAL_ACCESS_PERMS);
  if (target < 0) {
    fs.close(source);
    return told(reporter, target, "open", to);
  }
  const result = fillCopy(from, to, source, target, settings, reporter);
  fs.close(source);
  const closed = fs.close(target);
  return result < 0 ? result : closed < 0 ? told(reporter, closed, "close failed on", to) : 0;
}

/** Fills the empty file `target`, which becomes `to`, from `source`. Failures are reported; returns 0 or -errno. */
export function fillCopy(
  from: Place, to: Place, source: number, target: number, settings: CopySettings, reporter: FileReporter,
): number {
  const { fs } = from.root;
  if (settings.preallocate) {
    const result = copyReserved(from, to, source, target, settings.sparse, reporter);
    if (result < 0) return result;
  } else if (cloneContents(fs, source, target) < 0) {
    const copied = copyContents(fs, source, target);
    if (copied < 0) return told(reporter, copied, "write", to);
  }
  const synced = settings.fsync ? fs.fsync(target) : 0;
  if (synced < 0) return told(reporter, synced, "fsync failed on", to, "error");
  settings.xattrs?.copy({ fd: source, name: 0 }, { fd: target, name: 0 }, () => quoted(from), () => quoted(to));
  return 0;
}

/** --preallocate: bytes are written into blocks reserved for them. */
function copyReserved(
  from: Place, to: Place, source: number, target: number, sparse: boolean, reporter: FileReporter,
): number {
  const { fs } = from.root;
  const stat = newStat();
  if (fs.fstat(source, stat) < 0) stat.size = 0;
  const reserved = stat.size > 0 ? preallocate(fs, target, stat.size, sparse) : 0;
  if (reserved < 0) told(reporter, reserved, "do_fallocate", to, "warning");
  const copied = copyContents(fs, source, target, false);
  if (copied < 0) return told(reporter, copied, "write", to);
  const cut = copied < reserved ? fs.ftruncate(target, copied) : 0;
  if (cut < 0) told(reporter, cut, "ftruncate", to);
  return 0;
}

function quoted({ root, path }: Place): string {
  return root.quoted(path);
}

function told(
  reporter: FileReporter, result: number, what: string, place: Place, code: LogCode = "errorXfer",
): number {
  reporter.failed(code, -result, `${what} ${quoted(place)}`);
  return result;
}
