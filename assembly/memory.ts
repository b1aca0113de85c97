/**
 * The memory map: every region's name, offset, size and alignment. No other kernel file knows an address.
 *
 * The kernels own no memory. The host allocates three kinds of regions and passes their addresses in:
 *
 *   digest slot   SLOT_BYTES, 64-aligned   one running digest; any number may be live at once
 *   scratch       SCRATCH_BYTES, 64-aligned   working space of one call; one a thread, worthless between calls
 *   data          whatever the caller says     file bytes, sums, tables
 *
 * Static data is read-only tables below __heap_base, so workers that share the memory never write to the same place.
 * Kernels may read (never write) up to READ_BEFORE bytes before a data region: the first page's low addresses and the
 * tables guarantee that such an address exists.
 *
 * Digest slot, common head:
 *   +0   i32  algorithm (Algorithm numbers of this file)
 *   +4   i32  bytes waiting in the buffer
 *   +8   u64  bytes taken in total
 *   MD4, MD5, SHA1:  +16 u32[5] chaining state | +64 u8[64] buffer | +128 u32[80] message schedule (SHA1)
 *   XXH64:           +16 u64[4] accumulators | +48 u64 seed | +64 u8[32] buffer
 *   XXH3:            +16 u64 seed | +24 i32 stripes since the last scramble | +64 u64[8] accumulators
 *                    +128 u8[192] secret | +320 u8[256] buffer
 *   BLAKE2b:         +16 u64[8] state | +128 u8[128] the padded last chunk
 *
 * Scratch:
 *   +0    one digest slot, for digests that live for one call
 *   +640  u8[64]  a finished digest
 *   +704  u32[12] lane addresses (multi-buffer)
 *   +768  v128[3][4] lane chaining states: group g, word w at +768 + g*64 + w*16
 *   +960  v128 sink of barrier stores
 *   +1024 v128[3][16] transposed message words: group g, word w at +1024 + g*256 + w*16
 *   +1792 u8[12][128] padded tails, one a lane
 */

const SLOT_BYTES: u32 = 640;
const SCRATCH_BYTES: u32 = 4096;
export const READ_BEFORE: u32 = 32;

export const SLOT_ALGORITHM: usize = 0;
export const SLOT_BUFFERED: usize = 4;
export const SLOT_TOTAL: usize = 8;
export const SLOT_STATE: usize = 16;
export const MD_BUFFER: usize = 64;
export const SHA1_SCHEDULE: usize = 128;
export const XXH64_SEED: usize = 48;
export const XXH64_BUFFER: usize = 64;
export const XXH3_SEED: usize = 16;
export const XXH3_STRIPES: usize = 24;
export const XXH3_ACC: usize = 64;
export const XXH3_SECRET: usize = 128;
export const XXH3_BUFFER: usize = 320;
export const BLAKE2B_BUFFER: usize = 128;

export const SCRATCH_DIGEST: usize = 640;
export const SCRATCH_LANES: usize = 704;
export const SCRATCH_STATES: usize = 768;
export const SCRATCH_SINK: usize = 960;
export const SCRATCH_WORDS: usize = 1024;
export const SCRATCH_TAILS: usize = 1792;
export const TAIL_BYTES: usize = 128;

/** Algorithm numbers; src/checksum/registry.ts gives them their names. */
export const NONE: i32 = 0;
export const MD4_ARCHAIC: i32 = 1;
export const MD4_BUSTED: i32 = 2;
export const MD4_OLD: i32 = 3;
export const MD4: i32 = 4;
export const MD5: i32 = 5;
export const XXH64: i32 = 6;
export const XXH3_64: i32 = 7;
export const XXH3_128: i32 = 8;
export const SHA1: i32 = 9;
/** For blocks only: librsync's strong sum. */
export const BLAKE2B: i32 = 10;

/** Kinds of weak sum, which travel in the bits above an algorithm's number: rsync's own, and librsync's two. */
export const WEAK_SHIFT: i32 = 8;
export const ROLLSUM: i32 = 1;
export const RABIN_KARP: i32 = 2;

/** First byte that belongs to the host's allocator. */
export function heapStart(): usize {
  return __heap_base;
}

export function slotBytes(): u32 {
  return SLOT_BYTES;
}

export function scratchBytes(): u32 {
  return SCRATCH_BYTES;
}
