import { describe, expect, it } from "vitest";
import { CHUNK_SIZE, type Pieces } from "../../../src/delta/tokens.ts";
import { transferDigest } from "../../../src/checksum/digest.ts";
import { Matcher } from "../../../src/delta/match.ts";
import { newSumHead } from "../../../src/protocol/sumhead.ts";
import type { ChecksumName } from "../../../src/protocol/context.ts";
import {
  brief, contextOf, deltaOf, join, newKernels, Random, rebuild, RoomLog, sameBytes, sourceOf, tableOf, TokenLog,
  type Sizes, type Token,
} from "./_engine.ts";
import { referenceTokens } from "./_reference.ts";

const kernels = newKernels();

/** Runs the engine and the reference and expects the same tokens. Returns the engine's run. */
function agree(basis: Uint8Array, file: Uint8Array, sizes: Sizes, what: string) {
  const delta = deltaOf(kernels, basis, file, { fullSums: true, ...sizes });
  expect(brief(delta.log.tokens), what).toEqual(referenceTokens(basis, file, delta.head, sizes.inplace ?? false));
  expect(sameBytes(rebuild(basis, delta.head, delta.log.tokens), file), what).toBe(true);
  return delta;
}

/** Whether the tokens are one literal with these bytes. */
function isLiteral(tokens: readonly Token[], bytes: Uint8Array): boolean {
  return tokens.length === 1 && "literal" in tokens[0] && sameBytes(tokens[0].literal, bytes);
}

/** A file made from pieces of the basis, copied from anywhere, and new bytes between. */
function edit(random: Random, basis: Uint8Array, values: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let n = random.next(6); n >= 0; n--) {
    const from = random.next(basis.length);
    parts.push(basis.subarray(from, from + random.next(basis.length - from + 1)));
    if (random.next(2)) parts.push(random.bytes(random.next(40), values));
  }
  return join(...parts);
}

describe("search against the reference", () => {
  for (const inplace of [false, true]) {
    it(`agrees on seeded edits, ${inplace ? "in place" : "with a new file"}`, () => {
      for (let seed = 1; seed <= 400; seed++) {
        const random = new Random(seed);
        // Few byte values make repeated blocks and equal weak sums; one value makes all blocks equal.
        const values = [1, 2, 3, 256][seed % 4];
        const basis = random.bytes(1 + random.next(3000), values);
        const blockSize = 1 + random.next([4, 16, 100, 700][(seed >> 2) % 4]);
        agree(basis, edit(random, basis, values), { blockSize, inplace }, `seed ${seed}`);
      }
    });

    it(`agrees over several windows, ${inplace ? "in place" : "with a new file"}`, () => {
      const random = new Random(77);
      const basis = random.bytes(1_400_000);
      const zeros = new Uint8Array(40_000);
      const file = join(
        basis.subarray(0, 400_001), random.bytes(70_000), basis.subarray(650_000), zeros, basis.subarray(123, 300_000),
        random.bytes(200_000), zeros, basis.subarray(1_399_000),
      );
      for (const blockSize of [0, 700, 131072]) {
        const delta = agree(join(basis, zeros), file, { blockSize, inplace }, `block size ${blockSize}`);
        expect(delta.steps).toBeGreaterThan(2);
      }
    });
  }

  it("agrees at every length around block, batch and file edges", () => {
    const random = new Random(5);
    const basis = random.bytes(300);
    for (const blockSize of [1, 7, 8, 63, 64, 65, 150, 299, 300, 301]) {
      for (const cut of [0, 1, 2, 62, 63, 64, 65, 66, 127, 128, 129, 130, 200, 299]) {
        agree(basis, basis.subarray(cut), { blockSize }, `block ${blockSize}, first ${cut} bytes gone`);
        agree(basis, basis.subarray(0, 300 - cut), { blockSize }, `block ${blockSize}, last ${cut} bytes gone`);
        agree(basis, join(random.bytes(cut), basis), { blockSize }, `block ${blockSize}, ${cut} bytes before`);
      }
    }
  });

  it("agrees with every digest, short and full sums", () => {
    const random = new Random(9);
    const basis = random.bytes(20_000);
    const file = join(basis.subarray(0, 9_000), random.bytes(100), basis.subarray(8_000));
    for (const checksum of ["xxh128", "xxh3", "xxh64", "md5", "md4", "sha1", "md4-old"] as ChecksumName[]) {
      for (const fullSums of [false, true]) agree(basis, file, { checksum, fullSums, blockSize: 700 }, checksum);
    }
  });
});

