import { readFileSync } from "node:fs";
import * as zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/errors.ts";
import { Compressors } from "../../../src/compress/registry.ts";
import { openRuntimeZlib, RuntimeZlibCompressor, RuntimeZlibDecompressor } from "../../../src/compress/runtimezlib.ts";
import { type CompressName } from "../../../src/protocol/context.ts";
import { Cursor, Writer } from "../../../src/protocol/cursor.ts";
import { type TokenReader, type TokenSink, type TokenWriter } from "../../../src/protocol/token.ts";
import { CompressedTokenReader, CompressedTokenWriter } from "../../../src/protocol/tokencompressed.ts";
import { ffi, nativeMemory } from "./native.ts";

// The same generators as vectors/make.py.
function noise(count: number, seed: number): Uint8Array {
  const out = new Uint8Array(count);
  let state = BigInt(seed);
  for (let i = 0; i < count; i++) {
    state = (state * 1103515245n + 12345n) & 0x7fffffffn;
    out[i] = Number(state >> 16n);
  }
  return out;
}

function text(count: number, seed: number): Uint8Array {
  return noise(count, seed).map((byte) => (byte & 0xf0 ? 97 + (byte & 7) : 10));
}

const OLD = text(20000, 7);
const NEW = Buffer.concat([
  Buffer.from("a new beginning, ".repeat(9)), OLD.subarray(0, 7000), noise(900, 3), OLD.subarray(7000, 9100),
  OLD.subarray(14000), text(300, 5),
]);
const WHOLE = Buffer.concat([text(5000, 11), noise(200, 13)]);
const BLOCK = 700;

interface Case {
  compress: CompressName;
  version: number;
  streams: string[];
}

const recorded = JSON.parse(readFileSync(new URL("vectors/tokens.json", import.meta.url), "utf8")) as { cases: Case[] };
const memory = nativeMemory();
const compressors = new Compressors({ ffi, zlib: null, arch: "x64" }, memory);

/** Puts a file together again, block contents from `basis`. */
class Rebuild implements TokenSink {
  readonly parts: Uint8Array[] = [];
  matches = 0;
  ended = false;
  private readonly reader: TokenReader;
  private readonly basis: Uint8Array;
  private readonly blockBytes: number;

