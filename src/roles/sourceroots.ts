/**
 * The sender's directories. Those that arguments start from are entered as by any program. With --relative, the
 * directories above an argument may be reached through symlinks that root or the user owns and through others that
 * stay below the start; those above an entry of --files-from, which others may have written, only through the former.
 * Below that no symlink leads out, not even one that has taken a directory's place since it was looked at. Options that
 * follow symlinks follow them all, but on a daemon only within the module.
 *
 * Upstream flist.c:secure_opendir, sender.c:sender_open_confined, with its later correction for trusted symlinks above
 * an argument.
 */
import { type Boundary } from "../files/boundary.ts";
import { Confined } from "../files/confine.ts";
import { type ConfinePolicy, type NamedDirs } from "../files/confinepolicy.ts";
import { type TransferRoot, type WalkRoots } from "../flist/roots.ts";
import { type FileSystem } from "../posix/filesystem.ts";

/** How a sender treats symlinks. */
export interface SourceRules {
  /** Symlinks are followed wherever they lead: -L and its kin, --insecure-links. */
  readonly follows: boolean;
  /** Arguments keep their directories. */
  readonly relative: boolean;
  /** Names come from a list: see above, and where they have to end. */
  readonly listed: boolean;
  readonly within: Boundary | null;
  /** A daemon's module, which nothing leads out of, and the path of a root below it. */
  readonly module: { readonly root: Confined; inside(path: string): string } | null;
  readonly refused: ConfinePolicy["refused"];
  readonly quote?: ConfinePolicy["quote"];
}

/** See the head of this file. */
export class SourceRoots implements WalkRoots {
  readonly pin: WalkRoots["pin"];
  private readonly fs: FileSystem;
  private readonly rules: SourceRules;
  private readonly roots = new Map<number, { readonly confined: Confined; readonly named: Set<string> }>();

  constructor(fs: FileSystem, rules: SourceRules) {
    this.fs = fs;
    this.rules = rules;
    this.pin = rules.module ? (root, path, silent) => this.of(root).pin(path, silent) : null;
  }

  open(path: string): number {
    const { fs, rules } = this;
    const { module, refused, quote } = rules;
    const { O, AT } = fs.constants;
    const inside = module?.inside(path) ?? "";
    const fd = module ? module.root.openDirectory(inside)
      : fs.openat(AT.FDCWD, fs.cstr(path), O.PATH | O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
    if (fd < 0) return fd;
    const unsearched = searchError(fs, fd);
    if (unsearched < 0) {
      fs.close(fd);
      return unsearched;
    }
    const named = new Set<string>();
    const policy: ConfinePolicy = module
      ? { links: "beneath", refused, quote, above: { fd: module.root.rootFd, path: inside } }
      : { links: rules.follows ? "insecure" : "beneath", refused, quote, named: this.namedDirs(named) };
    this.roots.set(fd, { confined: new Confined(fs, fd, path, policy), named });
    return fd;
  }

  private namedDirs(named: ReadonlySet<string>): NamedDirs | null {
    const { relative, follows, listed, within } = this.rules;
    return relative && !follows ? { inTree: !listed, within, has: (dir) => named.has(dir) } : null;
  }

  name(root: TransferRoot, path: string, entered: boolean): void {
    const { named } = this.roots.get(root.fd)!;
    if (!this.rules.relative) return;
    let dir = entered ? path : path.slice(0, Math.max(path.lastIndexOf("/"), 0));
    // All above a named directory is named already.
    for (; dir !== "" && !named.has(dir); dir = dir.slice(0, Math.max(dir.lastIndexOf("/"), 0))) named.add(dir);
    if (path.startsWith("/")) named.add("/");
  }

  dirFd(root: TransferRoot, dir: string): number {
    return this.of(root).dirFd(dir);
  }

  list(root: TransferRoot, dir: string): number {
    const { fs, rules } = this;
    const fd = this.of(root).openDirectory(dir);
    // Where links are followed rsync lists a directory that may be read but not searched, too, and fails at each name.
    const refused = fd < 0 || (rules.follows && !rules.module) ? 0 : searchError(fs, fd);
    if (refused === 0) return fd;
    fs.close(fd);
    return refused;
  }

  /** The root as all file work goes through it. */
  of(root: TransferRoot): Confined {
    return this.roots.get(root.fd)!.confined;
  }

  close(): void {
    for (const { confined } of this.roots.values()) confined.close();
    this.roots.clear();
  }
}

/** 0, or -errno when names in an open directory cannot be reached. Root needs no right to search. */
function searchError(fs: FileSystem, dirFd: number): number {
  if (fs.euid === 0 || !fs.capabilities.atCalls) return 0;
  const { O } = fs.constants;
  const fd = fs.openat(dirFd, fs.cstr("."), O.PATH | O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
  return fd < 0 ? fd : fs.close(fd);
}
