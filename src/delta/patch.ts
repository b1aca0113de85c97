/**
 * The receiver's side of the delta: tokens in, the new file and its whole-file digest out. Upstream
 * receiver.c:receive_data and discard_receive_data.
 *
 * Everything goes through one buffer in linear memory: literals are copied into it, matched blocks are read from the
 * basis straight into it, in large reads since consecutive blocks are joined first. When it is full it is digested
 * and written in one call each. So every byte is digested once, in order, and no token costs an allocation.
 *
 * In place, basis and output are one file. A block at the offset where it is wanted is digested but not written; any
 * other is read before anything at its place is overwritten, because writes never run ahead of the reads that precede
 * them in the stream and the sender only names blocks at or after the offset.
 */
import type { Digest } from "../checksum/digest.ts";
import { ProtocolError } from "../errors.ts";
import type { LinearMemory } from "../memory.ts";
import type { FileSystem } from "../posix/filesystem.ts";
import type { SumHead } from "../protocol/sumhead.ts";

/** Bytes per read and write. */
const BUFFER_BYTES = 256 * 1024;
/** Unit in which --sparse looks for zeros; upstream SPARSE_WRITE_SIZE. */
const SPARSE_BYTES = 1024;
const SEEK_END = 2;
/** FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE of Linux, the one system whose fallocate is used. */
const PUNCH_HOLE_KEEP_SIZE = 3;
/** Shortest matched run worth a copy inside the kernel, when no digest wants its bytes. */
const COPY_RANGE_BYTES = 128 * 1024;

/** What a file is made from and where it goes. */
export interface PatchTarget {
  /** The sum head as the sender echoed it. */
  readonly head: SumHead;
  /** Descriptor of the output, or -1 to discard the tokens. */
  readonly outputFd: number;
  /** Descriptor of the basis, or -1 without one. */
  readonly basisFd: number;
  /** Output and basis are the same file (--inplace and its like): blocks already in place are not written. */
  readonly inplace?: boolean;
  /** --append: the first bytes of the output that stay as they are; tokens follow after them. */
  readonly skipBytes?: number;
  /** --append-verify: those bytes count in the digest; they are read from the basis. */
  readonly digestSkipped?: boolean;
  /** --sparse: runs of zeros become holes. */
  readonly sparse?: boolean;
  /** --preallocate: the output has blocks up to here. */
  readonly preallocated?: number;
  /** Called with the bytes of each match, in linear memory, before `match` returns (zlib's history needs them). */
  readonly seen?: (ptr: number, byteLength: number) => void;
}

/** `patching`: tokens become a file. `discarding`: they are only checked and counted, for nothing can be written. */
export type PatchState = "idle" | "patching" | "discarding";

/** Builds files from token streams, one after the other, with one buffer. */
export class Patcher {
  state: PatchState = "idle";
  /** errno of the first failed write of this file, or 0. The state is `discarding` from there on. */
  writeError = 0;
  /** Bytes of this file from literals and from matches. */
  literalBytes = 0;
  matchedBytes = 0;
  private readonly fs: FileSystem;
  private readonly memory: LinearMemory;
  private readonly digest: Digest;
  private target!: PatchTarget;
  private readonly bufferPtr: number;
  /** Bytes in the buffer; they belong at [written, written + buffered) of the output. */
  private buffered = 0;
  private written = 0;
  /** Matched bytes not yet read: [runOffset, runOffset + runBytes) of the basis. */
  private runOffset = 0;
  private runBytes = 0;
  private kernelCopies = true;
  /** With --sparse: what has really been written reaches to here; a hole at the end makes no length. */
  private solidEnd = 0;
  /** With --sparse: length of what the output held before, where a hole has to be punched. */
  private oldBytes = 0;
  /** With --sparse: zeros at [holeStart, holeEnd) that still have to be punched, for more may follow them. */
  private holeStart = 0;
  private holeEnd = 0;
  private readonly own: Uint8Array;

