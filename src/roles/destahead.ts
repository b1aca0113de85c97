/**
 * What stands in directories of the destination that the generator will come to next, looked at by a helper thread
 * (posix/listahead.ts). Only for runs that find most files as they are: what is missing is looked for twice.
 */
import { type FileList } from "../flist/filelist.ts";
import { type StatRecord } from "../posix/filesystem.ts";
import { type ListAhead, MOST_STATS } from "../posix/listahead.ts";
import { type Session } from "../session/session.ts";
import { type Destination } from "./destination.ts";

/** Rows after which a helper is worth its start. */
const HELPER_FROM = 2000;
/** Directories ahead of the generator. */
const DEPTH = 6;
/** What was found earlier than this is not believed any more, milliseconds. */
const MAX_AGE_MS = 250;
/** So many rows more must be found than are missing. */
const MARGIN = -100;

interface Offered {
  readonly fd: number;
  readonly since: number;
}

/** Not for a daemon's client, nor where a name may be changed by the work on another one. */
export function looksAhead({ context, options, module, fs, localLink }: Session, { soloName }: Destination): boolean {
  if (module !== null || !fs.listAhead || soloName !== null || (localLink?.clientFiles ?? null) !== null) return false;
  return context.incRecurse && options.relative === 0 && !options.backup && !options.listOnly;
}

/** See the head of this file. */
export class DestinationAhead {
  private readonly session: Session;
  private readonly destination: Destination;
  private readonly offered = new Map<FileList, Offered>();
  /** The helper of this side alone, once it is there. */
  private own: ListAhead | null = null;
  private ahead: ListAhead | null = null;
  /** The segment at hand, and where what is found of it lies. */
  private list: FileList | null = null;
  private held: { readonly slot: number; readonly fd: number } | null = null;
  private planned = -1;
  private seen = 0;
  /** Rows that were there, less those that were not. */
  private balance = 0;

  constructor(session: Session, destination: Destination) {
    this.session = session;
    this.destination = destination;
  }

  /** The generator goes on with `list`. */
  enter(list: FileList): void {
    this.leave();
    this.count(list.used);
    if (this.ahead === null) return;
    const offered = this.offered.get(list);
    if (offered !== undefined) this.take(list, offered);
    this.plan(list);
  }

  /** The lstat of a row, if it has been found: false says nothing. */
  lstat(list: FileList, row: number, stat: StatRecord): boolean {
    if (list !== this.list) return false;
    const { ahead, held } = this;
    const at = ahead!.statOf(held!.slot, row - list.low);
    if (at === 0) return false;
    this.balance += Math.sign(at);
    if (at < 0) return false;
    ahead!.decode(at, stat);
    // A file with further names may have been changed through one of them.
    return stat.nlink === 1;
  }

  close(): void {
    this.leave();
    for (const { fd } of this.offered.values()) {
      this.ahead?.withdraw(fd);
      this.session.fs.close(fd);
    }
    this.offered.clear();
    this.own?.close();
    this.own = this.ahead = null;
  }

  private leave(): void {
    const { held } = this;
    this.list = this.held = null;
    if (held === null) return;
    this.ahead!.release(held.slot);
    this.session.fs.close(held.fd);
  }

  /** Starts a helper for a large tree, or shares that of a sender in this process. */
  private count(rows: number): void {
    const { fs, localLink } = this.session;
    this.seen += rows;
    if (this.ahead !== null || this.seen < HELPER_FROM) return;
    if (localLink === null && this.own === null) {
      this.own = fs.listAhead!();
      this.own?.start();
    }
    this.ahead = this.own ?? fs.listsAhead ?? null;
  }

  private take(list: FileList, { fd, since }: Offered): void {
    const { fs, host } = this.session;
    this.offered.delete(list);
    const found = this.ahead!.take(fd);
    if (found === null) {
      fs.close(fd);
      return;
    }
    this.held = { slot: found.slot, fd };
    if (host.monotonic() - since > MAX_AGE_MS) this.leave();
    else this.list = list;
  }

  private plan(list: FileList): void {
    let next = list.next;
    for (let steps = 0; next !== null && steps < DEPTH; steps++, next = next.next) {
      if (!this.ahead!.hasRoom || this.balance < MARGIN) return;
      if (next.flistNum > this.planned) this.offer(next);
    }
  }

  private offer(list: FileList): void {
    const { low, high, active, order, dirs, dir, namePtr } = list;
    this.planned = list.flistNum;
    const isPlain = active === null && order === null && high >= low && high - low < MOST_STATS;
    if (!isPlain || dir[low] === 0 || dir[low] !== dir[high]) return;
    const fd = this.destination.root.peekDirectory(dirs.names[dir[low]]);
    if (fd < 0) {
      this.balance -= list.used;
      return;
    }
    this.offered.set(list, { fd, since: this.session.host.monotonic() });
    this.ahead!.offerNames(fd, namePtr, low, high + 1);
  }
}
