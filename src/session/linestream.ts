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
  readLine(limit: number, label: string): Promise<string> {
    return this.next((cursor) => readLine(cursor, limit, label));
  }

  /** What `decode` makes of the next bytes, as many as it needs. */
  async next<T>(decode: (cursor: Cursor) => T): Promise<T> {
    const { cursor } = this;
    for (;;) {
      const mark = cursor.pos;
      try {
        return decode(cursor);
      } catch (error) {
        if (error !== NEED_MORE) throw error;
        cursor.pos = mark;
      }
      await this.fill();
    }
  }

  /** The next bytes, as many as asked for; throws as `readLine` does. */
  async readBytes(byteLength: number): Promise<Uint8Array> {
    while (this.cursor.available < byteLength) await this.fill();
    return this.cursor.take(byteLength).slice();
  }

  /** What has been read beyond the lines; `read` gives it first. */
  get pending(): Uint8Array {
    return this.cursor.bytes.subarray(this.cursor.pos, this.cursor.end);
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