  /** `digest` is the whole-file digest of the transfer; the Patcher uses it for every file and does not release it. */
  constructor(fs: FileSystem, digest: Digest) {
    this.fs = fs;
    this.memory = fs.memory;
    this.digest = digest;
    this.own = new Uint8Array(digest.byteLength);
    this.bufferPtr = this.memory.alloc(BUFFER_BYTES);
  }

  /** Offset in the new file up to which tokens have come. */
  get offset(): number {
    return this.written + this.buffered + this.runBytes;
  }

  /** Begins a file; with --append-verify, digests the part that is there already. */
  start(target: PatchTarget): void {
    this.target = target;
    this.state = target.outputFd < 0 ? "discarding" : "patching";
    this.writeError = this.literalBytes = this.matchedBytes = this.buffered = this.written = this.runBytes = 0;
    this.solidEnd = this.holeStart = this.holeEnd = 0;
    const unseen = this.digest.name === "none" && !target.seen && !target.sparse;
    this.kernelCopies = this.fs.capabilities.copyFileRange && unseen;
    this.oldBytes = target.sparse && this.state === "patching" ? this.fs.lseek(target.outputFd, 0, SEEK_END) : 0;
    this.digest.init();
    const skipBytes = target.skipBytes ?? 0;
    if (target.digestSkipped && target.basisFd >= 0) this.digestOnly(0, skipBytes, undefined);
    this.written = skipBytes;
  }

