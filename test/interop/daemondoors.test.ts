/**
 * The daemon's doors beyond rsync's: WebSockets, spoken to by a runtime's own WebSocket under a stock rsync; TLS, by
 * the stock rsync-ssl script where there is one; metrics.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimeWords } from "../_binaries.mjs";
import { missing, peer, projectRoot, quote, type Runtime, scratch, whereIs, writeScript, wsync } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { freePort, listening, type Server, startDaemon, writeSecret } from "../_servers.ts";
import { type Certificates, makeCertificates, opensslMissing } from "./_certificates.ts";

const reason = peer === null ? "no stock rsync (apt-get install rsync)" : opensslMissing;
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** An HTTP exchange on loopback, as text. */
function http(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1");
    // A server that closes before it has read everything resets the connection.
    socket.on("data", (chunk: string) => (text += chunk)).on("error", () => {}).on("close", () => resolve(text));
    socket.end([...lines, "", ""].join("\r\n"));
  });
}

const asking = (...more: string[]): string[] => [
  "GET /any HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13",
  ...more,
];

/** A command for RSYNC_CONNECT_PROG. */
function bridge(url: string): string {
  const [deno] = runtimeWords("deno")!;
  return writeScript(`bridge-${url.replace(/\W/g, "-")}`,
    `#!/bin/sh\nexec ${quote(deno)} run -A ${quote(join(projectRoot, "test/interop/_wsbridge.mjs"))} ${quote(url)}\n`);
}

interface Setting {
  readonly server: Server;
  readonly top: string;
  readonly web: number;
  readonly tls: number;
  readonly metrics: number;
}

let certificates: Certificates;

async function setUp(runtime: Runtime, name: string, more: Readonly<Record<string, string>> = {}): Promise<Setting> {
  const top = join(scratch, `doors-${runtime}-${name}`);
  mkdirSync(join(top, "module"), { recursive: true });
  mkdirSync(join(top, "in"));
  const bytes = Buffer.alloc(700_000, "a line that is not the same everywhere ");
  for (let i = 0; i < bytes.length; i += 97) bytes[i] = i % 251;
  writeFileSync(join(top, "module/file"), bytes);
  const [web, tls, metrics] = [await freePort(), await freePort(), await freePort()];
  const secrets = writeSecret(`doors-${runtime}-${name}.secrets`, "user:word\n");
  const server = await startDaemon(wsync(runtime)!, {
    files: { path: join(top, "module"), "auth users": "user", "secrets file": secrets },
    in: { path: join(top, "in"), "read only": "no" },
    closed: { path: top, "hosts allow": "10.0.0.1" },
    slow: { path: top, "early exec": "sleep 3" },
  }, {
    "websocket port": `${web}`, "tls port": `${tls}`, "metrics port": `${metrics}`,
    "tls certificate": certificates.server.cert, "tls key": certificates.server.key,
    "websocket origins": "https://*.page.test", "log file": join(top, "log"), "reverse lookup": "no", ...more,
  });
  await Promise.all([web, tls, metrics].map((port) => listening(port)));
  return { server, top, web, tls, metrics };
}

