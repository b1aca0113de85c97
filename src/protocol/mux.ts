/**
 * Multiplexing: data and messages in one byte stream (labels `mux-header`, `mux-message`). Upstream io.c:read_a_msg,
 * send_msg.
 *
 * A frame is a 32-bit little-endian header, payload length in the low 24 bits and tag + 7 in the high 8, then the
 * payload. Data payloads may have any length and are cut anywhere; a message is handed over whole. MuxReader copies
 * each data byte once, straight to where the codecs read it, and makes no object per frame.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { MessageTag, WireLimit } from "./constants.ts";
import type { CopyBytes } from "../memory.ts";
import { copyPlainly, type Writer } from "./cursor.ts";

/** Added to every tag, so that a frame of data starts with a byte that no early plain stream has. */
export const MUX_BASE = 7;

/** Bytes of a frame header. */
export const MUX_HEADER_BYTES = 4;

/** How a tag may be used: payload lengths, and whether it may cross a connection at all. */
interface TagRule {
  /** Legal payload lengths; empty means any below WireLimit.message. */
  readonly lengths: readonly number[];
}

const TEXT: TagRule = { lengths: [] };
const EMPTY: TagRule = { lengths: [0] };
const NUMBER: TagRule = { lengths: [4] };
const MAYBE_NUMBER: TagRule = { lengths: [0, 4] };

/**
 * Tags a peer may send. Upstream's other tags (errorSocket, errorUtf8, log, client, redo, stats) pass only between the
 * generator and receiver processes of one rsync; from a peer they end the run.
 */
const RULES: ReadonlyMap<number, TagRule> = new Map([
  [MessageTag.errorXfer, TEXT],
  [MessageTag.info, TEXT],
  [MessageTag.error, TEXT],
  [MessageTag.warning, TEXT],
  [MessageTag.deleted, TEXT],
  [MessageTag.ioError, NUMBER],
  [MessageTag.ioTimeout, NUMBER],
  [MessageTag.success, NUMBER],
  [MessageTag.noSend, NUMBER],
  [MessageTag.noop, EMPTY],
  [MessageTag.errorExit, MAYBE_NUMBER],
]);

const INTERNAL: ReadonlySet<number> = new Set([
  MessageTag.errorSocket, MessageTag.errorUtf8, MessageTag.log, MessageTag.client, MessageTag.redo, MessageTag.stats,
]);

/** Takes a whole message. `payload` is valid during the call only. May throw, which leaves `feed` at once. */
export type MessageHandler = (tag: number, payload: Uint8Array) => void;

/** Settings of a MuxReader. */
export interface MuxReaderOptions {
  /** A server must not be told a timeout. */
  readonly amServer: boolean;
  /** Named in error texts, as upstream's who_am_i: "sender", "Receiver" ... */
  readonly role: string;
  /** How data is brought to its place; see LinearMemory.copy. */
  readonly copy?: CopyBytes;
}

/** Takes frames apart. Chunks may be cut anywhere. */
export class MuxReader {
  /** Bytes of chunk and of destination the last `feed` used up. */
  consumed = 0;
  produced = 0;
  private readonly onMessage: MessageHandler;
  private readonly options: MuxReaderOptions;
  /** Header or message being collected; `have` of `want` bytes are in `held`. */
  private readonly held = new Uint8Array(WireLimit.message);
  private have = 0;
  private want = MUX_HEADER_BYTES;
  /** Tag of the message being collected, -1 while collecting a header. */
  private tag = -1;
  private dataLeft = 0;
  private readonly copyLong: CopyBytes;

  constructor(onMessage: MessageHandler, options: MuxReaderOptions) {
    this.onMessage = onMessage;
    this.options = options;
    this.copyLong = options.copy ?? copyPlainly;
  }

  /** True between frames: only there may the stream end. */
  get idle(): boolean {
    return this.dataLeft === 0 && this.have === 0 && this.tag < 0;
  }

  /** Bytes from here that surely belong to the header, message or data at hand. */
  get untilBoundary(): number {
    return this.dataLeft > 0 ? this.dataLeft : this.want - this.have;
  }