  /** Literal bytes, from any buffer; they are copied before this returns. */
  literal(bytes: Uint8Array): void {
    this.literalBytes += bytes.length;
    this.settle();
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(bytes.length - at, this.room());
      const part = count === bytes.length ? bytes : bytes.subarray(at, at + count);
      this.memory.copy(this.memory.u8, this.bufferPtr + this.buffered, part);
      this.buffered += count;
      at += count;
    }
  }

  /**
   * Block `index` of the basis. Throws ProtocolError (2, label `token`) for a block that does not exist, and for any
   * block when there is an output but no basis.
   */
  match(index: number): void {
    const { head, basisFd, outputFd, seen } = this.target;
    if (index < 0 || index >= head.count) {
      throw new ProtocolError("token", `Invalid block index ${index} (count=${head.count})`);
    }
    if (basisFd < 0 && outputFd >= 0) throw new ProtocolError("token", "got a block match with no basis file");
    const byteLength = index === head.count - 1 && head.remainder !== 0 ? head.remainder : head.blockLength;
    const offset = index * head.blockLength;
    if (this.runBytes > 0 && this.runOffset + this.runBytes !== offset) this.settle();
    if (this.runBytes === 0) this.runOffset = offset;
    this.runBytes += byteLength;
    this.matchedBytes += byteLength;
    if (seen) this.settle();
  }

  /**
   * Ends the file: writes what is left and, if `truncate`, cuts the output off at the end of the new data. Returns 0
   * or -errno of the first failed write or of the truncation.
   */
  finish(truncate: boolean): number {
    this.settle();
    this.flush();
    this.punchHole();
    if (this.writeError !== 0) return -this.writeError;
    const { outputFd, sparse, preallocated = 0 } = this.target;
    const wrongLength = sparse && (this.solidEnd < this.written || this.oldBytes > this.written);
    if (outputFd < 0 || !(truncate || wrongLength || preallocated > this.written)) return 0;
    return Math.min(0, this.fs.ftruncate(outputFd, this.written));
  }

  /**
   * Ends the digest and compares it with the sender's. A discarded file counts as verified: there is nothing that
   * could be wrong. `finish` comes first.
   */
  verify(expected: Uint8Array): boolean {
    const own = new Uint8Array(this.digest.byteLength);
    this.digest.final(own, 0);
    const discarded = this.state === "discarding";
    this.state = "idle";
    return discarded || (expected.length === own.length && own.every((byte, at) => byte === expected[at]));
  }

  /** Has a file that lies in memory whole the sender's digest, which is at `expected`? For use between files. */
  isWhole(ptr: number, byteLength: number, expected: number): boolean {
    const { digest, memory: { u8 } } = this;
    digest.init();
    if (byteLength > 0) digest.update(ptr, byteLength);
    digest.final(this.own, 0);
    for (let i = 0; i < this.own.length; i++) if (this.own[i] !== u8[expected + i]) return false;
    return true;
  }

  /** Gives the buffer back. */
  release(): void {
    this.memory.release(this.bufferPtr);
  }

  /** Free bytes at the end of the buffer, at least one. */
  private room(): number {
    if (this.buffered === BUFFER_BYTES) this.flush();
    return BUFFER_BYTES - this.buffered;
  }

  /** Resolves the matched run: reads it, or leaves it where it is. */
  private settle(): void {
    const byteLength = this.runBytes;
    if (byteLength === 0) return;
    this.runBytes = 0;
    if (this.target.basisFd < 0) {
      this.written += byteLength;
    } else if (this.target.inplace && this.runOffset === this.written + this.buffered) {
      this.flush();
      if (this.target.sparse) this.hollowOut(byteLength);
      else {
        this.digestOnly(this.runOffset, byteLength, this.target.seen);
        this.written += byteLength;
      }
    } else {
      this.copyRun(this.runOffset, byteLength);
    }
  }

  /** Brings [offset, offset + byteLength) of the basis to the output. */
  private copyRun(offset: number, byteLength: number): void {
    let done = 0;
    if (this.kernelCopies && byteLength >= COPY_RANGE_BYTES && this.state === "patching") {
      this.flush();
      done = this.copyInKernel(offset, byteLength);
    }
    while (done < byteLength) {
      const count = Math.min(byteLength - done, this.room());
      const ptr = this.bufferPtr + this.buffered;
      this.readBasis(offset + done, ptr, count);
      this.target.seen?.(ptr, count);
      this.buffered += count;
      done += count;
    }
  }

  /** copy_file_range, as far as it gets; returns the bytes copied. */
  private copyInKernel(offset: number, byteLength: number): number {
    const { basisFd, outputFd } = this.target;
    let done = 0;
    while (done < byteLength) {
      const count = this.fs.copyFileRange(basisFd, offset + done, outputFd, this.written, byteLength - done);
      if (count <= 0) {
        // Not between these files (EXDEV, EINVAL) or at their end: reading and writing finds out what is wrong.
        this.kernelCopies = false;
        break;
      }
      done += count;
      this.written += count;
    }
    return done;
  }

  /** --inplace with --sparse: what is in its place already is not written, but its zeros become holes. */
  private hollowOut(byteLength: number): void {
    for (let done = 0; done < byteLength; ) {
      const count = Math.min(byteLength - done, BUFFER_BYTES);
      this.readBasis(this.written, this.bufferPtr, count);
      this.target.seen?.(this.bufferPtr, count);
      this.digest.update(this.bufferPtr, count);
      if (this.state === "patching") this.writeSparse(count, true);
      this.written += count;
      done += count;
    }
  }

  /** Digests a part of the basis that is in its place already. The buffer is empty. */
  private digestOnly(offset: number, byteLength: number, seen: PatchTarget["seen"]): void {
    if (this.digest.name === "none" && !seen) return;
    for (let done = 0; done < byteLength; ) {
      const count = Math.min(byteLength - done, BUFFER_BYTES);
      this.readBasis(offset + done, this.bufferPtr, count);
      seen?.(this.bufferPtr, count);
      this.digest.update(this.bufferPtr, count);
      done += count;
    }
  }

  /** Reads from the basis; what cannot be read becomes zeros, and the digest will tell (upstream map_ptr). */
  private readBasis(offset: number, ptr: number, byteLength: number): void {
    let got = 0;
    while (got < byteLength) {
      const count = this.fs.pread(this.target.basisFd, ptr + got, byteLength - got, offset + got);
      if (count <= 0) {
        this.memory.u8.fill(0, ptr + got, ptr + byteLength);
        return;
      }
      got += count;
    }
  }

  /** Digests and writes the buffer. Every write of file data is here. */
  private flush(): void {
    const byteLength = this.buffered;
    if (byteLength === 0) return;
    this.digest.update(this.bufferPtr, byteLength);
    if (this.state === "patching") {
      if (this.target.sparse) this.writeSparse(byteLength);
      else this.writeOut(this.bufferPtr, byteLength, this.written);
    }
    this.written += byteLength;
    this.buffered = 0;
  }

  /**
   * Writes the buffer but for its zero blocks, which are aligned in the file. `there`: nothing has to be written.
   * Upstream fileio.c:write_sparse.
   */
  private writeSparse(byteLength: number, there = false): void {
    let from = 0;
    let wasZero = false;
    for (let at = 0; at < byteLength; ) {
      const end = Math.min(byteLength, at + SPARSE_BYTES - ((this.written + at) % SPARSE_BYTES));
      const zero = this.isZero(at, end);
      if (zero !== wasZero && at > from) {
        this.writeSpan(wasZero, from, at, there);
        from = at;
      }
      wasZero = zero;
      at = end;
    }
    this.writeSpan(wasZero, from, byteLength, there);
  }

  private writeSpan(zero: boolean, from: number, to: number, there: boolean): void {
    if (zero) this.leaveHole(this.written + from, this.written + to);
    else if (there) this.solidEnd = this.written + to;
    else if (this.state === "patching") this.writeOut(this.bufferPtr + from, to - from, this.written + from);
  }

  private isZero(from: number, to: number): boolean {
    const { u8 } = this.memory;
    for (let at = this.bufferPtr + from; at < this.bufferPtr + to; at++) if (u8[at] !== 0) return false;
    return true;
  }

  /** A hole at [from, to). Where there was data it waits for its neighbours: a file system frees whole blocks. */
  private leaveHole(from: number, to: number): void {
    const end = Math.min(to, this.oldBytes);
    if (from >= end) return;
    if (from !== this.holeEnd) {
      this.punchHole();
      this.holeStart = from;
    }
    this.holeEnd = end;
  }

  /** Punches the hole that waits, or writes its zeros where that cannot be done. Upstream syscall.c:do_punch_hole. */
  private punchHole(): void {
    const { outputFd } = this.target;
    const start = this.holeStart;
    const byteLength = this.holeEnd - start;
    this.holeStart = this.holeEnd;
    if (byteLength <= 0 || this.state !== "patching") return;
    if (this.fs.fallocate(outputFd, PUNCH_HOLE_KEEP_SIZE, start, byteLength) >= 0) return;
    const zeros = this.memory.alloc(SPARSE_BYTES);
    this.memory.u8.fill(0, zeros, zeros + SPARSE_BYTES);
    for (let at = start; at < start + byteLength && this.state === "patching"; at += SPARSE_BYTES) {
      this.writeOut(zeros, Math.min(SPARSE_BYTES, start + byteLength - at), at);
    }
    this.memory.release(zeros);
  }

  /** Writes a region of memory to its place in the output. */
  private writeOut(ptr: number, byteLength: number, offset: number): void {
    const { outputFd } = this.target;
    let done = 0;
    while (done < byteLength) {
      const count = this.fs.pwrite(outputFd, ptr + done, byteLength - done, offset + done);
      if (count <= 0) {
        this.writeError = count < 0 ? -count : (this.fs.constants.E.EIO ?? 5);
        this.state = "discarding";
        return;
      }
      done += count;
    }
    this.solidEnd = Math.max(this.solidEnd, offset + byteLength);
  }
}
