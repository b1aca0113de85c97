/**
 * Fuzzes every decoder of the wire: on any bytes it yields values, wants more, or throws a ProtocolError, and how the
 * bytes are cut into chunks changes nothing.
 *
 * Bytes are valid messages, mutated, or noise that favours small numbers and flags. The seed is printed by a failure;
 * WSYNC_FUZZ_SEED repeats a run and WSYNC_FUZZ_ROUNDS lengthens it.
 */
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../src/errors.ts";
import { Compressors } from "../../src/compress/registry.ts";
import { AclReader } from "../../src/protocol/acl.ts";
import { readBatchHeader } from "../../src/protocol/batchheader.ts";
import { Cursor, NEED_MORE, Writer } from "../../src/protocol/cursor.ts";
import { type FlistFields, type ProtocolContext } from "../../src/protocol/context.ts";
import { FlistEntryReader, WireEntry } from "../../src/protocol/flistentry.ts";
import { type IdName, readIdName } from "../../src/protocol/idlist.ts";
import { contextFrom } from "../../src/protocol/handshake.ts";
import { readFilterRule } from "../../src/protocol/filterlist.ts";
import {
  LineLimit, parseDaemonReply, parseGreeting, parseModuleRequest, readDaemonArgs, readLine, readProtectedArgs,
} from "../../src/protocol/greeting.ts";
import { readVarlong30, readVstring } from "../../src/protocol/integers.ts";
import { MuxReader, writeIntMessage, writeMessage } from "../../src/protocol/mux.ts";
import { NdxReader } from "../../src/protocol/ndx.ts";
import { newNdxAttrs, readNdxAttrs } from "../../src/protocol/ndxattrs.ts";
import { CHECKSUMS, readNameList } from "../../src/protocol/negotiate.ts";
import { readDeleteStats, readEndStats } from "../../src/protocol/stats.ts";
import { newSumHead, readSumHead } from "../../src/protocol/sumhead.ts";
import { type TokenReader } from "../../src/protocol/token.ts";
import { readXattrAnswer, readXattrRequest, XATTR_LIMITS, XattrSetReader } from "../../src/protocol/xattr.ts";
import { ffi, nativeMemory } from "../unit/compress/native.ts";

const SEED = Number(process.env.WSYNC_FUZZ_SEED ?? 20261122);
const ROUNDS = Number(process.env.WSYNC_FUZZ_ROUNDS ?? 400);
/** Items read from one input at most, so that items of no bytes cannot keep a round going. */
const MOST_ITEMS = 300;

/** A small generator (mulberry32): the same numbers for the same seed everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const TELLING = [0, 0, 0, 1, 2, 3, 4, 10, 13, 32, 0x20, 0x21, 0x40, 0x7f, 0x80, 0xc0, 0xf0, 0xfe, 0xff];

function noise(random: (below: number) => number): Uint8Array {
  const bytes = new Uint8Array(random(200));
  const wild = random(3) === 0;
  for (let i = 0; i < bytes.length; i++) bytes[i] = wild ? random(256) : TELLING[random(TELLING.length)];
  return bytes;
}

function mutated(sample: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = [...sample];
  for (let n = random(4); n > 0 && bytes.length > 0; n--) {
    const at = random(bytes.length);
    const kind = random(4);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes[at] ^= 1 << random(8);
    else if (kind === 2) bytes.splice(at, random(5));
    else bytes.splice(at, 0, TELLING[random(TELLING.length)]);
  }
  return new Uint8Array(bytes);
}

/** What became of an input: the values, joined, and the error, if any. */
interface Outcome {
  values: string;
  /** Payload bytes, for decoders that hand them over apart from the values. */
  data: string;
  error: string;
}

/** A decoder at work: takes what the cursor has and notes what it read. Throws NEED_MORE or returns when dry. */
type Feeder = (cursor: Cursor, note: (value: unknown) => void, data: (bytes: Uint8Array) => void) => void;

interface Target {
  readonly name: string;
  make(): { feed: Feeder; release?(): void };
  readonly samples: readonly Uint8Array[];
}

/** Items read one by one, each rewound when short, as the pump does. */
function items(name: string, make: () => (cursor: Cursor) => unknown, samples: readonly string[] = []): Target {
  return {
    name,
    samples: samples.map((hex) => new Uint8Array(Buffer.from(hex, "hex"))),
    make() {
      const read = make();
      let count = 0;
      const feed: Feeder = (cursor, note) => {
        for (let mark = cursor.pos; count < MOST_ITEMS; mark = cursor.pos, count++) {
          try {
            note(read(cursor));
          } catch (error) {
            cursor.pos = mark;
            throw error;
          }
        }
        cursor.pos = cursor.end;
      };
      return { feed };
    },
  };
}

