/**
 * What a row of the option table cannot say as "set this field": one short function each, by name.
 *
 * Upstream counterpart: the switch of options.c:parse_arguments. A hook may end the parsing early by returning an
 * outcome (--help, --info=help, a switch to daemon mode).
 */
import { UsageError } from "../errors.ts";
import { isChmodText } from "./chmod.ts";
import { levelsHelp, type LevelKind } from "./levels.ts";
import { type RefusalCheck } from "./refusals.ts";
import { type BasisDir, type FilterArgument, type Options, PROTOCOL_VERSION } from "./options.ts";
import { parseSize } from "./size.ts";
import { parseStopTime } from "./stoptime.ts";

/**
 * Ends the parsing of a command line: print a text and exit 0, print the help (as an error: "usage"), or parse again
 * as a daemon's.
 */
export type EarlyOutcome =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "help" | "usage" | "daemon-help" | "daemon" };

/** What parsing knows besides the options themselves. */
export interface ParseState {
  readonly options: Options;
  /** The words come from a client of this daemon. */
  readonly fromClient: boolean;
  /** What a daemon refuses. */
  readonly refusals?: RefusalCheck;
  /** Seconds since the epoch. */
  now(): number;
  compressCount: number;
  filterFileCount: number;
  versionCount: number;
  usermapByChown: boolean;
  groupmapByChown: boolean;
}

type Hook = (state: ParseState, argument: string) => EarlyOutcome | void;

/** rsync's limits: block sizes of protocol 30 and before it (rsync.h), and the number of --link-dest directories. */
const MAX_BLOCK_SIZE = 1 << 17;
const OLD_MAX_BLOCK_SIZE = 1 << 29;
const MAX_BASIS_DIRS = 20;

/** Throws the error that upstream's option_error prints: the text behind "rsync: ". */
export function refuse(text: string): never {
  throw new UsageError(`rsync: ${text}`);
}

const count = (field: { [K in keyof Options]: Options[K] extends number ? K : never }[keyof Options]): Hook =>
  (state) => {
    (state.options[field] as number)++;
  };

const addFilter = (kind: FilterArgument["kind"]): Hook => (state, value) => {
  const { filters, from0, levels, protocol } = state.options;
  const traced = levels.debug.FILTER;
  filters.push({
    kind, value, ...(from0 ? { from0 } : {}), ...(traced > 0 ? { traced } : {}),
    ...(protocol === PROTOCOL_VERSION ? {} : { protocol }),
  });
};

const setLevels = (kind: LevelKind): Hook => ({ options }, text) =>
  options.levels.parse(kind, text, undefined, options.server) === "help"
    ? { kind: "text", text: levelsHelp(kind) }
    : undefined;

const addBasisDir = (kind: BasisDir["kind"]): Hook => ({ options }, path) => {
  const first = options.basisDirs[0]?.kind ?? kind;
  if (first !== kind) refuse(`ERROR: the --${kind}-dest option conflicts with the --${first}-dest option`);
  if (options.basisDirs.length >= MAX_BASIS_DIRS) {
    refuse(`ERROR: at most ${MAX_BASIS_DIRS} --${kind}-dest args may be specified`);
  }
  options.basisDirs.push({ kind, path });
};

function archive({ options, refusals }: ParseState): void {
  for (const letter of "rdlptgoD") refusals?.check(letter);
  options.recurse ||= 1;
  options.preserveLinks = options.preservePerms = options.preserveMtimes = true;
  options.preserveGid = options.preserveUid = options.preserveDevices = options.preserveSpecials = true;
}

function stderrMode({ options }: ParseState, text: string): void {
  const mode = (["errors", "all", "client"] as const).find((name) => text !== "" && name.startsWith(text));
  options.stderrMode = mode ?? refuse(`--stderr mode "${text}" is not one of errors, all, or client`);
}

function filterFile(state: ParseState): void {
  const value = [": /.rsync-filter", "- .rsync-filter"][state.filterFileCount++];
  if (value !== undefined) state.options.filters.push({ kind: "filter", value, impliedBy: "-F" });
}

function blockSize({ options }: ParseState, text: string): void {
  const most = options.protocol < 30 ? OLD_MAX_BLOCK_SIZE : MAX_BLOCK_SIZE;
  options.blockSize = parseSize(text, "block-size", { defaultUnit: "b", least: 0, most });
}

function bwlimit({ options }: ParseState, text: string): void {
  const bytes = parseSize(text, "bwlimit", { defaultUnit: "K", least: 512, most: -1, zeroUnlimited: true });
  options.bwlimit = Math.floor((bytes + 512) / 1024);
}

function explain({ options }: ParseState, text: string): void {
  options.explain.push(text);
}

function watchTarget({ options }: ParseState, text: string): void {
  options.watchTargets.push(text);
}

function remoteOption({ options }: ParseState, text: string): void {
  if (!text.startsWith("-")) refuse(`Remote option must start with a dash: ${text}`);
  options.remoteOptions.push(text);
}

/** Each map may be set once, by its own option or by --chown. */
function refuseSecondMap(name: string, byChown: boolean): never {
  return refuse(byChown ? `--${name} conflicts with prior --chown.` : `You can only specify --${name} once.`);
}

function usermap(state: ParseState, text: string): void {
  if (state.options.usermap !== null) refuseSecondMap("usermap", state.usermapByChown);
  state.options.usermap = text;
  state.options.preserveUid = true;
}

