/**
 * The sender's side of the delta: one file in, tokens and the whole-file digest out. Upstream match.c:match_sums.
 *
 * The file passes once through a window in linear memory: each step reads up to half a MiB behind what is left over,
 * adds the new bytes to the digest (every byte once, in order), lets the kernel search, and hands the tokens to the
 * sink. What stays in the window is the data that may still begin a match, and literals of less than a chunk. Without
 * anything to search for, a file is read to where its literals leave from, if the sink has room for them.
 *
 * Which tokens come out is upstream's choice in every case but one: a basis with more than 1024 different blocks of
 * one weak sum, where upstream stops looking and a block that continues a run may be found here.
 */
import type { Digest } from "../checksum/digest.ts";
import type { Kernels } from "../checksum/kernels.ts";
import type { BlockTable } from "./blocktable.ts";
import { MatchTrace, type TraceLines } from "./matchtrace.ts";
import { CHUNK_SIZE, newMatchStats, type FileSource, type MatchStats, type Pieces, type TokenSink } from "./tokens.ts";

export { BlockTable } from "./blocktable.ts";
export type { FileSource, TokenSink } from "./tokens.ts";

/** Bytes read per step, a multiple of CHUNK_SIZE. */
const STEP_BYTES = 512 * 1024;
/** What a read past the end of a file counts as: it shrank since it was opened (upstream uses ENODATA too). */
const ENODATA = 61;

export interface MatchOptions {
  /** The receiver updates the basis in place: blocks it has overwritten are no longer matched. */
  readonly inplace?: boolean;
  /** --append: bytes at the beginning that the receiver has already; sent neither as literals nor as matches. */
  readonly skipBytes?: number;
  /** --append-verify: those bytes count in the whole-file digest. */
  readonly digestSkipped?: boolean;
}

/** Turns files into token streams, one after the other, with one window. */
export class Matcher {
  /** Of the file at hand. */
  readonly stats: MatchStats = newMatchStats();
  /** Of all files finished so far. */
  readonly total: MatchStats = newMatchStats();
  /** errno of the first failed read of the file at hand, or 0. What could not be read is sent as zeros. */
  readError = 0;
  /** Is told what the search does (--debug=deltasum); null when nobody asks. */
  traceLines: TraceLines | null = null;
  private trace: MatchTrace | null = null;
  /** What progress shows first; -1 until the first match is known. */
  private firstMatchAt = -1;
  private firstMatchEnd = -1;
  private readonly kernels: Kernels;
  private readonly digest: Digest;
  private table: BlockTable | null = null;
  private source!: FileSource;
  private sink!: TokenSink;
  private windowPtr = 0;
  private windowBytes = 0;
  /** File offset of the window's first byte. */
  private base = 0;
  /** Bytes in the window. */
  private filled = 0;
  /** Position in the window of the first byte not yet searched. */
  private searched = 0;
  /** Position in the window of the first byte not yet sent. */
  private sent = 0;
  private skipBytes = 0;
  private digestSkipped = false;

  /** `digest` is the whole-file digest of the transfer; the Matcher uses it for every file and does not release it. */
  constructor(kernels: Kernels, digest: Digest) {
    this.kernels = kernels;
    this.digest = digest;
  }

  /** File offset up to which tokens were sent, for progress. */
  get offset(): number {
    return this.base + this.sent;
  }

  /** Where progress begins to be shown: behind the first token that upstream makes of the file at hand. */
  get firstOffset(): number {
    const { byteLength } = this.source;
    if (this.skipBytes > 0) return this.digestSkipped ? 0 : Math.min(this.skipBytes + CHUNK_SIZE, byteLength);
    if (this.table === null) return Math.min(CHUNK_SIZE, byteLength);
    // Literals go out once a chunk of them lies before the block that is being looked for.
    const flush = this.table.head.blockLength + CHUNK_SIZE;
    const flushes = byteLength + 1 - this.table.lastLength - flush > CHUNK_SIZE;
    if (this.firstMatchEnd >= 0 && (!flushes || this.firstMatchAt <= flush)) return this.firstMatchEnd;
    return flushes ? CHUNK_SIZE : byteLength;
  }

