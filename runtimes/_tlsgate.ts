/**
 * A gate in front of a TLS engine that takes whatever arrives, whether or not anybody reads on (Deno's): bytes pass
 * only while they are asked for, so that a fast peer waits instead of filling the memory.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** A connection behind a gate. */
export interface Gate {
  /** The connection, for the TLS engine. */
  readonly duplex: Duplex;
  /** From now on `socket` (the one with TLS) opens the gate when it flows, and closes it when it pauses. */
  follow(socket: Pick<Socket, "pause" | "resume">): void;
}

/** Puts a gate, open for the handshake, over a connection that nobody reads from. */
export function gateOver(stream: typeof import("node:stream"), raw: Socket): Gate {
  let open = true;
  const duplex: Duplex = new stream.Duplex({
    allowHalfOpen: true,
    read: () => {
      if (open) raw.resume();
    },
    write: (chunk: Uint8Array, _, done) => void raw.write(chunk, done),
    final: (done) => void raw.end(done),
    destroy: (error, done) => {
      raw.destroy();
      done(error);
    },
  });
  raw.on("data", (chunk: Uint8Array) => {
    if (!open) raw.pause();
    duplex.push(chunk);
  });
  raw.on("end", () => duplex.push(null));
  raw.on("error", (error) => duplex.destroy(error));
  raw.on("close", () => duplex.destroy());
  return {
    duplex,
    follow(socket) {
      const { pause, resume } = socket;
      open = false;
      raw.pause();
      Object.assign(socket, {
        pause(this: Socket) {
          open = false;
          raw.pause();
          return pause.call(this);
        },
        resume(this: Socket) {
          open = true;
          raw.resume();
          return resume.call(this);
        },
      });
    },
  };
}
