/** Collects the regions of a comparison: neighbours joined, and never more than can be drawn and sent. */
import { type DeltaRange } from "../../src/index.ts";
import { type Regions } from "./messages.ts";

/** Regions kept exactly; past this, neighbours are joined by twos. */
const MOST = 1 << 15;

/** A growing list of regions in typed arrays. */
export class RegionList {
  private offset: Float64Array = new Float64Array(1024);
  private byteLength: Float64Array = new Float64Array(1024);
  private basisOffset: Float64Array = new Float64Array(1024);
  private count = 0;
  private coarse = false;
  /** Regions shorter than this are joined with their neighbour, whatever their kind. */
  private leastBytes = 0;

  /** Adds the next piece of the new file. */
  add({ offset, byteLength, basisOffset }: DeltaRange): void {
    const last = this.count - 1;
    if (last >= 0 && (this.continues(last, basisOffset) || this.byteLength[last] < this.leastBytes)) {
      if (byteLength > this.byteLength[last]) this.basisOffset[last] = basisOffset - this.byteLength[last];
      this.byteLength[last] += byteLength;
      return;
    }
    if (this.count === MOST) this.halve();
    if (this.count === this.offset.length) this.grow();
    this.offset[this.count] = offset;
    this.byteLength[this.count] = byteLength;
    this.basisOffset[this.count] = basisOffset;
    this.count++;
  }

  /** The regions so far. */
  take(): Regions {
    const cut = (from: Float64Array): Float64Array => from.slice(0, this.count);
    return {
      offset: cut(this.offset), byteLength: cut(this.byteLength), basisOffset: cut(this.basisOffset),
      coarse: this.coarse,
    };
  }

  /** Whether a piece from `basisOffset` goes on where a region ends. */
  private continues(last: number, basisOffset: number): boolean {
    const from = this.basisOffset[last];
    if (from < 0 || basisOffset < 0) return from < 0 && basisOffset < 0;
    return from + this.byteLength[last] === basisOffset;
  }

  /** Joins the regions by twos; of each two the longer one says where the bytes are from. */
  private halve(): void {
    this.coarse = true;
    for (let to = 0; to < MOST / 2; to++) {
      const one = 2 * to;
      const other = one + 1;
      const longer = this.byteLength[one] >= this.byteLength[other] ? one : other;
      const shift = longer === other && this.basisOffset[other] >= 0 ? this.byteLength[one] : 0;
      this.offset[to] = this.offset[one];
      this.basisOffset[to] = this.basisOffset[longer] < 0 ? -1 : Math.max(0, this.basisOffset[longer] - shift);
      this.byteLength[to] = this.byteLength[one] + this.byteLength[other];
    }
    this.count = MOST / 2;
    const end = this.offset[this.count - 1] + this.byteLength[this.count - 1];
    this.leastBytes = end / this.count;
  }

  private grow(): void {
    const grown = (from: Float64Array): Float64Array => {
      const to = new Float64Array(from.length * 2);
      to.set(from);
      return to;
    };
    this.offset = grown(this.offset);
    this.byteLength = grown(this.byteLength);
    this.basisOffset = grown(this.basisOffset);
  }
}
