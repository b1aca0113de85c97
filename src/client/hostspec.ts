/**
 * Telling local paths from remote ones: HOST:PATH, HOST::MODULE, rsync://HOST[:PORT]/MODULE, [IPV6] hosts, and what a
 * command line's words then mean together. Upstream options.c:check_for_hostspec, main.c:start_client.
 *
 * Ours are rsyncs:// (a daemon behind TLS), ws:// and wss:// (within a WebSocket).
 */
import { UsageError } from "../errors.ts";

/** A mistake in the words, told by the role that they give this side so far. */
function roleError(who: "sender" | "Receiver", text: string): UsageError {
  const error = new UsageError(text);
  error.who = who;
  return error;
}

/** The port of rsync daemons. */
const RSYNC_PORT = 873;
/** Stands for "a daemon, on its default port". */
const DEFAULT_PORT = -1;

/** How a daemon is spoken to: as rsync does, behind TLS, within a WebSocket, or both. */
export type Door = "rsync" | "rsyncs" | "ws" | "wss";

/** What URLs begin with, and the ports that stand for themselves. */
const DOOR_PORTS: Readonly<Record<Door, number>> = { rsync: RSYNC_PORT, rsyncs: 874, ws: 80, wss: 443 };
const URL = /^(rsyncs?|wss?):\/\//i;

/** A remote word taken apart. */
export interface HostSpec {
  /** With "USER@" in front when given, without brackets. "" for ":PATH", the host of the first word. */
  readonly host: string;
  readonly path: string;
  /** 0: over a remote shell. Else a daemon's port, -1 for the default one. */
  readonly port: number;
  /** Left out: as rsync does. */
  readonly door?: Door;
}

interface Parsed {
  readonly host: string;
  readonly rest: string;
  readonly port: number;
}

