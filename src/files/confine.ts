/**
 * Path safety: every path of a peer or an operator becomes a held directory descriptor plus one name, here and only
 * here. A caller that goes through a Confined cannot be led outside.
 *
 * Directories are held open, found again by path or by interned id, and dropped oldest first; a held descriptor stays
 * the directory it was, whatever happens to its path meanwhile. The last component of a path is never followed.
 * openat2(RESOLVE_BENEATH) resolves where the kernel has it; whatever it refuses, the component walk of walk.ts looks
 * at again, which can tell why. Upstream syscall.c: secure_relative_open, held_dfd_for, the do_*_at family.
 */
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";
import { type Boundary } from "./boundary.ts";
import { KernelResolver } from "./kernelresolver.ts";
import { CHMOD_BITS, isSymlink } from "./perms.ts";
import { linkPlace, renamePlace } from "./places.ts";
import { type ConfinePolicy, type NamedDirs } from "./confinepolicy.ts";
import { type DirTable, type FileRows } from "./rows.ts";
import { directoryFlags, type LeafOpen, type LinkRule, PATH_MAX, type Pinned, type Refusal, Walk } from "./walk.ts";

/** Directories held open at once; well below the usual limit of 1024 descriptors. */
const DEFAULT_HELD = 128;

interface HeldDir {
  readonly path: string;
  readonly fd: number;
  /** Interned id under which it was asked for, -1 if only by path. */
  id: number;
  stamp: number;
}

/** A path in one of several roots: the destination, --backup-dir, --temp-dir ... */
export interface Place {
  readonly root: Confined;
  readonly path: string;
}

/** A directory, and everything that may be reached from it. See the head of this file. */
export class Confined {
  readonly fs: FileSystem;
  rootFd: number;
  /** The root's own path, for messages only. */
  readonly rootPath: string;
  readonly policy: ConfinePolicy;
  /** See `sharesWith`. */
  private kin: Set<Confined> | null = null;
  /** A relative has changed directories: what was opened as root may be elsewhere now, or nowhere. */
  maybeMoved = false;
  /** Why the last -ELOOP came; null when the kernel said ELOOP by itself. */
  refusal: Refusal | null = null;
  private readonly held = new Map<string, HeldDir>();
  private readonly maxHeld: number;
  private stamp = 0;
  private lastPath = "";
  private lastFd: number;
  /** Of the held directories by interned id, for one DirTable. */
  private table: DirTable | null = null;
  private fdById = new Int32Array(64).fill(-1);
  private lastId = -1;
  private lastIdFd = -1;
  private readonly kernel: KernelResolver;
  /** A refusal may yet come to nothing. */
  private silent = false;
  /** Whether the root lies within the policy's boundary, once that was asked. */
  private rootIsWithin: boolean | null = null;
  /** Some held directory may have been reached through a symlink. */
  private followedLinks = false;
  private readonly buffer: number;
  /** Flags of every file that is opened. */
  private readonly openFlags: number;
  /** Basename of the last `locate`. */
  private leaf = "";

  /** Takes over `rootFd`, an open directory. */
  constructor(fs: FileSystem, rootFd: number, rootPath: string, policy: ConfinePolicy) {
    this.fs = fs;
    this.rootFd = rootFd;
    this.rootPath = rootPath;
    this.policy = policy;
    this.maxHeld = policy.maxHeld ?? DEFAULT_HELD;
    this.lastFd = rootFd;
    this.kernel = new KernelResolver(fs, !policy.walkOnly && policy.links !== "insecure" && !policy.within);
    this.buffer = fs.memory.alloc(PATH_MAX);
    const { O } = fs.constants;
    this.openFlags = O.NOFOLLOW | O.CLOEXEC | (policy.noatime ? O.NOATIME : 0);
  }

  /** Held descriptor of a directory ("" is the root), not to be closed by the caller, or -errno. */
  dirFd(dir: string): number {
    if (dir === this.lastPath) return this.lastFd;
    if (dir === "" || dir === ".") return this.policy.within ? this.rootWithin(this.policy.within) : this.rootFd;
    const found = this.held.get(dir);
    if (found !== undefined) {
      found.stamp = ++this.stamp;
      this.lastPath = dir;
      this.lastFd = found.fd;
      return found.fd;
    }
    return this.openDir(dir);
  }

