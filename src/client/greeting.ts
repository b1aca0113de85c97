/**
 * The client's part of the conversation that precedes the binary protocol with a daemon: greeting, module, message of
 * the day, password, arguments. Upstream clientserver.c:start_inband_exchange, exchange_protocols.
 *
 * The codecs are in protocol/greeting.ts; this file decides what is said when, and leaves the stream at the first byte
 * of the binary protocol.
 */
import { ExitCode, TransportError, UsageError } from "../errors.ts";
import { type ByteStream } from "../host.ts";
import { Writer } from "../protocol/cursor.ts";
import {
  formatGreeting, formatModuleRequest, greetingFault, greetingVersion, LineLimit, parseDaemonReply, parseGreeting,
  writeDaemonArgs, writeLine, writeProtectedArgs,
} from "../protocol/greeting.ts";
import { AUTH_DIGESTS, authDigestChoice } from "../protocol/negotiate.ts";
import { LineStream } from "../session/linestream.ts";

/** The words for a daemon's server process, once the protocol version is known. */
export interface ServerWords {
  /** Sent in plain sight, quoted for the daemon (remoteshell.quoteOptionArgs). */
  readonly open: readonly string[];
  /** With --secluded-args: sent afterwards, unquoted; else null. */
  readonly secluded: readonly string[] | null;
}

/** Everything the conversation needs from outside. */
export interface DaemonCall {
  /** Highest version to speak, 27 to 32. */
  readonly version: number;
  readonly user: string;
  /** MODULE[/PATH] words as given; the first one's module is asked for, "" for the list of modules. */
  readonly paths: readonly string[];
  /** --old-args: words are left to be split by the daemon. */
  readonly oldArgs: boolean;
  /** Contents of the --early-input file, or null. */
  readonly earlyInput: Uint8Array | null;
  serverWords(version: number): ServerWords;
  /** A secluded word in the form in which it travels (--iconv). */
  secludedWord(word: string): string;
  /** Asked for only when the daemon wants one. */
  password(): Promise<string>;
  /** checksum/auth.authResponse: the answer to a challenge, in base64. */
  authResponse(digest: string, password: string, challenge: string): string;
  /** Called for every line that comes in. */
  heard?(): void;
  /** A line of the message of the day or of the module list (a name, without newline). */
  onLine(line: string): void;
  /** Arguments that are going to be sent, and what they are called. */
  onArguments?(title: string, words: readonly string[]): void;
}

/** How the conversation ended. */
export type DaemonAnswer =
  /** The transfer can start on `stream` at `version`; upstream sends no version int after this. */
  | { readonly kind: "ready"; readonly stream: ByteStream; readonly version: number }
  /** The daemon listed its modules and has nothing more to say. */
  | { readonly kind: "listed" };

/**
 * Holds the conversation. Throws TransportError or ProtocolError: 5 when the daemon refuses or is no daemon, 12 when
 * the connection ends, 2 when no version or digest is in common; the message is what the user is to read.
 */
export async function greetDaemon(inner: ByteStream, call: DaemonCall): Promise<DaemonAnswer> {
  const module = moduleOf(call.paths);
  const stream = new LineStream(inner);
  const { version, digests } = await exchangeGreetings(stream, call);
  const words = argumentsOf(call, version, module);
  call.onArguments?.("sending daemon args:", words.open);
  await send(stream, (out) => {
    if (call.earlyInput && call.earlyInput.length > 0) {
      writeLine(out, formatModuleRequest({ kind: "early-input", byteLength: call.earlyInput.length }));
      out.put(call.earlyInput);
    }
    writeLine(out, module);
  });
  if ((await awaitOk(stream, call, version, digests)) === "listed") return { kind: "listed" };
  await sendArguments(stream, call, version, words);
  return { kind: "ready", stream, version };
}

/** The module's name. Throws UsageError (1) when the path does not start with one. */
export function moduleOf(paths: readonly string[]): string {
  const first = paths[0] ?? "";
  if (first.startsWith("/")) {
    throw new UsageError("ERROR: The remote path must start with a module name not a /", ExitCode.startClient);
  }
  const slash = first.indexOf("/");
  return slash < 0 ? first : first.slice(0, slash);
}

async function exchangeGreetings(
  stream: LineStream, call: DaemonCall,
): Promise<{ version: number; digests: string | null }> {
  await send(stream, (out) => writeLine(out, formatGreeting(call.version, AUTH_DIGESTS.names)));
  const line = await stream.readLine(LineLimit.client, "greeting");
  call.heard?.();
  const fault = greetingFault(line, false);
  const greeting = parseGreeting(line);
  if (fault !== null || greeting === null) {
    const hint = line.startsWith("@") ? "" : "Is it an rsync daemon that listens on this port?";
    throw new TransportError(`rsync: ${fault}`, ExitCode.startClient).advise(hint);
  }
  return { version: greetingVersion(call.version, greeting), digests: greeting.digests };
}

/** Listens until the daemon lets us in, answering a challenge on the way. */
async function awaitOk(
  stream: LineStream, call: DaemonCall, version: number, digests: string | null,
): Promise<"ok" | "listed"> {
  for (;;) {
    const reply = parseDaemonReply(await stream.readLine(LineLimit.client, "daemon-reply"));
    call.heard?.();
    switch (reply.kind) {
      case "ok":
        return "ok";
      case "exit":
        return "listed";
      case "error":
        throw new TransportError(reply.line, ExitCode.startClient).advise(refusalHint(reply.line));
      case "auth":
        await answer(stream, call, reply.challenge, authDigestChoice(digests, version, false));
        break;
      default:
        call.onLine(reply.line);
    }
  }
}

async function answer(stream: LineStream, call: DaemonCall, challenge: string, digest: string): Promise<void> {
  const response = call.authResponse(digest, await call.password(), challenge);
  await send(stream, (out) => writeLine(out, `${call.user} ${response}`));
}

function refusalHint(line: string): string {
  if (/auth failed/.test(line)) {
    return "Check the user name (USER@HOST::MODULE) and the password (--password-file or RSYNC_PASSWORD).";
  }
  if (/Unknown module/.test(line)) return "A listing of the modules: wsync HOST::";
  return "";
}

/** Everything the daemon's server process is to be given. */
function argumentsOf(call: DaemonCall, version: number, module: string): ServerWords {
  const { open, secluded } = call.serverWords(version);
  const files = [".", ...call.paths.map((path) => fileWord(path, module, call.oldArgs))];
  return secluded === null ? { open: [...open, ...files], secluded } : { open, secluded: [...secluded, ...files] };
}

async function sendArguments(
  stream: LineStream, call: DaemonCall, version: number, { open, secluded }: ServerWords,
): Promise<void> {
  if (secluded) call.onArguments?.("protected args:", secluded);
  await send(stream, (out) => {
    writeDaemonArgs(out, open, version);
    if (secluded) writeProtectedArgs(out, secluded.map(call.secludedWord));
  });
}

/**
 * A path as the daemon takes it: a bare module gets a slash, a leading dash "./" in front, and a space before what
 * looks like the module again is bracketed, since old daemons split there.
 */
function fileWord(path: string, module: string, oldArgs: boolean): string {
  if (path === module) return `${module}/`;
  const dashed = path.startsWith("-") ? `./${path}` : path;
  return oldArgs ? dashed : dashed.replaceAll(` ${module}/`, `[ ]${module}/`);
}

async function send(stream: ByteStream, fill: (out: Writer) => void): Promise<void> {
  const out = new Writer(4096);
  fill(out);
  await stream.write(out.view());
}
