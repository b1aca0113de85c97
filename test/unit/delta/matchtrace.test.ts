/** Hash hits as upstream counts them, against a plain count over every offset; and the lines of --debug=deltasum. */
import { describe, expect, it } from "vitest";
import { transferDigest } from "../../../src/checksum/digest.ts";
import { Matcher } from "../../../src/delta/match.ts";
import { contextOf, join, newKernels, Random, sourceOf, tableOf, TokenLog, type Sizes } from "./_engine.ts";

const kernels = newKernels();

interface Traced {
  readonly lines: string[];
  readonly matcher: Matcher;
  readonly log: TokenLog;
  readonly expectedHits: number;
}

/** Searches a file with a trace of that level. */
function traced(basis: Uint8Array, file: Uint8Array, level: number, sizes: Sizes = {}): Traced {
  const table = tableOf(kernels, basis, sizes);
  const lines: string[] = [];
  const matcher = new Matcher(kernels, transferDigest(kernels, contextOf()));
  matcher.traceLines = { level, line: (text) => void lines.push(text) };
  const log = new TokenLog(kernels.memory, table.head);
  matcher.start(table, sourceOf(kernels.memory, file), log);
  while (matcher.step());
  matcher.finish(new Uint8Array(16), 0);
  const expectedHits = plainHits(basis, file, log, table.head.blockLength, table.lastLength);
  table.release();
  return { lines, matcher, log, expectedHits };
}

function weak(bytes: Uint8Array, from: number, byteLength: number): number {
  let s1 = 0;
  let s2 = 0;
  for (let i = 0; i < byteLength; i++) {
    s1 += (bytes[from + i] << 24) >> 24;
    s2 += s1;
  }
  return ((s1 & 0xffff) | (s2 << 16)) >>> 0;
}

/** Upstream's count: the offsets that are tried, and whether the bucket of each one's sum holds a block. */
function plainHits(
  basis: Uint8Array, file: Uint8Array, log: TokenLog, blockLength: number, lastLength: number,
): number {
  const count = Math.ceil(basis.length / blockLength);
  const size = Math.max(Math.floor(count / 8) * 10 + 11, 65536);
  const bucketOf = (sum: number): number =>
    size === 65536 ? ((sum & 0xffff) + (sum >>> 16)) & 0xffff : sum % size;
  const lengthOf = (index: number): number => (index === count - 1 ? lastLength : blockLength);
  const full = new Set(Array.from({ length: count }, (_, index) =>
    bucketOf(weak(basis, index * blockLength, lengthOf(index)))));
  const matches = new Map<number, number>();
  let at = 0;
  for (const token of log.tokens) {
    const byteLength = "literal" in token ? token.literal.length : lengthOf(token.index);
    if ("index" in token) matches.set(at, byteLength);
    at += byteLength;
  }
  let hits = 0;
  const end = Math.max(file.length + 1 - lastLength, 1);
  for (let offset = 0; offset < end; offset += matches.get(offset) ?? 1) {
    if (full.has(bucketOf(weak(file, offset, Math.min(blockLength, file.length - offset))))) hits++;
  }
  return hits;
}

describe("hash hits", () => {
  const random = new Random(7);
  const basis = random.bytes(40_000);
  const edited = join(basis.subarray(0, 9_000), random.bytes(777), basis.subarray(9_500));

  it.each([
    ["a changed file", basis, edited, { blockSize: 700 }],
    ["a file that ends in part of a block", basis.subarray(0, 39_001), edited.subarray(0, 30_000), { blockSize: 512 }],
    ["few values, so that sums collide", random.bytes(20_000, 2), random.bytes(20_000, 2), { blockSize: 64 }],
    ["a file shorter than a block", basis.subarray(0, 1_000), basis.subarray(3, 20), { blockSize: 700 }],
    ["more than one step", basis, join(random.bytes(600_000, 4), basis), { blockSize: 64 }],
    ["so many blocks that the buckets are numbered otherwise", random.bytes(60_000 * 8), edited, { blockSize: 8 }],
  ] as const)("%s", (_title, old, file, sizes) => {
    const { matcher, expectedHits } = traced(old, file, 1, sizes);
    expect(matcher.stats.hashHits).toBe(expectedHits);
  });
});

describe("lines", () => {
  const random = new Random(8);
  const basis = random.bytes(2_100);
  const file = join(basis.subarray(0, 1_400), Uint8Array.of(1, 2, 3), basis.subarray(1_400));

  it("tell of matches at level 2", () => {
    expect(traced(basis, file, 2, { blockSize: 700 }).lines).toEqual([
      "built hash table",
      "hash search b=700 len=2103",
      "match at 0 last_match=0 j=0 len=700 n=0",
      "match at 700 last_match=700 j=1 len=700 n=0",
      "match at 1403 last_match=1400 j=2 len=700 n=3",
      "done hash search",
      "sending file_sum",
      "false_alarms=0 hash_hits=3 matches=3",
    ]);
  });

  it("tell of sums at level 3, of every offset at level 4, of nothing at level 1", () => {
    const sum = (from: number): string => weak(file, from, 700).toString(16).padStart(8, "0");
    const { lines } = traced(basis, file, 3, { blockSize: 700 });
    expect(lines).toContain(`sum=${sum(0)} k=700`);
    expect(lines).toContain(`potential match at 1403 i=2 sum=${sum(1403)}`);
    expect(traced(basis, file, 4, { blockSize: 700 }).lines).toContain(`offset=1401 sum=${sum(1401)}`);
    expect(traced(basis, file, 1, { blockSize: 700 }).lines).toEqual([]);
  });

  it("leave out literals that have gone before the match", () => {
    const far = join(random.bytes(100_000), basis);
    const { lines } = traced(basis, far, 2, { blockSize: 700 });
    expect(lines[2]).toBe("match at 100000 last_match=65536 j=0 len=700 n=34464");
  });
});

describe("where progress begins", () => {
  const random = new Random(9);
  const first = (old: Uint8Array, file: Uint8Array): number =>
    traced(old, file, 1, { blockSize: 700 }).matcher.firstOffset;
  const basis = random.bytes(2_100);

  it.each([
    ["at the first match", basis, basis, 700],
    ["at a chunk of literals", basis, random.bytes(200_000), 32_768],
    ["at the end", basis, random.bytes(500), 500],
  ] as const)("%s", (_title, old, file, offset) => {
    expect(first(old, file)).toBe(offset);
  });
});