  /** `dirFd` of an interned directory: a comparison when it is the same as last time, an array read when it is held. */
  dirFdById(table: DirTable, id: number): number {
    if (id === this.lastId && table === this.table) return this.lastIdFd;
    if (table !== this.table) this.changeTable(table);
    let fd = id < this.fdById.length ? this.fdById[id] : -1;
    if (fd < 0) {
      const dir = table.names[id];
      fd = this.dirFd(dir);
      if (fd < 0 || dir === "") return fd;
      this.remember(dir, id, fd);
    }
    this.lastId = id;
    this.lastIdFd = fd;
    return fd;
  }

  /** Has another root, over directories that this one may reach too, hear of what this one forgets, and vice versa. */
  sharesWith(other: Confined): void {
    other.kin = this.kin ??= new Set([this]);
    this.kin.add(other);
  }

  /** Takes over `rootFd` in place of the root it had: the same path, opened again. */
  replaceRoot(rootFd: number): void {
    for (const slot of this.held.values()) this.drop(slot);
    this.fs.close(this.rootFd);
    this.rootFd = this.lastFd = rootFd;
    this.lastPath = "";
    this.maybeMoved = false;
  }

  /** Forgets a directory and all beneath it, after it was removed, renamed or replaced. */
  forget(dir: string): void {
    const prefix = dir + "/";
    for (const slot of this.held.values()) if (slot.path === dir || slot.path.startsWith(prefix)) this.drop(slot);
    if (!this.kin) return;
    // The others know it by other names.
    for (const other of this.kin) {
      if (other === this) continue;
      for (const slot of other.held.values()) other.drop(slot);
      other.maybeMoved = true;
    }
  }

  /** `forget` for a name that is gone or replaced; a plain file's matters only if it was a symlink to a directory. */
  forgetName(path: string, plainFile: boolean): void {
    if (!plainFile || this.followedLinks) this.forget(path);
  }

  /** Closes everything, the root too. */
  close(): void {
    for (const slot of this.held.values()) this.drop(slot);
    if (this.rootFd >= 0) this.fs.close(this.rootFd);
    this.fs.memory.release(this.buffer);
  }

  // Calls by path. Each returns a value >= 0 or -errno.

  lstat(path: string, stat: StatRecord): number {
    const fd = this.locate(path);
    return fd < 0 ? fd : this.fs.fstatat(fd, this.fs.cstr(this.leaf), stat, false);
  }

  /** As `lstat`, but a final symlink that leads to a directory answers for it. Upstream link_stat, follow_dirlinks. */
  stat(path: string, stat: StatRecord): number {
    const result = this.lstat(path, stat);
    if (result < 0 || !isSymlink(stat.mode)) return result;
    this.statDirectory(path, stat);
    return 0;
  }

  /** Never follows a final symlink (-ELOOP). With dryRun, opening for writing is -EROFS. */
  open(path: string, flags: number, mode: number): number {
    const { O, E } = this.fs.constants;
    if (this.policy.dryRun && flags & (O.WRONLY | O.RDWR | O.CREAT)) return -E.EROFS;
    const fd = this.locate(path);
    if (fd < 0) return fd;
    return this.fs.openat(fd, this.fs.cstr(this.leaf), flags | this.openFlags, mode);
  }

  /** Opens through a final symlink as far as the policy follows links: what the operator named. */
  openFollowing(path: string, flags: number, mode: number): number {
    const { O, E } = this.fs.constants;
    this.refusal = null;
    if (this.policy.links === "insecure") {
      return this.fs.openat(this.rootFd, this.fs.cstr(path), flags | O.CLOEXEC, mode);
    }
    if (this.policy.dryRun && flags & (O.WRONLY | O.RDWR | O.CREAT)) return -E.EROFS;
    if (this.kernel.usable && this.policy.links === "trusted") {
      const direct = this.kernel.withoutLinks(this.rootFd, path, flags, mode);
      if (direct !== -E.ELOOP && direct !== -E.ENOSYS) return direct;
    }
    // A root that is the working directory (AT_FDCWD, which is negative) is no descriptor to `open` from.
    const fd = flags & O.PATH || this.rootFd < 0 ? -E.ELOOP : this.open(path, flags, mode);
    if (fd !== -E.ELOOP && fd !== -E.ENOTDIR) return fd;
    return this.walk(path, { flags, mode });
  }

