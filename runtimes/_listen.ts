/** Listening sockets of the library's `serve`, through node:net, which all three runtimes have. */
import type { Server } from "node:net";
import { type Listen } from "../src/binding.ts";
import { ExitCode, TransportError } from "../src/errors.ts";
import { SocketReader, SocketStream } from "./_socket.ts";

/** IPv4 in IPv6's clothes. */
const MAPPED = /^::ffff:(?=\d+\.)/i;

/** See Listen. Rejects with TransportError (10). */
export const listen: Listen = async ({ host, port }, take) => {
  const { createServer } = await import("node:net");
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
    const address = socket.remoteAddress?.replace(MAPPED, "");
    // Without an address it is gone already.
    if (address === undefined) socket.destroy();
    else take(new SocketStream(new SocketReader(), socket, socket, true), address);
  });
  await started(server, host, port);
  const bound = server.address();
  return { port: typeof bound === "object" && bound !== null ? bound.port : port, close: () => void server.close() };
};

function started(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const text = `cannot listen on ${host} port ${port}: ${error.message}`;
      reject(new TransportError(text, ExitCode.socketIo, { cause: error }));
    };
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.off("error", fail);
      // One connection that cannot be accepted (no descriptors left) is no reason to stop.
      server.on("error", () => undefined);
      resolve();
    });
  });
}
