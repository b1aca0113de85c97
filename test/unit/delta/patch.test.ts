import { describe, expect, it } from "vitest";
import { transferDigest } from "../../../src/checksum/digest.ts";
import { ProtocolError } from "../../../src/errors.ts";
import { Patcher, type PatchTarget } from "../../../src/delta/patch.ts";
import type { ChecksumName } from "../../../src/protocol/context.ts";
import type { SumHead } from "../../../src/protocol/sumhead.ts";
import { contextOf, deltaOf, join, MemoryFiles, newKernels, Random, sameBytes, type Token } from "./_engine.ts";

const kernels = newKernels();
const BASIS = 3;
const OUTPUT = 4;
const NO_HEAD: SumHead = { count: 0, blockLength: 0, s2length: 0, remainder: 0, fileLength: 0 };

function headOf(count: number, blockLength: number, remainder = 0): SumHead {
  return { count, blockLength, s2length: 2, remainder, fileLength: 0 };
}

interface Patched {
  readonly files: MemoryFiles;
  readonly patcher: Patcher;
  readonly result: number;
  readonly sum: Uint8Array;
}

/** Applies tokens to a basis; `files` may be prepared. */
function apply(target: Partial<PatchTarget>, tokens: readonly Token[], setUp: (files: MemoryFiles) => void,
  checksum: ChecksumName = "xxh128"): Patched {
  const files = new MemoryFiles(kernels.memory);
  setUp(files);
  const digest = transferDigest(kernels, contextOf(checksum));
  const patcher = new Patcher(files.system(), digest);
  patcher.start({ head: NO_HEAD, basisFd: BASIS, outputFd: OUTPUT, ...target });
  for (const token of tokens) {
    if ("literal" in token) patcher.literal(token.literal);
    else patcher.match(token.index);
  }
  const result = patcher.finish(target.inplace ?? false);
  const sum = new Uint8Array(digest.byteLength);
  digest.final(sum, 0);
  return { files, patcher, result, sum };
}

/** The whole-file digest of bytes. */
function digestOf(bytes: Uint8Array): Uint8Array {
  const digest = transferDigest(kernels, contextOf());
  digest.updateBytes(bytes);
  const sum = new Uint8Array(digest.byteLength);
  digest.final(sum, 0);
  return sum;
}

describe("signature, match, patch", () => {
  for (const inplace of [false, true]) {
    it(`makes the file again, ${inplace ? "in place" : "beside the basis"}`, () => {
      for (let seed = 1; seed <= 60; seed++) {
        const random = new Random(seed);
        const basis = random.bytes(1 + random.next(seed % 10 === 0 ? 900_000 : 9_000), [2, 256][seed % 2]);
        const a = random.next(basis.length);
        const b = random.next(basis.length);
        const file = join(
          basis.subarray(Math.min(a, b)), random.bytes(random.next(2000)), basis.subarray(0, a), basis.subarray(b),
        );
        const blockSize = [0, 16, 700][seed % 3];
        const delta = deltaOf(kernels, basis, file, { blockSize, inplace, fullSums: true });
        const outputFd = inplace ? BASIS : OUTPUT;
        const { files, result, sum } = apply({ head: delta.head, inplace, outputFd }, delta.log.tokens, (made) => {
          made.files.set(BASIS, basis);
        });
        expect(result).toBe(0);
        expect(sameBytes(files.get(outputFd), file), `seed ${seed}`).toBe(true);
        expect(sum).toEqual(delta.sum);
      }
    });
  }
});

