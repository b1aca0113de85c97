/**
 * Answers to the other side's first small packets. rsync sends its words and the start of the protocol in pieces; its
 * system holds each back (Nagle) until the one before has been acknowledged, which this side's would put off for
 * 40 ms in the hope of data to go along: a tenth of a second a connection, if it is let.
 */
import { type ByteStream } from "../host.ts";

/** Reads that are acknowledged at once: more than words and the start of the protocol can take. */
const READS = 32;

/** A TCP connection whose first bytes are acknowledged as soon as they are read. */
export class AcknowledgedStream implements ByteStream {
  readonly useBuffer?: (buffer: Uint8Array) => void;
  readonly remoteAddress?: string;
  private readonly inner: ByteStream;
  private readonly answer: () => void;
  private left = READS;

  /** `acknowledge`: has all that came over `inner` acknowledged; called for what is there already, too. */
  constructor(inner: ByteStream, acknowledge: () => void) {
    this.inner = inner;
    this.answer = acknowledge;
    this.remoteAddress = inner.remoteAddress;
    if (inner.useBuffer) this.useBuffer = (buffer) => inner.useBuffer!(buffer);
    acknowledge();
  }

  read(): Promise<Uint8Array | null> {
    return this.left === 0 ? this.inner.read() : this.readAndAnswer();
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    return this.inner.write(chunk);
  }

  end(): Promise<void> {
    return this.inner.end();
  }

  destroy(): void {
    this.inner.destroy();
  }

  private async readAndAnswer(): Promise<Uint8Array | null> {
    this.left--;
    const chunk = await this.inner.read();
    if (chunk !== null) this.answer();
    return chunk;
  }
}