  /**
   * Begins a file. `table`: the receiver's blocks (built here unless the caller has), or null to send the file whole.
   * The table stays the caller's.
   */
  start(table: BlockTable | null, source: FileSource, sink: TokenSink, options: MatchOptions = {}): void {
    const skipBytes = Math.min(options.skipBytes ?? 0, source.byteLength);
    const inplace = options.inplace ?? false;
    this.table = skipBytes > 0 ? null : table;
    this.source = source;
    this.sink = sink;
    this.skipBytes = skipBytes;
    this.digestSkipped = options.digestSkipped ?? false;
    this.base = this.digestSkipped ? 0 : skipBytes;
    this.filled = this.searched = this.sent = 0;
    this.readError = 0;
    Object.assign(this.stats, newMatchStats());
    if (this.table && (this.table.tablePtr === 0 || this.table.inplace !== inplace)) this.table.build(inplace);
    this.table?.rewind();
    this.firstMatchEnd = -1;
    const traced = this.traceLines && this.table && source.byteLength > 0;
    this.trace = traced ? new MatchTrace(this.kernels, this.traceLines!, this.table!, source.byteLength) : null;
    if (this.table) this.reserveWindow(CHUNK_SIZE + 2 * this.table.head.blockLength);
    this.digest.init();
  }

  /** Does up to half a MiB of work; true while there is more. The caller may drain its output between steps. */
  step(): boolean {
    return this.table ? this.stepSearch(this.table) : this.stepWhole();
  }

  /**
   * Ends the file: writes the whole-file digest to `out` at `at` and returns its length. After a read error the
   * digest is one that cannot be right, so that the receiver does not keep the file.
   */
  finish(out: Uint8Array, at: number): number {
    const byteLength = this.digest.final(out, at);
    if (this.readError !== 0) spoil(out.subarray(at, at + byteLength));
    if (this.traceLines && this.traceLines.level >= 2) {
      const { falseAlarms, hashHits, matches } = this.stats;
      this.traceLines.line("sending file_sum");
      this.traceLines.line(`false_alarms=${falseAlarms} hash_hits=${hashHits} matches=${matches}`);
    }
    for (const key of Object.keys(this.total) as (keyof MatchStats)[]) this.total[key] += this.stats[key];
    return byteLength;
  }

  /** Gives the window back. */
  release(): void {
    if (this.windowPtr !== 0) this.kernels.memory.release(this.windowPtr);
    this.windowPtr = this.windowBytes = 0;
  }

  /** Makes the window hold a step's bytes beside `carried` bytes left over from the step before. */
  private reserveWindow(carried: number): void {
    const wanted = STEP_BYTES + Math.min(carried, this.source.byteLength);
    if (this.windowBytes >= wanted) return;
    this.release();
    this.windowPtr = this.kernels.memory.alloc(wanted);
    this.windowBytes = wanted;
  }

  /** Without blocks to look for, everything after the skipped bytes is literal. */
  private stepWhole(): boolean {
    const offset = this.base;
    const skipping = offset < this.skipBytes;
    const end = skipping ? this.skipBytes : this.source.byteLength;
    const byteLength = Math.min(STEP_BYTES, end - offset);
    const room = skipping || byteLength === 0 ? null : (this.sink.room?.(byteLength) ?? null);
    if (room !== null) this.fillRoom(room);
    else if (byteLength > 0) {
      this.reserveWindow(0);
      this.readAt(offset, this.windowPtr, byteLength);
      this.digest.update(this.windowPtr, byteLength);
      if (!skipping) this.literal(0, byteLength);
      this.base += byteLength;
    }
    return this.base < this.source.byteLength;
  }

  /** Reads the file's next bytes to where they leave from. */
  private fillRoom(room: Pieces): void {
    const got = this.source.readPieces?.(this.base, room) ?? 0;
    let { ptr } = room;
    for (let at = 0; at < room.byteLength; at += CHUNK_SIZE) {
      const byteLength = Math.min(CHUNK_SIZE, room.byteLength - at);
      const there = Math.max(0, Math.min(byteLength, got - at));
      if (there < byteLength) this.readAt(this.base + at + there, ptr + there, byteLength - there);
      this.digest.update(ptr, byteLength);
      ptr += room.stride;
    }
    this.stats.literalBytes += room.byteLength;
    this.base += room.byteLength;
  }

  private stepSearch(table: BlockTable): boolean {
    const begins = this.base + this.filled === 0;
    this.fill();
    if (begins) this.trace?.begin(this.windowPtr);
    const last = this.base + this.filled === this.source.byteLength;
    this.searched = table.search(this.windowPtr, this.searched, this.filled, this.base, last);
    if (this.trace) this.traceMatches(table, this.trace);
    this.sendMatches(table);
    const done = last && !table.eventsFull;
    if (!done) {
      const pending = this.searched - this.sent;
      this.sendLiterals(this.sent + pending - (pending % CHUNK_SIZE));
      if (!table.eventsFull) this.slide();
      return true;
    }
    this.sendEnd(table);
    this.stats.hashHits = this.trace ? this.trace.hashHits : table.hashHits;
    this.stats.falseAlarms = table.falseAlarms;
    this.stats.tagHits = table.tagHits;
    return false;
  }

