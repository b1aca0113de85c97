/**
 * Numbers of the operating system: open flags, at-flags, errno values and their wording.
 *
 * One record an operating system; where a processor differs (Linux on arm64 has other O_DIRECTORY and O_NOFOLLOW), a
 * small record overrides. Sources: Linux include/uapi/asm-generic/{fcntl,errno,errno-base}.h and
 * arch/arm64/include/uapi/asm/fcntl.h; Darwin sys/fcntl.h and sys/errno.h.
 */
import { type Host } from "../host.ts";
import { type PosixConstants } from "./filesystem.ts";

type Flags = PosixConstants["O"];

const LINUX_O: Flags = {
  RDONLY: 0, WRONLY: 1, RDWR: 2, CREAT: 0o100, EXCL: 0o200, TRUNC: 0o1000, APPEND: 0o2000, NONBLOCK: 0o4000,
  DIRECTORY: 0o200000, NOFOLLOW: 0o400000, NOATIME: 0o1000000, CLOEXEC: 0o2000000, PATH: 0o10000000,
  TMPFILE: 0o20200000,
};

const LINUX_ARM64_O: Flags = {
  ...LINUX_O, DIRECTORY: 0o40000, NOFOLLOW: 0o100000, TMPFILE: 0o20040000,
};

/** Flags that Darwin lacks are 0, which leaves an open call without that property. */
const DARWIN_O: Flags = {
  RDONLY: 0, WRONLY: 1, RDWR: 2, CREAT: 0x200, EXCL: 0x800, TRUNC: 0x400, APPEND: 0x8, NONBLOCK: 0x4,
  DIRECTORY: 0x100000, NOFOLLOW: 0x100, NOATIME: 0, CLOEXEC: 0x1000000, PATH: 0, TMPFILE: 0,
};

const LINUX_AT = {
  FDCWD: -100, SYMLINK_NOFOLLOW: 0x100, REMOVEDIR: 0x200, SYMLINK_FOLLOW: 0x400, EMPTY_PATH: 0x1000,
} as const;

const DARWIN_AT = {
  FDCWD: -2, SYMLINK_NOFOLLOW: 0x20, REMOVEDIR: 0x80, SYMLINK_FOLLOW: 0x40, EMPTY_PATH: 0,
} as const;

