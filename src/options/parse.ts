/**
 * The command line, from words to an Options record. Later options override earlier ones. How words are told apart is
 * walk.ts; what follows from all options together is worked out in finish.ts. Upstream: options.c:parse_arguments.
 */
import { UsageError, WsyncError } from "../errors.ts";
import { finishOptions } from "./finish.ts";
import { daemonHelpText, helpText } from "./help.ts";
import { type Aliases, NO_ALIASES } from "./aliases.ts";
import { DAEMON_HINT, HOOKS, refuse, type EarlyOutcome, type ParseState } from "./hooks.ts";
import { type Options, defaultOptions } from "./options.ts";
import { type Refusals } from "./refusals.ts";
import { DAEMON_ROWS, OPTION_ROWS, type OptionRow } from "./table.ts";
import { type Capabilities, versionJson, versionText } from "./version.ts";
import { eachOption, makeIndex, type Match, remotePrefix } from "./walk.ts";

const INDEX = makeIndex(OPTION_ROWS);
const DAEMON_INDEX = makeIndex(DAEMON_ROWS);

/** What the parser needs from outside. */
export interface ParseContext {
  env(name: string): string | undefined;
  /** What --version tells; asked for only when it is printed, or a compression is named. */
  capabilities(): Capabilities;
  /** Seconds since the epoch, for --stop-at and --stop-after; the system clock when absent. */
  now?(): number;
  /** Options that the user has defined (popt's configuration); none when absent. Not asked for by a server. */
  aliases?(): Aliases;
  /** The words come from a client of this daemon. */
  fromClient?: boolean;
  /** What a daemon refuses its client. */
  readonly refusals?: Refusals;
  /** The option table, when not the whole of OPTION_ROWS as it stands. */
  rows?: readonly OptionRow[];
  /** Splits HOST:FILE, HOST::FILE and rsync:// forms of --files-from; null for a local name. */
  splitHost?(text: string): { readonly host: string; readonly path: string } | null;
}

/** What a command line asks for. */
export type Parsed =
  /** A transfer or listing. */
  | { readonly action: "run"; readonly options: Options }
  /** Print this on standard output and exit 0. */
  | { readonly action: "print"; readonly text: string }
  /** Serve as a daemon. */
  | { readonly action: "daemon"; readonly options: Options }
  /**
   * A server whose other arguments come over the connection (-s): read them, NUL separated, up to an empty one, and
   * call `resume` with them (without the leading program name).
   */
  | { readonly action: "secluded"; readonly options: Options; resume(args: readonly string[]): Parsed };

/** The words of a daemon's client: its options, or those parsed until `fault` came up. */
export type ClientWords =
  | { readonly action: "run"; readonly options: Options; readonly fault: WsyncError | null }
  | { readonly action: "secluded"; resume(args: readonly string[]): ClientWords };

/** Parses what a client of this daemon sends. Never throws a WsyncError. */
export function parseClientWords(argv: readonly string[], context: ParseContext): ClientWords {
  return parseAsServer(newState({ ...context, fromClient: true }), argv, context, false);
}

function parseAsServer(
  state: ParseState, argv: readonly string[], context: ParseContext, secluded: boolean,
): ClientWords {
  const { options } = state;
  try {
    const parsed = parseWith(state, argv, context, secluded);
    if (parsed.action === "run") return { action: "run", options, fault: null };
    if (parsed.action === "secluded") {
      return { action: "secluded", resume: (args) => parseAsServer(state, args, context, true) };
    }
    throw new UsageError("rsync: these options are not for a daemon");
  } catch (error) {
    if (!(error instanceof WsyncError)) throw error;
    options.server = true;
    options.clientInfo = options.rsh ?? "";
    return { action: "run", options, fault: error };
  }
}

/**
 * Parses the words behind the program name. Throws UsageError; its message is ready to print (lines without the last
 * newline), and `rsync error: ...` follows it as with every error that ends a run.
 */
export function parseArguments(argv: readonly string[], context: ParseContext): Parsed {
  return parseWith(newState(context), argv, context, false);
}

function parseWith(state: ParseState, argv: readonly string[], context: ParseContext, secluded: boolean): Parsed {
  const index = context.rows === undefined ? INDEX : makeIndex(context.rows);
  const { refusals } = context;
  const early = eachOption({
    argv, index, options: state.options, aliases: aliasesFor(argv, context), strict: isStrict(context), daemon: false,
    take: (match, argument) => {
      refusals?.checkSpelling(match.negated, match.name);
      return take(state, match, argument);
    },
  });
  if (early !== null) return carryOut(early, argv, context);
  if (state.versionCount > 0) return { action: "print", text: versionFor(state, context) };
  if (state.options.humanReadable > 1 && argv.length === 1 && !state.options.server) {
    return { action: "print", text: helpText(context.capabilities()) };
  }
  const wantsMore = finishOptions(state.options, {
    env: context.env,
    compressors: () => context.capabilities().compressors,
    checksums: () => context.capabilities().checksums,
    splitHost: context.splitHost ?? (() => null),
    compressCount: state.compressCount,
    fromClient: state.fromClient,
    refusals: context.refusals,
    secluded,
  });
  if (!wantsMore) return { action: "run", options: state.options };
  return { action: "secluded", options: state.options, resume: (args) => parseWith(state, args, context, true) };
}

