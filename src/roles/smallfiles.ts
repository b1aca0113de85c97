/**
 * The short way of small new files: one record each (posix/smallfile.ts), made here or by a helper thread while this
 * one goes on (posix/jobqueue.ts). A sender in this process offers an open source; contents from any other are
 * verified here and wait in memory. What cannot be had that way goes the ordinary way afterwards, and is reported as if
 * nothing else had been tried.
 */
import { type DefaultPerms } from "../files/defaultperms.ts";
import { destMode, INITIAL_ACCESS_PERMS, S_IWUSR } from "../files/perms.ts";
import { pooledRandom, putTempName, RANDOM_LENGTH, type RandomBytes } from "../files/tempname.ts";
import { directoryFlags } from "../files/walk.ts";
import { type FileList } from "../flist/filelist.ts";
import { ContentRing } from "../posix/contentring.ts";
import { type JobQueue } from "../posix/jobqueue.ts";
import { NO_SOURCE, RECORD_TEMP, RECORD_TIMES, SMALL_BYTES, TEMP_BYTES, Wanted, Word } from "../posix/smallfile.ts";
import { Sys } from "../posix/constants.ts";
import { writeInt64 } from "../posix/structs.ts";
import { FileFlag } from "../protocol/constants.ts";
import { type SourceOffer } from "../session/locallink.ts";
import { type Session } from "../session/session.ts";
import { type Destination } from "./destination.ts";
import { type ItemLog } from "./itemlog.ts";
import { type Receiving } from "./receiving.ts";

/** Longest basename whose temporary name fits a record with its two dots, its random letters and its NUL. */
const MAX_NAME = TEMP_BYTES - RANDOM_LENGTH - 3;
/** A directory's path from here on may leave no room for a temporary name. */
const MAX_DIRECTORY = 3072;
const NO_ID = 0xffffffff;
/** Queued files that this thread makes before it looks around again. */
const HELP = 16;

/** A file on its way. */
export interface SmallFile {
  readonly list: FileList;
  readonly row: number;
  readonly ndx: number;
  /** Null: the contents, verified, are at `ptr`. */
  readonly offer: SourceOffer | null;
  readonly ptr: number;
  readonly byteLength: number;
}

/** A directory that files are made in, by a descriptor of its own: nobody else closes it before they are done. */
interface Workplace {
  readonly fd: number;
  readonly number: number;
  users: number;
}

/** Can the short way do all that this run asks for? */
export function allowsSmallFiles(session: Session, destination: Destination, itemLog: ItemLog): boolean {
  const { options, log, localLink } = session;
  if (session.fs.jobQueue === undefined || session.fakeSuper !== null || options.copyAs !== null) return false;
  if (localLink === null ? !allowsRemote(session) : localLink.clientFiles !== null || options.removeSourceFiles > 0) {
    return false;
  }
  if (options.backup || options.inplace || options.fsync || options.delayUpdates || options.append > 0) return false;
  if (options.partialDir !== null || options.tempDir !== null || options.readBatch !== null) return false;
  if (options.preserveAcls > 0 || options.preserveXattrs > 0 || options.preserveAtimes > 0) return false;
  if (log.debug("RECV", 1) || log.debug("DELTASUM", 2) || log.debug("OWN", 1)) return false;
  return itemLog.tellsAtOnce && destination.soloName === null && session.dryRun === 0;
}

/**
 * Contents that travel must do so as they are. A daemon's process may sit behind a chroot, where a thread finds nothing
 * to load.
 */
function allowsRemote({ options, context, module }: Session): boolean {
  return module === null && context.compress === "none" && !options.sparse && !options.preallocate;
}

