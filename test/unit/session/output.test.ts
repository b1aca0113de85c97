import { describe, expect, it } from "vitest";
import { TransportError } from "../../../src/errors.ts";
import { MessageTag } from "../../../src/protocol/constants.ts";
import { Output } from "../../../src/session/output.ts";
import { newMemory } from "../files/_fs.ts";
import { HandStream, settled } from "./_stream.ts";

function make(): { stream: HandStream; output: Output; clock: { now: number } } {
  const stream = new HandStream();
  const clock = { now: 100 };
  const output = new Output(newMemory(), stream, () => clock.now);
  output.role = "sender";
  return { stream, output, clock };
}

/** Fills the stream's queue until the producer is asked to wait. */
function congest(output: Output): void {
  for (let i = 0; !output.congested; i++) {
    if (i > 100) throw new Error("never congested");
    output.writer.u8(i);
    output.flush();
  }
}

describe("output", () => {
  it("frames what lies between two flushes, and lets messages overtake data that has not left", () => {
    const { stream, output } = make();
    output.writer.u8(42);
    output.startMultiplex();
    output.writer.u8(1);
    output.writer.u8(2);
    output.message(MessageTag.info, Uint8Array.of(65));
    output.writer.u8(3);
    output.flush();
    expect(stream.sent).toEqual([42, 1, 0, 0, 9, 65, 3, 0, 0, 7, 1, 2, 3]);
    expect(output.written).toBe(stream.sent.length);
  });
  it("has no messages without frames", () => {
    const { stream, output } = make();
    expect(output.message(MessageTag.info, Uint8Array.of(1))).toBe(false);
    output.flush();
    expect(stream.sent).toEqual([]);
  });
  it("counts as sent only what the stream took", async () => {
    const { stream, output, clock } = make();
    stream.takes = false;
    output.writer.u8(1);
    output.flush();
    clock.now = 200;
    expect(output.lastWrite).toBe(0);
    stream.pending[0].take();
    await settled();
    expect(output.lastWrite).toBe(200);
  });
  it("has room for much at once only while nothing waits and nothing holds it back", () => {
    const { output, stream } = make();
    expect(output.directRoom).toBe(0);
    const inMemory = new Output(newMemory(), Object.assign(stream, { useBuffer() {} }), () => 0);
    expect(inMemory.directRoom).toBe(256 * 1024);
    stream.takes = false;
    inMemory.writer.u8(1);
    inMemory.flush();
    expect(inMemory.directRoom).toBe(64 * 1024);
    inMemory.rateLimit = { pace: () => undefined };
    expect(inMemory.directRoom).toBe(0);
  });
  it("keeps alive with an empty frame, but not behind bytes that wait", () => {
    const { stream, output } = make();
    output.startMultiplex();
    output.keepAlive();
    expect(stream.sent).toEqual([0, 0, 0, 7]);
    stream.takes = false;
    output.writer.u8(1);
    output.flush();
    const before = stream.sent.length;
    output.keepAlive();
    expect(stream.sent.length).toBe(before);
  });
  it("makes the producer wait for a slow stream", async () => {
    const { stream, output } = make();
    stream.takes = false;
    congest(output);
    let drained = false;
    const done = output.drain().then(() => (drained = true));
    await settled();
    expect(drained).toBe(false);
    stream.takes = true;
    stream.pending[0].take();
    await done;
    expect(output.congested).toBe(false);
  });
  it("tells who could not write", async () => {
    const { stream, output } = make();
    stream.takes = false;
    output.countFromHere();
    output.writer.u8(1);
    const finished = output.finish();
    stream.pending[0].fail(new TransportError("Broken pipe"));
    const told = { exitCode: 10, message: "rsync: [sender] write error: Broken pipe\n" };
    await expect(finished).rejects.toMatchObject(told);
    expect(output.congested).toBe(true);
  });
  it("lets go of a waiting producer when it is stopped, and still sends last words", async () => {
    const { stream, output } = make();
    stream.takes = false;
    congest(output);
    const reason = new Error("enough");
    const waiting = expect(output.drain()).rejects.toBe(reason);
    output.stop(reason);
    await waiting;
    await expect(output.finish()).rejects.toBe(reason);
    stream.takes = true;
    output.writer.u8(99);
    const said = output.lastWords();
    for (const { take } of stream.pending) take();
    await said;
    expect(stream.sent.at(-1)).toBe(99);
  });

  it("sends past the stream while that has nothing to send, and gives it the rest", async () => {
    const stream = new HandStream();
    const direct: number[] = [];
    let most = 3;
    const memory = newMemory();
    const clock = { now: 0 };
    const output = new Output(memory, stream, () => clock.now, {
      send(ptr, byteLength) {
        const count = Math.min(most, byteLength);
        direct.push(...memory.bytes(ptr, count));
        return count;
      },
    });
    const put = (...bytes: number[]): void => {
      for (const byte of bytes) output.writer.u8(byte);
      output.flush();
    };
    clock.now = 1;
    put(1, 2, 3);
    expect([direct, stream.sent, output.lastWrite]).toEqual([[1, 2, 3], [], 1]);
    stream.takes = false;
    clock.now = 2;
    put(4, 5, 6, 7, 8);
    expect([direct, stream.sent, output.lastWrite]).toEqual([[1, 2, 3, 4, 5, 6], [7, 8], 2]);
    // A runtime may refuse shared memory, unless its stream says otherwise.
    expect(stream.pending[0].chunk.buffer).toBeInstanceOf(ArrayBuffer);
    put(9);
    await settled();
    expect(direct.length).toBe(6);
    clock.now = 3;
    stream.pending[0].take();
    await output.finish();
    expect([direct.at(-1), stream.sent, output.lastWrite]).toEqual([9, [7, 8], 3]);
    most = 0;
    stream.takes = true;
    put(10);
    expect(stream.sent).toEqual([7, 8, 10]);
  });
  it("gives a stream a large chunk in slices, each of which is a sign of life", async () => {
    const { stream, output, clock } = make();
    stream.takes = false;
    output.writer.put(new Uint8Array(300_000));
    output.flush();
    const lengths: number[] = [];
    for (let n = 0; n < 3; n++) {
      lengths.push(stream.pending[n].chunk.length);
      clock.now++;
      stream.pending[n].take();
      await settled();
      expect(output.lastWrite).toBe(clock.now);
    }
    await output.finish();
    expect(lengths).toEqual([131072, 131072, 300_000 - 262144]);
  });
});
