/**
 * Is a source what it was? A root that vanished, was emptied or lies on another device would have a mirror delete
 * everything: deletions wait until the source is back, and somebody is told.
 */
import { type FileSystem, newStat, type StatRecord } from "../posix/filesystem.ts";
import { type GuardEvent } from "./events.ts";
import { isDirectory, type Source } from "./sources.ts";

/** What is wrong, or null. */
export type Problem = GuardEvent["problem"];

/** The guard of one source. */
export class Guard {
  readonly source: Source;
  problem: Problem = null;
  private readonly fs: FileSystem;
  private readonly allowEmpty: boolean;
  private readonly stat: StatRecord = newStat();
  private device: string | null = null;

  constructor(fs: FileSystem, source: Source, allowEmpty: boolean) {
    this.fs = fs;
    this.source = source;
    this.allowEmpty = allowEmpty;
    this.check();
  }

  /** Looks again. True when the verdict has changed. */
  check(): boolean {
    const before = this.problem;
    this.problem = this.look();
    return this.problem !== before;
  }

  private look(): Problem {
    const { fs, stat, source } = this;
    const { AT } = fs.constants;
    if (fs.fstatat(AT.FDCWD, fs.cstr(source.root), stat, true) < 0 || !isDirectory(stat)) return "vanished";
    const device = `${stat.devHi}:${stat.devLo}`;
    this.device ??= device;
    if (this.device !== device) return "device";
    return this.allowEmpty || !source.isDir || this.hasEntries() ? null : "emptied";
  }

  private hasEntries(): boolean {
    const { fs } = this;
    const { O, AT } = fs.constants;
    const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
    const fd = fs.openat(AT.FDCWD, fs.cstr(this.source.root), flags, 0);
    if (fd < 0) return true;
    let found = false;
    fs.readDir(fd, () => {
      found = true;
    });
    fs.close(fd);
    return found;
  }
}
