/**
 * A connection to a daemon's WebSocket door ("websocket port"), for browsers and for any runtime with WebSockets: what
 * `sync`'s `connect` may give back.
 */
import { type Duplex, TransportError } from "../src/index.ts";

/** The subprotocol that the door speaks. */
const PROTOCOL = "rsync";
const TEXT = "text came over a WebSocket that carries bytes";
/** Bytes given to a WebSocket that it has not sent; with more, a write waits. */
const ROOM_BYTES = 1 << 20;
/** How often a full WebSocket is looked at: it does not tell when it has room again. Milliseconds. */
const ROOM_MS = 5;

/** The newer interface, which does not take more from the network than is read. Chromium has it. */
interface StreamSocket {
  readonly opened: Promise<{ readonly readable: ReadableStream<unknown>; readonly writable: WritableStream<unknown> }>;
  readonly closed: Promise<{ readonly closeCode?: number }>;
}
type StreamSocketClass = new (url: string, options: { protocols: string[]; signal?: AbortSignal }) => StreamSocket;

/**
 * Opens a WebSocket to `url` (ws:// or wss://). Rejects with TransportError (exit code 10) when there is none. Without
 * `WebSocketStream`, what arrives is held in memory until it is read.
 */
export async function connectWebSocket(url: string): Promise<Duplex> {
  const { WebSocketStream } = globalThis as unknown as { WebSocketStream?: StreamSocketClass };
  try {
    return WebSocketStream === undefined ? await plainSocket(url) : await streamSocket(new WebSocketStream(url, {
      protocols: [PROTOCOL],
    }));
  } catch (error) {
    const reason = error instanceof Error && error.message !== "" ? `: ${error.message}` : "";
    throw new TransportError(`no WebSocket to ${url}${reason}`, 10, { cause: error });
  }
}

async function streamSocket(socket: StreamSocket): Promise<Duplex> {
  // The readable side tells of a bad end, too.
  socket.closed.catch(() => {});
  const { readable, writable } = await socket.opened;
  return {
    readable: readable.pipeThrough(new TransformStream<unknown, Uint8Array>({
      transform: (chunk, controller) => controller.enqueue(bytesOf(chunk)),
    })),
    writable: writable as WritableStream<Uint8Array>,
  };
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TransportError(TEXT);
}

function plainSocket(url: string): Promise<Duplex> {
  const socket = new WebSocket(url, PROTOCOL);
  socket.binaryType = "arraybuffer";
  // What comes after the reader has gone is nobody's.
  let wanted = true;
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const fail = (error: unknown): void => {
        wanted = false;
        controller.error(error);
      };
      socket.addEventListener("message", ({ data }) => {
        if (!wanted) return;
        if (data instanceof ArrayBuffer) controller.enqueue(new Uint8Array(data));
        else fail(new TransportError(TEXT));
      });
      socket.addEventListener("close", ({ wasClean, code }) => {
        if (!wanted) return;
        if (!wasClean) return fail(new TransportError(`the WebSocket broke (${code})`));
        wanted = false;
        controller.close();
      });
    },
    cancel: () => {
      wanted = false;
      socket.close();
    },
  });
  const writable = new WritableStream<Uint8Array>({
    write: async (chunk) => {
      if (socket.readyState !== WebSocket.OPEN) throw new TransportError("the WebSocket is closed");
      socket.send(chunk as Uint8Array<ArrayBuffer>);
      while (socket.bufferedAmount > ROOM_BYTES && socket.readyState === WebSocket.OPEN) {
        await new Promise((resolve) => setTimeout(resolve, ROOM_MS));
      }
    },
    close: () => socket.close(1000),
    abort: () => socket.close(),
  });
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve({ readable, writable }), { once: true });
    socket.addEventListener("error", () => reject(new Error("")), { once: true });
  });
}
