/** Files that the configuration names, opened as the operator's: no symlink of somebody else's is followed. */
import { type Confined } from "../files/confine.ts";
import { latin1 } from "../memory.ts";
import { newStat, type StatRecord } from "../posix/filesystem.ts";
import { type ConfigFiles, type Looked } from "./config.ts";

const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const CHUNK_BYTES = 64 * 1024;
/** The largest file that is read whole. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A whole file as bytes with what fstat says of it, or -errno. */
export function readOperatorFile(
  operator: Confined, path: string,
): { readonly bytes: Uint8Array; readonly stat: StatRecord } | number {
  const { fs } = operator;
  const fd = operator.openFollowing(path, fs.constants.O.RDONLY, 0);
  if (fd < 0) return fd;
  const stat = newStat();
  const looked = fs.fstat(fd, stat);
  const bytes = looked < 0 ? looked : readAll(operator, fd);
  fs.close(fd);
  return typeof bytes === "number" ? bytes : { bytes, stat };
}

function readAll({ fs }: Confined, fd: number): Uint8Array | number {
  const ptr = fs.memory.alloc(CHUNK_BYTES);
  let bytes = new Uint8Array(0);
  let count: number;
  while ((count = fs.read(fd, ptr, CHUNK_BYTES)) > 0) {
    if (bytes.length + count > MAX_BYTES) {
      count = -fs.constants.E.EFBIG;
      break;
    }
    const more = new Uint8Array(bytes.length + count);
    more.set(bytes);
    more.set(fs.memory.bytes(ptr, count), bytes.length);
    bytes = more;
  }
  // Secrets come this way too.
  fs.memory.u8.fill(0, ptr, ptr + CHUNK_BYTES);
  fs.memory.release(ptr);
  return count < 0 ? count : bytes;
}

/** How the configuration is read. */
export function configFiles(operator: Confined): ConfigFiles {
  const { fs } = operator;
  return {
    read(path) {
      const found = readOperatorFile(operator, path);
      return typeof found === "number" ? { error: fs.strerror(-found) }
        : { text: latin1(found.bytes, 0, found.bytes.length) };
    },
    look: (path) => lookAt(operator, path),
  };
}

function lookAt(operator: Confined, path: string): Looked {
  const { fs } = operator;
  const stat = newStat();
  const fd = operator.openFollowing(path, fs.constants.O.RDONLY | fs.constants.O.NONBLOCK, 0);
  if (fd < 0) return { kind: "error", error: fs.strerror(-fd) };
  fs.fstat(fd, stat);
  const type = stat.mode & TYPE_MASK;
  const names: string[] = [];
  if (type === DIRECTORY) fs.readDir(fd, (ptr, length) => void names.push(fs.memory.readLatin1(ptr, length)));
  fs.close(fd);
  if (type === DIRECTORY) return { kind: "directory", names };
  return { kind: type === REGULAR ? "file" : "other" };
}
