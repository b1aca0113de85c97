/**
 * What has to be done when a connection's process has ended, however it did: "post-xfer exec". Upstream
 * clientserver.c:rsync_module, the parent of its fork.
 */
import { ExitCode } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { type Sockets } from "../posix/sockets.ts";
import { type Ended, type System } from "../posix/system.ts";
import { type DaemonContext } from "./context.ts";
import { encodeHandover, environmentNames, type Handover, PART_VARIABLE, type WorkerMessage } from "./handover.ts";
import { shellWords } from "./hooks.ts";
import { startWorker } from "./startworker.ts";

const CHUNK_BYTES = 4096;

/** A command to be run afterwards. */
export type AfterCommand = Extract<WorkerMessage, { type: "after" }>;

/** Who hears of what a connection's process tells. */
export interface WorkerListener {
  /** It waits for its first connection. */
  ready?(): void;
  /** A connection has ended with this exit code, and it waits for the next. */
  served?(code: number): void;
  /** It will serve no other connection. */
  sealed?(): void;
}

/** Takes what a connection's process tells, as it comes in pieces. */
export class WorkerMessages {
  /** "post-xfer exec", if there is one. */
  after: AfterCommand | null = null;
  private readonly listener: WorkerListener;
  private rest = "";
  private sealed = false;

  constructor(listener: WorkerListener = {}) {
    this.listener = listener;
  }

  /** Takes a piece. What comes once the process has given up its rights does not count. */
  add(piece: string): void {
    if (this.sealed) return;
    const lines = (this.rest + piece).split("\n");
    this.rest = lines.pop()!;
    for (const line of lines) if (!this.sealed) this.heard(JSON.parse(line) as WorkerMessage);
  }

  private heard(message: WorkerMessage): void {
    const { listener } = this;
    if (message.type === "ready") listener.ready?.();
    else if (message.type === "served") listener.served?.(message.code);
    else if (message.type === "after") this.after = message;
    else {
      this.sealed = true;
      listener.sealed?.();
    }
  }
}

/** Starts the command, if there is one; its process id, or null. */
export function startAfter(
  context: DaemonContext, system: System, after: AfterCommand | null, ended: Ended,
): number | null {
  if (after === null) return null;
  const { host, fs } = context.platform;
  const variables = {
    ...after.variables, RSYNC_RAW_STATUS: String(ended.raw), [PART_VARIABLE]: null,
    RSYNC_EXIT_STATUS: String(ended.code < 0 ? -1 : ended.code),
  };
  const pid = system.spawn({
    argv: shellWords(context, after.command), env: environmentNames(host.environment(), variables),
    fds: { 0: "null", 1: 1, 2: 2 },
  });
  if (pid >= 0) return pid;
  context.log.warning(`post-xfer exec failed: ${fs.strerror(-pid)} (${-pid})`);
  return null;
}

/** What is handed on. */
export interface Apart {
  readonly message: Handover;
  /** The connection's descriptor; null when that is standard input and output. */
  readonly connection: number | null;
  /** The open lock file, -1 for none. It stays open here. */
  readonly lockFd: number;
}

/**
 * Has a further process serve a connection, waits for its end and does what then has to be done. Nothing else happens
 * in this process meanwhile. Returns the exit code.
 */
export function serveApart(
  context: DaemonContext, system: System, sockets: Sockets, { message, connection, lockFd }: Apart,
): number {
  const { fs } = context.platform;
  const stdio = connection === null ? { 0: 0, 1: 1, 2: 2 } : { 0: "null" as const, 1: 1, 2: 2 };
  const worker = startWorker(context, system, sockets, stdio);
  if (worker === null) return ExitCode.ipc;
  const fds = [...(connection === null ? [] : [connection]), ...(lockFd < 0 ? [] : [lockFd])];
  sendAll(context, sockets, worker.socket, encodeHandover(message), fds);
  // The client must not wait for this process's end.
  if (connection === null) system.discard([0, 1]);
  else fs.close(connection);
  const messages = new WorkerMessages();
  for (;;) {
    const part = sockets.receiveDescriptors(worker.socket, CHUNK_BYTES);
    if (part === null) break;
    messages.add(latin1(part.bytes, 0, part.bytes.length));
    for (const fd of part.fds) fs.close(fd);
  }
  const ended = system.waitFor(worker.pid, true)!;
  const command = startAfter(context, system, messages.after, ended);
  if (command !== null) system.waitFor(command, true);
  return ended.code < 0 ? ExitCode.crashed : ended.code;
}

/** Descriptors go with the first bytes. */
function sendAll(
  { platform: { fs } }: DaemonContext, sockets: Sockets, socket: number, bytes: Uint8Array, fds: readonly number[],
): void {
  const sent = Math.max(0, sockets.sendDescriptors(socket, bytes, fds));
  if (sent === bytes.length) return;
  const rest = bytes.length - sent;
  const ptr = fs.memory.alloc(rest);
  fs.memory.u8.set(bytes.subarray(sent), ptr);
  fs.write(socket, ptr, rest);
  fs.memory.release(ptr);
}
