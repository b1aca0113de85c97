/** Asking a server for a WebSocket, for a daemon's conversation within it (ws:// and wss://). */
import { digestBytes } from "../checksum/digest.ts";
import { type Kernels } from "../checksum/kernels.ts";
import { ExitCode, TransportError } from "../errors.ts";
import { type ByteStream, type Host } from "../host.ts";
import { bytesOf, latin1 } from "../memory.ts";
import { httpHead, listedWords, readHttpHead } from "../protocol/httphead.ts";
import { acceptText, SUBPROTOCOL } from "../protocol/websocket.ts";
import { LineStream } from "../session/linestream.ts";
import { WebSocketStream } from "../session/websocketstream.ts";

const KEY_BYTES = 16;
/** What is asked for; a web server in front may go by it. The daemon does not. */
const DEFAULT_PATH = "/rsync";

/** The stream within the WebSocket. Throws TransportError (10) when the server gives none. */
export async function upgradeToWebSocket(
  host: Host, kernels: Kernels, stream: ByteStream, address: { readonly host: string; readonly port: number },
): Promise<ByteStream> {
  const random = new Uint8Array(KEY_BYTES);
  host.random(random);
  const key = btoa(latin1(random, 0, KEY_BYTES));
  const path = host.env("WSYNC_WEBSOCKET_PATH") ?? DEFAULT_PATH;
  const name = address.host.includes(":") ? `[${address.host}]` : address.host;
  if (!/^\/[!-~]*$/.test(path) || !/^[!-~]+$/.test(name)) throw failure("no path or host for an HTTP request");
  const lines = new LineStream(stream);
  await lines.write(bytesOf(httpHead(`GET ${path} HTTP/1.1`, {
    Host: `${name}:${address.port}`, Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Key": key,
    "Sec-WebSocket-Version": 13, "Sec-WebSocket-Protocol": SUBPROTOCOL,
  })));
  const head = await lines.next(readHttpHead);
  const digest = digestBytes(kernels, "sha1", bytesOf(acceptText(key)));
  const accepted = /^HTTP\/1\.1 101\b/.test(head.first)
    && listedWords(head.header("upgrade")).includes("websocket")
    && head.header("sec-websocket-accept") === btoa(latin1(digest, 0, digest.length));
  if (!accepted) throw failure(`the server answers ${head.first}`);
  if (head.header("sec-websocket-protocol") !== SUBPROTOCOL) throw failure("the server does not speak rsync there");
  return new WebSocketStream(lines, (bytes) => host.random(bytes));
}

function failure(text: string): TransportError {
  return new TransportError(`no WebSocket: ${text}`, ExitCode.socketIo);
}