/** Splits HOST[:PORT]/PATH (a URL's rest) or HOST:PATH. Null when the text is a local path. Upstream parse_hostspec. */
function parseHost(text: string, isUrl: boolean, optionPort: number): Parsed | null {
  const found = /^([^:/[]*@)?(?:\[([^\]/]+)\](?=$|[/:])|([^:/[]*))/.exec(text);
  if (found === null) return null;
  const host = (found[1] ?? "") + (found[2] ?? found[3]);
  const at = found[0].length;
  const next = text[at];
  if (next === undefined) return isUrl ? { host, rest: "", port: optionPort } : null;
  if (next === "[") return null;
  if (next === "/") return isUrl ? { host, rest: text.slice(at + 1), port: optionPort } : null;
  if (!isUrl) return { host, rest: text.slice(at + 1), port: 0 };
  const digits = /^\d*/.exec(text.slice(at + 1))![0];
  const rest = text.slice(at + 1 + digits.length);
  if (rest !== "" && !rest.startsWith("/")) return null;
  return { host, rest: rest.slice(1), port: Number(digits) };
}

/** Takes a word apart if it names something remote, else null. `optionPort` is --port, 0 without. */
export function parseHostSpec(word: string, optionPort: number): HostSpec | null {
  const scheme = URL.exec(word);
  if (scheme !== null) {
    const door = scheme[1].toLowerCase() as Door;
    const url = parseHost(word.slice(scheme[0].length), true, optionPort);
    const ours = door === "rsync" ? {} : { door };
    if (url !== null) return { host: url.host, path: url.rest, port: url.port || DEFAULT_PORT, ...ours };
  }
  const spec = parseHost(word, false, 0);
  if (spec === null) return null;
  if (spec.rest.startsWith(":")) return { host: spec.host, path: spec.rest.slice(1), port: optionPort || DEFAULT_PORT };
  return { host: spec.host, path: spec.rest, port: 0 };
}

/** The other end of a transfer. */
export interface Remote {
  readonly host: string;
  readonly user: string | null;
  /** Reached as a daemon: over TCP, or inside a remote shell when one was asked for. */
  readonly daemon: boolean;
  /** A daemon's TCP port. */
  readonly port: number;
  /** Left out: as rsync does. */
  readonly door?: Door;
}

/** What the words of a command line amount to. */
export interface Endpoints {
  /** This side sends. */
  readonly amSender: boolean;
  /** The local end's words: sources when sending; else the destination, or none for a listing. */
  readonly localArgs: readonly string[];
  /** The other end's words, without host. */
  readonly remoteArgs: readonly string[];
  /** null when both ends are local. */
  readonly remote: Remote | null;
}

/**
 * Decides who sends and where the other end is. `args` has at least one word. Throws UsageError (1) in upstream's
 * words for combinations that make no sense.
 */
export function endpointsOf(args: readonly string[], optionPort: number): Endpoints {
  const first = parseHostSpec(args[0], optionPort);
  if (first !== null) return pullFrom(first, args, optionPort);
  const destWord = args.length > 1 ? args[args.length - 1] : ".";
  if (destWord === "") throw roleError("sender", 'Empty destination arg specified (use "." or see --old-args).');
  const sources = args.length > 1 ? args.slice(0, -1) : args;
  const dest = parseHostSpec(destWord, optionPort);
  checkSources(sources, optionPort);
  if (dest === null) return { amSender: true, localArgs: sources, remoteArgs: [destWord], remote: null };
  return { amSender: true, localArgs: sources, remoteArgs: [orDot(dest)], remote: remoteOf(dest) };
}

function checkSources(sources: readonly string[], optionPort: number): void {
  for (const source of sources) {
    if (source === "") throw roleError("sender", "Empty source arg specified.");
    if (parseHostSpec(source, optionPort)) throw roleError("sender", `Unexpected remote arg: ${source}`);
  }
}

function pullFrom(first: HostSpec, args: readonly string[], optionPort: number): Endpoints {
  const last = args[args.length - 1];
  // "HOST:A :B" has no destination: a word that begins with a colon is one more source.
  const listing = args.length === 1 || last.startsWith(":");
  if (!listing && parseHostSpec(last, optionPort)) {
    throw roleError("Receiver", "The source and destination cannot both be remote.");
  }
  const sources = listing ? args : args.slice(0, -1);
  const remoteArgs = sources.map((word, i) => (i === 0 ? orDot(first) : furtherSource(word, first)));
  return { amSender: false, localArgs: listing ? [] : [last], remoteArgs, remote: remoteOf(first) };
}

function furtherSource(word: string, first: HostSpec): string {
  const spec = parseHostSpec(word, Math.max(first.port, 0));
  if (spec === null) {
    const error = roleError("Receiver", `Unexpected local arg: ${word}`);
    throw error.advise("If arg is a remote file/dir, prefix it with a colon (:).");
  }
  if (spec.host !== "" && spec.host !== first.host) {
    throw roleError("Receiver", "All source args must come from the same machine.");
  }
  // "::PATH" is another path of the same daemon.
  if (spec.host !== "" && spec.door !== first.door) {
    throw new UsageError("All source args must reach the daemon the same way.");
  }
  if (spec.port !== first.port) {
    const oneIsShell = spec.port === 0 || first.port === 0;
    const what = oneIsShell ? "hostspec format" : "port number";
    throw roleError("Receiver", `All source args must use the same ${what}.`);
  }
  return orDot(spec);
}

/** An empty path means the home directory over a shell, the module list at a daemon. */
function orDot(spec: HostSpec): string {
  return spec.port === 0 && spec.path === "" ? "." : spec.path;
}

function remoteOf(spec: HostSpec): Remote {
  const at = spec.host.lastIndexOf("@");
  const host = spec.host.slice(at + 1);
  const daemon = spec.port !== 0;
  if (!daemon && host.startsWith("-")) {
    throw roleError("Receiver", "Invalid remote host: hostnames may not start with '-'.");
  }
  const { door } = spec;
  const port = spec.port > 0 ? spec.port : DOOR_PORTS[door ?? "rsync"];
  return { host, user: at < 0 ? null : spec.host.slice(0, at), daemon, port, ...(door === undefined ? {} : { door }) };
}