/** See the head of this file. */
export class SmallFiles {
  /** What went wrong while nobody was there to be told. */
  onFailure: (error: unknown) => void = () => {};
  private readonly session: Session;
  private readonly receiving: Receiving;
  private readonly dirPerms: DefaultPerms;
  private readonly queue: JobQueue;
  private readonly ordinary: (file: SmallFile) => void;
  private readonly announced: boolean;
  private readonly random: RandomBytes;
  private readonly randomBytes = new Uint8Array(RANDOM_LENGTH);
  /** Queued files by the queue's number, with the directory each is in. */
  private readonly files: (SmallFile | null)[] = [];
  private readonly places: Workplace[] = [];
  /** Contents of queued files, and for each file how far the ring is free again once it is done. */
  private readonly contents: ContentRing | null;
  private readonly marks: number[] = [];
  private place: Workplace = { fd: -1, number: 0, users: 0 };
  private placeId = -1;
  private pumping = false;
  private broken = false;
  private readonly tell = (index: number, made: boolean): void => this.ended(index, made);

  /** `ordinary`: takes a file that could not be made. `announced`: files have been told of by then. */
  constructor(
    session: Session, receiving: Receiving, dirPerms: DefaultPerms, queue: JobQueue,
    ordinary: (file: SmallFile) => void, announced: boolean,
  ) {
    this.announced = announced;
    this.session = session;
    this.receiving = receiving;
    this.dirPerms = dirPerms;
    this.queue = queue;
    this.ordinary = ordinary;
    this.contents = session.localLink === null ? new ContentRing(session.memory) : null;
    this.random = pooledRandom((bytes) => session.host.random(bytes));
  }

  /** Address of room for the contents of the next file, which `make` takes. Waits for it. */
  room(byteLength: number): number {
    const { queue } = this;
    for (;;) {
      const ptr = this.contents!.room(byteLength);
      if (ptr >= 0) return ptr;
      queue.help(HELP);
      queue.collect(this.tell);
    }
  }

  /** Is the row's file one for the short way? */
  suits(list: FileList, row: number): boolean {
    if (list.size[row] >= SMALL_BYTES || list.nameLength[row] > MAX_NAME) return false;
    const { options } = this.session;
    const ids = (options.preserveUid && list.uid[row] === NO_ID) || (options.preserveGid && list.gid[row] === NO_ID);
    return !ids && this.enter(list, row);
  }

  /** Makes the file of a row that `suits`, now or soon. */
  make(file: SmallFile): void {
    const { queue } = this;
    if (queue.outstanding > 0) queue.collect(this.tell);
    const record = queue.record();
    this.fill(record, file);
    const index = queue.submit(record);
    if (index < 0) return this.conclude(file, queue.succeeded(record));
    this.files[index] = file;
    this.places[index] = this.place;
    this.place.users++;
    if (file.offer === null) this.marks[index] = this.contents!.take(file.byteLength);
    if (!this.pumping) void this.pump();
  }

  /**
   * Waits until every file, or every one of `list`, is in place or reported. A list ends when the generator has been
   * told of its files, so that there is nothing left to wait for, unless the sender makes up its end.
   */
  drain(list: FileList | null = null): void {
    const { queue } = this;
    const awaited = (file: SmallFile | null): boolean => file !== null && (list === null || file.list === list);
    while (queue.outstanding > 0 && this.files.some(awaited)) {
      queue.help(HELP);
      queue.collect(this.tell);
    }
  }

  close(): void {
    // Their files are no use any more, but their memory must not be taken away under them.
    const { queue } = this;
    while (queue.outstanding > 0) {
      queue.help(HELP);
      queue.collect((index) => this.leave(index));
    }
    queue.close();
    this.contents?.release();
    if (this.place.fd >= 0) this.session.fs.close(this.place.fd);
  }

  /**
   * Goes on with the queue while every role waits, which is when a turn of the event loop comes: nothing else would
   * tell them of files that the helper has made.
   */
  private async pump(): Promise<void> {
    const { session, queue } = this;
    this.pumping = true;
    try {
      while (queue.outstanding > 0) {
        await session.host.sleep(0);
        queue.help(HELP);
        queue.collect(this.tell);
      }
    } catch (error) {
      this.onFailure(error);
    }
    this.pumping = false;
  }

