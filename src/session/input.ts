/**
 * The reading half of a conversation: chunks come in, frames are taken apart, data waits in one buffer for the codecs.
 *
 * The buffer lies in linear memory, so a literal is checksummed and written to disk from where it arrived. `poll` runs
 * a decoder over what is there and rewinds when it falls short; `next` waits for more. Roles write
 *   const head = input.poll(decode) ?? (await input.next(decode));
 * which costs no promise while the buffer has data. Messages are handed to `onMessage` as they are met.
 * Upstream io.c:perform_io, read_buf, read_a_msg, whine_about_eof.
 */
import { type ByteStream } from "../host.ts";
import { ExitCode, ProtocolError, TransportError } from "../errors.ts";
import { type LinearMemory } from "../memory.ts";
import { Cursor, NEED_MORE } from "../protocol/cursor.ts";
import { connectionError } from "./connectionerror.ts";
import { MuxReader } from "../protocol/mux.ts";

const BUFFER_BYTES = 512 * 1024;
/** What a stream may read at once into linear memory. */
const CHUNK_BYTES = 256 * 1024;
/** Bytes that are heard ahead of their time, at most this and another chunk. */
const HEARD_BYTES = 64 * 1024;
/** No item but literal data and block sums, which are read in parts, is longer than this. */
const MAX_ITEM_BYTES = 256 * 1024;

export class Input {
  readonly cursor: Cursor;
  /** Bytes received, frames and messages included. */
  received = 0;
  lastRead = 0;
  /** Called before the role goes to sleep for want of data, so that it does not sleep on unsent requests. */
  beforeWait: () => void = () => {};
  /** Takes the frames apart one by one, as they are asked for, since `endMultiplex` will follow. */
  frameByFrame = false;
  onMessage: (tag: number, payload: Uint8Array) => void = unexpectedMessage;
  /** Names the reader in error messages ("receiver", "sender", "generator"). */
  role = "";
  /** A copy of every data byte that arrives, for --write-batch. Set by `record`. */
  private tee: ((bytes: Uint8Array) => void) | null = null;
  /** Told of what comes in (--debug=io), with the level of it; null when nobody asks. */
  trace: ((level: number, text: string) => void) | null = null;
  private readonly memory: LinearMemory;
  private readonly stream: ByteStream;
  private readonly now: () => number;
  private readonly start: number;
  private readonly limit: number;
  private demux: MuxReader | null = null;
  /** Part of the last chunk that did not fit the buffer. */
  private rest: Uint8Array | null = null;
  /** The read under way, which outlives a waiter that was told to stop. */
  private reading: Promise<Uint8Array | null> | null = null;
  /** The read whose chunk somebody waits for. */
  private asked: Promise<Uint8Array | null> | null = null;
  /** Chunks that came while nobody waited for them, and their bytes. */
  private readonly heard: Uint8Array[] = [];
  private heardBytes = 0;
  private hearing = false;
  private established = false;
  private stopReason: unknown = null;
  private abandon: ((reason: unknown) => void) | null = null;

  constructor(memory: LinearMemory, stream: ByteStream, now: () => number) {
    this.memory = memory;
    this.stream = stream;
    this.now = now;
    this.start = memory.alloc(BUFFER_BYTES);
    this.limit = this.start + BUFFER_BYTES;
    this.cursor = new Cursor(memory.u8, this.start, this.start);
    this.cursor.origin = -this.start;
    stream.useBuffer?.(memory.ioBuffer(CHUNK_BYTES));
  }

  /** From here on the bytes arrive in frames; bytes already buffered are taken apart too. */
  startMultiplex(amServer: boolean): void {
    if (this.demux) return;
    const take = (tag: number, payload: Uint8Array): void => {
      this.trace?.(1, `got msg=${tag}, len=${payload.length}`);
      this.onMessage(tag, payload);
    };
    this.demux = new MuxReader(take, {
      amServer, role: this.role, copy: this.memory.copy,
    });
    const { cursor } = this;
    if (cursor.available === 0) return;
    const buffered = cursor.bytes.slice(cursor.pos, cursor.end);
    cursor.end = cursor.pos;
    this.accept(this.rest ? joined(buffered, this.rest) : buffered);
  }

  /** What follows comes bare. Needs `frameByFrame`, or frames further on have been taken apart already. */
  endMultiplex(): void {
    this.demux = null;
  }

