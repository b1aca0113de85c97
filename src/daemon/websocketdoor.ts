/**
 * The WebSocket door: an HTTP request that asks for a WebSocket becomes one, with one daemon conversation in it. What
 * comes before that is bounded by the largest head and the caller's deadline.
 *
 * A browser lets any page ask, from wherever it comes, and tells its origin: "websocket origins" must list that.
 */
import { digestBytes } from "../checksum/digest.ts";
import { iwildmatch } from "../filter/wildmatch.ts";
import { type ByteStream } from "../host.ts";
import { bytesOf, latin1 } from "../memory.ts";
import { httpHead, type HttpHead, listedWords, readHttpHead } from "../protocol/httphead.ts";
import { acceptText, SUBPROTOCOL } from "../protocol/websocket.ts";
import { type LineStream } from "../session/linestream.ts";
import { WebSocketStream } from "../session/websocketstream.ts";
import { allowProxy } from "./access.ts";
import { accessTools } from "./accesstools.ts";
import { isAddress, unmapped } from "./addresses.ts";
import { type Config } from "./config.ts";
import { type DaemonContext } from "./context.ts";

/** A client that has come through the door. */
export interface Upgraded {
  readonly stream: ByteStream;
  readonly address: string;
}

/** Why a request gets no WebSocket. */
interface Refusal {
  readonly status: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** Answers the request at the start of a stream; null when it was refused, with the reason in the log. */
export async function upgrade(
  context: DaemonContext, config: Config, stream: LineStream, peer: string,
): Promise<Upgraded | null> {
  const head = await stream.next(readHttpHead);
  const address = await addressOf(context, config, head, peer);
  const refusal = refusalOf(head, config.globals.text("websocket origins"));
  if (refusal !== null) {
    context.log.info(`WebSocket refused to ${address}: ${refusal.text}`);
    await stream.write(bytesOf(httpHead(`HTTP/1.1 ${refusal.status}`, {
      "Content-Type": "text/plain; charset=utf-8", "Content-Length": refusal.text.length + 1, Connection: "close",
      ...refusal.headers,
    }) + `${refusal.text}\n`));
    await stream.end();
    return null;
  }
  const { kernels } = context.platform;
  const digest = digestBytes(kernels, "sha1", bytesOf(acceptText(head.header("sec-websocket-key"))));
  const named = listedWords(head.header("sec-websocket-protocol")).includes(SUBPROTOCOL);
  await stream.write(bytesOf(httpHead("HTTP/1.1 101 Switching Protocols", {
    Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": btoa(latin1(digest, 0, digest.length)),
    ...(named ? { "Sec-WebSocket-Protocol": SUBPROTOCOL } : {}),
  })));
  return { stream: new WebSocketStream(stream, null), address };
}

function refusalOf(head: HttpHead, origins: string): Refusal | null {
  if (!/^GET \S+ HTTP\/1\.1$/.test(head.first)) return { status: "400 Bad Request", text: "not a GET of HTTP/1.1" };
  const asked = listedWords(head.header("upgrade")).includes("websocket")
    && listedWords(head.header("connection")).includes("upgrade");
  if (!asked || head.header("sec-websocket-version") !== "13") {
    const text = "this port takes WebSocket connections (version 13) that carry the rsync protocol";
    return { status: "426 Upgrade Required", text,
      headers: { Upgrade: "websocket", "Sec-WebSocket-Version": "13" } };
  }
  if (!KEY.test(head.header("sec-websocket-key"))) {
    return { status: "400 Bad Request", text: "no Sec-WebSocket-Key of 16 bytes" };
  }
  const protocols = listedWords(head.header("sec-websocket-protocol"));
  if (protocols.length > 0 && !protocols.includes(SUBPROTOCOL)) {
    return { status: "400 Bad Request", text: `the one subprotocol here is ${SUBPROTOCOL}` };
  }
  const origin = head.header("origin");
  if (origin === "" || isListed(origin, origins)) return null;
  return { status: "403 Forbidden", text: `origin ${origin} is not among "websocket origins"` };
}

function isListed(origin: string, origins: string): boolean {
  return origins.split(/[\s,]+/).some((pattern) => pattern === "*" || iwildmatch(pattern, origin));
}

/** The client behind a web proxy that may tell whom it stands for. The last one told is the one that it has seen. */
async function addressOf(
  context: DaemonContext, config: Config, head: HttpHead, peer: string,
): Promise<string> {
  const told = head.header("x-forwarded-for").split(",").at(-1)!.trim();
  const proxies = config.globals.text("websocket proxy hosts");
  if (!isAddress(told, false) || !(await allowProxy(peer, proxies, accessTools(context)))) return peer;
  return unmapped(told);
}
