/**
 * What is watched, and how its paths become names at the destination. A key is a path below the destination: what the
 * file list calls it. Several sources may share keys; then the first one that has a name wins, as in any transfer.
 */
import { UsageError } from "../errors.ts";
import { cleanName } from "../filter/paths.ts";
import { parseArgument } from "../flist/arguments.ts";
import { SOLO_MARK } from "../flist/arguments.ts";
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";

const MODE_TYPE = 0o170000;
const MODE_DIRECTORY = 0o040000;

/** One source argument. */
export interface Source {
  readonly index: number;
  /** As it was given. */
  readonly word: string;
  /** Absolute directory that names start from. */
  readonly base: string;
  /** Key of the source itself; "" when its contents go into the destination. */
  readonly key: string;
  /** Absolute path of the watched directory: of the source, or of what holds it when it is no directory. */
  readonly root: string;
  readonly isDir: boolean;
}

/** Parses the source words. Throws UsageError for one that does not exist. */
export function parseSources(
  fs: FileSystem, words: readonly string[], cwd: string, relative: boolean,
): Source[] {
  return words.map((word, index) => {
    const { dir, path, kind } = parseArgument(word, relative);
    const base = absolute(dir ?? ".", cwd);
    const key = path === "." ? "" : path;
    const full = key === "" ? base : join(base, key);
    const stat = newStat();
    const result = fs.fstatat(fs.constants.AT.FDCWD, fs.cstr(full), stat, kind !== "normal");
    if (result < 0) throw new UsageError(`cannot watch ${word}: ${fs.strerror(-result)}`);
    const isDir = isDirectory(stat);
    const root = isDir ? full : full.slice(0, Math.max(1, full.lastIndexOf("/")));
    return { index, word, base, key, root, isDir };
  });
}

/** Absolute path of a key in a source. */
export function pathOfKey({ base }: Source, key: string): string {
  return key === "" ? base : join(base, key);
}

/** Does a source hold the names of a key? */
export function covers(source: Source, key: string): boolean {
  if (source.key === key) return true;
  return source.isDir && (source.key === "" || key.startsWith(`${source.key}/`));
}

/** The argument that sends a key. `solo`: by itself, without what is in it. */
export function argumentOf({ base }: Source, key: string, solo: boolean): string {
  const name = `${base === "/" ? "" : base}/./${key === "" ? "." : key}`;
  return solo ? name + SOLO_MARK : name;
}

/** A path below a directory. */
export function join(dir: string, name: string): string {
  return dir.endsWith("/") ? dir + name : `${dir}/${name}`;
}

/** Is it a directory? */
export function isDirectory({ mode }: StatRecord): boolean {
  return (mode & MODE_TYPE) === MODE_DIRECTORY;
}

function absolute(path: string, cwd: string): string {
  return cleanName(path.startsWith("/") ? path : `${cwd}/${path}`, { dropTrailingDotDir: true }) ?? "/";
}
