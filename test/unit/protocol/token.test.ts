import { describe, expect, test } from "vitest";
import { Cursor, Writer } from "../../../src/protocol/cursor.ts";
import {
  LITERAL_STRIDE, PlainTokenReader, PlainTokenWriter, type TokenSink, wholeLiteral,
} from "../../../src/protocol/token.ts";
import {
  CompressedTokenReader, CompressedTokenWriter, type Compressor, type Decompressor, type PieceSink,
} from "../../../src/protocol/tokencompressed.ts";
import { bytesOfHex, hexOf } from "./codec.ts";

/** Notes tokens in a comparable form, joining literals as chunking may cut them anywhere. */
class Notes implements TokenSink {
  readonly list: string[] = [];
  private literals = "";
  literal(bytes: Uint8Array): void {
    this.literals += hexOf(bytes);
  }
  match(index: number): void {
    this.flush();
    this.list.push(`block ${index}`);
  }
  end(): void {
    this.flush();
    this.list.push("end");
  }
  private flush(): void {
    if (this.literals !== "") this.list.push(this.literals);
    this.literals = "";
  }
}

describe("plain tokens", () => {
  const wire = bytesOfHex("02000000 6162 ffffffff 01000000 63 00000080 00000000");
  const notes = ["6162", "block 0", "63", "block 2147483647", "end"];

  test.each([1, 2, 3, 5, 100])("decode in chunks of %i", (chunk) => {
    const sink = new Notes();
    const reader = new PlainTokenReader();
    const cursor = new Cursor(new Uint8Array([...wire, 9, 9]), 0, 0);
    let done = false;
    for (let end = chunk; !done; end += chunk) {
      cursor.end = Math.min(end, wire.length + 2);
      done = reader.read(cursor, sink);
    }
    expect(sink.list).toEqual(notes);
    expect(cursor.pos).toBe(wire.length);
  });

  test("encode, with literals cut to 32 KiB", () => {
    const out = new Writer();
    const writer = new PlainTokenWriter();
    writer.literal(out, new Uint8Array(0));
    writer.literal(out, bytesOfHex("6162"));
    writer.match(out, 0, new Uint8Array(0));
    writer.literal(out, bytesOfHex("63"));
    writer.match(out, 0x7fffffff, new Uint8Array(0));
    writer.end(out);
    expect(hexOf(out.view())).toBe(hexOf(wire));
    out.reset();
    writer.literal(out, new Uint8Array(70000));
    expect(out.length).toBe(70000 + 3 * 4);
  });

  test("room for a literal is where its bytes would have gone", () => {
    const writer = new PlainTokenWriter();
    for (const byteLength of [1, 32768, 32769, 70000]) {
      const bytes = Uint8Array.from({ length: byteLength }, (_, i) => i * 7);
      const plain = new Writer();
      plain.u8(9);
      writer.literal(plain, bytes);
      const out = new Writer();
      out.u8(9);
      const first = writer.room(out, byteLength);
      for (let at = 0, to = first; at < byteLength; at += 32768, to += LITERAL_STRIDE) {
        out.bytes.set(bytes.subarray(at, at + 32768), to);
      }
      expect(Buffer.compare(out.view(), plain.view())).toBe(0);
    }
  });

  test("a literal of any length passes through as it arrives", () => {
    const reader = new PlainTokenReader();
    let bytes = 0;
    const sink: TokenSink = { literal: (view) => (bytes += view.length), match() {}, end() {} };
    expect(reader.read(new Cursor(bytesOfHex("ffffff7f 0102")), sink)).toBe(false);
    expect(reader.read(new Cursor(new Uint8Array(100)), sink)).toBe(false);
    expect(bytes).toBe(102);
  });
});

/** Codecs which change nothing, so that the framing shows; they log the calls that matter to real ones. */
function framing(): { compressor: Compressor; decompressor: Decompressor; log: string[] } {
  const log: string[] = [];
  let held: Uint8Array[] = [];
  return {
    log,
    compressor: {
      wantsMatched: true,
      begin: () => void log.push("begin"),
      compress: (bytes) => void held.push(bytes.slice()),
      flush(sink: PieceSink) {
        for (const bytes of held) sink.piece(bytes);
        held = [];
      },
      insert: (bytes) => void log.push(`insert ${bytes.length}`),
      release() {},
    },
    decompressor: {
      wantsMatched: true,
      begin: () => void log.push("begin"),
      decompress(piece, sink) {
        sink.literal(piece);
        return null;
      },
      finishPieces() {
        log.push("finish");
        return null;
      },
      insert(bytes) {
        log.push(`insert ${bytes.length}`);
        return null;
      },
      release() {},
    },
  };
}

