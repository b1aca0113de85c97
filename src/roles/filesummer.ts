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

  /** Digest of the first `byteLength` bytes of an open file; what cannot be read counts as zeros. */
  read(fd: number, byteLength: number, into: Uint8Array): void {
    const { fs, digest } = this;
    if (this.buffer === 0) this.buffer = fs.memory.alloc(BUFFER_BYTES);
    digest.init();
    for (let offset = 0; offset < byteLength; ) {
      const wanted = Math.min(BUFFER_BYTES, byteLength - offset);
      let count = fs.pread(fd, this.buffer, wanted, offset);
      if (count <= 0) {
        count = wanted;
        fs.memory.u8.fill(0, this.buffer, this.buffer + count);
      }
      digest.update(this.buffer, count);
      offset += count;
    }
    digest.final(into, 0);
  }

  /**
   * Whether an open file of this length has the digest stored at an address. One that cannot be opened (`fd` negative)
   * has a digest of zeros, as the sender's has in that case.
   */
  matches(fd: number, byteLength: number, expected: number): boolean {
    const { sum } = this;
    if (expected === 0) return false;
    if (fd < 0) sum.fill(0);
    else this.read(fd, byteLength, sum);
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
