/**
 * From the search to the wire: tokens of one file after another, through the agreed compressor, into the output
 * buffer. Literals are cut and spilled as they come, so the buffer stays small however long a literal is.
 */
import { type Pieces, type TokenSink } from "../delta/tokens.ts";
import { LITERAL_STRIDE, type TokenWriter } from "../protocol/token.ts";
import { type Session } from "../session/session.ts";

/** Longest literal token; upstream CHUNK_SIZE. */
const CHUNK_BYTES = 32 * 1024;
/** Bytes of a frame header for each full output buffer, as the byte count of a local copy reckons. */
const FRAME_BYTES = 4;

export class TokenOutput implements TokenSink {
  private readonly session: Session;
  private readonly writer: TokenWriter;

  constructor(session: Session, writer: TokenWriter) {
    this.session = session;
    this.writer = writer;
  }

  literal(ptr: number, byteLength: number): void {
    const { output, memory } = this.session;
    for (let at = 0; at < byteLength; at += CHUNK_BYTES) {
      this.writer.literal(output.writer, memory.bytes(ptr + at, Math.min(CHUNK_BYTES, byteLength - at)));
      output.spill();
    }
  }

  room(byteLength: number): Pieces | null {
    const { output } = this.session;
    if (this.writer.room === undefined) return null;
    const most = output.directRoom;
    if (most === 0) return null;
    const taken = Math.min(byteLength, most);
    const at = this.writer.room(output.writer, taken);
    return { ptr: output.writer.bytes.byteOffset + at, stride: LITERAL_STRIDE, byteLength: taken };
  }

  match(index: number, ptr: number, byteLength: number): void {
    const { output, memory } = this.session;
    this.writer.match(output.writer, index, memory.bytes(ptr, byteLength));
    output.spill();
  }

  /** Ends the file's tokens. */
  finish(): void {
    this.writer.end(this.session.output.writer);
  }

  /**
   * Stands for the contents of an offered file (session/locallink): block 0 of no blocks, the end, an empty digest.
   * The bytes count as written, so that the totals are those of a copy that travelled.
   */
  writeLocalCopy(byteLength: number, digestLength: number): void {
    const { output } = this.session;
    const { writer } = output;
    writer.i32le(-1);
    writer.i32le(0);
    const at = writer.reserve(digestLength);
    writer.bytes.fill(0, at, at + digestLength);
    writer.length = at + digestLength;
    const chunks = Math.ceil(byteLength / CHUNK_BYTES);
    output.countSpared(byteLength + chunks * 4 - 4, chunks * FRAME_BYTES);
  }
}
