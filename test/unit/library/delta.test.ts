import { expect, test } from "vitest";
import { ProtocolError, UsageError } from "../../../src/errors.ts";
import { makeDelta, type DeltaRange, type DeltaStats } from "../../../src/library/delta.ts";
import { applyDelta } from "../../../src/library/patch.ts";
import { makeSignature, type SignatureOptions } from "../../../src/library/signature.ts";
import { collect } from "../../../src/library/sources.ts";
import { join, Random, sameBytes } from "../delta/_engine.ts";
import { deltaOf, patched, pieces, pool, signatureOf } from "./_work.ts";

const random = new Random(7);
const basis = random.bytes(300_000);
/** Moved, kept and new parts, and the basis' short end. */
const data = join(
  basis.subarray(50_000, 120_000), random.bytes(5_000), basis.subarray(0, 60_000), random.bytes(1),
  basis.subarray(200_000),
);

const variants: readonly SignatureOptions[] = [
  {}, { checksum: "md5", seed: -5 }, { checksum: "md4" }, { checksum: "xxh64" }, { checksum: "sha1", blockLength: 700 },
  { checksum: "xxh3", sumLength: "short" }, { blockLength: 64 }, { sumLength: 3 },
  { format: "rdiff" }, { format: "rdiff", hash: "md4" }, { format: "rdiff", rollsum: "rollsum" },
  { format: "rdiff", hash: "md4", rollsum: "rollsum" }, { format: "rdiff", blockLength: 1000, sumLength: "short" },
  { format: "rdiff", blockLength: 33, sumLength: 8, rollsum: "rollsum" },
];

for (const options of variants) {
  test(`signature, delta, patch: ${JSON.stringify(options)}`, async () => {
    const signature = await signatureOf(basis, options);
    let stats: DeltaStats | null = null;
    const ranges: DeltaRange[] = [];
    const delta = await deltaOf(signature, data, {
      onStats: (all) => (stats = all), onRange: (range) => ranges.push(range),
    });
    expect(sameBytes(await patched(basis, delta), data)).toBe(true);
    // Only what is new, and ends of blocks at the seams, is literal.
    expect(stats!.literalBytes + stats!.matchedBytes).toBe(data.length);
    expect(stats!.literalBytes).toBeLessThan(5_001 + 6 * 1_100);
    expect(stats!.deltaBytes).toBe(delta.length);
    expect(stats!.signatureBytes).toBe(signature.length);
    let offset = 0;
    for (const range of ranges) {
      expect(range.offset).toBe(offset);
      if (range.kind === "match") {
        const there = basis.subarray(range.basisOffset, range.basisOffset + range.byteLength);
        expect(sameBytes(there, data.subarray(offset, offset + range.byteLength))).toBe(true);
      }
      offset += range.byteLength;
    }
    expect(offset).toBe(data.length);
  });
}

test("any cut of the streams gives the same files", async () => {
  const small = [basis.subarray(0, 4_000), join(basis.subarray(1_500, 3_000), data.subarray(0, 500))] as const;
  for (const options of [{}, { format: "rdiff" }] as const) {
    for (const size of [1, 7, 4096, 65_537]) {
      const [old, now] = size < 4096 ? small : [basis, data];
      const signature = await signatureOf(old, options);
      const delta = await deltaOf(signature, now);
      const streamed = makeSignature(pool, pieces(old, size), { ...options, byteLength: old.length });
      expect(sameBytes(await collect(streamed), signature), `signature in pieces of ${size}`).toBe(true);
      const made = await collect(makeDelta(pool, pieces(signature, size), pieces(now, size)));
      expect(sameBytes(made, delta), `delta in pieces of ${size}`).toBe(true);
      const blob = new Blob([old as Uint8Array<ArrayBuffer>]);
      const result = await collect(applyDelta(pool, blob, pieces(delta, size)));
      expect(sameBytes(result, now), `patch in pieces of ${size}`).toBe(true);
    }
  }
});

test("a basis of unknown length", async () => {
  for (const options of [{}, { format: "rdiff" }] as const) {
    const signature = await collect(makeSignature(pool, pieces(basis, 10_000), options));
    const delta = await deltaOf(signature, data);
    expect(delta.length).toBeLessThan(data.length / 2);
    expect(sameBytes(await patched(basis, delta), data)).toBe(true);
  }
});

test("nothing, on either side", async () => {
  const none = new Uint8Array(0);
  for (const options of [{}, { format: "rdiff" }] as const) {
    for (const [old, now] of [[none, none], [none, basis], [basis, none], [basis.subarray(0, 5), basis]]) {
      const delta = await deltaOf(await signatureOf(old, options), now);
      expect(sameBytes(await patched(old, delta), now)).toBe(true);
    }
  }
});

