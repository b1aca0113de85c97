/** Both engines of --iconv by one table. The bytes are what glibc's iconv makes of the same input. */
import { describe, expect, it } from "vitest";
import { bytesOf, latin1, nameOfText } from "../../../src/memory.ts";
import { Converter } from "../../../src/charset/converter.ts";
import { openLibcIconv } from "../../../src/charset/libciconv.ts";
import { openTextCodec } from "../../../src/charset/textcodec.ts";
import { ffi, nativeMemory } from "../compress/native.ts";

const memory = nativeMemory();
const utf8 = nameOfText;

const engines = {
  libc: (from: string, to: string) => openLibcIconv(ffi, memory, from, to) ?? null,
  "the runtime": openTextCodec,
};

/** From, to, input, output. */
const conversions: readonly (readonly [string, string, string, string])[] = [
  ["ISO-8859-1", "UTF-8", "caf\xe9 \x80", utf8("café \u0080")], ["UTF-8", "ISO-8859-1", utf8("café"), "caf\xe9"],
  ["KOI8-R", "UTF-8", "\xf2\xcf\xd3\xd3\xc9\xd1", utf8("Россия")],
  ["UTF-8", "KOI8-R", utf8("Россия"), "\xf2\xcf\xd3\xd3\xc9\xd1"],
  ["EUC-JP", "UTF-8", "\xc6\xfc\xcb\xdc", utf8("日本")], ["UTF-8", "EUC-JP", utf8("日本"), "\xc6\xfc\xcb\xdc"],
  ["UTF-8", "SHIFT_JIS", utf8("日本"), "\x93\xfa\x96\x7b"], ["UTF-8", "UTF-8", utf8("ünïcødé 😀"), utf8("ünïcødé 😀")],
  ["UTF-8", "US-ASCII", "plain", "plain"], ["GBK", "UTF-8", "\xd6\xd0\xce\xc4", utf8("中文")],
];

/** From, to, input, fault, and what a lenient conversion makes of it. */
const faults: readonly (readonly [string, string, string, string, string])[] = [
  ["UTF-8", "UTF-8", "a\xffb", "EILSEQ", "a\xffb"], ["UTF-8", "UTF-8", "ab\xc3", "EINVAL", "ab\xc3"],
  ["UTF-8", "ISO-8859-1", utf8("é日z"), "EILSEQ", `\xe9${utf8("日")}z`],
  ["US-ASCII", "UTF-8", "a\xe9", "EILSEQ", "a\xe9"], ["UTF-8", "KOI8-R", utf8("aé"), "EILSEQ", utf8("aé")],
];

describe.each(Object.entries(engines))("conversion by %s", (_name, open) => {
  it.each(conversions)("%s to %s", (from, to, input, output) => {
    const converter = new Converter(open(from, to)!);
    const bytes = bytesOf(`..${input}..`);
    const converted = converter.convert(bytes, 2, bytes.length - 2);
    expect(converted && latin1(converted, 0, converted.length)).toBe(output);
    expect(converter.lenient(input)).toBe(output);
  });

  it.each(faults)("%s to %s refuses what is no text: %j", (from, to, input, fault, lenient) => {
    const converter = new Converter(open(from, to)!);
    const bytes = bytesOf(input);
    expect(converter.convert(bytes, 0, bytes.length)).toBe(null);
    expect(converter.fault).toBe(fault);
    expect(converter.lenient(input)).toBe(lenient);
    // A fault leaves nothing behind.
    expect(converter.convert(bytesOf("ok"), 0, 2)).toEqual(bytesOf("ok"));
  });

  it("does not know every charset", () => {
    expect(open("no-such-charset", "UTF-8")).toBe(null);
    expect(open("UTF-8", "no-such-charset")).toBe(null);
  });
});

describe("a charset whose ASCII is not ours", () => {
  it("is converted all the same", () => {
    const converter = new Converter(engines.libc("UTF-8", "UTF-16LE")!);
    expect(latin1(converter.convert(bytesOf("ab"), 0, 2)!, 0, 4)).toBe("a\0b\0");
  });
});
