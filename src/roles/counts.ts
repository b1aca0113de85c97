/** Counting of created and deleted items by type, on whichever side learns of them. */
import { type Stats } from "../session/stats.ts";
import { type DeleteStats } from "../protocol/stats.ts";
import { isDevice, isDirectory, isRegular, isSymlink } from "../files/perms.ts";

/** Counts one created item; upstream sender.c and receiver.c, where ITEM_IS_NEW arrives. */
export function countCreated(stats: Stats, mode: number): void {
  stats.createdFiles++;
  if (isRegular(mode)) return;
  if (isDirectory(mode)) stats.createdDirs++;
  else if (isSymlink(mode)) stats.createdSymlinks++;
  else if (isDevice(mode)) stats.createdDevices++;
  else stats.createdSpecials++;
}

/** Takes over the counts the other side reported; upstream main.c:read_del_stats. */
export function noteDeleteStats(stats: Stats, counts: DeleteStats): void {
  stats.deletedDirs = counts.dirs;
  stats.deletedSymlinks = counts.symlinks;
  stats.deletedDevices = counts.devices;
  stats.deletedSpecials = counts.specials;
  stats.deletedFiles = counts.files + counts.dirs + counts.symlinks + counts.devices + counts.specials;
}

/** This side's counts as they are sent; upstream main.c:write_del_stats. */
export function deleteStatsOf(stats: Stats): DeleteStats {
  const { deletedDirs: dirs, deletedSymlinks: symlinks, deletedDevices: devices, deletedSpecials: specials } = stats;
  return { files: stats.deletedFiles - dirs - symlinks - devices - specials, dirs, symlinks, devices, specials };
}
