/**
 * Counters at the end of a run. Upstream main.c:handle_stats (label `end-stats`), read_del_stats and write_del_stats
 * (label `delete-stats`), which follow an ndx of Ndx.delStats.
 */
import { WireLimit } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";
import { readVarintBounded, readVarlong30, writeVarint, writeVarlong30 } from "./integers.ts";

/** What the server's sender tells its client. "Read" and "written" are the sender's: a receiver swaps them. */
export interface EndStats {
  /** Bytes the sender read from and wrote to the connection. */
  totalRead: number;
  totalWritten: number;
  /** Bytes of all files in the list. */
  totalSize: number;
  /** Milliseconds; 0 before protocol 29, which does not send them. */
  flistBuildTimeMs: number;
  flistXferTimeMs: number;
}

/** Entries deleted by kind. Upstream's stats.deleted_files is the sum of all five. */
export interface DeleteStats {
  files: number;
  dirs: number;
  symlinks: number;
  devices: number;
  specials: number;
}

/** Label `end-stats`: three or (protocol 29 on) five varlong30 of at least 3 bytes. */
export function readEndStats(cursor: Cursor, version: number): EndStats {
  return {
    totalRead: readVarlong30(cursor, 3, version),
    totalWritten: readVarlong30(cursor, 3, version),
    totalSize: readVarlong30(cursor, 3, version),
    flistBuildTimeMs: version >= 29 ? readVarlong30(cursor, 3, version) : 0,
    flistXferTimeMs: version >= 29 ? readVarlong30(cursor, 3, version) : 0,
  };
}

/** Upstream main.c:handle_stats, server sender. */
export function writeEndStats(out: Writer, stats: EndStats, version: number): void {
  writeVarlong30(out, stats.totalRead, 3, version);
  writeVarlong30(out, stats.totalWritten, 3, version);
  writeVarlong30(out, stats.totalSize, 3, version);
  if (version < 29) return;
  writeVarlong30(out, stats.flistBuildTimeMs, 3, version);
  writeVarlong30(out, stats.flistXferTimeMs, 3, version);
}

/** Label `delete-stats`: five varints of 0 to 2^28 (upstream MAX_WIRE_DEL_STAT), so that their sum fits 32 bits. */
export function readDeleteStats(cursor: Cursor): DeleteStats {
  return {
    files: readDeleteCount(cursor, "deleted_files"),
    dirs: readDeleteCount(cursor, "deleted_dirs"),
    symlinks: readDeleteCount(cursor, "deleted_symlinks"),
    devices: readDeleteCount(cursor, "deleted_devices"),
    specials: readDeleteCount(cursor, "deleted_specials"),
  };
}

/** Upstream main.c:write_del_stats without the ndx. */
export function writeDeleteStats(out: Writer, stats: DeleteStats): void {
  writeVarint(out, stats.files);
  writeVarint(out, stats.dirs);
  writeVarint(out, stats.symlinks);
  writeVarint(out, stats.devices);
  writeVarint(out, stats.specials);
}

function readDeleteCount(cursor: Cursor, what: string): number {
  return readVarintBounded(cursor, 0, WireLimit.deleteCount, "delete-stats", what);
}
