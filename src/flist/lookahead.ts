/**
 * Directories that the walk will come to next, opened and listed by a helper thread (posix/listahead.ts) while this
 * thread encodes and compares what is there. Only for large trees: a helper has to be started.
 */
import { type FileSystem } from "../posix/filesystem.ts";
import { type ListAhead } from "../posix/listahead.ts";
import { FileFlag } from "../protocol/constants.ts";
import { type Segments } from "./segments.ts";

/** Entries after which a helper is worth its start. */
const HELPER_FROM = 2000;
/** Directories ahead of the walk. */
const DEPTH = 7;
/** What was found earlier than this is not believed any more, milliseconds. */
const MAX_AGE_MS = 250;

const { contentDir, duplicate } = FileFlag;

/** What a lookahead works with. */
export interface LookaheadParts {
  readonly fs: FileSystem;
  /** A clock, milliseconds. */
  readonly now: () => number;
  /** Would the walk gain by it? Not while this thread and others have enough to do with files. */
  readonly worthwhile: () => boolean;
}

interface Opened {
  /** The directory's descriptor, or -errno. */
  readonly fd: number;
  readonly since: number;
}

/** See the head of this file. Directories are known by their number in the directory list. */
export class Lookahead {
  private readonly p: LookaheadParts;
  private readonly opened = new Map<number, Opened>();
  private ahead: ListAhead | null = null;
  private seen = 0;

  constructor(parts: LookaheadParts) {
    this.p = parts;
  }

  /** Counts entries of a directory that has been listed. */
  count(entries: number): void {
    const before = this.seen;
    this.seen += entries;
    if (before >= HELPER_FROM || this.seen < HELPER_FROM || !this.p.fs.listAhead || !this.p.worthwhile()) return;
    this.ahead = this.p.fs.listAhead();
    this.ahead?.start();
  }

  /**
   * Has directory `ndx` and those behind it listed, as long as they are of root `root` and their contents are wanted.
   * `open`: opens one, or -errno.
   */
  plan({ dirList, tree }: Segments, ndx: number, root: number, open: (ndx: number) => number): void {
    const { ahead } = this;
    if (ahead === null) return;
    for (let next = ndx, steps = 0; next >= 0 && steps < DEPTH && ahead.hasRoom; steps++) {
      const wanted = (dirList.flags[next] & (contentDir | duplicate)) === contentDir;
      if (!wanted || (dirList.extra.pathRoot?.[next] ?? 0) !== root) return;
      if (!this.opened.has(next)) this.offer(next, open(next));
      next = tree.nextSibling(next);
    }
  }

  /** The descriptor of a directory that was planned, for the caller to close, or -errno; undefined for others. */
  take(ndx: number): number | undefined {
    const found = this.opened.get(ndx);
    if (found === undefined) return undefined;
    this.opened.delete(ndx);
    if (this.p.now() - found.since <= MAX_AGE_MS) return found.fd;
    this.discard(found.fd);
    return undefined;
  }

  close(): void {
    for (const { fd } of this.opened.values()) this.discard(fd);
    this.opened.clear();
    this.ahead?.close();
    this.ahead = null;
  }

  private offer(ndx: number, fd: number): void {
    this.opened.set(ndx, { fd, since: this.p.now() });
    if (fd >= 0) this.ahead!.offer(fd);
  }

  private discard(fd: number): void {
    if (fd < 0) return;
    this.ahead!.withdraw(fd);
    this.p.fs.close(fd);
  }
}
