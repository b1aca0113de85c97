import { describe, expect, it } from "vitest";
import { blockRules } from "../../../src/checksum/digest.ts";
import { Signer, sumBytes } from "../../../src/delta/signature.ts";
import { contextOf, newKernels, Random } from "./_engine.ts";
import { weak } from "./_reference.ts";

const kernels = newKernels(256);

describe("Signer", () => {
  it("writes weak and strong sums in wire order, the last block short", () => {
    const { memory, wasm, scratch } = kernels;
    const bytes = new Random(1).bytes(7 * 700 + 123);
    const head = { count: 8, blockLength: 700, s2length: 5, remainder: 123, fileLength: bytes.length };
    for (const [checksum, number] of [["xxh128", 8], ["md5", 5], ["md4", 4], ["sha1", 9], ["xxh64", 6]] as const) {
      const ptr = memory.alloc(bytes.length);
      const out = memory.alloc(sumBytes(head) + 1);
      memory.u8.set(bytes, ptr);
      memory.u8[out + sumBytes(head)] = 0xee;
      expect(new Signer(kernels, blockRules(contextOf(checksum, 77))).sign(head, ptr, bytes.length, out)).toBe(8 * 9);
      expect(memory.u8[out + sumBytes(head)]).toBe(0xee);
      const strong = memory.alloc(20);
      for (let index = 0; index < 8; index++) {
        const byteLength = index === 7 ? 123 : 700;
        const at = out + index * 9;
        expect(memory.view.getUint32(at, true)).toBe(weak(bytes, index * 700, byteLength));
        wasm.strongSum(number, 77, 1, ptr + index * 700, byteLength, strong, scratch);
        expect(memory.u8.slice(at + 4, at + 9)).toEqual(memory.u8.slice(strong, strong + 5));
      }
      for (const region of [ptr, out, strong]) memory.release(region);
    }
  });

  it("gives the same sums however a file is cut into spans", () => {
    const { memory } = kernels;
    const bytes = new Random(2).bytes(50 * 64 + 10);
    const head = { count: 51, blockLength: 64, s2length: 16, remainder: 10, fileLength: bytes.length };
    const signer = new Signer(kernels, blockRules(contextOf("md5")));
    const ptr = memory.alloc(bytes.length);
    const out = memory.alloc(2 * sumBytes(head));
    memory.u8.set(bytes, ptr);
    signer.sign(head, ptr, bytes.length, out);
    for (const blocks of [1, 2, 5, 12, 13, 49]) {
      let at = out + sumBytes(head);
      for (let from = 0; from < bytes.length; from += blocks * 64) {
        at += signer.sign(head, ptr + from, Math.min(blocks * 64, bytes.length - from), at);
      }
      expect(memory.u8.slice(out + sumBytes(head), at)).toEqual(memory.u8.slice(out, out + sumBytes(head)));
    }
    memory.release(ptr);
    memory.release(out);
  });
});
