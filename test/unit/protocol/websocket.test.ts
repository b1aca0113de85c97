import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/errors.ts";
import { type ByteStream } from "../../../src/host.ts";
import { bytesOf, latin1 } from "../../../src/memory.ts";
import { Cursor, NEED_MORE } from "../../../src/protocol/cursor.ts";
import { httpHead, MAX_HEAD, readHttpHead } from "../../../src/protocol/httphead.ts";
import { frameOf, Opcode, readFrameHead } from "../../../src/protocol/websocket.ts";
import { WebSocketStream } from "../../../src/session/websocketstream.ts";

const MASK = Uint8Array.of(1, 2, 3, 4);

/** A stream that gives these chunks and keeps what is written. */
function scripted(chunks: readonly Uint8Array[]): ByteStream & { readonly written: number[]; ended: boolean } {
  const left = chunks.map((chunk) => chunk.slice());
  return {
    written: [],
    ended: false,
    read: async () => left.shift() ?? null,
    write(chunk) {
      this.written.push(...chunk);
      return undefined;
    },
    async end() {
      this.ended = true;
    },
    destroy: () => {},
  };
}

async function allOf(stream: ByteStream): Promise<string> {
  let text = "";
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    text += latin1(chunk, 0, chunk.length);
  }
  return text;
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

/** The bytes in pieces of up to `size`. */
function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

describe("WebSocket frames", () => {
  it.each([
    // RFC 6455, 5.7: an unmasked and a masked "Hello", of text.
    [[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], null, Opcode.text],
    [[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], [0x37, 0xfa, 0x21, 0x3d], Opcode.text],
  ])("%j is what the RFC has", (bytes, mask, opcode) => {
    const given = mask === null ? null : Uint8Array.from(mask);
    expect([...frameOf(opcode, bytesOf("Hello"), given)]).toEqual(bytes);
    const head = readFrameHead(new Cursor(Uint8Array.from(bytes)), mask !== null);
    expect(head).toEqual({ last: true, opcode, length: 5, mask: given });
  });

  it.each([0, 1, 125, 126, 65_535, 65_536, 70_000])("have a length of %i", (length) => {
    const frame = frameOf(Opcode.binary, new Uint8Array(length), null);
    const cursor = new Cursor(frame);
    expect(readFrameHead(cursor, false)).toMatchObject({ length, opcode: Opcode.binary });
    expect(cursor.available).toBe(length);
  });

  it.each([
    ["a reserved bit", [0xc2, 0x80, 1, 2, 3, 4]],
    ["no mask", [0x82, 0x01, 1]],
    ["an opcode of nobody's", [0x83, 0x80, 1, 2, 3, 4]],
    ["a ping in pieces", [0x09, 0x80, 1, 2, 3, 4]],
    ["a long ping", [0x89, 0xfe, 0, 126, 1, 2, 3, 4]],
    ["a length beyond all numbers", [0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4]],
  ])("of a client with %s are refused", (_, bytes) => {
    expect(() => readFrameHead(new Cursor(Uint8Array.from(bytes)), true)).toThrow(ProtocolError);
  });
});

describe("a stream in a WebSocket", () => {
  const ping = frameOf(Opcode.ping, bytesOf("p"), MASK);
  const half = frameOf(Opcode.binary, bytesOf("hal"), MASK);
  half[0] &= 0x7f;
  const rest = frameOf(Opcode.continuation, bytesOf("ves"), MASK);
  const close = frameOf(Opcode.close, Uint8Array.of(3, 232), MASK);
  const whole = joined([
    frameOf(Opcode.binary, bytesOf("one"), MASK), ping, half, ping, rest, frameOf(Opcode.binary, bytesOf(""), MASK),
    frameOf(Opcode.binary, bytesOf("x".repeat(300)), MASK), close, frameOf(Opcode.binary, bytesOf("late"), MASK),
  ]);

  it.each([1, 2, 3, 7, 10_000])("is the same in pieces of %i bytes", async (size) => {
    const inner = scripted(cut(whole, size));
    expect(await allOf(new WebSocketStream(inner, null))).toBe(`onehalves${"x".repeat(300)}`);
    const pong = frameOf(Opcode.pong, bytesOf("p"), null);
    expect(inner.written).toEqual([...pong, ...pong, ...frameOf(Opcode.close, Uint8Array.of(3, 232), null)]);
  });

  it("goes from a client to a server and back", async () => {
    const random = (bytes: Uint8Array): void => void bytes.set([9, 8, 7, 6]);
    const sent = scripted([]);
    const client = new WebSocketStream(sent, random);
    await client.write(bytesOf("hello"));
    await client.end();
    expect(sent.ended).toBe(true);
    expect(await allOf(new WebSocketStream(scripted([Uint8Array.from(sent.written)]), null))).toBe("hello");
  });

  it.each([
    ["text", frameOf(Opcode.text, bytesOf("hi"), MASK)],
    ["a message within a message", joined([half, half])],
    ["a continuation of nothing", rest],
    ["a server's frame", frameOf(Opcode.binary, bytesOf("hi"), null)],
  ])("refuses %s and says so", async (_, bytes) => {
    const inner = scripted([bytes]);
    await expect(allOf(new WebSocketStream(inner, null))).rejects.toThrow(ProtocolError);
    expect(inner.written).toEqual([...frameOf(Opcode.close, Uint8Array.of(3, 234), null)]);
  });

  it("of any bytes gives bytes or a ProtocolError", async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), async (chunks) => {
      const given = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      const text = await allOf(new WebSocketStream(scripted(chunks), null)).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ProtocolError);
        return "";
      });
      expect(text.length).toBeLessThanOrEqual(given);
    }), { seed: 874 });
  });
});

describe("the head of an HTTP request", () => {
  const text = httpHead("GET / HTTP/1.1", { Host: "a", Upgrade: "WebSocket", "x-y": "1, 2" });

  it("is read however it comes", () => {
    for (let length = 0; length < text.length; length++) {
      expect(() => {
        try {
          readHttpHead(new Cursor(bytesOf(text.slice(0, length))));
        } catch (error) {
          throw error === NEED_MORE ? new Error("need more") : error;
        }
      }).toThrow("need more");
    }
    const cursor = new Cursor(bytesOf(`${text}rest`));
    const head = readHttpHead(cursor);
    expect([head.first, head.header("HOST"), head.header("X-Y"), head.header("none")])
      .toEqual(["GET / HTTP/1.1", "a", "1, 2", ""]);
    expect(cursor.available).toBe(4);
  });

  it.each([
    ["too long", `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(MAX_HEAD / 6 + 1)}`],
    ["no header", "GET / HTTP/1.1\r\nno header\r\n\r\n"],
    ["a folded header", "GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n"],
  ])("that is %s is refused", (_, wrong) => {
    expect(() => readHttpHead(new Cursor(bytesOf(wrong)))).toThrow(ProtocolError);
  });
});