describe("Patcher", () => {
  const random = new Random(1);
  const basis = random.bytes(1_000_000);
  const head = headOf(1429, 700, 400);

  it("reads and writes a matched run in large pieces and counts its bytes", () => {
    const tokens = Array.from({ length: head.count }, (_, index) => ({ index }));
    const { files, patcher } = apply({ head }, tokens, (made) => made.files.set(BASIS, basis));
    expect(sameBytes(files.get(OUTPUT), basis)).toBe(true);
    expect(files.calls).toEqual({ pread: 4, pwrite: 4, ftruncate: 0, copyFileRange: 0 });
    expect(patcher).toMatchObject({ matchedBytes: 1_000_000, literalBytes: 0, offset: 1_000_000 });
  });

  it("writes many small literals at once", () => {
    const tokens = Array.from({ length: 500 }, () => ({ literal: random.bytes(100) }));
    const { files, patcher } = apply({ basisFd: -1 }, tokens, () => {});
    expect(files.calls.pwrite).toBe(1);
    expect(sameBytes(files.get(OUTPUT), join(...tokens.map((token) => token.literal)))).toBe(true);
    expect(patcher).toMatchObject({ matchedBytes: 0, literalBytes: 50_000 });
  });

  it("in place, writes nothing for blocks that are where they belong, but digests them", () => {
    const tokens = Array.from({ length: head.count }, (_, index) => ({ index }));
    const target = { head, inplace: true, outputFd: BASIS };
    const { files, sum } = apply(target, tokens, (made) => made.files.set(BASIS, basis));
    expect(files.calls.pwrite).toBe(0);
    expect(sum).toEqual(digestOf(basis));
  });

  it("in place, moves blocks towards the beginning without reading what it has written", () => {
    const moved = Array.from({ length: head.count - 1 }, (_, n) => ({ index: n + 1 }));
    const tokens = [{ literal: basis.subarray(700, 800) }, ...moved];
    const target = { head, inplace: true, outputFd: BASIS };
    const { files } = apply(target, tokens, (made) => made.files.set(BASIS, basis));
    expect(sameBytes(files.get(BASIS), join(basis.subarray(700, 800), basis.subarray(700)))).toBe(true);
  });

  it("copies inside the kernel when no digest wants the bytes", () => {
    const tokens = [{ literal: Uint8Array.of(7) }, ...Array.from({ length: head.count }, (_, index) => ({ index }))];
    const { files } = apply({ head }, tokens, (made) => made.files.set(BASIS, basis), "none");
    expect(files.calls).toEqual({ pread: 0, pwrite: 1, ftruncate: 0, copyFileRange: 1 });
    expect(sameBytes(files.get(OUTPUT), join(Uint8Array.of(7), basis))).toBe(true);
  });

  it("shows matched bytes before match returns, when asked", () => {
    const seen: number[] = [];
    const target = { head: headOf(3, 10), seen: (ptr: number, byteLength: number) => {
      seen.push(...kernels.memory.u8.subarray(ptr, ptr + byteLength));
    } };
    const bytes = random.bytes(30);
    apply(target, [{ index: 2 }, { literal: Uint8Array.of(1) }, { index: 0 }], (made) => made.files.set(BASIS, bytes));
    expect(seen).toEqual([...bytes.subarray(20), ...bytes.subarray(0, 10)]);
  });

  it("leaves the appended-to part alone and digests it only when asked", () => {
    const tail = random.bytes(50);
    for (const digestSkipped of [false, true]) {
      const target = { outputFd: BASIS, skipBytes: 600_000, digestSkipped };
      const { files, sum } = apply(target, [{ literal: tail }], (made) => {
        made.files.set(BASIS, basis.subarray(0, 600_000));
      });
      expect(sameBytes(files.get(BASIS), join(basis.subarray(0, 600_000), tail))).toBe(true);
      expect(sum).toEqual(digestOf(digestSkipped ? files.get(BASIS) : tail));
    }
  });

  it("takes zeros for basis bytes that are not there, and the digest tells", () => {
    const { files, sum } = apply({ head: headOf(2, 100) }, [{ index: 0 }, { index: 1 }], (made) => {
      made.files.set(BASIS, basis.subarray(0, 130));
    });
    const padded = join(basis.subarray(0, 130), new Uint8Array(70));
    expect(sameBytes(files.get(OUTPUT), padded)).toBe(true);
    expect(sum).toEqual(digestOf(padded));
  });

  it("cuts a longer old file off", () => {
    const target = { outputFd: BASIS, inplace: true };
    const { files } = apply(target, [{ literal: basis.subarray(0, 10) }], (made) => made.files.set(BASIS, basis));
    expect(files.get(BASIS)).toEqual(basis.slice(0, 10));
  });

  it("discards without touching anything, whatever the tokens name", () => {
    const tokens = [{ literal: basis.subarray(0, 500_000) }, { index: 3 }, { literal: basis.subarray(0, 5) }];
    const { files, patcher, result } = apply({ head, basisFd: -1, outputFd: -1 }, tokens, () => {});
    expect(result).toBe(0);
    expect(files.calls).toEqual({ pread: 0, pwrite: 0, ftruncate: 0, copyFileRange: 0 });
    expect(patcher.offset).toBe(500_705);
    expect(patcher.verify(new Uint8Array(16))).toBe(true);
  });

  it("goes on discarding after a failed write and returns the first errno", () => {
    const files = new MemoryFiles(kernels.memory);
    files.spaceBytes = 300_000;
    const patcher = new Patcher(files.system(), transferDigest(kernels, contextOf()));
    patcher.start({ head: NO_HEAD, basisFd: -1, outputFd: OUTPUT });
    patcher.literal(basis);
    expect(patcher.state).toBe("discarding");
    patcher.literal(basis);
    expect(patcher.finish(false)).toBe(-28);
    expect(files.calls.pwrite).toBe(2);
  });

  for (const punches of [true, false]) {
    it(`leaves holes for zeros, ${punches ? "punched" : "written"} where there was data`, () => {
      const other = new Random(7);
      const file = join(
        new Uint8Array(5000), other.bytes(3000), new Uint8Array(400_000), other.bytes(10), new Uint8Array(9000),
      );
      for (const oldBytes of [0, 4096, 500_000]) {
        const { files, result } = apply({ sparse: true, basisFd: -1 }, [{ literal: file }], (all) => {
          all.punches = punches;
          all.files.set(OUTPUT, other.bytes(oldBytes).fill(1));
        });
        expect(result).toBe(0);
        expect(sameBytes(files.get(OUTPUT), file)).toBe(true);
      }
      const { files } = apply({ sparse: true, basisFd: -1 }, [{ literal: file }], () => {});
      expect(files.calls.pwrite).toBe(2);
    });
  }

  it("in place, leaves what is there and empties its zeros, as one hole however they came", () => {
    const other = new Random(9);
    const there = join(other.bytes(3000), new Uint8Array(9000), other.bytes(2000));
    const blocks: Token[] = Array.from({ length: 14 }, (_, index) => ({ index }));
    const target = { head: headOf(14, 1000), inplace: true, sparse: true, outputFd: BASIS };
    for (const between of [{ index: 7 }, { literal: new Uint8Array(1000) }]) {
      const punched: number[][] = [];
      const made = apply(target, blocks.with(7, between), (all) => {
        all.files.set(BASIS, there.slice());
        all.onPunch = (offset, byteLength) => punched.push([offset, byteLength]);
      });
      expect(sameBytes(made.files.get(BASIS), there)).toBe(true);
      expect(made.sum).toEqual(digestOf(there));
      expect(made.files.calls.pwrite).toBe(0);
      expect(punched).toEqual([[3072, 8192]]);
    }
  });

  it("cuts off what was reserved beyond the end, and only that", () => {
    for (const [preallocated, cuts] of [[5001, 1], [4999, 0], [0, 0]]) {
      const { files } = apply({ preallocated, basisFd: -1 }, [{ literal: random.bytes(5000) }], () => {});
      expect(files.calls.ftruncate, `${preallocated}`).toBe(cuts);
    }
  });

  it("refuses blocks that do not exist, and blocks without a basis", () => {
    for (const index of [-1, 1429, 2 ** 31]) {
      expect(() => apply({ head }, [{ index }], () => {})).toThrow(ProtocolError);
    }
    expect(() => apply({ head, basisFd: -1 }, [{ index: 0 }], () => {})).toThrow("no basis file");
  });

  it("verifies against the sender's digest", () => {
    const digest = transferDigest(kernels, contextOf());
    const patcher = new Patcher(new MemoryFiles(kernels.memory).system(), digest);
    const wrong = digestOf(basis);
    wrong[15] ^= 1;
    for (const [expected, good] of [[digestOf(basis), true], [wrong, false], [wrong.subarray(0, 15), false]] as const) {
      patcher.start({ head: NO_HEAD, basisFd: -1, outputFd: OUTPUT });
      patcher.literal(basis);
      expect(patcher.finish(false)).toBe(0);
      expect(patcher.verify(expected)).toBe(good);
    }
  });
});
