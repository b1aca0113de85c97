/** Connections that a caller brings along: a pair of web streams as the ByteStream of the engine. */
import { TransportError } from "../errors.ts";
import { type ByteStream } from "../host.ts";

/** Bytes that may be under way before a write waits, about what a socket has. */
const ROOM_BYTES = 64 * 1024;

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
  /** Bytes that the other side has yet to take. */
  private waiting = 0;
  private broken: TransportError | null = null;

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

  /**
   * Resolves when there is room for more rather than when the other side has read it: two ends that both begin by
   * writing would wait for each other, as they do not over a socket.
   */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.broken !== null) return Promise.reject(this.broken);
    const { byteLength } = chunk;
    this.waiting += byteLength;
    // The caller's buffer may lie in shared memory, which a stream of somebody else's need not take.
    const written = this.writer.write(chunk.slice()).then(
      () => void (this.waiting -= byteLength), (error: unknown) => void (this.broken ??= this.failure(error)),
    );
    return this.waiting <= ROOM_BYTES ? undefined : written.then(() => {
      if (this.broken !== null) throw this.broken;
    });
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
