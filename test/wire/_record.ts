/**
 * A recording transport: a TCP relay that writes down both directions of a conversation with a daemon.
 *
 * Start it in front of a server, point a client at its port, and hand the recorded bytes to _dump.ts.
 */
import { connect, createServer, type Socket } from "node:net";

/** One chunk as it passed by. */
export interface Chunk {
  readonly from: "client" | "server";
  /** Offset of the chunk's first byte in its own direction. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A running relay. `chunks` grows while conversations go on, in the order in which the relay saw them. */
export interface Recording {
  readonly port: number;
  readonly chunks: Chunk[];
  stop(): void;
}

/** Relays loopback connections to `targetPort` and records them. Meant for one conversation at a time. */
export function record(targetPort: number): Promise<Recording> {
  const chunks: Chunk[] = [];
  const passed = { client: 0, server: 0 };
  const relay = (from: "client" | "server", source: Socket, sink: Socket): void => {
    source.on("data", (bytes: Buffer) => {
      chunks.push({ from, offset: passed[from], bytes });
      passed[from] += bytes.length;
      sink.write(bytes);
    });
    source.on("end", () => sink.end());
    source.on("error", () => sink.destroy());
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const target = connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true });
    relay("client", client, target);
    relay("server", target, client);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve({ port, chunks, stop: () => void server.close() });
    });
  });
}

/** All bytes of one direction. */
export function direction(chunks: readonly Chunk[], from: Chunk["from"]): Uint8Array {
  return Buffer.concat(chunks.filter((chunk) => chunk.from === from).map((chunk) => chunk.bytes));
}