  /**
   * Where a path leads when its last symlinks are followed too, by the policy of what a peer names: a directory, whose
   * descriptor is the caller's, and a name in it that is no symlink. -errno when it leads nowhere or, which is told
   * unless `silent`, out.
   */
  pin(path: string, silent = false): Pinned | number {
    this.silent = silent;
    const pinned = this.walked(path, (walk, whole) => walk.pin(whole));
    this.silent = false;
    return pinned;
  }

  /** A readable descriptor of a directory, for listing. The caller closes it. */
  openDirectory(dir: string): number {
    const { fs, policy } = this;
    const { O } = fs.constants;
    const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
    if (this.kernel.usable && policy.links === "beneath" && !policy.named && !this.held.has(dir) && !hasDotDot(dir)) {
      const direct = this.kernel.beneath(this.rootFd, dir === "" ? "." : dir, flags);
      if (direct >= 0) return direct;
    }
    if (policy.links === "insecure" && dir !== "") return fs.openat(this.rootFd, fs.cstr(dir), flags, 0);
    const fd = this.dirFd(dir);
    return fd < 0 ? fd : fs.openat(fd, fs.cstr("."), flags, 0);
  }

  /**
   * A descriptor of the caller's own for a directory that is there by a plain path, opened in one call that nobody is
   * told of; or -errno, also where that cannot be had.
   */
  peekDirectory(dir: string): number {
    const { fs, kernel, policy } = this;
    if (policy.within || policy.named || hasDotDot(dir)) return -fs.constants.E.ENOSYS;
    return kernel.beneath(this.rootFd, dir, fs.constants.O.RDONLY | fs.constants.O.DIRECTORY);
  }

  mkdir(path: string, mode: number): number {
    if (this.policy.dryRun) return 0;
    const fd = this.locate(path);
    return fd < 0 ? fd : this.fs.mkdirat(fd, this.fs.cstr(this.leaf), mode);
  }

  unlink(path: string): number {
    if (this.policy.dryRun) return 0;
    const fd = this.locate(path);
    if (fd < 0) return fd;
    this.forgetName(path, true);
    return this.fs.unlinkat(fd, this.fs.cstr(this.leaf), 0);
  }

  rmdir(path: string): number {
    if (this.policy.dryRun) return 0;
    this.forget(path);
    const fd = this.locate(path);
    return fd < 0 ? fd : this.fs.unlinkat(fd, this.fs.cstr(this.leaf), this.fs.constants.AT.REMOVEDIR);
  }

  rename(from: string, to: string): number {
    return renamePlace({ root: this, path: from }, { root: this, path: to });
  }

  link(from: string, to: string): number {
    return linkPlace({ root: this, path: from }, { root: this, path: to });
  }

  /** `target` is stored as it is. */
  symlink(target: string, path: string): number {
    if (this.policy.dryRun) return 0;
    const fd = this.locate(path);
    if (fd < 0) return fd;
    return this.fs.symlinkat(this.fs.cstr(target), fd, this.fs.cstr(this.leaf));
  }

  /** The target of a symlink, or -errno (-EINVAL when it is none). */
  readlink(path: string): string | number {
    const fd = this.locate(path);
    if (fd < 0) return fd;
    const length = this.fs.readlinkat(fd, this.fs.cstr(this.leaf), this.buffer, PATH_MAX);
    return length < 0 ? length : this.fs.memory.readLatin1(this.buffer, length);
  }

  mknod(path: string, mode: number, major: number, minor: number): number {
    if (this.policy.dryRun) return 0;
    const fd = this.locate(path);
    return fd < 0 ? fd : this.fs.mknodat(fd, this.fs.cstr(this.leaf), mode, major, minor);
  }

  /** Never through a symlink: -ELOOP. */
  chmod(path: string, mode: number): number {
    if (this.policy.dryRun) return 0;
    const fd = this.locate(path);
    return fd < 0 ? fd : this.chmodAt(fd, this.fs.cstr(this.leaf), mode);
  }

  /** Never follows a symlink; an id of -1 leaves it alone. */
  chown(path: string, uid: number, gid: number): number {
    if (this.policy.dryRun) return 0;
    const fd = this.locate(path);
    return fd < 0 ? fd : this.fs.lchownat(fd, this.fs.cstr(this.leaf), uid, gid);
  }

