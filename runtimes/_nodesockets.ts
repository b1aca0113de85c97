/** Sockets by descriptor on Node.js. */
import type { Socket } from "node:net";
import { type DescriptorStream, type HostSockets } from "../src/host.ts";
import { require } from "./_nodelike.ts";
import { SocketReader, SocketStream } from "./_socket.ts";

/** Loaded when it is used, which is rarely and takes time. */
const net = (): typeof import("node:net") => require("node:net");

/** See DescriptorStream. */
class NodeDescriptorStream extends SocketStream implements DescriptorStream {
  readonly fd: number;

  constructor(fd: number, reader: SocketReader, socket: Socket, events: boolean) {
    super(reader, socket, socket, events);
    this.fd = fd;
    socket.setNoDelay(true);
  }
}

export const nodeSockets: HostSockets = {
  adopt(fd) {
    const reader = new SocketReader();
    const options = { fd, readable: true, writable: true, allowHalfOpen: true, onread: reader.onread };
    return new NodeDescriptorStream(fd, reader, new (net().Socket)(options as never), false);
  },
  accept(fd, handler) {
    const server = net().createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      const own = (socket as unknown as { _handle: { fd: number } })._handle.fd;
      handler(new NodeDescriptorStream(own, new SocketReader(), socket, true));
    });
    // One connection that cannot be accepted (no descriptors left) is no reason to stop.
    server.on("error", () => undefined);
    server.listen({ fd });
    return () => void server.close();
  },
};
