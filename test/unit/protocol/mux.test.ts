import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/errors.ts";
import { MessageTag, WireLimit } from "../../../src/protocol/constants.ts";
import { Writer } from "../../../src/protocol/cursor.ts";
import {
  messageInt, MUX_HEADER_BYTES, MuxReader, putMuxHeader, writeIntMessage, writeMessage,
} from "../../../src/protocol/mux.ts";
import { hexOf } from "./codec.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Data of every size around the short-copy limit, messages between. */
function conversation(): { wire: Uint8Array; data: number[]; messages: [number, string][] } {
  const out = new Writer();
  const data: number[] = [];
  const messages: [number, string][] = [];
  for (let n = 0; n < 80; n++) {
    const payload = new Uint8Array(n).fill(n);
    writeMessage(out, MessageTag.data, payload);
    data.push(...payload);
    if (n % 9 === 0) {
      writeMessage(out, MessageTag.info, bytes(`line ${n}`));
      messages.push([MessageTag.info, hexOf(bytes(`line ${n}`))]);
    }
  }
  writeIntMessage(out, MessageTag.success, -7);
  messages.push([MessageTag.success, "f9ffffff"]);
  writeMessage(out, MessageTag.noop, new Uint8Array(0));
  messages.push([MessageTag.noop, ""]);
  return { wire: out.view(), data, messages };
}

describe("mux", () => {
  test.each([[1, 1], [1, 1000], [3, 7], [64, 5], [5000, 33], [100000, 100000]])(
    "chunks of %i bytes into room for %i give the same data and messages",
    (chunkBytes, roomBytes) => {
      const { wire, data, messages } = conversation();
      const got: [number, string][] = [];
      const reader = new MuxReader((tag, payload) => got.push([tag, hexOf(payload)]), { amServer: false, role: "test" });
      const received: number[] = [];
      const dest = new Uint8Array(roomBytes + 2);
      for (let at = 0; at < wire.length; at += chunkBytes) {
        const to = Math.min(wire.length, at + chunkBytes);
        for (let from = at; from < to; from += reader.consumed) {
          const count = reader.feed(wire, from, to, dest, 1, 1 + roomBytes);
          expect(count).toBe(reader.produced);
          received.push(...dest.subarray(1, 1 + count));
          expect(reader.consumed + count).toBeGreaterThan(0);
        }
      }
      expect(received).toEqual(data);
      expect(got).toEqual(messages);
      expect(reader.idle).toBe(true);
    },
  );

  test("between header and payload the stream is not idle", () => {
    const out = new Writer();
    writeMessage(out, MessageTag.error, bytes("x"));
    const reader = new MuxReader(() => {}, { amServer: false, role: "test" });
    reader.feed(out.view(), 0, 2, new Uint8Array(1), 0, 1);
    expect(reader.idle).toBe(false);
    reader.feed(out.view(), 2, 4, new Uint8Array(1), 0, 1);
    expect(reader.idle).toBe(false);
    reader.feed(out.view(), 4, 5, new Uint8Array(1), 0, 1);
    expect(reader.idle).toBe(true);
  });

  test("a header holds 24 bits of length and the tag above its base", () => {
    const header = new Uint8Array(6);
    putMuxHeader(header, 1, MessageTag.noSend, WireLimit.framePayload);
    expect(hexOf(header)).toBe("00ffffff6d00");
    const out = new Writer();
    writeIntMessage(out, MessageTag.ioError, 0x01020304);
    expect(hexOf(out.view())).toBe("0400001d04030201");
    expect(messageInt(out.view().subarray(MUX_HEADER_BYTES))).toBe(0x01020304);
  });

  const cases: [string, number, number, boolean, string, RegExp][] = [
    ["a tag below the base", -1, 0, false, "mux-header", /unexpected tag -1 \[test\]/],
    ["an unknown tag", 50, 0, false, "mux-header", /unexpected tag 50/],
    ["a long text", MessageTag.info, WireLimit.message, false, "mux-message", /multiplexing overflow 2:5120/],
    ["a short number", MessageTag.ioError, 3, false, "mux-message", /invalid multi-message 22:3 \[test\]/],
    ["a noop with payload", MessageTag.noop, 1, false, "mux-message", /invalid multi-message 42:1/],
    ["an exit of two bytes", MessageTag.errorExit, 2, false, "mux-message", /invalid multi-message 86:2/],
    ["a timeout for a server", MessageTag.ioTimeout, 4, true, "mux-message", /invalid multi-message 33:4/],
    ["redo from a peer", MessageTag.redo, 4, false, "mux-message", /invalid multi-message 9:4/],
    ["statistics from a peer", MessageTag.stats, 8, false, "mux-message", /invalid multi-message 10:8/],
    ["a log line from a peer", MessageTag.log, 1, false, "mux-message", /invalid multi-message 6:1/],
  ];
  test.each(cases)("refuses %s", (_name, tag, byteLength, amServer, label, words) => {
    const header = new Uint8Array(4);
    putMuxHeader(header, 0, tag, byteLength);
    const reader = new MuxReader(() => expect.unreachable(), { amServer, role: "test" });
    const run = (): number => reader.feed(header, 0, 4, new Uint8Array(0), 0, 0);
    let thrown: unknown;
    try {
      run();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ProtocolError);
    expect(thrown).toMatchObject({ label, exitCode: 12, message: expect.stringMatching(words) });
  });

  test("a client takes a timeout, and an exit with or without a code", () => {
    const out = new Writer();
    writeIntMessage(out, MessageTag.ioTimeout, 30);
    writeMessage(out, MessageTag.errorExit, new Uint8Array(0));
    writeIntMessage(out, MessageTag.errorExit, 23);
    const got: number[] = [];
    const reader = new MuxReader((tag, payload) => got.push(tag, payload.length), { amServer: false, role: "test" });
    reader.feed(out.view(), 0, out.length, new Uint8Array(0), 0, 0);
    expect(got).toEqual([33, 4, 86, 0, 86, 4]);
  });
});