/** Token readers: literals are joined, since chunking may cut them; blocks are fed back as history. */
function tokens(
  name: string, make: () => { tokens: TokenReader; release(): void }, samples: readonly Uint8Array[],
): Target {
  return {
    name,
    samples,
    make() {
      const codec = make();
      const block = new Uint8Array(50).fill(98);
      let files = 0;
      const feed: Feeder = (cursor, note) => {
        const sink = {
          literal: (bytes: Uint8Array) => note(Buffer.from(bytes).toString("hex")),
          match(index: number) {
            // What a receiver says to a block that the basis does not have; it also bounds runs.
            if (index > 200) throw new ProtocolError("token", "no such block");
            note(`[${index}]`);
            if (codec.tokens.wantsSeen) codec.tokens.seen(block);
          },
          end: () => note("."),
        };
        while (files < MOST_ITEMS && codec.tokens.read(cursor, sink)) files++;
        if (files === MOST_ITEMS) cursor.pos = cursor.end;
      };
      return { feed, release: () => codec.release() };
    },
  };
}

function play(target: Target, bytes: Uint8Array, chunkOf: () => number): Outcome {
  const outcome: Outcome = { values: "", data: "", error: "" };
  const { feed, release } = target.make();
  const note = (value: unknown): void => {
    outcome.values += typeof value === "string" && !target.name.startsWith("item") ? value : JSON.stringify(value);
  };
  const data = (part: Uint8Array): void => {
    outcome.data += Buffer.from(part).toString("hex");
  };
  const cursor = new Cursor(bytes, 0, 0);
  try {
    while (cursor.end < bytes.length) {
      cursor.end = Math.min(bytes.length, cursor.end + chunkOf());
      try {
        feed(cursor, note, data);
      } catch (error) {
        if (error !== NEED_MORE) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    outcome.error = `${error.label}: ${error.message}`;
  }
  release?.();
  return outcome;
}

function muxTarget(): Target {
  const out = new Writer();
  writeMessage(out, 0, new Uint8Array([1, 2, 3]));
  writeMessage(out, 2, new Uint8Array([104, 105, 10]));
  writeIntMessage(out, 100, 9);
  return {
    name: "mux",
    samples: [out.view().slice()],
    make() {
      let total = 0;
      let say: (value: unknown) => void = () => {};
      // A message is noted with the count of data bytes before it: both orders must be kept.
      const reader = new MuxReader(
        (tag, payload) => say(`<${total + reader.produced}: ${tag} ${Buffer.from(payload).toString("hex")}>`),
        { amServer: false, role: "fuzz" },
      );
      const dest = new Uint8Array(13);
      const feed: Feeder = (cursor, note, data) => {
        say = note;
        while (cursor.available > 0) {
          try {
            reader.feed(cursor.bytes, cursor.pos, cursor.end, dest, 0, dest.length);
          } finally {
            cursor.pos += reader.consumed;
            total += reader.produced;
            data(dest.subarray(0, reader.produced));
          }
        }
      };
      return { feed };
    },
  };
}

function contextOf(version: number, compatFlags: number): ProtocolContext {
  return contextFrom({
    version, compatFlags, amServer: false, amSender: false, clientInfo: "", canSetSymlinkTimes: true, checksumSeed: 1,
    transferChecksum: "md5", fileChecksum: "md5", compress: "none", compressLevel: 0,
  });
}

const FIELDS: FlistFields = {
  preserveUid: true, preserveGid: true, preserveDevices: true, preserveSpecials: true, preserveLinks: true,
  preserveHardLinks: true, preserveAtimes: false, preserveCrtimes: false, preserveAcls: false, preserveXattrs: false,
  checksumLength: 2, numericIds: false, relativePaths: false,
};

/** File-list entries in the form of one protocol version; the list goes on after each end. */
function entries(version: number, compatFlags: number, samples: readonly string[]): Target {
  return items(`item: file list entries ${version}`, () => {
    const sibling = (_ndx: number, entry: WireEntry): void => {
      entry.mode = 0o100644;
      entry.linkLength = 0;
    };
    const hooks = { user: (id: number) => id, group: (id: number) => id, sibling };
    const reader = new FlistEntryReader(contextOf(version, compatFlags), FIELDS, hooks);
    const entry = new WireEntry();
    let used = 0;
    return (cursor) => {
      if (reader.read(cursor, entry, 1, used) === "end") return ["end", reader.ioError];
      used++;
      const { name, link, checksum, ...numbers } = entry;
      const text = Buffer.from(name.subarray(0, entry.nameLength)).toString("hex");
      const target = Buffer.from(link.subarray(0, entry.linkLength)).toString("hex");
      return [text, target, checksum[0], checksum[1], numbers];
    };
  }, samples);
}

const memory = nativeMemory();
const compressors = new Compressors({ ffi, zlib: null, arch: "x64" }, memory);

function tokenSample(compress: "none" | "zlib" | "zlibx" | "zstd" | "lz4"): Uint8Array {
  const compressLevel = compress === "lz4" ? 0 : 6;
  const { tokens: writer, release } = compressors.tokenWriter({ compress, version: 32, compressLevel });
  const out = new Writer();
  const block = new Uint8Array(50).fill(98);
  for (const index of [3, 4, 5]) writer.match(out, index, block);
  writer.literal(out, new Uint8Array(80).map((_, i) => (i * i) & 63));
  writer.match(out, 1, block);
  writer.literal(out, new Uint8Array(5));
  writer.end(out);
  release();
  return out.view().slice();
}

const targets: Target[] = [
  items("item: varlong, longint, vstring", () => (cursor) =>
    [readVarlong30(cursor, 4, 30), readVarlong30(cursor, 3, 29), readVstring(cursor, 64, "s")]),
  items("item: ndx and attributes", () => {
    const reader = new NdxReader(31);
    const attrs = newNdxAttrs();
    let ndx = -1;
    // Two items in turn: the index, then what follows one that is not negative.
    return (cursor) => {
      if (ndx < 0) return (ndx = reader.read(cursor));
      readNdxAttrs(cursor, attrs, 31);
      ndx = -1;
      return { ...attrs };
    };
  }, ["01008001001883026162ff0100"]),
  items("item: sum head", () => (cursor) => {
    const head = newSumHead();
    readSumHead(cursor, head, 31, 16);
    return head;
  }, ["03000000bc0200000200000064000000"]),
  items("item: statistics", () => (cursor) => [readEndStats(cursor, 31), readDeleteStats(cursor)], ["0001000170110102030000000000030001020304"]),
  items("item: name list", () => (cursor) => readNameList(cursor, CHECKSUMS), ["076d6435206d6434"]),
  items("item: filter rule", () => readFilterRule, ["050000002d202a2e6f00000000"]),
  items("item: batch header", () => (cursor) => readBatchHeader(cursor, 32), ["810100001f00000081ffd2040000"]),
  items("item: lines", () => (cursor) => {
    const line = readLine(cursor, LineLimit.daemon, "line");
    return [parseGreeting(line), parseDaemonReply(line), parseModuleRequest(line)];
  }, [Buffer.from("@RSYNCD: 32.0 md5\n@RSYNCD: AUTHREQD x\n#early_input=9\n").toString("hex")]),
  items("item: arguments", () => (cursor) => readDaemonArgs(cursor, 29), [Buffer.from("--server\n.\n\n").toString("hex")]),
  items("item: secluded arguments", () => readProtectedArgs, [Buffer.from("rsync\0--server\0\0").toString("hex")]),
  items("item: xattrs", () => {
    const reader = new XattrSetReader(16, XATTR_LIMITS);
    reader.begin(2);
    return (cursor) => {
      if (!reader.step(cursor)) return "more";
      reader.begin(2);
      return [reader.index, reader.xattrs];
    };
  }, ["000107026162636465660068690701"]),
  items("item: xattr request", () => (cursor) => readXattrRequest(cursor, 2, 5), ["010100"]),
  items("item: xattr answer", () => (cursor) => readXattrAnswer(cursor, 0, 5, XATTR_LIMITS), ["010300"]),
  items("item: acl", () => {
    const reader = new AclReader(false);
    reader.begin(2, "access");
    return (cursor) => {
      if (!reader.step(cursor)) return "more";
      reader.begin(2, "access");
      return [reader.index, reader.acl];
    };
  }, ["001605060283e81f03616e6ef0feffffff10"]),
  entries(27, 0, ["0101610500000001000000a4810000e8030000e8030000000000000100000002000000010200"]),
  entries(29, 0, ["0101610500000001000000a4810000e8030000e8030000010200"]),
  entries(31, 0x1fe, ["01016105000001006801a4810000000001023a016203000000000000"]),
  items("item: id list", () => (cursor) => {
    const pair: IdName = { id: 0, name: "" };
    return [readIdName(cursor, contextOf(31, 0x100), pair), pair];
  }, ["8201036162630004726f6f74"]),
  muxTarget(),
  ...(["none", "zlib", "zlibx", "zstd", "lz4"] as const).map((compress) =>
    tokens(`tokens: ${compress}`, () => compressors.tokenReader({ compress, version: 32, compressLevel: 0 }), [
      tokenSample(compress),
    ])),
];

describe(`decoders on bad bytes, seed ${SEED}`, () => {
  test.each(targets)("$name", (target) => {
    const random = generator(SEED);
    let values = 0;
    let errors = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const sample = target.samples.length > 0 && random(3) > 0 ? target.samples[random(target.samples.length)] : null;
      const bytes = sample === null ? noise(random) : mutated(sample, random);
      const whole = play(target, bytes, () => bytes.length);
      const cut = play(target, bytes, () => 1 + random(6));
      const hint = `round ${round}, bytes ${Buffer.from(bytes).toString("hex")}`;
      expect(cut, hint).toEqual(whole);
      if (whole.values !== "") values++;
      if (whole.error !== "") errors++;
    }
    // A target that never yields, or never refuses, is not being tested.
    expect(values).toBeGreaterThan(ROUNDS / 50);
    const lenient = /name list|id list|arguments|tokens: none|varlong/.test(target.name);
    if (!lenient) expect(errors).toBeGreaterThan(ROUNDS / 100);
  });
});
