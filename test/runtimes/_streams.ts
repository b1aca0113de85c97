/** Conformance of the Host: streams, children, TCP, signals, arguments, printing. */
import { type ByteStream, type Host } from "../../src/host.ts";
import { type Case, equal, ok, rejection } from "./_check.ts";

const MIB = 1 << 20;
const ECHO_MIB = 64;

/** Where the parent's test servers listen, all on 127.0.0.1. */
export interface Ports {
  readonly echo: number;
  /** Sends a byte, then resets the connection. */
  readonly reset: number;
  /** Nothing listens here. */
  readonly closed: number;
}

/** The cases; children are this same program with a role as its argument. */
export function hostCases(host: Host, ports: Ports): Record<string, Case> {
  const connect = (port: number, more: object = {}): Promise<ByteStream> =>
    host.connect({ hostname: "127.0.0.1", port, family: 0, timeoutMs: 5000, ...more });
  const role = (...words: string[]) => host.spawn({ argv: [...host.self, ...words] });
  return {
    "host: who and where": () => {
      ok(host.pid > 1 && host.runtimeVersion !== "", "pid and version");
      equal([host.os, host.cwd().startsWith("/")], ["linux", true]);
      equal(host.env("WSYNC_TEST_NONE"), undefined);
      ok(host.memoryUsage().residentBytes > MIB, "resident memory");
      const before = host.monotonic();
      ok(before > 0 && host.now() > 1.7e12, "clocks");
      const random = new Uint8Array(100000);
      host.random(random);
      ok(new Set(random).size === 256, "random bytes");
    },
    "host: a small file as bytes": () => ok(host.files.readFile("/etc/passwd").length > 10, "passwd"),
    "host: the kernels' bytes": () => equal(Array.from(host.kernels().subarray(0, 4)), [0, 0x61, 0x73, 0x6d]),
    "host: 64 MiB through cat": async () => {
      const child = host.spawn({ argv: ["cat"] });
      await echo(child.stream, ECHO_MIB);
      equal(await child.exited, 0);
    },
    "host: 64 MiB through our own standard input and output": async () => {
      const child = role("echo");
      await echo(child.stream, ECHO_MIB);
      equal(await child.exited, 0);
    },
    "host: exit codes and signals of children": async () => {
      equal(await host.spawn({ argv: ["sh", "-c", "exit 7"] }).exited, 7);
      const child = host.spawn({ argv: ["sleep", "30"] });
      child.kill(15);
      equal(await child.exited, -15);
    },
    "host: a child's environment": async () => {
      const env = { WSYNC_TEST_A: "ü 1", HOME: null };
      const child = host.spawn({ argv: ["sh", "-c", "echo $WSYNC_TEST_A-$HOME-"], env });
      equal(await text(child.stream), "\xc3\xbc 1--\n");
    },
    "host: a command that does not exist": async () => {
      const error = await rejection((async () => {
        const child = host.spawn({ argv: ["/no/such/command"] });
        return child.stream.read();
      })());
      equal([error.message, error.exitCode], ["Failed to exec /no/such/command: No such file or directory (2)", 14]);
    },
    "host: writing to a child that has gone": async () => {
      const child = host.spawn({ argv: ["true"] });
      await child.exited;
      const error = await rejection((async () => {
        for (let i = 0; i < 100; i++) await child.stream.write(new Uint8Array(MIB));
      })());
      equal([error.name, error.exitCode], ["TransportError", 12]);
    },
    "host: destroying a stream ends the child": async () => {
      const child = host.spawn({ argv: ["cat"] });
      child.stream.destroy();
      child.stream.destroy();
      equal(await child.exited, 0);
    },
    "host: argument bytes of a child": async () => {
      const child = role("argv", "plain", "", "\xc3\xbc", "a\nb", "-x");
      equal(await argv(child.stream), ["plain", "", "\xc3\xbc", "a\nb", "-x"]);
    },
    "host: our arguments that are not UTF-8": async () => {
      // printf makes the bytes, so that this does not depend on how a child's arguments are passed.
      const script = `exec "$@" "$(printf 'x\\377\\200')"`;
      const child = host.spawn({ argv: ["sh", "-c", script, "sh", ...host.self, "argv"] });
      equal(await argv(child.stream), ["x\xff\x80"]);
    },
    "host: passing arguments that are not UTF-8": async () => {
      const child = host.spawn({ argv: ["printf", "%s", "x\xff\x80\xc3\xbc"] });
      equal(await text(child.stream), "x\xff\x80\xc3\xbc");
    },
    "host: print waits for a slow reader": async () => {
      const child = role("print");
      await host.sleep(300);
      equal((await text(child.stream)).length, 3 * MIB);
      equal(await child.exited, 0);
    },
    "host: print to a closed pipe goes on, as rsync does": async () => {
      const script = `exec 3>&1; { "$@"; echo "status $?" >&3; } | true`;
      const child = host.spawn({ argv: ["sh", "-c", script, "sh", ...host.self, "printclosed"] });
      equal(await text(child.stream), "status 0\n");
    },
    "host: signals": async () => {
      const child = role("signals");
      equal(await line(child.stream), "ready\n");
      for (const signal of [1, 2, 10, 15]) {
        child.kill(signal);
        equal(await line(child.stream), `signal ${signal}\n`);
      }
      equal(await child.exited, 3);
    },
    "host: process title": async () => {
      const child = role("title");
      equal(await line(child.stream), "ready\n");
      const ps = host.spawn({ argv: ["ps", "-o", "comm=", "-p", String(child.pid)] });
      ok((await text(ps.stream)).includes("rsync"), "ps shows the title");
      child.kill(15);
      await child.exited;
    },
    "host: standard input and output that are files": async () => {
      const child = host.spawn({ argv: ["sh", "-c", `"$@" </etc/passwd >/dev/null`, "sh", ...host.self, "echo"] });
      equal(await child.exited, 0);
    },
    "host: TCP echo of 64 MiB": async () => echo(await connect(ports.echo), ECHO_MIB),
    "host: TCP by name": async () => {
      const stream = await connect(ports.echo, { hostname: "localhost" });
      await echo(stream, 1);
    },
    "host: TCP family and local address": async () => {
      const stream = await connect(ports.echo, { hostname: "localhost", family: 4, localAddress: "127.0.0.1" });
      await echo(stream, 1);
    },
    "host: TCP socket options": async () => {
      const stream = await connect(ports.echo, { socketOptions: "TCP_NODELAY,SO_KEEPALIVE=1" });
      await echo(stream, 1);
      const error = await rejection(connect(ports.echo, { socketOptions: "SO_NONSENSE" }));
      equal([error.name, error.message.includes("SO_NONSENSE")], ["UsageError", true]);
    },
    "host: TCP buffer sizes": async () => echo(await connect(ports.echo, { socketOptions: "SO_SNDBUF=65536" }), 1),
    "host: TCP refused": async () => {
      const error = await rejection(connect(ports.closed));
      equal([error.name, error.exitCode, error.message.includes("Connection refused")], ["TransportError", 10, true]);
    },
    "host: TCP unknown name": async () => {
      const error = await rejection(connect(ports.closed, { hostname: "no-such-host.invalid" }));
      equal([error.name, error.exitCode], ["TransportError", 10]);
    },
    "host: TCP reset": async () => {
      const stream = await connect(ports.reset);
      const error = await rejection((async () => {
        for (;;) {
          if ((await stream.read()) === null) throw Object.assign(new Error("end of stream"), { exitCode: 0 });
        }
      })());
      equal(error.message, "the connection was reset by the other side (Connection reset by peer)");
      equal(error.exitCode, 12);
    },
    "host: TCP timeout": async () => {
      // 192.0.2.0/24 is for documentation: packets to it go nowhere, or the network refuses at once.
      const error = await rejection(connect(9, { hostname: "192.0.2.1", timeoutMs: 300 }));
      ok([10, 35].includes(error.exitCode!), `exit code ${error.exitCode}`);
    },
  };
}

