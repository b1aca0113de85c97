/**
 * Directories that a helper thread looks at before this one comes to them: their entries with the lstat of each, or the
 * lstat of names that are given.
 *
 * The two share a few slots in linear memory, one a directory. This side offers an open directory, and takes it later:
 * looked at by then, or, where the helper has not begun, to do it itself. Whatever the helper cannot do is left to this
 * side, which finds out why.
 */
import { type Ffi, type HelperStart, type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { awaitMore, Control, CONTROL_BYTES, HelperThread, liveAsHelper } from "./helperthread.ts";
import type { StatRecord } from "./filesystem.ts";
import { decodeStat, Dirent, isDots, STAT_BYTES, type StatLayout, statLayout } from "./structs.ts";

/** Directories that may be on offer. */
const SLOTS = 8;
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

/** A slot's 32-bit words. */
const Word = {
  state: 0, fd: 1,
  /** Place in the order of offers. */
  number: 2,
  /** Bytes of directory entries; 0 or less when there are none or something went wrong. */
  bytes: 3,
  /** How many of the first entries, "." and ".." not counted, have been looked at. */
  stats: 4,
  /** 1 when there are no more entries. */
  complete: 5,
  /** How many names are given, as addresses in place of the entries; 0 to find the entries. */
  names: 6,
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
  /** Address of the struct stat of each of the first `statCount` entries, STAT_BYTES apart. */
  readonly stats: number;
  readonly statCount: number;
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
    return this.isOpen && this.taken < SLOTS && this.helper.isReady;
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

  /** Decodes the lstat of an entry or name of a directory that was taken; false when there is none. */
  stat({ stats, statCount }: ListedDirectory, index: number, stat: StatRecord): boolean {
    const at = stats + index * STAT_BYTES;
    if (!this.isOpen || index >= statCount || this.i32[(at >>> 2) + this.layout.mode] === 0) return false;
    decodeStat(this.memory, this.layout, at, stat);
    return true;
  }

  /** Forgets an offered directory. */
  withdraw(fd: number): void {
    const listed = this.take(fd);
    if (listed !== null) this.release(listed.slot);
  }

  /** What the helper has found in an offered directory, null when it has not; then the descriptor is as it was. */
  take(fd: number): ListedDirectory | null {
    const { i32 } = this;
    if (!this.isOpen) return null;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (i32[this.word(slot, Word.state)] === SlotState.free || i32[this.word(slot, Word.fd)] !== fd) continue;
      if (!this.settle(slot) || i32[this.word(slot, Word.bytes)] <= 0) {
        this.release(slot);
        return null;
      }
      const at = this.slot(slot);
      // The descriptor may be closed, and its number given to another directory, before the slot is released.
      i32[this.word(slot, Word.fd)] = -1;
      return {
        slot, entries: at + HEAD_BYTES, byteLength: i32[this.word(slot, Word.bytes)], stats: at + STATS_AT,
        statCount: i32[this.word(slot, Word.stats)], complete: i32[this.word(slot, Word.complete)] === 1,
      };
    }
    return null;
  }

  release(slot: number): void {
    if (!this.isOpen) return;
    this.taken--;
    Atomics.store(this.i32, this.word(slot, Word.state), SlotState.free);
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
    i32[this.word(slot, Word.fd)] = fd;
    i32[this.word(slot, Word.names)] = names;
    i32[this.word(slot, Word.number)] = ++this.offered;
    Atomics.store(i32, this.word(slot, Word.state), SlotState.wanted);
    this.helper.announce(this.offered);
  }

  /** Takes a slot back from the helper, or waits for it. True when the directory has been listed. */
  private settle(slot: number): boolean {
    const { i32 } = this;
    const state = this.word(slot, Word.state);
    const before = Atomics.compareExchange(i32, state, SlotState.wanted, SlotState.claimed);
    if (before === SlotState.wanted) return false;
    for (let i = 0; i < SPINS; i++) if (Atomics.load(i32, state) === SlotState.done) return true;
    while (Atomics.load(i32, state) !== SlotState.done) Atomics.wait(i32, state, SlotState.claimed, WAIT_MS);
    return true;
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
        Atomics.notify(i32, at >>> 2);
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
  i32[word + Word.stats] = bytes > 0 ? lookAt(lister, at, fd, bytes) : 0;
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

/** Stats entries in their order up to the first that cannot be. Returns how many. */
function lookAt({ calls, base, u8 }: Lister, at: number, fd: number, bytes: number): number {
  const end = at + HEAD_BYTES + bytes;
  let count = 0;
  for (let entry = at + HEAD_BYTES; entry < end && count < MOST_STATS; entry += recordLength(u8, entry)) {
    const name = entry + Dirent.name;
    if (isDots(u8, name)) continue;
    const stat = base + at + STATS_AT + count * STAT_BYTES;
    if (calls.fstatat(fd, base + name, stat, AT_SYMLINK_NOFOLLOW) !== 0) break;
    count++;
  }
  return count;
}

/** Stats the names that are given; one that cannot be has a mode of 0. */
function lookAtNames({ calls, base, i32 }: Lister, at: number, fd: number, count: number): void {
  const names = (at + HEAD_BYTES) >>> 2;
  for (let i = 0; i < count; i++) {
    const stat = at + STATS_AT + i * STAT_BYTES;
    if (calls.fstatat(fd, base + (i32[names + i] >>> 0), base + stat, AT_SYMLINK_NOFOLLOW) === 0) continue;
    i32.fill(0, stat >>> 2, (stat + STAT_BYTES) >>> 2);
  }
  i32[(at >>> 2) + Word.bytes] = i32[(at >>> 2) + Word.stats] = count;
}

function recordLength(u8: Uint8Array, entry: number): number {
  return u8[entry + Dirent.recordLength] | (u8[entry + Dirent.recordLength + 1] << 8);
}