const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
describe.skipIf(reason !== "").each(runtimes)(`doors of the daemon, on %s ${reason}`, (runtime) => {
  const absent = missing(runtime);
  let s: Setting;

  beforeAll(async () => {
    if (absent !== "") return;
    certificates ??= makeCertificates("authority");
    s = await setUp(runtime, "main");
  });
  afterAll(() => s?.server.stop());

  const through = (words: readonly string[]): Promise<Outcome> => run([peer!, ...words], {
    env: { RSYNC_CONNECT_PROG: bridge(`ws://127.0.0.1:${s.web}/`), RSYNC_PASSWORD: "word" },
  });

  it.skipIf(absent !== "")("a stock rsync within a WebSocket pulls and pushes, with a password", async () => {
    const copy = join(s.top, "copy");
    expect(await through(["-a", "rsync://user@x/files/", copy])).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(join(copy, "file")).equals(readFileSync(join(s.top, "module/file")))).toBe(true);
    expect(await through(["-a", `${copy}/`, "rsync://x/in/"])).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(join(s.top, "in/file")).equals(readFileSync(join(copy, "file")))).toBe(true);
  });

  it.skipIf(absent !== "")("the rules of modules hold within a WebSocket", async () => {
    const closed = await through(["rsync://x/closed/"]);
    expect(closed).toMatchObject({ code: 5 });
    expect(closed.stderr).toContain("@ERROR: access denied to closed from");
    const readOnly = await through(["-a", `${s.top}/module/`, "rsync://user@x/files/"]);
    expect(readOnly.stderr).toContain("module is read only");
  });

  it.skipIf(absent !== "")("what is no request for a WebSocket is refused", async () => {
    const first = async (lines: readonly string[]): Promise<string> => (await http(s.web, lines)).split("\r\n", 1)[0];
    const key = `Sec-WebSocket-Key: ${KEY}`;
    expect(await first(["GET / HTTP/1.1", "Host: x"])).toBe("HTTP/1.1 426 Upgrade Required");
    expect(await first(["POST / HTTP/1.1", "Host: x"])).toBe("HTTP/1.1 400 Bad Request");
    expect(await first(asking())).toBe("HTTP/1.1 400 Bad Request");
    expect(await first(asking(key, "Sec-WebSocket-Protocol: chat"))).toBe("HTTP/1.1 400 Bad Request");
    expect(await first(asking(key, "Origin: https://else.test"))).toBe("HTTP/1.1 403 Forbidden");
    const page = ["Origin: https://one.page.test", "Sec-WebSocket-Protocol: x, rsync"];
    const accepted = await http(s.web, asking(key, ...page));
    // The digest of RFC 6455, 1.3.
    expect(accepted).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    expect(accepted).toContain("Sec-WebSocket-Protocol: rsync\r\n");
    expect(accepted).toContain("@RSYNCD: 32.0");
    expect(await http(s.web, [`GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`])).toBe("");
  });

  const ssl = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> => run(
    ["rsync-ssl", "--type=openssl", ...words],
    { env: { RSYNC_SSL_CA_CERT: certificates.ca, RSYNC_PASSWORD: "word", ...env } },
  );
  const noScript = whereIs("rsync-ssl") === null ? "no rsync-ssl" : "";

  it.skipIf(absent !== "" || noScript !== "")(`the stock rsync-ssl pulls and pushes ${noScript}`, async () => {
    const copy = join(s.top, "secret");
    const url = `rsync://user@localhost:${s.tls}/files/`;
    expect(await ssl(["-a", url, copy])).toMatchObject({ code: 0 });
    expect(readFileSync(join(copy, "file")).equals(readFileSync(join(s.top, "module/file")))).toBe(true);
    writeFileSync(join(copy, "other"), "other");
    expect(await ssl(["-a", `${copy}/`, `rsync://localhost:${s.tls}/in/`])).toMatchObject({ code: 0 });
    expect(readFileSync(join(s.top, "in/other"), "utf8")).toBe("other");
    expect((await ssl(["-a", url, `${copy}2`], { RSYNC_SSL_CA_CERT: certificates.client.cert })).code).not.toBe(0);
  });

  it.skipIf(absent !== "" || noScript !== "")(`only clients with a certificate of "tls client ca" ${noScript}`,
    async () => {
      const mutual = await setUp(runtime, "mutual", { "tls client ca": certificates.ca });
      const url = `rsync://localhost:${mutual.tls}/in/`;
      expect((await ssl([url])).code).not.toBe(0);
      const { cert, key } = certificates.client;
      const stranger = makeCertificates(`stranger-${runtime}`).client;
      expect((await ssl([url], { RSYNC_SSL_CERT: stranger.cert, RSYNC_SSL_KEY: stranger.key })).code).not.toBe(0);
      expect(await ssl([url], { RSYNC_SSL_CERT: cert, RSYNC_SSL_KEY: key })).toMatchObject({ code: 0 });
      expect(readFileSync(join(mutual.top, "log"), "utf8")).toContain("TLS handshake with 127.0.0.1 failed: ");
      mutual.server.stop();
    });

  it.skipIf(absent !== "")("a client behind TLS that sends more than is read waits", async () => {
    const socket = connectTls({ port: s.tls, host: "127.0.0.1", rejectUnauthorized: false });
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    socket.on("error", () => undefined).resume();
    socket.write("@RSYNCD: 31.0 md5\nslow\n");
    const until = Date.now() + 2000;
    const chunk = Buffer.alloc(1 << 20);
    let written = 0;
    while (written < 300 && Date.now() < until) {
      const pause = new Promise((resolve) => setTimeout(resolve, 300));
      if (!socket.write(chunk)) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), pause]);
      written++;
    }
    expect(written - socket.writableLength / chunk.length).toBeLessThan(40);
    socket.destroy();
  });

  it.skipIf(absent !== "")("the log is JSON where that is asked for, by connection", async () => {
    const json = await setUp(runtime, "json", { "json log": "yes", "transfer logging": "yes" });
    const urls = ["files", "in"].map((module) => `rsync://user@127.0.0.1:${json.server.port}/${module}/`);
    const env = { RSYNC_PASSWORD: "word" };
    await Promise.all(urls.map((url, i) => run([peer!, "-a", url, join(json.top, `copy${i}`)], { env })));
    json.server.stop();
    const lines = readFileSync(join(json.top, "log"), "utf8").trimEnd().split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const [time, level] = [expect.stringMatching(/^\d{4}-.*Z$/), expect.stringMatching(/info|warning/)];
    for (const line of lines) expect(line).toMatchObject({ time, level });
    const of = (text: RegExp): Record<string, unknown> => lines.find((line) => text.test(String(line.text)))!;
    const asked = of(/^rsync allowed access on module files/);
    const sent = of(/^send \S+ \[\S+\] files \(user\) file 700000$/);
    expect(asked.session).toMatch(/^[0-9a-f]{12}$/);
    expect(sent.session).toBe(asked.session);
    expect(sent.pid).not.toBe(asked.pid);
    expect(of(/^rsync allowed access on module in/).session).not.toBe(asked.session);
  });

  it.skipIf(absent !== "")("metrics, health and readiness", async () => {
    const text = await http(s.metrics, ["GET /metrics HTTP/1.1", "Host: x"]);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: application\/openmetrics-text; version=1\.0\.0/);
    expect(text).toMatch(/\n# EOF\n$/);
    expect(text).toContain(`wsync_daemon_info{version=`);
    expect(Number(/wsync_daemon_admissions_total\{module="files"\} (\d+)/.exec(text)?.[1])).toBeGreaterThan(0);
    expect(Number(/wsync_daemon_connections_total\{door="websocket"\} (\d+)/.exec(text)?.[1])).toBeGreaterThan(2);
    expect(text).toContain('wsync_daemon_sessions_ended_total{code="0"}');
    expect(await http(s.metrics, ["GET /healthz HTTP/1.0"])).toMatch(/\r\n\r\nok\n$/);
    expect(await http(s.metrics, ["GET /readyz HTTP/1.0"])).toMatch(/^HTTP\/1\.1 200 OK[^]*\r\n\r\nready\n$/);
    expect(await http(s.metrics, ["GET /x HTTP/1.1"])).toMatch(/^HTTP\/1\.1 404 /);
    expect(await http(s.metrics, ["nonsense"])).toMatch(/^HTTP\/1\.1 400 /);
  });
});

