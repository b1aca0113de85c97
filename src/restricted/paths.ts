/**
 * Paths that a client names, checked to end inside the restricted directory and given names that keep them there.
 * Upstream: support/rrsync:validated_arg, sender_pinned_arg.
 */
import { UsageError } from "../errors.ts";
import { expandPattern, type GlobTree } from "../files/glob.ts";
import { newStat } from "../posix/filesystem.ts";
import { type ArgumentKind, BASIS_DIRECTORIES, MADE_DIRECTORIES } from "./accepted.ts";
import { emptyDirectory, makeDirectory } from "./places.ts";
import { identity, type Root, splitPath } from "./root.ts";
import { type RestrictedSettings } from "./settings.ts";
import { hasWildcard, unescapeWord } from "./words.ts";

const TYPE = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;

/** Who asks for what: the side that the server plays, and whether --relative sends whole paths. */
export interface Request {
  readonly sender: boolean;
  readonly relative: boolean;
  /** This process, for names that nobody else uses. */
  readonly pid: number;
}

/** Checks one option's argument; what to give the server. Throws UsageError. */
export function checkOption(
  root: Root, settings: RestrictedSettings, request: Request, option: string, word: string, kind: ArgumentKind,
): string {
  const given = unescapeWord(word);
  if (kind === "word") {
    // A suffix, say, becomes part of a path all the same.
    refuseUpwards(root, given, option);
    return given;
  }
  if (option === "--files-from") {
    // The list comes over the connection.
    if (given === "-") return given;
    if (settings.writeOnly) throw new UsageError("a write-only server cannot read a remote --files-from path");
  }
  const path = tidy(given);
  refuseUpwards(root, path, option);
  if (root.isWhole || path === "." || (kind === "receiver-path" && request.sender)) return path;
  return pinOption(root, request, option, path, given);
}

/** Checks a path argument; the arguments that it stands for. Throws UsageError. */
export function checkArgument(root: Root, settings: RestrictedSettings, request: Request, word: string): string[] {
  const given = unescapeWord(word);
  const path = belowRoot(root, settings, tidySlashes(given)) ?? tidy(given);
  refuseUpwards(root, path, "arg");
  const found = hasWildcard(word) ? expandPattern(path, visibleTree(root, path)).sort() : [path];
  return found.map((one) => (root.isWhole || one === "." || one === "" ? one || "." : pinArgument(root, request, one)));
}

/** The path below the root that an absolute one stands for, with -absolute; else null. */
function belowRoot(root: Root, settings: RestrictedSettings, path: string): string | null {
  if (!settings.absolute || root.isWhole) return null;
  if (path === root.path) return ".";
  return path.startsWith(`${root.path}/`) ? path.slice(root.path.length + 1) : null;
}

function tidySlashes(path: string): string {
  return (path.startsWith("./") ? path.slice(1) : path).replaceAll(/\/{2,}/g, "/");
}

/** Absolute paths begin at the root. */
function tidy(path: string): string {
  return tidySlashes(path).replace(/^\/+/, "");
}

function refuseUpwards(root: Root, path: string, what: string): void {
  if (root.isWhole || !/(^|\/)\.\.(\/|$)/.test(path)) return;
  throw new UsageError(`do not use .. in ${what} (anchor the path at the root of your restricted dir)`);
}

