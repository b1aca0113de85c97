/**
 * The table of C library functions: name, argument types, result type.
 *
 * Results of type ssize_t are declared `i32`: every caller asks for at most MAX_IO bytes, and a 32-bit result costs no
 * BigInt on any runtime. Offsets and lengths are numbers within ±2^53.
 */
import { type FfiSignature, type FfiType } from "../host.ts";

/** The most bytes one read, write or copy call is asked for, so that the count fits the declared result. */
export const MAX_IO = 1 << 30;

function signature(args: readonly FfiType[], variadicFrom?: number): FfiSignature {
  return { args, result: "i32", variadicFrom };
}

/** Signatures of all functions that src/posix and the runtimes call. */
export const LIBC_TABLE = {
  openat: signature(["i32", "ptr", "i32", "u32"], 3),
  /** syscall(number, six words): openat2 and the xattrat calls have no wrapper in libc. Addresses fit an i64, too. */
  syscall: signature(["i64", "i64", "ptr", "ptr", "i64", "i64", "i64"], 1),
  close: signature(["i32"]),
  fstatat: signature(["i32", "ptr", "ptr", "i32"]),
  fstat: signature(["i32", "ptr"]),
  faccessat: signature(["i32", "ptr", "i32", "i32"]),
  getdents64: signature(["i32", "ptr", "u64"]),
  read: signature(["i32", "ptr", "u64"]),
  readv: signature(["i32", "ptr", "i32"]),
  pread: signature(["i32", "ptr", "u64", "i64"]),
  write: signature(["i32", "ptr", "u64"]),
  pwrite: signature(["i32", "ptr", "u64", "i64"]),
  lseek: { args: ["i32", "i64", "i32"], result: "i64" } as FfiSignature,
  ftruncate: signature(["i32", "i64"]),
  fsync: signature(["i32"]),
  copy_file_range: signature(["i32", "ptr", "i32", "ptr", "u64", "u32"]),
  ioctl: signature(["i32", "u64", "i64"], 2),
  fallocate: signature(["i32", "i32", "i64", "i64"]),
  mkdirat: signature(["i32", "ptr", "u32"]),
  unlinkat: signature(["i32", "ptr", "i32"]),
  renameat: signature(["i32", "ptr", "i32", "ptr"]),
  linkat: signature(["i32", "ptr", "i32", "ptr", "i32"]),
  symlinkat: signature(["ptr", "i32", "ptr"]),
  readlinkat: signature(["i32", "ptr", "ptr", "u64"]),
  mknodat: signature(["i32", "ptr", "u32", "u64"]),
  fchmod: signature(["i32", "u32"]),
  fchmodat: signature(["i32", "ptr", "u32", "i32"]),
  fchown: signature(["i32", "u32", "u32"]),
  fchownat: signature(["i32", "ptr", "u32", "u32", "i32"]),
  utimensat: signature(["i32", "ptr", "ptr", "i32"]),
  futimens: signature(["i32", "ptr"]),
  fgetxattr: signature(["i32", "ptr", "ptr", "u64"]),
  lgetxattr: signature(["ptr", "ptr", "ptr", "u64"]),
  getxattr: signature(["ptr", "ptr", "ptr", "u64"]),
  flistxattr: signature(["i32", "ptr", "u64"]),
  llistxattr: signature(["ptr", "ptr", "u64"]),
  fsetxattr: signature(["i32", "ptr", "ptr", "u64", "i32"]),
  lsetxattr: signature(["ptr", "ptr", "ptr", "u64", "i32"]),
  fremovexattr: signature(["i32", "ptr"]),
  lremovexattr: signature(["ptr", "ptr"]),
  umask: signature(["u32"]),
  chdir: signature(["ptr"]),
  geteuid: signature([]),
  getegid: signature([]),
  getgroups: signature(["i32", "ptr"]),
  setgid: signature(["u32"]),
  setgroups: signature(["u64", "ptr"]),
  initgroups: signature(["ptr", "u32"]),
  setuid: signature(["u32"]),
  seteuid: signature(["u32"]),
  getpwuid_r: signature(["u32", "ptr", "ptr", "u64", "ptr"]),
  getpwnam_r: signature(["ptr", "ptr", "ptr", "u64", "ptr"]),
  getgrgid_r: signature(["u32", "ptr", "ptr", "u64", "ptr"]),
  getgrnam_r: signature(["ptr", "ptr", "ptr", "u64", "ptr"]),
} as const satisfies Record<string, FfiSignature>;

/** Names of the functions in the table. */
export type LibcName = keyof typeof LIBC_TABLE;
