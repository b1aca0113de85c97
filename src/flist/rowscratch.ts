/**
 * Working arrays with a value for each row of a list. Long ones lie in linear memory and go back at once, since a
 * collector would keep them until long after the next list has taken as much.
 */
import { type LinearMemory } from "../memory.ts";

/** Up to so many rows the heap is quicker. */
const FEW_ROWS = 1024;

/** See the head of this file. */
export class RowScratch {
  private readonly memory: LinearMemory;
  private readonly regions: number[] = [];

  constructor(memory: LinearMemory) {
    this.memory = memory;
  }

  /** `count` values, not set to anything. */
  uint32(count: number): Uint32Array {
    if (count <= FEW_ROWS) return new Uint32Array(count);
    const region = this.region(4 * count);
    return new Uint32Array(this.memory.wasm.buffer, region, count);
  }

  /** As `uint32`. */
  float64(count: number): Float64Array {
    if (count <= FEW_ROWS) return new Float64Array(count);
    const region = this.region(8 * count);
    return new Float64Array(this.memory.wasm.buffer, region, count);
  }

  /** Gives the arrays back; they must not be used any more. */
  release(): void {
    for (const region of this.regions) this.memory.release(region);
    this.regions.length = 0;
  }

  private region(byteLength: number): number {
    const region = this.memory.alloc(byteLength);
    this.regions.push(region);
    return region;
  }
}
