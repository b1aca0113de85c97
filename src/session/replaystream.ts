/** A stream some of whose bytes have been read already: they come again first. */
import { type ByteStream } from "../host.ts";

/** See ByteStream: `first`, then all that `inner` has. */
export class ReplayStream implements ByteStream {
  private first: Uint8Array | null;
  readonly useBuffer?: (buffer: Uint8Array) => void;
  private readonly inner: ByteStream;

  constructor(first: Uint8Array, inner: ByteStream) {
    this.first = first.length > 0 ? first : null;
    this.inner = inner;
    if (inner.useBuffer) this.useBuffer = (buffer) => inner.useBuffer!(buffer);
  }

  read(): Promise<Uint8Array | null> {
    const { first } = this;
    this.first = null;
    return first ? Promise.resolve(first) : this.inner.read();
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
}
