import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/errors.ts";
import type { FlistFields, ProtocolContext } from "../../../src/protocol/context.ts";
import { Cursor, NEED_MORE, Writer } from "../../../src/protocol/cursor.ts";
import { FlistEntryReader, FlistEntryWriter, WireEntry,
  type FlistEntryHooks } from "../../../src/protocol/flistentry.ts";

interface Sample {
  name: string;
  mode: number;
  size?: number;
  mtime?: number;
  mtimeNsec?: number;
  uid?: number;
  gid?: number;
  rdevMajor?: number;
  rdevMinor?: number;
  link?: string;
  topDir?: boolean;
  noContentDir?: boolean;
  hlinked?: boolean;
  hlinkNdx?: number;
  inoHi?: number;
  checksum?: number;
}

const SAMPLES: Sample[] = [
  { name: ".", mode: 0o40755, mtime: 1700000000, topDir: true },
  { name: "a", mode: 0o100644, size: 0, mtime: 1700000000 },
  { name: "a/long" + "x".repeat(300), mode: 0o100644, size: 5_000_000_000, mtime: 1, mtimeNsec: 999999999, uid: 1000,
    gid: 7 },
  { name: "a/long" + "x".repeat(300) + "y", mode: 0o100600, size: 70000, mtime: 4000000000, uid: 1000, gid: 7 },
  { name: "bytes\xff\xfe\n", mode: 0o100644, size: 2 ** 40, mtime: 1700000000, uid: 4294967294, gid: 0, checksum: 9 },
  { name: "dev", mode: 0o20600, rdevMajor: 5, rdevMinor: 300 },
  { name: "dev2", mode: 0o60600, rdevMajor: 5, rdevMinor: 3 },
  { name: "dir", mode: 0o40700, noContentDir: true },
  { name: "fifo", mode: 0o10600 },
  { name: "hl1", mode: 0o100644, size: 12, hlinked: true, inoHi: 0xffff },
  { name: "hl2", mode: 0o100644, size: 12, hlinked: true, hlinkNdx: 3, inoHi: 0xffff },
  { name: "link", mode: 0o120777, size: 9, link: "../target" },
  { name: "sock", mode: 0o140600 },
];

const VERSIONS = [27, 28, 29, 30, 31, 32];

function contextOf(version: number, varint = version >= 32): ProtocolContext {
  return { version, incRecurse: version >= 30, varintFlistFlags: varint, safeFlist: version >= 30,
    id0Names: false } as ProtocolContext;
}

function fieldsOf(changes: Partial<FlistFields> = {}): FlistFields {
  return {
    preserveUid: true, preserveGid: true, preserveDevices: true, preserveSpecials: true, preserveLinks: true,
    preserveHardLinks: true, preserveAtimes: false, preserveCrtimes: false, preserveAcls: false, preserveXattrs: false,
    checksumLength: 16, numericIds: false, relativePaths: false, ...changes,
  };
}

const HOOKS: FlistEntryHooks = { user: (id) => id, group: (id) => id,
  sibling: () => { throw new Error("no sibling expected"); } };

function fill(entry: WireEntry, sample: Sample, version: number): void {
  for (let i = 0; i < sample.name.length; i++) entry.name[i] = sample.name.charCodeAt(i);
  entry.nameLength = sample.name.length;
  entry.mode = sample.mode;
  entry.size = sample.size ?? 0;
  entry.mtime = sample.mtime ?? 0;
  entry.mtimeNsec = version >= 31 ? (sample.mtimeNsec ?? 0) : 0;
  entry.uid = sample.uid ?? 0;
  entry.gid = sample.gid ?? 0;
  entry.rdevMajor = sample.rdevMajor ?? 0;
  entry.rdevMinor = sample.rdevMinor ?? 0;
  entry.linkLength = sample.link?.length ?? 0;
  for (let i = 0; i < entry.linkLength; i++) entry.link[i] = sample.link!.charCodeAt(i);
  entry.topDir = sample.topDir ?? false;
  entry.noContentDir = version >= 30 && (sample.noContentDir ?? false);
  const regular = (sample.mode & 0o170000) === 0o100000;
  entry.hlinked = version < 28 ? regular : (sample.hlinked ?? false);
  entry.hlinkNdx = version >= 30 ? (sample.hlinkNdx ?? -1) : -1;
  entry.devLo = 2050;
  entry.devHi = 0;
  entry.inoLo = 0x80000001;
  entry.inoHi = sample.inoHi ?? 0;
  entry.checksum.fill(sample.checksum ?? 1, 0, 16);
}

function nameOf(entry: WireEntry): string {
  return String.fromCharCode(...entry.name.subarray(0, entry.nameLength));
}

