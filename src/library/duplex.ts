/** Connections that a caller brings along: a pair of web streams as the ByteStream of the engine. */
import { TransportError } from "../errors.ts";
import { type ByteStream } from "../host.ts";

/** A two-way connection, as `WebSocketStream`, `Deno.Conn`, or node's `Duplex.toWeb` have it. */
export interface Duplex {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** The stream over a pair of web streams. */
export class DuplexByteStream implements ByteStream {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  private destroyed = false;

  constructor(duplex: Duplex) {
    this.reader = duplex.readable.getReader();
    this.writer = duplex.writable.getWriter();
  }

  async read(): Promise<Uint8Array | null> {
    try {
      const { done, value } = await this.reader.read();
      return done ? null : value;
    } catch (error) {
      throw this.failure(error);
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      // The caller's buffer may lie in shared memory, which a stream of somebody else's need not take.
      await this.writer.write(chunk.slice());
    } catch (error) {
      throw this.failure(error);
    }
  }

  async end(): Promise<void> {
    if (this.destroyed) return;
    try {
      await this.writer.close();
    } catch (error) {
      throw this.failure(error);
    }
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.reader.cancel().catch(() => {});
    this.writer.abort().catch(() => {});
  }

  private failure(error: unknown): TransportError {
    return new TransportError(error instanceof Error ? error.message : String(error), undefined, { cause: error });
  }
}
