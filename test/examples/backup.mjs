/**
 * A backup that keeps whole trees of the past, in which what did not change takes no room: each is hard-linked to the
 * one before. Keeps the newest KEEP ones.
 * Usage: backup.mjs SOURCE BACKUPS [KEEP]
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { sync } from "wsync";

const [source, backups, keep = "7"] = process.argv.slice(2);
mkdirSync(backups, { recursive: true });
const snapshots = () => readdirSync(backups).filter((name) => /^\d{8}T\d{9}Z$/.test(name)).sort();

const last = snapshots().at(-1);
const name = new Date().toISOString().replace(/[-:.]/g, "");
const unfinished = join(backups, "unfinished");
const { stats } = await sync(`${source}/`, `${unfinished}/`, {
  archive: true, hardLinks: true, delete: true, numericIds: true,
  ...(last === undefined ? {} : { linkDest: `../${last}` }),
});
// Only whole snapshots have a date for a name.
renameSync(unfinished, join(backups, name));
console.log(`${name}: ${stats.transferredFiles} of ${stats.numFiles} files were new`);

for (const old of snapshots().slice(0, -Number(keep))) rmSync(join(backups, old), { recursive: true });
