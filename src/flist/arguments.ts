/**
 * How a source argument is split into the directory to start from and the path to send (upstream flist.c:
 * send_file_list, the text part).
 */
import { ExitCode, UsageError } from "../errors.ts";
import { cleanName } from "../filter/paths.ts";

/**
 * How an argument ended: as a plain name, in a slash, as "." (the contents), naming nothing that exists, or marked as
 * standing for itself alone.
 */
export type NameKind = "normal" | "slash" | "dotdir" | "missing" | "solo";

/**
 * Put behind an argument by this program itself (a word of a command line has no NUL): a directory is sent as an entry,
 * without what is in it and without deletions there, whatever --recursive says.
 */
export const SOLO_MARK = "\0";

/** A source argument in parts. */
export interface SourceArgument {
  /** Directory that `path` is relative to; null: the working directory. */
  readonly dir: string | null;
  readonly path: string;
  readonly kind: NameKind;
  /** --relative with a leading "./": the root itself is sent too. */
  readonly leadingDot: boolean;
}

/** Splits an argument. Throws UsageError for a ".." in the part that --relative sends. */
export function parseArgument(arg: string, relative: boolean): SourceArgument {
  if (arg.endsWith(SOLO_MARK)) return { ...parseArgument(arg.slice(0, -SOLO_MARK.length), relative), kind: "solo" };
  return relative ? parseRelative(arg) : parsePlain(arg);
}

/** Without --relative all but the last element is where to start. */
function parsePlain(arg: string): SourceArgument {
  let text = arg;
  let kind: NameKind = "normal";
  if (text === "" || text.endsWith("/")) {
    text = text === "./" ? "." : text + ".";
    kind = "dotdir";
  } else if (text === ".." || text.endsWith("/..")) {
    text += "/.";
    kind = "dotdir";
  } else if (text === "." || text.endsWith("/.")) {
    kind = "dotdir";
  }
  const slash = text.lastIndexOf("/");
  if (slash < 0) return { dir: null, path: text, kind, leadingDot: false };
  const dir = slash === 0 ? "/" : text.slice(0, slash);
  const path = text.slice(slash + 1);
  return path === "" ? { dir, path: ".", kind: "dotdir", leadingDot: false } : { dir, path, kind, leadingDot: false };
}

/** With --relative the whole path is sent, or what follows "/./". */
function parseRelative(arg: string): SourceArgument {
  let dir: string | null = null;
  let name = arg;
  const mark = arg.indexOf("/./");
  if (mark >= 0) {
    dir = mark === 0 ? "/" : cleanName(arg.slice(0, mark));
    name = arg.slice(mark + 3).replace(/^\/+/, "");
  }
  const leadingDot = /^\.\/./.test(name);
  const { path, kind } = finishRelative(name);
  if (path.split("/").includes("..")) {
    throw new UsageError(`found ".." dir in relative path: ${path}`, ExitCode.syntax);
  }
  return { dir, path, kind, leadingDot };
}

/** Cleans the sent part and finds its kind. */
function finishRelative(name: string): { path: string; kind: NameKind } {
  const path = name === "" ? "." : cleanName(name, { keepTrailingSlash: true, dropTrailingDotDir: true })!;
  if (path === "/") return { path: "/.", kind: "dotdir" };
  if (path === ".") return { path, kind: "dotdir" };
  if (!path.endsWith("/")) return { path, kind: "normal" };
  const bare = path.slice(0, -1);
  return { path: bare, kind: bare === "." ? "dotdir" : "slash" };
}