test("longer than a window, with long matches and long literals", async () => {
  const old = random.bytes(3_000_000);
  const now = join(old.subarray(1_500_000), random.bytes(1_600_000), old.subarray(0, 1_000_001));
  for (const options of [{}, { format: "rdiff" }, { format: "rdiff", blockLength: 700_000 }] as const) {
    const delta = await deltaOf(await signatureOf(old, options), now);
    expect(sameBytes(await patched(old, delta), now)).toBe(true);
    expect(delta.length).toBeLessThan(3_000_000);
  }
});

test("a wrong basis is noticed by the checksum", async () => {
  const delta = await deltaOf(await signatureOf(basis), data);
  const wrong = basis.slice();
  wrong[70_000] ^= 1;
  await expect(patched(wrong, delta)).rejects.toThrow(ProtocolError);
  await expect(patched(wrong, delta)).rejects.toThrow(/checksum/);
  await expect(patched(basis.subarray(0, 100_000), delta)).rejects.toThrow(/of a basis of 100000/);
});

test("files cut short, and files with more behind", async () => {
  for (const options of [{}, { format: "rdiff" }] as const) {
    const signature = await signatureOf(basis.subarray(0, 2_000), { ...options, blockLength: 700 });
    const delta = await deltaOf(signature, data.subarray(0, 500));
    const sums = 4 + (options.format ? 32 : 16);
    for (let length = 0; length < signature.length; length++) {
      const head = signature.length - 3 * sums;
      if (options.format && length >= head && (length - head) % sums === 0) continue;
      await expect(deltaOf(signature.subarray(0, length), data), `${length}`).rejects.toThrow(ProtocolError);
    }
    for (let length = 0; length < delta.length; length++) {
      await expect(patched(basis, delta.subarray(0, length)), `${length}`).rejects.toThrow(/too early/);
    }
    await expect(patched(basis, join(delta, new Uint8Array(1)))).rejects.toThrow(/more behind/);
  }
});

test("options that make no sense", () => {
  const wrong = [
    { blockLength: 0 }, { blockLength: 1.5 }, { blockLength: 200_000 }, { sumLength: 17 }, { sumLength: 0 },
    { checksum: "none" }, { checksum: "crc" }, { format: "rdiff", hash: "md5" }, { format: "rdiff", sumLength: 33 },
    { format: "rdiff", hash: "md4", sumLength: 17 }, { format: "rdiff", rollsum: "adler" },
  ];
  for (const options of wrong) {
    expect(() => makeSignature(pool, basis, options as SignatureOptions), JSON.stringify(options)).toThrow(UsageError);
  }
  expect(() => makeSignature(pool, 5 as never)).toThrow(UsageError);
  expect(() => applyDelta(pool, pieces(basis, 5) as never, basis)).toThrow(/read at any place/);
});

test("a stream that is no stream of bytes", async () => {
  const words = (async function* () {
    yield "text";
  })();
  await expect(collect(makeSignature(pool, words as never))).rejects.toThrow(UsageError);
});

test("a length that was not so", async () => {
  const streamed = makeSignature(pool, pieces(basis, 10_000), { byteLength: 5 });
  await expect(collect(streamed)).rejects.toThrow(/300000 bytes, not 5/);
});

test("an aborted stream fails with the reason, and ends its source", async () => {
  const controller = new AbortController();
  let ended = false;
  const endless = (async function* () {
    try {
      for (;;) yield basis;
    } finally {
      ended = true;
    }
  })();
  const stream = makeDelta(pool, await signatureOf(basis), endless, {
    signal: controller.signal,
    onProgress: (done) => void (done > 2_000_000 && controller.abort(new Error("enough"))),
  });
  await expect(collect(stream)).rejects.toThrow("enough");
  expect(ended).toBe(true);
});

test("whoever stops reading ends the source", async () => {
  let ended = false;
  const endless = (async function* () {
    try {
      for (;;) yield basis;
    } finally {
      ended = true;
    }
  })();
  const reader = makeSignature(pool, endless, { format: "rdiff" }).getReader();
  await reader.read();
  await reader.read();
  await reader.cancel();
  expect(ended).toBe(true);
});

test("progress tells bytes taken in, and of how many", async () => {
  const seen: (number | null)[][] = [];
  await signatureOf(basis, { onProgress: (done, total) => seen.push([done, total]) });
  expect(seen.at(-1)).toEqual([300_000, 300_000]);
  const delta = await deltaOf(await signatureOf(basis), data, { onProgress: (...at) => seen.push(at) });
  expect(seen.at(-1)).toEqual([data.length, data.length]);
  await collect(applyDelta(pool, basis, pieces(delta, 999), { onProgress: (...at) => seen.push(at) }));
  expect(seen.at(-1)).toEqual([delta.length, null]);
});

test("memory is given back: much work in the same kernels", async () => {
  const kernels = pool.take();
  const before = kernels.memory.u8.length;
  pool.give(kernels);
  for (let round = 0; round < 30; round++) {
    const delta = await deltaOf(await signatureOf(basis), data);
    await patched(basis, delta);
  }
  const after = pool.take();
  expect(after).toBe(kernels);
  expect(after.memory.u8.length - before).toBeLessThan(4 << 20);
  pool.give(after);
});