function groupmap(state: ParseState, text: string): void {
  if (state.options.groupmap !== null) refuseSecondMap("groupmap", state.groupmapByChown);
  state.options.groupmap = text;
  state.options.preserveGid = true;
}

function chown(state: ParseState, text: string): void {
  const colon = text.indexOf(":");
  const user = colon < 0 ? text : text.slice(0, colon);
  const group = colon < 0 ? "" : text.slice(colon + 1);
  if (user !== "") chownUser(state, user);
  if (group !== "") chownGroup(state, group);
}

function refuseSecondChown(kind: "user" | "group", byChown: boolean): never {
  return refuse(byChown
    ? `You can only specify a ${kind}-affecting --chown once.`
    : `--chown conflicts with prior --${kind}map.`);
}

function chownUser(state: ParseState, user: string): void {
  if (state.options.usermap !== null) refuseSecondChown("user", state.usermapByChown);
  state.options.usermap = `*:${user}`;
  state.options.preserveUid = state.usermapByChown = true;
}

function chownGroup(state: ParseState, group: string): void {
  if (state.options.groupmap !== null) refuseSecondChown("group", state.groupmapByChown);
  state.options.groupmap = `*:${group}`;
  state.options.preserveGid = state.groupmapByChown = true;
}

function stopAfter(state: ParseState, text: string): void {
  const seconds = (Number.parseInt(text, 10) || 0) * 60;
  if (seconds <= 0 || !Number.isSafeInteger(seconds)) refuse(`invalid --stop-after value: ${text}`);
  state.options.stopAt = Math.floor(state.now()) + seconds;
}

function stopAt(state: ParseState, text: string): void {
  const now = Math.floor(state.now());
  const time = parseStopTime(text, now);
  if (time === null) refuse(`invalid --stop-at format: ${text}`);
  if (time <= now) refuse(`--stop-at time is not in the future: ${text}`);
  state.options.stopAt = time;
}

function sender({ options }: ParseState): EarlyOutcome | void {
  if (!options.server) return { kind: "usage" };
  options.sender = true;
}

function daemonMode({ fromClient }: ParseState): EarlyOutcome {
  if (fromClient) refuse("a daemon's client cannot switch it to daemon mode");
  return { kind: "daemon" };
}

function daemonParameter({ options }: ParseState, text: string): void {
  if (!text.includes("=")) {
    throw new UsageError(`--dparam value is missing an '=': ${text}\n${DAEMON_HINT}`);
  }
  options.dparams.push(text);
}

/** The line that follows an error in a daemon's own command line. */
export const DAEMON_HINT = '(Type "rsync --daemon --help" for assistance with daemon mode.)';

/** The hooks by name. */
export const HOOKS = {
  verbose: count("verbose"),
  quiet: count("quiet"),
  humanReadable: count("humanReadable"),
  itemize: count("itemize"),
  hardLinks: count("preserveHardLinks"),
  oneFileSystem: count("oneFileSystem"),
  fuzzy: count("fuzzy"),
  xattrs: count("preserveXattrs"),
  archive,
  stderr: stderrMode,
  info: setLevels("info"),
  debug: setLevels("debug"),
  filter: addFilter("filter"),
  exclude: addFilter("exclude"),
  include: addFilter("include"),
  excludeFrom: addFilter("exclude-from"),
  includeFrom: addFilter("include-from"),
  filterFile,
  compareDest: addBasisDir("compare"),
  copyDest: addBasisDir("copy"),
  linkDest: addBasisDir("link"),
  blockSize,
  bwlimit,
  remoteOption,
  explain,
  watchTarget,
  usermap,
  groupmap,
  chown,
  stopAfter,
  stopAt,
  daemonMode,
  dparam: daemonParameter,
  partialProgress: ({ options, refusals }) => {
    refusals?.check("partial");
    refusals?.check("progress");
    options.progress = 1;
    options.partial = true;
  },
  atimes: ({ options }) => {
    if (++options.preserveAtimes > 1) options.openNoatime = true;
  },
  append: ({ options }) => {
    options.append = options.server ? options.append + 1 : 1;
  },
  compress: (state) => {
    state.compressCount++;
  },
  noCompress: (state) => {
    state.compressCount = 0;
    state.options.compressChoice = null;
  },
  oldArgs: ({ options }) => {
    options.oldArgs = Math.max(options.oldArgs, 0) + 1;
  },
  modifyWindow: ({ options }) => {
    options.modifyWindowSet = true;
  },
  maxSize: ({ options }, text) => {
    options.maxSize = parseSize(text, "max-size", { defaultUnit: "b", least: 0, most: -1 });
  },
  minSize: ({ options }, text) => {
    options.minSize = parseSize(text, "min-size", { defaultUnit: "b", least: 0, most: -1 });
  },
  ignoreMissingArgs: ({ options }) => {
    options.missingArgs |= 1;
  },
  deleteMissingArgs: ({ options }) => {
    options.missingArgs |= 2;
  },
  onlyWriteBatch: ({ options }) => {
    options.onlyWriteBatch = true;
  },
  chmod: ({ options }, text) => {
    if (!isChmodText(text)) refuse(`Invalid argument passed to --chmod (${text})`);
    options.chmod = [...options.chmod, text];
  },
  version: (state) => {
    state.versionCount++;
  },
  help: () => ({ kind: "help" }),
  daemonHelp: () => ({ kind: "daemon-help" }),
  server: ({ options }) => {
    options.server = true;
    options.iconv = null;
  },
  sender,
} as const satisfies Record<string, Hook>;

export type HookName = keyof typeof HOOKS;
