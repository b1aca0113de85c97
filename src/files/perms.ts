/**
 * File types and permission bits, and the rules for the permissions of a file that did not ask to keep the source's.
 * Upstream rsync.c:dest_mode and the S_IS* macros.
 */

/** The bits of a mode that tell the file type. */
export const S_IFMT = 0o170000;
/** A regular file. */
export const S_IFREG = 0o100000;
/** A directory. */
export const S_IFDIR = 0o040000;
/** A symbolic link. */
export const S_IFLNK = 0o120000;
/** A block device. */
export const S_IFBLK = 0o060000;
/** A character device. */
export const S_IFCHR = 0o020000;
/** A fifo. */
export const S_IFIFO = 0o010000;
/** A socket. */
export const S_IFSOCK = 0o140000;
/** Set-user-id: changes who runs the file. chown clears it. */
export const S_ISUID = 0o4000;
/** Set-group-id; on a directory, new entries get its group and new directories the bit. */
export const S_ISGID = 0o2000;
/** Sticky: in such a directory, only an owner may remove a name. */
export const S_ISVTX = 0o1000;
/** The owner may read. */
export const S_IRUSR = 0o400;
/** The owner may write. */
export const S_IWUSR = 0o200;
/** The owner may do everything. */
export const S_IRWXU = 0o700;
/** Every bit that chmod can set. */
export const CHMOD_BITS = 0o7777;
/** Permissions asked for when a directory is made for a path; the umask applies. */
export const ACCESS_PERMS = 0o777;
/** Permissions that a file under construction may have. */
export const INITIAL_ACCESS_PERMS = 0o700;

/** A regular file. */
export function isRegular(mode: number): boolean {
  return (mode & S_IFMT) === S_IFREG;
}

/** A directory. */
export function isDirectory(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

/** A symbolic link. */
export function isSymlink(mode: number): boolean {
  return (mode & S_IFMT) === S_IFLNK;
}

/** A block or character device. */
export function isDevice(mode: number): boolean {
  const type = mode & S_IFMT;
  return type === S_IFBLK || type === S_IFCHR;
}

/** A fifo. */
export function isFifo(mode: number): boolean {
  return (mode & S_IFMT) === S_IFIFO;
}

/** A fifo or a socket. */
export function isSpecial(mode: number): boolean {
  const type = mode & S_IFMT;
  return type === S_IFIFO || type === S_IFSOCK;
}

/**
 * The mode to give a file when permissions are not preserved. `listMode` is the sender's, `statMode` that of the file
 * that is there (`exists`), `defaultPerms` what the directory grants new files: 0777 less the umask, without ACLs.
 */
export function destMode(
  listMode: number, statMode: number, defaultPerms: number, exists: boolean, executability: boolean,
): number {
  if (!exists) return listMode & (~CHMOD_BITS | defaultPerms);
  let mode = (listMode & ~CHMOD_BITS) | (statMode & CHMOD_BITS);
  if (executability && isRegular(listMode)) {
    // Execute rights follow the source, but only as far as read rights go, and never on a file that has some already.
    if (!(listMode & 0o111)) mode &= ~0o111;
    else if (!(statMode & 0o111)) mode |= (mode & 0o444) >> 2;
  }
  return mode;
}
