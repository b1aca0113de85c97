/** The command line of inotifywatch. */
import { IN } from "../../posix/inotify.ts";
import { eventMask } from "./eventnames.ts";
import { type LongOption } from "./getopt.ts";
import {
  addEvents, checkPatterns, type CommonOptions, commonOptions, type Parsed, parseTool, setFromFile, timeoutSeconds,
  ToolUsageError,
} from "./options.ts";

/** What inotifywatch can be told. */
export interface CountOptions extends CommonOptions {
  verbose: number;
  zero: boolean;
  json: boolean;
  /** The event that rows are sorted by; 0: their totals. */
  sortBy: number;
  ascending: boolean;
}

interface Parsing extends CountOptions {
  sortSet: boolean;
}

const LETTERS = "hrPa:d:zve:t:IFS";

const LONG: readonly LongOption[] = [
  { name: "help", value: "h" }, { name: "event", value: "e", argument: true },
  { name: "timeout", value: "t", argument: true }, { name: "verbose", value: "v" }, { name: "zero", value: "z" },
  { name: "ascending", value: "a", argument: true }, { name: "descending", value: "d", argument: true },
  { name: "recursive", value: "r" }, { name: "inotify", value: "I" }, { name: "fanotify", value: "F" },
  { name: "filesystem", value: "S" }, { name: "no-dereference", value: "P" },
  { name: "fromfile", value: "o", argument: true }, { name: "exclude", value: "c", argument: true },
  { name: "excludei", value: "b", argument: true }, { name: "include", value: "j", argument: true },
  { name: "includei", value: "k", argument: true }, { name: "json", value: "J" }, { name: "version", value: "V" },
];

const APPLY: Readonly<Record<string, (options: Parsing, argument: string) => void>> = {
  v: (o) => o.verbose++,
  r: (o) => (o.recursive = true),
  I: (o) => (o.fanotify = false),
  F: (o) => (o.fanotify = true),
  S: (o) => (o.filesystem = o.fanotify = true),
  P: (o) => (o.followLinks = false),
  z: (o) => (o.zero = true),
  c: (o, argument) => (o.exclude = argument),
  b: (o, argument) => (o.excludeIgnoringCase = argument),
  j: (o, argument) => (o.include = argument),
  k: (o, argument) => (o.includeIgnoringCase = argument),
  o: setFromFile,
  t: (o, argument) => (o.timeout = timeoutSeconds(argument)),
  e: addEvents,
  a: (o, argument) => sortBy(o, argument, true),
  d: (o, argument) => sortBy(o, argument, false),
  J: (o) => (o.json = true),
};

/** Parses the words behind the program's name. */
export function parseCount(words: readonly string[], program: string, posix: boolean): Parsed<CountOptions> {
  const options: Parsing = {
    ...commonOptions(), verbose: 0, zero: false, json: false, sortBy: 0, ascending: false, sortSet: false,
  };
  const spec = { program, letters: LETTERS, long: LONG, posix };
  return parseTool(words, spec, options, (o, letter, argument) => APPLY[letter]?.(o, argument), check);
}

function sortBy(o: Parsing, name: string, ascending: boolean): void {
  if (o.sortSet) throw new ToolUsageError("Please specify -a or -d once only!");
  const word = name.toLowerCase();
  if (word === "move") {
    throw new ToolUsageError("Cannot sort by `move' event; please use `moved_from' or `moved_to'.");
  }
  if (word === "close") {
    throw new ToolUsageError("Cannot sort by `close' event; please use `close_write' or `close_nowrite'.");
  }
  const mask = word === "total" ? 0 : eventMask(name);
  if (mask === null) throw new ToolUsageError(`'${name}' is not a valid key for sorting!`);
  o.sortBy = mask;
  o.ascending = ascending;
  o.sortSet = true;
}

function check(o: Parsing): string[] {
  if (o.sortBy !== 0 && (o.sortBy & (o.events === 0 ? IN.ALL_EVENTS : o.events)) === 0) {
    throw new ToolUsageError("Can't sort by an event which isn't being watched for!");
  }
  checkPatterns(o);
  return [];
}
