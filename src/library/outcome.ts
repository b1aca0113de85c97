/** What became of a run, gathered from its events: the result of `sync`, or the error it fails with. */
import { ExitCode, FileError, PartialError, RemoteExit, TransportError, WsyncError } from "../errors.ts";
import { bytesOf } from "../memory.ts";
import { type RunEvent, type SummaryEvent } from "../output/events.ts";
import { type SyncResult } from "./sync.ts";

/** Failures that are kept, and lines. */
const MOST = 1000;

/** `rsync: [sender] send_files failed to open "/path": Permission denied (13)`, the one form of such lines. */
const FAILURE = /^(?:rsync: )?(?:\[\w+\] )?.*?"(.+)"(?: \(in [^)]*\))?(?: [^":]*)?: .* \((\d+)\)$/;
/** `file has vanished: "/path"`. */
const VANISHED = /^file has vanished: "?(.+?)"?$/;

/** Listens to a run and says at the end how it went. */
export class Outcome {
  private readonly failures: FileError[] = [];
  private readonly lines: string[] = [];
  private summary: SummaryEvent | null = null;
  private fatal: unknown = null;

  event(event: RunEvent): void {
    if (event.type === "error") this.note(event.text);
    if (event.type === "summary") this.summary = event;
  }

  /** The error that ended the run. */
  failure(error: unknown): void {
    this.fatal ??= error;
  }

  /** The result of a run with this exit code. Throws WsyncError unless it is 0. */
  result(exitCode: number): SyncResult {
    if (exitCode !== 0) throw this.errorOf(exitCode);
    const { dryRun = false, protocol = null, sentBytes, receivedBytes, elapsedSeconds = 0, stats = null }
      = this.summary ?? {};
    return {
      dryRun, protocol, sentBytes: sentBytes ?? 0, receivedBytes: receivedBytes ?? 0, elapsedSeconds, stats,
    };
  }

  /** An error thrown during the run, with what was said before it where it says nothing itself. */
  error(error: unknown): unknown {
    if (error instanceof WsyncError && error.message === "") error.message = this.said();
    return error;
  }

  private note(text: string): void {
    if (this.lines.length < MOST) this.lines.push(text);
    if (this.failures.length >= MOST) return;
    const vanished = VANISHED.exec(text);
    if (vanished !== null) {
      this.failures.push(new FileError(readableText(text), readableText(vanished[1]), 2, ExitCode.vanished));
      return;
    }
    const found = FAILURE.exec(text);
    if (found !== null) this.failures.push(new FileError(readableText(text), readableText(found[1]), Number(found[2])));
  }

  private errorOf(exitCode: number): WsyncError {
    const partial: readonly number[] = [ExitCode.partial, ExitCode.vanished, ExitCode.deleteLimit];
    if (partial.includes(exitCode)) return new PartialError(this.said(), exitCode, this.failures);
    const { fatal } = this;
    if (fatal instanceof WsyncError && !(fatal instanceof RemoteExit) && fatal.exitCode === exitCode) {
      if (fatal.message === "") fatal.message = this.said();
      return fatal;
    }
    return new TransportError(this.said() || `the run ended with exit code ${exitCode}`, exitCode, { cause: fatal });
  }

  private said(): string {
    return readableText(this.lines.join("\n"));
  }
}

/** A line of names as text. */
function readableText(text: string): string {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return text;
  return new TextDecoder().decode(bytesOf(text));
}
