/**
 * Small files (posix/smallfile.ts) made by this thread or, once there are many, by a helper thread beside it.
 *
 * The two share a ring of records and a few control words in linear memory. This side fills records and publishes their
 * count; both sides claim the next one, make its file and mark it as done. The helper does so all the time, and sleeps
 * when there is nothing to claim; this side does when the ring is full, when the helper is not there, and when it would
 * wait otherwise.
 */
import { type Ffi, type HelperStart, type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { awaitMore, Control, CONTROL_BYTES, HelperThread, liveAsHelper } from "./helperthread.ts";
import {
  RECORD_BYTES, SCRATCH_BYTES, SMALL_FILE_CALLS, type SmallFileCalls, SmallFileMaker, Word,
} from "./smallfile.ts";
import { statLayout } from "./structs.ts";

/** Records in the ring. Each holds a source open. */
const RECORDS = 256;
/** Files after which a helper is worth its start: about as much work as that start is. */
const HELPER_FROM = 512;
const WAIT_MS = 1;

/** This thread's side. One queue belongs to one session. */
export class JobQueue {
  readonly memory: LinearMemory;
  private readonly maker: SmallFileMaker;
  private readonly helper: HelperThread;
  private readonly ring: number;
  /** The record of what this side makes itself. */
  private readonly own: number;
  private readonly words: Int32Array;
  private submitted = 0;
  private collected = 0;
  private made = 0;

  /** `calls`: of this thread. */
  constructor(host: Host, memory: LinearMemory, calls: SmallFileCalls) {
    this.memory = memory;
    const region = memory.alloc(CONTROL_BYTES + (RECORDS + 1) * RECORD_BYTES + 2 * SCRATCH_BYTES);
    this.ring = region + CONTROL_BYTES;
    this.own = this.ring + RECORDS * RECORD_BYTES;
    this.helper = new HelperThread(host, memory, region);
    this.words = this.helper.words;
    const { buffer } = memory.wasm;
    this.maker = new SmallFileMaker(buffer, memory.base, this.own + RECORD_BYTES, calls, statLayout(host.arch));
  }

  /** Address of the record to fill next. */
  record(): number {
    return this.mayQueue() ? this.slot(this.submitted) : this.own;
  }

  /**
   * Takes a filled record over. The number under which `collect` will tell of it, or -1 when the file has been dealt
   * with already and the record holds the result.
   */
  submit(record: number): number {
    if (record === this.own) {
      this.maker.make(record);
      if (++this.made === HELPER_FROM) {
        this.helper.start("files", this.ring, this.own + RECORD_BYTES + SCRATCH_BYTES);
      }
      return -1;
    }
    const index = this.submitted % RECORDS;
    this.memory.i32[(record >>> 2) + Word.done] = 0;
    this.helper.announce(++this.submitted);
    return index;
  }

  /** Was the record's file made? */
  succeeded(record: number): boolean {
    return this.memory.u32[(record >>> 2) + Word.result] === 1;
  }

  /** Queued files whose end has not been told. */
  get outstanding(): number {
    return this.submitted - this.collected;
  }

  /** Tells of the queued files that have been dealt with since last time, in order. */
  collect(tell: (index: number, made: boolean) => void): void {
    const { i32 } = this.memory;
    while (this.collected < this.submitted) {
      const record = this.slot(this.collected);
      if (Atomics.load(i32, (record >>> 2) + Word.done) === 0) return;
      tell(this.collected++ % RECORDS, this.succeeded(record));
    }
  }

  /** Does up to `most` queued files; when the helper has the last, waits for that, for a millisecond at most. */
  help(most: number): void {
    const { words, maker } = this;
    for (let i = 0; i < most; i++) {
      const number = claim(words);
      if (number < 0) break;
      maker.make(this.slot(number));
      if (i === most - 1) return;
    }
    this.wait();
  }

  private wait(): void {
    const { words } = this;
    const completed = Atomics.load(words, Control.completed);
    const last = (this.slot(this.collected) >>> 2) + Word.done;
    Atomics.store(words, Control.waiting, 1);
    if (this.outstanding > 0 && Atomics.load(this.memory.i32, last) === 0) {
      Atomics.wait(words, Control.completed, completed, WAIT_MS);
    }
    Atomics.store(words, Control.waiting, 0);
  }

  /** The helper has come up and works. */
  get hasHelper(): boolean {
    return this.helper.isReady;
  }

  /** Files that the helper has dealt with. */
  get byHelper(): number {
    return Atomics.load(this.words, Control.completed);
  }

  /** Ends the helper. Nothing may be outstanding. */
  close(): void {
    this.helper.end(this.submitted + 1);
  }

  private mayQueue(): boolean {
    return this.hasHelper && this.outstanding < RECORDS;
  }

  private slot(number: number): number {
    return this.ring + (number % RECORDS) * RECORD_BYTES;
  }
}

/** The helper's side: makes files until it is told to stop. */
export function serveJobs(loadFfi: () => Ffi, start: HelperStart): void {
  const { buffer, base, arch, ring, scratch } = start;
  liveAsHelper(start, loadFfi, SMALL_FILE_CALLS, (calls, words) => {
    const maker = new SmallFileMaker(buffer, base, scratch, calls, statLayout(arch));
    work(words, (number) => maker.make(ring + (number % RECORDS) * RECORD_BYTES));
  });
}

function work(words: Int32Array, make: (number: number) => void): void {
  while (Atomics.load(words, Control.stop) === 0) {
    const number = claim(words);
    if (number >= 0) {
      make(number);
      Atomics.add(words, Control.completed, 1);
      if (Atomics.load(words, Control.waiting) === 1) Atomics.notify(words, Control.completed);
    } else {
      awaitMore(words, Atomics.load(words, Control.claimed));
    }
  }
}

/** Takes the next queued file for this thread: its number, or -1 when there is none. */
function claim(words: Int32Array): number {
  for (;;) {
    const number = Atomics.load(words, Control.claimed);
    if (number >= Atomics.load(words, Control.submitted)) return -1;
    if (Atomics.compareExchange(words, Control.claimed, number, number + 1) === number) return number;
  }
}
