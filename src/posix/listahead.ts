/**
 * Directories that a helper thread looks at before this one comes to them: their entries with the lstat of each, or the
 * lstat of names that are given.
 *
 * The two share a few slots in linear memory, one a directory. This side offers an open directory, and takes it later:
 * what has not been begun by then is its own to do, and so are the names that the helper has not come to, since waiting
 * for a thread that may have no processor would take longer. Whatever the helper cannot do is left to this
 * side, which finds out why.
 */
import { type Ffi, type HelperStart, type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { awaitMore, Control, CONTROL_BYTES, HelperThread, liveAsHelper } from "./helperthread.ts";
import type { StatRecord } from "./filesystem.ts";
import { decodeStat, Dirent, isDots, STAT_BYTES, type StatLayout, statLayout } from "./structs.ts";

/** Directories that may be on offer. */
const SLOTS = 16;
const NAMES_BYTES = 65536;
/** Entries of a directory that are looked at ahead. */
export const MOST_STATS = 1024;
const HEAD_BYTES = 64;
const STATS_AT = HEAD_BYTES + NAMES_BYTES;
const SLOT_BYTES = STATS_AT + MOST_STATS * STAT_BYTES;
/** What getdents64 needs room for, at the least: one record with the longest name. */
const RECORD_BYTES = 512;
/** Looks at a slot that the helper is busy with, before sleeping. */
const SPINS = 2000;
const WAIT_MS = 1;
/** Offers for which a sleeping helper is woken, which costs this side as much as ten calls. */
const WAKE_FOR = 3;

/** A slot's 32-bit words. */
const Word = {
  state: 0, fd: 1,
  /** Place in the order of offers. */
  number: 2,
  /** Bytes of directory entries; 0 or less when there are none or something went wrong. */
  bytes: 3,
  /** How many of the first entries, "." and ".." not counted, have been looked at so far. */
  stats: 4,
  /** 1 when there are no more entries. */
  complete: 5,
  /** How many names are given, as addresses in place of the entries; 0 to find the entries. */
  names: 6,
  /** 1 once the entries are known. */
  listed: 7,
  /** 1 when nobody wants to know any more. */
  abandoned: 8,
} as const;

const SlotState = { free: 0, wanted: 1, claimed: 2, done: 3 } as const;

const LIST_CALLS = ["getdents64", "fstatat"] as const;
const AT_SYMLINK_NOFOLLOW = 0x100;

/** A directory as the helper has found it. Valid until `release`. */
export interface ListedDirectory {
  readonly slot: number;
  /** Address and length of linux_dirent64 records. */
  readonly entries: number;
  readonly byteLength: number;
  /** Nothing is left to read from the descriptor. */
  readonly complete: boolean;
}

/** This thread's side. */
export class ListAhead {
  private readonly helper: HelperThread;
  private readonly ring: number;
  private readonly i32: Int32Array;
  private readonly ended: () => void;
  private readonly memory: LinearMemory;
  private readonly layout: StatLayout;
  /** The descriptor of each slot that is on offer, else -1. */
  private readonly fds: number[] = new Array<number>(SLOTS).fill(-1);
  /** Slots released while the helper was still busy with them. */
  private readonly busy = new Set<number>();
  private isOpen = true;
  private offered = 0;
  private taken = 0;

  /** `ended` is called by `close`. */
  constructor(host: Host, memory: LinearMemory, ended: () => void) {
    this.ended = ended;
    this.memory = memory;
    this.layout = statLayout(host.arch);
    const region = memory.alloc(CONTROL_BYTES + SLOTS * SLOT_BYTES);
    this.ring = region + CONTROL_BYTES;
    this.i32 = new Int32Array(memory.wasm.buffer);
    this.helper = new HelperThread(host, memory, region);
    for (let slot = 0; slot < SLOTS; slot++) this.i32[this.word(slot, Word.state)] = SlotState.free;
  }

  /** Starts the helper, which is there some time later. */
  start(): void {
    this.helper.start("lists", this.ring, 0);
  }

  /** Can a directory be offered? Not before the helper has come up. */
  get hasRoom(): boolean {
    if (!this.isOpen) return false;
    for (const slot of this.busy) if (this.isDone(slot)) this.free(slot);
    return this.taken < SLOTS && this.helper.isReady;
  }

  /** Offers a directory that has not been read from. There must be room. */
  offer(fd: number): void {
    this.publish(this.freeSlot(), fd, 0);
  }

  /**
   * Offers an open directory for the lstat of names in it, MOST_STATS at most: addresses [from, to) of `addresses`,
   * which must stay good until it is taken. There must be room. Names that cannot be looked at have no `stat`.
   */
  offerNames(fd: number, addresses: Uint32Array, from: number, to: number): void {
    const { i32 } = this;
    const slot = this.freeSlot();
    const at = (this.slot(slot) + HEAD_BYTES) >>> 2;
    for (let i = from; i < to; i++) i32[at + i - from] = addresses[i];
    this.publish(slot, fd, to - from);
  }

  /**
   * Address of the struct stat of an entry or name of a directory that was taken, -1 when it could not be had, 0 when
   * the helper has not come to it: it leaves the rest of the directory to this side then, and goes on with another one.
   */
  statOf(slot: number, index: number): number {
    const { i32 } = this;
    if (!this.isOpen) return 0;
    if (index >= Atomics.load(i32, this.word(slot, Word.stats))) {
      Atomics.store(i32, this.word(slot, Word.abandoned), 1);
      return 0;
    }
    const at = this.slot(slot) + STATS_AT + index * STAT_BYTES;
    return i32[(at >>> 2) + this.layout.mode] === 0 ? -1 : at;
  }

  /** Decodes the struct stat at an address that `statOf` has given. */
  decode(at: number, stat: StatRecord): void {
    decodeStat(this.memory, this.layout, at, stat);
  }

  /** Forgets an offered directory. */
  withdraw(fd: number): void {
    const listed = this.take(fd);
    if (listed !== null) this.release(listed.slot);
  }

  /**
   * What the helper has found in an offered directory, or still finds until `release`: its descriptor must be open so
   * long. Null when it has not begun, or failed; then the descriptor is as it was.
   */
  take(fd: number): ListedDirectory | null {
    const slot = this.isOpen ? this.fds.indexOf(fd) : -1;
    if (slot < 0) return null;
    this.fds[slot] = -1;
    const { i32 } = this;
    if (!this.settle(slot) || i32[this.word(slot, Word.bytes)] <= 0) {
      this.release(slot);
      return null;
    }
    return {
      slot, entries: this.slot(slot) + HEAD_BYTES, byteLength: i32[this.word(slot, Word.bytes)],
      complete: i32[this.word(slot, Word.complete)] === 1,
    };
  }

  release(slot: number): void {
    if (!this.isOpen) return;
    if (this.isDone(slot)) {
      this.free(slot);
    } else {
      Atomics.store(this.i32, this.word(slot, Word.abandoned), 1);
      this.busy.add(slot);
    }
  }

  /** Ends the helper. Nothing can be taken afterwards. */
  close(): void {
    this.isOpen = false;
    this.ended();
    this.helper.end(this.offered + 1);
  }

  private freeSlot(): number {
    let slot = 0;
    while (this.i32[this.word(slot, Word.state)] !== SlotState.free) slot++;
    this.taken++;
    return slot;
  }

  private publish(slot: number, fd: number, names: number): void {
    const { i32 } = this;
    this.fds[slot] = fd;
    i32[this.word(slot, Word.fd)] = fd;
    i32[this.word(slot, Word.names)] = i32[this.word(slot, Word.bytes)] = names;
    i32[this.word(slot, Word.stats)] = i32[this.word(slot, Word.abandoned)] = 0;
    i32[this.word(slot, Word.listed)] = names > 0 ? 1 : 0;
    i32[this.word(slot, Word.number)] = ++this.offered;
    Atomics.store(i32, this.word(slot, Word.state), SlotState.wanted);
    this.helper.announce(this.offered, WAKE_FOR);
  }

  /** Takes a slot back from the helper, or waits until it knows the entries. False: the helper has not begun. */
  private settle(slot: number): boolean {
    const { i32 } = this;
    const state = this.word(slot, Word.state);
    const before = Atomics.compareExchange(i32, state, SlotState.wanted, SlotState.done);
    if (before === SlotState.wanted) return false;
    const listed = this.word(slot, Word.listed);
    for (let i = 0; i < SPINS; i++) if (Atomics.load(i32, listed) === 1) return true;
    while (Atomics.load(i32, listed) === 0) Atomics.wait(i32, listed, 0, WAIT_MS);
    return true;
  }

  private isDone(slot: number): boolean {
    return Atomics.load(this.i32, this.word(slot, Word.state)) === SlotState.done;
  }

  private free(slot: number): void {
    this.busy.delete(slot);
    this.taken--;
    Atomics.store(this.i32, this.word(slot, Word.state), SlotState.free);
  }

  private slot(slot: number): number {
    return this.ring + slot * SLOT_BYTES;
  }

  private word(slot: number, word: number): number {
    return (this.slot(slot) >>> 2) + word;
  }
}

/** The helper's side: lists what is on offer until it is told to stop. */
export function serveLists(loadFfi: () => Ffi, start: HelperStart): void {
  const { buffer, base, ring } = start;
  const i32 = new Int32Array(buffer);
  const u8 = new Uint8Array(buffer);
  liveAsHelper(start, loadFfi, LIST_CALLS, (calls, words) => {
    const lister = { calls, base, i32, u8 };
    while (Atomics.load(words, Control.stop) === 0) {
      const known = Atomics.load(words, Control.submitted);
      const at = oldestWanted(i32, ring);
      if (at < 0) {
        awaitMore(words, known);
      } else if (Atomics.compareExchange(i32, at >>> 2, SlotState.wanted, SlotState.claimed) === SlotState.wanted) {
        list(lister, at);
        Atomics.store(i32, at >>> 2, SlotState.done);
      }
    }
  });
}

/** Address of the slot that was offered first, or -1. */
function oldestWanted(i32: Int32Array, ring: number): number {
  let found = -1;
  for (let at = ring; at < ring + SLOTS * SLOT_BYTES; at += SLOT_BYTES) {
    if (Atomics.load(i32, (at >>> 2) + Word.state) !== SlotState.wanted) continue;
    if (found < 0 || i32[(at >>> 2) + Word.number] < i32[(found >>> 2) + Word.number]) found = at;
  }
  return found;
}

interface Lister {
  readonly calls: Record<(typeof LIST_CALLS)[number], (...args: number[]) => number>;
  readonly base: number;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
}

function list(lister: Lister, at: number): void {
  const { i32 } = lister;
  const word = at >>> 2;
  const fd = i32[word + Word.fd];
  if (i32[word + Word.names] > 0) {
    lookAtNames(lister, at, fd, i32[word + Word.names]);
    return;
  }
  const bytes = readEntries(lister, at, fd);
  i32[word + Word.bytes] = bytes;
  Atomics.store(i32, word + Word.listed, 1);
  Atomics.notify(i32, word + Word.listed);
  if (bytes > 0) lookAt(lister, at, fd, bytes);
}

/** Reads as many entries as there is room for. Returns their bytes; -1 when reading failed. */
function readEntries({ calls, base, i32 }: Lister, at: number, fd: number): number {
  const names = at + HEAD_BYTES;
  let bytes = 0;
  let got = 1;
  while (got > 0 && NAMES_BYTES - bytes >= RECORD_BYTES) {
    got = calls.getdents64(fd, base + names + bytes, NAMES_BYTES - bytes);
    if (got < 0) return -1;
    bytes += got;
  }
  i32[(at >>> 2) + Word.complete] = got === 0 ? 1 : 0;
  return bytes;
}

/** Stats entries in their order up to the first that cannot be. */
function lookAt({ calls, base, i32, u8 }: Lister, at: number, fd: number, bytes: number): void {
  const end = at + HEAD_BYTES + bytes;
  const word = at >>> 2;
  let count = 0;
  for (let entry = at + HEAD_BYTES; entry < end && count < MOST_STATS; entry += recordLength(u8, entry)) {
    const name = entry + Dirent.name;
    if (isDots(u8, name)) continue;
    if (Atomics.load(i32, word + Word.abandoned) === 1) return;
    const stat = base + at + STATS_AT + count * STAT_BYTES;
    if (calls.fstatat(fd, base + name, stat, AT_SYMLINK_NOFOLLOW) !== 0) return;
    Atomics.store(i32, word + Word.stats, ++count);
  }
}

/** Stats the names that are given; one that cannot be has a mode of 0. */
function lookAtNames({ calls, base, i32 }: Lister, at: number, fd: number, count: number): void {
  const names = (at + HEAD_BYTES) >>> 2;
  const word = at >>> 2;
  for (let i = 0; i < count && Atomics.load(i32, word + Word.abandoned) === 0; i++) {
    const stat = at + STATS_AT + i * STAT_BYTES;
    const result = calls.fstatat(fd, base + (i32[names + i] >>> 0), base + stat, AT_SYMLINK_NOFOLLOW);
    if (result !== 0) i32.fill(0, stat >>> 2, (stat + STAT_BYTES) >>> 2);
    Atomics.store(i32, word + Word.stats, i + 1);
  }
}

function recordLength(u8: Uint8Array, entry: number): number {
  return u8[entry + Dirent.recordLength] | (u8[entry + Dirent.recordLength + 1] << 8);
}
