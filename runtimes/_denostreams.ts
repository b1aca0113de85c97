/** ByteStreams over Deno's own connections and streams. */
import { ExitCode, TransportError } from "../src/errors.ts";
import { type ByteStream } from "../src/host.ts";

const READ_BYTES = 256 * 1024;

/** What Deno.TcpConn, and Deno.stdin with Deno.stdout, have in common. */
export interface Duplex {
  read(buffer: Uint8Array): Promise<number | null>;
  write(chunk: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** A stream over reads into one buffer of ours; writes follow one another. */
export class DuplexStream implements ByteStream {
  readonly remoteAddress?: string;
  /** See ByteStream; for whoever connects to set. */
  acknowledge?: () => void;
  private readonly duplex: Duplex;
  private readonly buffer = new Uint8Array(READ_BYTES);
  private last: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(duplex: Duplex, remoteAddress?: string) {
    this.duplex = duplex;
    this.remoteAddress = remoteAddress;
  }

  async read(): Promise<Uint8Array | null> {
    if (this.closed) return null;
    try {
      const count = await this.duplex.read(this.buffer);
      return count === null || count === 0 ? null : this.buffer.subarray(0, count);
    } catch (error) {
      if (this.closed) return null;
      throw denoError(error as Error);
    }
  }

  write(chunk: Uint8Array): Promise<void> {
    const writing = this.last.then(() => this.writeAll(chunk));
    // A failure is the business of whoever awaits this write, not of the next.
    this.last = writing.catch(() => undefined);
    return writing;
  }

  async end(): Promise<void> {
    await this.last;
    try {
      if (!this.closed) await this.duplex.closeWrite();
    } catch {
      // The other side has gone; there is nothing left to close.
    }
  }

  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    try {
      this.duplex.close();
    } catch {
      // Already closed by the runtime.
    }
  }

  private async writeAll(chunk: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < chunk.length; ) {
        if (this.closed) throw new TransportError("the connection is closed");
        done += await this.duplex.write(done === 0 ? chunk : chunk.subarray(done));
      }
    } catch (error) {
      throw denoError(error as Error);
    }
  }
}

/** A Duplex over a pair of web streams, as Deno.Command gives for a child. */
export function webStreams(source: ReadableStream<Uint8Array>, sink: WritableStream<Uint8Array>): Duplex {
  const reader = source.getReader();
  const writer = sink.getWriter();
  let chunk = new Uint8Array(0);
  return {
    async read(buffer) {
      while (chunk.length === 0) {
        const next = await reader.read();
        if (next.done) return null;
        chunk = next.value as Uint8Array<ArrayBuffer>;
      }
      const count = Math.min(buffer.length, chunk.length);
      buffer.set(chunk.subarray(0, count));
      chunk = chunk.subarray(count);
      return count;
    },
    async write(bytes) {
      await writer.write(bytes);
      return bytes.length;
    },
    closeWrite: () => writer.close(),
    close: () => {
      reader.cancel().catch(() => undefined);
      writer.abort().catch(() => undefined);
    },
  };
}

/** Turns a Deno error into a TransportError (12). */
export function denoError(error: Error): TransportError {
  if (error instanceof TransportError) return error;
  const words: Record<string, string> = {
    BrokenPipe: "the other side closed the connection (Broken pipe)",
    ConnectionReset: "the connection was reset by the other side (Connection reset by peer)",
    TimedOut: "the connection timed out (Connection timed out)",
  };
  const text = words[error.name] ?? `the connection failed: ${error.message}`;
  return new TransportError(text, ExitCode.streamIo, { cause: error });
}