/** errno name → [Linux number, Darwin number, wording]. A zero says the system has no such number. */
const ERRORS: Readonly<Record<string, readonly [number, number, string]>> = {
  EPERM: [1, 1, "Operation not permitted"],
  ENOENT: [2, 2, "No such file or directory"],
  ESRCH: [3, 3, "No such process"],
  EINTR: [4, 4, "Interrupted system call"],
  EIO: [5, 5, "Input/output error"],
  ENXIO: [6, 6, "No such device or address"],
  E2BIG: [7, 7, "Argument list too long"],
  ENOEXEC: [8, 8, "Exec format error"],
  EBADF: [9, 9, "Bad file descriptor"],
  ECHILD: [10, 10, "No child processes"],
  EAGAIN: [11, 35, "Resource temporarily unavailable"],
  ENOMEM: [12, 12, "Cannot allocate memory"],
  EACCES: [13, 13, "Permission denied"],
  EFAULT: [14, 14, "Bad address"],
  ENOTBLK: [15, 15, "Block device required"],
  EBUSY: [16, 16, "Device or resource busy"],
  EEXIST: [17, 17, "File exists"],
  EXDEV: [18, 18, "Invalid cross-device link"],
  ENODEV: [19, 19, "No such device"],
  ENOTDIR: [20, 20, "Not a directory"],
  EISDIR: [21, 21, "Is a directory"],
  EINVAL: [22, 22, "Invalid argument"],
  ENFILE: [23, 23, "Too many open files in system"],
  EMFILE: [24, 24, "Too many open files"],
  ENOTTY: [25, 25, "Inappropriate ioctl for device"],
  ETXTBSY: [26, 26, "Text file busy"],
  EFBIG: [27, 27, "File too large"],
  ENOSPC: [28, 28, "No space left on device"],
  ESPIPE: [29, 29, "Illegal seek"],
  EROFS: [30, 30, "Read-only file system"],
  EMLINK: [31, 31, "Too many links"],
  EPIPE: [32, 32, "Broken pipe"],
  EDOM: [33, 33, "Numerical argument out of domain"],
  ERANGE: [34, 34, "Numerical result out of range"],
  EDEADLK: [35, 11, "Resource deadlock avoided"],
  ENAMETOOLONG: [36, 63, "File name too long"],
  ENOLCK: [37, 77, "No locks available"],
  ENOSYS: [38, 78, "Function not implemented"],
  ENOTEMPTY: [39, 66, "Directory not empty"],
  ELOOP: [40, 62, "Too many levels of symbolic links"],
  ENODATA: [61, 96, "No data available"],
  EOVERFLOW: [75, 84, "Value too large for defined data type"],
  EILSEQ: [84, 92, "Invalid or incomplete multibyte or wide character"],
  EUSERS: [87, 68, "Too many users"],
  ENOTSOCK: [88, 38, "Socket operation on non-socket"],
  EDESTADDRREQ: [89, 39, "Destination address required"],
  EMSGSIZE: [90, 40, "Message too long"],
  ENOPROTOOPT: [92, 42, "Protocol not available"],
  EPROTONOSUPPORT: [93, 43, "Protocol not supported"],
  EOPNOTSUPP: [95, 102, "Operation not supported"],
  ENOTSUP: [95, 45, "Operation not supported"],
  EAFNOSUPPORT: [97, 47, "Address family not supported by protocol"],
  EADDRINUSE: [98, 48, "Address already in use"],
  EADDRNOTAVAIL: [99, 49, "Cannot assign requested address"],
  ENETDOWN: [100, 50, "Network is down"],
  ENETUNREACH: [101, 51, "Network is unreachable"],
  ECONNABORTED: [103, 53, "Software caused connection abort"],
  ECONNRESET: [104, 54, "Connection reset by peer"],
  ENOBUFS: [105, 55, "No buffer space available"],
  EISCONN: [106, 56, "Transport endpoint is already connected"],
  ENOTCONN: [107, 57, "Transport endpoint is not connected"],
  ETIMEDOUT: [110, 60, "Connection timed out"],
  ECONNREFUSED: [111, 61, "Connection refused"],
  EHOSTDOWN: [112, 64, "Host is down"],
  EHOSTUNREACH: [113, 65, "No route to host"],
  EALREADY: [114, 37, "Operation already in progress"],
  EINPROGRESS: [115, 36, "Operation now in progress"],
  ESTALE: [116, 70, "Stale file handle"],
  EDQUOT: [122, 69, "Disk quota exceeded"],
  ECANCELED: [125, 89, "Operation canceled"],
  ENOKEY: [126, 0, "Required key not available"],
};

/** Values that the kernel interface fixes on every system wsync calls libc on. */
export const Sys = {
  /** access(2): may it be read, may it be written? */
  R_OK: 4,
  W_OK: 2,
  /** utimensat: leave this time alone; set it to now. */
  UTIME_OMIT: 0x3ffffffe,
  UTIME_NOW: 0x3fffffff,
  /** ioctl(to, FICLONE, from): share all extents. */
  FICLONE: 0x40049409,
  /** syscall(2) numbers of calls that libc has no function for, the same on x64 and arm64. */
  SYS_openat2: 437,
  SYS_setxattrat: 463,
  SYS_getxattrat: 464,
  SYS_listxattrat: 465,
  SYS_removexattrat: 466,
} as const;

/** Flags, at-flags and errno numbers of the host's system and processor. */
export function constantsFor(os: Host["os"], arch: Host["arch"]): PosixConstants {
  const darwin = os === "darwin";
  const E: Record<string, number> = {};
  for (const [name, numbers] of Object.entries(ERRORS)) {
    const number = numbers[darwin ? 1 : 0];
    if (number !== 0) E[name] = number;
  }
  if (darwin) return { O: DARWIN_O, AT: DARWIN_AT, E };
  return { O: arch === "arm64" ? LINUX_ARM64_O : LINUX_O, AT: LINUX_AT, E };
}

/** A function from errno number to the wording that C's strerror gives on Linux, which rsync's messages carry. */
export function strerrorFor(os: Host["os"]): (errno: number) => string {
  const column = os === "darwin" ? 1 : 0;
  const texts = new Map<number, string>([[0, "Success"]]);
  for (const row of Object.values(ERRORS)) {
    if (row[column] !== 0 && !texts.has(row[column])) texts.set(row[column], row[2]);
  }
  return (errno) => texts.get(errno) ?? `Unknown error ${errno}`;
}
