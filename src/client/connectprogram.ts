/**
 * The program that RSYNC_CONNECT_PROG names, in place of a connection to a daemon. Upstream socket.c:sock_exec.
 *
 * It gets a TCP connection of this machine as its standard input and output, so that a daemon run that way sees where
 * its client is. Where such a pair cannot be made it gets what the host gives a program it starts.
 */
import { ExitCode, TransportError } from "../errors.ts";
import { type ByteStream, type Host } from "../host.ts";
import { type LinearMemory, nameOfText } from "../memory.ts";
import { Sockets } from "../posix/sockets.ts";
import { System } from "../posix/system.ts";

/** A program that ends is asked for its status again and again, at first and at last after so long, milliseconds. */
const FIRST_REAP_MS = 50;
const LAST_REAP_MS = 2000;

/** Starts a shell command; the stream to it. */
export function runConnectProgram(host: Host, memory: LinearMemory | null, command: string): ByteStream {
  const argv = ["sh", "-c", command];
  return overTcp(host, memory, argv) ?? host.spawn({ argv, stderr: "inherit", socket: true }).stream;
}

function overTcp(host: Host, memory: LinearMemory | null, argv: readonly string[]): ByteStream | null {
  if (host.sockets === null || memory === null) return null;
  const sockets = Sockets.open(host, memory);
  const system = System.open(host, memory);
  const pair = sockets?.tcpPair() ?? null;
  if (pair === null || system === null) return null;
  const [ours, its] = pair;
  const env = Object.entries(host.environment()).map(([name, value]) => nameOfText(`${name}=${value}`));
  const pid = system.spawn({ argv, env, fds: { 0: its, 1: its, 2: 2 } });
  system.close(its);
  if (pid < 0) {
    system.close(ours);
    throw new TransportError(`cannot start a shell for RSYNC_CONNECT_PROG (errno ${-pid})`, ExitCode.socketIo);
  }
  reap(host, system, pid, FIRST_REAP_MS);
  return host.sockets.adopt(ours);
}

/** Takes the program's status when it has ended, so that no zombie stays in a process that goes on. */
function reap(host: Host, system: System, pid: number, pause: number): void {
  if (system.waitFor(pid, false) !== null) return;
  host.timer?.(pause, () => reap(host, system, pid, Math.min(pause * 2, LAST_REAP_MS)));
}
