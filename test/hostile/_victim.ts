/**
 * Runs a program against a scripted peer and gathers what it did: exit code, peak memory, and the tree around its
 * destination, where nothing may have changed outside.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { scratch } from "../_programs.ts";
import { finished, plainEnvironment } from "../_run.ts";
import { describeTree } from "../_trees.ts";

/** What is left after a run. */
export interface Aftermath {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
  readonly elapsedMs: number;
  /** Peak resident MiB, sampled. */
  readonly peakMib: number;
  /** Paths outside the destination that appeared, changed or went. */
  readonly outside: string[];
  /** The destination folder. */
  readonly dest: string;
}

let rooms = 0;

/** A folder with a destination inside and a neighbour that must not change. */
interface Room {
  readonly top: string;
  readonly dest: string;
  readonly before: Map<string, string>;
}

function makeRoom(prepare?: (dest: string) => void): Room {
  const top = join(scratch, `room${rooms++}`);
  const dest = join(top, "inner", "dest");
  mkdirSync(dest, { recursive: true });
  mkdirSync(join(top, "neighbour"));
  writeFileSync(join(top, "neighbour", "precious"), "do not touch");
  prepare?.(dest);
  return { top, dest, before: outsideOf(top) };
}

function outsideOf(top: string): Map<string, string> {
  const tree = describeTree(top, { times: "none" });
  for (const path of tree.keys()) if (path.startsWith("inner/dest/")) tree.delete(path);
  return tree;
}

function changes(before: Map<string, string>, after: Map<string, string>): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path));
}

async function watch(argv: string[], room: Room,
  feed: ((stdin: NodeJS.WritableStream, stdout: NodeJS.ReadableStream) => void) | null): Promise<Aftermath> {
  const started = performance.now();
  const env = plainEnvironment({ RSYNC_PASSWORD: "x" });
  const child = spawn(argv[0], argv.slice(1), { env, cwd: room.top, stdio: ["pipe", "pipe", "pipe"] });
  let stderr = "";
  let peakKib = 0;
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("latin1")));
  child.stdout.resume();
  child.stdin.on("error", () => undefined);
  if (feed === null) child.stdin.end();
  else feed(child.stdin, child.stdout);
  const timer = setInterval(() => (peakKib = Math.max(peakKib, peakOf(child.pid!))), 10);
  const [code, signal] = await finished(child, 20_000, argv).finally(() => clearInterval(timer));
  const outside = changes(room.before, outsideOf(room.top));
  const elapsedMs = performance.now() - started;
  return { code, signal, stderr, elapsedMs, peakMib: peakKib / 1024, outside, dest: room.dest };
}

function peakOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The conversation of a lying daemon up to where the script takes over. */
const greeting = "@RSYNCD: 31.0 md5 md4\n";

/** How a client is run against a script. */
export interface ClientRun {
  /** Close right after the script, as a broken peer does, rather than wait for the other side; so unless told. */
  readonly hangUp?: boolean;
  /** Further options; -rlt are there. */
  readonly options?: readonly string[];
  /** Source words below the module; one "", its contents, unless told. */
  readonly sources?: readonly string[];
  /** Prepares the destination. */
  readonly prepare?: (dest: string) => void;
}

/** Lets a client pull from a daemon that sends `script` once it has read the module and the arguments. */
export async function clientAgainst(program: string, script: Uint8Array, run: ClientRun = {}): Promise<Aftermath> {
  const { hangUp = true, options = [], sources = [""], prepare } = run;
  const room = makeRoom(prepare);
  const server = createServer((socket) => talk(socket, script, hangUp));
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const places = sources.map((source) => `rsync://127.0.0.1:${port}/mod/${source}`);
  const words = ["-rlt", "--timeout=10", ...options, ...places, `${room.dest}/`];
  return watch([program, ...words], room, null).finally(() => server.close());
}

/** Plays the daemon: greeting, OK after the module name, compat flags and seed after the arguments, the script. */
function talk(socket: Socket, script: Uint8Array, hangUp: boolean): void {
  let heard = "";
  let stage = 0;
  socket.on("error", () => undefined);
  socket.write(greeting);
  socket.on("data", (chunk: Buffer) => {
    heard += chunk.toString("latin1");
    if (stage === 0 && heard.split("\n").length > 2) {
      stage = 1;
      socket.write("@RSYNCD: OK\n");
    }
    if (stage === 1 && heard.includes("\0\0")) {
      stage = 2;
      socket.write(Buffer.concat([Buffer.from([0, 1, 0, 0, 0]), script]));
      if (hangUp) socket.end();
    }
  });
}

/** How a server is run against a script. */
export interface ServerRun {
  /** Close right after the script, rather than wait for the other side; so unless told. */
  readonly hangUp?: boolean;
  /** Further options; -ltr are there. */
  readonly options?: readonly string[];
  /** Prepares the destination, or the source's folder. */
  readonly prepare?: (dest: string) => void;
}

/** Feeds a script to `program --server` as a receiver, as a client that sends would. */
export function serverAgainst(program: string, script: Uint8Array, run: ServerRun = {}): Promise<Aftermath> {
  const { hangUp = true, options = [], prepare } = run;
  const room = makeRoom(prepare);
  const hello = Buffer.from([31, 0, 0, 0]);
  return watch([program, "--server", "-ltr", "--timeout=10", ...options, ".", `${room.dest}/`], room, (stdin) => {
    stdin.write(Buffer.concat([hello, script]));
    if (hangUp) stdin.end();
  });
}

/** How a sending server is run. */
export interface SenderRun extends ServerRun {
  /** Sent once the sender's list has begun to arrive. */
  readonly later?: Uint8Array;
}

/** What a server of protocol 31 says before its list: version, compat flags, seed. */
const HANDSHAKE_BYTES = 9;

/** Feeds bytes to `program --server --sender` for a tree with one file, as a client that receives would. */
export function senderAgainst(program: string, bytes: Uint8Array, run: SenderRun = {}): Promise<Aftermath> {
  const { options = [], prepare, later } = run;
  const room = makeRoom(prepare);
  writeFileSync(join(room.dest, "f"), "some bytes to send");
  const words = ["--server", "--sender", "-ltr", "--timeout=10", ...options, ".", `${room.dest}/`];
  return watch([program, ...words], room, (stdin, stdout) => {
    stdin.write(Buffer.from([31, 0, 0, 0]));
    if (later === undefined) return void stdin.end(bytes);
    stdin.write(bytes);
    let heard = 0;
    stdout.on("data", (chunk: Buffer) => {
      heard += chunk.length;
      if (heard > HANDSHAKE_BYTES) stdin.end(later);
    });
  });
}