/** What wild cards see: hidden names only where a pattern begins with a dot, as in a shell. */
function visibleTree({ fs }: Root, pattern: string): GlobTree {
  const { O, AT } = fs.constants;
  const hidden = /(^|\/)\.[^/]/.test(pattern);
  const stat = newStat();
  return {
    look(path) {
      if (fs.fstatat(AT.FDCWD, fs.cstr(path), stat, true) < 0
        && fs.fstatat(AT.FDCWD, fs.cstr(path), stat, false) < 0) return null;
      return (stat.mode & TYPE) === DIRECTORY ? "directory" : "other";
    },
    list(path) {
      const fd = fs.openat(AT.FDCWD, fs.cstr(path), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
      const names: string[] = [];
      if (fd < 0) return names;
      fs.readDir(fd, (ptr, length) => void names.push(fs.memory.readLatin1(ptr, length)));
      fs.close(fd);
      return hidden ? names : names.filter((name) => !name.startsWith("."));
    },
    isHidden: () => false,
  };
}

/** A path and the "/" or "/." behind it. */
function withoutEnd(path: string): { readonly bare: string; readonly end: string } {
  const end = /\/\.?$/.exec(path)?.[0] ?? "";
  return { bare: path.slice(0, path.length - end.length), end };
}

/** The real path, if that is inside. */
function realInside(root: Root, path: string, named: string): string {
  const real = root.realPath(path);
  if (!root.contains(real)) throw new UsageError(`unsafe arg: ${named} ['${path}', '${real}']`);
  return real;
}

/** Opens a real path for its contents; -errno. Never blocks, never follows a symlink. */
function openReal(root: Root, real: string): number {
  const { O } = root.fs.constants;
  return root.open(real, O.RDONLY | O.NOFOLLOW | O.NONBLOCK);
}

function pinOption(root: Root, request: Request, option: string, path: string, named: string): string {
  const { E } = root.fs.constants;
  const { bare, end } = withoutEnd(path);
  const real = realInside(root, bare, named);
  const fd = openReal(root, real);
  if (fd >= 0) return root.hold(fd, named) + end;
  if (fd !== -E.ENOENT) throw new UsageError(`post-realpath open failed (race detected): ${named}`);
  if (option === "--temp-dir") throw new UsageError(`receiver option path does not exist: ${named}`);
  const mode = MADE_DIRECTORIES.get(option);
  if (mode !== undefined) return makeDirectory(root, real, mode, named) + end;
  if (BASIS_DIRECTORIES.has(option)) return emptyDirectory(root, request.pid, named) + end;
  if (request.sender) throw new UsageError(`post-realpath open failed (race detected): ${named}`);
  return (newBelow(root, real, named) ?? bare) + end;
}

function pinArgument(root: Root, request: Request, path: string): string {
  const { bare, end } = withoutEnd(path);
  const real = realInside(root, bare, path);
  if (request.sender) return pinSource(root, request, bare, end, real) + end;
  const fd = openReal(root, real);
  if (fd >= 0) return root.hold(fd, path) + end;
  if (fd !== -root.fs.constants.E.ENOENT) {
    throw new UsageError(`post-realpath open failed (race detected): ${path} ${root.fs.strerror(-fd)}`);
  }
  return (newBelow(root, real, path) ?? bare) + end;
}

/** The name of something new in a directory that is held; null when that directory has to be made, too. */
function newBelow(root: Root, real: string, named: string): string | null {
  const { O } = root.fs.constants;
  const { dir, leaf } = splitPath(real);
  const fd = root.open(dir, O.RDONLY | O.NOFOLLOW | O.DIRECTORY);
  return fd < 0 ? null : `${root.hold(fd, named)}/${leaf}`;
}

/** A source, that the server stats and then opens: which of its directories has to be held depends on both. */
function pinSource(root: Root, request: Request, bare: string, end: string, real: string): string {
  if (end === "" && isSpecial(root, bare)) return sourceName(root, request, bare, end, null) ?? bare;
  const fd = openReal(root, real);
  if (fd < 0) {
    throw new UsageError(`post-realpath open failed (race detected): ${bare} ${root.fs.strerror(-fd)}`);
  }
  root.check(fd, bare);
  if (end !== "" && !request.relative) return root.hold(fd, bare);
  const name = sourceName(root, request, bare, end, fd);
  root.fs.close(fd);
  return name ?? bare;
}

/** Is it a symlink, a device or the like? A sender reads none of their contents. */
function isSpecial({ fs }: Root, path: string): boolean {
  const stat = newStat();
  if (fs.fstatat(fs.constants.AT.FDCWD, fs.cstr(path), stat, false) < 0) return false;
  return (stat.mode & TYPE) !== REGULAR && (stat.mode & TYPE) !== DIRECTORY;
}

/**
 * The source's name below a directory that is held: the one above it, or with --relative the one where the name that is
 * sent begins, which a /./ says. Null for the root itself.
 */
function sourceName(root: Root, { relative }: Request, bare: string, end: string, fd: number | null): string | null {
  const { dir, leaf } = relative ? sentPart(bare + end, bare) : splitPath(bare);
  if (leaf.startsWith("/") || (!relative && ["", ".", ".."].includes(leaf))) return null;
  const held = root.holdDirectory(dir, bare);
  const rest = leaf === "" ? "." : leaf;
  if (fd !== null && !isSame(root, held, rest, fd)) {
    throw new UsageError(`post-pin path changed (race?): ${bare} ${rest}`);
  }
  return `/proc/self/fd/${held}/${relative && rest !== "." ? "./" : ""}${rest}`;
}

function sentPart(full: string, bare: string): { readonly dir: string; readonly leaf: string } {
  const marker = full.indexOf("/./");
  if (marker < 0) return { dir: "", leaf: bare };
  return { dir: full.slice(0, marker), leaf: full.slice(marker + 3).replace(/\/+$/, "") };
}

/** Is a name below a held directory the file that was checked? */
function isSame(root: Root, held: number, name: string, fd: number): boolean {
  const found = newStat();
  if (root.fs.fstatat(held, root.fs.cstr(name), found, true) < 0) return false;
  return identity(found) === identity(root.stat(fd));
}
