/**
 * The FileSystem over a tree of our own: all in memory, or with contents that come from elsewhere (content.ts). It
 * behaves as a Linux file system does to the superuser, so that owners, devices and hard links are kept as they come.
 *
 * Used for memory, archives and browser storage. Extended attributes, holes and the kernel's copies are what it lacks.
 */
import { latin1, type LinearMemory } from "../memory.ts";
import { constantsFor, strerrorFor } from "./constants.ts";
import {
  type DirentVisitor, type FileSystem, type FsCapabilities, type PosixConstants, type StatRecord,
} from "./filesystem.ts";
import { Inode, S_IF, type Time } from "./inode.ts";
import { NameSlots } from "./names.ts";
import { type Follow, type Found, Tree } from "./tree.ts";

const NAME_BYTES = 256;
const PERMISSIONS = 0o7777;
const CONSTANTS = constantsFor("linux", "x64");
/** Bytes moved at once when a content becomes writable. */
const COPY_BYTES = 1 << 20;
const FIRST_FD = 3;

interface OpenFile {
  readonly inode: Inode;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly append: boolean;
  pos: number;
}

/** How a TreeFileSystem behaves. */
export interface TreeSettings {
  /** Nothing may be changed: -EROFS. */
  readonly readOnly?: boolean;
}

/** See FileSystem. */
export class TreeFileSystem implements FileSystem {
  readonly memory: LinearMemory;
  readonly tree: Tree;
  readonly constants: PosixConstants = CONSTANTS;
  readonly strerror: (errno: number) => string = strerrorFor("linux");
  readonly euid = 0;
  readonly egid = 0;
  readonly capabilities: FsCapabilities = {
    atCalls: true, openat2: false, nanoseconds: true, chown: true, mknod: true, hardLinks: true, symlinkTimes: true,
    xattrs: false, copyFileRange: false, reflink: false, fallocate: false,
  };
  private readonly E = CONSTANTS.E;
  private readonly readOnly: boolean;
  private readonly names: NameSlots;
  private readonly files = new Map<number, OpenFile>();
  private cwd: Inode;
  private mask = 0o022;

  /** `tree`: an existing one, which several file systems may share. */
  constructor(memory: LinearMemory, tree: Tree, settings: TreeSettings = {}) {
    this.memory = memory;
    this.tree = tree;
    this.readOnly = settings.readOnly ?? false;
    this.names = new NameSlots(memory);
    this.cwd = tree.root;
  }

  groups(): readonly number[] {
    return [0];
  }

  cstr(name: string): number {
    return this.names.put(name);
  }

  openat(dirfd: number, name: number, flags: number, mode: number): number {
    const { O } = this.constants;
    const { E } = this;
    const creates = (flags & O.CREAT) !== 0;
    const exclusive = creates && (flags & O.EXCL) !== 0;
    if (creates && flags & O.DIRECTORY) return -E.EINVAL;
    const bare = exclusive || (creates && this.text(name).endsWith("/"));
    const found = this.find(dirfd, name, bare ? "never" : flags & O.NOFOLLOW ? "slash" : "yes");
    if (typeof found === "number") return found;
    let { inode } = found;
    if (creates && found.wantsDirectory) return exclusive && found.name === "" ? -E.EEXIST : -E.EISDIR;
    if (inode === null) {
      if (!creates) return -E.ENOENT;
      if (this.readOnly) return -E.EROFS;
      if (this.isGone(found.dir)) return -E.ENOENT;
      inode = this.tree.create(S_IF.regular | (mode & PERMISSIONS & ~this.mask));
      inode.content = this.tree.newContent();
      this.tree.link(found.dir, found.name, inode);
    } else if (exclusive) {
      return -E.EEXIST;
    } else {
      const refused = this.refusesOpen(inode, flags, found.wantsDirectory);
      if (refused !== 0) return refused;
      if (flags & O.TRUNC && inode.content !== null) this.setLength(inode, 0);
    }
    return this.open(inode, flags);
  }

  openat2(): number {
    return -this.E.ENOSYS;
  }

