/**
 * wsync --daemon: finds out how it was started and serves accordingly. Upstream clientserver.c:daemon_main,
 * main.c:main.
 */
import { type Platform } from "../conversation/conversation.ts";
import { ExitCode, UsageError, WsyncError } from "../errors.ts";
import { type Options } from "../options/options.ts";
import { type ParseContext } from "../options/parse.ts";
import { checkConfig } from "./checkconfig.ts";
import { shellAddress, socketAddress } from "./clientname.ts";
import { unknownDparam } from "./config.ts";
import { serveConnection } from "./connection.ts";
import { type DaemonContext, daemonContext } from "./context.ts";
import { goIntoBackground } from "./detach.ts";
import { runListener } from "./listen.ts";
import { PART_VARIABLE } from "./handover.ts";
import { passedSockets } from "./systemd.ts";
import { runWorker } from "./worker.ts";

/** Runs a daemon by its own command line; returns the exit code. Throws WsyncError for what is wrong with that. */
export async function runDaemon(platform: Platform, options: Options, parseContext: ParseContext): Promise<number> {
  const unknown = unknownDparam(options.dparams);
  if (unknown !== null) throw new UsageError(`Unknown parameter "${unknown}"`);
  const context = daemonContext(platform, options, parseContext, options.server);
  const { host } = platform;
  if (options.checkConfig) return checkConfig(context);
  const part = host.env(PART_VARIABLE);
  if (part === "worker") return runWorker(context);
  if (context.viaShell) return overShell(context);
  const passed = passedSockets(context);
  const connected = connectedSocket(context, passed);
  if (connected !== null) return overSocket(context, connected);
  const background = part === "background";
  if (!background && !options.noDetach && passed.length === 0) return goIntoBackground(context);
  return runListener(context, passed, background);
}

function overShell(context: DaemonContext): Promise<number> {
  const { platform: { host }, sockets } = context;
  const address = shellAddress((name) => host.env(name)) ?? socketAddress(sockets, 0);
  if (address === "") throw new WsyncError("rsync: standard input is not a socket", ExitCode.socketIo);
  return serveConnection(context, { stream: host.stdio(), address, fd: null, told: false });
}

/** The socket of the one connection that an internet superserver has started this process for; null without. */
function connectedSocket({ sockets, system }: DaemonContext, passed: readonly number[]): number | null {
  if (sockets === null || system === null) return null;
  if (passed.length === 1 && !sockets.isListening(passed[0])) return passed[0];
  if (!sockets.isSocket(0)) return null;
  const fd = system.duplicate(0);
  // Nothing is printed on the connection by mistake.
  system.discard([0, 1, 2]);
  return fd;
}

async function overSocket(context: DaemonContext, fd: number): Promise<number> {
  const address = socketAddress(context.sockets, fd);
  const { sockets } = context.platform.host;
  if (address === "" || sockets === null) throw new WsyncError("rsync: cannot use the socket", ExitCode.socketIo);
  return serveConnection(context, { stream: sockets.adopt(fd), address, fd, told: false });
}
