/**
 * Writing a batch: the file that records the sender's side of a conversation, and the script that replays it.
 *
 * Both are opened before anything else happens and hold the operator's data, so they are opened as operator paths are:
 * through no symlink of another user. Upstream batch.c:open_batch_files, write_stream_flags; io.c:start_write_batch.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { type Confined } from "../files/confine.ts";
import { refusalHint } from "../files/operator.ts";
import { bytesOf } from "../memory.ts";
import { writeBatchFlags, writeBatchStart, type BatchStart, type BatchFlags } from "../protocol/batchheader.ts";
import { Writer } from "../protocol/cursor.ts";
import { batchScript, type ScriptParts } from "./script.ts";

/** Bytes copied into linear memory at once, where they did not lie there. */
const STAGING_BYTES = 64 * 1024;

/** As whom a client speaks that has yet to find its role. */
const WHO = "Receiver";

/** What the script needs that is known before the run. */
export type ScriptBase = Omit<ScriptParts, "rules" | "version">;

/** A batch being written. */
export class BatchRecorder {
  private readonly operator: Confined;
  private readonly name: string;
  private readonly base: ScriptBase;
  private scriptFd: number;
  private readonly fd: number;
  private staging = 0;

  /** Opens `name` and `name`.sh and writes the stream flags. Throws WsyncError: 3 for the script, 11 for the batch. */
  constructor(operator: Confined, name: string, flags: BatchFlags, base: ScriptBase) {
    this.operator = operator;
    this.name = name;
    this.base = base;
    this.scriptFd = openNew(operator, `${name}.sh`, 0o700, ExitCode.fileSelect);
    this.fd = openNew(operator, name, 0o600, ExitCode.fileIo);
    const out = new Writer(16);
    writeBatchFlags(out, flags);
    this.write(out.view());
  }

  writeScript(version: number, rules: readonly string[]): void {
    const text = batchScript({ ...this.base, version, rules });
    const { fs } = this.operator;
    const failed = this.put(this.scriptFd, bytesOf(text));
    const closed = fs.close(this.scriptFd);
    this.scriptFd = -1;
    const errno = -Math.min(failed, closed);
    if (errno <= 0) return;
    const reason = `${fs.strerror(errno)} (${errno})`;
    throw new WsyncError(`rsync: [${WHO}] Batch file ${this.name}.sh write error: ${reason}`, ExitCode.fileIo);
  }

  begin(start: BatchStart): void {
    const out = new Writer(16);
    writeBatchStart(out, start);
    this.write(out.view());
  }

  write(bytes: Uint8Array): void {
    const failed = this.put(this.fd, bytes);
    if (failed >= 0) return;
    const reason = `${this.operator.fs.strerror(-failed)} (${-failed})`;
    const what = `safe_write failed to write ${bytes.length} bytes to batch file`;
    throw new WsyncError(`rsync: [${WHO}] ${what}: ${reason}`, ExitCode.streamIo);
  }

  close(): void {
    const { fs } = this.operator;
    if (this.scriptFd >= 0) fs.close(this.scriptFd);
    fs.close(this.fd);
    if (this.staging !== 0) fs.memory.release(this.staging);
  }

  private put(fd: number, bytes: Uint8Array): number {
    const { fs } = this.operator;
    const { memory } = fs;
    if (memory.owns(bytes)) return fs.write(fd, bytes.byteOffset, bytes.length);
    this.staging ||= memory.alloc(STAGING_BYTES);
    for (let at = 0; at < bytes.length; at += STAGING_BYTES) {
      const part = bytes.subarray(at, at + STAGING_BYTES);
      memory.u8.set(part, this.staging);
      const failed = fs.write(fd, this.staging, part.length);
      if (failed < 0) return failed;
    }
    return bytes.length;
  }
}

function openNew(operator: Confined, path: string, mode: number, exitCode: number): number {
  const { O } = operator.fs.constants;
  const fd = operator.openFollowing(path, O.WRONLY | O.CREAT | O.TRUNC, mode);
  if (fd >= 0) return fd;
  throw openError(operator, path, -fd, exitCode);
}

/** The error for a batch file that cannot be opened. */
export function openError(operator: Confined, path: string, errno: number, exitCode: number): WsyncError {
  const { fs } = operator;
  const name = operator.quoted(path);
  const reason = `${fs.strerror(errno)} (${errno})`;
  const text = `rsync: [${WHO}] Batch file ${name} open error: ${reason}`;
  return new WsyncError(text, exitCode).advise(refusalHint(operator));
}
