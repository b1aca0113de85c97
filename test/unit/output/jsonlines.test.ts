/** Events as lines of JSON: every name comes back exactly, whatever bytes it has. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RunEvent } from "../../../src/output/events.ts";
import { jsonLine, jsonObserver } from "../../../src/output/jsonlines.ts";

/** The object of an event's line, which must be one line of UTF-8. */
function parsed(event: RunEvent): Record<string, unknown> {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(jsonLine(event));
  expect(text.indexOf("\n")).toBe(text.length - 1);
  return JSON.parse(text) as Record<string, unknown>;
}

const gone = (path: string): RunEvent => ({ type: "delete", path, kind: "file" });

/** The name that a reader of the schema gets: the bytes where there are any, else those of the text. */
function nameIn(event: Record<string, unknown>): string {
  if (typeof event.pathBytes === "string") return atob(event.pathBytes);
  return [...new TextEncoder().encode(event.path as string)].map((byte) => String.fromCharCode(byte)).join("");
}

describe("jsonLine", () => {
  it("has plain and UTF-8 names as text", () => {
    expect(parsed(gone("a b"))).toEqual({ type: "delete", path: "a b", kind: "file" });
    expect(parsed(gone("caf\xc3\xa9"))).toEqual({ type: "delete", path: "café", kind: "file" });
  });

  it("has the bytes of other names beside what can be read of them", () => {
    expect(parsed(gone("bad\xffname\n"))).toEqual({
      type: "delete", path: "bad\ufffdname\n", pathBytes: "YmFk/25hbWUK", kind: "file",
    });
  });

  it("keeps a byte order mark and a surrogate's bytes apart", () => {
    expect(nameIn(parsed(gone("\xef\xbb\xbfx")))).toBe("\xef\xbb\xbfx");
    expect(parsed(gone("\xed\xa0\x80")).pathBytes).toBe(btoa("\xed\xa0\x80"));
  });

  it("has the bytes of a whole list when one of its names is no text", () => {
    const start: RunEvent = {
      type: "start", version: "1", role: "sender", connection: "local", host: null, sources: ["a", "\xfe"],
      destination: "d", dryRun: false, time: 0,
    };
    expect(parsed(start)).toMatchObject({ sources: ["a", "\ufffd"], sourcesBytes: [btoa("a"), btoa("\xfe")] });
    expect(parsed({ ...start, sources: ["a"] })).not.toHaveProperty("sourcesBytes");
  });

  it("loses no name", () => {
    const bytes = fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 40 });
    fc.assert(fc.property(bytes, (codes) => {
      const name = String.fromCharCode(...codes);
      expect(nameIn(parsed(gone(name)))).toBe(name);
    }));
  });
});

describe("jsonObserver", () => {
  it("writes each event and takes the place of standard output", () => {
    const lines: string[] = [];
    const observer = jsonObserver((bytes) => lines.push(new TextDecoder().decode(bytes)));
    observer.event(gone("x"));
    expect(lines).toEqual(['{"type":"delete","path":"x","kind":"file"}\n']);
    expect(observer.mutes).toBe("stdout");
  });
});
