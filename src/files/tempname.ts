/**
 * Names of files under construction: `.NAME.XXXXXX` beside the target, `NAME.XXXXXX` in a --temp-dir. A name that
 * leaves no room is cut, and never inside a multi-byte character. Upstream receiver.c:get_tmpname, open_tmpfile.
 */
import { newStat } from "../posix/filesystem.ts";
import { type Confined, type Place } from "./confine.ts";
import { INITIAL_ACCESS_PERMS, S_IWUSR } from "./perms.ts";
import { PATH_MAX } from "./walk.ts";

const NAME_MAX = 255;
const SUFFIX_LENGTH = 7;
/** Random letters of a temporary name. */
export const RANDOM_LENGTH = 6;
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const MAX_TRIES = 100;
const POOL_BYTES = 3072;
const SLASH = "/";

/**
 * The path before its suffix (".XXXXXX" or ".NNN" follows), or null when the path is too long. `tempDir` null: beside
 * the target.
 */
export function tempStem(path: string, tempDir: string | null): string | null {
  const slash = path.lastIndexOf(SLASH);
  let name = path.slice(slash + 1);
  let prefix = tempDir === null ? path.slice(0, slash + 1) : `${tempDir}/`;
  if (tempDir === null) {
    if (name.startsWith(".")) name = name.slice(1);
    prefix += ".";
  }
  // Upstream counts a terminating NUL into the room and keeps one byte for the leading dot.
  const room = Math.min(PATH_MAX - prefix.length - SUFFIX_LENGTH, NAME_MAX - 1 - SUFFIX_LENGTH);
  if (room < 0) return null;
  if (room === 0) return prefix.slice(0, -1);
  let kept = Math.min(name.length, room - 1);
  if (kept < name.length && name.charCodeAt(kept) & 0x80) {
    while (kept > 0 && name.charCodeAt(kept - 1) & 0x80) kept--;
  }
  const stem = prefix + name.slice(0, kept);
  return stem.endsWith(".") ? stem.slice(0, -1) : stem;
}

/** Fills a buffer with random bytes: Host.random. */
export type RandomBytes = (bytes: Uint8Array) => void;

/** Draws a block of random bytes at a time: asking the system for six a file costs more than making the file. */
export function pooledRandom(random: RandomBytes): RandomBytes {
  const pool = new Uint8Array(POOL_BYTES);
  let left = 0;
  return (bytes) => {
    if (bytes.length > POOL_BYTES) return random(bytes);
    if (bytes.length > left) {
      random(pool);
      left = POOL_BYTES;
    }
    for (let i = 0; i < bytes.length; i++) bytes[i] = pool[--left];
  };
}

/** A temporary file that was made: its descriptor (read and write) and path, or the errno and the path tried. */
export interface TempFile {
  readonly fd: number;
  readonly path: string;
}

/**
 * Creates the temporary file for `path`: exclusively, with at most owner permissions of `mode`. `fd` is -errno on
 * failure (-ENAMETOOLONG when there is no room for the name). Upstream open_tmpfile, do_mkstemp_atfd.
 */
export function openTemp(place: Place, tempDir: Place | null, mode: number, random: RandomBytes): TempFile {
  const { fs } = place.root;
  const { O, E } = fs.constants;
  const root: Confined = tempDir ? tempDir.root : place.root;
  const stem = tempStem(place.path, tempDir ? tempDir.path : null);
  // A temp-dir may lie anywhere, but not on the way up. Upstream syscall.c:secure_mkstemp.
  if (tempDir && (stem?.startsWith("../") || stem?.includes("/../"))) {
    return { fd: -E.EINVAL, path: `${stem}.XXXXXX` };
  }
  if (stem === null) return { fd: -E.ENAMETOOLONG, path: place.path };
  const permissions = (mode & INITIAL_ACCESS_PERMS) | S_IWUSR;
  const bytes = new Uint8Array(RANDOM_LENGTH);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    random(bytes);
    const path = `${stem}.${lettersOf(bytes)}`;
    const fd = root.open(path, O.RDWR | O.CREAT | O.EXCL, permissions);
    if (fd >= 0) return { fd, path };
    if (fd !== -E.EEXIST) return { fd, path: `${stem}.XXXXXX` };
  }
  return { fd: -E.EEXIST, path: `${stem}.XXXXXX` };
}

/**
 * A free name beside `path` for an item that is made whole and renamed into place (symlink, device, hard link), or
 * null. `seed`: a number that differs between processes, such as the process id. Upstream get_tmpname, make_unique.
 */
export function uniqueName(root: Confined, path: string, seed: number): string | null {
  const stem = tempStem(path, null);
  if (stem === null) return null;
  const stat = newStat();
  const start = seed % 1000000;
  for (let i = 0; i < MAX_TRIES; i++) {
    const candidate = `${stem}.${start + i}`;
    if (root.lstat(candidate, stat) < 0) return candidate;
  }
  return null;
}

/**
 * Writes the temporary name for the basename of `byteLength` bytes at `name`, NUL-terminated, to `at` of the same
 * memory: as `openTemp` makes it beside the target for names that are not too long. `bytes`: room for RANDOM_LENGTH.
 */
export function putTempName(
  u8: Uint8Array, at: number, name: number, byteLength: number, random: RandomBytes, bytes: Uint8Array,
): void {
  const DOT = 0x2e;
  let to = at;
  u8[to++] = DOT;
  for (let i = u8[name] === DOT ? 1 : 0; i < byteLength; i++) u8[to++] = u8[name + i];
  if (u8[to - 1] !== DOT) u8[to++] = DOT;
  random(bytes);
  for (let i = 0; i < RANDOM_LENGTH; i++) u8[to++] = LETTERS.charCodeAt(bytes[i] % LETTERS.length);
  u8[to] = 0;
}

function lettersOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += LETTERS[byte % LETTERS.length];
  return text;
}
