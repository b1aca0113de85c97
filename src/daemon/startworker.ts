/** Starting a process that serves one connection. */
import { type Start, type System } from "../posix/system.ts";
import { type Sockets } from "../posix/sockets.ts";
import { type DaemonContext } from "./context.ts";
import { CONTROL_FD, environmentNames, PART_VARIABLE } from "./handover.ts";
import { SERVICE_VARIABLES } from "./systemd.ts";

/**
 * Starts this program again, as one that waits for a connection on its control socket. Returns its process id and this
 * side of the socket; null, with the reason logged, when that cannot be done.
 */
export function startWorker(
  context: DaemonContext, system: System, sockets: Sockets, stdio: Start["fds"],
): { readonly pid: number; readonly socket: number } | null {
  const { host, fs } = context.platform;
  const pair = sockets.pair();
  if (pair === null) return null;
  const pid = system.spawn({
    argv: [...host.self, ...host.argv],
    env: environmentNames(host.environment(), { ...SERVICE_VARIABLES, [PART_VARIABLE]: "worker" }),
    fds: { ...stdio, [CONTROL_FD]: pair[1] },
  });
  fs.close(pair[1]);
  if (pid >= 0) return { pid, socket: pair[0] };
  context.log.warning(`could not create child server process: ${fs.strerror(-pid)} (${-pid})`);
  fs.close(pair[0]);
  return null;
}
