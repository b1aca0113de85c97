/**
 * Taking a whole file from a sender in this process: the kernel copies it, or one read and one write do when it is
 * small. See session/locallink.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { cloneContents, copyContents, copySteps } from "../files/copyfile.ts";
import { type SourceOffer } from "../session/locallink.ts";
import { type Session } from "../session/session.ts";
import { type IncomingFile } from "./incoming.ts";

const SEEK_END = 2;
/** Up to here reading and writing beats asking the kernel for a clone first. */
const SMALL_BYTES = 64 * 1024;

export class LocalCopy {
  /** Bytes that the file under way has by now. */
  copiedBytes = 0;
  private readonly session: Session;
  private readonly buffer: number;
  /** FICLONE has worked or not yet been tried on this destination. */
  private tryClone = true;

  constructor(session: Session) {
    this.session = session;
    this.buffer = session.memory.alloc(SMALL_BYTES);
  }

  /**
   * Copies the oldest offered file into the incoming one and closes it. A failed copy ends the run, as in rsync.
   * Returns a promise for a file that takes a while.
   */
  take(file: IncomingFile): Promise<void> | undefined {
    const offer = this.session.localLink!.take();
    if (!offer) throw new ProtocolError("token", "got a block match with no basis file");
    this.copiedBytes = 0;
    const done = file.outputFd < 0 ? 0 : this.copyAtOnce(offer.fd, file.outputFd, offer.byteLength);
    if (done === undefined) return this.copyInSteps(offer, file);
    this.finish(offer, file, done);
  }

  /** As `take`, at one go, for a small file's offer that has been taken. */
  put(file: IncomingFile, offer: SourceOffer): void {
    const { fs } = this.session;
    const done = file.outputFd < 0 ? 0 : this.copyAtOnce(offer.fd, file.outputFd, offer.byteLength);
    this.finish(offer, file, done ?? copyContents(fs, offer.fd, file.outputFd));
  }

  /** Returns the bytes copied, or -errno; undefined when that takes more than a moment. */
  private copyAtOnce(from: number, to: number, byteLength: number): number | undefined {
    const { fs } = this.session;
    if (byteLength <= SMALL_BYTES) {
      const count = fs.pread(from, this.buffer, SMALL_BYTES, 0);
      if (count < SMALL_BYTES) return count <= 0 ? count : this.writeAll(to, count);
    }
    if (this.tryClone) {
      if (cloneContents(fs, from, to) >= 0) return fs.lseek(from, 0, SEEK_END);
      this.tryClone = false;
    }
    return undefined;
  }

  private async copyInSteps(offer: SourceOffer, file: IncomingFile): Promise<void> {
    this.finish(offer, file, await this.stepped(offer.fd, file.outputFd));
  }

  /** Bytes copied, or -errno. Signals and the other roles have their turn on the way, and may end it. */
  private async stepped(from: number, to: number): Promise<number> {
    const { session } = this;
    const steps = copySteps(session.fs, from, to);
    try {
      for (;;) {
        const { done, value } = steps.next();
        if (done) return value;
        this.copiedBytes = value;
        const turn = session.breathe();
        if (turn) await turn;
      }
    } catch (error) {
      steps.return(0);
      session.fs.close(from);
      throw error;
    }
  }

  /** `copied`: the bytes, or -errno. */
  private finish(offer: SourceOffer, file: IncomingFile, copied: number): void {
    const { session } = this;
    // --inplace: the old version may have been longer than what was written.
    const cuts = copied >= 0 && file.truncate && file.outputFd >= 0;
    const result = cuts ? session.fs.ftruncate(file.outputFd, copied) : copied;
    session.fs.close(offer.fd);
    session.stats.literalData += offer.byteLength;
    if (result >= 0) return;
    const name = file.destination.fullName(file.path);
    session.log.errorXfer(`rsync: [receiver] write failed on ${name}: ${session.fs.strerror(-result)} (${-result})\n`);
    throw new ProtocolError("file", "", ExitCode.fileIo);
  }

  private writeAll(to: number, byteLength: number): number {
    for (let done = 0; done < byteLength; ) {
      const count = this.session.fs.write(to, this.buffer + done, byteLength - done);
      if (count < 0) return count;
      done += count;
    }
    return byteLength;
  }
}
