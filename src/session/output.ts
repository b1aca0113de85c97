/**
 * The writing half of a conversation: codecs append to `writer`, frames and buffers are this file's business.
 *
 * With multiplexing on, the bytes between two flushes form one data frame whose header is filled in when the frame
 * closes. Messages gather in a buffer of their own and leave before the data of the same flush, as rsync's do: the
 * order of a client's output lines depends on it.
 * Nothing here waits: when `congested` is true a role awaits `drain` before it produces more. Two or more buffers
 * rotate, because a stream owns a buffer until its write has gone out. Upstream io.c:perform_io, send_msg, io_flush.
 */
import { Writer } from "../protocol/cursor.ts";
import { type ByteStream } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { connectionError } from "./connectionerror.ts";
import { MessageTag } from "../protocol/constants.ts";
import { MUX_HEADER_BYTES, putMuxHeader, writeIntMessage, writeMessage } from "../protocol/mux.ts";

/** Bytes gathered before a buffer goes out by itself. */
const FLUSH_BYTES = 64 * 1024;
/**
 * Literals that are read straight into the buffer, with one call: more would not stay in a processor's own cache until
 * they are sent.
 */
const DIRECT_BYTES = 256 * 1024;
const BUFFER_BYTES = FLUSH_BYTES + DIRECT_BYTES + 64 * 1024;
/** Bytes of messages that are not held back until the next flush. */
const MESSAGE_BYTES = 32 * 1024;
/** Buffers under way before the producer has to wait. */
const MAX_IN_FLIGHT = 4;
/** Buffers kept for reuse: what one window of literals fills. */
const MAX_SPARE = 24;

/** The most that a stream is given at once: it shows signs of life only when it has taken that. */
const SLICE_BYTES = 128 * 1024;

/** Sends bytes of linear memory past the stream, while that has nothing to send itself. */
export interface DirectOutput {
  /** Sends as many bytes as go soon; returns how many went. The stream has to send the rest. */
  send(ptr: number, byteLength: number): number;
}

/** Delays output to a rate; upstream io.c:sleep_for_bwlimit. */
export interface RateLimit {
  /** Called after `byteLength` bytes went out; resolves when more may follow. */
  pace(byteLength: number): Promise<void> | undefined;
}

export class Output {
  readonly writer: Writer;
  private readonly messages = new Writer(MESSAGE_BYTES);
  /** Bytes handed to the stream, and milliseconds (host clock) of the last time it took any. */
  written = 0;
  lastWrite = 0;
  /** Data bytes in closed frames, or written before there were frames. */
  private dataSent = 0;
  /** Names the writer in error messages. */
  role = "";
  /** A copy of every data byte that leaves, for --write-batch. Set by `record`. */
  private tee: ((bytes: Uint8Array) => void) | null = null;
  /** Data goes to `tee` alone. */
  private diverted = false;
  rateLimit: RateLimit | null = null;
  /** Told of what goes out (--debug=io), with the level of it; `always`: it is no line for the user that goes out. */
  trace: ((level: number, text: string, always: boolean) => void) | null = null;
  private readonly memory: LinearMemory;
  private readonly stream: ByteStream;
  private readonly direct: DirectOutput | null;
  private readonly now: () => number;
  private multiplexed = false;
  private frameStart = 0;
  private spare: Uint8Array[] = [];
  /** The buffer given to `writer`, which takes a larger one of its own when that is too small. */
  private lent: Uint8Array;
  private inFlight = 0;
  private chain: Promise<void> = Promise.resolve();
  private failure: unknown = null;
  private established = false;
  private stopReason: unknown = null;
  private readonly stopped: Promise<void>;
  private announceStop!: () => void;

  constructor(memory: LinearMemory, stream: ByteStream, now: () => number, direct: DirectOutput | null = null) {
    this.memory = memory;
    this.stream = stream;
    this.direct = direct;
    this.lent = this.newBuffer();
    this.writer = new Writer(this.lent, memory.copy);
    this.now = now;
    this.stopped = new Promise((resolve) => {
      this.announceStop = resolve;
    });
  }

  /** Bytes so far belong to the handshake, which statistics do not count. */
  countFromHere(): void {
    this.established = true;
    this.written = 0;
  }

  /** The connection takes no more bytes: why, or null. */
  get failed(): unknown {
    return this.failure;
  }

  /** Whoever waits in `drain` or `finish`, now or later, gets `reason` thrown; `lastWords` still sends. */
  stop(reason: unknown): void {
    this.stopReason = reason;
    this.announceStop();
  }