  private ended(index: number, made: boolean): void {
    const file = this.files[index]!;
    try {
      this.conclude(file, made);
    } finally {
      this.leave(index);
    }
  }

  private conclude(file: SmallFile, made: boolean): void {
    if (made) {
      this.session.stats.literalData += file.byteLength;
      this.receiving.success(file.ndx);
    } else if (this.broken) {
      if (file.offer) this.session.fs.close(file.offer.fd);
    } else {
      // Stays so if this throws: the run is over then, and the file at hand the one to clean up.
      this.broken = true;
      this.ordinary(file);
      this.broken = false;
    }
  }

  /** Opens the row's directory anew, unless it is the one at hand. */
  private enter(list: FileList, row: number): boolean {
    const id = list.dir[row];
    if (id === this.placeId) return true;
    const { fs } = this.session;
    const held = this.receiving.destination.root.rowDirFd(list, row);
    if (held < 0 || list.dirname(row).length > MAX_DIRECTORY) return false;
    // What is told beforehand would be told of files that cannot even be begun.
    if (this.announced && this.session.amRoot !== 1 && !fs.access(held, fs.cstr("."), Sys.W_OK)) return false;
    const fd = fs.openat(held, fs.cstr("."), directoryFlags(fs), 0);
    if (fd < 0) return false;
    const before = this.place;
    this.place = { fd, number: before.number + 1, users: 0 };
    this.placeId = id;
    if (before.fd >= 0 && before.users === 0) fs.close(before.fd);
    return true;
  }

  private leave(index: number): void {
    const place = this.places[index];
    if (this.files[index]?.offer === null) this.contents!.free(this.marks[index]);
    this.files[index] = null;
    if (--place.users === 0 && place !== this.place) this.session.fs.close(place.fd);
  }

  /** Writes what is wanted: files/attrs.ts:Attributes.setFd and tempname.ts:openTemp in numbers. */
  private fill(record: number, { list, row, offer, ptr, byteLength }: SmallFile): void {
    const { fs, memory, options, amRoot } = this.session;
    const { u32, u8 } = memory;
    const { O } = fs.constants;
    const at = record >>> 2;
    const mode = this.modeOf(list, row);
    const ownsGroup = options.preserveGid && (list.flags[row] & FileFlag.skipGroup) === 0;
    u32[at + Word.source] = offer === null ? NO_SOURCE : offer.fd;
    u32[at + Word.content] = ptr;
    u32[at + Word.byteLength] = byteLength;
    u32[at + Word.dir] = this.place.fd;
    u32[at + Word.place] = this.place.number;
    u32[at + Word.name] = list.namePtr[row];
    u32[at + Word.openFlags] = O.RDWR | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;
    u32[at + Word.createMode] = (mode & INITIAL_ACCESS_PERMS) | S_IWUSR;
    u32[at + Word.mode] = mode;
    u32[at + Word.uid] = list.uid[row];
    u32[at + Word.gid] = list.gid[row];
    u32[at + Word.wants] = (options.preserveUid && amRoot !== 0 ? Wanted.uid : 0) | (ownsGroup ? Wanted.gid : 0)
      | (options.preserveMtimes ? Wanted.times : 0);
    const times = record + RECORD_TIMES;
    writeInt64(memory, times, 0);
    writeInt64(memory, times + 8, Sys.UTIME_OMIT);
    writeInt64(memory, times + 16, list.mtime[row]);
    writeInt64(memory, times + 24, list.mtimeNsec[row]);
    putTempName(u8, record + RECORD_TEMP, list.namePtr[row], list.nameLength[row], this.random, this.randomBytes);
  }

  /** Without --perms the mode follows the umask, as in Incoming.open. */
  private modeOf(list: FileList, row: number): number {
    const { options } = this.session;
    if (!options.preservePerms) {
      const sent = list.extra.sentMode?.[row] || list.mode[row];
      list.mode[row] = destMode(
        sent, 0, this.dirPerms.of(list.dirs, list.dir[row]), false, options.preserveExecutability,
      );
    }
    return list.mode[row];
  }
}
