/**
 * The component walk: resolves a path one component at a time from a held directory, opening each with O_NOFOLLOW, so
 * that no rename or planted symlink can redirect it.
 *
 * Under the rule "beneath" (peer-supplied paths) nothing leads above the base: a relative symlink inside the tree is
 * followed by walking its target on the same stack of held directories, an absolute one is refused, and ".." returns
 * to the directory that was held, never to whatever the kernel thinks the parent is by now. Under "trusted"
 * (operator-supplied paths) a path may lead anywhere, but a symlink is followed only when uid 0 or the running user
 * owns it. Upstream syscall.c:secure_walk_at and ds_descend; ona_open.
 */
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";
import { type Boundary } from "./boundary.ts";
import { isSymlink } from "./perms.ts";

/** How symlinks in the components of a path are treated; "insecure" follows them all, as the kernel does. */
export type LinkRule = "beneath" | "trusted" | "insecure";

/** Why a path was refused: what its symlink does, or that it leaves the boundary of an operator's paths. */
export type RefusalReason = "absolute" | "escapes" | "loop" | "untrusted" | "outside" | "replaced";

/** What to tell the user about a refused path. Names are byte strings. */
export interface Refusal {
  /** The path that was asked for. */
  readonly path: string;
  readonly reason: RefusalReason;
  /** The component that is a symlink ("" when the path itself led out) and where it points. */
  readonly link: string;
  readonly target: string;
  /** Owner of the link, -1 without one. */
  readonly ownerUid: number;
}

/** What to open at the end of a walk; absent, the walk ends in a directory. */
export interface LeafOpen {
  readonly flags: number;
  readonly mode: number;
  /** Do not open it, but find its directory and its name. */
  readonly pin?: boolean;
}

/** A directory, by descriptor, and a name in it. */
export interface Pinned {
  readonly fd: number;
  readonly name: string;
}

const MAX_HOPS = 40;
/** Where Linux shows a process its own descriptors. */
const PROC_FDS = "/proc/self/fd";
/** What following a name came to that is no symlink. */
const NO_SYMLINK = 1;
const NO_LINK: Pick<Refusal, "link" | "target" | "ownerUid"> = { link: "", target: "", ownerUid: -1 };
/** Bytes a path may have with its NUL, and a symlink target with it. */
export const PATH_MAX = 4096;

/** The names in `path` without empty ones and ".". */
function componentsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Flags that open a directory as base of at-calls, never through a symlink. O_PATH asks for no read permission. */
export function directoryFlags(fs: FileSystem): number {
  const { O } = fs.constants;
  return O.PATH | O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;
}

/** One resolution. Make one per path; `run` once. */
export class Walk {
  refusal: Refusal | null = null;
  private readonly fs: FileSystem;
  private readonly base: number;
  private readonly trusted: boolean;
  private readonly within: Boundary | null;
  private readonly buffer: number;
  private readonly stat: StatRecord = newStat();
  private path = "";
  /** Directories opened on the way, deepest last; `base` lies beneath them and is not ours. */
  private held: number[] = [];
  /** Components still to go, next one last. */
  private pending: string[] = [];
  private hops = MAX_HOPS;
  /** The name that `pin` ended at. */
  private pinned = "";
  /** The last symlink that was followed. */
  private followed = NO_LINK;

  /** `buffer`: address of PATH_MAX bytes of scratch. `within`: where a trusted walk has to end. */
  constructor(fs: FileSystem, base: number, trusted: boolean, buffer: number, within: Boundary | null = null) {
    this.fs = fs;
    this.base = base;
    this.trusted = trusted;
    this.buffer = buffer;
    this.within = within;
  }

  /** The opened directory or leaf, owned by the caller, or -errno; -ELOOP with `refusal` set when policy said no. */
  run(path: string, leaf: LeafOpen | null): number {
    this.path = path;
    const result = this.begin(path);
    const fd = result < 0 ? result : this.advance(leaf);
    for (const held of this.held) if (held !== fd) this.fs.close(held);
    return fd;
  }

