/**
 * Reading lines from a stream whose rest belongs to somebody else: what was read too far is handed on by `read`.
 */
import { TransportError } from "../errors.ts";
import { type ByteStream } from "../host.ts";
import { Cursor, NEED_MORE } from "../protocol/cursor.ts";
import { readLine } from "../protocol/greeting.ts";

/** A stream with lines at its start. Once the lines are over it is used like any other stream. */
export class LineStream implements ByteStream {
  readonly useBuffer?: (buffer: Uint8Array) => void;
  private readonly inner: ByteStream;
  private readonly cursor = new Cursor();
  /** Bytes taken from the inner stream, for messages. */
  private received = 0;

  constructor(inner: ByteStream) {
    this.inner = inner;
    if (inner.useBuffer) this.useBuffer = (buffer) => inner.useBuffer!(buffer);
  }

  /** The next line without its newline; `limit` and `label` as in protocol/greeting.readLine. Throws
   *  TransportError (12) when the stream ends before it does. */
  async readLine(limit: number, label: string): Promise<string> {
    for (;;) {
      try {
        return readLine(this.cursor, limit, label);
      } catch (error) {
        if (error !== NEED_MORE) throw error;
      }
      await this.fill();
    }
  }

  async read(): Promise<Uint8Array | null> {
    const { cursor } = this;
    if (cursor.available === 0) return this.inner.read();
    return cursor.take(cursor.available);
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

  private async fill(): Promise<void> {
    const chunk = await this.inner.read();
    if (chunk === null) {
      throw new TransportError(`connection unexpectedly closed (${this.received} bytes received so far)`);
    }
    this.received += chunk.length;
    const { cursor } = this;
    const rest = cursor.available;
    const bytes = new Uint8Array(rest + chunk.length);
    bytes.set(cursor.bytes.subarray(cursor.pos, cursor.end));
    bytes.set(chunk, rest);
    cursor.origin += cursor.pos;
    cursor.bytes = bytes;
    cursor.pos = 0;
    cursor.end = bytes.length;
  }
}
