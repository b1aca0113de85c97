/** Scratch slots for names on their way into a call. */
import { type LinearMemory } from "../memory.ts";

const SLOTS = 8;
/** Twice PATH_MAX: a longer name is cut here and still refused by the kernel with ENAMETOOLONG. */
const SLOT_BYTES = 8192;

/** A few rotating slots in linear memory, so that a call which takes several names can have them side by side. */
export class NameSlots {
  private readonly memory: LinearMemory;
  private readonly ptr: number;
  private next = 0;

  constructor(memory: LinearMemory) {
    this.memory = memory;
    this.ptr = memory.alloc(SLOTS * SLOT_BYTES);
  }

  /** Writes `name` NUL-terminated into the next slot and returns its address, good for the seven following calls. */
  put(name: string): number {
    const ptr = this.ptr + this.next * SLOT_BYTES;
    this.next = (this.next + 1) % SLOTS;
    this.memory.writeCString(ptr, name.length < SLOT_BYTES ? name : name.slice(0, SLOT_BYTES - 1));
    return ptr;
  }
}