  /**
   * The directory and the name that a path stands for with its last symlinks followed too. The descriptor is the
   * caller's, the name is no symlink; otherwise -errno, as `run`.
   */
  pin(path: string): Pinned | number {
    this.pinned = "";
    const fd = this.run(path, { flags: 0, mode: 0, pin: true });
    return fd < 0 ? fd : { fd, name: this.pinned };
  }

  private begin(path: string): number {
    if (path.startsWith("/")) {
      if (!this.trusted) return -this.fs.constants.E.EINVAL;
      const result = this.restart();
      if (result < 0) return result;
    }
    this.pending = componentsOf(path).reverse();
    return 0;
  }

  private advance(leaf: LeafOpen | null): number {
    const { fs } = this;
    const { E, O } = fs.constants;
    while (this.pending.length > 0) {
      const part = this.pending.pop()!;
      const atLeaf = leaf !== null && this.pending.length === 0 && part !== "..";
      if (part === "..") {
        const result = this.ascend();
        if (result < 0) return result;
        continue;
      }
      if (atLeaf && leaf.pin) {
        const result = this.follow(part, NO_SYMLINK);
        if (result < 0) return result;
        if (result === 0) continue;
        this.pinned = part;
        return this.take(null);
      }
      // Before the leaf is opened, as that may make a file.
      if (atLeaf && this.isOutside(this.current())) return this.refuse("outside", this.followed);
      const flags = atLeaf ? leaf.flags | O.NOFOLLOW | O.CLOEXEC : directoryFlags(fs);
      const fd = atLeaf ? this.openLeaf(part, flags, leaf.mode) : fs.openat(this.current(), fs.cstr(part), flags, 0);
      if (fd >= 0) {
        if (atLeaf) return fd;
        this.held.push(fd);
        continue;
      }
      if (fd !== -E.ELOOP && fd !== -E.ENOTDIR) return fd;
      const result = this.follow(part, fd);
      if (result < 0) return result;
    }
    if (leaf?.pin) {
      this.pinned = ".";
      return this.take(null);
    }
    if (leaf && !(leaf.flags & O.DIRECTORY)) return -E.EISDIR;
    return this.take(leaf);
  }

  /**
   * Opens what the path names; -ELOOP when it is a symlink to follow. An entry of /proc/self/fd is opened by the
   * kernel: what it leads to may have no path (`--files-from=<(...)` of a shell is a pipe).
   */
  private openLeaf(part: string, flags: number, mode: number): number {
    const { fs } = this;
    const { O, E } = fs.constants;
    const fd = fs.openat(this.current(), fs.cstr(part), flags, mode);
    const isLink = fd === -E.ELOOP || (fd >= 0 && (flags & O.PATH) !== 0 && this.isSymlink(fd));
    if (!isLink) return fd;
    if (fd >= 0) fs.close(fd);
    if (!this.trusted || this.within !== null || !this.isDescriptor(part)) return -E.ELOOP;
    return fs.openat(this.current(), fs.cstr(part), flags & ~O.NOFOLLOW, mode);
  }

  private isSymlink(fd: number): boolean {
    return this.fs.fstat(fd, this.stat) >= 0 && isSymlink(this.stat.mode);
  }

  /** A descriptor of a process of this user, in procfs, where nobody can put a link of their own. */
  private isDescriptor(part: string): boolean {
    const { fs, stat } = this;
    if (!/^\d+$/.test(part) || fs.fstatat(fs.constants.AT.FDCWD, fs.cstr(PROC_FDS), stat, true) < 0) return false;
    const { devLo, devHi } = stat;
    if (fs.fstatat(this.current(), fs.cstr(part), stat, false) < 0) return false;
    return stat.devLo === devLo && stat.devHi === devHi && stat.uid === fs.euid;
  }

