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
import { LIBC_TABLE } from "./libctable.ts";
import {
  RECORD_BYTES, SCRATCH_BYTES, SMALL_FILE_CALLS, type SmallFileCalls, SmallFileMaker, Word,
} from "./smallfile.ts";
import { statLayout } from "./structs.ts";

/** Records in the ring. Each holds a source open. */
const RECORDS = 256;
/** Files after which a helper is worth its start: about as much work as that start is. */
const HELPER_FROM = 512;
/** Looks at the control word before the helper goes to sleep: about as long as waking it would take. */
const SPINS = 500;
const SLEEP_MS = 1000;
const WAIT_MS = 1;
/** How long a helper that comes up late is waited for, and how often it is looked after. */
const GONE_MS = 50;
const GONE_TRIES = 40;
/** Longest start of a helper, on a machine with much else to do. */
const START_MS = 5000;

/** 32-bit control words; what different threads write lies in different cache lines. */
const Control = {
  submitted: 0, stop: 1, waiting: 2,
  claimed: 16,
  completed: 32, state: 33, sleeping: 34,
} as const;
const CONTROL_BYTES = 192;

/** The helper's state: it starts up, works, or works no more. */
const State = { starting: 0, ready: 1, gone: 2 } as const;

/** The functions of the table that small files take, or null where one is missing. */
function bindSmallFiles(ffi: Ffi): SmallFileCalls | null {
  const table = Object.fromEntries(SMALL_FILE_CALLS.map((name) => [name, LIBC_TABLE[name]]));
  const functions = ffi.dlopen(null, table) ?? ffi.dlopen("libc.so.6", table);
  if (functions === null || SMALL_FILE_CALLS.some((name) => functions[name] === undefined)) return null;
  return functions as SmallFileCalls;
}

/** This thread's side. One queue belongs to one session. */
export class JobQueue {
  readonly memory: LinearMemory;
  private readonly host: Host;
  private readonly maker: SmallFileMaker;
  private readonly region: number;
  private readonly ring: number;
  /** The record of what this side makes itself. */
  private readonly own: number;
  private readonly words: Int32Array;
  private submitted = 0;
  private collected = 0;
  private made = 0;
  private started = false;

  /** `calls`: of this thread. */
  constructor(host: Host, memory: LinearMemory, calls: SmallFileCalls) {
    this.host = host;
    this.memory = memory;
    this.region = memory.alloc(CONTROL_BYTES + (RECORDS + 1) * RECORD_BYTES + 2 * SCRATCH_BYTES);
    this.ring = this.region + CONTROL_BYTES;
    this.own = this.ring + RECORDS * RECORD_BYTES;
    this.words = new Int32Array(memory.wasm.buffer, this.region, CONTROL_BYTES / 4);
    this.words.fill(0);
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
      if (++this.made === HELPER_FROM) this.startHelper();
      return -1;
    }
    const { words } = this;
    const index = this.submitted % RECORDS;
    this.memory.i32[(record >>> 2) + Word.done] = 0;
    this.submitted++;
    Atomics.store(words, Control.submitted, this.submitted);
    if (Atomics.load(words, Control.sleeping) === 1) Atomics.notify(words, Control.submitted);
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
    return this.started && Atomics.load(this.words, Control.state) === State.ready;
  }

  /** Files that the helper has dealt with. */
  get byHelper(): number {
    return Atomics.load(this.words, Control.completed);
  }

  /** Ends the helper. Nothing may be outstanding. */
  close(): void {
    const { words } = this;
    Atomics.store(words, Control.stop, 1);
    // Wakes it, also when it is only about to fall asleep; it looks at `stop` first.
    Atomics.store(words, Control.claimed, this.submitted + 1);
    Atomics.store(words, Control.submitted, this.submitted + 1);
    Atomics.notify(words, Control.submitted);
    if (this.hasHelper) Atomics.wait(words, Control.state, State.ready, SLEEP_MS);
    void this.giveBack();
  }

  /** Releases the memory once the helper does not use it: one that is still coming up takes a while to find out. */
  private async giveBack(): Promise<void> {
    for (let tries = 0; this.started && Atomics.load(this.words, Control.state) !== State.gone; tries++) {
      if (tries === GONE_TRIES) return;
      await this.host.sleep(GONE_MS);
    }
    this.memory.release(this.region);
  }

  private mayQueue(): boolean {
    return this.hasHelper && this.outstanding < RECORDS;
  }

  private slot(number: number): number {
    return this.ring + (number % RECORDS) * RECORD_BYTES;
  }

  private startHelper(): void {
    const { memory, host } = this;
    if (memory.wasm.buffer instanceof ArrayBuffer) return;
    const start = {
      buffer: memory.wasm.buffer, base: memory.base, arch: host.arch, control: this.region, ring: this.ring,
      scratch: this.own + RECORD_BYTES + SCRATCH_BYTES,
    };
    try {
      this.started = host.startHelper?.(start) ?? false;
    } catch {
      // Threads are forbidden here, or there are too many: this one does the work.
    }
  }
}

/**
 * Blocks until a helper that is coming up works or has given up, for some seconds at most. To be called by a process
 * that is about to end, where a runtime cannot end a thread that is binding its functions.
 */
export function awaitHelper({ buffer, control }: HelperStart): void {
  Atomics.wait(new Int32Array(buffer, control, CONTROL_BYTES / 4), Control.state, State.starting, START_MS);
}

/**
 * The helper's side: makes files until it is told to stop. Runs on a thread of its own, which may block. `loadFfi`:
 * gives that thread's foreign functions, or throws.
 */
export function serveJobs(loadFfi: () => Ffi, { buffer, base, arch, control, ring, scratch }: HelperStart): void {
  const words = new Int32Array(buffer, control, CONTROL_BYTES / 4);
  try {
    const calls = bindSmallFiles(loadFfi());
    if (calls !== null) {
      const maker = new SmallFileMaker(buffer, base, scratch, calls, statLayout(arch));
      Atomics.store(words, Control.state, State.ready);
      Atomics.notify(words, Control.state);
      work(words, (number) => maker.make(ring + (number % RECORDS) * RECORD_BYTES));
    }
  } finally {
    Atomics.store(words, Control.state, State.gone);
    Atomics.notify(words, Control.state);
  }
}

function work(words: Int32Array, make: (number: number) => void): void {
  while (Atomics.load(words, Control.stop) === 0) {
    const number = claim(words);
    if (number >= 0) {
      make(number);
      Atomics.add(words, Control.completed, 1);
      if (Atomics.load(words, Control.waiting) === 1) Atomics.notify(words, Control.completed);
    } else {
      awaitJob(words);
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

/** Looks for a while whether there is something to claim, then sleeps until there is. */
function awaitJob(words: Int32Array): void {
  const known = Atomics.load(words, Control.claimed);
  for (let i = 0; i < SPINS; i++) if (Atomics.load(words, Control.submitted) !== known) return;
  Atomics.store(words, Control.sleeping, 1);
  Atomics.wait(words, Control.submitted, known, SLEEP_MS);
  Atomics.store(words, Control.sleeping, 0);
}
