/** librsync's sums in the kernels: against plain references at every length, and the search with them. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { LibrsyncSum } from "../../../src/checksum/registry.ts";
import { fileDigest } from "../../../src/checksum/digest.ts";
import { BlockTable, Matcher } from "../../../src/delta/match.ts";
import { rdiffRules } from "../../../src/library/signature.ts";
import { brief, join, Random, sourceOf, TokenLog } from "../delta/_engine.ts";
import { freshKernels, hex, noise, place, utf8 } from "./harness.ts";
import { blake2bReference, md4Reference, rabinKarpReference, rollsumReference } from "./reference.ts";

const kernels = freshKernels();

/** Weak sum and strong sum of one block. */
function sums(rules: number, ptr: number, byteLength: number, sumLength: number): { weak: number; strong: string } {
  const { memory, wasm, scratch } = kernels;
  const out = memory.alloc(64);
  const blockLength = Math.max(1, byteLength);
  expect(wasm.signature(rules, 0, 0, ptr, byteLength, blockLength, sumLength, out, scratch)).toBe(4 + sumLength);
  const result = { weak: memory.view.getUint32(out, true), strong: hex(memory.u8.slice(out + 4, out + 4 + sumLength)) };
  memory.release(out);
  return result;
}

test("the reference of BLAKE2b is right", () => {
  const known = "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";
  expect(hex(blake2bReference(utf8("abc"), 32))).toBe(known);
  for (const length of [0, 1, 127, 128, 129, 300]) {
    const bytes = noise(length);
    expect(hex(blake2bReference(bytes, 64))).toBe(createHash("blake2b512").update(bytes).digest("hex"));
  }
});

test("every length around chunks and rows, at odd alignments", () => {
  const bytes = noise(700, 3);
  for (const skew of [0, 1, 7]) {
    const ptr = place(kernels, bytes, skew);
    for (let length = 1; length <= 300; length++) {
      const block = bytes.subarray(0, length);
      const modern = sums(LibrsyncSum.blake2 | LibrsyncSum.rabinkarp, ptr, length, 32);
      expect(modern, `length ${length}`).toEqual({
        weak: rabinKarpReference(block), strong: hex(blake2bReference(block, 32)),
      });
      const old = sums(LibrsyncSum.md4 | LibrsyncSum.rollsum, ptr, length, 16);
      expect(old, `length ${length}`).toEqual({ weak: rollsumReference(block), strong: hex(md4Reference(block)) });
    }
  }
});

test("long blocks of extreme bytes wrap rightly", () => {
  for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
    for (const length of [8191, 65536, 131073]) {
      const bytes = new Uint8Array(length).fill(value);
      const ptr = place(kernels, bytes);
      const { weak } = sums(LibrsyncSum.blake2 | LibrsyncSum.rabinkarp, ptr, length, 8);
      expect(weak).toBe(rabinKarpReference(bytes));
      expect(sums(LibrsyncSum.md4 | LibrsyncSum.rollsum, ptr, length, 8).weak).toBe(rollsumReference(bytes));
    }
  }
});

test("several blocks in lanes have the sums they have alone", () => {
  const bytes = noise(14 * 64 + 20, 5);
  const ptr = place(kernels, bytes);
  const out = kernels.memory.alloc(15 * 20);
  const rules = LibrsyncSum.md4 | LibrsyncSum.rabinkarp;
  expect(kernels.wasm.signature(rules, 0, 0, ptr, bytes.length, 64, 16, out, kernels.scratch)).toBe(15 * 20);
  for (let index = 0; index < 15; index++) {
    const block = bytes.subarray(index * 64, index * 64 + 64);
    const sum = kernels.memory.u8.slice(out + index * 20, out + index * 20 + 20);
    expect(new DataView(sum.buffer).getUint32(0, true)).toBe(rabinKarpReference(block));
    expect(hex(sum.subarray(4))).toBe(hex(md4Reference(block)));
  }
  kernels.memory.release(out);
});

/** What a search that looks at every offset finds, in short: literals as numbers, blocks by their contents. */
function naive(basis: Uint8Array, data: Uint8Array, blockLength: number): string[] {
  const text = (from: Uint8Array, at: number, end: number): string => String.fromCharCode(...from.subarray(at, end));
  const blocks = new Set<string>();
  for (let at = 0; at < basis.length; at += blockLength) blocks.add(text(basis, at, at + blockLength));
  const tail = text(basis, basis.length - (basis.length % blockLength), basis.length);
  const out: string[] = [];
  let literal = 0;
  for (let at = 0; at < data.length; ) {
    const block = text(data, at, at + blockLength);
    const found = block.length === blockLength ? blocks.has(block) : tail !== "" && block === tail;
    if (found && literal > 0) out.push(String(literal));
    if (found) out.push(`=${block}`);
    literal = found ? 0 : literal + 1;
    at += found ? block.length : 1;
  }
  if (literal > 0) out.push(String(literal));
  return out;
}

test("the search finds at every offset what is there, and the short end", () => {
  const random = new Random(99);
  for (const rollsum of ["rabinkarp", "rollsum"] as const) {
    for (let round = 0; round < 150; round++) {
      const blockLength = 3 + random.next(40);
      const basis = random.bytes(blockLength * (1 + random.next(12)) + random.next(blockLength), 2 + random.next(200));
      const cut = random.next(basis.length);
      const data = join(
        basis.subarray(cut), random.bytes(random.next(700), 2 + random.next(200)), basis.subarray(0, cut),
        random.bytes(random.next(3)), basis.subarray(random.next(basis.length)),
      );
      const head = {
        count: Math.ceil(basis.length / blockLength), blockLength, s2length: 32, remainder: 0, fileLength: 0,
      };
      const rules = rdiffRules({ hash: "blake2", rollsum });
      const table = new BlockTable(kernels, rules, head);
      const ptr = place(kernels, basis);
      const { algorithm } = rules;
      const { wasm, scratch } = kernels;
      wasm.signature(algorithm, 0, 0, ptr, basis.length, blockLength, 32, table.sumsPtr, scratch);
      const digest = fileDigest(kernels, "none");
      const matcher = new Matcher(kernels, digest);
      const log = new TokenLog(kernels.memory, head);
      matcher.start(table, sourceOf(kernels.memory, data), {
        literal: (...at) => log.literal(...at), match: (at) => log.match(at),
      });
      while (matcher.step());
      matcher.release();
      digest.release();
      table.release();
      const found = brief(log.tokens).map((token) => {
        if (typeof token === "number") return String(token);
        const at = Number(token.slice(1)) * blockLength;
        return `=${String.fromCharCode(...basis.subarray(at, at + blockLength))}`;
      });
      expect(found, `${rollsum}, round ${round}`).toEqual(naive(basis, data, blockLength));
    }
  }
});