  close(fd: number): number {
    const file = this.files.get(fd);
    if (file === undefined) return -this.E.EBADF;
    this.files.delete(fd);
    file.inode.openCount--;
    file.inode.forgotten();
    return 0;
  }

  fstatat(dirfd: number, name: number, stat: StatRecord, follow: boolean): number {
    const inode = this.existing(dirfd, name, follow);
    if (typeof inode === "number") return inode;
    inode.fill(stat);
    return 0;
  }

  access(dirfd: number, name: number): boolean {
    return typeof this.existing(dirfd, name, true) !== "number";
  }

  fstat(fd: number, stat: StatRecord): number {
    const file = this.files.get(fd);
    if (file === undefined) return -this.E.EBADF;
    file.inode.fill(stat);
    return 0;
  }

  readDir(dirfd: number, visit: DirentVisitor): number {
    const inode = this.dirOf(dirfd);
    if (typeof inode === "number") return inode;
    if (inode.entries === null) return -this.E.ENOTDIR;
    const ptr = this.memory.alloc(NAME_BYTES);
    const entries = [...inode.entries];
    for (const [name, child] of entries) {
      this.memory.writeCString(ptr, name);
      visit(ptr, name.length, child.type >> 12);
    }
    this.memory.release(ptr);
    return entries.length;
  }

  read(fd: number, ptr: number, byteLength: number): number {
    const file = this.files.get(fd);
    if (file === undefined) return -this.E.EBADF;
    const count = this.pread(fd, ptr, byteLength, file.pos);
    if (count > 0) file.pos += count;
    return count;
  }

  pread(fd: number, ptr: number, byteLength: number, offset: number): number {
    const file = this.files.get(fd);
    if (!file?.readable) return -this.E.EBADF;
    const { content } = file.inode;
    if (content === null) return file.inode.isDirectory ? -this.E.EISDIR : -this.E.EINVAL;
    return this.attempt(() => content.read(offset, this.memory.bytes(ptr, byteLength)));
  }

  write(fd: number, ptr: number, byteLength: number): number {
    const file = this.files.get(fd);
    if (file === undefined) return -this.E.EBADF;
    const at = file.append ? file.inode.byteLength : file.pos;
    const count = this.pwrite(fd, ptr, byteLength, at);
    if (count > 0) file.pos = at + count;
    return count;
  }

  pwrite(fd: number, ptr: number, byteLength: number, offset: number): number {
    const file = this.files.get(fd);
    if (!file?.writable) return -this.E.EBADF;
    if (file.inode.content === null) return -this.E.EINVAL;
    // Linux appends even where a place is named.
    const at = file.append ? file.inode.byteLength : offset;
    return this.attempt(() => {
      this.makeWritable(file.inode, Infinity).write(at, this.memory.bytes(ptr, byteLength));
      this.tree.touch(file.inode);
      return byteLength;
    });
  }

  lseek(fd: number, offset: number, whence: number): number {
    const file = this.files.get(fd);
    if (file === undefined) return -this.E.EBADF;
    if (whence > 2) return -this.E.EINVAL;
    const to = offset + (whence === 0 ? 0 : whence === 1 ? file.pos : file.inode.byteLength);
    if (to < 0) return -this.E.EINVAL;
    return (file.pos = to);
  }

  ftruncate(fd: number, byteLength: number): number {
    const file = this.files.get(fd);
    if (!file?.writable || file.inode.content === null || byteLength < 0) return -this.E.EINVAL;
    return this.attempt(() => this.setLength(file.inode, byteLength));
  }

  fsync(fd: number): number {
    return this.files.has(fd) ? 0 : -this.E.EBADF;
  }

  copyFileRange(): number {
    return -this.E.ENOSYS;
  }

  reflink(): number {
    return -this.E.ENOSYS;
  }

  fallocate(): number {
    return -this.E.EOPNOTSUPP;
  }

  mkdirat(dirfd: number, name: number, mode: number): number {
    return this.add(dirfd, name, true, () => this.tree.create(S_IF.directory | (mode & PERMISSIONS & ~this.mask)));
  }