  /** The directory the walk has arrived at, as a descriptor of the caller's own. */
  private take(leaf: LeafOpen | null): number {
    const { fs } = this;
    if (this.isOutside(this.current())) return this.refuse("outside", this.followed);
    if (leaf === null && this.held.length > 0) return this.held[this.held.length - 1];
    const flags = leaf === null ? directoryFlags(fs) : leaf.flags | fs.constants.O.CLOEXEC;
    return fs.openat(this.current(), fs.cstr("."), flags, 0);
  }

  private isOutside(dirFd: number): boolean {
    return this.within !== null && !this.within.contains(dirFd);
  }

  private current(): number {
    return this.held.length > 0 ? this.held[this.held.length - 1] : this.base;
  }

  private ascend(): number {
    if (this.trusted) {
      const fd = this.fs.openat(this.current(), this.fs.cstr(".."), directoryFlags(this.fs), 0);
      if (fd >= 0) this.held.push(fd);
      return fd;
    }
    const fd = this.held.pop();
    if (fd === undefined) return this.refuse("escapes", this.followed);
    return this.fs.close(fd);
  }

  /** Goes on at the file system's root: the start of an absolute path. */
  private restart(): number {
    const fd = this.fs.openat(this.fs.constants.AT.FDCWD, this.fs.cstr("/"), directoryFlags(this.fs), 0);
    if (fd >= 0) this.held.push(fd);
    return fd;
  }

  /** Puts a symlink's target in front of what is left, if the rule allows; `openError` if it is no symlink. */
  private follow(part: string, openError: number): number {
    const { E } = this.fs.constants;
    const link = this.readLink(part);
    if (typeof link === "number") return link === -E.EINVAL ? openError : link;
    if (link === "") return -E.ELOOP;
    const ownerUid = this.stat.uid;
    this.followed = { link: part, target: link, ownerUid };
    if (this.trusted && ownerUid !== 0 && ownerUid !== this.fs.euid) return this.refuse("untrusted", this.followed);
    if (!this.trusted && link.startsWith("/")) return this.refuse("absolute", this.followed);
    if (--this.hops < 0) return this.refuse("loop", this.followed);
    if (link.startsWith("/")) {
      const result = this.restart();
      if (result < 0) return result;
    }
    const target = componentsOf(link);
    for (let i = target.length - 1; i >= 0; i--) this.pending.push(target[i]);
    return 0;
  }

  /** Target of a symlink and, in `stat`, its owner: both of one inode where a descriptor can pin it. */
  private readLink(part: string): string | number {
    const { fs } = this;
    const { O, E } = fs.constants;
    if (!fs.capabilities.atCalls || O.PATH === 0) {
      const looked = fs.fstatat(this.current(), fs.cstr(part), this.stat, false);
      return looked < 0 ? looked : this.readTarget(this.current(), part);
    }
    const fd = fs.openat(this.current(), fs.cstr(part), O.PATH | O.NOFOLLOW | O.CLOEXEC, 0);
    if (fd < 0) return fd;
    const looked = fs.fstat(fd, this.stat);
    const target = looked < 0 ? looked : this.readTarget(fd, "");
    fs.close(fd);
    // Asked by descriptor alone, Linux says ENOENT of what is not a symlink.
    return target === -E.ENOENT ? -E.EINVAL : target;
  }

  private readTarget(dirFd: number, name: string): string | number {
    const { fs } = this;
    const length = fs.readlinkat(dirFd, fs.cstr(name), this.buffer, PATH_MAX);
    if (length >= PATH_MAX) return -fs.constants.E.ENAMETOOLONG;
    return length < 0 ? length : fs.memory.readLatin1(this.buffer, length);
  }

  private refuse(reason: RefusalReason, at: typeof NO_LINK): number {
    this.refusal = { path: this.path, reason, ...at };
    return -this.fs.constants.E.ELOOP;
  }
}
