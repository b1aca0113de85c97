/**
 * Reading a batch: the file as the stream of a conversation whose sender has already said everything. What this side
 * says goes nowhere. Upstream batch.c:open_batch_files, main.c:do_cmd in its part for --read-batch.
 */
import { ExitCode, TransportError, WsyncError } from "../errors.ts";
import { type Confined } from "../files/confine.ts";
import { isRegular } from "../files/perms.ts";
import { type ByteStream } from "../host.ts";
import { type FileSystem, newStat } from "../posix/filesystem.ts";
import { openError } from "./recorder.ts";

const BUFFER_BYTES = 256 * 1024;

/**
 * Opens a batch file for replay; "-" is standard input, which `stdio` gives. Throws WsyncError (11) when it cannot be
 * opened or is no regular file, as its bytes are obeyed like a peer's.
 */
export function openReplay(operator: Confined, name: string, stdio: () => ByteStream): ByteStream {
  if (name === "-") return new ReplayedStream(stdio());
  const { fs } = operator;
  const fd = operator.openFollowing(name, fs.constants.O.RDONLY | fs.constants.O.NONBLOCK, 0);
  if (fd < 0) throw openError(operator, name, -fd, ExitCode.fileIo);
  const stat = newStat();
  if (fs.fstat(fd, stat) >= 0 && !isRegular(stat.mode)) {
    fs.close(fd);
    throw new WsyncError(`Batch file ${operator.quoted(name)} is not a regular file`, ExitCode.fileIo);
  }
  return new BatchFileStream(fs, fd);
}

/** The bytes of a file; what is written to it is dropped. */
class BatchFileStream implements ByteStream {
  private readonly fs: FileSystem;
  private readonly ptr: number;
  private fd: number;

  constructor(fs: FileSystem, fd: number) {
    this.fs = fs;
    this.fd = fd;
    this.ptr = fs.memory.alloc(BUFFER_BYTES);
  }

  async read(): Promise<Uint8Array | null> {
    if (this.fd < 0) return null;
    const count = this.fs.read(this.fd, this.ptr, BUFFER_BYTES);
    if (count < 0) throw new TransportError(`read error: ${this.fs.strerror(-count)} (${-count})`, ExitCode.socketIo);
    return count === 0 ? null : this.fs.memory.bytes(this.ptr, count);
  }

  write(): undefined {}

  async end(): Promise<void> {}

  destroy(): void {
    if (this.fd < 0) return;
    this.fs.close(this.fd);
    this.fs.memory.release(this.ptr);
    this.fd = -1;
  }
}

/** Another stream's bytes; what is written to it is dropped. */
class ReplayedStream implements ByteStream {
  readonly useBuffer?: (buffer: Uint8Array) => void;
  readonly consumed?: () => void;
  private readonly inner: ByteStream;

  constructor(inner: ByteStream) {
    this.inner = inner;
    if (inner.useBuffer) this.useBuffer = (buffer) => inner.useBuffer!(buffer);
    if (inner.consumed) this.consumed = () => inner.consumed!();
  }

  read(): Promise<Uint8Array | null> {
    return this.inner.read();
  }

  write(): undefined {}

  async end(): Promise<void> {}

  destroy(): void {
    this.inner.destroy();
  }
}
