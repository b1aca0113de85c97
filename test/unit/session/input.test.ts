import { describe, expect, it } from "vitest";
import { TransportError } from "../../../src/errors.ts";
import { MessageTag } from "../../../src/protocol/constants.ts";
import { Writer } from "../../../src/protocol/cursor.ts";
import { readInt } from "../../../src/protocol/integers.ts";
import { writeMessage } from "../../../src/protocol/mux.ts";
import { Input } from "../../../src/session/input.ts";
import { newMemory } from "../files/_fs.ts";
import { HandStream, settled } from "./_stream.ts";

function make(): { stream: HandStream; input: Input } {
  const stream = new HandStream();
  const input = new Input(newMemory(), stream, () => 7);
  input.role = "receiver";
  return { stream, input };
}

function frame(tag: number, ...payload: number[]): Uint8Array {
  const out = new Writer();
  writeMessage(out, tag, Uint8Array.from(payload));
  return out.view().slice();
}

describe("input", () => {
  it("waits until an item is whole", async () => {
    const { stream, input } = make();
    const next = input.next(readInt);
    stream.arrive([1, 2]);
    await settled();
    stream.arrive([3, 4, 9]);
    expect(await next).toBe(0x04030201);
    expect([input.poll(readInt), input.cursor.available, input.received]).toEqual([undefined, 1, 5]);
  });
  it("takes frames apart, those that came before it was told to as well", async () => {
    const { stream, input } = make();
    const messages: [number, number[]][] = [];
    input.onMessage = (tag, payload) => messages.push([tag, [...payload]]);
    stream.arrive([...frame(MessageTag.info, 65), ...frame(MessageTag.data, 1, 0), ...frame(MessageTag.data, 0, 0)]);
    await input.more();
    input.startMultiplex(false);
    expect(input.poll(readInt)).toBe(1);
    expect(messages).toEqual([[MessageTag.info, [65]]]);
  });
  it("tells of an early end with rsync's words and exit code", async () => {
    const { stream, input } = make();
    stream.arrive([1]);
    stream.arrive(null);
    await expect(input.next(readInt)).rejects.toMatchObject({
      exitCode: 12, message: "rsync: connection unexpectedly closed (1 bytes received so far) [receiver]\n",
    });
  });
  const moments = [["during the handshake", 12], ["after it", 10]] as const;
  it.each(moments)("tells of a broken connection %s", async (when, code) => {
    const { stream, input } = make();
    if (when === "after it") input.countFromHere();
    stream.arrive(new TransportError("Connection reset by peer"));
    await expect(input.more()).rejects.toMatchObject({
      exitCode: code, message: "rsync: [receiver] read error: Connection reset by peer\n",
    });
  });
  it("does not count the handshake's bytes, but those that came along", async () => {
    const { stream, input } = make();
    stream.arrive([1, 0, 0, 0, 5, 6]);
    await input.next(readInt);
    input.countFromHere();
    expect(input.received).toBe(2);
  });
  it("lets go of whoever waits when it is stopped, and of later ones", async () => {
    const { input } = make();
    const reason = new Error("enough");
    const waiting = expect(input.more()).rejects.toBe(reason);
    input.stop(reason);
    await waiting;
    await expect(input.more()).rejects.toBe(reason);
  });
  it("still drains after a stop, without a second read beside the first", async () => {
    const { stream, input } = make();
    const messages: number[] = [];
    input.onMessage = (tag) => messages.push(tag);
    input.startMultiplex(false);
    const waiting = expect(input.more()).rejects.toThrow("enough");
    input.stop(new Error("enough"));
    await waiting;
    const drained = input.drainToEnd();
    stream.arrive(frame(MessageTag.info, 1));
    stream.arrive(null);
    await drained;
    expect(messages).toEqual([MessageTag.info]);
  });

  /** Lets chunks arrive while something else is waited for. */
  async function hear(input: Input, stream: HandStream, ...chunks: Parameters<HandStream["arrive"]>[0][]) {
    let done: () => void = () => undefined;
    const during = input.during(new Promise<void>((resolve) => (done = resolve)));
    for (const chunk of chunks) {
      stream.arrive(chunk);
      await settled();
    }
    done();
    await during;
  }
  it("hears signs of life while it is busy, and keeps what came for who reads next", async () => {
    const stream = new HandStream();
    let now = 1;
    const input = new Input(newMemory(), stream, () => now++);
    await hear(input, stream, [1, 0, 0], [0], [2, 0, 0, 0]);
    expect([input.lastRead, input.received]).toEqual([3, 0]);
    expect(await input.next(readInt)).toBe(1);
    const next = input.next(readInt);
    expect([await next, input.received]).toEqual([2, 8]);
    // The read that was left under way is the next one's.
    const last = input.next(readInt);
    stream.arrive([3, 0, 0, 0]);
    expect(await last).toBe(3);
    await hear(input, stream, [4, 0, 0, 0], null);
    expect(await input.next(readInt)).toBe(4);
    await expect(input.next(readInt)).rejects.toThrow("connection unexpectedly closed (16 bytes");
  });
  it("hears of a failure only when it reads, and no more than a little ahead", async () => {
    const { stream, input } = make();
    const chunk = new Uint8Array(40_000);
    await hear(input, stream, chunk, chunk, chunk, new TransportError("Connection reset by peer"));
    const read = await input.readBytes(120_000);
    expect(read.length).toBe(120_000);
    await expect(input.more()).rejects.toThrow("Connection reset by peer");
    const other = make();
    await hear(other.input, other.stream, new TransportError("Connection reset by peer"));
    await expect(other.input.more()).rejects.toThrow("Connection reset by peer");
  });
});