describe("operations", () => {
  it("turns an identical file into block runs, one a window, and no literal", () => {
    const basis = new Random(1).bytes(1_200_000);
    const { log, matcher, head, steps } = deltaOf(kernels, basis, basis);
    expect(log.literalCalls).toEqual([]);
    expect(log.runCalls).toBeLessThanOrEqual(steps + 1);
    expect(brief(log.tokens)).toEqual(Array.from({ length: head.count }, (_, index) => `#${index}`));
    expect(matcher.stats).toMatchObject({ matches: head.count, matchedBytes: 1_200_000, literalBytes: 0 });
  });

  it("sends literals in whole chunks until a match or the end", () => {
    const random = new Random(2);
    const basis = random.bytes(50_000);
    const { log } = deltaOf(kernels, basis, join(random.bytes(1_500_000), basis, random.bytes(700_000)));
    const lengths = log.literalCalls.map((byteLength) => byteLength % CHUNK_SIZE);
    expect(lengths.filter((rest) => rest !== 0).length).toBe(2);
    expect(lengths.at(-1)).not.toBe(0);
  });

  it("prefers the block after the last match to a newer equal one", () => {
    const random = new Random(3);
    const [a, b, c] = [random.bytes(100), random.bytes(100), random.bytes(100)];
    const { log } = deltaOf(kernels, join(a, b, c, b), join(c, a, b, c), { blockSize: 100 });
    expect(brief(log.tokens)).toEqual(["#2", "#0", "#1", "#2"]);
  });

  it("takes the newest of equal blocks where nothing continues", () => {
    const random = new Random(4);
    const [a, b] = [random.bytes(100), random.bytes(100)];
    const { log } = deltaOf(kernels, join(a, b, b, b), join(random.bytes(3), b), { blockSize: 100 });
    expect(brief(log.tokens)).toEqual([3, "#3"]);
  });

  it("in place, drops blocks that were overwritten and keeps those known as identical", () => {
    const random = new Random(6);
    const [a, b, c] = [random.bytes(100), random.bytes(100), random.bytes(100)];
    // Block 0 is overwritten by c before it is wanted; block 1 stays where it is and may be used again.
    const { log } = deltaOf(kernels, join(a, b, c), join(c, b, a, b), { blockSize: 100, inplace: true });
    expect(brief(log.tokens)).toEqual(["#2", "#1", 100, "#1"]);
  });

  it("in place, waits for the next block boundary when zeros match ahead of it", () => {
    const random = new Random(7);
    const zeros = new Uint8Array(400);
    const head = random.bytes(100);
    const { log } = deltaOf(kernels, join(head, zeros), join(random.bytes(130), zeros.subarray(0, 370)), {
      blockSize: 100, inplace: true,
    });
    expect(brief(log.tokens)).toEqual([200, "#2", "#3", "#4"]);
  });

  it("matches a short last block at the very end only", () => {
    const random = new Random(8);
    const basis = random.bytes(250);
    const tail = basis.subarray(200);
    const options = { blockSize: 100 };
    expect(brief(deltaOf(kernels, basis, join(random.bytes(30), tail), options).log.tokens)).toEqual([30, "#2"]);
    expect(brief(deltaOf(kernels, basis, join(tail, random.bytes(30)), options).log.tokens)).toEqual([80]);
    expect(brief(deltaOf(kernels, basis, tail, options).log.tokens)).toEqual(["#2"]);
  });

  it("counts false alarms: equal weak sums over different bytes", () => {
    // Adding 1, -2, 1 to neighbours changes neither half of the weak sum.
    const basis = new Uint8Array(100).fill(10);
    const file = basis.slice();
    file[50] += 1;
    file[51] -= 2;
    file[52] += 1;
    const { matcher } = deltaOf(kernels, basis, file, { blockSize: 100 });
    expect(matcher.stats).toMatchObject({ falseAlarms: 1, matches: 0, hashHits: 1, literalBytes: 100 });
  });
});

