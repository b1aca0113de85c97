/** The block sizes that the slider offers, and rsync's own choice among them. */
import { rsyncBlockLength } from "../../src/binding.ts";

const LEAST = 64;
const MOST = 131072;
const STEPS_PER_DOUBLING = 4;

/** The sizes from the shortest to the longest that rsync allows, four to a doubling, with rsync's own choice. */
export function blockSizes(fileLength: number): { readonly sizes: number[]; readonly usual: number } {
  const usual = rsyncBlockLength(fileLength);
  const sizes = new Set<number>([usual]);
  for (let step = 0; ; step++) {
    const blockLength = Math.round((LEAST * 2 ** (step / STEPS_PER_DOUBLING)) / 8) * 8;
    if (blockLength > MOST) break;
    sizes.add(blockLength);
  }
  return { sizes: [...sizes].sort((a, b) => a - b), usual };
}

/** A handful of sizes that show the curve, rsync's own among them. */
export function fewSizes(fileLength: number): number[] {
  const { usual } = blockSizes(fileLength);
  const sizes = [128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072];
  return [usual, ...sizes.filter((blockLength) => blockLength !== usual)];
}
