/**
 * A process of the pool: gets ready, waits for a connection and serves it. One that has changed in no way by that waits
 * for another, up to a number of them; every other one ends.
 */
import { ExitCode, exitCodeOf } from "../errors.ts";
import { openScope } from "../conversation/scope.ts";
import { Confined } from "../files/confine.ts";
import { bytesOf } from "../memory.ts";
import { newStat } from "../posix/filesystem.ts";
import { AcknowledgedStream } from "../session/acknowledgedstream.ts";
import { LineStream } from "../session/linestream.ts";
import { type DirectOutput } from "../session/output.ts";
import { ReplayStream } from "../session/replaystream.ts";
import { Config } from "./config.ts";
import { prepare, serveConnection, serveModule } from "./connection.ts";
import { type DaemonContext, errorText } from "./context.ts";
import { Deadline } from "./deadline.ts";
import { Environment } from "./expand.ts";
import { type AdmissionHandover, CONTROL_FD, receiveHandover, type WorkerMessage } from "./handover.ts";
import { processState } from "./processstate.ts";

/** Connections that one process serves at most: whatever they leave behind after all has an end. */
const MOST_CONNECTIONS = 100;
/** Memory that a process may have gained by its connections, bytes; linear memory does not shrink. */
const MOST_GAINED_BYTES = 64 * 1024 * 1024;
/** How often, and how long each time, a client is waited for that is slower than this process. */
const DIRECT_WAITS = 4;
const DIRECT_WAIT_MS = 10;
/** A runtime closes a descriptor some turns after it was asked to: how often to look, a millisecond or so apart. */
const LOOKS = 50;

type Given = NonNullable<ReturnType<typeof receiveHandover>>;

/** Serves the connections that it is given, one after the other; the exit code is that of the last. */
export async function runWorker(own: DaemonContext): Promise<number> {
  const { platform: { fs, host }, sockets, system } = own;
  if (sockets === null || system === null || host.sockets === null) return ExitCode.ipc;
  system.closeOnExec(CONTROL_FD);
  prepare(own);
  const state = processState(fs);
  const { residentBytes } = host.memoryUsage();
  tell(own, { type: "ready" });
  for (let count = 1; ; count++) {
    const given = receiveHandover(sockets, CONTROL_FD);
    if (given === null) return 0;
    const { code, sealed } = await serveGiven(own, given);
    if (sealed || code !== 0 || state === null || count === MOST_CONNECTIONS) return code;
    if (host.memoryUsage().residentBytes > residentBytes + MOST_GAINED_BYTES) return code;
    if (processState(fs) !== state) return code;
    tell(own, { type: "served", code });
  }
}

/** Waits until the runtime has closed a descriptor; false when it does not. */
async function untilClosed({ platform: { fs, host } }: DaemonContext, fd: number): Promise<boolean> {
  const stat = newStat();
  for (let look = 0; look < LOOKS; look++) {
    if (fs.fstat(fd, stat) < 0) return true;
    await host.sleep(0);
  }
  return false;
}

/** Serves a connection. `sealed`: the process has become another by it, or is somebody else's from the start. */
async function serveGiven(
  own: DaemonContext, { message, fds }: Given,
): Promise<{ readonly code: number; readonly sealed: boolean }> {
  let sealed = message.kind === "visitor" || message.onStdio;
  const scope = openScope(own.platform, "in memory");
  const { platform } = scope;
  const { host, fs } = platform;
  const context: DaemonContext = {
    ...own, platform, operator: new Confined(fs, fs.constants.AT.FDCWD, host.cwd(), { links: "trusted" }),
    tell: (told) => {
      sealed ||= told.type === "sealed";
      tell(own, told);
    },
  };
  const code = await serveStream(context, { message, fds });
  if (sealed || code !== 0) return { code, sealed };
  own.log.close();
  // The runtime may write to the connection's buffers until then.
  const closed = await untilClosed(own, fds[0]);
  if (closed) scope.release();
  return { code, sealed: !closed };
}

async function serveStream(context: DaemonContext, { message, fds }: Given): Promise<number> {
  const { host } = context.platform;
  const onStdio = message.kind === "admission" && message.onStdio;
  const inSession = {
    ...context, log: context.log.forSession(message.session), direct: onStdio ? null : directOutput(context, fds[0]),
  };
  const connection = onStdio
    ? host.stdio()
    : new AcknowledgedStream(host.sockets!.adopt(fds[0]), () => context.sockets!.acknowledge(fds[0]));
  const stream = message.read === "" ? connection : new ReplayStream(bytesOf(message.read), connection);
  if (message.kind === "visitor") {
    const { address, told, session } = message;
    return serveConnection({ ...context, direct: inSession.direct }, { stream, address, told, fd: fds[0] }, session);
  }
  try {
    return await admitted(inSession, message, new LineStream(stream), fds[onStdio ? 0 : 1] ?? -1);
  } catch (error) {
    inSession.log.warning(errorText(error));
    return exitCodeOf(error);
  } finally {
    stream.destroy();
  }
}

/**
 * Sends to the connection without the runtime's event loop, for which there is nothing to do meanwhile: it gets its
 * turn as often as while a file is read.
 */
function directOutput({ sockets }: DaemonContext, fd: number): DirectOutput {
  return { send: (ptr, byteLength) => sockets!.sendWithin(fd, ptr, byteLength, DIRECT_WAITS, DIRECT_WAIT_MS) };
}

async function admitted(
  context: DaemonContext, message: AdmissionHandover, stream: LineStream, lockFd: number,
): Promise<number> {
  const { host } = context.platform;
  const env = new Environment((name) => host.env(name));
  for (const [name, value] of Object.entries(message.variables)) env.set(name, value);
  const config = new Config(message.config, env);
  context.log.useConfig(config);
  const { version, address, name, user, readOnly } = message;
  const admission = {
    module: config.modules[message.module], version, address, name, user, readOnly,
    earlyInput: bytesOf(message.earlyInput), lockFd,
  };
  try {
    return await serveModule(context, config, admission, stream, new Deadline(host, stream));
  } finally {
    // A client that comes back at once finds its slot free, although this process takes some time to end.
    if (lockFd >= 0) context.platform.fs.close(lockFd);
  }
}

/** Tells the listening process something. */
function tell({ platform }: DaemonContext, message: WorkerMessage): void {
  const { fs } = platform;
  const text = `${JSON.stringify(message)}\n`;
  const ptr = fs.memory.alloc(text.length);
  fs.memory.writeLatin1(ptr, text);
  fs.write(CONTROL_FD, ptr, text.length);
  fs.memory.release(ptr);
}