  /** From here on, data travels in frames and messages may be sent. */
  startMultiplex(): void {
    this.flush();
    this.multiplexed = true;
    this.openFrame();
  }

  /** From here on, data travels bare again; messages are refused. */
  endMultiplex(): void {
    this.flush();
    this.writer.length = 0;
    this.multiplexed = false;
  }

  get isMultiplexed(): boolean {
    return this.multiplexed;
  }

  /** From here on `take` gets a copy of every data byte (--write-batch). */
  record(take: (bytes: Uint8Array) => void): void {
    this.flush();
    this.tee = take;
  }

  get isRecorded(): boolean {
    return this.tee !== null;
  }

  /** Between `divert(true)` and `divert(false)` data goes nowhere but into the record (--only-write-batch). */
  divert(on: boolean): void {
    this.flush();
    this.diverted = on;
  }

  /** True when the producer should `await drain()` before writing more. */
  get congested(): boolean {
    return this.inFlight >= MAX_IN_FLIGHT || this.failure !== null || this.stopReason !== null;
  }

  /** Bytes that are written but have not been handed to the stream. */
  get pending(): number {
    return this.writer.length - (this.multiplexed ? this.frameStart + MUX_HEADER_BYTES : 0);
  }

  /** Data bytes written so far, without frame headers and messages. Upstream total_data_written. */
  get dataBytes(): number {
    return this.dataSent + this.pending;
  }

  /** Counts bytes that a local copy spared, as if they had been written in frames. */
  countSpared(dataBytes: number, frameBytes: number): void {
    this.written += dataBytes + frameBytes;
    this.dataSent += dataBytes;
  }

  /**
   * How many bytes of literals may be read straight into the writer's buffer, which lies in linear memory then; 0:
   * none. Frames stay short for a slow connection, which shows signs of life only at the end of each.
   */
  get directRoom(): number {
    if (this.rateLimit !== null || !this.memory.owns(this.writer.bytes)) return 0;
    return this.inFlight === 0 ? DIRECT_BYTES : FLUSH_BYTES;
  }

  /** To be called after a batch of codec writes: sends the buffer once it is full enough. */
  spill(): void {
    if (this.writer.length >= FLUSH_BYTES) this.flush();
  }

  /** Sends a message, ahead of data that is not flushed yet. Without multiplexing there is no such thing: false. */
  message(tag: number, payload: Uint8Array): boolean {
    if (!this.multiplexed) return false;
    this.trace?.(1, `send_msg(${tag}, ${payload.length})`, tag !== MessageTag.info);
    writeMessage(this.messages, tag, payload);
    this.spillMessages();
    return true;
  }

  /** A message that carries one 32-bit number. */
  messageInt(tag: number, value: number): boolean {
    if (!this.multiplexed) return false;
    this.trace?.(1, `send_msg_int(${tag}, ${value})`, true);
    writeIntMessage(this.messages, tag, value);
    this.spillMessages();
    return true;
  }

  /** An empty data frame: rsync's keep-alive. While earlier bytes wait to go out it would only queue up behind them. */
  keepAlive(): void {
    if (!this.multiplexed || this.inFlight > 0) return;
    if (this.writer.length <= this.frameStart + MUX_HEADER_BYTES) this.message(MessageTag.data, new Uint8Array(0));
    this.flush();
  }

  /** Hands everything written so far to the stream. */
  flush(): void {
    const { writer, messages } = this;
    if (messages.length > 0) this.send(messages, MESSAGE_BYTES);
    this.closeData();
    if (this.diverted) writer.length = this.multiplexed ? this.frameStart : 0;
    if (writer.length > 0) this.send(writer, BUFFER_BYTES);
    if (this.multiplexed) this.openFrame();
  }

  /** Resolves when the stream has taken enough for more to be written; rejects when the connection failed. */
  async drain(): Promise<void> {
    while (this.inFlight >= MAX_IN_FLIGHT && !this.hopeless) await Promise.race([this.chain, this.stopped]);
    this.checkHope();
  }

  /** Sends everything and waits until the stream has it. */
  async finish(): Promise<void> {
    this.flush();
    await Promise.race([this.chain, this.stopped]);
    this.checkHope();
  }

  /** Sends what is left even after `stop`; resolves when the stream has it or has failed. */
  lastWords(): Promise<void> {
    this.flush();
    return this.chain;
  }

  private spillMessages(): void {
    if (this.messages.length >= MESSAGE_BYTES) this.send(this.messages, MESSAGE_BYTES);
  }

  private get hopeless(): boolean {
    return this.failure !== null || this.stopReason !== null;
  }