/** An HTTP proxy on loopback that makes connections to loopback, and what it was asked for. */
async function startProxy(): Promise<{ readonly port: number; readonly asked: string[]; stop(): void }> {
  const asked: string[] = [];
  const proxy = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (chunk) => {
      const [, port] = /^CONNECT localhost:(\d+) HTTP\/1.0\r\n/.exec(chunk.toString("latin1")) ?? [];
      asked.push(chunk.toString("latin1").split("\r\n", 1)[0]);
      const target = connect(Number(port), "127.0.0.1", () => {
        socket.write("HTTP/1.0 200 Connection established\r\n\r\n");
        socket.pipe(target).pipe(socket);
      });
      target.on("error", () => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as { port: number };
  return { port, asked, stop: () => void proxy.close() };
}

describe.skipIf(reason !== "").each(runtimes)(`a client at the doors, on %s ${reason}`, (runtime) => {
  const absent = missing(runtime);
  let s: Setting;
  let secureWeb: Setting;

  beforeAll(async () => {
    if (absent !== "") return;
    certificates ??= makeCertificates("authority");
    s = await setUp("node", `client-${runtime}`);
    const more = { "websocket tls": "yes", "tls client ca": certificates.ca };
    secureWeb = await setUp("node", `secure-${runtime}`, more);
  });
  afterAll(() => {
    s?.server.stop();
    secureWeb?.server.stop();
  });

  const client = (words: readonly string[], env: Readonly<Record<string, string | null>> = {}): Promise<Outcome> =>
    run([wsync(runtime)!, ...words], {
      env: { RSYNC_SSL_CA_CERT: certificates.ca, RSYNC_PASSWORD: "word", ...env },
    });
  const own = (): Record<string, string> =>
    ({ RSYNC_SSL_CERT: certificates.client.cert, RSYNC_SSL_KEY: certificates.client.key });

  it.skipIf(absent !== "").each(["rsyncs", "ws", "wss"])("pulls and pushes by %s://", async (scheme) => {
    const at = scheme === "wss" ? secureWeb : s;
    const host = `localhost:${scheme === "rsyncs" ? at.tls : at.web}`;
    const copy = join(at.top, `copy-${scheme}`);
    expect(await client(["-a", `${scheme}://user@${host}/files/`, copy], own())).toMatchObject({ code: 0, stderr: "" });
    const original = readFileSync(join(at.top, "module/file"));
    expect(readFileSync(join(copy, "file")).equals(original)).toBe(true);
    writeFileSync(join(copy, "file"), original.subarray(1000));
    expect(await client(["-a", `${copy}/`, `${scheme}://${host}/in/`], own())).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(join(at.top, "in/file")).equals(original.subarray(1000))).toBe(true);
  });

  it.skipIf(absent !== "")("goes through an HTTP proxy", async () => {
    const proxy = await startProxy();
    const listed = await client([`rsyncs://localhost:${s.tls}/`], { RSYNC_PROXY: `127.0.0.1:${proxy.port}` });
    expect(listed).toMatchObject({ code: 0, stderr: "" });
    expect(listed.stdout).toContain("files");
    expect(proxy.asked).toEqual([`CONNECT localhost:${s.tls} HTTP/1.0`]);
    proxy.stop();
  });

  it.skipIf(absent !== "")("checks the daemon's certificate and its name", async () => {
    const url = `rsyncs://localhost:${s.tls}/in/`;
    const unknown = await client([url], { RSYNC_SSL_CA_CERT: null });
    expect(unknown.code).toBe(10);
    expect(unknown.stderr).toMatch(/TLS: .*certificate.*\nRSYNC_SSL_CA_CERT names the authority/);
    const elsewhere = await setUp("node", `elsewhere-${runtime}`, {
      "tls certificate": certificates.elsewhere.cert, "tls key": certificates.elsewhere.key,
    });
    const other = `rsyncs://localhost:${elsewhere.tls}/in/`;
    expect(await client([other])).toMatchObject({ code: 10 });
    expect(await client([other], { RSYNC_SSL_SKIP_HOSTNAME_CHECK: "1" })).toMatchObject({ code: 0, stderr: "" });
    expect(await client([other], { RSYNC_SSL_CA_CERT: "" })).toMatchObject({ code: 0, stderr: "" });
    elsewhere.server.stop();
    expect(await client([`rsyncs://localhost:${s.server.port}/`])).toMatchObject({ code: 10 });
  });

  it.skipIf(absent !== "")("shows a certificate of its own", async () => {
    const url = `wss://localhost:${secureWeb.web}/in/`;
    expect((await client([url])).code).not.toBe(0);
    expect(await client([url], own())).toMatchObject({ code: 0, stderr: "" });
    expect((await client([url], { RSYNC_SSL_CERT: "/none" })).stderr).toContain("cannot read RSYNC_SSL_CERT /none");
    expect((await client(["-e", "ssh", url])).stderr).toContain("--rsh does not go with wss://");
  });

  it.skipIf(absent !== "")("says what is no WebSocket", async () => {
    const refused = await client([`ws://localhost:${s.metrics}/in/`]);
    expect(refused).toMatchObject({ code: 10 });
    expect(refused.stderr).toContain("no WebSocket: the server answers HTTP/1.1 404 Not Found");
  });
});