/** Writes all samples as a segment that starts at ndx 10, so that the hard link refers to an earlier one. */
function encode(version: number, fields = fieldsOf()): Uint8Array {
  const out = new Writer(16);
  const writer = new FlistEntryWriter(contextOf(version), fields, { user: (id) => (id === 1000 ? "joe" : null),
    group: () => null });
  const entry = new WireEntry();
  for (const sample of SAMPLES) {
    fill(entry, sample, version);
    writer.write(out, entry, 10);
  }
  writer.end(out, version >= 30 ? 3 : 0);
  return out.view().slice();
}

function checkEntry(entry: WireEntry, sample: Sample, version: number): void {
  const want = new WireEntry();
  fill(want, sample, version);
  const type = sample.mode & 0o170000;
  const device = type === 0o20000 || type === 0o60000;
  expect(nameOf(entry)).toBe(sample.name);
  for (const key of ["mode", "size", "mtime", "mtimeNsec", "uid", "gid", "linkLength", "hlinked",
    "hlinkNdx"] as const) {
    expect([sample.name, key, entry[key]]).toEqual([sample.name, key, want[key]]);
  }
  if (type === 0o40000) expect([entry.topDir, entry.noContentDir]).toEqual([want.topDir, want.noContentDir]);
  if (device) expect([entry.rdevMajor, entry.rdevMinor]).toEqual([want.rdevMajor, want.rdevMinor]);
  if (type === 0o100000) expect(entry.checksum.slice(0, 16)).toEqual(want.checksum.slice(0, 16));
  if (entry.hlinked && version < 30) {
    expect([entry.devLo, entry.devHi, entry.inoLo, entry.inoHi])
      .toEqual([want.devLo, want.devHi, want.inoLo, want.inoHi]);
  }
}

describe.each(VERSIONS)("file-list entries, protocol %i", (version) => {
  test("come back whole, with trailing bytes untouched", () => {
    const bytes = encode(version);
    const cursor = new Cursor(Uint8Array.from([...bytes, 0x55]));
    const reader = new FlistEntryReader(contextOf(version), fieldsOf(), HOOKS);
    const entry = new WireEntry();
    SAMPLES.forEach((sample, used) => {
      expect(reader.read(cursor, entry, 10, used)).toBe("entry");
      checkEntry(entry, sample, version);
    });
    expect(reader.read(cursor, entry, 10, SAMPLES.length)).toBe("end");
    expect(reader.ioError).toBe(version >= 30 ? 3 : 0);
    expect(cursor.available).toBe(1);
  });

  test("come back the same when bytes arrive one at a time", () => {
    const bytes = encode(version);
    const cursor = new Cursor(bytes, 0, 0);
    const reader = new FlistEntryReader(contextOf(version), fieldsOf(), HOOKS);
    const entry = new WireEntry();
    let used = 0;
    let ended = false;
    for (let end = 1; end <= bytes.length; end++) {
      cursor.end = end;
      const mark = cursor.pos;
      try {
        ended = reader.read(cursor, entry, 10, used) === "end";
        if (!ended) checkEntry(entry, SAMPLES[used++], version);
      } catch (error) {
        expect(error).toBe(NEED_MORE);
        cursor.pos = mark;
      }
    }
    expect(ended).toBe(true);
    expect(used).toBe(SAMPLES.length);
  });
});

test("an abbreviated hard link takes its fields from the row it names", () => {
  const context = contextOf(32);
  const out = new Writer();
  const writer = new FlistEntryWriter(context, fieldsOf(), null);
  const entry = new WireEntry();
  fill(entry, { name: "one", mode: 0o100644, size: 77, hlinked: true }, 32);
  writer.write(out, entry, 1);
  const first = out.length;
  fill(entry, { name: "other", mode: 0o100644, size: 77, hlinked: true, hlinkNdx: 1 }, 32);
  writer.write(out, entry, 1);
  expect(out.length - first).toBeLessThan(12);
  const asked: number[] = [];
  const reader = new FlistEntryReader(context, fieldsOf(), {
    ...HOOKS,
    sibling: (ndx, into) => {
      asked.push(ndx);
      into.mode = 0o100644;
      into.size = 77;
    },
  });
  const cursor = new Cursor(out.view());
  reader.read(cursor, entry, 1, 0);
  expect(reader.read(cursor, entry, 1, 1)).toBe("entry");
  expect([asked, entry.size, entry.hlinkNdx, nameOf(entry)]).toEqual([[1], 77, 1, "other"]);
});

