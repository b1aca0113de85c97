/** The lines of --list-only. Upstream: generator.c:list_file_entry. */
import { FileType, fileType, permissionString } from "./mode.ts";
import { type Numbers } from "./numbers.ts";
import { timeString } from "./time.ts";

/** One entry of the listing; times in seconds. */
export interface ListEntry {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
  /** null when the list does not carry them. */
  readonly atime: number | null;
  readonly crtime: number | null;
  /** Shown behind an arrow; null unless links are kept. */
  readonly linkTarget: string | null;
}

/** "-rw-r--r--          1,234 2026/11/22 21:05:09 name -> target" with its line end. */
export function listLine(entry: ListEntry, numbers: Numbers): string {
  const { name, mode, size, mtime, atime, crtime, linkTarget } = entry;
  const time = timeString(mtime);
  const width = time.length + 1;
  const extra = (seconds: number | null, shown: boolean): string =>
    seconds === null ? "" : (shown ? timeString(seconds) : "").padStart(width);
  const times = extra(atime, fileType(mode) !== FileType.directory) + extra(crtime, true);
  const arrow = linkTarget !== null && fileType(mode) === FileType.symlink ? ` -> ${linkTarget}` : "";
  const column = numbers.bytes(size).padStart(numbers.sizeWidth);
  return `${permissionString(mode)} ${column} ${time}${times} ${name}${arrow}\n`;
}

/** The line for a source argument that --delete-missing-args found missing. */
export function missingLine(entry: ListEntry, numbers: Numbers): string {
  const times = 1 + Number(entry.atime !== null) + Number(entry.crtime !== null);
  const width = 10 + 1 + numbers.sizeWidth + times * (timeString(entry.mtime).length + 1);
  return `${"*missing".padEnd(width)} ${entry.name}\n`;
}
