/** Standard input and output on Bun, whose node:net does not take over descriptors. */
import { ExitCode, TransportError } from "../src/errors.ts";
import { type ByteStream } from "../src/host.ts";

/** Bun's FileSink: `write` copies into a buffer, `flush` resolves when the buffer has gone out. */
export interface FileSink {
  write(chunk: Uint8Array): number | Promise<number>;
  flush(): number | Promise<number>;
  end(): number | Promise<number>;
}

/** A stream over a web stream and a file sink. */
export class SinkStream implements ByteStream {
  private readonly reader: { read(): Promise<{ done: boolean; value?: Uint8Array }>; cancel(): Promise<void> };
  private readonly sink: FileSink;
  private open = true;

  constructor(source: ReadableStream<Uint8Array>, sink: FileSink) {
    this.reader = source.getReader() as never;
    this.sink = sink;
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (!this.open) return null;
      const { done, value } = await this.reader.read().catch((error: Error) => {
        throw sinkError(error);
      });
      if (done) return null;
      if (value!.length > 0) return value!;
    }
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (!this.open) return Promise.reject(new TransportError("the connection is closed"));
    try {
      const written = this.sink.write(chunk);
      const flushed = this.sink.flush();
      if (!(written instanceof Promise) && !(flushed instanceof Promise)) return undefined;
      return Promise.all([written, flushed]).then(() => undefined, (error: Error) => Promise.reject(sinkError(error)));
    } catch (error) {
      return Promise.reject(sinkError(error as Error));
    }
  }

  async end(): Promise<void> {
    try {
      await this.sink.flush();
      await this.sink.end();
    } catch {
      // The reader has gone; there is nothing left to send.
    }
  }

  destroy(): void {
    if (!this.open) return;
    this.open = false;
    this.reader.cancel().catch(() => undefined);
  }
}

function sinkError(error: Error): TransportError {
  const { code } = error as { code?: string };
  const text = code === "EPIPE" ? "the other side closed the connection (Broken pipe)" : `the connection failed: ${error.message}`;
  return new TransportError(text, ExitCode.streamIo, { cause: error });
}
