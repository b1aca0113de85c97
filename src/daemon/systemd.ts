/** Sockets that a service manager has opened for the daemon, and telling it how things are: sd_listen_fds(3),
 *  sd_notify(3). */
import { type DaemonContext } from "./context.ts";

const FIRST_FD = 3;
/** Variables that are for this process alone. */
export const SERVICE_VARIABLES: Readonly<Record<string, null>> = {
  LISTEN_PID: null, LISTEN_FDS: null, LISTEN_FDNAMES: null, NOTIFY_SOCKET: null,
};

/** The descriptors that were passed to this process; empty when none were. */
export function passedSockets({ platform: { host }, sockets, system }: DaemonContext): number[] {
  const count = host.env("LISTEN_PID") === String(host.pid) ? Number(host.env("LISTEN_FDS") ?? 0) : 0;
  const fds = Array.from({ length: count > 0 && count < 1024 ? count : 0 }, (_, i) => FIRST_FD + i);
  for (const fd of fds) system?.closeOnExec(fd);
  return fds.filter((fd) => sockets?.isSocket(fd));
}

/** Tells the service manager, if there is one; lines are NAME=VALUE. */
export function tellService({ platform: { host, fs }, sockets }: DaemonContext, lines: readonly string[]): void {
  const path = host.env("NOTIFY_SOCKET");
  if (path === undefined || sockets === null) return;
  const socket = sockets.connectLocal(path, "dgram");
  if (socket < 0) return;
  const bytes = new TextEncoder().encode(lines.join("\n"));
  const ptr = fs.memory.alloc(bytes.length);
  fs.memory.u8.set(bytes, ptr);
  sockets.send(socket, ptr, bytes.length);
  fs.memory.release(ptr);
  fs.close(socket);
}