  /** Never follows a symlink; a nsec of -2 leaves that time alone. */
  utimens(path: string, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    if (this.policy.dryRun) return 0;
    const fd = this.locate(path);
    if (fd < 0) return fd;
    return this.fs.utimensat(fd, this.fs.cstr(this.leaf), atime, atimeNsec, mtime, mtimeNsec);
  }

  /** Whether a name is there at all, a dangling symlink included. */
  exists(path: string, stat: StatRecord): boolean {
    return this.lstat(path, stat) >= 0;
  }

  // Calls by list row: no strings are made.

  /** Held directory of a row, or -errno. */
  rowDirFd(rows: FileRows, row: number): number {
    return this.dirFdById(rows.dirs, rows.dir[row]);
  }

  lstatRow(rows: FileRows, row: number, stat: StatRecord): number {
    const fd = this.dirFdById(rows.dirs, rows.dir[row]);
    return fd < 0 ? fd : this.fs.fstatat(fd, rows.namePtr[row], stat, false);
  }

  openRow(rows: FileRows, row: number, flags: number, mode: number): number {
    const { O, E } = this.fs.constants;
    if (this.policy.dryRun && flags & (O.WRONLY | O.RDWR | O.CREAT)) return -E.EROFS;
    const fd = this.dirFdById(rows.dirs, rows.dir[row]);
    return fd < 0 ? fd : this.fs.openat(fd, rows.namePtr[row], flags | this.openFlags, mode);
  }

  /** `lstatRow`, with `stat`'s rule for a symlink to a directory. */
  statRow(rows: FileRows, row: number, stat: StatRecord): number {
    const result = this.lstatRow(rows, row, stat);
    if (result < 0 || !isSymlink(stat.mode)) return result;
    this.statDirectory(rows.path(row), stat);
    return 0;
  }

  mkdirRow(rows: FileRows, row: number, mode: number): number {
    if (this.policy.dryRun) return 0;
    const fd = this.dirFdById(rows.dirs, rows.dir[row]);
    return fd < 0 ? fd : this.fs.mkdirat(fd, rows.namePtr[row], mode);
  }

  /** Renames `name` in the row's own directory onto the row's name: the temp file into place. */
  renameOntoRow(name: string, rows: FileRows, row: number): number {
    if (this.policy.dryRun) return 0;
    const fd = this.dirFdById(rows.dirs, rows.dir[row]);
    if (fd < 0) return fd;
    if (this.followedLinks) this.forget(rows.path(row));
    return this.fs.renameat(fd, this.fs.cstr(name), fd, rows.namePtr[row]);
  }

  /** The whole path. */
  fullName(path: string): string {
    if (path.startsWith("/")) return path;
    return this.rootPath.endsWith("/") ? this.rootPath + path : `${this.rootPath}/${path}`;
  }

  /** The whole path as messages show it. Upstream util1.c:full_fname. */
  quoted(path: string): string {
    const full = this.fullName(path);
    return this.policy.quote?.(full, this.rootPath) ?? `"${full}"`;
  }

  /** Splits a path: returns its directory's descriptor or -errno, and leaves the last name in `leaf`. */
  locate(path: string): number {
    let end = path.length;
    while (end > 1 && path.charCodeAt(end - 1) === 0x2f) end--;
    const slash = path.lastIndexOf("/", end - 1);
    const leaf = path.slice(slash + 1, end);
    if (leaf === ".." || leaf === "") return this.locateSpecial(path.slice(0, end), leaf);
    this.leaf = leaf;
    const { within } = this.policy;
    if (within) return this.locateWithin(slash === 0 ? "/" : path.slice(0, Math.max(slash, 0)), path.slice(0, end));
    if (slash < 0) return this.rootFd;
    return this.dirFd(slash === 0 ? "/" : path.slice(0, slash));
  }

  /** The last name that `locate` found. */
  get located(): string {
    return this.leaf;
  }

  /** Changes a mode by a held directory and the address of a name, never through a symlink. */
  chmodAt(dirFd: number, name: number, mode: number): number {
    const { fs } = this;
    const { O, E } = fs.constants;
    const result = fs.fchmodat(dirFd, name, mode & CHMOD_BITS);
    if (result !== -E.EOPNOTSUPP && result !== -E.ENOSYS) return result;
    // The C library knows no chmod that spares symlinks, or it is one: a descriptor tells.
    const fd = fs.openat(dirFd, name, O.RDONLY | O.NOFOLLOW | O.NONBLOCK | O.CLOEXEC, 0);
    if (fd < 0) return fd;
    const changed = fs.fchmod(fd, mode & CHMOD_BITS);
    fs.close(fd);
    return changed;
  }

