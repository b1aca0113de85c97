/** The metrics port: /metrics, /healthz and /readyz over HTTP, one request a connection. */
import { bytesOf, latin1 } from "../memory.ts";
import { httpHead, readHttpHead } from "../protocol/httphead.ts";
import { type LineStream } from "../session/linestream.ts";
import { type DaemonContext, readConfig } from "./context.ts";
import { problemLine } from "./config.ts";
import { type Metrics, METRICS_TYPE } from "./metrics.ts";

interface Answer {
  readonly status: string;
  readonly type: string;
  readonly text: string;
}

const PLAIN = "text/plain; charset=utf-8";

/** Answers the request at the start of a stream. `startTime`: seconds since the epoch. */
export async function answerMetrics(
  context: DaemonContext, stream: LineStream, metrics: Metrics, startTime: number,
): Promise<void> {
  const { first } = await stream.next(readHttpHead);
  const asked = /^(GET|HEAD) (\S+) HTTP\/1\.[01]$/.exec(first);
  const { status, type, text } = asked === null ? { status: "400 Bad Request", type: PLAIN, text: "GET or HEAD\n" }
    : answerTo(context, asked[2].split("?", 1)[0], metrics, startTime);
  const bytes = new TextEncoder().encode(text);
  const head = httpHead(`HTTP/1.1 ${status}`, {
    "Content-Type": type, "Content-Length": bytes.length, "Cache-Control": "no-store", Connection: "close",
  });
  await stream.write(bytesOf(head + (asked?.[1] === "HEAD" ? "" : latin1(bytes, 0, bytes.length))));
}

function answerTo(context: DaemonContext, path: string, metrics: Metrics, startTime: number): Answer {
  const { host } = context.platform;
  switch (path) {
    case "/metrics": {
      const { residentBytes } = host.memoryUsage();
      const runtime = `${host.runtime} ${host.runtimeVersion}`;
      return { status: "200 OK", type: METRICS_TYPE, text: metrics.text({ runtime, startTime, residentBytes }) };
    }
    case "/healthz":
      return { status: "200 OK", type: PLAIN, text: "ok\n" };
    case "/readyz":
      return readiness(context);
    default:
      return { status: "404 Not Found", type: PLAIN, text: "/metrics, /healthz, /readyz\n" };
  }
}

/** Clients can be served as long as the configuration can be read. */
function readiness(context: DaemonContext): Answer {
  const { config, problems } = readConfig(context);
  if (config !== null) return { status: "200 OK", type: PLAIN, text: "ready\n" };
  const lines = problems.filter(({ fatal }) => fatal).map(problemLine);
  return { status: "503 Service Unavailable", type: PLAIN, text: `${lines.join("\n")}\n` };
}