  symlinkat(target: number, dirfd: number, name: number): number {
    const text = this.text(target);
    if (text === "") return -this.E.ENOENT;
    return this.add(dirfd, name, false, () => {
      const inode = this.tree.create(S_IF.symlink | 0o777);
      inode.target = text;
      return inode;
    });
  }

  mknodat(dirfd: number, name: number, mode: number, major: number, minor: number): number {
    const type = mode & S_IF.mask || S_IF.regular;
    if (type === S_IF.directory) return -this.E.EPERM;
    if (type === S_IF.symlink) return -this.E.EINVAL;
    return this.add(dirfd, name, false, () => {
      const inode = this.tree.create(type | (mode & PERMISSIONS & ~this.mask));
      if (type === S_IF.regular) inode.content = this.tree.newContent();
      if (type === S_IF.character || type === S_IF.block) {
        inode.major = major;
        inode.minor = minor;
      }
      return inode;
    });
  }

  linkat(fromDir: number, from: number, toDir: number, to: number): number {
    const inode = this.existing(fromDir, from, false);
    if (typeof inode === "number") return inode;
    return this.add(toDir, to, false, () => (inode.isDirectory ? -this.E.EPERM : inode));
  }

  unlinkat(dirfd: number, name: number, flags: number): number {
    const { E } = this;
    const found = this.find(dirfd, name, "never");
    if (typeof found === "number") return found;
    const wantsDir = (flags & this.constants.AT.REMOVEDIR) !== 0;
    const { dir, inode } = found;
    if (found.name === "") return wantsDir ? this.rmdirError(found.last) : -E.EISDIR;
    if (inode === null) return -E.ENOENT;
    if (this.readOnly) return -E.EROFS;
    if (!inode.isDirectory && (wantsDir || found.wantsDirectory)) return -E.ENOTDIR;
    if (inode.isDirectory && !wantsDir) return -E.EISDIR;
    if (wantsDir && inode.entries!.size > 0) return -E.ENOTEMPTY;
    this.tree.unlink(dir, found.name);
    return 0;
  }

  renameat(fromDir: number, from: number, toDir: number, to: number): number {
    const { E, tree } = this;
    const source = this.find(fromDir, from, "never");
    if (typeof source === "number") return source;
    const target = this.find(toDir, to, "never");
    if (typeof target === "number") return target;
    if (source.name === "" || target.name === "") return -E.EBUSY;
    const { inode } = source;
    if (inode === null) return -E.ENOENT;
    if (this.readOnly) return -E.EROFS;
    const onlyDirectory = source.wantsDirectory || target.wantsDirectory;
    if (!inode.isDirectory && onlyDirectory) return -E.ENOTDIR;
    if (this.isGone(target.dir)) return -E.ENOENT;
    if (inode.isDirectory && tree.isAbove(inode, target.dir)) return -E.EINVAL;
    const old = target.inode;
    if (old === inode) return 0;
    if (old !== null) {
      if (old.isDirectory && tree.isAbove(old, source.dir)) return -E.ENOTEMPTY;
      if (inode.isDirectory && !old.isDirectory) return -E.ENOTDIR;
      if (!inode.isDirectory && old.isDirectory) return -E.EISDIR;
      if (old.isDirectory && old.entries!.size > 0) return -E.ENOTEMPTY;
      tree.unlink(target.dir, target.name);
    }
    // Held while it has no name, so that its content is not given up.
    inode.openCount++;
    tree.unlink(source.dir, source.name);
    tree.link(target.dir, target.name, inode);
    inode.openCount--;
    return 0;
  }

  readlinkat(dirfd: number, name: number, ptr: number, byteLength: number): number {
    const { E } = this;
    const text = this.text(name);
    const inode = text === "" ? this.dirOf(dirfd) : this.existing(dirfd, name, false);
    if (typeof inode === "number") return inode;
    if (!inode.isSymlink) return text === "" ? -E.ENOENT : -E.EINVAL;
    return this.memory.writeLatin1(ptr, inode.target.slice(0, byteLength));
  }

  listXattr(): number {
    return -this.E.ENOSYS;
  }

  getXattr(): number {
    return -this.E.ENOSYS;
  }

