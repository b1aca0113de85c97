/** The command line of inotifywait. */
import { type LongOption } from "./getopt.ts";
import {
  addEvents, checkPatterns, type CommonOptions, commonOptions, type Parsed, parseTool, setFromFile, timeoutSeconds,
  ToolUsageError,
} from "./options.ts";

/** What inotifywait can be told. */
export interface WaitOptions extends CommonOptions {
  monitor: boolean;
  daemon: boolean;
  syslog: boolean;
  quiet: number;
  csv: boolean;
  json: boolean;
  /** With its line end, unless --no-newline. */
  format: string | null;
  noNewline: boolean;
  timeFormat: string | null;
  outFile: string | null;
  excludeCount: number;
  excludeIgnoringCaseCount: number;
}

const LETTERS = "mrhcdsPqt:fo:e:IFS";

const LONG: readonly LongOption[] = [
  { name: "help", value: "h" }, { name: "event", value: "e", argument: true }, { name: "monitor", value: "m" },
  { name: "quiet", value: "q" }, { name: "timeout", value: "t", argument: true }, { name: "filename", value: "f" },
  { name: "recursive", value: "r" }, { name: "inotify", value: "I" }, { name: "fanotify", value: "F" },
  { name: "filesystem", value: "S" }, { name: "csv", value: "c" }, { name: "daemon", value: "d" },
  { name: "syslog", value: "s" }, { name: "no-dereference", value: "P" },
  { name: "format", value: "n", argument: true }, { name: "no-newline", value: "0" },
  { name: "timefmt", value: "i", argument: true }, { name: "fromfile", value: "z", argument: true },
  { name: "outfile", value: "o", argument: true }, { name: "exclude", value: "a", argument: true },
  { name: "excludei", value: "b", argument: true }, { name: "include", value: "j", argument: true },
  { name: "includei", value: "k", argument: true }, { name: "json", value: "J" }, { name: "version", value: "V" },
];

type Apply = (options: WaitOptions, argument: string) => void;

const APPLY: Readonly<Record<string, Apply>> = {
  m: (o) => (o.monitor = true),
  q: (o) => o.quiet++,
  r: (o) => (o.recursive = true),
  I: (o) => (o.fanotify = false),
  F: (o) => (o.fanotify = true),
  S: (o) => (o.filesystem = o.fanotify = true),
  c: (o) => (o.csv = true),
  d: (o) => (o.daemon = o.monitor = o.syslog = true),
  s: (o) => (o.syslog = true),
  P: (o) => (o.followLinks = false),
  f: () => {
    throw new ToolUsageError("The '--filename' option no longer exists.  The option it enabled in earlier\n"
      + "versions of inotifywait is now turned on by default.");
  },
  n: (o, argument) => (o.format = argument),
  "0": (o) => (o.noNewline = true),
  i: (o, argument) => (o.timeFormat = argument),
  a: (o, argument) => {
    o.exclude = argument;
    o.excludeCount++;
  },
  b: (o, argument) => {
    o.excludeIgnoringCase = argument;
    o.excludeIgnoringCaseCount++;
  },
  j: (o, argument) => (o.include = argument),
  k: (o, argument) => (o.includeIgnoringCase = argument),
  z: setFromFile,
  o: (o, argument) => {
    if (o.outFile !== null) throw new ToolUsageError("Multiple --outfile options given.");
    o.outFile = argument;
  },
  t: (o, argument) => (o.timeout = timeoutSeconds(argument)),
  e: addEvents,
  J: (o) => (o.json = true),
};

/** Parses the words behind the program's name. */
export function parseWait(words: readonly string[], program: string, posix: boolean): Parsed<WaitOptions> {
  const options: WaitOptions = {
    ...commonOptions(), monitor: false, daemon: false, syslog: false, quiet: 0, csv: false, json: false, format: null,
    noNewline: false, timeFormat: null, outFile: null, excludeCount: 0, excludeIgnoringCaseCount: 0,
  };
  const spec = { program, letters: LETTERS, long: LONG, posix };
  return parseTool(words, spec, options, (o, letter, argument) => APPLY[letter]?.(o, argument), check);
}

/** The options together. Returns warnings. */
function check(o: WaitOptions): string[] {
  const fail = (message: string): never => {
    throw new ToolUsageError(message);
  };
  checkPatterns(o);
  if (o.format !== null && o.csv) fail("-c and --format cannot both be specified.");
  if (o.json && (o.format !== null || o.csv)) fail("--json cannot be specified with -c or --format.");
  if (o.format === null && o.noNewline) fail("--no-newline cannot be specified without --format.");
  if (o.format === null && o.timeFormat !== null) fail("--timefmt cannot be specified without --format.");
  if (o.format !== null && o.format.includes("%T") && o.timeFormat === null) {
    fail("%T is in --format string, but --timefmt was not specified.");
  }
  if (o.daemon && o.outFile === null) fail("-o must be specified with -d.");
  if (o.format === "" && o.noNewline) fail("Something is wrong with your format string.");
  if (o.format !== null && !o.noNewline) o.format += "\n";
  const last = "only the last option will be taken into consideration.";
  return [
    ...(o.excludeCount > 1 ? [`--exclude: ${last}`] : []),
    ...(o.excludeIgnoringCaseCount > 1 ? [`--excludei: ${last}`] : []),
  ];
}
