/** rsync's lines about errors: scripts read them, so wording and layout are upstream's. Upstream: log.c. */
import { ExitCode } from "../errors.ts";
import { WSYNC_VERSION } from "../options/version.ts";

const CODE_NAMES: Readonly<Record<number, string>> = {
  [ExitCode.syntax]: "syntax or usage error",
  [ExitCode.protocol]: "protocol incompatibility",
  [ExitCode.fileSelect]: "errors selecting input/output files, dirs",
  [ExitCode.unsupported]: "requested action not supported",
  [ExitCode.startClient]: "error starting client-server protocol",
  [ExitCode.socketIo]: "error in socket IO",
  [ExitCode.fileIo]: "error in file IO",
  [ExitCode.streamIo]: "error in rsync protocol data stream",
  [ExitCode.messageIo]: "errors with program diagnostics",
  [ExitCode.ipc]: "error in IPC code",
  [ExitCode.crashed]: "sibling process crashed",
  [ExitCode.terminated]: "sibling process terminated abnormally",
  [ExitCode.signal1]: "received SIGUSR1",
  [ExitCode.signal]: "received SIGINT, SIGTERM, or SIGHUP",
  [ExitCode.waitChild]: "waitpid() failed",
  [ExitCode.malloc]: "error allocating core memory buffers",
  [ExitCode.partial]: "some files/attrs were not transferred (see previous errors)",
  [ExitCode.vanished]: "some files vanished before they could be transferred",
  [ExitCode.deleteLimit]: "the --max-delete limit stopped deletions",
  [ExitCode.timeout]: "timeout in data send/receive",
  [ExitCode.connectTimeout]: "timeout waiting for daemon connection",
  [ExitCode.commandFailed]: "remote shell failed",
  [ExitCode.commandKilled]: "remote shell killed",
  [ExitCode.commandRun]: "remote command could not be run",
  [ExitCode.commandNotFound]: "remote command not found",
};

/** Who speaks, as rsync names itself in messages (upstream rsync.c:who_am_i). */
export type RoleName = "client" | "server" | "Client" | "Server" | "sender" | "receiver" | "generator" | "Receiver";

/** What an exit code means. */
export function exitCodeName(code: number): string {
  return CODE_NAMES[code] ?? "unexplained error";
}

/**
 * The last line of a failed run: "rsync error: ... (code 12) at io.ts(228) [sender=0.1.0]" and its line end. `place`
 * is where the error was noticed, "FILE(LINE)". Vanished files (24) are a warning.
 */
export function exitLine(code: number, place: string, role: RoleName, version: string = WSYNC_VERSION): string {
  const kind = code === ExitCode.vanished ? "warning" : "error";
  return `rsync ${kind}: ${exitCodeName(code)} (code ${code}) at ${place} [${role}=${version}]\n`;
}

/** The last line of a run in a log, and its end. Upstream log.c:log_exit. */
export function totalsLine(sent: number, received: number, totalSize: number): string {
  return `sent ${sent} bytes  received ${received} bytes  total size ${totalSize}\n`;
}

/** A failed system call: "rsync: [sender] TEXT: Permission denied (13)" and its line end. */
export function systemErrorLine(role: RoleName, text: string, reason: string, errno: number): string {
  return `rsync: [${role}] ${text}: ${reason} (${errno})\n`;
}
