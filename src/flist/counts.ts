/** What --stats tells of a list: its entries by type, and their bytes. Upstream flist.c: the stats.num_* counters. */
import { FileType } from "./makefile.ts";

/** Counts for --stats. `numFiles` is of entries of any type. */
export interface FlistCounts {
  numFiles: number;
  numDirs: number;
  numLinks: number;
  numDevices: number;
  numSpecials: number;
  totalSize: number;
}

/** All counts zero. */
export function newFlistCounts(): FlistCounts {
  return { numFiles: 0, numDirs: 0, numLinks: 0, numDevices: 0, numSpecials: 0, totalSize: 0 };
}

/** Counts an entry under its type, not under `numFiles`. */
export function countType(counts: FlistCounts, mode: number, size: number): void {
  switch (mode & FileType.mask) {
    case FileType.regular: counts.totalSize += size; break;
    case FileType.directory: counts.numDirs++; break;
    case FileType.symlink:
      counts.numLinks++;
      counts.totalSize += size;
      break;
    case FileType.character:
    case FileType.block: counts.numDevices++; break;
    default: counts.numSpecials++;
  }
}
