/**
 * A stream of bytes within a WebSocket, either end of it: each binary message is a chunk, however it was cut.
 *
 * A peer that keeps to the frames of RFC 6455 and sends text, or breaks them, ends the connection. Pings are answered.
 */
import { ProtocolError } from "../errors.ts";
import { type ByteStream } from "../host.ts";
import { Cursor, NEED_MORE } from "../protocol/cursor.ts";
import {
  applyMask, CloseCode, type FrameHead, frameOf, isControl, Opcode, readFrameHead,
} from "../protocol/websocket.ts";

const MASK_BYTES = 4;

/** See the head of this file. `inner` is past the HTTP heads. */
export class WebSocketStream implements ByteStream {
  private readonly inner: ByteStream;
  /** A client masks what it sends, with these bytes' source; null for a server. */
  private readonly random: ((bytes: Uint8Array) => void) | null;
  private readonly cursor = new Cursor();
  /** The data frame whose payload is being read, with how much of it has been. */
  private frame: FrameHead | null = null;
  private taken = 0;
  /** A message's further frames are yet to come. */
  private fragmented = false;
  private ended = false;
  private closeSent = false;
  private sending: Promise<void> | undefined;

  constructor(inner: ByteStream, random: ((bytes: Uint8Array) => void) | null) {
    this.inner = inner;
    this.random = random;
  }

  get remoteAddress(): string | undefined {
    return this.inner.remoteAddress;
  }

  async read(): Promise<Uint8Array | null> {
    while (!this.ended) {
      if (this.frame === null) await this.readHead();
      else if (this.taken === this.frame.length) this.frame = null;
      else if (this.cursor.available > 0) return this.takeSome(this.frame);
      else if (!(await this.fill())) break;
    }
    return null;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    return this.send(Opcode.binary, chunk);
  }

  /** Says that nothing follows; the other end answers in kind. */
  async end(): Promise<void> {
    await this.close(CloseCode.normal);
    await this.inner.end();
  }

  destroy(): void {
    this.inner.destroy();
  }

  /** The payload that is there, unmasked in place. */
  private takeSome(frame: FrameHead): Uint8Array {
    const bytes = this.cursor.take(Math.min(this.cursor.available, frame.length - this.taken));
    if (frame.mask !== null) applyMask(bytes, frame.mask, this.taken);
    this.taken += bytes.length;
    return bytes;
  }

  private async readHead(): Promise<void> {
    try {
      const head = await this.next((cursor) => readFrameHead(cursor, this.random === null));
      if (head === null) this.ended = true;
      else if (isControl(head)) await this.control(head);
      else this.begin(head);
    } catch (error) {
      if (error instanceof ProtocolError) await this.close(CloseCode.protocolError);
      throw error;
    }
  }

  private begin(head: FrameHead): void {
    if (head.opcode === Opcode.text) throw new ProtocolError("websocket-frame", "a WebSocket message of text");
    if ((head.opcode === Opcode.continuation) !== this.fragmented) {
      throw new ProtocolError("websocket-frame", "WebSocket messages within each other");
    }
    this.fragmented = !head.last;
    this.frame = head;
    this.taken = 0;
  }

  private async control(head: FrameHead): Promise<void> {
    const payload = await this.next((cursor) => cursor.take(head.length).slice());
    if (payload === null || head.opcode === Opcode.close) {
      this.ended = true;
      if (payload !== null) await this.close(CloseCode.normal);
      return;
    }
    if (head.mask !== null) applyMask(payload, head.mask, 0);
    if (head.opcode === Opcode.ping) await this.send(Opcode.pong, payload);
  }

  private async close(code: number): Promise<void> {
    if (this.closeSent) return;
    this.closeSent = true;
    await this.send(Opcode.close, Uint8Array.of(code >> 8, code & 0xff));
  }

  /** Frames go out one after the other, whoever sends them. */
  private send(opcode: number, payload: Uint8Array): Promise<void> | undefined {
    const mask = this.random === null ? null : new Uint8Array(MASK_BYTES);
    if (mask !== null) this.random!(mask);
    const frame = frameOf(opcode, payload, mask);
    const sent = this.sending === undefined ? this.inner.write(frame)
      : this.sending.then(() => this.inner.write(frame));
    if (sent === undefined) return undefined;
    const sending = sent.finally(() => {
      if (this.sending === sending) this.sending = undefined;
    });
    return (this.sending = sending);
  }

  /** What `decode` makes of the next bytes; null when the stream ends before. */
  private async next<T>(decode: (cursor: Cursor) => T): Promise<T | null> {
    const { cursor } = this;
    for (;;) {
      const mark = cursor.pos;
      try {
        return decode(cursor);
      } catch (error) {
        if (error !== NEED_MORE) throw error;
        cursor.pos = mark;
      }
      if (!(await this.fill())) return null;
    }
  }

  /** Asks for more bytes; those that are left over (a few) go before them. */
  private async fill(): Promise<boolean> {
    const { cursor } = this;
    const rest = cursor.bytes.slice(cursor.pos, cursor.end);
    const chunk = await this.inner.read();
    if (chunk === null) return false;
    if (rest.length === 0) {
      cursor.bytes = chunk;
    } else {
      cursor.bytes = new Uint8Array(rest.length + chunk.length);
      cursor.bytes.set(rest);
      cursor.bytes.set(chunk, rest.length);
    }
    cursor.pos = 0;
    cursor.end = cursor.bytes.length;
    return true;
  }
}
