/**
 * What an event means for the set of watches of a recursive run: new directories are watched, moved ones renamed, those
 * that left are let go. A rename shows as two events next to each other.
 */
import { IN } from "../../posix/inotify.ts";
import { type ToolIo } from "./io.ts";
import { type WatchSet } from "./watchset.ts";

/** See the file's head. */
export class Follower {
  private readonly io: ToolIo;
  private readonly set: WatchSet;
  /** A watched directory that was moved away in the last event. */
  private movedFrom: string | null = null;

  constructor(io: ToolIo, set: WatchSet) {
    this.io = io;
    this.set = set;
  }

  /** Takes an event in, after it was reported. */
  see(wd: number, mask: number, name: string): void {
    const { set } = this;
    if (this.movedFrom !== null && (mask & IN.MOVED_TO) === 0) {
      this.fail(set.remove(this.movedFrom), `Error removing watch on ${this.movedFrom}`);
      this.movedFrom = null;
    }
    if ((mask & IN.IGNORED) !== 0) set.forget(wd);
    const parent = set.nameOf(wd);
    if (parent === "" || (mask & IN.ISDIR) === 0) return;
    const path = `${parent}${name}/`;
    if ((mask & IN.CREATE) !== 0 || ((mask & IN.MOVED_TO) !== 0 && this.movedFrom === null)) {
      if (this.io.isDir(path)) this.fail(set.addTree(path, []), `Couldn't watch new directory ${path}`);
    } else if ((mask & IN.MOVED_FROM) !== 0) {
      this.movedFrom = set.has(path) ? path : null;
    } else if ((mask & IN.MOVED_TO) !== 0 && this.movedFrom !== null) {
      set.rename(this.movedFrom, path);
      this.movedFrom = null;
    }
  }

  private fail(result: number, what: string): void {
    if (result < 0) this.io.message(`${what}: ${this.io.fs.strerror(-result)}`);
  }
}
