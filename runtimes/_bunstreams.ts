/**
 * ByteStreams from Bun's own streams and sockets. (Bun's node:net takes over no descriptors, and its node streams
 * buffer without bound, so that a slow reader would fill the memory.)
 */
import { ExitCode, TransportError } from "../src/errors.ts";
import { type ByteStream, type DescriptorStream } from "../src/host.ts";

const WORDING: Readonly<Record<string, string>> = {
  EPIPE: "the other side closed the connection (Broken pipe)",
  ECONNRESET: "the connection was reset by the other side (Connection reset by peer)",
};

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
  private gone = false;

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

  /** The child at the other end has exited. A sink would swallow what is written from now on. */
  peerGone(): void {
    this.gone = true;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (!this.open) return Promise.reject(new TransportError("the connection is closed"));
    if (this.gone) return Promise.reject(new TransportError(WORDING.EPIPE));
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
    void this.end();
  }
}

function sinkError(error: Error): TransportError {
  const { code } = error as { code?: string };
  const text = WORDING[code ?? ""] ?? `the connection failed: ${error.message}`;
  return new TransportError(text, ExitCode.streamIo, { cause: error });
}

/** The part of Bun's TCP socket that is used. */
export interface BunSocket {
  readonly fd: number;
  /** Returns how many bytes were taken, -1 on a closed socket; `drain` is called when more can be. */
  write(chunk: Uint8Array, offset?: number, byteLength?: number): number;
  shutdown(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  setNoDelay(on: boolean): boolean;
}

interface UnfinishedWrite {
  readonly chunk: Uint8Array;
  done: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The handlers of one connection, to be passed to Bun.connect, and the stream over it. */
export class BunSocketStream implements ByteStream {
  readonly handlers = {
    data: (_: BunSocket, chunk: Uint8Array): void => this.received(chunk),
    drain: (): void => this.drained(),
    end: (): void => this.finish(null),
    close: (_: BunSocket, error?: Error): void => this.finish(error ?? null),
    error: (_: BunSocket, error: Error): void => this.finish(error),
  };
  /** See ByteStream; for whoever connects to set. */
  acknowledge?: () => void;
  private socket!: BunSocket;
  private readonly chunks: Uint8Array[] = [];
  private ended = false;
  private failure: TransportError | null = null;
  private reader: { resolve: (chunk: Uint8Array | null) => void; reject: (error: Error) => void } | null = null;
  private writer: UnfinishedWrite | null = null;

  /** Takes the connected socket. */
  attach(socket: BunSocket): this {
    this.socket = socket;
    return this;
  }

  read(): Promise<Uint8Array | null> {
    const chunk = this.chunks.shift();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.failure !== null) return Promise.reject(this.failure);
    if (this.ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.reader = { resolve, reject };
      this.socket.resume();
    });
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.failure !== null) return Promise.reject(this.failure);
    const done = this.socket.write(chunk);
    if (done === chunk.length) return undefined;
    if (done < 0) return Promise.reject(new TransportError("the connection is closed"));
    return new Promise((resolve, reject) => (this.writer = { chunk, done, resolve, reject }));
  }

  end(): Promise<void> {
    this.socket.shutdown();
    return Promise.resolve();
  }

  destroy(): void {
    this.socket.terminate();
    this.finish(null);
  }

  private received(chunk: Uint8Array): void {
    const { reader } = this;
    this.reader = null;
    if (reader !== null) reader.resolve(chunk);
    else this.chunks.push(chunk);
    this.socket?.pause();
  }

  private drained(): void {
    const { writer } = this;
    if (writer === null) return;
    const count = this.socket.write(writer.chunk, writer.done, writer.chunk.length - writer.done);
    if (count > 0) writer.done += count;
    if (writer.done < writer.chunk.length) return;
    this.writer = null;
    writer.resolve();
  }

  private finish(error: Error | null): void {
    this.ended = true;
    if (error !== null) this.failure ??= sinkError(error);
    const { reader, writer } = this;
    this.reader = null;
    if (this.failure !== null) reader?.reject(this.failure);
    else reader?.resolve(null);
    if (this.failure === null) return;
    this.writer = null;
    writer?.reject(this.failure);
  }
}

/** A stream over a socket whose descriptor is known. */
export class BunDescriptorStream extends BunSocketStream implements DescriptorStream {
  readonly fd: number;

  constructor(fd: number) {
    super();
    this.fd = fd;
  }
}
