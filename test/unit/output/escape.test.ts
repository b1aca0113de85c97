/** Expected bytes were printed by stock rsync 3.5.0 for file names with these bytes, in the locales C.UTF-8 and C. */
import { describe, expect, it } from "vitest";
import { charsetOf, escapeLine, escapeLog } from "../../../src/output/escape.ts";

describe("escapeLine", () => {
  it.each([
    ["tab\there", "tab\there", "tab\there"],
    ["nl\nx", "nl\\#012x", "nl\\#012x"],
    ["bad\xff\xfe", "bad\\#377\\#376", "bad\\#377\\#376"],
    ["utf\xc3\xa9", "utf\xc3\xa9", "utf\\#303\\#251"],
    ["esc\\#123", "esc\\#134#123", "esc\\#134#123"],
    ["esc\\#12", "esc\\#12", "esc\\#12"],
    ["del\x7f", "del\x7f", "del\x7f"],
    ["c1\xc2\x85", "c1\xc2\x85", "c1\\#302\\#205"],
    ["over\xc0\xaf", "over\\#300\\#257", "over\\#300\\#257"],
    ["sur\xed\xa0\x80", "sur\\#355\\#240\\#200", "sur\\#355\\#240\\#200"],
    ["big\xf4\x90\x80\x80", "big\xf4\x90\x80\x80", "big\\#364\\#220\\#200\\#200"],
    ["c\xf8\x88\x80\x80\x80", "c\xf8\x88\x80\x80\x80", "c\\#370\\#210\\#200\\#200\\#200"],
    ["ok\xf0\x9f\x98\x80", "ok\xf0\x9f\x98\x80", "ok\\#360\\#237\\#230\\#200"],
    ["cut\xe2\x82", "cut\\#342\\#202", "cut\\#342\\#202"],
  ])("%j", (name, utf8, ascii) => {
    expect(escapeLine(`${name}\n`, false)).toBe(`${utf8}\n`);
    expect(escapeLine(`${name}\n`, false, "ascii")).toBe(`${ascii}\n`);
  });

  it("leaves high bytes alone with -8 and in single-byte charsets, but no control characters", () => {
    expect(escapeLine("bad\xff\x01\n", true)).toBe("bad\xff\\#001\n");
    expect(escapeLine("bad\xff\x01\n", false, "single-byte")).toBe("bad\xff\\#001\n");
  });

  it("lets a first carriage return and the line's end pass", () => {
    expect(escapeLine("\r 3 100%\r", false)).toBe("\r 3 100%\r");
    expect(escapeLine("a\rb\n", false)).toBe("a\\#015b\n");
    expect(escapeLine("\n", false)).toBe("\n");
    expect(escapeLine("a\n\n", false)).toBe("a\\#012\n");
  });
});

describe("charsetOf", () => {
  it.each([
    [{}, "ascii"], [{ LANG: "C.UTF-8" }, "utf-8"], [{ LANG: "en_US.utf8" }, "utf-8"],
    [{ LANG: "C.UTF-8", LC_ALL: "C" }, "ascii"], [{ LANG: "C", LC_CTYPE: "de_DE.ISO-8859-1" }, "single-byte"],
    [{ LC_ALL: "", LANG: "POSIX" }, "ascii"],
  ] as const)("%j", (env, charset) => {
    expect(charsetOf((name) => (env as Record<string, string>)[name])).toBe(charset);
  });
});

describe("escapeLog", () => {
  it.each([
    ["plain text\n", "plain text\n"],
    ["tab\there\n", "tab\there\n"],
    ["two\nlines\n", "two\\#012lines\n"],
    ["\rback\r", "\\#015back\r"],
    ["clear\x1b[2J", "clear\\#033[2J"],
    ["c1\x9b2J and \xc2\x85\n", "c1\\#2332J and \xc2\\#205\n"],
    ["high \xc3\xa9 \xff \x7f\n", "high \xc3\xa9 \xff \x7f\n"],
    ["esc\\#123\n", "esc\\#134#123\n"],
  ])("%j", (text, escaped) => {
    expect(escapeLog(text)).toBe(escaped);
  });
});
