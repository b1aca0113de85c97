/**
 * The error family and its exit codes.
 *
 * Code throws one of these classes; `exitCodeOf` is the one function that maps them to rsync's exit codes, and only
 * the command line exits. Invariant: bytes from a peer can cause nothing but a ProtocolError or a TransportError.
 * Source of the numbers: upstream errcode.h and rsync(1), EXIT VALUES.
 */

/** rsync's exit codes by name. */
export const ExitCode = {
  ok: 0,
  syntax: 1,
  protocol: 2,
  fileSelect: 3,
  unsupported: 4,
  startClient: 5,
  logFile: 6,
  socketIo: 10,
  fileIo: 11,
  streamIo: 12,
  messageIo: 13,
  ipc: 14,
  crashed: 15,
  terminated: 16,
  signal1: 19,
  signal: 20,
  waitChild: 21,
  malloc: 22,
  partial: 23,
  vanished: 24,
  deleteLimit: 25,
  timeout: 30,
  connectTimeout: 35,
  commandFailed: 124,
  commandKilled: 125,
  commandRun: 126,
  commandNotFound: 127,
} as const;

/** Base of every error thrown on purpose. `exitCode` is what the process ends with if the error ends the run. */
export class WsyncError extends Error {
  /** Written out in each class: a bundler may rename classes. */
  override name = "WsyncError";
  readonly exitCode: number;
  /** A further line for the user, "" for none: advice in our own words. */
  hint = "";
  /** The role that the last line of output names, once it is clear; null: the client that is starting up. */
  who: "sender" | "Receiver" | "server" | null = null;
  /** The user has been told of it. */
  told = false;
  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }

  /** Adds advice and returns the error. */
  advise(hint: string): this {
    this.hint = hint;
    return this;
  }
}

/** The command line (or a library caller's options) is wrong. Exit code 1 unless told otherwise (3, 4, 5, 6). */
export class UsageError extends WsyncError {
  override name = "UsageError";
  constructor(message: string, exitCode: number = ExitCode.syntax) {
    super(message, exitCode);
  }
}

/** The peer broke the protocol. `label` is the wire label of src/protocol/README.md; `offset` the stream offset. */
export class ProtocolError extends WsyncError {
  override name = "ProtocolError";
  readonly label: string;
  offset: number;
  constructor(label: string, message: string, exitCode: number = ExitCode.protocol, offset = -1) {
    super(message, exitCode);
    this.label = label;
    this.offset = offset;
  }
}

/** The connection failed, closed early or timed out. Exit code 10, 12, 30 or 35. */
export class TransportError extends WsyncError {
  override name = "TransportError";
  constructor(message: string, exitCode: number = ExitCode.streamIo, options?: ErrorOptions) {
    super(message, exitCode, options);
  }
}

/** One file failed. It is reported and counted (exit 23, or 24 for a vanished one); it never ends the stream. */
export class FileError extends WsyncError {
  override name = "FileError";
  readonly path: string;
  readonly errno: number;
  constructor(message: string, path: string, errno: number, exitCode: number = ExitCode.partial) {
    super(message, exitCode);
    this.path = path;
    this.errno = errno;
  }
}

/**
 * The run came to its end, but not everything could be done. Exit code 23, 24 for files that vanished meanwhile, 25
 * when --max-delete stopped deletions.
 */
export class PartialError extends WsyncError {
  override name = "PartialError";
  /** What failed, as far as it is about files. It is read off the lines that were told, of either side. */
  readonly failures: readonly FileError[];
  /** The first of them, "" when there is none. */
  readonly path: string;
  constructor(message: string, exitCode: number, failures: readonly FileError[]) {
    super(message, exitCode);
    this.failures = failures;
    this.path = failures[0]?.path ?? "";
  }
}

/** A limit set by the user or by policy was reached: --max-delete (25), --max-alloc (22). */
export class LimitError extends WsyncError {
  override name = "LimitError";
}

/** The peer asked this side to exit with a code (MSG_ERROR_EXIT), after it has printed its own message. */
export class RemoteExit extends WsyncError {
  override name = "RemoteExit";
  constructor(exitCode: number) {
    super("", exitCode);
  }
}

/** We misused our own code: a bug in wsync, never the peer's fault. */
export class InternalError extends WsyncError {
  override name = "InternalError";
  constructor(message: string) {
    super(message, ExitCode.ipc);
  }
}

/** The exit code that an error which ended the run stands for. */
export function exitCodeOf(error: unknown): number {
  return error instanceof WsyncError ? error.exitCode : ExitCode.crashed;
}
