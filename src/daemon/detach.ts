/**
 * Going into the background: a process of a session of its own listens, and the one that was started ends as soon as
 * that does, or with what keeps it from listening. Upstream clientserver.c:become_daemon.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { type DaemonContext } from "./context.ts";
import { environmentNames, PART_VARIABLE } from "./handover.ts";

/** Where the process in the background tells that it listens. */
const READY_FD = 3;
const READY = "\0";
const CHUNK_BYTES = 4096;

/** Starts the process in the background and returns the exit code. */
export function goIntoBackground(context: DaemonContext): number {
  const { system, platform } = context;
  const { host, fs } = platform;
  const pipe = system?.pipe() ?? null;
  if (system === null || pipe === null) {
    throw new WsyncError(`rsync: cannot go into the background: ${host.ffiMissing}`, ExitCode.unsupported);
  }
  const pid = system.spawn({
    argv: [...host.self, ...host.argv], newSession: true,
    env: environmentNames(host.environment(), { [PART_VARIABLE]: "background" }),
    fds: { 0: "null", 1: "null", 2: pipe.write, [READY_FD]: pipe.write },
  });
  fs.close(pipe.write);
  if (pid < 0) throw new WsyncError(`failed to fork: ${fs.strerror(-pid)}`, ExitCode.fileIo);
  const told = readUntilReady(context, pipe.read);
  if (told.endsWith(READY)) return 0;
  host.print(2, new TextEncoder().encode(told));
  const { code } = system.waitFor(pid, true)!;
  return code > 0 ? code : ExitCode.crashed;
}

/** What the process says until it is ready, or until it has ended. */
function readUntilReady({ platform: { fs } }: DaemonContext, fd: number): string {
  const ptr = fs.memory.alloc(CHUNK_BYTES);
  let told = "";
  for (let count = 1; count > 0 && !told.endsWith(READY); ) {
    count = fs.read(fd, ptr, CHUNK_BYTES);
    if (count > 0) told += fs.memory.readLatin1(ptr, count);
  }
  fs.memory.release(ptr);
  fs.close(fd);
  return told;
}

/** In the background: from now on there is nobody to tell of errors. */
export function announceReady({ platform: { fs }, system }: DaemonContext): void {
  const ptr = fs.memory.alloc(1);
  fs.memory.writeLatin1(ptr, READY);
  fs.write(READY_FD, ptr, 1);
  fs.memory.release(ptr);
  fs.close(READY_FD);
  system?.discard([2]);
}
