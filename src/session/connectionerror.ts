/** Errors of the byte stream as rsync tells them. Upstream io.c:perform_io, safe_read, safe_write. */
import { ExitCode, TransportError } from "../errors.ts";

/**
 * A failed read or write with the role that noticed it. `established`: the handshake is over, from where on rsync's
 * exit code for a broken connection is 10 rather than 12. Errors with a code of their own stay as they are.
 */
export function connectionError(error: unknown, what: "read" | "write", role: string, established: boolean): unknown {
  if (!(error instanceof TransportError) || error.exitCode !== ExitCode.streamIo) return error;
  const text = `rsync: [${role}] ${what} error: ${error.message}\n`;
  return new TransportError(text, established ? ExitCode.socketIo : ExitCode.streamIo, { cause: error });
}
