/**
 * The ways to run the daemon: into the background with a pid file, from a superserver with the connection on standard
 * input, with sockets of a service manager, over a remote shell, and as RSYNC_CONNECT_PROG.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing, peer, quote, type Runtime, scratch, writeScript, wsync } from "../_programs.ts";
import { finished, plainEnvironment, run } from "../_run.ts";
import { fakeShell, freePort } from "../_servers.ts";

const reason = peer === null ? "no stock rsync (apt-get install rsync)" : "";

/** A configuration with one module that holds a file, and paths for what the daemon makes. */
function setUp(name: string, extra = ""): Record<"top" | "config" | "log" | "pid", string> {
  const top = join(scratch, `start-${name}`);
  mkdirSync(join(top, "module"), { recursive: true });
  writeFileSync(join(top, "module/file"), "contents");
  const paths = { top, config: join(top, "rsyncd.conf"), log: join(top, "log"), pid: join(top, "pid") };
  writeFileSync(paths.config, [
    `log file = ${paths.log}`, `pid file = ${paths.pid}`, "use chroot = no", extra, "[files]",
    `path = ${top}/module`, "post-xfer exec = echo $RSYNC_EXIT_STATUS $RSYNC_MODULE_NAME >>$RSYNC_MODULE_PATH/../after",
    "",
  ].join("\n"));
  return paths;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 400) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, "latin1") : "";
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const list = (port: number): string[] => [peer!, "-r", "--no-motd", `rsync://127.0.0.1:${port}/files/`];

/** Starts a daemon with nothing on standard input, where a socket would be a connection. */
const start = (program: string, config: string): string[] =>
  ["sh", "-c", 'exec "$0" "$@" </dev/null', program, "--daemon", `--config=${config}`];

/** A listening socket, and its descriptor. */
function listener(): Promise<{ server: Server; fd: number; port: number }> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
      resolve({ server, fd, port: (server.address() as { port: number }).port });
    });
  });
}

const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
describe.skipIf(reason !== "").each(runtimes)(`the daemon is started, on %s ${reason}`, (runtime) => {
  const absent = missing(runtime);
  const program = wsync(runtime) ?? "";

  it.skipIf(absent !== "")("into the background, and tells what keeps it from that", async () => {
    const port = await freePort();
    const { config, log, pid } = setUp(`background-${runtime}`, `port = ${port}\naddress = 127.0.0.1`);
    const started = await run(start(program, config));
    expect(started).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const process1 = Number(textOf(pid));
    expect(isRunning(process1)).toBe(true);
    expect((await run(list(port))).stdout).toMatch(/ file\n$/);
    const again = await run(start(program, config));
    expect(again.code).toBe(11);
    expect(again.stderr).toContain(`failed to lock pid file ${pid}`);
    renameSync(log, `${log}.1`);
    process.kill(process1, "SIGHUP");
    await until(() => textOf(log).includes("log reopened"), "a new log");
    process.kill(process1, "SIGTERM");
    await until(() => !isRunning(process1) && !existsSync(pid), "the end");
    expect(textOf(log)).toContain("rsyncd stopped by signal 15");
    expect(textOf(`${log}.1`)).toMatch(new RegExp(`\\[${process1}\\] rsyncd version \\S+ starting, .* port ${port}\n`));
  });

  it.skipIf(absent !== "")("by a superserver for each connection", async () => {
    const { config, log, top } = setUp(`inetd-${runtime}`);
    const { server, port } = await listener();
    let code: unknown;
    server.once("connection", (socket: Socket) => {
      const child = spawn(program, ["--daemon", `--config=${config}`], {
        env: plainEnvironment(), stdio: [socket, socket, "inherit"],
      });
      void finished(child, 30_000, ["wsync"]).then((ending) => (code = ending[0]));
      socket.destroy();
    });
    expect((await run(list(port))).stdout).toMatch(/ file\n$/);
    await until(() => code !== undefined, "the end");
    expect(code).toBe(0);
    expect(textOf(join(top, "after"))).toBe("0 files\n");
    expect(textOf(log)).toMatch(/connect from \S+ \(127\.0\.0\.1\)/);
    server.close();
  });

  it.skipIf(absent !== "")("with a service manager's socket", async () => {
    const { config, log } = setUp(`service-${runtime}`);
    const { server, fd, port } = await listener();
    const words = ["--daemon", `--config=${config}`].map(quote).join(" ");
    const script = writeScript(`service-${runtime}`,
      `#!/bin/sh\nexport LISTEN_PID=$$ LISTEN_FDS=1\nexec ${quote(program)} ${words}\n`);
    const child = spawn(script, [], { env: plainEnvironment(), stdio: ["ignore", "ignore", "inherit", fd] });
    const ended = finished(child, 60_000, [script]);
    await until(() => textOf(log).includes("listening on sockets of the service manager"), "the start");
    server.close();
    expect((await run(list(port))).stdout).toMatch(/ file\n$/);
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });

  it.skipIf(absent !== "")("over a remote shell, and as a program in the network's place", async () => {
    const { config, log, top } = setUp(`shell-${runtime}`);
    const server = writeScript(`server-${runtime}`,
      `#!/bin/sh\nexec ${quote(program)} --config=${quote(config)} "$@"\n`);
    const shelled = await run([peer!, "-r", "-e", fakeShell(), `--rsync-path=${server}`, "host::files/"]);
    expect(shelled).toMatchObject({ code: 0, stderr: "" });
    expect(shelled.stdout).toMatch(/ file\n$/);
    await until(() => textOf(join(top, "after")) === "0 files\n", "post-xfer exec");
    const env = { RSYNC_CONNECT_PROG: `${quote(program)} --daemon --config=${quote(config)}` };
    const connected = await run([peer!, "-r", "rsync://127.0.0.1/files/"], { env });
    expect(connected).toMatchObject({ code: 0, stderr: "" });
    expect(connected.stdout).toMatch(/ file\n$/);
    expect(textOf(log)).toContain("rsync on files/ from");
  });
});