describe("a small file that has arrived whole", () => {
  const stream = (...parts: (number | Uint8Array)[]): Cursor => {
    const out = new Writer();
    for (const part of parts) {
      if (typeof part === "number") out.i32le(part);
      else out.put(part);
    }
    return new Cursor(out.view().slice());
  };
  const text = new Uint8Array(5).fill(120);
  const digest = new Uint8Array(16);
  test.each([
    ["one literal", stream(5, text, 0, digest), 5],
    ["more behind it", stream(5, text, 0, digest, 7), 5],
    ["no contents", stream(0, digest), 0],
    ["no digest yet", stream(5, text, 0, digest.subarray(1)), -1],
    ["no digest yet, without contents", stream(0, digest.subarray(1)), -1],
    ["a second literal", stream(5, text, 5, text, 0, digest), -1],
    ["a block", stream(-1, 0, digest), -1],
    ["an endless literal", stream(0x7fffffff, text, digest), -1],
    ["nothing", stream(), -1],
  ])("%s", (_, cursor, byteLength) => {
    expect(wholeLiteral(cursor, 16)).toBe(byteLength);
    expect(cursor.pos).toBe(0);
  });
});

describe("compressed tokens", () => {
  const block = new Uint8Array(7);
  const cases: { name: string; steps: (number | string)[]; hex: string }[] = [
    { name: "nothing", steps: [], hex: "00" },
    { name: "a literal", steps: ["6162"], hex: "40 02 6162 00" },
    { name: "the first block", steps: [0], hex: "80 00" },
    { name: "a run", steps: [5, 6, 7], hex: "c5 0200 00" },
    { name: "a step of 63 and one of 64", steps: [63, 127], hex: "bf 20 7f000000 00" },
    { name: "a step back", steps: [9, 3, 4], hex: "89 21 03000000 0100 00" },
    { name: "the same block twice", steps: [2, 2], hex: "82 80 00" },
    { name: "a literal between runs", steps: [1, 2, "63", 3], hex: "c1 0100 40 01 63 81 00" },
  ];
  test.each(cases)("$name", ({ steps, hex }) => {
    const wire = bytesOfHex(hex);
    const out = new Writer();
    const writer = new CompressedTokenWriter(framing().compressor);
    for (const step of steps) {
      if (typeof step === "string") writer.literal(out, bytesOfHex(step));
      else writer.match(out, step, block);
    }
    writer.end(out);
    expect(hexOf(out.view())).toBe(hexOf(wire));

    for (const chunk of [1, 2, 100]) {
      const sink = new Notes();
      const reader = new CompressedTokenReader(framing().decompressor);
      const cursor = new Cursor(new Uint8Array([...wire, 0xc1]), 0, 0);
      for (let end = chunk, done = false; !done; end += chunk) {
        cursor.end = Math.min(end, wire.length + 1);
        done = reader.read(cursor, sink);
      }
      expect(sink.list).toEqual([...steps.map((step) => (typeof step === "string" ? step : `block ${step}`)), "end"]);
      expect(cursor.pos).toBe(wire.length);
    }
  });

  test("runs stop at 65536 blocks, what 16 bits can count", () => {
    const out = new Writer();
    const writer = new CompressedTokenWriter(framing().compressor);
    for (let index = 0; index < 65540; index++) writer.match(out, index, block);
    writer.end(out);
    expect(hexOf(out.view())).toBe("c0ffffc1030000");
    const reader = new CompressedTokenReader(framing().decompressor);
    let next = 0;
    reader.read(new Cursor(out.view()), { literal() {}, match: (index) => expect(index).toBe(next++), end() {} });
    expect(next).toBe(65540);
  });

  test("codecs begin with each file, finish pieces before a block, and are given matched blocks", () => {
    const { compressor, decompressor, log } = framing();
    const out = new Writer();
    const writer = new CompressedTokenWriter(compressor);
    for (let file = 0; file < 2; file++) {
      writer.literal(out, bytesOfHex("61"));
      writer.match(out, 1, block);
      writer.end(out);
    }
    expect(log.splice(0)).toEqual(["begin", "insert 7", "begin", "insert 7"]);
    const reader = new CompressedTokenReader(decompressor);
    const cursor = new Cursor(out.view());
    const sink: TokenSink = { literal() {}, match: () => reader.seen(block), end() {} };
    reader.read(cursor, sink);
    reader.read(cursor, sink);
    expect(log).toEqual(["begin", "finish", "insert 7", "begin", "finish", "insert 7"]);
    expect(reader.wantsSeen && writer.wantsMatched).toBe(true);
  });
});
