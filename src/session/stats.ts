/**
 * Counters of one run, as --stats prints them and as the sender reports them at the end.
 * Upstream rsync.h, struct stats. Byte counts are exact up to 2^53.
 */
export interface Stats {
  totalSize: number;
  totalTransferredSize: number;
  totalWritten: number;
  totalRead: number;
  literalData: number;
  matchedData: number;
  /** Milliseconds. */
  flistBuildTime: number;
  /** Milliseconds. */
  flistTransferTime: number;
  flistSize: number;
  numFiles: number;
  numDirs: number;
  numSymlinks: number;
  numDevices: number;
  numSpecials: number;
  createdFiles: number;
  createdDirs: number;
  createdSymlinks: number;
  createdDevices: number;
  createdSpecials: number;
  deletedFiles: number;
  deletedDirs: number;
  deletedSymlinks: number;
  deletedDevices: number;
  deletedSpecials: number;
  transferredFiles: number;
}

/** All counters at zero. */
export function newStats(): Stats {
  return {
    totalSize: 0, totalTransferredSize: 0, totalWritten: 0, totalRead: 0, literalData: 0, matchedData: 0,
    flistBuildTime: 0, flistTransferTime: 0, flistSize: 0,
    numFiles: 0, numDirs: 0, numSymlinks: 0, numDevices: 0, numSpecials: 0,
    createdFiles: 0, createdDirs: 0, createdSymlinks: 0, createdDevices: 0, createdSpecials: 0,
    deletedFiles: 0, deletedDirs: 0, deletedSymlinks: 0, deletedDevices: 0, deletedSpecials: 0,
    transferredFiles: 0,
  };
}
