/**
 * The command line, from words to an Options record: popt's behaviour over the option table.
 *
 * Bundled letters (-avz), an argument behind a letter (-B700, -B=700, -B 700), --name=value and --name value, no
 * abbreviations, `--` ends the options, words and options may mix. Later options override earlier ones. What follows
 * from all of them together is worked out in finish.ts. Upstream: options.c:parse_arguments and popt's
 * poptGetNextOpt.
 */
import { UsageError, WsyncError } from "../errors.ts";
import { finishOptions } from "./finish.ts";
import { daemonHelpText, helpText } from "./help.ts";
import { DAEMON_HINT, HOOKS, refuse, type EarlyOutcome, type ParseState } from "./hooks.ts";
import { type Options, defaultOptions } from "./options.ts";
import { type Refusals } from "./refusals.ts";
import { DAEMON_ROWS, OPTION_ROWS, type OptionRow } from "./table.ts";
import { type Capabilities, versionJson, versionText } from "./version.ts";

/** What the parser needs from outside. */
export interface ParseContext {
  env(name: string): string | undefined;
  /** What --version tells; asked for only when it is printed, or a compression is named. */
  capabilities(): Capabilities;
  /** Seconds since the epoch, for --stop-at and --stop-after; the system clock when absent. */
  now?(): number;
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
  const early = eachOption(argv, index, state.options, (match, argument) => {
    refusals?.checkSpelling(match.negated, match.name);
    return take(state, match, argument);
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
  const early = eachOption(argv, DAEMON_INDEX, options, (match, argument) => apply(state, match, argument), true);
  if (early !== null) return carryOut(early, argv, context);
  if (!options.daemon) throw new UsageError(`Daemon option(s) used without --daemon.\n${DAEMON_HINT}`);
  const row = DAEMON_ROWS.find(({ long }) => long === "daemon")!;
  if (row.available === false) refuseUnavailable({ row, negated: false, name: "daemon" }, options);
  return { action: "daemon", options };
}

/** One spelling of an option. */
interface Match {
  readonly row: OptionRow;
  readonly negated: boolean;
  /** The long name as spelled, or the letter. */
  readonly name: string;
}

interface Index {
  readonly long: ReadonlyMap<string, Match>;
  readonly short: ReadonlyMap<string, Match>;
}

function makeIndex(rows: readonly OptionRow[]): Index {
  const long = new Map<string, Match>();
  const short = new Map<string, Match>();
  for (const row of rows) {
    if (row.short !== undefined) short.set(row.short, { row, negated: false, name: row.short });
    const names = row.long === null ? [] : [row.long, ...(row.aliases ?? [])];
    for (const name of names) long.set(name, { row, negated: false, name });
    for (const name of row.no ?? []) long.set(name, { row, negated: true, name });
  }
  return { long, short };
}

const INDEX = makeIndex(OPTION_ROWS);
const DAEMON_INDEX = makeIndex(DAEMON_ROWS);

type Take = (match: Match, argument: string) => EarlyOutcome | void;

/** Walks the words; the ones that are no options become `options.args`. Null when the walk came to its end. */
function eachOption(
  argv: readonly string[], index: Index, options: Options, takeOption: Take, daemon = false,
): EarlyOutcome | null {
  const words = new Words(argv, options, daemon);
  const rest: string[] = [];
  for (let word = words.next(); word !== null; word = words.next()) {
    if (word === "--") {
      rest.push(...words.remaining());
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      rest.push(word);
      continue;
    }
    const early = word.startsWith("--")
      ? longOption(word, words, index, takeOption)
      : shortOptions(word, words, index, takeOption);
    if (early) return early;
  }
  options.args = rest;
  return null;
}

function longOption(word: string, words: Words, index: Index, takeOption: Take): EarlyOutcome | void {
  const equals = word.indexOf("=");
  const match = index.long.get(word.slice(2, equals < 0 ? undefined : equals));
  if (match === undefined) return words.fail("unknown option");
  const attached = equals < 0 ? null : word.slice(equals + 1);
  return takeOption(match, argumentOf(match, attached, words));
}

function shortOptions(word: string, words: Words, index: Index, takeOption: Take): EarlyOutcome | void {
  for (let at = 1; at < word.length; at++) {
    const match = index.short.get(word[at]);
    if (match === undefined) return words.fail("unknown option");
    const takesRest = match.row.argument !== undefined;
    const tail = word.slice(at + 1);
    const attached = tail.startsWith("=") ? tail.slice(1) : takesRest && tail !== "" ? tail : null;
    const early = takeOption(match, argumentOf(match, attached, words));
    if (early || takesRest) return early;
  }
}

/** The option's argument, "" for one without. `attached` stood behind "=" or in the same word. */
function argumentOf(match: Match, attached: string | null, words: Words): string {
  const kind = match.negated ? undefined : match.row.argument;
  if (kind === undefined) return attached === null ? "" : words.fail("option does not take an argument");
  const text = attached ?? words.next() ?? words.fail("missing argument");
  return kind === "int" ? words.checkInteger(text) : text;
}

/** The words of a command line, with popt's errors about the word that was read last. */
class Words {
  private readonly argv: readonly string[];
  private readonly options: Options;
  private readonly daemon: boolean;
  private at = 0;

  constructor(argv: readonly string[], options: Options, daemon: boolean) {
    this.argv = argv;
    this.options = options;
    this.daemon = daemon;
  }

  next(): string | null {
    return this.at < this.argv.length ? this.argv[this.at++] : null;
  }

  remaining(): readonly string[] {
    return this.argv.slice(this.at);
  }

  fail(what: string): never {
    const word = this.argv[this.at - 1];
    if (this.daemon) throw new UsageError(`rsync: ${word}: ${what} (in daemon mode)\n${DAEMON_HINT}`);
    return refuse(`${remotePrefix(this.options)}${word}: ${what}`);
  }

  /** The text of a C int in any of strtoll's notations, as decimal digits. */
  checkInteger(text: string): string {
    const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]*)$/.exec(text);
    if (match === null) return this.fail("invalid numeric value");
    const [, sign, digits] = match;
    const octal = /^0[0-9]/.test(digits);
    if (octal && /[89]/.test(digits)) return this.fail("invalid numeric value");
    const value = octal ? Number.parseInt(digits, 8) : Number(digits || 0);
    const signed = sign === "-" ? -value : value;
    if (signed > 0x7fffffff || signed < -0x80000000) return this.fail("number too large or too small");
    return String(signed);
  }
}

/** Applies one option of the main table, unless it cannot be had. */
function take(state: ParseState, match: Match, argument: string): EarlyOutcome | void {
  if (match.row.own && (state.options.server || state.fromClient)) {
    refuse(`${remotePrefix(state.options)}--${match.name}: unknown option`);
  }
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

function remotePrefix(options: Options): string {
  return options.server ? "on remote machine: " : "";
}
