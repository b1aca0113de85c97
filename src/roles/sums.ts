/**
 * Block sums of a basis file, read and signed in large spans and sent behind their sum head.
 * Upstream generator.c:generate_and_send_sums.
 */
import { sumSizes } from "../delta/blocksize.ts";
import { Signer } from "../delta/signature.ts";
import { blockRules } from "../checksum/digest.ts";
import { checksumLength } from "../checksum/registry.ts";
import { newSumHead, writeSumHead } from "../protocol/sumhead.ts";
import { type Session } from "../session/session.ts";

/** Bytes of basis file signed in one call. */
const SPAN_BYTES = 1 << 20;
const SUM1_BYTES = 4;

export class SumSender {
  private readonly session: Session;
  /** Made for the first basis: without a transfer checksum there are no sums to make. */
  private signer: Signer | null = null;
  private readonly digestLength: number;
  private readonly head = newSumHead();
  private readonly none = newSumHead();
  /** Bytes of a span: whole blocks. */
  private spanBytes = 0;
  private span = 0;
  private spanCapacity = 0;
  private sums = 0;
  private sumsCapacity = 0;

  constructor(session: Session) {
    this.session = session;
    this.digestLength = checksumLength(session.context.transferChecksum);
  }

  /** Tells the sender that there is no basis. */
  sendNone(): void {
    writeSumHead(this.session.output.writer, this.none);
  }

  /**
   * Sends the sums of an open file. `fullSums`: the redo phase. `copyFd` >= 0 receives a copy of what is read (the
   * backup of an in-place update). Returns 0, or the errno of a failed copy.
   */
  async send(fd: number, fileLength: number, fullSums: boolean, copyFd = -1): Promise<number> {
    const { session, head } = this;
    const { options, output } = session;
    sumSizes(fileLength, {
      blockSize: options.blockSize, version: session.context.version, digestLength: this.digestLength, fullSums,
    }, head);
    if (head.count <= 0) {
      if (head.count < 0) session.log.warning("WARNING: file is too large for checksum sending\n");
      this.sendNone();
      return 0;
    }
    writeSumHead(output.writer, head);
    if (session.log.debug("DELTASUM", 2)) {
      const { count, remainder, blockLength, s2length } = head;
      session.log.infoLine(
        `count=${count} rem=${remainder} blength=${blockLength} s2length=${s2length} flength=${fileLength}\n`,
      );
    }
    const appending = options.append > 0 && !fullSums;
    if (appending && copyFd < 0) return 0;
    this.makeRoom();
    const signer = (this.signer ??= appending ? null : new Signer(session.kernels, blockRules(session.context)));
    let copyError = 0;
    for (let offset = 0; offset < fileLength; offset += this.spanBytes) {
      const count = Math.min(this.spanBytes, fileLength - offset);
      this.readSpan(fd, offset, count);
      if (copyFd >= 0 && copyError === 0) copyError = Math.max(0, -session.fs.write(copyFd, this.span, count));
      if (signer === null || appending) continue;
      const written = signer.sign(head, this.span, count, this.sums);
      if (session.log.debug("DELTASUM", 3)) this.showSums(offset, count);
      output.writer.put(session.memory.bytes(this.sums, written));
      output.spill();
      if (output.congested) await output.drain();
    }
    return copyError;
  }

  /** --debug=deltasum3: the block sums of a span that starts at a file offset. */
  private showSums(start: number, byteLength: number): void {
    const { log, memory } = this.session;
    const { blockLength, s2length } = this.head;
    for (let at = 0, ptr = this.sums; at < byteLength; at += blockLength, ptr += SUM1_BYTES + s2length) {
      const offset = start + at;
      const length = Math.min(blockLength, byteLength - at);
      const sum1 = memory.view.getUint32(ptr, true).toString(16).padStart(8, "0");
      log.infoLine(`chunk[${offset / blockLength}] offset=${offset} len=${length} sum1=${sum1}\n`);
    }
  }

  /** Reads a span; what cannot be read counts as zeros, as upstream's map_ptr does. */
  private readSpan(fd: number, offset: number, byteLength: number): void {
    const { fs, memory } = this.session;
    let got = 0;
    while (got < byteLength) {
      const count = fs.pread(fd, this.span + got, byteLength - got, offset + got);
      if (count <= 0) break;
      got += count;
    }
    if (got < byteLength) memory.u8.fill(0, this.span + got, this.span + byteLength);
  }

  private makeRoom(): void {
    const { memory } = this.session;
    const blocks = Math.max(1, Math.floor(SPAN_BYTES / this.head.blockLength));
    this.spanBytes = blocks * this.head.blockLength;
    if (this.spanBytes > this.spanCapacity) {
      if (this.span) memory.release(this.span);
      this.span = memory.alloc(this.spanBytes);
      this.spanCapacity = this.spanBytes;
    }
    const sumsBytes = blocks * (SUM1_BYTES + this.head.s2length);
    if (sumsBytes > this.sumsCapacity) {
      if (this.sums) memory.release(this.sums);
      this.sums = memory.alloc(sumsBytes);
      this.sumsCapacity = sumsBytes;
    }
  }
}
