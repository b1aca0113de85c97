/** A process of the pool: gets ready, waits for one connection, serves it and ends. */
import { ExitCode, exitCodeOf } from "../errors.ts";
import { bytesOf } from "../memory.ts";
import { LineStream } from "../session/linestream.ts";
import { ReplayStream } from "../session/replaystream.ts";
import { Config } from "./config.ts";
import { prepare, serveConnection, serveModule } from "./connection.ts";
import { type DaemonContext, errorText } from "./context.ts";
import { Deadline } from "./deadline.ts";
import { Environment } from "./expand.ts";
import { type AdmissionHandover, CONTROL_FD, receiveHandover, type WorkerMessage } from "./handover.ts";

/** Serves the one connection that it is given; the exit code is that of the connection. */
export async function runWorker(own: DaemonContext): Promise<number> {
  const context: DaemonContext = { ...own, tell: (message) => tell(own, message) };
  const { platform, sockets, system } = context;
  const { host } = platform;
  if (sockets === null || system === null || host.sockets === null) return ExitCode.ipc;
  system.closeOnExec(CONTROL_FD);
  prepare(context);
  tell(context, { type: "ready" });
  const given = receiveHandover(sockets, CONTROL_FD);
  if (given === null) return 0;
  const { message, fds } = given;
  const inSession = { ...context, log: context.log.forSession(message.session) };
  const onStdio = message.kind === "admission" && message.onStdio;
  const connection = onStdio ? host.stdio() : host.sockets.adopt(fds[0]);
  const stream = message.read === "" ? connection : new ReplayStream(bytesOf(message.read), connection);
  if (message.kind === "visitor") {
    const { address, told, session } = message;
    return serveConnection(context, { stream, address, told, fd: fds[0] }, session);
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