  setXattr(): number {
    return -this.E.ENOSYS;
  }

  removeXattr(): number {
    return -this.E.ENOSYS;
  }

  fchmod(fd: number, mode: number): number {
    return this.changeOpen(fd, (inode) => this.setMode(inode, mode));
  }

  fchmodat(dirfd: number, name: number, mode: number): number {
    return this.change(dirfd, name, (inode) => (inode.isSymlink ? -this.E.EOPNOTSUPP : this.setMode(inode, mode)));
  }

  fchown(fd: number, uid: number, gid: number): number {
    return this.changeOpen(fd, (inode) => this.setOwner(inode, uid, gid));
  }

  lchownat(dirfd: number, name: number, uid: number, gid: number): number {
    return this.change(dirfd, name, (inode) => this.setOwner(inode, uid, gid));
  }

  utimensat(dirfd: number, name: number, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    return this.change(dirfd, name, (inode) => this.setTimes(inode, atime, atimeNsec, mtime, mtimeNsec));
  }

  futimens(fd: number, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    return this.changeOpen(fd, (inode) => this.setTimes(inode, atime, atimeNsec, mtime, mtimeNsec));
  }

  umask(mask: number): number {
    const old = this.mask;
    this.mask = mask & 0o777;
    return old;
  }

  chdir(name: number): number {
    const inode = this.existing(this.constants.AT.FDCWD, name, true);
    if (typeof inode === "number") return inode;
    if (!inode.isDirectory) return -this.E.ENOTDIR;
    this.cwd = inode;
    return 0;
  }

  userName(uid: number): string | null {
    return uid === 0 ? "root" : null;
  }

  groupName(gid: number): string | null {
    return gid === 0 ? "root" : null;
  }

  userId(name: string): number {
    return name === "root" ? 0 : -1;
  }

  groupId(name: string): number {
    return name === "root" ? 0 : -1;
  }

  groupOfUser(uid: number): number {
    return uid === 0 ? 0 : -1;
  }

  becomeUser(): { call: string; errno: number } {
    return { call: "setgid", errno: this.E.ENOSYS };
  }

  private text(name: number): string {
    const { u8 } = this.memory;
    return latin1(u8, name, u8.indexOf(0, name));
  }

  private dirOf(dirfd: number): Inode | number {
    if (dirfd === this.constants.AT.FDCWD) return this.cwd;
    return this.files.get(dirfd)?.inode ?? -this.E.EBADF;
  }

  private find(dirfd: number, name: number, follow: Follow): Found | number {
    const text = this.text(name);
    const from = text.startsWith("/") ? this.tree.root : this.dirOf(dirfd);
    return typeof from === "number" ? from : this.tree.find(from, text, follow);
  }

  private existing(dirfd: number, name: number, follow: boolean): Inode | number {
    const found = this.find(dirfd, name, follow ? "yes" : "slash");
    if (typeof found === "number") return found;
    if (found.inode === null) return -this.E.ENOENT;
    if (found.wantsDirectory && !found.inode.isDirectory) return -this.E.ENOTDIR;
    return found.inode;
  }

  /** A directory that was removed takes no new names. */
  private isGone(dir: Inode): boolean {
    return dir.nlink === 0;
  }

  /** Why rmdir does not take a path that ends without a name. */
  private rmdirError(last: string): number {
    const { E } = this;
    if (last === ".") return -E.EINVAL;
    return last === ".." ? -E.ENOTEMPTY : -E.EBUSY;
  }

  private add(dirfd: number, name: number, directory: boolean, make: () => Inode | number): number {
    const { E } = this;
    const found = this.find(dirfd, name, "never");
    if (typeof found === "number") return found;
    if (found.inode !== null) return -E.EEXIST;
    if (found.wantsDirectory && !directory) return -E.ENOENT;
    if (this.readOnly) return -E.EROFS;
    if (this.isGone(found.dir)) return -E.ENOENT;
    const inode = make();
    if (typeof inode === "number") return inode;
    this.tree.link(found.dir, found.name, inode);
    return 0;
  }

