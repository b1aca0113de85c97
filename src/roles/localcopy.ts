/**
 * Taking a whole file from a sender in this process: the kernel copies it, or one read and one write do when it is
 * small. See session/locallink.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { cloneContents, copyContents } from "../files/copyfile.ts";
import { type SourceOffer } from "../session/locallink.ts";
import { type Session } from "../session/session.ts";
import { type IncomingFile } from "./incoming.ts";

const SEEK_END = 2;
/** Up to here reading and writing beats asking the kernel for a clone first. */
const SMALL_BYTES = 64 * 1024;

export class LocalCopy {
  private readonly session: Session;
  private readonly buffer: number;
  /** FICLONE has worked or not yet been tried on this destination. */
  private tryClone = true;

  constructor(session: Session) {
    this.session = session;
    this.buffer = session.memory.alloc(SMALL_BYTES);
  }

  /** Copies the oldest offered file into the incoming one and closes it. A failed copy ends the run, as in rsync. */
  take(file: IncomingFile): void {
    const offer = this.session.localLink!.take();
    if (!offer) throw new ProtocolError("token", "got a block match with no basis file");
    this.put(file, offer);
  }

  /** `take`, for an offer that has been taken. */
  put(file: IncomingFile, offer: SourceOffer): void {
    const { session } = this;
    let result = file.outputFd < 0 ? 0 : this.copy(offer.fd, file.outputFd, offer.byteLength);
    // --inplace: the old version may have been longer than what was written.
    if (result >= 0 && file.truncate && file.outputFd >= 0) result = session.fs.ftruncate(file.outputFd, result);
    session.fs.close(offer.fd);
    session.stats.literalData += offer.byteLength;
    if (result >= 0) return;
    const name = file.destination.fullName(file.path);
    session.log.errorXfer(`rsync: [receiver] write failed on ${name}: ${session.fs.strerror(-result)} (${-result})\n`);
    throw new ProtocolError("file", "", ExitCode.fileIo);
  }

  /** Returns the bytes copied, or -errno. */
  private copy(from: number, to: number, byteLength: number): number {
    const { fs } = this.session;
    if (byteLength <= SMALL_BYTES) {
      const count = fs.pread(from, this.buffer, SMALL_BYTES, 0);
      if (count < SMALL_BYTES) return count <= 0 ? count : this.writeAll(to, count);
    }
    if (this.tryClone) {
      if (cloneContents(fs, from, to) >= 0) return fs.lseek(from, 0, SEEK_END);
      this.tryClone = false;
    }
    return copyContents(fs, from, to);
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
