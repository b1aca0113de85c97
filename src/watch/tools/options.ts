/** Options that both inotify tools have, with the checks and messages of inotify-tools. */
import { type Found, getopt, type LongOption } from "./getopt.ts";
import { eventMask } from "./eventnames.ts";

/** What both tools can be told. */
export interface CommonOptions {
  events: number;
  /** Seconds; 0: no limit. */
  timeout: number;
  recursive: boolean;
  followLinks: boolean;
  /** Watch by fanotify, and then perhaps whole file systems. */
  fanotify: boolean;
  filesystem: boolean;
  fromFile: string | null;
  exclude: string | null;
  excludeIgnoringCase: string | null;
  include: string | null;
  includeIgnoringCase: string | null;
}

/** What a command line asks for. */
export type Parsed<O> =
  | {
    readonly action: "run"; readonly options: O; readonly words: readonly string[];
    /** Warnings, one a line. */
    readonly messages: readonly string[];
  }
  | { readonly action: "help" }
  | { readonly action: "version" }
  /** Messages, and exit code 1. */
  | { readonly action: "fail"; readonly messages: readonly string[] };

/** The message that ends parsing. */
export class ToolUsageError extends Error {}

/** Starting values. */
export function commonOptions(): CommonOptions {
  return {
    events: 0, timeout: 0, recursive: false, followLinks: true, fanotify: false, filesystem: false, fromFile: null,
    exclude: null, excludeIgnoringCase: null, include: null, includeIgnoringCase: null,
  };
}

/** Parses words. `apply` takes one option by its letter; `check` looks at all of them and returns warnings. */
export function parseTool<O>(
  words: readonly string[],
  spec: { readonly program: string; readonly letters: string; readonly long: readonly LongOption[]; posix: boolean },
  options: O,
  apply: (options: O, letter: string, argument: string) => void,
  check: (options: O) => string[],
): Parsed<O> {
  const rest: string[] = [];
  const messages: string[] = [];
  let failed = false;
  try {
    for (const found of getopt(words, spec, rest)) {
      if (found.kind === "option" && found.value === "h") return { action: "help" };
      if (found.kind === "option" && found.value === "V") return { action: "version" };
      failed = take(found, options, apply, messages) || failed;
    }
    messages.push(...check(options));
  } catch (error) {
    if (!(error instanceof ToolUsageError)) throw error;
    messages.push(error.message);
    failed = true;
  }
  return failed ? { action: "fail", messages } : { action: "run", options, words: rest, messages };
}

/** True for an error of the command line's form. */
function take<O>(
  found: Found, options: O, apply: (options: O, letter: string, argument: string) => void, messages: string[],
): boolean {
  if (found.kind === "error") {
    messages.push(found.message);
    return true;
  }
  apply(options, found.value, found.argument);
  return false;
}

/** Adds the events of one -e. */
export function addEvents(options: CommonOptions, text: string): void {
  const mask = eventMask(text);
  if (mask === null) {
    throw new ToolUsageError(
      `'${text}' is not a valid event!  Run with the '--help' option to see a list of events.`);
  }
  options.events |= mask;
}

/** The number of -t, as strtol reads it, cut to 32 bits. */
export function timeoutSeconds(text: string): number {
  if (text === "") {
    throw new ToolUsageError("The provided value is not a valid timeout value.\nPlease specify a long int value.");
  }
  const match = /^[ \t\n\v\f\r]*([+-]?[0-9]+)$/.exec(text);
  if (match === null) {
    throw new ToolUsageError(`'${text}' is not a valid timeout value.\nPlease specify a long int value.`);
  }
  const value = Number(match[1]);
  if (Math.abs(value) >= 2 ** 63) {
    throw new ToolUsageError(
      "Something went wrong with the timeout value you provided.\nNumerical result out of range");
  }
  return Number(BigInt.asUintN(32, BigInt(match[1])));
}

/** Takes --fromfile, once. */
export function setFromFile(options: CommonOptions, path: string): void {
  if (options.fromFile !== null) throw new ToolUsageError("Multiple --fromfile options given.");
  options.fromFile = path;
}

/** At most one of the four pattern options. */
export function checkPatterns(options: CommonOptions): void {
  const { exclude, excludeIgnoringCase, include, includeIgnoringCase } = options;
  if (exclude !== null && excludeIgnoringCase !== null) {
    throw new ToolUsageError("--exclude and --excludei cannot both be specified.");
  }
  if (include !== null && includeIgnoringCase !== null) {
    throw new ToolUsageError("--include and --includei cannot both be specified.");
  }
  const excludes = exclude !== null || excludeIgnoringCase !== null;
  if (excludes && (include !== null || includeIgnoringCase !== null)) {
    throw new ToolUsageError("include and exclude regexp cannot both be specified.");
  }
}
