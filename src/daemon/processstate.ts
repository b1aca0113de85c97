/**
 * What a process is to the kernel: its ids, rights, root and working directory, mask and open files. A process
 * that is to serve a further connection must be what it was before the last one, and that is asked of the kernel rather
 * than concluded. Linux's /proc.
 */
import { latin1 } from "../memory.ts";
import { type FileSystem } from "../posix/filesystem.ts";

const STATUS = "/proc/self/status";
const DESCRIPTORS = "/proc/self/fd";
const PLACES = ["/proc/self/root", "/proc/self/cwd"] as const;
/** Lines of the status that a connection may not have changed. */
const KEPT = /^(?:Umask|Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap(?:Inh|Prm|Eff|Bnd|Amb)):.*$/gm;
/**
 * Files and directories. The rest are a runtime's, which opens them when it first needs them: epoll, eventfd, pipes and
 * sockets among its own threads, and /dev/null in reserve.
 */
const OF_A_FILE = /^\/(?!dev\/null$)/;
const STATUS_BYTES = 16 * 1024;
const PATH_BYTES = 4096;

/** A text that is equal for equal states; null where the kernel does not tell, as behind a chroot. */
export function processState(fs: FileSystem): string | null {
  const status = readStatus(fs);
  const places = PLACES.map((path) => readLink(fs, path));
  const descriptors = openDescriptors(fs);
  if (status === null || descriptors === null || places.includes(null)) return null;
  return [...status, ...places, ...descriptors].join("\n");
}

function readStatus(fs: FileSystem): readonly string[] | null {
  const { constants: { AT, O }, memory } = fs;
  const fd = fs.openat(AT.FDCWD, fs.cstr(STATUS), O.RDONLY | O.CLOEXEC, 0);
  if (fd < 0) return null;
  const ptr = memory.alloc(STATUS_BYTES);
  const count = fs.read(fd, ptr, STATUS_BYTES);
  const text = count > 0 ? latin1(memory.u8, ptr, ptr + count) : "";
  memory.release(ptr);
  fs.close(fd);
  const lines = text.match(KEPT);
  return lines === null || !lines.some((line) => line.startsWith("Uid:")) ? null : lines;
}

/** Number and target of each descriptor of a file, in order. */
function openDescriptors(fs: FileSystem): string[] | null {
  const { constants: { AT, O }, memory } = fs;
  const dir = fs.openat(AT.FDCWD, fs.cstr(DESCRIPTORS), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
  if (dir < 0) return null;
  const names: string[] = [];
  fs.readDir(dir, (ptr, length) => void names.push(memory.readLatin1(ptr, length)));
  fs.close(dir);
  const open = names.filter((name) => Number(name) !== dir).toSorted();
  const targets = open.map((name) => [name, readLink(fs, `${DESCRIPTORS}/${name}`) ?? ""]);
  return targets.filter(([, target]) => OF_A_FILE.test(target)).map((words) => words.join(" "));
}

function readLink(fs: FileSystem, path: string): string | null {
  const { memory } = fs;
  const ptr = memory.alloc(PATH_BYTES);
  const length = fs.readlinkat(fs.constants.AT.FDCWD, fs.cstr(path), ptr, PATH_BYTES);
  const target = length < 0 ? null : memory.readLatin1(ptr, length);
  memory.release(ptr);
  return target;
}
