/**
 * wsync --daemon: finds out how it was started and serves accordingly. Upstream clientserver.c:daemon_main,
 * main.c:main.
 */
import { type Platform } from "../conversation/conversation.ts";
import { ExitCode, UsageError, WsyncError } from "../errors.ts";
import { type Options } from "../options/options.ts";
import { type ParseContext } from "../options/parse.ts";
import { shellAddress, socketAddress } from "./clientname.ts";
import { unknownDparam } from "./config.ts";
import { serveConnection } from "./connection.ts";
import { daemonContext } from "./context.ts";
import { runListener } from "./listen.ts";
import { PART_VARIABLE } from "./handover.ts";
import { runWorker } from "./worker.ts";

/** Runs a daemon by its own command line; returns the exit code. Throws WsyncError for what is wrong with that. */
export async function runDaemon(platform: Platform, options: Options, parseContext: ParseContext): Promise<number> {
  const unknown = unknownDparam(options.dparams);
  if (unknown !== null) throw new UsageError(`Unknown parameter "${unknown}"`);
  const viaShell = options.server;
  const context = daemonContext(platform, options, parseContext, viaShell);
  const { sockets } = context;
  const isSocket = sockets?.isSocket(0) ?? false;
  if (platform.host.env(PART_VARIABLE) === "worker") return runWorker(context);
  if (!viaShell && !isSocket) return runListener(context);
  const told = viaShell ? shellAddress((name) => platform.host.env(name)) : null;
  const address = told ?? socketAddress(sockets, 0);
  if (address === "") throw new WsyncError("rsync: standard input is not a socket", ExitCode.socketIo);
  return serveConnection(context, { stream: platform.host.stdio(), address });
}