  /** Reads the file's next bytes behind those in the window. */
  private fill(): void {
    const next = this.base + this.filled;
    const byteLength = Math.min(this.windowBytes - this.filled, this.source.byteLength - next, STEP_BYTES);
    if (byteLength <= 0) return;
    const ptr = this.windowPtr + this.filled;
    this.readAt(next, ptr, byteLength);
    this.digest.update(ptr, byteLength);
    this.filled += byteLength;
  }

  /** Drops what was sent from the window. */
  private slide(): void {
    const { windowPtr, sent } = this;
    this.kernels.wasm.moveBytes(windowPtr, windowPtr + sent, this.filled - sent);
    this.base += sent;
    this.filled -= sent;
    this.searched -= sent;
    this.sent = 0;
  }

  /** Sends the runs of blocks that the kernel found, and the literals before each. */
  private sendMatches(table: BlockTable): void {
    const { u32 } = this.kernels.memory;
    const { blockLength } = table.head;
    for (let n = 0; n < table.eventCount; n++) {
      const at = table.event(n);
      const position = u32[at];
      const index = u32[at + 1];
      const count = u32[at + 2];
      const short = index + count > table.fullCount ? blockLength - table.lastLength : 0;
      const byteLength = count * blockLength - short;
      if (this.firstMatchEnd < 0) {
        this.firstMatchAt = this.base + position;
        this.firstMatchEnd = this.firstMatchAt + Math.min(blockLength, byteLength);
      }
      this.sendLiterals(position);
      this.sendRun(index, count, this.windowPtr + position, byteLength, blockLength);
      this.sent = position + byteLength;
      this.stats.matches += count;
      this.stats.matchedBytes += byteLength;
    }
  }

  /** Tells of the blocks that the kernel found, and that it has looked everywhere else. */
  private traceMatches(table: BlockTable, trace: MatchTrace): void {
    const { u32 } = this.kernels.memory;
    const { blockLength } = table.head;
    const start = this.windowPtr - this.base;
    const end = this.windowPtr + this.filled;
    for (let n = 0; n < table.eventCount; n++) {
      const at = table.event(n);
      for (let block = 0; block < u32[at + 2]; block++) {
        const index = u32[at + 1] + block;
        const byteLength = index < table.fullCount ? blockLength : table.lastLength;
        trace.found(start, end, this.base + u32[at] + block * blockLength, index, byteLength);
      }
    }
    if (this.base + this.filled < this.source.byteLength) trace.searched(start, end, this.base + this.searched);
    else if (!table.eventsFull) trace.end(start, end);
  }

  /** Sends what follows the last match: literals, but for a last block whose length nobody told. */
  private sendEnd(table: BlockTable): void {
    const { blockLength, count } = table.head;
    const from = Math.max(this.sent, this.filled - blockLength + 1);
    const start = table.searchSuffix(this.windowPtr, from, this.filled);
    this.sendLiterals(start);
    const byteLength = this.filled - start;
    if (byteLength === 0) return;
    this.sendRun(count - 1, 1, this.windowPtr + start, byteLength, blockLength);
    this.sent = this.filled;
    this.stats.matches++;
    this.stats.matchedBytes += byteLength;
  }

  private sendRun(index: number, count: number, ptr: number, byteLength: number, blockLength: number): void {
    const { sink } = this;
    if (sink.matchRun) return sink.matchRun(index, count, ptr, byteLength);
    for (let n = 0, at = 0; n < count; n++, at += blockLength) {
      sink.match(index + n, ptr + at, Math.min(blockLength, byteLength - at));
    }
  }

  /** Sends the window's bytes up to position `end` as literals. */
  private sendLiterals(end: number): void {
    if (end > this.sent) this.literal(this.sent, end - this.sent);
    this.sent = end;
  }

  private literal(position: number, byteLength: number): void {
    this.stats.literalBytes += byteLength;
    this.sink.literal(this.windowPtr + position, byteLength);
  }

  /** Reads exactly `byteLength` bytes; what cannot be read becomes zeros (upstream fileio.c:map_ptr). */
  private readAt(offset: number, ptr: number, byteLength: number): void {
    let got = 0;
    while (got < byteLength) {
      const count = this.source.read(offset + got, ptr + got, byteLength - got);
      if (count <= 0) {
        if (this.readError === 0) this.readError = count < 0 ? -count : ENODATA;
        this.kernels.memory.u8.fill(0, ptr + got, ptr + byteLength);
        return;
      }
      got += count;
    }
  }
}

/** All zeros, unless the digest was that: then its last byte is 1. Upstream match.c:match_sums. */
function spoil(sum: Uint8Array): void {
  const wasZero = sum.every((byte) => byte === 0);
  sum.fill(0);
  if (wasZero && sum.length > 0) sum[sum.length - 1] = 1;
}