/** Servers and daemons know no aliases: their words are not typed by a person. */
function aliasesFor(argv: readonly string[], { aliases, fromClient }: ParseContext): Aliases {
  const isServer = fromClient || argv.includes("--server") || argv.includes("--daemon");
  return isServer || aliases === undefined ? NO_ALIASES : aliases();
}

function isStrict({ env }: ParseContext): boolean {
  return Boolean(env("POSIXLY_CORRECT") ?? env("POSIX_ME_HARDER"));
}

function newState(context: ParseContext): ParseState {
  const options = defaultOptions();
  const iconv = context.env("RSYNC_ICONV");
  if (!context.fromClient && iconv) options.iconv = iconv;
  return {
    options,
    fromClient: context.fromClient ?? false,
    refusals: context.refusals,
    now: context.now ?? (() => Date.now() / 1000),
    compressCount: 0,
    filterFileCount: 0,
    versionCount: 0,
    usermapByChown: false,
    groupmapByChown: false,
  };
}

function carryOut(early: EarlyOutcome, argv: readonly string[], context: ParseContext): Parsed {
  switch (early.kind) {
    case "text":
      return { action: "print", text: early.text };
    case "help":
      return { action: "print", text: helpText(context.capabilities()) };
    case "usage":
      throw new UsageError(helpText(context.capabilities()).trimEnd());
    case "daemon-help":
      return { action: "print", text: daemonHelpText(context.capabilities()) };
    case "daemon":
      return parseDaemon(argv, context);
  }
}

function versionFor(state: ParseState, context: ParseContext): string {
  const json = state.versionCount > 1 && !state.options.server;
  return json ? versionJson(context.capabilities()) : versionText(context.capabilities());
}

/** The whole command line again, by the daemon's own short table. */
function parseDaemon(argv: readonly string[], context: ParseContext): Parsed {
  const state = newState(context);
  const { options } = state;
  options.iconv = null;
  options.secludedArgs = 0;
  const early = eachOption({
    argv, index: DAEMON_INDEX, options, aliases: NO_ALIASES, strict: isStrict(context), daemon: true,
    take: (match, argument) => apply(state, match, argument),
  });
  if (early !== null) return carryOut(early, argv, context);
  if (!options.daemon) throw new UsageError(`Daemon option(s) used without --daemon.\n${DAEMON_HINT}`);
  const row = DAEMON_ROWS.find(({ long }) => long === "daemon")!;
  if (row.available === false) refuseUnavailable({ row, negated: false, name: "daemon" }, options);
  return { action: "daemon", options };
}

/** Applies one option of the main table, unless it cannot be had. */
function take(state: ParseState, match: Match, argument: string): EarlyOutcome | void {
  if (match.row.unsupported && !match.negated) refuseUnsupported(match.row, state.options);
  if (match.row.available === false && !asksForDefault(match)) refuseUnavailable(match, state.options);
  return apply(state, match, argument);
}

function apply(state: ParseState, match: Match, argument: string): EarlyOutcome | void {
  const { row, negated } = match;
  Object.assign(state.options, negated ? row.unset : row.set);
  if (!negated && row.into !== undefined) {
    Object.assign(state.options, { [row.into]: row.argument === "int" ? Number(argument) : argument });
  }
  const hook = negated ? row.noHook : row.hook;
  return hook === undefined ? undefined : HOOKS[hook](state, argument);
}

/** True for --no-fuzzy and the like: switching off what is off. */
function asksForDefault({ row, negated }: Match): boolean {
  const fields = negated ? row.unset : row.set;
  if ((negated ? row.noHook : (row.hook ?? row.into)) !== undefined || fields === undefined) return false;
  const initial = defaultOptions() as unknown as Record<string, unknown>;
  return Object.entries(fields).every(([field, value]) => initial[field] === value);
}

function refuseUnavailable({ row, name }: Match, options: Options): never {
  const letter = row.short !== undefined && row.short !== name ? ` (-${row.short})` : "";
  const dashes = name.length === 1 ? "-" : "--";
  return refuse(`${remotePrefix(options)}${dashes}${name}${letter} is not available in this version of wsync`);
}

/** Upstream options.c:create_refuse_error, for what configure did not find. */
function refuseUnsupported({ long, short }: OptionRow, { server }: Options): never {
  return refuse(`${server ? "The server" : "This rsync"} does not support --${long} (-${short})`);
}
