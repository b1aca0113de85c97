/**
 * How the generator cuts a basis file into blocks: block length, length of the strong sums, number of blocks.
 *
 * Both lengths grow with the file: blocks about as long as the square root of the file, strong sums just long enough
 * that a false match is unlikely over all pairs of offsets and blocks. Upstream generator.c:sum_sizes_sqroot.
 */
import { WireLimit } from "../protocol/constants.ts";
import { newSumHead, type SumHead } from "../protocol/sumhead.ts";

/** Shortest and usual block length in bytes (upstream BLOCK_SIZE). */
const MIN_BLOCK_LENGTH = 700;
/** Longest strong block sum in bytes, whatever the digest (upstream SUM_LENGTH). */
const FULL_SUM_LENGTH = 16;
/** Least strong sum of the first phase in bytes (upstream SHORT_SUM_LENGTH). */
const SHORT_SUM_LENGTH = 2;

/** Bits of safety added to the strong sums (upstream BLOCKSUM_BIAS). */
const SUM_BIAS_BITS = 10;
const MAX_COUNT = 0x7fffffff;

/** What decides the block layout besides the file's length. */
export interface BlockSizing {
  /** --block-size in bytes, 0 to choose by the file's length. */
  readonly blockSize: number;
  /** Negotiated protocol version; before 30 blocks may be longer. */
  readonly version: number;
  /** Length of the transfer digest in bytes: the most a strong sum can have. */
  readonly digestLength: number;
  /** The redo phase: strong sums at full length. */
  readonly fullSums: boolean;
}

/**
 * The sum head of a basis of `fileLength` bytes, written into `head` and returned. `count` is -1 when the blocks
 * cannot be counted in 31 bits: the file then has to be sent whole.
 */
export function sumSizes(fileLength: number, sizing: BlockSizing, head: SumHead = newSumHead()): SumHead {
  const blockLength = sizing.blockSize || chooseBlockLength(fileLength, sizing.version);
  const remainder = fileLength % blockLength;
  const count = Math.floor(fileLength / blockLength) + (remainder === 0 ? 0 : 1);
  head.blockLength = blockLength;
  head.s2length = strongLength(fileLength, blockLength, sizing);
  head.remainder = remainder;
  head.count = fileLength < 0 || count > MAX_COUNT ? -1 : count;
  head.fileLength = fileLength;
  return head;
}

/** The block length that rsync chooses for a basis of `fileLength` bytes (protocol 30 and later). */
export function rsyncBlockLength(fileLength: number): number {
  return chooseBlockLength(fileLength, 32);
}

/** The square root of the length rounded down to a multiple of 8, within the protocol's limits. */
function chooseBlockLength(fileLength: number, version: number): number {
  if (fileLength <= MIN_BLOCK_LENGTH * MIN_BLOCK_LENGTH) return MIN_BLOCK_LENGTH;
  const most = version < 30 ? WireLimit.oldBlockLength : WireLimit.blockLength;
  let bit = 2 ** (log2Floor(fileLength) >> 1);
  if (bit >= most) return most;
  let length = 0;
  for (; bit >= 8; bit /= 2) {
    if (fileLength >= (length + bit) * (length + bit)) length += bit;
  }
  return Math.max(length, MIN_BLOCK_LENGTH);
}

/** Bytes of strong sum that make a false match improbable beside the 32 bits of the weak sum. */
function strongLength(fileLength: number, blockLength: number, sizing: BlockSizing): number {
  const most = Math.min(FULL_SUM_LENGTH, sizing.digestLength);
  if (sizing.fullSums) return most;
  const fileBits = SUM_BIAS_BITS + 2 * log2Floor(Math.max(fileLength, 1));
  const bits = Math.max(0, fileBits - log2Floor(blockLength));
  // Truncating division as in C: for the smallest files the quotient is negative and must not round down.
  const bytes = Math.trunc((bits + 1 - 32 + 7) / 8);
  return Math.min(Math.max(bytes, SHORT_SUM_LENGTH), most);
}

/** Position of the highest set bit of an integer from 1 to 2^53. */
function log2Floor(value: number): number {
  const high = Math.floor(value / 0x100000000);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value);
}
