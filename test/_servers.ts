/** Servers for the tests: a stock rsync daemon, a remote shell that stays here, and a real sshd, all on loopback. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { killAtExit, plainEnvironment } from "./_run.ts";
import { quote, scratch, whereIs, writeScript } from "./_programs.ts";

const asRoot = process.getuid?.() === 0;

/** A started server. */
export interface Server {
  readonly port: number;
  stop(): void;
}

/** A loopback TCP port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Resolves when something accepts on the port; rejects after `timeoutMs`. */
export async function listening(port: number, timeoutMs = 10_000): Promise<void> {
  const until = Date.now() + timeoutMs;
  while (!(await accepts(port))) {
    if (Date.now() > until) throw new Error(`nothing listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}

/** One section of an rsyncd.conf. */
type Parameters = Readonly<Record<string, string>>;

/** The modules of an rsyncd.conf, by name. */
export type Modules = Readonly<Record<string, Parameters>>;

/** The text of an rsyncd.conf for tests. */
function daemonConfig(modules: Modules, global: Parameters = {}): string {
  const base = { "use chroot": "no", "munge symlinks": "no", "max verbosity": "4",
    ...(asRoot ? { uid: "0", gid: "0" } : {}), ...global };
  const section = (values: Parameters): string[] =>
    Object.entries(values).map(([name, value]) => `${name} = ${value}`);
  const parts = Object.entries(modules).flatMap(([name, values]) => [`[${name}]`, ...section(values)]);
  return [...section(base), ...parts, ""].join("\n");
}

let configs = 0;

/** Writes a configuration file into the scratch folder and returns its path. */
function writeConfig(text: string): string {
  const path = join(scratch, `rsyncd-${process.pid}-${configs++}.conf`);
  writeFileSync(path, text);
  return path;
}

/** Starts `program --daemon` on a loopback port, free unless it is given, and waits until it accepts. */
export async function startDaemon(
  program: string, modules: Modules, global: Parameters = {}, onPort = 0,
): Promise<Server> {
  const port = onPort === 0 ? await freePort() : onPort;
  const config = writeConfig(daemonConfig(modules, global));
  const words = ["--daemon", "--no-detach", "--address=127.0.0.1", `--port=${port}`, `--config=${config}`];
  const child = spawn(program, words, { env: plainEnvironment(), stdio: "ignore" });
  return ready(child, port);
}

async function ready(child: ChildProcess, port: number): Promise<Server> {
  const stop = (): void => void child.kill("SIGTERM");
  killAtExit(child, "SIGTERM");
  await listening(port).catch((error: unknown) => {
    stop();
    throw error;
  });
  return { port, stop };
}

/** Writes a secrets file only its owner may read, as rsync demands. */
export function writeSecret(name: string, text: string): string {
  const path = join(scratch, name);
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  return path;
}

/**
 * A remote shell that drops options and the host and runs the rest here, through sh as sshd would.
 * `before` is shell text run first, for example to change a limit.
 */
export function fakeShell(before = ""): string {
  const text = [
    "#!/bin/sh",
    'while [ $# -gt 0 ]; do case "$1" in -l) shift 2 ;; -*) shift ;; *) break ;; esac; done',
    "shift",
    before,
    'exec sh -c "$*"',
    "",
  ].join("\n");
  return writeScript(before === "" ? "fake-shell" : `fake-shell-${configs++}`, text);
}

/** A started sshd with the client command that reaches it without questions. */
export interface SshServer extends Server {
  /** A value for --rsh; the host is 127.0.0.1. */
  readonly rsh: string;
}

/** Why sshd cannot be used here, or "". */
export const sshMissing: string = ["sshd", "ssh", "ssh-keygen"].filter((name) => whereIs(name) === null)
  .map((name) => `no ${name} (apt-get install openssh-server)`).join(", ");

/** Starts a private sshd on loopback with keys made for it. */
export async function startSshd(): Promise<SshServer> {
  const home = join(scratch, `sshd-${process.pid}`);
  mkdirSync(home, { mode: 0o700 });
  for (const key of ["host", "user"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(home, key)], { stdio: "ignore" });
  }
  if (asRoot && !existsSync("/run/sshd")) mkdirSync("/run/sshd", { mode: 0o755 });
  const port = await freePort();
  writeFileSync(join(home, "config"), sshdConfig(home, port));
  const child = spawn(whereIs("sshd")!, ["-D", "-e", "-f", join(home, "config")], { stdio: "ignore" });
  const server = await ready(child, port);
  const options = ["UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "LogLevel=ERROR", "BatchMode=yes"];
  const words = ["ssh", "-F", "none", "-p", `${port}`, "-i", join(home, "user"), ...options.map((o) => `-o${o}`)];
  return { ...server, rsh: [...words, "-l", userInfo().username].map(quote).join(" ") };
}

function sshdConfig(home: string, port: number): string {
  return [
    `Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${home}/host`, `AuthorizedKeysFile ${home}/user.pub`,
    `PidFile ${home}/pid`, "StrictModes no", "UsePAM no", "PasswordAuthentication no", "PermitRootLogin yes",
    "MaxStartups 50", "",
  ].join("\n");
}