  private locateSpecial(path: string, leaf: string): number {
    // "/" and "x/..": the directory itself, as "." of it.
    if (leaf === "" && path !== "/") return -this.fs.constants.E.ENOENT;
    this.leaf = ".";
    return this.dirFd(path);
  }

  /** The boundary itself lies in a directory outside it; it is then reached as its own ".". */
  private locateWithin(dir: string, path: string): number {
    const { leaf } = this;
    this.silent = true;
    const fd = this.dirFd(dir);
    const { refusal } = this;
    const itself = fd < 0 ? this.dirFd(path) : -1;
    this.silent = false;
    if (fd >= 0) return fd;
    this.leaf = itself < 0 ? leaf : ".";
    if (itself >= 0) return itself;
    return refusal === null ? fd : this.refuse(refusal);
  }

  private rootWithin(within: Boundary): number {
    this.rootIsWithin ??= within.contains(this.rootFd);
    if (this.rootIsWithin) return this.rootFd;
    return this.refuse({ path: this.rootPath, reason: "outside", link: "", target: "", ownerUid: -1 });
  }

  private refuse(refusal: Refusal): number {
    this.refusal = refusal;
    if (!this.silent) this.policy.refused?.(refusal, this);
    return -this.fs.constants.E.ELOOP;
  }

  /** Replaces `stat` by that of the directory a symlink leads to; leaves it alone when it leads to none. */
  private statDirectory(path: string, stat: StatRecord): void {
    const fd = this.dirFd(path);
    if (fd >= 0) this.fs.fstat(fd, stat);
  }

  private openDir(dir: string): number {
    this.refusal = null;
    const fd = this.policy.named ? this.openNearNamed(dir, this.policy.named) : this.openByRule(dir);
    if (fd >= 0) this.hold(dir, fd);
    return fd;
  }

  private openByRule(dir: string): number {
    const slash = dir.lastIndexOf("/");
    const parent = slash > 0 ? this.held.get(dir.slice(0, slash)) : undefined;
    let fd = -1;
    if (parent) fd = this.openChild(parent.fd, dir.slice(slash + 1));
    else if (this.policy.within) fd = -1;
    else if (slash < 0) fd = this.openChild(this.rootFd, dir);
    else if (this.kernel.usable) fd = this.resolveInKernel(dir);
    else if (slash > 0) fd = this.openUnderParent(dir, slash);
    return fd < 0 ? this.resolve(dir) : fd;
  }

  /** A named directory by its rule; one below it, or below the root, from its parent and through no symlink. */
  private openNearNamed(dir: string, named: NamedDirs): number {
    const { fs } = this;
    const { ENOTDIR, ELOOP } = fs.constants.E;
    const slash = dir.lastIndexOf("/");
    if (named.has(dir)) return this.openNamed(dir, named);
    const parentFd = slash < 0 ? this.rootFd : this.dirFd(slash === 0 ? "/" : dir.slice(0, slash));
    if (parentFd < 0) return parentFd;
    const leaf = dir.slice(slash + 1);
    const fd = this.openChild(parentFd, leaf);
    if (fd !== -ENOTDIR && fd !== -ELOOP) return fd;
    const length = fs.readlinkat(parentFd, fs.cstr(leaf), this.buffer, PATH_MAX);
    if (length < 0) return fd;
    const target = fs.memory.readLatin1(this.buffer, length);
    const stat = newStat();
    fs.fstatat(parentFd, fs.cstr(leaf), stat, false);
    return this.refuse({ path: dir, reason: "replaced", link: leaf, target, ownerUid: stat.uid });
  }

  private openNamed(dir: string, named: NamedDirs): number {
    const slash = dir.lastIndexOf("/");
    const parent = slash > 0 ? this.held.get(dir.slice(0, slash)) : undefined;
    let fd = parent ? this.openChild(parent.fd, dir.slice(slash + 1)) : -1;
    if (fd < 0 && !named.within) fd = this.kernel.withoutLinks(this.rootFd, dir, directoryFlags(this.fs), 0);
    if (fd < 0 && named.inTree) fd = new Walk(this.fs, this.rootFd, false, this.buffer).run(dir, null);
    return fd >= 0 ? fd : this.resolveBy(dir, "trusted", named.within);
  }