  get isMultiplexed(): boolean {
    return this.demux !== null;
  }

  /** Runs a decoder on the buffered bytes; undefined when they end before the item does. */
  poll<T>(decode: (cursor: Cursor) => T): T | undefined {
    const { cursor } = this;
    const mark = cursor.pos;
    try {
      return decode(cursor);
    } catch (error) {
      if (error !== NEED_MORE) throw this.located(error, mark);
      cursor.pos = mark;
      return undefined;
    }
  }

  /** As `poll`, waiting until the whole item has arrived. */
  async next<T>(decode: (cursor: Cursor) => T): Promise<T> {
    for (;;) {
      await this.more();
      const value = this.poll(decode);
      if (value !== undefined) return value;
    }
  }

  /** Waits for more bytes. Throws TransportError (12) at the end of the stream. */
  async more(): Promise<void> {
    this.makeRoom();
    const before = this.cursor.end;
    while (this.cursor.end === before) {
      if (this.rest) {
        this.acceptRest();
        continue;
      }
      this.beforeWait();
      const chunk = await this.wait();
      if (chunk === null) throw this.closedEarly();
      this.received += chunk.length;
      this.trace?.(2, `recv=${chunk.length}`);
      this.lastRead = this.now();
      this.accept(chunk);
    }
  }

  /** Whoever waits for bytes, now or later, gets `reason` thrown; `drainToEnd` still reads. */
  stop(reason: unknown): void {
    this.stopReason = reason;
    this.abandon?.(reason);
    this.abandon = null;
    if (!this.stream.consumed) return;
    // A writer in this process may be waiting for its buffer.
    this.rest = null;
    this.stream.consumed();
  }

  /** Bytes so far belong to the handshake, which statistics do not count. */
  countFromHere(): void {
    this.established = true;
    this.received = this.cursor.available + (this.rest?.length ?? 0);
  }

  /** From here on `take` gets a copy of every data byte, those first that have arrived and wait to be decoded. */
  record(take: (bytes: Uint8Array) => void): void {
    const { cursor } = this;
    if (cursor.available > 0) take(cursor.bytes.subarray(cursor.pos, cursor.end));
    this.tee = take;
  }

  /** Copies `byteLength` bytes to an address, waiting as needed. */
  async readTo(ptr: number, byteLength: number): Promise<void> {
    const { cursor } = this;
    let at = ptr;
    const end = ptr + byteLength;
    while (at < end) {
      if (cursor.available === 0) await this.more();
      const count = Math.min(end - at, cursor.available);
      this.memory.move(at, cursor.pos, count);
      cursor.pos += count;
      at += count;
    }
  }

  /** Bytes as an array of their own. It grows with what arrives, since the length is the peer's word. */
  async readBytes(byteLength: number): Promise<Uint8Array> {
    const { cursor } = this;
    let bytes = new Uint8Array(Math.min(byteLength, BUFFER_BYTES));
    let at = 0;
    while (at < byteLength) {
      if (cursor.available === 0) await this.more();
      const count = Math.min(byteLength - at, cursor.available);
      if (at + count > bytes.length) {
        const grown = new Uint8Array(Math.min(byteLength, Math.max(at + count, 2 * bytes.length)));
        grown.set(bytes.subarray(0, at));
        bytes = grown;
      }
      bytes.set(cursor.take(count), at);
      at += count;
    }
    return bytes;
  }

  /** Data that has arrived and is not yet decoded, as raw bytes; used to hand a conversation over. */
  takeBuffered(): Uint8Array {
    const { cursor } = this;
    const bytes = cursor.bytes.slice(cursor.pos, cursor.end);
    cursor.pos = cursor.end;
    return bytes;
  }

  /** Puts bytes that were read from the stream by somebody else in front of what follows. */
  seed(bytes: Uint8Array): void {
    this.received += bytes.length;
    if (bytes.length > 0) this.accept(bytes);
  }

  /**
   * Reads and drops everything until the stream ends, still serving messages. A peer that never stops is left after
   * `limitMs`: bytes that are always there would keep a timer from ever firing.
   */
  async drainToEnd(limitMs = Infinity): Promise<void> {
    const until = this.now() + limitMs;
    while (this.now() < until) {
      this.cursor.pos = this.cursor.end;
      this.makeRoom();
      if (this.rest) {
        this.acceptRest();
        continue;
      }
      const chunk = await this.read();
      if (chunk === null) return;
      this.received += chunk.length;
      this.accept(chunk);
    }
  }

