/**
 * An in-process connection: two ByteStreams, each reading what the other writes.
 *
 * A written chunk is handed to the reader as it is, without a copy: the promise `write` returns resolves when the
 * reader says that it is done with it or asks for the next, which is when the buffer is the writer's again. So a slow
 * reader holds the writer back.
 */
import { type ByteStream } from "../host.ts";
import { TransportError } from "../errors.ts";

interface Slot {
  chunk: Uint8Array;
  release: () => void;
}

/** One direction of the pipe. */
class Channel {
  private waiting: ((chunk: Uint8Array | null) => void) | null = null;
  private queue: Slot[] = [];
  private lent: Slot | null = null;
  private ended = false;
  private broken = false;

  write(chunk: Uint8Array): Promise<void> {
    if (this.broken || this.ended) {
      return Promise.reject(new TransportError("the other side has closed the connection"));
    }
    return new Promise((release) => {
      this.queue.push({ chunk, release });
      this.deliver();
    });
  }

  read(): Promise<Uint8Array | null> {
    this.giveBack();
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.deliver();
    });
  }

  end(): void {
    this.ended = true;
    this.deliver();
  }

  /** Drops everything: the reader sees the end of the stream, a waiting writer is let go. */
  close(): void {
    this.broken = true;
    this.ended = true;
    for (const slot of this.queue) slot.release();
    this.queue = [];
    this.giveBack();
    this.deliver();
  }

  /** The chunk last read belongs to its writer again. */
  giveBack(): void {
    this.lent?.release();
    this.lent = null;
  }

  private deliver(): void {
    const waiting = this.waiting;
    if (!waiting) return;
    const slot = this.queue.shift();
    if (slot) {
      this.waiting = null;
      this.lent = slot;
      waiting(slot.chunk);
    } else if (this.ended) {
      this.waiting = null;
      waiting(null);
    }
  }
}

class PipeEnd implements ByteStream {
  private readonly input: Channel;
  private readonly output: Channel;

  constructor(input: Channel, output: Channel) {
    this.input = input;
    this.output = output;
  }

  read(): Promise<Uint8Array | null> {
    return this.input.read();
  }

  /** Chunks pass through as they are, so none is read into a buffer. */
  useBuffer(_buffer: Uint8Array): void {}

  consumed(): void {
    this.input.giveBack();
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.output.write(chunk);
  }

  async end(): Promise<void> {
    this.output.end();
  }

  destroy(): void {
    this.input.close();
    this.output.close();
  }
}

/** Two connected streams. */
export function streamPair(): [ByteStream, ByteStream] {
  const there = new Channel();
  const back = new Channel();
  return [new PipeEnd(back, there), new PipeEnd(there, back)];
}
