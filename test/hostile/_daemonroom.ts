/**
 * A running daemon with something to guard: modules, a secrets file and a neighbour with a mark that no client may see,
 * and the bytes that honest clients (a stock rsync) have sent it, to be sent again with changes.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { peer, scratch } from "../_programs.ts";
import { finished, plainEnvironment, run } from "../_run.ts";
import { freePort } from "../_servers.ts";
import { describeTree } from "../_trees.ts";
import { direction, record } from "../wire/_record.ts";

/** What must never reach a client. */
const MARK = "a mark that nobody may see";

/** Words of errors that are the program's own. */
const INTERNAL = /internal error|is not a function|undefined|not iterable|out of bounds|Invalid (typed )?array/i;

/** What an honest client sent. */
export interface Template {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** See the head of this file. */
export class DaemonRoom {
  readonly top: string;
  readonly port: number;
  readonly webPort: number;
  private readonly metricsPort: number;
  private readonly child: ReturnType<typeof spawn>;
  private readonly ending: Promise<[number | null, string | null]>;
  private before = new Map<string, string>();

  private constructor(
    top: string, ports: readonly [number, number, number], program: string, parameters: readonly string[],
  ) {
    this.top = top;
    [this.port, this.webPort, this.metricsPort] = ports;
    mkdirSync(join(top, "neighbour"), { recursive: true });
    mkdirSync(join(top, "read/dir"), { recursive: true });
    mkdirSync(join(top, "write"));
    writeFileSync(join(top, "neighbour/secret"), MARK);
    writeFileSync(join(top, "secrets"), `user:${MARK}\n`, { mode: 0o600 });
    for (let i = 0; i < 20; i++) writeFileSync(join(top, `read/dir/file${i}`), `contents ${i}\n`.repeat(1 + i * 40));
    cpSync(join(top, "read"), join(top, "source"), { recursive: true });
    const own = process.getuid?.() === 0 ? ["uid = 0", "gid = 0"] : [];
    writeFileSync(join(top, "rsyncd.conf"), [
      `log file = ${top}/log`, "address = 127.0.0.1", `port = ${this.port}`, `websocket port = ${this.webPort}`,
      `metrics port = ${this.metricsPort}`, "use chroot = no", "reverse lookup = no",
      `lock file = ${top}/lock`, ...own, ...parameters,
      "[read]", `path = ${top}/read`, "[guarded]", `path = ${top}/read`, "auth users = user",
      `secrets file = ${top}/secrets`, "[write]", `path = ${top}/write`, "read only = no", "",
    ].join("\n"));
    const words = ["--daemon", "--no-detach", `--config=${top}/rsyncd.conf`];
    this.child = spawn(program, words, { env: plainEnvironment(), stdio: "ignore" });
    this.ending = finished(this.child, 300_000, [program, ...words]);
  }

  /** Starts a daemon. `parameters`: further lines of its configuration. */
  static async open(name: string, program: string, parameters: readonly string[] = []): Promise<DaemonRoom> {
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const room = new DaemonRoom(join(scratch, `daemonroom-${name}`), ports, program, parameters);
    await room.until(async () => (await room.metrics().catch(() => "")).includes("# EOF"), "the daemon's start");
    room.before = room.guarded();
    return room;
  }

  /** Ends the daemon; its exit code. */
  async close(): Promise<number | null> {
    this.child.kill("SIGTERM");
    return (await this.ending)[0];
  }

