/**
 * The kernel's limits on watching, told before they are met: what they are, how much is needed, and the exact line and
 * file that raise them.
 */
import { type FileSystem } from "../posix/filesystem.ts";

/** A limit of a backend: its name below /proc/sys/fs. */
export type LimitName =
  | "inotify/max_user_watches" | "inotify/max_user_instances" | "inotify/max_queued_events"
  | "fanotify/max_user_marks" | "fanotify/max_user_groups" | "fanotify/max_queued_events";

const SYSCTL_FILE = "/etc/sysctl.d/60-wsync-watch.conf";
const NUMBER_BYTES = 32;
/** Room for what other programs of the same user watch, and for growth. */
const HEADROOM = 2;

/** The present value, or null where the kernel has no such limit. */
export function readLimit(fs: FileSystem, name: LimitName): number | null {
  const { O, AT } = fs.constants;
  const fd = fs.openat(AT.FDCWD, fs.cstr(`/proc/sys/fs/${name}`), O.RDONLY | O.CLOEXEC, 0);
  if (fd < 0) return null;
  const ptr = fs.memory.alloc(NUMBER_BYTES);
  const got = fs.read(fd, ptr, NUMBER_BYTES);
  const text = fs.memory.readLatin1(ptr, Math.max(0, got));
  fs.memory.release(ptr);
  fs.close(fd);
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) ? null : value;
}

/** Lines that say what is too small and how to raise it; empty when the limit is large enough. */
export function limitAdvice(fs: FileSystem, name: LimitName, needed: number, what: string): string[] {
  const limit = readLimit(fs, name);
  if (limit === null || limit >= needed) return [];
  return [`${what}, but /proc/sys/fs/${name} allows ${limit}.`, ...raiseLines(name, needed)];
}

/** How to raise a limit to hold `needed`, with some room. */
export function raiseLines(name: LimitName, needed: number): string[] {
  const setting = `fs.${name.replace("/", ".")}=${powerAbove(needed * HEADROOM)}`;
  return [
    `To raise it now:      sysctl -w ${setting}`,
    `To raise it for good: echo '${setting}' > ${SYSCTL_FILE} && sysctl --system`,
  ];
}

/** The smallest power of two that is not below `value`. */
function powerAbove(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(value, 1)));
}