describe("reading the file", () => {
  const random = new Random(11);
  const file = random.bytes(900_000);

  function send(read: (offset: number, ptr: number, byteLength: number) => number, withTable: boolean) {
    const table = withTable ? tableOf(kernels, random.bytes(5000)) : null;
    const digest = transferDigest(kernels, contextOf());
    const matcher = new Matcher(kernels, digest);
    const log = new TokenLog(kernels.memory, table?.head ?? newSumHead());
    matcher.start(table, { byteLength: file.length, read }, log);
    while (matcher.step());
    const sum = new Uint8Array(16);
    matcher.finish(sum, 0);
    return { log, matcher, sum };
  }

  for (const withTable of [false, true]) {
    const what = withTable ? "searching" : "sending whole";
    it(`takes short reads as they come, ${what}`, () => {
      const whole = send(sourceOf(kernels.memory, file).read, withTable);
      const pieces = send(sourceOf(kernels.memory, file, 1000).read, withTable);
      expect(isLiteral(pieces.log.tokens, file)).toBe(true);
      expect(pieces.sum).toEqual(whole.sum);
      expect(pieces.matcher.readError).toBe(0);
      expect(whole.sum.every((byte) => byte === 0)).toBe(false);
    });

    it(`sends zeros and a wrong digest for a file that shrank, ${what}`, () => {
      const { log, matcher, sum } = send(sourceOf(kernels.memory, file.subarray(0, 700_000)).read, withTable);
      expect(isLiteral(log.tokens, join(file.subarray(0, 700_000), new Uint8Array(200_000)))).toBe(true);
      expect(matcher.readError).toBe(61);
      expect(sum).toEqual(new Uint8Array(16));
    });

    it(`keeps the errno of the first failed read, ${what}`, () => {
      let errno = 5;
      const { matcher } = send(() => -errno++, withTable);
      expect(matcher.readError).toBe(5);
    });
  }
});

describe("reading to where literals leave from", () => {
  const file = new Random(13).bytes(900_001);

  /** The file sent through a sink with room; one call reads `mostPieces` bytes at most. */
  function send(bytes: Uint8Array, mostPieces: number, skipBytes = 0) {
    const { memory } = kernels;
    const digest = transferDigest(kernels, contextOf());
    const matcher = new Matcher(kernels, digest);
    const log = new RoomLog(memory, newSumHead());
    const source = sourceOf(memory, bytes);
    const readPieces = (offset: number, { ptr, stride, byteLength }: Pieces): number => {
      const part = bytes.subarray(offset, offset + Math.min(byteLength, mostPieces));
      for (let at = 0, to = ptr; at < part.length; at += CHUNK_SIZE, to += stride) {
        memory.u8.set(part.subarray(at, at + CHUNK_SIZE), to);
      }
      return part.length;
    };
    matcher.start(null, { ...source, byteLength: file.length, readPieces }, log, { skipBytes });
    while (matcher.step());
    log.take();
    const sum = new Uint8Array(16);
    matcher.finish(sum, 0);
    return { log, matcher, sum };
  }

  it("sends what a copy would, however much a call reads", () => {
    const { sum } = deltaOf(kernels, new Uint8Array(0), file);
    for (const mostPieces of [Infinity, 100_000, CHUNK_SIZE, 1, 0]) {
      const roomy = send(file, mostPieces);
      expect(isLiteral(roomy.log.tokens, file)).toBe(true);
      expect(roomy.log.roomCalls).toBe(4);
      expect(roomy.sum).toEqual(sum);
      expect(roomy.matcher.stats.literalBytes).toBe(file.length);
    }
    expect(isLiteral(send(file, Infinity, 300_000).log.tokens, file.subarray(300_000))).toBe(true);
  });

  it("sends zeros and a wrong digest for a file that shrank", () => {
    const { log, matcher, sum } = send(file.subarray(0, 700_000), Infinity);
    expect(isLiteral(log.tokens, join(file.subarray(0, 700_000), new Uint8Array(200_001)))).toBe(true);
    expect(matcher.readError).toBe(61);
    expect(sum).toEqual(new Uint8Array(16));
  });
});