/** Sends `mebibytes` of a pattern and checks that the same comes back, in order, to the end of the stream. */
async function echo(stream: ByteStream, mebibytes: number): Promise<void> {
  const total = mebibytes * MIB;
  const receiving = receivePattern(stream);
  const chunk = new Uint8Array(100003);
  for (let sent = 0; sent < total; ) {
    const count = Math.min(chunk.length, total - sent);
    for (let i = 0; i < count; i += 1) chunk[i] = pattern(sent + i);
    const waiting = stream.write(chunk.subarray(0, count));
    if (waiting !== undefined) await waiting;
    sent += count;
  }
  await stream.end();
  equal(await receiving, total, "bytes echoed");
  stream.destroy();
}

function pattern(position: number): number {
  return (position ^ (position >>> 8) ^ (position >>> 16)) & 0xff;
}

async function receivePattern(stream: ByteStream): Promise<number> {
  let position = 0;
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] !== pattern(position + i)) throw new Error(`wrong byte at ${position + i}`);
    }
    position += chunk.length;
  }
  return position;
}

/** Everything up to the end of the stream, one code unit a byte. */
async function text(stream: ByteStream): Promise<string> {
  await stream.end();
  const parts: string[] = [];
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    for (let at = 0; at < chunk.length; at += 4096) parts.push(String.fromCharCode(...chunk.subarray(at, at + 4096)));
  }
  return parts.join("");
}

/** The words that the role argv prints. */
async function argv(stream: ByteStream): Promise<string[]> {
  return (await text(stream)).trimEnd().split(" ").map(decodeURIComponent);
}

/** The next line, which arrives whole because its writer waits afterwards. */
async function line(stream: ByteStream): Promise<string> {
  const chunk = await stream.read();
  return chunk === null ? "" : String.fromCharCode(...chunk);
}
