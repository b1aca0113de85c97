/**
 * What the helper threads have in common: a few control words in linear memory, the functions each binds for itself,
 * and how it comes up, sleeps and ends. posix/jobqueue.ts and posix/listahead.ts say what they do.
 */
import { type Ffi, type FfiFunction, type HelperStart, type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { LIBC_TABLE, type LibcName } from "./libctable.ts";

/** 32-bit control words; what different threads write lies in different cache lines. */
export const Control = {
  submitted: 0, stop: 1, waiting: 2,
  claimed: 16,
  completed: 32, state: 33, sleeping: 34,
} as const;
/** Bytes of the control words. */
export const CONTROL_BYTES = 192;

/** The helper's state: it starts up, works, or works no more. */
const State = { starting: 0, ready: 1, gone: 2 } as const;

/** Looks at the control word before the helper goes to sleep: about as long as waking it would take. */
const SPINS = 500;
const SLEEP_MS = 1000;
/** How long a helper that comes up late is waited for, and how often it is looked after. */
const GONE_MS = 50;
const GONE_TRIES = 40;
/** Longest start of a helper, on a machine with much else to do. */
const START_MS = 5000;

/** This thread's side of a helper. Its control words are the first bytes of `region`. */
export class HelperThread {
  readonly words: Int32Array;
  private readonly host: Host;
  private readonly memory: LinearMemory;
  private readonly region: number;
  private started = false;
  /** What had been submitted when the helper was woken last. */
  private announced = 0;

  /** `region`: linear memory of this helper, released by `end`. */
  constructor(host: Host, memory: LinearMemory, region: number) {
    this.host = host;
    this.memory = memory;
    this.region = region;
    this.words = new Int32Array(memory.wasm.buffer, region, CONTROL_BYTES / 4);
    this.words.fill(0);
  }

  start(task: HelperStart["task"], ring: number, scratch: number): void {
    const { memory, host } = this;
    if (memory.wasm.buffer instanceof ArrayBuffer) return;
    const { buffer } = memory.wasm;
    try {
      this.started = host.startHelper?.(
        { task, buffer, base: memory.base, arch: host.arch, control: this.region, ring, scratch },
      ) ?? false;
    } catch {
      // Threads are forbidden here, or there are too many: this one does the work.
    }
  }

  /** The helper has come up and works. */
  get isReady(): boolean {
    return this.started && Atomics.load(this.words, Control.state) === State.ready;
  }

  /** Tells the helper that there is more, and wakes it once there are `atLeast` since it was woken last. */
  announce(submitted: number, atLeast = 1): void {
    const { words } = this;
    Atomics.store(words, Control.submitted, submitted);
    if (Atomics.load(words, Control.sleeping) === 0 || submitted - this.announced < atLeast) return;
    this.announced = submitted;
    Atomics.notify(words, Control.submitted);
  }

  /** Ends the helper and gives the memory back. `submitted`: a count that it has not seen. */
  end(submitted: number): void {
    const { words } = this;
    Atomics.store(words, Control.stop, 1);
    // Wakes it, also when it is only about to fall asleep; it looks at `stop` first.
    Atomics.store(words, Control.claimed, submitted);
    Atomics.store(words, Control.submitted, submitted);
    Atomics.notify(words, Control.submitted);
    if (this.isReady) Atomics.wait(words, Control.state, State.ready, SLEEP_MS);
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
}

/**
 * Blocks until a helper that is coming up works or has given up, for some seconds at most. To be called by a process
 * that is about to end, where a runtime cannot end a thread that is binding its functions.
 */
export function awaitHelper({ buffer, control }: HelperStart): void {
  Atomics.wait(new Int32Array(buffer, control, CONTROL_BYTES / 4), Control.state, State.starting, START_MS);
}

/**
 * A helper's whole life, on a thread that may block. `loadFfi`: gives that thread's foreign functions, or throws.
 * `work` is called with those of `names` until it is time to stop.
 */
export function liveAsHelper<Name extends LibcName>(
  { buffer, control }: HelperStart, loadFfi: () => Ffi, names: readonly Name[],
  work: (functions: Record<Name, FfiFunction>, words: Int32Array) => void,
): void {
  const words = new Int32Array(buffer, control, CONTROL_BYTES / 4);
  try {
    const functions = bind(loadFfi(), names);
    if (functions !== null) {
      Atomics.store(words, Control.state, State.ready);
      Atomics.notify(words, Control.state);
      work(functions, words);
    }
  } finally {
    Atomics.store(words, Control.state, State.gone);
    Atomics.notify(words, Control.state);
  }
}

/** The functions of the table, or null where one is missing. */
function bind<Name extends LibcName>(ffi: Ffi, names: readonly Name[]): Record<Name, FfiFunction> | null {
  const table = Object.fromEntries(names.map((name) => [name, LIBC_TABLE[name]]));
  const functions = ffi.dlopen(null, table) ?? ffi.dlopen("libc.so.6", table);
  if (functions === null || names.some((name) => functions[name] === undefined)) return null;
  return functions as Record<Name, FfiFunction>;
}

/** Looks for a while whether more than `known` has been submitted, then sleeps until there is. */
export function awaitMore(words: Int32Array, known: number): void {
  for (let i = 0; i < SPINS; i++) if (Atomics.load(words, Control.submitted) !== known) return;
  Atomics.store(words, Control.sleeping, 1);
  Atomics.wait(words, Control.submitted, known, SLEEP_MS);
  Atomics.store(words, Control.sleeping, 0);
}
