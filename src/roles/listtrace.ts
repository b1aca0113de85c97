/** What --debug=flist tells of lists. Upstream flist.c: send_file_list, recv_file_list, output_flist. */
import { type FileList } from "../flist/filelist.ts";
import { rowDepth } from "../flist/nameorder.ts";
import { FileFlag } from "../protocol/constants.ts";
import { type Session } from "../session/session.ts";

/** Level 3: every row of a list. `rootOf` gives the sender's directory that a row's name starts from. */
export function showList(
  session: Session, who: string, list: FileList, rootOf: ((list: FileList, row: number) => string | null) | null,
): void {
  const { log } = session;
  const { ndxStart, used, low, high } = list;
  log.infoLine(`[${who}] flist start=${ndxStart}, used=${used}, low=${low}, high=${high}\n`);
  for (let row = 0; row < used; row++) log.infoLine(`[${who}] ${rowText(session, list, row, rootOf)}\n`);
}

function rowText(
  { options, amRoot, amSender }: Session, list: FileList, row: number,
  rootOf: ((list: FileList, row: number) => string | null) | null,
): string {
  const skips = (list.flags[row] & FileFlag.skipGroup) !== 0;
  const uid = (amRoot || amSender) && options.preserveUid ? ` uid=${list.uid[row]}` : "";
  const gid = options.preserveGid ? ` gid=${skips ? `(${list.gid[row]})` : list.gid[row]}` : "";
  const depth = rootOf === null ? `${rowDepth(list, row)}` : (rootOf(list, row) ?? "(NULL)");
  const name = list.isActive(row) ? `${depth} ${list.path(row)}${list.isDir(row) ? "/" : ""}` : " ";
  const size = list.size[row].toLocaleString("en-US");
  const mode = `0${list.mode[row].toString(8)}`;
  return `i=${row + list.ndxStart} ${name} mode=${mode} len=${size}${uid}${gid} flags=${list.flags[row].toString(16)}`;
}

/** Level 3: there are no more lists to come. */
export function showListsEnd(session: Session, who: string): void {
  if (session.log.debug("FLIST", 3)) session.log.infoLine(`[${who}] flist_eof=1\n`);
}

/** --debug=hlink: one row is a hard link to another, of the same list or of an earlier one. */
export function linkText(ndx: number, first: number, here: boolean): string {
  return `#${ndx} hard-links #${first} (${here ? "" : "un"}abbrev)`;
}