  /** Why an existing inode cannot be opened so, or 0. */
  private refusesOpen(inode: Inode, flags: number, wantsDirectory: boolean): number {
    const { O } = this.constants;
    const { E } = this;
    const writes = (flags & (O.WRONLY | O.RDWR)) !== 0;
    if (inode.isSymlink && !(flags & O.PATH)) return flags & O.DIRECTORY ? -E.ENOTDIR : -E.ELOOP;
    if ((flags & O.DIRECTORY || wantsDirectory) && !inode.isDirectory) return -E.ENOTDIR;
    if (flags & O.PATH) return 0;
    if (inode.isDirectory) return writes || flags & (O.CREAT | O.TRUNC) ? -E.EISDIR : 0;
    if (inode.content === null) return -E.ENXIO;
    return this.readOnly && (writes || flags & O.TRUNC) ? -E.EROFS : 0;
  }

  private open(inode: Inode, flags: number): number {
    const { O } = this.constants;
    let fd = FIRST_FD;
    while (this.files.has(fd)) fd++;
    const passive = (flags & O.PATH) !== 0;
    const access = flags & (O.WRONLY | O.RDWR);
    this.files.set(fd, {
      inode, readable: !passive && access !== O.WRONLY, writable: !passive && access !== 0,
      append: (flags & O.APPEND) !== 0, pos: 0,
    });
    inode.openCount++;
    return fd;
  }

  /** The file's content, made writable: the first `keepBytes` bytes of one that was not are copied. */
  private makeWritable(inode: Inode, keepBytes: number): NonNullable<Inode["content"]> {
    const old = inode.content!;
    if (old.writable) return old;
    const content = this.tree.newContent();
    const buffer = new Uint8Array(Math.min(COPY_BYTES, old.byteLength));
    const end = Math.min(keepBytes, old.byteLength);
    for (let offset = 0; offset < end; ) {
      const count = old.read(offset, buffer.subarray(0, Math.min(buffer.length, end - offset)));
      if (count === 0) break;
      content.write(offset, buffer.subarray(0, count));
      offset += count;
    }
    old.release();
    inode.content = content;
    return content;
  }

  private setLength(inode: Inode, byteLength: number): void {
    this.makeWritable(inode, byteLength).truncate(byteLength);
    this.tree.touch(inode);
  }

  private setMode(inode: Inode, mode: number): number {
    inode.mode = inode.type | (mode & PERMISSIONS);
    inode.ctime = this.tree.now();
    return 0;
  }

  private setOwner(inode: Inode, uid: number, gid: number): number {
    if (uid >= 0) inode.uid = uid;
    if (gid >= 0) inode.gid = gid;
    // As a kernel does: what ran with the old owner's rights does not run with the new one's.
    if (inode.type === S_IF.regular) inode.mode &= inode.mode & 0o010 ? ~0o6000 : ~0o4000;
    inode.ctime = this.tree.now();
    return 0;
  }

  private setTimes(inode: Inode, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    inode.atime = this.time(atime, atimeNsec, inode.atime);
    inode.mtime = this.time(mtime, mtimeNsec, inode.mtime);
    inode.ctime = this.tree.now();
    return 0;
  }

  /** nsec -1: now; -2: as it is. */
  private time(seconds: number, nsec: number, old: Time): Time {
    if (nsec === -2) return old;
    return nsec === -1 ? this.tree.now() : { seconds, nsec };
  }

  private change(dirfd: number, name: number, apply: (inode: Inode) => number): number {
    const inode = this.existing(dirfd, name, false);
    if (typeof inode === "number") return inode;
    return this.readOnly ? -this.E.EROFS : apply(inode);
  }

  private changeOpen(fd: number, apply: (inode: Inode) => number): number {
    const file = this.files.get(fd);
    if (file === undefined) return -this.E.EBADF;
    return this.readOnly ? -this.E.EROFS : apply(file.inode);
  }

  /** A content that fails is an input/output error, or the errno it names. */
  private attempt(call: () => number | void): number {
    try {
      return call() ?? 0;
    } catch (error) {
      const { code } = error as { code?: string };
      return -((code !== undefined && this.E[code]) || this.E.EIO);
    }
  }
}
