import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createHost } from "../../../runtimes/_nodehost.ts";
import { loadKernels } from "../../../src/checksum/kernels.ts";
import { connectDaemon, type DaemonAddress } from "../../../src/client/connect.ts";
import { type ByteStream, type Host } from "../../../src/host.ts";
import { bytesOf, latin1 } from "../../../src/memory.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function withEnvironment(env: Record<string, string>): Host {
  return Object.create(createHost(), { env: { value: (name: string) => env[name] } }) as Host;
}

/** A server that handles each connection with `handle`; resolves to its port. */
function serve(handle: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    handle(socket);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
}

const address = (o: Partial<DaemonAddress>): DaemonAddress => ({
  host: "127.0.0.1", port: 1, family: 0, bindAddress: null, connectTimeout: 0, socketOptions: null,
  who: "Receiver", ...o,
});

async function readSome(stream: ByteStream, count: number): Promise<string> {
  let text = "";
  while (text.length < count) {
    const chunk = await stream.read();
    if (chunk === null) break;
    text += latin1(chunk, 0, chunk.length);
  }
  return text;
}

describe("directly", () => {
  test("reaches a listener", async () => {
    const port = await serve((socket) => socket.end("hello"));
    const stream = await connectDaemon(withEnvironment({}), address({ port }));
    expect(await readSome(stream, 5)).toBe("hello");
    stream.destroy();
  });

  test("a refused connection ends with 10 and says what may help", async () => {
    const port = await serve(() => {});
    await new Promise((resolve) => servers.pop()!.close(resolve));
    await expect(connectDaemon(withEnvironment({}), address({ port }))).rejects.toMatchObject({
      exitCode: 10,
      message: "rsync: [Receiver] failed to connect to 127.0.0.1 (127.0.0.1): Connection refused (111)",
      hint: expect.stringContaining("Is an rsync daemon") as string,
    });
  });

  test("a timeout ends with 35", async () => {
    const failing = Object.create(withEnvironment({}), {
      connect: { value: () => Promise.reject(Object.assign(new Error("late"), { exitCode: 35 })) },
    }) as Host;
    await expect(connectDaemon(failing, address({}))).rejects.toMatchObject({ exitCode: 10 });
    const { TransportError } = await import("../../../src/errors.ts");
    const late = Object.create(withEnvironment({}), {
      connect: { value: () => Promise.reject(new TransportError("late", 35)) },
    }) as Host;
    await expect(connectDaemon(late, address({ connectTimeout: 1 }))).rejects.toMatchObject({
      exitCode: 35, message: expect.stringContaining("--contimeout") as string,
    });
  });
});

describe("through a proxy", () => {
  /** Answers a CONNECT with `answer` and remembers the request. */
  const proxy = async (answer: string): Promise<{ port: number; requests: string[] }> => {
    const requests: string[] = [];
    const port = await serve((socket) => {
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        if (!text.endsWith("\r\n\r\n")) return;
        requests.push(text);
        socket.end(answer);
      });
    });
    return { port, requests };
  };

  test("asks for a tunnel and hands on what follows the header", async () => {
    const { port, requests } = await proxy("HTTP/1.0 200 OK\r\nVia: x\r\n\r\n@RSYNCD: 32");
    const host = withEnvironment({ RSYNC_PROXY: `127.0.0.1:${port}` });
    const stream = await connectDaemon(host, address({ host: "far.example", port: 873 }));
    expect(requests).toEqual(["CONNECT far.example:873 HTTP/1.0\r\n\r\n"]);
    expect(await readSome(stream, 11)).toBe("@RSYNCD: 32");
    stream.destroy();
  });

  test("shows its credentials", async () => {
    const { port, requests } = await proxy("HTTP/1.1 200 fine\n\nx");
    const host = withEnvironment({ RSYNC_PROXY: `user:p@ss@127.0.0.1:${port}` });
    (await connectDaemon(host, address({ host: "far" }))).destroy();
    const credentials = Buffer.from("user:p@ss").toString("base64");
    expect(requests[0]).toContain(`\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`);
  });

  test.each([
    ["HTTP/1.0 407 Denied\r\n\r\n", "bad response from proxy -- HTTP/1.0 407 Denied"],
    ["SSH-2.0\r\n\r\n", "bad response from proxy -- SSH-2.0"],
    ["HTTP/1.0 200 OK\r\nVia", "failed to read from proxy"],
    [`HTTP/1.0 200 ${"x".repeat(2000)}\r\n\r\n`, "proxy response line too long"],
    [`HTTP/1.0 200 OK\r\nX: ${"x".repeat(2000)}\r\n\r\n`, "proxy response header line too long"],
  ])("%j is an error", async (answer, message) => {
    const { port } = await proxy(answer);
    const host = withEnvironment({ RSYNC_PROXY: `127.0.0.1:${port}` });
    await expect(connectDaemon(host, address({ host: "far" }))).rejects.toMatchObject({
      exitCode: 10, message: expect.stringContaining(message) as string,
    });
  });

  test.each([
    ["nonsense", "should be HOST:PORT"], ["user@host:1", "should be USER:PASS@HOST:PORT"],
    ["host:x", "should be HOST:PORT"],
  ])("RSYNC_PROXY=%s is refused", async (value, message) => {
    await expect(connectDaemon(withEnvironment({ RSYNC_PROXY: value }), address({}))).rejects.toThrow(message);
  });

  test("no control characters reach the proxy", async () => {
    const { port } = await proxy("");
    const host = withEnvironment({ RSYNC_PROXY: `127.0.0.1:${port}` });
    await expect(connectDaemon(host, address({ host: "far\r\nX: y" }))).rejects.toThrow("invalid control character");
  });
});

const WASM = new URL("../../../build/wsync.wasm", import.meta.url);

describe("through a program", () => {
  test("the host stands for %H, %% for a percent sign", async () => {
    const host = withEnvironment({ RSYNC_CONNECT_PROG: "echo to %H; printf '%%d' 7; cat" });
    const stream = await connectDaemon(host, address({ host: "fe80::1%eth0" }));
    await stream.write(bytesOf("!"));
    await stream.end();
    expect(await readSome(stream, 100)).toBe("to fe80::1%eth0\n7!");
  });

  test("it has a TCP connection of this machine as its standard input and output", async () => {
    const lengths = "const {localAddress, remoteAddress} = new (require('net').Socket)({fd: 0}); "
      + "console.log(localAddress, remoteAddress, require('fs').readlinkSync('/proc/self/fd/0') "
      + "=== require('fs').readlinkSync('/proc/self/fd/1')); process.exit()";
    const host = withEnvironment({ RSYNC_CONNECT_PROG: `${process.execPath} -e "${lengths}"` });
    const stream = await connectDaemon(host, address({}), loadKernels(readFileSync(WASM)));
    expect(await readSome(stream, 100)).toBe("127.0.0.1 127.0.0.1 true\n");
    stream.destroy();
  });

  test.each(["a;b", "$(x)", "-x", "~root", "%self", "", "a b", "a'b"])("host %j is refused", async (name) => {
    const host = withEnvironment({ RSYNC_CONNECT_PROG: "echo %H" });
    await expect(connectDaemon(host, address({ host: name }))).rejects.toThrow("unsafe host characters");
  });
});