describe("append", () => {
  const random = new Random(12);
  const file = random.bytes(1_000_000);

  function append(skipBytes: number, digestSkipped: boolean) {
    const digest = transferDigest(kernels, contextOf());
    const matcher = new Matcher(kernels, digest);
    const log = new TokenLog(kernels.memory, { count: 9, blockLength: 0, s2length: 0, remainder: 0, fileLength: 0 });
    matcher.start(null, sourceOf(kernels.memory, file), log, { skipBytes, digestSkipped });
    while (matcher.step());
    const sum = new Uint8Array(16);
    matcher.finish(sum, 0);
    return { tokens: log.tokens, sum };
  }

  it("sends only what follows the skipped bytes, and digests them only when asked", () => {
    const whole = append(0, false);
    for (const skipBytes of [1, 524_288, 700_001]) {
      const verified = append(skipBytes, true);
      expect(isLiteral(verified.tokens, file.subarray(skipBytes))).toBe(true);
      expect(verified.sum).toEqual(whole.sum);
      const plain = append(skipBytes, false);
      expect(isLiteral(plain.tokens, file.subarray(skipBytes))).toBe(true);
      expect(plain.sum).not.toEqual(whole.sum);
    }
  });

  it("sends nothing when the receiver claims more than there is", () => {
    expect(append(5_000_000, true).tokens).toEqual([]);
  });
});

describe("hostile tables", () => {
  /** Seconds to search `byteLength` bytes when all blocks have one weak sum, different bytes, and every offset hits. */
  function collide(byteLength: number): number {
    const blockSize = 32;
    const random = new Random(13);
    const basis = new Uint8Array(byteLength).fill(10);
    for (let at = 0; at + blockSize <= byteLength; at += blockSize) {
      for (let n = 0; n < 6; n++) {
        const i = at + random.next(blockSize - 2);
        basis[i] += 1;
        basis[i + 1] -= 2;
        basis[i + 2] += 1;
      }
    }
    const file = new Uint8Array(byteLength).fill(10);
    const started = performance.now();
    const { matcher } = deltaOf(kernels, basis, file, { blockSize, fullSums: true });
    expect(matcher.stats.matches).toBe(0);
    expect(matcher.stats.falseAlarms).toBeGreaterThan(byteLength / 2);
    return performance.now() - started;
  }

  it("stays linear when all weak sums are equal", () => {
    collide(1 << 15);
    // 2048 blocks in the chain, then 8192. Unbounded chains would take sixteen times as long for four times the data.
    const [one, four] = [1 << 16, 1 << 18].map(collide);
    expect(four / one).toBeLessThan(9);
  });

  it("finds the newest block of a run however many blocks are equal", () => {
    const blocks = join(Uint8Array.of(1), new Uint8Array(2_999_999));
    const { log, matcher } = deltaOf(kernels, blocks, join(Uint8Array.of(2), blocks.subarray(1)), { blockSize: 700 });
    expect(brief(log.tokens).slice(0, 2)).toEqual([1, "#4284"]);
    expect(matcher.stats.falseAlarms).toBe(0);
  });
});