  private openChild(parentFd: number, name: string): number {
    if (name === "" || name === "." || name === "..") return -1;
    return this.fs.openat(parentFd, this.fs.cstr(name), directoryFlags(this.fs), 0);
  }

  /** Holds the whole chain of parents, so that the next directory beneath one of them costs a single call. */
  private openUnderParent(dir: string, slash: number): number {
    const parentFd = this.dirFd(dir.slice(0, slash));
    return parentFd < 0 ? parentFd : this.openChild(parentFd, dir.slice(slash + 1));
  }

  /** One call for a path without symlinks; anything else is for the walk. */
  private resolveInKernel(dir: string): number {
    const { fs, kernel, rootFd } = this;
    if (this.policy.links === "trusted") return kernel.withoutLinks(rootFd, dir, directoryFlags(fs), 0);
    return hasDotDot(dir) ? -1 : kernel.beneath(rootFd, dir, directoryFlags(fs));
  }

  /** The slow way, which follows what may be followed and knows why not otherwise. */
  private resolve(dir: string): number {
    return this.resolveBy(dir, this.policy.links, this.policy.within ?? null);
  }

  private resolveBy(dir: string, links: LinkRule, within: Boundary | null): number {
    const { fs } = this;
    if (links === "insecure") {
      return fs.openat(this.rootFd, fs.cstr(dir), directoryFlags(fs) & ~fs.constants.O.NOFOLLOW, 0);
    }
    const fd = this.walk(dir, null, links, within);
    if (fd >= 0) this.followedLinks = true;
    return fd;
  }

  private walk(path: string, leaf: LeafOpen | null, links = this.policy.links, within = this.policy.within): number {
    return this.walked(path, (walk, whole) => walk.run(whole, leaf), links, within);
  }

  private walked<T>(
    path: string, run: (walk: Walk, path: string) => T, links = this.policy.links, within = this.policy.within,
  ): T | number {
    this.refusal = null;
    // A peer's path has no business with "..": it was cleaned when its name was received.
    if (links === "beneath" && hasDotDot(path)) return -this.fs.constants.E.EINVAL;
    const { above } = this.policy;
    const walk = new Walk(this.fs, above?.fd ?? this.rootFd, links === "trusted", this.buffer, within);
    const result = run(walk, above ? joinPath(above.path, path) : path);
    return walk.refusal === null ? result : this.refuse({ ...walk.refusal, path });
  }

  private hold(path: string, fd: number): void {
    if (this.held.size >= this.maxHeld) this.dropOldest();
    this.held.set(path, { path, fd, id: -1, stamp: ++this.stamp });
    this.lastPath = path;
    this.lastFd = fd;
  }

  private remember(dir: string, id: number, fd: number): void {
    const slot = this.held.get(dir);
    if (slot === undefined) return;
    if (id >= this.fdById.length) {
      const larger = new Int32Array(Math.max(id + 1, this.fdById.length * 2)).fill(-1);
      larger.set(this.fdById);
      this.fdById = larger;
    }
    slot.id = id;
    this.fdById[id] = fd;
  }

  private dropOldest(): void {
    let oldest: HeldDir | null = null;
    for (const slot of this.held.values()) if (oldest === null || slot.stamp < oldest.stamp) oldest = slot;
    if (oldest) this.drop(oldest);
  }

  private drop(slot: HeldDir): void {
    this.held.delete(slot.path);
    this.fs.close(slot.fd);
    if (slot.id >= 0) this.fdById[slot.id] = -1;
    if (this.lastPath === slot.path) {
      this.lastPath = "";
      this.lastFd = this.rootFd;
    }
    if (this.lastIdFd === slot.fd) {
      this.lastId = -1;
      this.lastIdFd = -1;
    }
  }

  private changeTable(table: DirTable): void {
    this.table = table;
    this.fdById.fill(-1);
    for (const slot of this.held.values()) slot.id = -1;
    this.lastId = -1;
  }
}

/** `path` seen from `base`; an absolute one stays as it is. */
export function joinPath(base: string, path: string): string {
  if (path === "" || path === ".") return base;
  if (path.startsWith("/") || base === "") return path;
  return base.endsWith("/") ? base + path : `${base}/${path}`;
}

function hasDotDot(path: string): boolean {
  return path.includes("..") && /(^|\/)\.\.(\/|$)/.test(path);
}
