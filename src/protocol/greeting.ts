/**
 * The lines a daemon and its client exchange before the binary protocol (labels `greeting`, `module-request`,
 * `early-input`, `daemon-reply`, `auth-reply`, `daemon-args`, `protected-args`). Upstream
 * clientserver.c:exchange_protocols, start_inband_exchange, start_daemon; io.c:read_line_old, read_args.
 *
 * Lines are names (one code unit per byte). The version is settled here, so no version int follows.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { ProtocolVersion, WireLimit } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";

/** Longest line a client takes (BIGPATHBUFLEN), and a daemon. */
export const LineLimit = { client: WireLimit.message, daemon: 1024 } as const;

/** A greeting taken apart. */
export interface Greeting {
  readonly version: number;
  /** -1 when the line had none. */
  readonly sub: number;
  /** Digests for authentication, best first as the peer sees it; null when the line named none. */
  readonly digests: string | null;
}

/**
 * A line up to '\n', carriage returns dropped. Throws ProtocolError 5 (under `label`) for one of `limit` - 1 bytes or
 * more or with a NUL. Upstream io.c:read_line_old.
 */
export function readLine(cursor: Cursor, limit: number, label: string): string {
  const { bytes, pos, end } = cursor;
  let line = "";
  let start = pos;
  for (let at = pos; at < end; at++) {
    const byte = bytes[at];
    if (byte > 13) continue;
    if (byte === 10) {
      line += latin1(bytes, start, at);
      if (line.length >= limit - 1) break;
      cursor.pos = at + 1;
      return line;
    }
    if (byte === 0) throw new ProtocolError(label, "a NUL byte in a line", ExitCode.startClient, cursor.offset);
    if (byte === 13) {
      line += latin1(bytes, start, at);
      start = at + 1;
    }
    // Carriage returns count for nothing, yet a stream of them must not be collected for ever.
    if (at - pos >= 2 * limit) break;
  }
  if (end - pos >= limit - 1) throw new ProtocolError(label, "a line is too long", ExitCode.startClient, cursor.offset);
  cursor.need(end - pos + 1);
  return line;
}

/** Appends a line and its newline. */
export function writeLine(out: Writer, line: string): void {
  out.latin1(line);
  out.u8(10);
}

/** The greeting without newline: "@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4". */
export function formatGreeting(version: number, digests: readonly string[]): string {
  return `@RSYNCD: ${version}.${ProtocolVersion.sub} ${digests.join(" ")}`;
}

/**
 * Takes a greeting apart: "@RSYNCD: VERSION[.SUB][ DIGESTS]". Null when it is none, or lacks what its version must
 * have: see greetingFault for the words.
 */
export function parseGreeting(line: string): Greeting | null {
  const match = /^@RSYNCD:\s*([+-]?\d{1,9})(?:\.\s*([+-]?\d{1,9}))?/.exec(line);
  if (match === null) return null;
  const sub = match[2] === undefined ? -1 : Number(match[2]);
  const space = line.indexOf(" ", 9);
  return { version: Number(match[1]), sub, digests: space < 0 ? null : line.slice(space + 1) };
}

/**
 * What is wrong with a greeting, in upstream's words, or null. `amServer`: we are the daemon and send the text after
 * "@ERROR: "; a client prints it after "rsync: ".
 */
export function greetingFault(line: string, amServer: boolean): string | null {
  const greeting = parseGreeting(line);
  if (greeting === null) return amServer ? "protocol startup error" : `server sent "${line}" rather than greeting`;
  const peer = amServer ? "your client" : "the server";
  if (greeting.sub < 0 && greeting.version >= 30) return `${peer} omitted the subprotocol value: ${line}`;
  if (greeting.digests === null && greeting.version > 31) return `${peer} omitted the digest name list: ${line}`;
  return null;
}

/** The version both speak after greetings; its range is checked later by handshake.ts. */
export function greetingVersion(ours: number, greeting: Greeting): number {
  const theirSub = Math.max(0, greeting.sub);
  if (ours > greeting.version) return theirSub > 0 ? greeting.version - 1 : greeting.version;
  return ours === greeting.version && theirSub !== ProtocolVersion.sub ? ours - 1 : ours;
}

/** What a daemon may say after the module request. */
export type DaemonReply =
  | { readonly kind: "auth"; readonly challenge: string }
  | { readonly kind: "ok" }
  | { readonly kind: "exit" }
  | { readonly kind: "error"; readonly line: string }
  /** A line of the message of the day or of the module list. */
  | { readonly kind: "text"; readonly line: string };

const AUTH_REQUEST = "@RSYNCD: AUTHREQD ";

/** Label `daemon-reply`. */
export function parseDaemonReply(line: string): DaemonReply {
  if (line.startsWith(AUTH_REQUEST)) return { kind: "auth", challenge: line.slice(AUTH_REQUEST.length) };
  if (line === "@RSYNCD: OK") return { kind: "ok" };
  if (line === "@RSYNCD: EXIT") return { kind: "exit" };
  return { kind: line.startsWith("@ERROR") ? "error" : "text", line };
}

