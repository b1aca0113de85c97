/**
 * A ByteStream over sockets of node:net: one socket for both directions, or one for each (stdin and stdout).
 *
 * Reading uses a fixed buffer that the runtime fills (`onread`), so no chunk is allocated; between two calls of `read`
 * the socket is paused, which is what keeps the buffer's contents valid.
 */
import type { Socket } from "node:net";
import { ExitCode, TransportError } from "../src/errors.ts";
import { type ByteStream } from "../src/host.ts";

const READ_BYTES = 256 * 1024;

/** The receiving half: hand `onread` to the socket's constructor, then `attach` the socket. */
export class SocketReader {
  readonly onread: { buffer: () => Uint8Array; callback: (count: number, buffer: Uint8Array) => boolean };
  /** Where the next read goes; made when it is first needed, because many a connection is never read this way. */
  buffer: Uint8Array | null = null;
  private socket: Socket | null = null;
  private chunk: Uint8Array | null = null;
  private ended = false;
  private failure: TransportError | null = null;
  private wake: { resolve: (chunk: Uint8Array | null) => void; reject: (error: Error) => void } | null = null;

  constructor() {
    this.onread = {
      buffer: () => (this.buffer ??= new Uint8Array(READ_BYTES)),
      callback: (count, buffer) => this.received(buffer.subarray(0, count)),
    };
  }

  /** Takes over a socket. `events`: it was made without `onread` and delivers chunks as events. */
  attach(socket: Socket, events: boolean): void {
    this.socket = socket;
    socket.on("end", () => this.finish());
    socket.on("close", () => this.finish());
    socket.on("error", (error) => this.fail(error));
    if (events) socket.on("data", (chunk: Uint8Array) => void (this.received(chunk) || socket.pause()));
    socket.pause();
  }

  read(): Promise<Uint8Array | null> {
    const { chunk } = this;
    if (chunk !== null) {
      this.chunk = null;
      return Promise.resolve(chunk);
    }
    if (this.failure !== null) return Promise.reject(this.failure);
    if (this.ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.wake = { resolve, reject };
      this.socket!.resume();
    });
  }

  fail(error: Error): void {
    this.failure ??= transportError(error);
    const { wake } = this;
    this.wake = null;
    wake?.reject(this.failure);
  }

  /** Hands a chunk to the waiting reader; false asks the socket to pause. */
  private received(chunk: Uint8Array): boolean {
    const { wake } = this;
    this.wake = null;
    if (wake === null) this.chunk = chunk;
    else wake.resolve(chunk);
    this.socket?.pause();
    return false;
  }

  private finish(): void {
    this.ended = true;
    const { wake } = this;
    this.wake = null;
    wake?.resolve(null);
  }
}

/** See ByteStream. The two halves may be the same socket. */
export class SocketStream implements ByteStream {
  private readonly reader: SocketReader;
  private readonly readSocket: Socket;
  private readonly writeSocket: Socket;
  private failure: TransportError | null = null;
  readonly useBuffer?: (buffer: Uint8Array) => void;
  /** See ByteStream; for whoever knows the descriptor to set. */
  acknowledge?: () => void;

  constructor(reader: SocketReader, readSocket: Socket, writeSocket: Socket, events = false) {
    this.reader = reader;
    this.readSocket = readSocket;
    this.writeSocket = writeSocket;
    reader.attach(readSocket, events);
    if (!events) this.useBuffer = (buffer) => (reader.buffer = buffer);
    writeSocket.on("error", (error) => (this.failure ??= transportError(error)));
  }

  get remoteAddress(): string | undefined {
    return this.readSocket.remoteAddress;
  }

  read(): Promise<Uint8Array | null> {
    return this.reader.read();
  }

  /** The operating system is tried at once; only what it does not take makes the caller wait. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    const socket = this.writeSocket;
    if (this.failure !== null) return Promise.reject(this.failure);
    if (socket.destroyed || socket.writableEnded) return Promise.reject(new TransportError("the connection is closed"));
    let settle: ((error?: Error | null) => void) | null = null;
    socket.write(chunk, (error) => settle?.(error));
    if (socket.writableLength === 0) return undefined;
    return new Promise((resolve, reject) => {
      settle = (error) => (error ? reject(this.failure ?? transportError(error)) : resolve());
    });
  }

  end(): Promise<void> {
    const socket = this.writeSocket;
    if (socket.destroyed || socket.writableFinished) return Promise.resolve();
    return new Promise((resolve) => {
      socket.once("close", () => resolve());
      socket.end(() => resolve());
    });
  }

  destroy(): void {
    this.readSocket.destroy();
    this.writeSocket.destroy();
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  EPIPE: "the other side closed the connection (Broken pipe)",
  ECONNRESET: "the connection was reset by the other side (Connection reset by peer)",
  ETIMEDOUT: "the connection timed out (Connection timed out)",
  ECONNABORTED: "the connection was aborted",
};

/** Turns a runtime's stream error into a TransportError (12). */
function transportError(error: Error): TransportError {
  if (error instanceof TransportError) return error;
  const code = (error as { code?: string }).code ?? "";
  const text = ADVICE[code] ?? `the connection failed: ${error.message}`;
  return new TransportError(text, ExitCode.streamIo, { cause: error });
}
