/**
 * Contents of small files that wait to be written: pieces of one region of linear memory, taken at its head and given
 * back at its tail, in the same order.
 */
import { type LinearMemory } from "../memory.ts";

const RING_BYTES = 512 * 1024;

/** See the head of this file. Whoever takes keeps the marks, and gives back in the order of taking. */
export class ContentRing {
  private readonly memory: LinearMemory;
  private readonly start: number;
  /** Bytes that have ever been taken and given back, what is left out at the region's end included. */
  private head = 0;
  private tail = 0;

  constructor(memory: LinearMemory) {
    this.memory = memory;
    this.start = memory.alloc(RING_BYTES);
  }

  /** Address of room for `byteLength` bytes, which stays free until `take`; -1 when there is none now. */
  room(byteLength: number): number {
    const at = this.placeFor(byteLength);
    return at + byteLength - this.tail > RING_BYTES ? -1 : this.start + (at % RING_BYTES);
  }

  /** Takes the room that was asked for last. Returns the mark up to which `free` gives back. */
  take(byteLength: number): number {
    this.head = this.placeFor(byteLength) + byteLength;
    return this.head;
  }

  /** Gives back everything up to a mark. */
  free(mark: number): void {
    this.tail = mark;
  }

  release(): void {
    this.memory.release(this.start);
  }

  /** Pieces lie in one run: one that would not end before the region does begins at its start. */
  private placeFor(byteLength: number): number {
    const { head } = this;
    const left = RING_BYTES - (head % RING_BYTES);
    return head + (byteLength > left ? left : 0);
  }
}
