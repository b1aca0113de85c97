import { describe, expect, it } from "vitest";
import { deltaOf, newKernels } from "./_engine.ts";
import { pairs } from "./_pairs.ts";

/**
 * What stock rsync 3.5.0 does with the same files. To make the rows again, write a pair to `new` and `old` and run
 *   touch -d @1 old; rsync -I --no-whole-file --stats --debug=deltasum1 [--inplace] new old
 * Columns: pair, --inplace, literal data, matched data, matches, false_alarms.
 */
const rows = [
  ["same", false, 0, 700000, 842, 0],
  ["same", true, 0, 700000, 842, 0],
  ["bytes changed here and there", false, 32448, 667552, 803, 0],
  ["bytes changed here and there", true, 32448, 667552, 803, 0],
  ["bytes put in", false, 40832, 699168, 841, 0],
  ["bytes put in", true, 616864, 123136, 148, 0],
  ["bytes taken out", false, 766, 659232, 793, 0],
  ["bytes taken out", true, 766, 659232, 793, 0],
  ["halves swapped", false, 1120, 698880, 840, 0],
  ["halves swapped", true, 350560, 349440, 420, 1],
  ["nothing in common", false, 500000, 0, 0, 1],
  ["nothing in common", true, 500000, 0, 0, 1],
  ["two letters", false, 1300, 298200, 426, 0],
  ["two letters", true, 101400, 198100, 283, 7],
  ["zeros moved", false, 1477, 279300, 399, 0],
  ["zeros moved", true, 2877, 277900, 397, 0],
  ["small file", false, 1000, 40000, 58, 0],
  ["small file", true, 21400, 19600, 28, 0],
  ["shorter than a block", false, 0, 600, 1, 0],
  ["shorter than a block", true, 0, 600, 1, 0],
] as const;

const kernels = newKernels();
const byName = new Map(pairs().map((pair) => [pair.name, pair]));

describe("the same choices as stock rsync", () => {
  it.each(rows)("%s, in place %s", (name, inplace, literalBytes, matchedBytes, matches, falseAlarms) => {
    const { basis, file } = byName.get(name)!;
    const { matcher } = deltaOf(kernels, basis, file, { inplace });
    expect(matcher.stats).toMatchObject({ literalBytes, matchedBytes, matches, falseAlarms });
  });
});