  /** What honest clients send: a list of modules, downloads, uploads, a password. */
  async templates(): Promise<Template[]> {
    const url = (port: number, path: string): string => `rsync://user@127.0.0.1:${port}/${path}`;
    const rows: readonly (readonly [string, string, (port: number) => string[]])[] = [
      ["list", "", (port) => [url(port, "")]],
      ["pull", "", (port) => ["-a", url(port, "read/"), join(this.top, "copy")]],
      ["pull-compressed", "", (port) => ["-azH", "--filter=- *9", url(port, "read/dir"), join(this.top, "copy2")]],
      ["guarded", "", (port) => ["-r", url(port, "guarded/"), join(this.top, "copy3")]],
      ["push", "", (port) => ["-a", "--checksum-seed=7", `${this.top}/source/`, url(port, "write/")]],
      ["update", "old", (port) =>
        ["-acH", "--delete", "--checksum-seed=7", `${this.top}/source/`, url(port, "write/")]],
    ];
    const templates: Template[] = [];
    for (const [name, prepare, words] of rows) {
      this.clear();
      if (prepare !== "") writeFileSync(join(this.top, "write", prepare), prepare);
      const recording = await record(this.port);
      const env = { RSYNC_PASSWORD: MARK };
      const { code, stderr } = await run([peer!, ...words(recording.port)], { env });
      if (code !== 0) throw new Error(`template ${name}: ${stderr}`);
      templates.push({ name, bytes: Uint8Array.from(direction(recording.chunks, "client")) });
      recording.stop();
      await this.quiet();
    }
    this.clear();
    return templates;
  }

  /** Empties the module that clients may write to. */
  clear(): void {
    for (const name of readdirSync(join(this.top, "write"))) {
      rmSync(join(this.top, "write", name), { recursive: true, force: true });
    }
  }

  /** The text of /metrics. */
  async metrics(): Promise<string> {
    const socket = connect(this.metricsPort, "127.0.0.1");
    socket.end("GET /metrics HTTP/1.1\r\n\r\n");
    return (await received(socket, 10_000)).toString("latin1");
  }

  /** Clients that the daemon serves or receives now, the one who asks left out. */
  async clients(): Promise<number> {
    const text = await this.metrics();
    const counts = [...text.matchAll(/^wsync_daemon_(?:sessions\{.*\}|visitors) (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0) - 1;
  }

  /** Waits until nobody is served any more. */
  async quiet(): Promise<void> {
    await this.until(async () => (await this.clients()) === 0, "the end of all connections");
  }

  /** Processes of the daemon besides the listening one. */
  processes(): number[] {
    const pid = this.child.pid!;
    const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return listed.split(" ").filter((word) => word !== "").map(Number);
  }

  /** What is wrong: with what lies around the modules, and in the log. */
  faults(): string[] {
    const after = this.guarded();
    const paths = new Set([...this.before.keys(), ...after.keys()]);
    const changed = [...paths].filter((path) => this.before.get(path) !== after.get(path));
    const log = readFileSync(join(this.top, "log"), "latin1");
    const internal = log.split("\n").filter((line) => INTERNAL.test(line));
    const told = log.includes(MARK) ? ["a mark is logged"] : [];
    return [...changed.map((path) => `changed: ${path}`), ...internal, ...told];
  }

  /** Unfinished files of the module that clients may write to. */
  leftovers(): string[] {
    return [...describeTree(join(this.top, "write"), { times: "none" }).keys()]
      .filter((path) => /(^|\/)\.[^/]*\.[A-Za-z0-9]{6}$|~tmp~/.test(path));
  }

  /** Has a client been told what nobody may see? */
  static isTold(bytes: Buffer): boolean {
    return bytes.includes(MARK);
  }

  private guarded(): Map<string, string> {
    const tree = describeTree(this.top, { times: "none" });
    for (const path of tree.keys()) if (!/^(read|neighbour|secrets|rsyncd\.conf)/.test(path)) tree.delete(path);
    return tree;
  }

  private async until(condition: () => Promise<boolean>, what: string): Promise<void> {
    const end = Date.now() + 30_000;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error(`not in time: ${what}\n${await this.metrics().catch(String)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** All that comes until the other side closes, or `timeoutMs` have passed: then the connection is cut. */
export function received(socket: Socket, timeoutMs: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    };
    // Node does not always tell of the end of a socket that was reset.
    const timer = setTimeout(() => {
      socket.destroy();
      done();
    }, timeoutMs);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => undefined).on("close", done);
  });
}
