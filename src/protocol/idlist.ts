/**
 * Lists of user and group names behind a file list (upstream uidlist.c: send_one_list, recv_id_list).
 *
 * Without incremental recursion the ids of a whole list are explained after it: pairs of `idlist-id` and
 * `idlist-name`, ended by id 0, which carries a name of its own when both ends agreed on it (id0Names). Users come
 * first; each list travels only when the option that keeps those ids was given.
 */
import { latin1 } from "../memory.ts";
import type { ProtocolContext } from "./context.ts";
import type { Cursor, Writer } from "./cursor.ts";
import { readVarint30, writeVarint30 } from "./integers.ts";

/** An id with the name that the sender's system knows it by; "" for none. */
export interface IdName {
  id: number;
  name: string;
}

/**
 * Reads one pair into `pair`. Returns false at the end of the list, when `pair.id` is 0 and `pair.name` is the name of
 * id 0 if such names are sent ("" otherwise). Throws NEED_MORE.
 */
export function readIdName(cursor: Cursor, context: ProtocolContext, pair: IdName): boolean {
  const id = readVarint30(cursor, context.version) >>> 0;
  const named = id !== 0 || context.id0Names;
  const bytes = named ? cursor.take(cursor.u8()) : null;
  pair.id = id;
  pair.name = bytes === null ? "" : latin1(bytes, 0, bytes.length);
  return id !== 0;
}

/** Writes a list. Pairs with id 0 or without a name are left out. `rootName`: name of id 0, sent with id0Names. */
export function writeIdList(out: Writer, context: ProtocolContext, pairs: Iterable<IdName>, rootName: string): void {
  for (const { id, name } of pairs) if (id !== 0 && name !== "") writePair(out, context, id, name);
  if (context.id0Names) writePair(out, context, 0, rootName);
  else writeVarint30(out, 0, context.version);
}

function writePair(out: Writer, context: ProtocolContext, id: number, name: string): void {
  const cut = name.slice(0, 255);
  writeVarint30(out, id, context.version);
  out.u8(cut.length);
  out.latin1(cut);
}