  /**
   * Takes chunk bytes [from, to), copies data payload to dest [destFrom, destTo) and hands messages over, until the
   * chunk is used up or data waits and dest is full. Sets `consumed` and `produced`, also when it throws
   * (ProtocolError 12, labels `mux-header` and `mux-message`). Returns `produced`.
   */
  feed(chunk: Uint8Array, from: number, to: number, dest: Uint8Array, destFrom: number, destTo: number): number {
    let at = from;
    let put = destFrom;
    while (at < to) {
      if (this.dataLeft > 0) {
        const count = Math.min(this.dataLeft, to - at, destTo - put);
        if (count === 0) break;
        this.copy(chunk, at, dest, put, count);
        at += count;
        put += count;
        this.dataLeft -= count;
      } else {
        at += this.collect(chunk, at, to);
        this.consumed = at - from;
        this.produced = put - destFrom;
        if (this.have === this.want) this.complete();
      }
    }
    this.consumed = at - from;
    return (this.produced = put - destFrom);
  }

  /** Moves bytes towards a whole header or message; returns their count. */
  private collect(chunk: Uint8Array, at: number, to: number): number {
    const count = Math.min(this.want - this.have, to - at);
    this.copy(chunk, at, this.held, this.have, count);
    this.have += count;
    return count;
  }

  /** A long copy costs about 40 ns to start, so a few bytes are copied one by one. */
  private copy(from: Uint8Array, at: number, to: Uint8Array, put: number, count: number): void {
    if (count > 32) this.copyLong(to, put, from.subarray(at, at + count));
    else for (let i = 0; i < count; i++) to[put + i] = from[at + i];
  }

  private complete(): void {
    const { held, tag, want } = this;
    this.have = 0;
    this.want = MUX_HEADER_BYTES;
    if (tag < 0) {
      this.startFrame(held[3] - MUX_BASE, held[0] | (held[1] << 8) | (held[2] << 16));
    } else {
      this.tag = -1;
      this.onMessage(tag, held.subarray(0, want));
    }
  }

  private startFrame(tag: number, byteLength: number): void {
    if (tag === MessageTag.data) {
      this.dataLeft = byteLength;
      return;
    }
    this.check(tag, byteLength);
    if (byteLength === 0) {
      this.onMessage(tag, this.held.subarray(0, 0));
      return;
    }
    this.tag = tag;
    this.want = byteLength;
  }

  private check(tag: number, byteLength: number): void {
    const rule = RULES.get(tag);
    const { amServer, role } = this.options;
    if (rule === undefined && !INTERNAL.has(tag)) throw muxError("mux-header", `unexpected tag ${tag} [${role}]`);
    const misplaced = rule === undefined || (amServer && tag === MessageTag.ioTimeout);
    if (misplaced || (rule.lengths.length > 0 && !rule.lengths.includes(byteLength))) {
      throw muxError("mux-message", `invalid multi-message ${tag}:${byteLength} [${role}]`);
    }
    if (byteLength >= WireLimit.message) {
      throw muxError("mux-message", `multiplexing overflow ${tag}:${byteLength} [${role}]`);
    }
  }
}

function muxError(label: string, message: string): ProtocolError {
  return new ProtocolError(label, message, ExitCode.streamIo);
}

/** Writes a frame header at `at`, where the caller has kept MUX_HEADER_BYTES free. */
export function putMuxHeader(bytes: Uint8Array, at: number, tag: number, byteLength: number): void {
  bytes[at] = byteLength;
  bytes[at + 1] = byteLength >> 8;
  bytes[at + 2] = byteLength >> 16;
  bytes[at + 3] = tag + MUX_BASE;
}

/** Appends one frame. `payload` must not pass WireLimit.framePayload; text messages stay below WireLimit.message. */
export function writeMessage(out: Writer, tag: number, payload: Uint8Array): void {
  const at = out.reserve(MUX_HEADER_BYTES + payload.length);
  putMuxHeader(out.bytes, at, tag, payload.length);
  out.bytes.set(payload, at + MUX_HEADER_BYTES);
  out.length = at + MUX_HEADER_BYTES + payload.length;
}

/** Appends a message of one int (ioError, ioTimeout, success, noSend, errorExit). Upstream io.c:send_msg_int. */
export function writeIntMessage(out: Writer, tag: number, value: number): void {
  const at = out.reserve(2 * MUX_HEADER_BYTES);
  putMuxHeader(out.bytes, at, tag, 4);
  out.length = at + MUX_HEADER_BYTES;
  out.i32le(value);
}

/** The int of a four-byte message payload. */
export function messageInt(payload: Uint8Array): number {
  return payload[0] | (payload[1] << 8) | (payload[2] << 16) | (payload[3] << 24);
}
