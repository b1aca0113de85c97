/** Conformance of src/posix: every call of FileSystem against a real directory. */
import { type LinearMemory } from "../../src/memory.ts";
import { type FileSystem, newStat, type StatRecord } from "../../src/posix/filesystem.ts";
import { type Case, equal, ok } from "./_check.ts";

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const S_IFIFO = 0o010000;

/** A directory being tested, with shorthand for the calls that most cases need. */
class Bench {
  readonly fs: FileSystem;
  readonly memory: LinearMemory;
  readonly dir: number;
  readonly ptr: number;

  constructor(fs: FileSystem, root: string, name: string) {
    this.fs = fs;
    this.memory = fs.memory;
    const { O, AT } = fs.constants;
    const path = `${root}/${name}`;
    equal(fs.mkdirat(AT.FDCWD, fs.cstr(path), 0o755), 0, "mkdir");
    this.dir = fs.openat(AT.FDCWD, fs.cstr(path), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
    ok(this.dir >= 0, `open ${path}: ${this.dir}`);
    this.ptr = this.memory.alloc(1 << 16);
  }

  create(name: string, content: string, mode = 0o644): number {
    const { O } = this.fs.constants;
    const fd = this.fs.openat(this.dir, this.fs.cstr(name), O.RDWR | O.CREAT | O.EXCL | O.CLOEXEC, mode);
    ok(fd >= 0, `create ${name}: ${fd}`);
    equal(this.fs.write(fd, this.ptr, this.memory.writeLatin1(this.ptr, content)), content.length, "write");
    return fd;
  }

  make(name: string, content = "", mode = 0o644): void {
    equal(this.fs.close(this.create(name, content, mode)), 0, "close");
  }

  lstat(name: string): StatRecord {
    const stat = newStat();
    equal(this.fs.fstatat(this.dir, this.fs.cstr(name), stat, false), 0, `lstat ${name}`);
    return stat;
  }

  names(): string[] {
    const names: string[] = [];
    const count = this.fs.readDir(this.dir, (ptr, length) => names.push(this.memory.readLatin1(ptr, length)));
    equal(count, names.length, "readDir count");
    return names.sort();
  }

  read(name: string): string {
    const fd = this.fs.openat(this.dir, this.fs.cstr(name), this.fs.constants.O.RDONLY, 0);
    ok(fd >= 0, `open ${name}: ${fd}`);
    const count = this.fs.read(fd, this.ptr, 1 << 16);
    this.fs.close(fd);
    return this.memory.readLatin1(this.ptr, count);
  }
}

/** The cases; `root` is an empty directory as a name. */
export function fileCases(fs: FileSystem, root: string): Record<string, Case> {
  const bench = (name: string): Bench => new Bench(fs, root, name);
  const { O, AT, E } = fs.constants;
  return {
    "files: create, write, read, seek, truncate": () => readWrite(bench("rw")),
    "files: pread and pwrite leave the position alone": () => positioned(bench("positioned")),
    "files: names of any bytes": () => oddNames(bench("names")),
    "files: names that are not UTF-8": () => {
      const b = bench("bytes");
      const names = ["\xff\xfe", "a\x80b", "\xe4\xf6\xfc"];
      for (const name of names) b.make(name, name);
      equal(b.names(), names.sort());
      for (const name of names) equal(b.read(name), name);
    },
    "files: errno values": () => errnos(bench("errno")),
    "files: links": () => links(bench("links")),
    "files: readlink of bytes that are not UTF-8": () => {
      const b = bench("linkbytes");
      equal(fs.symlinkat(fs.cstr("../\xff/target"), b.dir, fs.cstr("l")), 0, "symlink");
      equal(b.memory.readLatin1(b.ptr, fs.readlinkat(b.dir, fs.cstr("l"), b.ptr, 4096)), "../\xff/target");
    },
    "files: rename replaces": () => {
      const b = bench("rename");
      b.make("a", "new");
      b.make("b", "old");
      equal(fs.renameat(b.dir, fs.cstr("a"), b.dir, fs.cstr("b")), 0);
      equal(b.names(), ["b"]);
      equal(b.read("b"), "new");
    },
    "files: modes": () => modes(bench("modes")),
    "files: chmod does not follow a symlink": () => {
      const b = bench("chmodlink");
      b.make("file", "", 0o600);
      fs.symlinkat(fs.cstr("file"), b.dir, fs.cstr("link"));
      equal(fs.fchmodat(b.dir, fs.cstr("link"), 0o777), -E.EOPNOTSUPP);
      equal(b.lstat("file").mode & 0o7777, 0o600);
    },
    "files: owners": () => owners(bench("owners")),
    "files: times to the microsecond": () => times(bench("micros"), 123456000, 2000),
    "files: times to the nanosecond": () => times(bench("nanos"), 123456789, 0),
    "files: times before 1970 and after 2038": () => oldTimes(bench("oldtimes")),
    "files: directory listing, nested and repeated": () => listing(bench("listing")),
    "files: types in directory entries": () => {
      const b = bench("types");
      b.make("f");
      fs.mkdirat(b.dir, fs.cstr("d"), 0o755);
      const types: Record<string, number> = {};
      fs.readDir(b.dir, (ptr, length, type) => (types[b.memory.readLatin1(ptr, length)] = type));
      equal([types.f, types.d], [8, 4]);
    },
    "files: devices and fifos": () => devices(bench("devices")),
    "files: openat2 stays beneath": () => {
      const b = bench("beneath");
      const RESOLVE_BENEATH = 8;
      b.make("in");
      equal(fs.openat2(b.dir, fs.cstr("../beneath/in"), O.RDONLY, 0, RESOLVE_BENEATH), -E.EXDEV);
      const fd = fs.openat2(b.dir, fs.cstr("in"), O.RDONLY, 0, RESOLVE_BENEATH);
      ok(fd >= 0, `openat2: ${fd}`);
      fs.close(fd);
    },
    "files: descriptors survive a rename of their directory": () => {
      const b = bench("held");
      equal(fs.renameat(AT.FDCWD, fs.cstr(`${root}/held`), AT.FDCWD, fs.cstr(`${root}/moved`)), 0);
      b.make("file", "x");
      equal(b.names(), ["file"]);
    },
    "files: copyFileRange": () => copyRange(bench("copy")),
    "files: fallocate reserves without growing": () => {
      const b = bench("fallocate");
      const fd = b.create("f", "");
      const KEEP_SIZE = 1;
      equal(fs.fallocate(fd, KEEP_SIZE, 0, 1 << 20), 0);
      const stat = newStat();
      fs.fstat(fd, stat);
      equal([stat.size, stat.blocks >= 2048], [0, true]);
      fs.close(fd);
    },
    "files: reflink works or says that it cannot": () => {
      const b = bench("reflink");
      const from = b.create("a", "shared");
      const to = b.create("b", "");
      const result = fs.reflink(from, to);
      ok([0, -E.EOPNOTSUPP, -E.EINVAL, -E.ENOTTY, -E.EXDEV, -E.ENOSYS].includes(result), `reflink: ${result}`);
      equal(b.read("b"), result === 0 ? "shared" : "");
      fs.close(from);
      fs.close(to);
    },
    "files: large offsets": () => largeOffsets(bench("large")),
    "files: addresses stay valid when the memory grows": () => growth(bench("growth")),
    "files: user and group names": () => {
      equal([fs.userName(0), fs.userId("root"), fs.groupId("root")], ["root", 0, 0]);
      equal([fs.userName(3999999999), fs.groupName(3999999999)], [null, null]);
      equal([fs.userId("no such user"), fs.groupId("no such group")], [-1, -1]);
    },
    "files: error wording": () => {
      equal(fs.strerror(E.ENOENT), "No such file or directory");
      equal(fs.strerror(E.ENOTEMPTY), "Directory not empty");
      equal(fs.strerror(9999), "Unknown error 9999");
    },
    "files: umask": () => {
      const old = fs.umask(0o077);
      const b = bench("umask");
      b.make("f", "", 0o666);
      equal(fs.umask(old), 0o077);
      equal(b.lstat("f").mode & 0o777, 0o600);
    },
    "files: chdir": () => {
      bench("workdir");
      equal(fs.chdir(fs.cstr(`${root}/workdir`)), 0);
      const fd = fs.openat(AT.FDCWD, fs.cstr("here"), O.WRONLY | O.CREAT, 0o644);
      ok(fd >= 0, `open: ${fd}`);
      fs.close(fd);
      equal(fs.fstatat(AT.FDCWD, fs.cstr(`${root}/workdir/here`), newStat(), false), 0);
    },
  };
}

function readWrite(b: Bench): void {
  const { fs } = b;
  const fd = b.create("f", "hello world");
  equal(fs.lseek(fd, 6, 0), 6);
  equal(fs.read(fd, b.ptr, 100), 5);
  equal(b.memory.readLatin1(b.ptr, 5), "world");
  equal(fs.read(fd, b.ptr, 100), 0, "end of file");
  equal(fs.lseek(fd, -3, 2), 8);
  equal(fs.lseek(fd, 1, 1), 9);
  equal(fs.ftruncate(fd, 4), 0);
  equal(fs.fsync(fd), 0);
  const stat = newStat();
  equal(fs.fstat(fd, stat), 0);
  equal([stat.size, stat.mode & S_IFMT, stat.nlink], [4, S_IFREG, 1]);
  fs.close(fd);
  equal(b.read("f"), "hell");
  equal(fs.unlinkat(b.dir, fs.cstr("f"), 0), 0);
  equal(b.names(), []);
}

function positioned(b: Bench): void {
  const { fs } = b;
  const fd = b.create("f", "0123456789");
  equal(fs.pread(fd, b.ptr, 3, 2), 3);
  equal(b.memory.readLatin1(b.ptr, 3), "234");
  b.memory.writeLatin1(b.ptr, "xy");
  equal(fs.pwrite(fd, b.ptr, 2, 4), 2);
  equal(fs.lseek(fd, 0, 1), 10);
  fs.close(fd);
  equal(b.read("f"), "0123xy6789");
}

function oddNames(b: Bench): void {
  const names = ["a\nb", "-rf", " ", "\x01\x7f", "*?[", "'\"\\", "x".repeat(255), "\xc3\xbc"];
  for (const name of names) b.make(name, name.slice(0, 4));
  equal(b.names(), [...names].sort());
  for (const name of names) equal(b.read(name), name.slice(0, 4));
  for (const name of names) equal(b.fs.unlinkat(b.dir, b.fs.cstr(name), 0), 0);
}

function errnos(b: Bench): void {
  const { fs } = b;
  const { O, E, AT } = fs.constants;
  b.make("file");
  fs.mkdirat(b.dir, fs.cstr("full"), 0o755);
  fs.mkdirat(b.dir, fs.cstr("full/sub"), 0o755);
  equal(fs.openat(b.dir, fs.cstr("none"), O.RDONLY, 0), -E.ENOENT);
  equal(fs.openat(b.dir, fs.cstr("file"), O.RDWR | O.CREAT | O.EXCL, 0o644), -E.EEXIST);
  equal(fs.openat(b.dir, fs.cstr("file/x"), O.RDONLY, 0), -E.ENOTDIR);
  equal(fs.openat(b.dir, fs.cstr("y".repeat(256)), O.RDONLY, 0), -E.ENAMETOOLONG);
  equal(fs.openat(b.dir, fs.cstr("z/".repeat(9000)), O.RDONLY, 0), -E.ENAMETOOLONG);
  equal(fs.openat(b.dir, fs.cstr("full"), O.WRONLY, 0), -E.EISDIR);
  equal(fs.unlinkat(b.dir, fs.cstr("full"), AT.REMOVEDIR), -E.ENOTEMPTY);
  equal(fs.mkdirat(b.dir, fs.cstr("full"), 0o755), -E.EEXIST);
  fs.symlinkat(fs.cstr("loop"), b.dir, fs.cstr("loop"));
  equal(fs.openat(b.dir, fs.cstr("loop"), O.RDONLY, 0), -E.ELOOP);
  equal(fs.openat(b.dir, fs.cstr("loop"), O.RDONLY | O.NOFOLLOW, 0), -E.ELOOP);
  equal(fs.close(987654), -E.EBADF);
  equal(fs.read(987654, b.ptr, 1), -E.EBADF);
  equal(fs.readlinkat(b.dir, fs.cstr("file"), b.ptr, 100), -E.EINVAL);
}

function links(b: Bench): void {
  const { fs } = b;
  b.make("file", "content");
  equal(fs.linkat(b.dir, fs.cstr("file"), b.dir, fs.cstr("hard"), 0), 0);
  equal(b.lstat("file").nlink, 2);
  equal([b.lstat("hard").inoLo, b.lstat("hard").devLo], [b.lstat("file").inoLo, b.lstat("file").devLo]);
  equal(fs.symlinkat(fs.cstr("file"), b.dir, fs.cstr("soft")), 0);
  equal(b.lstat("soft").mode & S_IFMT, S_IFLNK);
  const stat = newStat();
  fs.fstatat(b.dir, fs.cstr("soft"), stat, true);
  equal([stat.mode & S_IFMT, stat.size], [S_IFREG, 7]);
  equal(fs.readlinkat(b.dir, fs.cstr("soft"), b.ptr, 4096), 4);
  equal(b.memory.readLatin1(b.ptr, 4), "file");
  equal(fs.readlinkat(b.dir, fs.cstr("soft"), b.ptr, 2), 2, "short buffer");
}

function modes(b: Bench): void {
  const { fs } = b;
  const fd = b.create("f", "");
  equal(fs.fchmod(fd, 0o4751), 0);
  equal(b.lstat("f").mode & 0o7777, 0o4751);
  equal(fs.fchmodat(b.dir, fs.cstr("f"), 0o640), 0);
  equal(b.lstat("f").mode & 0o7777, 0o640);
  fs.close(fd);
}

function owners(b: Bench): void {
  const { fs } = b;
  const fd = b.create("f", "");
  equal(fs.fchown(fd, 1234, -1), 0);
  equal([b.lstat("f").uid, b.lstat("f").gid], [1234, fs.egid]);
  fs.symlinkat(fs.cstr("f"), b.dir, fs.cstr("l"));
  equal(fs.lchownat(b.dir, fs.cstr("l"), -1, 4321), 0);
  equal([b.lstat("l").gid, b.lstat("f").gid], [4321, fs.egid]);
  equal(fs.lchownat(b.dir, fs.cstr("f"), 4000000000, 4000000001), 0);
  equal([b.lstat("f").uid, b.lstat("f").gid], [4000000000, 4000000001]);
  fs.close(fd);
}

/** Sets times with `nsec` and reads them back within `tolerance` nanoseconds, on a file, a descriptor and a link. */
function times(b: Bench, nsec: number, tolerance: number): void {
  const { fs } = b;
  const near = (stat: StatRecord, seconds: number): void => {
    equal(stat.mtime, seconds, "seconds");
    ok(Math.abs(stat.mtimeNsec - nsec) <= tolerance, `${stat.mtimeNsec} ns is not ${nsec}`);
  };
  const fd = b.create("f", "");
  equal(fs.utimensat(b.dir, fs.cstr("f"), 1500000000, 5000, 1600000000, nsec), 0);
  near(b.lstat("f"), 1600000000);
  equal(b.lstat("f").atime, 1500000000);
  equal(fs.futimens(fd, 0, -2, 1600000001, nsec), 0);
  near(b.lstat("f"), 1600000001);
  equal(b.lstat("f").atime, 1500000000, "omitted access time");
  fs.symlinkat(fs.cstr("f"), b.dir, fs.cstr("l"));
  equal(fs.utimensat(b.dir, fs.cstr("l"), 0, 0, 1600000002, nsec), 0);
  near(b.lstat("l"), 1600000002);
  near(b.lstat("f"), 1600000001);
  fs.close(fd);
}

function oldTimes(b: Bench): void {
  b.make("f");
  for (const seconds of [-1000000, -1, 0, 2 ** 31 + 5, 2 ** 32 + 7]) {
    equal(b.fs.utimensat(b.dir, b.fs.cstr("f"), seconds, 500000000, seconds, 500000000), 0);
    equal([b.lstat("f").mtime, b.lstat("f").mtimeNsec], [seconds, 500000000]);
  }
}

function listing(b: Bench): void {
  const { fs } = b;
  const names = Array.from({ length: 3000 }, (_, i) => `entry-${String(i).padStart(5, "0")}-${"x".repeat(i % 200)}`);
  for (const name of names) b.make(name);
  equal(b.names().length, 3000);
  equal(b.names(), names, "second listing");
  let inner = 0;
  let outer = 0;
  fs.readDir(b.dir, (ptr, length) => {
    const name = b.memory.readLatin1(ptr, length);
    if (outer++ === 1) inner = fs.readDir(fs.openat(b.dir, fs.cstr("."), fs.constants.O.RDONLY, 0), () => undefined);
    equal(b.memory.readLatin1(ptr, length), name, "entry after a nested listing");
  });
  equal([outer, inner], [3000, 3000]);
}

function devices(b: Bench): void {
  const { fs } = b;
  equal(fs.mknodat(b.dir, fs.cstr("pipe"), S_IFIFO | 0o600, 0, 0), 0);
  equal(b.lstat("pipe").mode & S_IFMT, S_IFIFO);
  const made = fs.mknodat(b.dir, fs.cstr("dev"), 0o020600, 4000, 1000000);
  if (made === -fs.constants.E.EPERM) return;
  equal(made, 0);
  equal([b.lstat("dev").rdevMajor, b.lstat("dev").rdevMinor], [4000, 1000000]);
}

function copyRange(b: Bench): void {
  const { fs } = b;
  const from = b.create("a", "0123456789");
  const to = b.create("b", "");
  equal(fs.copyFileRange(from, 2, to, 0, 100), 8);
  equal(fs.copyFileRange(from, 10, to, 8, 100), 0, "end of file");
  equal(b.read("b"), "23456789");
  fs.close(from);
  fs.close(to);
}

function largeOffsets(b: Bench): void {
  const { fs } = b;
  const far = 5 * 2 ** 30;
  const fd = b.create("f", "");
  b.memory.writeLatin1(b.ptr, "far");
  equal(fs.pwrite(fd, b.ptr, 3, far), 3);
  equal(fs.lseek(fd, 0, 2), far + 3);
  equal(fs.pread(fd, b.ptr + 100, 10, far), 3);
  const stat = newStat();
  fs.fstat(fd, stat);
  equal(stat.size, far + 3);
  equal(fs.ftruncate(fd, far - 1), 0);
  equal(b.lstat("f").size, far - 1);
  fs.close(fd);
}

function growth(b: Bench): void {
  const { fs, memory } = b;
  const before = memory.u8.length;
  const big = memory.alloc(before + (64 << 20));
  ok(memory.u8.length > before, "the memory grew");
  const fd = b.create("f", "grown");
  equal(fs.pread(fd, big + before, 5, 0), 5);
  equal(memory.readLatin1(big + before, 5), "grown");
  fs.close(fd);
  memory.release(big);
}
