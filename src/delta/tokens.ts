/**
 * What the delta engine reads from and writes to: the source of a search and the taker of its tokens.
 * Both are calls without promises; addresses are in linear memory and data stays valid only during the call.
 */

/** A file to send. */
export interface FileSource {
  /** Length in bytes when it was opened; the search sends exactly that many. */
  readonly byteLength: number;
  /** Reads up to `byteLength` bytes at `offset` to `ptr`; returns the count, 0 at end of file, or -errno. */
  read(offset: number, ptr: number, byteLength: number): number;
  /**
   * If present, fills `pieces` from `offset` on with one call; returns the count of bytes as `read` does, or 0 when
   * that cannot be done here.
   */
  readPieces?(offset: number, pieces: Pieces): number;
}

/** A region in pieces of CHUNK_SIZE bytes, the last of which may be shorter. */
export interface Pieces {
  /** Where the first begins. */
  readonly ptr: number;
  /** Bytes from where one begins to where the next does. */
  readonly stride: number;
  /** Bytes in all of them together. */
  readonly byteLength: number;
}

/** Takes the token stream of one file, in the order of the file's bytes. */
export interface TokenSink {
  /**
   * Literal bytes. Every call has a multiple of CHUNK_SIZE bytes, except the last before a match or the end: a writer
   * that cuts each call at CHUNK_SIZE makes the same tokens as upstream.
   */
  literal(ptr: number, byteLength: number): void;
  /**
   * If present: the places of the next literals, `byteLength` bytes or fewer, in what will be sent. They count as given
   * to `literal`, and must have their bytes before anything else of the sink is called. Null: use `literal`.
   */
  room?(byteLength: number): Pieces | null;
  /** Block `index` of the basis; the same bytes stand at `ptr` (for a codec's history). */
  match(index: number, ptr: number, byteLength: number): void;
  /** If present, takes `count` consecutive blocks from `index` on in one call instead of `count` calls of match. */
  matchRun?(index: number, count: number, ptr: number, byteLength: number): void;
}

/** Longest literal token in bytes (upstream CHUNK_SIZE). */
export const CHUNK_SIZE = 32 * 1024;

/** Counters of one file's tokens or, summed, of a whole run (upstream match.c statistics and stats.*_data). */
export interface MatchStats {
  /** Offsets whose weak sum is in the block table. */
  hashHits: number;
  /** Blocks with an equal weak sum and another strong sum. */
  falseAlarms: number;
  /** Offsets that passed the table's bitmap. */
  tagHits: number;
  matches: number;
  literalBytes: number;
  matchedBytes: number;
}

/** Counters, all zero. */
export function newMatchStats(): MatchStats {
  return { hashHits: 0, falseAlarms: 0, tagHits: 0, matches: 0, literalBytes: 0, matchedBytes: 0 };
}
