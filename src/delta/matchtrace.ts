/**
 * What --debug=deltasum tells of a search: upstream's counts of hash hits, and its lines. Made only when somebody asks;
 * the search itself counts in a way of its own. Upstream match.c: hash_search, matched, match_sums.
 *
 * When a file is updated in place upstream drops blocks from its table as it goes; those still count as hits here.
 */
import { type Kernels } from "../checksum/kernels.ts";
import { type BlockTable } from "./blocktable.ts";
import { WEAK_SUM_BYTES } from "./signature.ts";
import { CHUNK_SIZE } from "./tokens.ts";

/** Buckets of upstream's smallest table. */
const TRADITIONAL_BUCKETS = 1 << 16;

/** Where lines go, and how much is told: the level of --debug=deltasum. */
export interface TraceLines {
  readonly level: number;
  line(text: string): void;
}

/** One file's search, followed. Positions are addresses unless they are called offsets, which count in the file. */
export class MatchTrace {
  /** Offsets at which upstream would have looked at a block. */
  hashHits = 0;
  private readonly kernels: Kernels;
  private readonly lines: TraceLines;
  private readonly table: BlockTable;
  private readonly byteLength: number;
  private readonly buckets: number;
  private readonly bitmap: number;
  /** First offset that has not been counted. */
  private counted = 0;
  private lastMatch = 0;

  constructor(kernels: Kernels, lines: TraceLines, table: BlockTable, byteLength: number) {
    const { head } = table;
    this.kernels = kernels;
    this.lines = lines;
    this.table = table;
    this.byteLength = byteLength;
    this.buckets = Math.max(Math.floor(head.count / 8) * 10 + 11, TRADITIONAL_BUCKETS);
    const { memory, wasm } = kernels;
    const bitmapBytes = Math.ceil(this.buckets / 8);
    this.bitmap = memory.alloc(bitmapBytes);
    memory.u8.fill(0, this.bitmap, this.bitmap + bitmapBytes);
    wasm.bucketsFill(this.bitmap, this.buckets, table.sumsPtr, head.count, this.stride);
  }

  /** The search begins; the data's first bytes stand at `ptr`. */
  begin(ptr: number): void {
    const { head } = this.table;
    if (this.lines.level >= 2) {
      this.lines.line("built hash table");
      this.lines.line(`hash search b=${head.blockLength} len=${this.byteLength}`);
    }
    if (this.lines.level < 3) return;
    const covered = Math.min(head.blockLength, this.byteLength);
    this.lines.line(`sum=${hex(this.kernels.wasm.weakSum(ptr, covered))} k=${covered}`);
    this.lines.line(`hash search s->blength=${head.blockLength} len=${this.byteLength} count=${head.count}`);
  }

  /** A block was found at an offset; `ptr` is the address of offset 0, whether or not it is in the window. */
  found(ptr: number, windowEnd: number, offset: number, index: number, byteLength: number): void {
    this.count(ptr, windowEnd, offset);
    this.hashHits++;
    this.counted = offset + byteLength;
    if (this.lines.level < 2) return;
    if (this.lines.level >= 3) {
      const sum = this.kernels.memory.view.getUint32(this.table.sumsPtr + index * this.stride, true);
      this.lines.line(`potential match at ${offset} i=${index} sum=${hex(sum)}`);
    }
    const { blockLength } = this.table.head;
    // Literals have gone out in chunks meanwhile, while enough of the file was left.
    const flush = blockLength + CHUNK_SIZE;
    const end = this.byteLength + 1 - this.table.lastLength;
    while (offset - 1 - this.lastMatch >= flush && end - this.lastMatch - flush > CHUNK_SIZE) {
      this.lastMatch += CHUNK_SIZE;
    }
    const literals = offset - this.lastMatch;
    this.lines.line(
      `match at ${offset} last_match=${this.lastMatch} j=${index} len=${byteLength} n=${literals}`,
    );
    this.lastMatch = offset + byteLength;
  }

  /** Everything before an offset has been searched. */
  searched(ptr: number, windowEnd: number, offset: number): void {
    this.count(ptr, windowEnd, offset);
  }

  /** The search is over. */
  end(ptr: number, windowEnd: number): void {
    const end = this.byteLength + 1 - this.table.lastLength;
    this.count(ptr, windowEnd, this.counted === 0 ? Math.max(end, 1) : end);
    if (this.lines.level >= 2) this.lines.line("done hash search");
    this.kernels.memory.release(this.bitmap);
  }

  private get stride(): number {
    return WEAK_SUM_BYTES + this.table.head.s2length;
  }

  /** Counts the offsets up to `to`, which have not matched. */
  private count(ptr: number, windowEnd: number, to: number): void {
    const from = this.counted;
    if (from >= to) return;
    const { wasm } = this.kernels;
    const { blockLength } = this.table.head;
    this.hashHits += wasm.bucketsHits(this.bitmap, this.buckets, ptr + from, ptr + to, windowEnd, blockLength);
    this.counted = to;
    if (this.lines.level < 4) return;
    for (let offset = from; offset < to; offset++) {
      const covered = Math.min(blockLength, windowEnd - ptr - offset);
      this.lines.line(`offset=${offset} sum=${hex(wasm.weakSum(ptr + offset, covered))}`);
    }
  }
}

function hex(sum: number): string {
  return (sum >>> 0).toString(16).padStart(8, "0");
}
