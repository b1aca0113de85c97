/**
 * What travels with an ndx of 0 or more (labels `iflags`, `fnamecmp-type`, `xname`). Upstream
 * rsync.c:read_ndx_and_attrs, sender.c:write_ndx_and_attrs, generator.c:itemize.
 *
 * The ndx itself is read before (ndx.ts), because negative ones have no attributes. An xattr request may follow
 * (xattr.ts). Before protocol 29 nothing is sent and every item means "transfer this file".
 */
import type { Cursor, Writer } from "./cursor.ts";
import { FnamecmpType, ItemFlag, WireLimit } from "./constants.ts";
import { readVstring, writeVstring } from "./integers.ts";

/** Attributes of one item; one object is reused for a whole run. */
export interface NdxAttrs {
  /** ItemFlag bits. */
  iflags: number;
  /** FnamecmpType; `fname` when not sent. */
  fnamecmpType: number;
  /** Alternate name (one code unit per byte), null when not sent. It is the peer's: see sanitizeXname. */
  xname: string | null;
}

/** Attributes of a plain item: no flags, the file itself as basis. */
export function newNdxAttrs(): NdxAttrs {
  return { iflags: 0, fnamecmpType: FnamecmpType.fname, xname: null };
}

/**
 * Reads into `attrs`. Throws ProtocolError 2 (label `xname`) for a name of 4096 bytes or more. A fuzzy basis name is
 * a path below a basis directory, so it comes out sanitized; other names are for display and stay as sent.
 */
export function readNdxAttrs(cursor: Cursor, attrs: NdxAttrs, version: number): void {
  attrs.fnamecmpType = FnamecmpType.fname;
  attrs.xname = null;
  attrs.iflags = ItemFlag.transfer | ItemFlag.missingData;
  if (version < 29) return;
  const iflags = cursor.u16le();
  attrs.iflags = iflags;
  if (iflags & ItemFlag.basisTypeFollows) attrs.fnamecmpType = cursor.u8();
  if ((iflags & ItemFlag.xnameFollows) === 0) return;
  const xname = readVstring(cursor, WireLimit.path, "xname");
  attrs.xname = attrs.fnamecmpType >= FnamecmpType.fuzzy ? sanitizeXname(xname) : xname;
}

/** Writes nothing before protocol 29. Bits of `iflags` past 15 stay here. */
export function writeNdxAttrs(out: Writer, attrs: NdxAttrs, version: number): void {
  if (version < 29) return;
  out.u16le(attrs.iflags);
  if (attrs.iflags & ItemFlag.basisTypeFollows) out.u8(attrs.fnamecmpType);
  if (attrs.iflags & ItemFlag.xnameFollows) writeVstring(out, attrs.xname ?? "");
}

/**
 * Whether an item is protocol 29's keep-alive, an index just past the list with only `isNew` set; it is answered by
 * a keep-alive and otherwise ignored. `used`: rows of the file list.
 */
export function isKeepAliveItem(ndx: number, iflags: number, used: number, version: number): boolean {
  return version < 30 && ndx === used && iflags === ItemFlag.isNew;
}

/**
 * Makes a peer's name relative and free of "." and "..", so that joined to a directory it stays inside; "." when
 * nothing is left. A trailing slash stays. Upstream util1.c:sanitize_path with an empty root and depth 0. A NUL ends
 * the name, as in C.
 */
export function sanitizeXname(xname: string): string {
  const nul = xname.indexOf("\0");
  const path = nul < 0 ? xname : xname.slice(0, nul);
  const kept: string[] = [];
  const parts = path.split("/");
  for (const part of parts) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(part);
  }
  if (kept.length === 0) return ".";
  const last = parts[parts.length - 1];
  const slash = last === "" || last === "." || last === "..";
  return kept.join("/") + (slash ? "/" : "");
}
