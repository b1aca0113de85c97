/**
 * The columns that every file list has, and how they grow.
 *
 * A short list's columns lie in one JavaScript buffer. Those of a long one lie in linear memory, with room for many
 * times its rows: pages that nobody touches take no memory, and so it hardly ever has to be copied. What doubles in
 * the heap instead leaves half of all it ever had to a collector, which comes late.
 */
import { type LinearMemory } from "../memory.ts";

/** A list of more rows grows in linear memory, and columns of no more are kept for another list. */
const MANY_ROWS = 2048;
/** For how many times its rows a list in linear memory has room. */
const LEAP = 8;
/** Bytes of a row in all columns. */
const ROW_BYTES = 46;
const MAX_SPARES = 16;

/** The columns, each with room for `capacity` rows. */
export interface Columns {
  readonly capacity: number;
  /** Address of the region of linear memory that they lie in, 0 without one. */
  readonly region: number;
  readonly size: Float64Array;
  readonly mtime: Float64Array;
  readonly namePtr: Uint32Array;
  readonly dir: Int32Array;
  readonly mode: Uint32Array;
  readonly mtimeNsec: Uint32Array;
  readonly uid: Uint32Array;
  readonly gid: Uint32Array;
  readonly flags: Uint32Array;
  readonly nameLength: Uint16Array;
}

/** Columns of released segments, for the next ones: with incremental recursion every directory is a segment. */
export type SpareColumns = Columns[];

/** Columns of `capacity` rows in one buffer: a short list must not cost ten allocations. */
export function makeColumns(capacity: number): Columns {
  return columnsIn(new ArrayBuffer(capacity * ROW_BYTES), 0, capacity);
}

/** Columns with room for `rows` or more, and what the given ones hold, which must not be used any more. */
export function growColumns(memory: LinearMemory, before: Columns, rows: number): Columns {
  const room = rows * LEAP;
  const region = rows > MANY_ROWS ? memory.reserve(room * ROW_BYTES) : 0;
  const after = region === 0 ? makeColumns(rows) : columnsIn(memory.wasm.buffer, region, room);
  const old = columnsOf(before);
  columnsOf(after).forEach((column, i) => column.set(old[i]));
  if (before.region !== 0) memory.release(before.region);
  return after;
}

/** Gives columns back, or keeps short ones for another list. */
export function dropColumns(memory: LinearMemory, columns: Columns, spares: SpareColumns): void {
  if (columns.region !== 0) memory.release(columns.region);
  else if (spares.length < MAX_SPARES && columns.capacity <= MANY_ROWS) spares.push(columns);
}

/** All columns, in the order of their fields. */
export function columnsOf(columns: Columns): (Float64Array | Uint32Array | Int32Array | Uint16Array)[] {
  const { size, mtime, namePtr, dir, mode, mtimeNsec, uid, gid, flags, nameLength } = columns;
  return [size, mtime, namePtr, dir, mode, mtimeNsec, uid, gid, flags, nameLength];
}

function columnsIn(buffer: ArrayBufferLike, region: number, capacity: number): Columns {
  let at = region;
  const next = (bytes: number): number => (at += capacity * bytes) - capacity * bytes;
  return {
    capacity, region,
    size: new Float64Array(buffer, next(8), capacity),
    mtime: new Float64Array(buffer, next(8), capacity),
    namePtr: new Uint32Array(buffer, next(4), capacity),
    dir: new Int32Array(buffer, next(4), capacity),
    mode: new Uint32Array(buffer, next(4), capacity),
    mtimeNsec: new Uint32Array(buffer, next(4), capacity),
    uid: new Uint32Array(buffer, next(4), capacity),
    gid: new Uint32Array(buffer, next(4), capacity),
    flags: new Uint32Array(buffer, next(4), capacity),
    nameLength: new Uint16Array(buffer, next(2), capacity),
  };
}