test("a device behind an abbreviated hard link keeps the major number of the device before it", () => {
  const context = contextOf(32);
  const samples: Sample[] = [
    { name: "dev1", mode: 0o20600, rdevMajor: 5, rdevMinor: 1 }, { name: "one", mode: 0o100644, hlinked: true },
    { name: "other", mode: 0o100644, hlinked: true, hlinkNdx: 2 },
    { name: "dev2", mode: 0o20600, rdevMajor: 5, rdevMinor: 2 },
  ];
  const out = new Writer();
  const writer = new FlistEntryWriter(context, fieldsOf(), null);
  const entry = new WireEntry();
  for (const sample of samples) {
    fill(entry, sample, 32);
    writer.write(out, entry, 1);
  }
  const sibling = (_ndx: number, into: WireEntry): void => {
    into.mode = 0o100644;
    into.rdevMajor = into.rdevMinor = 0;
  };
  const reader = new FlistEntryReader(context, fieldsOf(), { ...HOOKS, sibling });
  const cursor = new Cursor(out.view());
  for (let used = 0; used < samples.length; used++) reader.read(cursor, entry, 1, used);
  expect([nameOf(entry), entry.rdevMajor, entry.rdevMinor]).toEqual(["dev2", 5, 2]);
});

test("ids and their names reach the hooks once, when the entry is whole", () => {
  const bytes = encode(30);
  const seen: [number, string | null][] = [];
  const reader = new FlistEntryReader(contextOf(30), fieldsOf(), { ...HOOKS, user: (id, name) => (seen.push([id,
    name]), id + 1) });
  const cursor = new Cursor(bytes);
  const entry = new WireEntry();
  for (let used = 0; used < 4; used++) reader.read(cursor, entry, 10, used);
  expect(seen).toEqual([[0, null], [1000, "joe"]]);
  expect(entry.uid).toBe(1001);
});

/** Bytes of an entry up to and including its name, then the rest. */
function hostile(version: number, bytes: number[], fields = fieldsOf(), hooks = HOOKS): unknown {
  const reader = new FlistEntryReader(contextOf(version, false), fields, hooks);
  const cursor = new Cursor(Uint8Array.from([...bytes, ...new Array(64).fill(0)]));
  try {
    return reader.read(cursor, new WireEntry(), 0, 0);
  } catch (error) {
    return error;
  }
}

function labelOf(result: unknown): string {
  return result instanceof ProtocolError ? `${result.label} ${result.exitCode}` : String(result);
}

describe("hostile entries end in a ProtocolError", () => {
  const name = [1, 0x61];
  test.each([
    ["a name past the path limit", 31, [0x40, 0x90, 0x00], "flist-name-length 22"],
    ["a negative name length", 29, [0x40, 0xff, 0xff, 0xff, 0xff], "flist-name-length 22"],
    ["an empty name", 31, [0x01, 0x00], "flist-name 4"],
    ["a NUL in a name", 31, [0x01, 0x02, 0x61, 0x00], "flist-name 4"],
    ["a hard link to itself", 31, [0x04, 0x02, ...name, 0x00], "flist-hlink-ndx 2"],
    ["a hard link to a negative ndx", 31, [0x04, 0x02, ...name, 0xf0, 0xff, 0xff, 0xff, 0xff], "flist-hlink-ndx 2"],
    ["a mode of no known type", 31, [0x01, ...name, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0], "flist-mode 2"],
    ["a mode of zero", 31, [0x01, ...name, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "flist-mode 2"],
    ["a billion nanoseconds", 31, [0x04, 0x20, ...name, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x00, 0xca, 0x9a, 0x3b],
      "flist-mtime-nsec 2"],
    ["a negative size", 31, [0x98, ...name, 0xfc, ...new Array(8).fill(0xff), 0xa4, 0x81, 0, 0], "flist-size 4"],
    ["a negative old size", 29, [0x98, ...name, 0xfe, 0xff, 0xff, 0xff, 0xa4, 0x81, 0, 0], "flist-size 4"],
  ])("%s", (_what, version, bytes, label) => {
    expect(labelOf(hostile(version, bytes))).toBe(label);
  });

  test("an io_error end without the safe list", () => {
    const reader = new FlistEntryReader({ ...contextOf(30, false), safeFlist: false }, fieldsOf(), HOOKS);
    expect(() => reader.read(new Cursor(Uint8Array.of(0x04, 0x10, 1)), new WireEntry(), 0, 0))
      .toThrow("Invalid flist flag: 1004");
  });

  test("a symlink target past the path limit", () => {
    const mode = [0xff, 0xa1, 0, 0];
    const bytes = [0x98, ...name, 0, 0, 0, ...mode, 0x90, 0x00];
    expect(labelOf(hostile(31, bytes))).toBe("flist-link 22");
  });

  test("but a mode of zero is legal where missing arguments are deleted", () => {
    const bytes = [0x01, ...name, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    expect(hostile(31, bytes, fieldsOf(), { ...HOOKS, missingArgs: true })).toBe("entry");
  });
});