  private checkHope(): void {
    if (this.stopReason !== null) throw this.stopReason;
    if (this.failure !== null) throw this.failure;
  }

  /** Hands a writer's buffer to the stream and gives it a new one of at least `capacity` bytes. */
  private send(writer: Writer, capacity: number): void {
    const buffer = writer.bytes;
    const chunk = buffer.subarray(0, writer.length);
    if (writer === this.writer) {
      if (buffer !== this.lent) this.recycle(this.lent);
      writer.bytes = this.lent = this.spare.pop() ?? this.newBuffer();
    } else {
      writer.bytes = new Uint8Array(capacity);
    }
    writer.length = 0;
    this.written += chunk.length;
    this.trace?.(2, `${writer === this.writer ? "out" : "msg"} sent=${chunk.length}`, false);
    if (this.failure) {
      this.recycle(buffer);
      return;
    }
    if (this.inFlight === 0 && !this.rateLimit) {
      const taken = this.sendNow(chunk);
      if (taken === undefined) this.took(buffer);
      else this.track(taken, buffer);
      return;
    }
    this.track(this.chain.then(() => this.sendPaced(chunk)), buffer);
  }

  /** Sends a chunk while nothing else is under way. Undefined: all of it has been taken. */
  private sendNow(chunk: Uint8Array): Promise<void> | undefined {
    const { direct, memory } = this;
    const gone = direct !== null && memory.owns(chunk) ? direct.send(chunk.byteOffset, chunk.length) : 0;
    if (gone > 0) this.lastWrite = this.now();
    for (let at = gone; at < chunk.length; at += SLICE_BYTES) {
      const taken = this.give(chunk, at);
      if (taken !== undefined) return this.sendRest(taken, chunk, at + SLICE_BYTES);
    }
    return undefined;
  }

  /** Sends a chunk slice by slice from `from` on, once what goes before has been taken. */
  private async sendRest(before: Promise<void> | undefined, chunk: Uint8Array, from: number): Promise<void> {
    await before;
    for (let at = from; at < chunk.length; at += SLICE_BYTES) {
      if (at > 0) this.lastWrite = this.now();
      await this.give(chunk, at);
    }
  }

  /** Gives the stream a slice of a chunk; one of shared memory only if it takes such. */
  private give(chunk: Uint8Array, at: number): Promise<void> | undefined {
    const slice = chunk.subarray(at, at + SLICE_BYTES);
    return this.stream.write(this.stream.useBuffer || !this.memory.owns(slice) ? slice : slice.slice());
  }

  private async sendPaced(chunk: Uint8Array): Promise<void> {
    if (this.failure) return;
    await (this.rateLimit ? this.sendRest(undefined, chunk, 0) : this.sendNow(chunk));
    this.lastWrite = this.now();
    await this.rateLimit?.pace(chunk.length);
  }

  private track(taken: Promise<void>, buffer: Uint8Array): void {
    this.inFlight++;
    this.chain = taken.then(
      () => {
        this.inFlight--;
        this.took(buffer);
      },
      (error: unknown) => {
        this.inFlight--;
        this.failure ??= connectionError(error, "write", this.role, this.established);
      },
    );
  }

  /** The stream has the buffer's bytes; until then they are no sign of life. */
  private took(buffer: Uint8Array): void {
    this.lastWrite = this.now();
    this.recycle(buffer);
  }

  /** Literals come from linear memory: copied within it they cost a fraction. */
  private newBuffer(): Uint8Array {
    return this.stream.useBuffer || this.direct ? this.memory.ioBuffer(BUFFER_BYTES) : new Uint8Array(BUFFER_BYTES);
  }

  private recycle(buffer: Uint8Array): void {
    if (this.spare.length < MAX_SPARE && buffer.length === BUFFER_BYTES) this.spare.push(buffer);
    else if (this.memory.owns(buffer)) this.memory.release(buffer.byteOffset);
  }

  private openFrame(): void {
    this.frameStart = this.writer.length;
    this.writer.i32le(0);
  }

  /** The data that has gathered is complete: it is counted, recorded, and gets its frame's header. */
  private closeData(): void {
    const { writer, frameStart, multiplexed } = this;
    const start = multiplexed ? frameStart + MUX_HEADER_BYTES : 0;
    const byteLength = writer.length - start;
    if (byteLength === 0) {
      writer.length = multiplexed ? frameStart : 0;
      return;
    }
    if (!this.diverted) this.dataSent += byteLength;
    const { bytes } = writer;
    this.tee?.(bytes.subarray(start, writer.length));
    if (multiplexed) putMuxHeader(bytes, frameStart, MessageTag.data, byteLength);
  }
}