  release(): void {
    this.memory.release(this.start);
  }

  /**
   * Waits for `work`, and hears meanwhile that the other side is alive (`lastRead`): who sends to a slow connection may
   * not come to read for long. What arrives is kept for who reads next, and so are the end and a failure.
   */
  async during<T>(work: Promise<T>): Promise<T> {
    this.hearing = true;
    this.hear();
    try {
      return await work;
    } finally {
      this.hearing = false;
    }
  }

  private hear(): void {
    // A writer in this process waits for its chunk to be consumed.
    const able = this.rest === null && this.reading === null && !this.stream.consumed;
    if (!this.hearing || !able || this.heardBytes >= HEARD_BYTES) return;
    const reading = (this.reading = this.stream.read());
    reading.then((chunk) => {
      if (chunk === null || this.asked === reading) return;
      this.reading = null;
      this.lastRead = this.now();
      this.heard.push(chunk.slice());
      this.heardBytes += chunk.length;
      this.hear();
    }, () => undefined);
  }

  private async read(): Promise<Uint8Array | null> {
    const heard = this.heard.shift();
    if (heard !== undefined) {
      this.heardBytes -= heard.length;
      return heard;
    }
    const reading = (this.asked = this.reading ??= this.stream.read());
    try {
      return await reading;
    } finally {
      if (this.reading === reading) this.reading = null;
    }
  }

  /** The next chunk, unless the waiter is told to stop. */
  private wait(): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      if (this.stopReason !== null) return reject(this.stopReason);
      this.abandon = reject;
      this.read().then(resolve, (error: unknown) => {
        reject(connectionError(error, "read", this.role, this.established));
      });
    });
  }

  private accept(chunk: Uint8Array): void {
    const { cursor } = this;
    if (this.demux) {
      const from = cursor.end;
      const length = this.frameByFrame ? Math.min(chunk.length, this.demux.untilBoundary) : chunk.length;
      cursor.end += this.demux.feed(chunk, 0, length, cursor.bytes, from, this.limit);
      const taken = this.demux.consumed;
      if (this.tee && cursor.end > from) this.tee(cursor.bytes.subarray(from, cursor.end));
      this.keepRest(chunk, taken);
      return;
    }
    const count = Math.min(chunk.length, this.limit - cursor.end);
    this.memory.copy(cursor.bytes, cursor.end, count === chunk.length ? chunk : chunk.subarray(0, count));
    cursor.end += count;
    this.keepRest(chunk, count);
  }

  private keepRest(chunk: Uint8Array, taken: number): void {
    this.rest = taken < chunk.length ? chunk.subarray(taken) : null;
    if (this.rest === null) this.stream.consumed?.();
  }

  private acceptRest(): void {
    const rest = this.rest!;
    this.rest = null;
    this.accept(rest);
  }

  /** Moves what is left to the front once the free part behind it is small. */
  private makeRoom(): void {
    const { cursor } = this;
    if (cursor.pos === cursor.end) {
      cursor.origin += cursor.pos - this.start;
      cursor.pos = cursor.end = this.start;
      return;
    }
    if (this.limit - cursor.end >= BUFFER_BYTES / 4) return;
    if (cursor.available > MAX_ITEM_BYTES) {
      throw new ProtocolError("item", `an item of more than ${MAX_ITEM_BYTES} bytes`, ExitCode.streamIo, cursor.offset);
    }
    const kept = cursor.available;
    this.memory.move(this.start, cursor.pos, kept);
    cursor.origin += cursor.pos - this.start;
    cursor.pos = this.start;
    cursor.end = this.start + kept;
  }

  private located(error: unknown, mark: number): unknown {
    if (error instanceof ProtocolError && error.offset < 0) error.offset = this.cursor.origin + mark;
    return error;
  }

  private closedEarly(): TransportError {
    return new TransportError(
      `rsync: connection unexpectedly closed (${this.received} bytes received so far) [${this.role}]\n`,
      ExitCode.streamIo,
    );
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function unexpectedMessage(tag: number): void {
  throw new ProtocolError("mux-tag", `unexpected tag ${tag}`, ExitCode.streamIo);
}
