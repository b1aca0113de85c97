/** The user and groups of a transfer: "uid" and "gid". Upstream clientserver.c: rsync_module, add_a_group. */
import { type FileSystem } from "../posix/filesystem.ts";
import { type System } from "../posix/system.ts";
import { splitList } from "./tokens.ts";

/** What root gives its rights up for when a module names nobody. */
const NOBODY = "nobody";
const NOBODY_GROUPS = ["nobody", "nogroup"];

/** Ids to take on; null leaves them as they are. */
export interface Identity {
  readonly uid: number | null;
  readonly gids: readonly number[];
}

/** A value that names nothing: the log's line, and what the client is told. */
export interface IdentityFault {
  readonly log: string;
  readonly answer: string;
}

/** What "uid" and "gid" ask for. */
export function identityOf(
  fs: FileSystem, system: System | null, uidText: string, gidText: string,
): Identity | IdentityFault {
  const own = system?.uid() ?? fs.euid;
  const name = uidText !== "" ? uidText : own === 0 ? NOBODY : "";
  const uid = name === "" ? null : idOf(name, (one) => fs.userId(one));
  if (uid !== null && uid < 0) return { log: `Invalid uid ${name}`, answer: `invalid uid ${name}` };
  const names = splitList(gidText);
  if (names.length === 0) return own === 0 ? nobodyGroup(fs, uid) : { uid, gids: [] };
  const gids: number[] = [];
  for (const [at, group] of names.entries()) {
    // "*" stands for all groups of the user, and only at the beginning.
    if (at === 0 && group === "*") {
      const all = system?.groupsOf(uid ?? own) ?? null;
      if (all === null) return { log: `getpwuid(${uid ?? own}) failed`, answer: "getpwuid failed" };
      gids.push(...all);
      continue;
    }
    const gid = idOf(group, (one) => fs.groupId(one));
    if (gid < 0) return { log: `Invalid gid ${group}`, answer: `invalid gid ${group}` };
    gids.push(gid);
  }
  return { uid, gids };
}

function nobodyGroup(fs: FileSystem, uid: number | null): Identity | IdentityFault {
  for (const name of NOBODY_GROUPS) {
    const gid = fs.groupId(name);
    if (gid >= 0) return { uid, gids: [gid] };
  }
  return { log: `Invalid gid ${NOBODY_GROUPS[0]}`, answer: `invalid gid ${NOBODY_GROUPS[0]}` };
}

/** A number, or the id of a name; -1 when there is none. */
export function idOf(text: string, look: (name: string) => number): number {
  if (!/^\d+$/.test(text)) return look(text);
  const id = Number(text);
  return id <= 0xffffffff ? id : -1;
}