/** The line of a reply, without newline. */
export function formatDaemonReply(reply: DaemonReply): string {
  if (reply.kind === "auth") return AUTH_REQUEST + reply.challenge;
  if (reply.kind === "ok") return "@RSYNCD: OK";
  return reply.kind === "exit" ? "@RSYNCD: EXIT" : reply.line;
}

/** Label `auth-reply`: "USER RESPONSE". Null when there is no space. Upstream authenticate.c:auth_server. */
export function parseAuthReply(line: string): { user: string; response: string } | null {
  const space = line.indexOf(" ");
  return space < 0 ? null : { user: line.slice(0, space), response: line.slice(space + 1).replace(/^ +/, "") };
}

/** What a client asks for: data for a daemon's early exec script, the module list, or a module. */
export type ModuleRequest =
  | { readonly kind: "early-input"; readonly byteLength: number }
  | { readonly kind: "list" }
  | { readonly kind: "command"; readonly line: string }
  | { readonly kind: "module"; readonly name: string };

const EARLY_INPUT = "#early_input=";

/** Labels `module-request`, `early-input`. A bad byte count throws ProtocolError 5. */
export function parseModuleRequest(line: string): ModuleRequest {
  if (line.startsWith(EARLY_INPUT)) {
    const byteLength = Number.parseInt(line.slice(EARLY_INPUT.length), 10);
    if (!(byteLength > 0 && byteLength <= WireLimit.message)) {
      throw new ProtocolError("early-input", "invalid early_input length", ExitCode.startClient);
    }
    return { kind: "early-input", byteLength };
  }
  if (line === "" || line === "#list") return { kind: "list" };
  return line.startsWith("#") ? { kind: "command", line } : { kind: "module", name: line };
}

/** The line of a request, without newline. */
export function formatModuleRequest(request: ModuleRequest): string {
  if (request.kind === "early-input") return EARLY_INPUT + String(request.byteLength);
  if (request.kind === "list") return "#list";
  return request.kind === "command" ? request.line : request.name;
}

/**
 * Label `daemon-args`: words ended by NUL (protocol 30 on) or newline, then an empty word. A word that is empty would
 * end the list early, so the caller sends "." instead.
 */
export function writeDaemonArgs(out: Writer, args: readonly string[], version: number): void {
  const end = version >= 30 ? 0 : 10;
  for (const arg of args) {
    out.latin1(arg);
    out.u8(end);
  }
  out.u8(end);
}

/** Most words a daemon takes: upstream MAX_DAEMON_ARGS. */
const MOST_ARGS = WireLimit.args * 16;
/** Bytes of one word that are waited for; upstream reads on and forgets what is too much. */
const MOST_ARG_BYTES = 1 << 20;

/**
 * Reads the words up to the empty one. A word past 5119 bytes is cut there, as upstream cuts it. Throws
 * ProtocolError 2 past 15999 words. Upstream io.c:read_args, read_line.
 */
export function readDaemonArgs(cursor: Cursor, version: number): string[] {
  const args: string[] = [];
  for (;;) {
    const word = readWord(cursor, version >= 30);
    if (word === "") return args;
    if (args.length >= MOST_ARGS - 1) throw new ProtocolError("daemon-args", "too many daemon arguments");
    args.push(word);
  }
}

/** Label `protected-args`: the words of --secluded-args, always NUL-ended, "rsync" first. An empty word is ".". */
export function writeProtectedArgs(out: Writer, args: readonly string[]): void {
  for (const arg of ["rsync", ...args]) {
    out.latin1(arg === "" ? "." : arg);
    out.u8(0);
  }
  out.u8(0);
}

/** The words of --secluded-args without the leading "rsync". Upstream rsync.c:send_protected_args. */
export function readProtectedArgs(cursor: Cursor): string[] {
  return readDaemonArgs(cursor, ProtocolVersion.newest).slice(1);
}

/** One word of a daemon's client, for reading them one by one; "" ends them. See readDaemonArgs. */
export function readDaemonArg(cursor: Cursor, nulEnded: boolean): string {
  const { pos, end } = cursor;
  if (end - pos > MOST_ARG_BYTES) throw new ProtocolError("daemon-args", "a daemon argument is too long");
  return readWord(cursor, nulEnded);
}

function readWord(cursor: Cursor, nulEnded: boolean): string {
  const { bytes, end } = cursor;
  const start = cursor.pos;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (nulEnded ? byte !== 0 : byte !== 10 && byte !== 13) continue;
    cursor.pos = at + 1;
    return latin1(bytes, start, Math.min(at, start + WireLimit.message - 1));
  }
  cursor.need(end - start + 1);
  return "";
}
