/**
 * The quick check: is the file that is there the one the sender has? Upstream generator.c:quick_check_ok and
 * util1.c:same_time.
 */
import { type StatRecord } from "../posix/filesystem.ts";
import { isDevice, isDirectory, isRegular, isSpecial, isSymlink, S_IFMT } from "./perms.ts";
import { type FileRows } from "./rows.ts";

/** The kinds of file that are handled differently; upstream enum filetype. */
export type FileKind = "regular" | "directory" | "symlink" | "special" | "device" | "unsupported";

/** The kind of file that a mode says. */
export function fileKind(mode: number): FileKind {
  if (isRegular(mode)) return "regular";
  if (isDirectory(mode)) return "directory";
  if (isSymlink(mode)) return "symlink";
  if (isSpecial(mode)) return "special";
  return isDevice(mode) ? "device" : "unsupported";
}

/**
 * Whether two times are the same for this run. `window` is --modify-window: seconds; 0 compares whole seconds, a
 * negative one nanoseconds too. Upstream util1.c:same_time.
 */
export function sameTime(sec1: number, nsec1: number, sec2: number, nsec2: number, window: number): boolean {
  if (window === 0) return sec1 === sec2;
  if (window < 0) return sec1 === sec2 && nsec1 === nsec2;
  return Math.abs(sec1 - sec2) <= window;
}

/** What the quick check needs of the options. */
export interface QuickCheckOptions {
  /** --modify-window in seconds; see `sameTime`. */
  readonly modifyWindow: number;
  readonly sizeOnly: boolean;
  readonly ignoreTimes: boolean;
  /** --checksum: the file list carries digests. */
  readonly checksum: boolean;
}

/** Reads what a quick check cannot know from stat. Both are called at most once a check. */
export interface QuickCheckProbe {
  /** Whether the file's digest is the one in the list (--checksum); false when it cannot be read. */
  sameChecksum(rows: FileRows, row: number): boolean;
  /** The target of the symlink that is there, or null when it cannot be read. */
  linkTarget(): string | null;
}

/** The part of LinearMemory that reads names. */
export interface NameReader {
  readLatin1(ptr: number, byteLength: number): string;
}

/** The row's symlink target as a name; "" when the list has none. */
export function linkTargetOf(memory: NameReader, rows: FileRows, row: number): string {
  const { linkTarget, linkLength } = rows.extra;
  return linkTarget && linkLength ? memory.readLatin1(linkTarget[row], linkLength[row]) : "";
}

/** True when the file described by `stat` needs no transfer to match the row. Types must already agree in kind. */
export function quickCheck(
  kind: FileKind, rows: FileRows, row: number, stat: StatRecord, o: QuickCheckOptions, probe: QuickCheckProbe,
  memory: NameReader,
): boolean {
  switch (kind) {
    case "regular":
      return regularMatches(rows, row, stat, o, probe);
    case "symlink":
      return probe.linkTarget() === linkTargetOf(memory, rows, row);
    case "special":
      return (rows.mode[row] & S_IFMT) === (stat.mode & S_IFMT);
    case "device":
      return sameDevice(rows, row, stat);
    case "directory":
      return true;
    default:
      return false;
  }
}

function sameDevice(rows: FileRows, row: number, stat: StatRecord): boolean {
  const { rdevMajor, rdevMinor } = rows.extra;
  return stat.rdevMajor === (rdevMajor?.[row] ?? 0) && stat.rdevMinor === (rdevMinor?.[row] ?? 0);
}

/** `quickCheck` of a regular file. */
export function regularMatches(
  rows: FileRows, row: number, stat: StatRecord, o: QuickCheckOptions, probe: QuickCheckProbe,
): boolean {
  if (stat.size !== rows.size[row]) return false;
  if (o.checksum) return probe.sameChecksum(rows, row);
  if (o.sizeOnly) return true;
  if (o.ignoreTimes) return false;
  return sameTime(stat.mtime, stat.mtimeNsec, rows.mtime[row], rows.mtimeNsec[row], o.modifyWindow);
}