  constructor(reader: TokenReader, basis: Uint8Array, blockBytes = BLOCK) {
    this.reader = reader;
    this.basis = basis;
    this.blockBytes = blockBytes;
  }
  literal(bytes: Uint8Array): void {
    this.parts.push(bytes.slice());
  }
  match(index: number): void {
    const block = this.basis.subarray(index * this.blockBytes, (index + 1) * this.blockBytes);
    this.matches++;
    this.parts.push(block);
    if (this.reader.wantsSeen) this.reader.seen(block);
  }
  end(): void {
    this.ended = true;
  }
  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** Feeds a stream in chunks, as a session does: what the reader left stays in front of the next chunk. */
function feed(reader: TokenReader, stream: Uint8Array, chunk: number, sink: TokenSink): boolean {
  const cursor = new Cursor(stream, 0, 0);
  for (let end = chunk; ; end += chunk) {
    cursor.end = Math.min(end, stream.length);
    if (reader.read(cursor, sink)) return cursor.pos === stream.length;
    if (cursor.end === stream.length) return false;
  }
}

const label = (item: Case): string => `${item.compress} at protocol ${item.version}`;
const CHUNKS = [1, 7, 700, 1 << 20];

describe("token streams recorded from rsync", () => {
  test("every compressor is there to be tested", () => {
    expect(compressors.available()).toEqual(["zstd", "lz4", "zlibx", "zlib", "none"]);
    expect(new Set(recorded.cases.map((item) => item.compress)).size).toBe(5);
  });

  for (const item of recorded.cases) {
    test.each(CHUNKS)(`${label(item)} decodes in chunks of %i`, (chunk) => {
      const { tokens, release } = compressors.tokenReader({ ...item, compressLevel: 0 });
      const [first, second] = item.streams.map((stream) => Buffer.from(stream, "base64"));
      const a = new Rebuild(tokens, OLD);
      expect(feed(tokens, first, chunk, a)).toBe(true);
      expect(a.bytes.equals(NEW)).toBe(true);
      expect(a.matches).toBeGreaterThan(15);
      const b = new Rebuild(tokens, new Uint8Array(0));
      expect(feed(tokens, second, chunk, b)).toBe(true);
      expect(b.bytes.equals(WHOLE)).toBe(true);
      release();
    });
  }
});

/** What a sender does with a new file of literals and blocks. */
type Step = { literal: Uint8Array } | { block: number };

function encode(writer: TokenWriter, steps: Step[], basis: Uint8Array, blockBytes: number): Uint8Array {
  const out = new Writer();
  for (const step of steps) {
    if ("literal" in step) writer.literal(out, step.literal);
    else writer.match(out, step.block, basis.subarray(step.block * blockBytes, (step.block + 1) * blockBytes));
  }
  writer.end(out);
  return out.view().slice();
}

function contents(steps: Step[], basis: Uint8Array, blockBytes: number): Buffer {
  return Buffer.concat(steps.map((step) =>
    "literal" in step ? step.literal : basis.subarray(step.block * blockBytes, (step.block + 1) * blockBytes)));
}

const BIG_BASIS = text(400000, 17);
const files: { name: string; blockBytes: number; steps: Step[] }[] = [
  { name: "empty", blockBytes: 700, steps: [] },
  { name: "one byte", blockBytes: 700, steps: [{ literal: new Uint8Array([9]) }] },
  { name: "noise longer than a piece", blockBytes: 700, steps: [{ literal: noise(100000, 23) }] },
  { name: "blocks only", blockBytes: 700, steps: [0, 1, 2, 5, 6, 90, 3, 3].map((block) => ({ block })) },
  {
    name: "blocks longer than a stored block",
    blockBytes: 100000,
    steps: [{ literal: text(50, 1) }, { block: 0 }, { block: 1 }, { literal: BIG_BASIS.slice(70000, 130000) }, { block: 3 }],
  },
  {
    name: "literals and blocks in turn",
    blockBytes: 700,
    steps: [{ block: 4 }, { literal: OLD.slice(2100, 4000) }, { literal: noise(40, 2) }, { block: 5 }, { block: 6 },
      { literal: noise(20000, 29) }, { block: 7 }, { literal: text(9, 1) }],
  },
];

describe("token streams of ours", () => {
  const choices: [CompressName, number][] = [
    ["none", 32], ["zlib", 27], ["zlib", 32], ["zlibx", 32], ["zstd", 32], ["lz4", 32],
  ];
  for (const [compress, version] of choices) {
    test(`${compress} at protocol ${version}: files in one conversation come back in any chunks`, () => {
      const level = compress.startsWith("zlib") ? 6 : 0;
      for (const chunk of [3, 5000, 1 << 20]) {
        const writer = compressors.tokenWriter({ compress, version, compressLevel: level });
        const reader = compressors.tokenReader({ compress, version, compressLevel: level });
        for (const file of files) {
          const stream = encode(writer.tokens, file.steps, BIG_BASIS, file.blockBytes);
          const sink = new Rebuild(reader.tokens, BIG_BASIS, file.blockBytes);
          expect(feed(reader.tokens, stream, chunk, sink), file.name).toBe(true);
          expect(sink.bytes.equals(contents(file.steps, BIG_BASIS, file.blockBytes)), file.name).toBe(true);
        }
        writer.release();
        reader.release();
      }
    });
  }

  test("consecutive blocks travel as one run", () => {
    const writer = compressors.tokenWriter({ compress: "zlibx", version: 32, compressLevel: 6 });
    const steps = Array.from({ length: 300 }, (_, block) => ({ block }));
    expect([...encode(writer.tokens, steps, BIG_BASIS, 700)]).toEqual([0xc0, 299 & 0xff, 299 >> 8, 0]);
    writer.release();
  });

  test("matched blocks enter the history of zlib only", () => {
    const steps: Step[] = [{ block: 0 }, { literal: BIG_BASIS.slice(0, 20000) }];
    const bytes = (compress: CompressName): number => {
      const writer = compressors.tokenWriter({ compress, version: 32, compressLevel: 6 });
      const { length } = encode(writer.tokens, steps, BIG_BASIS, 20000);
      writer.release();
      return length;
    };
    expect(bytes("zlib")).toBeLessThan(bytes("zlibx") / 20);
  });

  test("literals in linear memory and outside give the same stream", () => {
    const ptr = memory.alloc(50000);
    memory.u8.set(BIG_BASIS.subarray(0, 50000), ptr);
    for (const compress of ["zlib", "zstd", "lz4"] as const) {
      const streams = [memory.bytes(ptr, 50000), BIG_BASIS.slice(0, 50000)].map((literal) => {
        const writer = compressors.tokenWriter({ compress, version: 32, compressLevel: 1 });
        const reader = compressors.tokenReader({ compress, version: 32, compressLevel: 1 });
        const sink = new Rebuild(reader.tokens, BIG_BASIS);
        feed(reader.tokens, encode(writer.tokens, [{ literal }], BIG_BASIS, 700), 1 << 20, sink);
        writer.release();
        reader.release();
        return sink.bytes;
      });
      expect(streams[0].equals(streams[1])).toBe(true);
      expect(streams[0].equals(BIG_BASIS.subarray(0, 50000))).toBe(true);
    }
    memory.release(ptr);
  });
});

describe("the runtime's zlib", () => {
  const runtime = openRuntimeZlib(zlib)!;
  test("serves zlib and zlibx where system libraries cannot be called", () => {
    expect(new Compressors({ ffi: null, zlib, arch: "x64" }, memory).available()).toEqual(["zlibx", "zlib", "none"]);
    expect(new Compressors({ ffi: null, zlib: null, arch: "x64" }, memory).available()).toEqual(["none"]);
    expect(openRuntimeZlib({})).toBeNull();
  });
  test("a missing library, or one that lacks a function, is not offered", () => {
    const throwing = { ...ffi, dlopen: () => { throw new Error("no such file"); } };
    expect(new Compressors({ ffi: throwing, zlib: null, arch: "x64" }, memory).available()).toEqual(["none"]);
    const partial = { ...ffi, dlopen: () => ({ deflate: () => 0 }) };
    const poor = new Compressors({ ffi: partial, zlib: null, arch: "x64" }, memory);
    expect(poor.available()).toEqual(["none"]);
    const wanted = { compress: "zstd", version: 32, compressLevel: 3 } as const;
    expect(() => poor.tokenReader(wanted)).toThrow(/"zstd" is not available/);
    expect(() => poor.tokenWriter({ ...wanted, compress: "zlib" })).toThrow(/"zlib" is not available/);
  });

  for (const item of recorded.cases.filter((one) => one.compress.startsWith("zlib"))) {
    test(`decodes ${label(item)}`, () => {
      const mode = { insertMatched: item.compress === "zlib", repeatStart: item.version < 31 };
      const reader = new CompressedTokenReader(new RuntimeZlibDecompressor(runtime, mode));
      const sink = new Rebuild(reader, OLD);
      expect(feed(reader, Buffer.from(item.streams[0], "base64"), 4096, sink)).toBe(true);
      expect(sink.bytes.equals(NEW)).toBe(true);
    });

    test(`writes ${label(item)} for the system's zlib to read`, () => {
      const mode = { insertMatched: item.compress === "zlib", repeatStart: item.version < 31 };
      const writer = new CompressedTokenWriter(new RuntimeZlibCompressor(runtime, 6, mode));
      const reader = compressors.tokenReader({ ...item, compressLevel: 6 });
      for (const file of files) {
        const sink = new Rebuild(reader.tokens, BIG_BASIS, file.blockBytes);
        expect(feed(reader.tokens, encode(writer, file.steps, BIG_BASIS, file.blockBytes), 4096, sink)).toBe(true);
        expect(sink.bytes.equals(contents(file.steps, BIG_BASIS, file.blockBytes)), file.name).toBe(true);
      }
      reader.release();
    });
  }
});

describe("hostile compressed streams", () => {
  const bad: [string, CompressName, number[], RegExp][] = [
    ["an empty piece", "zlibx", [0x40, 0, 0], /inflate returned -5/],
    ["no deflate data", "zlibx", [0x40, 3, 0xff, 0xff, 0xff, 0], /inflate returned -3/],
    ["a deflate stream that ends", "zlibx", [0x40, 2, 3, 0, 0], /inflate returned 1/],
    ["a piece cut before its flush", "zlibx", [0x40, 1, 0x4a, 0], /lost sync/],
    ["no zstd data", "zstd", [0x40, 5, 1, 2, 3, 4, 5, 0], /ZSTD decomp returned -/],
    ["no lz4 data", "lz4", [0x40, 2, 0xff, 0xff, 0], /uncompress failed: -/],
    ["a negative block", "zlibx", [0x20, 0xff, 0xff, 0xff, 0xff], /invalid token number/],
    ["an empty run", "zlibx", [0xc0, 0, 0], /invalid token number/],
    ["a run past the last block", "zlibx", [0x21, 0xfe, 0xff, 0xff, 0x7f, 1, 0], /invalid token number/],
    ["a step past the last block", "zlibx", [0x20, 0xfe, 0xff, 0xff, 0x7f, 0x81], /invalid token number/],
  ];
  test.each(bad)("%s (%s)", (_name, compress, bytes, words) => {
    const reader = compressors.tokenReader({ compress, version: 32, compressLevel: 0 });
    const sink: TokenSink = { literal() {}, match() {}, end() {} };
    const run = (): boolean => feed(reader.tokens, new Uint8Array(bytes), 100, sink);
    expect(run).toThrow(ProtocolError);
    reader.release();
    const again = compressors.tokenReader({ compress, version: 32, compressLevel: 0 });
    expect(() => feed(again.tokens, new Uint8Array(bytes), 1, sink)).toThrow(words);
    again.release();
  });
});
