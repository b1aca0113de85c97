/** Whole-file digests for --checksum: reading a file and comparing. Upstream checksum.c:file_checksum. */
import { fileDigest, type Digest } from "../checksum/digest.ts";
import { type Kernels } from "../checksum/kernels.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type ChecksumName } from "../protocol/context.ts";

const BUFFER_BYTES = 512 * 1024;

export class FileSummer {
  private readonly digest: Digest;
  private readonly fs: FileSystem;
  private readonly sum: Uint8Array;
  private buffer = 0;

  constructor(kernels: Kernels, fs: FileSystem, name: ChecksumName) {
    this.fs = fs;
    this.digest = fileDigest(kernels, name);
    this.sum = new Uint8Array(this.digest.byteLength);
  }

  /** Digest of an open file's contents; false when it cannot be read, and `into` is then all zeros. */
  read(fd: number, into: Uint8Array): boolean {
    const { fs, digest } = this;
    if (this.buffer === 0) this.buffer = fs.memory.alloc(BUFFER_BYTES);
    digest.init();
    for (let offset = 0; ; ) {
      const count = fs.pread(fd, this.buffer, BUFFER_BYTES, offset);
      if (count < 0) {
        into.fill(0);
        return false;
      }
      if (count === 0) break;
      digest.update(this.buffer, count);
      offset += count;
    }
    digest.final(into, 0);
    return true;
  }

  /** Whether an open file has the digest stored at an address. */
  matches(fd: number, expected: number): boolean {
    const { sum } = this;
    if (expected === 0 || !this.read(fd, sum)) return false;
    const { u8 } = this.fs.memory;
    for (let i = 0; i < sum.length; i++) if (sum[i] !== u8[expected + i]) return false;
    return true;
  }

  release(): void {
    if (this.buffer) this.fs.memory.release(this.buffer);
    this.buffer = 0;
    this.digest.release();
  }
}
